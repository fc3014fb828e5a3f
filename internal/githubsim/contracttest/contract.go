// Package contracttest has GitHub's published descriptions at hand and holds answers against them: those of the simulated GitHub, and those of
// the API that we serve ourselves. Only tests use it. The descriptions come from npm, once, into the user's cache.
package contracttest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	_ "embed" // the versions
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed package-lock.json
var versions []byte

// GitHub's published descriptions: versions and checksums of the packages are in package-lock.json, those of the one file that is
// needed of each are here.
var (
	OpenAPI       = Published{"@octokit/openapi", "generated/ghec.json", "3224a411049a9d421d42ae8575172d4cb4778f4a978afddd030168aaf6f3dd51"}
	GraphQLSchema = Published{"@octokit/graphql-schema", "schema.graphql", "3c62d0526d133cee53221c89de9b455ade24db78b9e7ad56d642c4c15bce2654"}
)

// Published is one file of a package of npm, with its checksum.
type Published struct{ pkg, file, sha256 string }

// Read returns the file, from the user's cache or, once, through npm. It unpacks nothing else: the package is 400 MB.
func (p Published) Read() ([]byte, error) {
	var lock struct {
		Packages map[string]struct {
			Version   string `json:"version"`
			Integrity string `json:"integrity"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(versions, &lock); err != nil {
		return nil, err
	}
	locked := lock.Packages["node_modules/"+p.pkg]
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "musterline", "contract", strings.ReplaceAll(p.pkg, "/", "-")+"-"+locked.Version)
	path := filepath.Join(dir, filepath.Base(p.file))
	if b, err := os.ReadFile(path); err == nil && p.matches(b) {
		return b, nil
	}

	tmp, err := os.MkdirTemp("", "contract")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.Command("npm", "pack", "--silent", "--pack-destination", tmp, p.pkg+"@"+locked.Version)
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack %s@%s: %w: %s", p.pkg, locked.Version, err, out)
	}
	archives, _ := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if len(archives) != 1 {
		return nil, fmt.Errorf("npm pack left %d archives", len(archives))
	}
	archive, err := os.ReadFile(archives[0])
	if err != nil {
		return nil, err
	}
	if sum := sha512.Sum512(archive); locked.Integrity != "sha512-"+base64.StdEncoding.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("%s@%s is not the archive that contract/package-lock.json names", p.pkg, locked.Version)
	}
	b, err := unpack(archive, "package/"+p.file)
	if err != nil {
		return nil, err
	}
	if !p.matches(b) {
		return nil, fmt.Errorf("%s of %s@%s has another checksum", p.file, p.pkg, locked.Version)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	part := path + fmt.Sprint(".", os.Getpid())
	if err := os.WriteFile(part, b, 0o644); err != nil {
		return nil, err
	}
	return b, os.Rename(part, path)
}

func (p Published) matches(b []byte) bool {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]) == p.sha256
}

func unpack(archive []byte, name string) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if h.Name == name {
			return io.ReadAll(t)
		}
	}
}

// Without skips a test that cannot have the published descriptions, but never where everything must run.
func Without(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skipf("GitHub's published description is not at hand: %v", err)
}
