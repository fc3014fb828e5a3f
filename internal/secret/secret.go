// Package secret keeps the key file: the one secret outside the database, without which the credentials inside it are noise and the audit
// record cannot be continued.
//
// It is not for passwords of people, nor for tokens that only need to be recognized (those are stored as hashes), and it never logs.
package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// format is the version of the key file.
const format = 1

// A file is the key file as it lies on disk. The keyset may gain keys over time; the root never changes, because the audit chain hangs
// from it.
type file struct {
	Format int             `json:"musterline_key"`
	Root   []byte          `json:"root"`
	Keyset json.RawMessage `json:"keyset"`
}

// A Key encrypts credentials and derives the keys of other purposes. However it is printed, it shows nothing.
type Key struct {
	aead tink.AEAD
	root []byte
}

// String returns the fingerprint, which is no secret.
func (k *Key) String() string { return "key " + k.Fingerprint() }

// GoString returns the same.
func (k *Key) GoString() string { return k.String() }

// ErrWrongKey is in the chain of every error that another key file would cure.
var ErrWrongKey = errors.New("wrong key file")

// Open reads a key file. It refuses one that others than its owner may read. A file that is not there is an fs.ErrNotExist.
func Open(path string) (*Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open key file: %s is no file", path)
	}
	// Windows has no such bits: there the folder's own access list decides.
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, fmt.Errorf("open key file: %s may be read by others (mode %04o): run chmod 600 %s", path, mode, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	k, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("open key file %s: %w", path, err)
	}
	return k, nil
}

// Create makes a new key file that only its owner may read. A file that is there already is an fs.ErrExist and is left alone.
func Create(path string) (*Key, error) {
	data, err := generate()
	if err != nil {
		return nil, fmt.Errorf("create key file: %w", err)
	}
	k, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("create key file: %w", err)
	}
	if err := write(path, data); err != nil {
		return nil, fmt.Errorf("create key file: %w", err)
	}
	return k, nil
}

// New makes a key that lives in memory only, for a demonstration or a test.
func New() (*Key, error) {
	data, err := generate()
	if err != nil {
		return nil, err
	}
	return parse(data)
}

// write makes the file whole or not at all: a half-written key would lock its database for ever.
func write(path string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".musterline-key-*") // CreateTemp makes it 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	err = os.Link(tmp.Name(), path) // unlike a rename, a link never replaces a key that came between
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// Some file systems have no links.
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	return errors.Join(err, out.Sync(), out.Close())
}

// generate makes the content of a new key file.
func generate() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	var keys bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&keys)); err != nil {
		return nil, err
	}
	root := make([]byte, 32)
	if _, err := rand.Read(root); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(file{Format: format, Root: root, Keyset: keys.Bytes()}, "", "  ")
	return append(data, '\n'), err
}

// parse reads the content of a key file. Its errors never hold any of it.
func parse(data []byte) (*Key, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil || f.Format == 0 {
		return nil, errors.New("this is no Musterline key file")
	}
	if f.Format != format || len(f.Root) != 32 {
		return nil, fmt.Errorf("this key file has format %d, and this program reads format %d", f.Format, format)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(f.Keyset)))
	if err != nil {
		return nil, errors.New("the keyset in this key file is damaged: restore the file from a backup")
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, errors.New("the keyset in this key file is damaged: restore the file from a backup")
	}
	return &Key{aead: primitive, root: f.Root}, nil
}

// Encrypt seals plain for one place, such as "target:octo": moved to any other place it does not open.
func (k *Key) Encrypt(plain []byte, place string) ([]byte, error) {
	sealed, err := k.aead.Encrypt(plain, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("encrypt %s: %w", place, err)
	}
	return sealed, nil
}

// Decrypt opens what Encrypt sealed for the same place. Any other key, another place and a changed byte are ErrWrongKey: they cannot be told apart.
func (k *Key) Decrypt(sealed []byte, place string) ([]byte, error) {
	plain, err := k.aead.Decrypt(sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("decrypt %s: this key file did not encrypt it, or it was changed or moved: %w", place, ErrWrongKey)
	}
	return plain, nil
}

// Derive returns 32 bytes that only this key file gives for this purpose, such as the key of the audit chain.
func (k *Key) Derive(purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, k.root, nil, "musterline "+purpose, 32)
	if err != nil {
		panic("secret: " + err.Error()) // only a length beyond what HKDF can give is an error
	}
	return derived
}

// Fingerprint tells key files apart and gives nothing away.
func (k *Key) Fingerprint() string { return hex.EncodeToString(k.Derive("fingerprint")[:6]) }
