package clients_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// octokit returns the script of octokit/, beside the versions that package-lock.json names. They are installed once, into the user's cache.
func octokit(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile("octokit/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "musterline")
	installed := filepath.Join(cache, fmt.Sprintf("octokit-%x", sha256.Sum256(lock)))
	if _, err := os.Stat(installed); err != nil {
		install(t, cache, installed)
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "octokit.mjs")
	text, err := os.ReadFile("octokit/octokit.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return script
}

// install makes a folder with the packages, whole or not at all. Where they cannot be had the test is skipped, but never where everything
// must run.
func install(t *testing.T, cache, to string) {
	t.Helper()
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	part, err := os.MkdirTemp(cache, "octokit-part-") //nolint:usetesting // where it can be renamed from: t.TempDir may be another file system
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(part)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join("octokit", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(part, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = part
	if out, err := npm.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("npm ci: %v: %s", err, out)
		}
		t.Skipf("Octokit is not at hand: npm ci: %v: %s", err, out)
	}
	if err := os.Rename(part, to); err != nil {
		if _, there := os.Stat(to); there != nil { // another run may have been first
			t.Fatal(err)
		}
	}
}

func TestOctokit(t *testing.T) {
	script := octokit(t)
	for _, prefix := range []string{"", "/api/v3"} {
		t.Run("at "+prefix+"/", func(t *testing.T) {
			l := newLab(t)
			node := exec.CommandContext(t.Context(), "node", script, l.url+prefix, olga, wrong)
			var said strings.Builder
			node.Stderr = &said
			out, err := node.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, &said)
			}
			type refusal struct {
				Name, Message string
				Status        int
				Data          struct {
					Docs   string `json:"documentation_url"`
					Errors []struct{ Code string }
				}
			}
			var seen struct {
				FirstPage, Different, Iterated, Unchanged int
				Pages                                     []int
				Beginning, Put, ByID, Legacy, Kept        []string
				Got                                       []map[string]string
				URL                                       string
				Sixth, Keys, Nowhere, Wrong               refusal
				Emptied                                   json.RawMessage
			}
			if err := json.Unmarshal(out, &seen); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			equal(t, "groups of one page", seen.FirstPage, 100)
			equal(t, "groups of each page", fmt.Sprint(seen.Pages), "[100 100 50]")
			equal(t, "different groups", seen.Different, groups)
			equal(t, "groups by the iterator", seen.Iterated, groups)
			same(t, "groups that begin with octocat", seen.Beginning, "people:123", "people:456")
			same(t, "answer to PATCH", seen.Put, "people:123", "people:456")
			equal(t, "groups of the team", fmt.Sprint(seen.Got), "[map[group_description:The people who configure your octoworld. group_id:people:123 "+
				"group_name:Octocat admins] map[group_description: group_id:people:456 group_name:Docs]]")
			equal(t, "what has not changed", seen.Unchanged, 304)
			equal(t, "url of the team", seen.URL, fmt.Sprintf("%s%s/organizations/%d/team/%d", l.url, prefix, l.org.ID(), l.org.Team("platform").ID()))
			same(t, "by id", seen.ByID, "people:456")
			same(t, "by the legacy path", seen.Legacy, "people:123")
			for what, test := range map[string]struct {
				refusal
				status  int
				message string
			}{
				"six groups":           {seen.Sixth, 422, "Validation Failed"},
				"keys that do not fit": {seen.Keys, 422, "Invalid request."},
				"a team that is not":   {seen.Nowhere, 404, "Not Found"},
				"a wrong credential":   {seen.Wrong, 401, "Bad credentials"},
			} {
				if test.Name != "HttpError" || test.Status != test.status || !strings.HasPrefix(test.Message, test.message) || test.Data.Docs == "" {
					t.Errorf("%s: %+v", what, test.refusal)
				}
			}
			same(t, "groups after the refusals", seen.Kept, "people:123")
			equal(t, "emptied", string(seen.Emptied), `{"groups":[]}`)

			for _, line := range l.asked() {
				if !strings.HasPrefix(strings.Fields(line)[1], prefix+"/") {
					t.Errorf("%s is not below %s", line, prefix)
				}
			}
			if !slices.ContainsFunc(l.requests, func(r request) bool { return r.header.Get("Authorization") == "token "+olga }) {
				t.Error("Octokit was expected to say token where others say Bearer")
			}
		})
	}
}
