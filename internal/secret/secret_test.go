package secret_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"musterline.example/internal/secret"
)

func create(t *testing.T) (*secret.Key, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "musterline.key")
	k, err := secret.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return k, path
}

func TestAKeyFileOpensAsTheKeyItWasMadeAs(t *testing.T) {
	k, path := create(t)
	sealed, err := k.Encrypt([]byte("ghp_secret"), "target:octo")
	if err != nil {
		t.Fatal(err)
	}
	again, err := secret.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := again.Decrypt(sealed, "target:octo")
	if err != nil || string(plain) != "ghp_secret" {
		t.Errorf("Decrypt = %q, %v", plain, err)
	}
	if !bytes.Equal(k.Derive("audit chain"), again.Derive("audit chain")) || k.Fingerprint() != again.Fingerprint() {
		t.Error("the same file derives other keys")
	}
	if bytes.Equal(k.Derive("audit chain"), k.Derive("sessions")) {
		t.Error("two purposes share a key")
	}
}

func TestWhatIsSealedOpensWithThisKeyAtThisPlaceOnly(t *testing.T) {
	k, _ := create(t)
	other, _ := create(t)
	sealed, err := k.Encrypt([]byte("ghp_secret"), "target:octo")
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, f := range map[string]func() ([]byte, error){
		"another key":    func() ([]byte, error) { return other.Decrypt(sealed, "target:octo") },
		"another place":  func() ([]byte, error) { return k.Decrypt(sealed, "target:other") },
		"a changed byte": func() ([]byte, error) { return k.Decrypt(changed, "target:octo") },
		"nothing":        func() ([]byte, error) { return k.Decrypt(nil, "target:octo") },
	} {
		if plain, err := f(); !errors.Is(err, secret.ErrWrongKey) || plain != nil {
			t.Errorf("%s: got %q, %v", name, plain, err)
		}
	}
}

func TestAKeyFileIsForItsOwnersEyesOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such bits")
	}
	_, path := create(t)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("a new key file has mode %o", mode)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Open(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %o: got %v", mode, err)
		}
	}
}

func TestAKeyFileIsNeverReplaced(t *testing.T) {
	k, path := create(t)
	if _, err := secret.Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	again, err := secret.Open(path)
	if err != nil || again.Fingerprint() != k.Fingerprint() {
		t.Errorf("the key is another one now: %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAMissingKeyFileIsToldFromADamagedOne(t *testing.T) {
	_, path := create(t)
	if _, err := secret.Open(path + ".other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"", "hunter2", "{}", `{"musterline_key":2}`, `{"musterline_key":1,"root":"aGk="}`, string(whole[:len(whole)/2]), strings.Replace(string(whole), "primaryKeyId", "hunter2", 1)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Open(path); err == nil || errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.20q: got %v", content, err)
		}
	}
}

func TestAKeyShowsNothingHoweverItIsPrinted(t *testing.T) {
	k, path := create(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%s", "%+v", "%#v", "%q"} {
		shown := fmt.Sprintf(verb, k)
		if !strings.Contains(shown, k.Fingerprint()) || len(shown) > 30 {
			t.Errorf("%s prints %s", verb, shown)
		}
	}
	if strings.Contains(string(whole), k.Fingerprint()) {
		t.Error("the fingerprint is a part of the file")
	}
}
