package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"musterline.example/directory"
	"musterline.example/internal/githubsim"
	"musterline.example/store"
)

// binary builds the real program, once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(place(), "musterline")
	out, err := exec.Command("go", "build", "-o", path, "musterline.example/cmd/musterline").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// A house is a folder with a configuration in which the real binary works on a hub.
type house struct {
	*hub
	dir, url string
	web      *httptest.Server
	path     string
}

// newHouse serves a hub on a socket.
func newHouse(t *testing.T, url string, latency time.Duration) *house {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{hub: newHub(latency), dir: folder(t), url: url, path: path}
	h.gh.PutToken(githubsim.Token{Value: "ghp_boss", User: "boss", Scopes: []string{"admin:org"}})
	h.web = httptest.NewServer(h.gh)
	m, err := prepared()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "musterline.key"), m.text, 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) shut() { h.web.Close() }

// command is the program in its house.
func (h *house) command(args ...string) *exec.Cmd {
	cmd := exec.Command(h.path, args...)
	cmd.Dir = h.dir
	cmd.Env = append(os.Environ(), "TZ=UTC", "USER=ada")
	return cmd
}

// run runs a command to its end.
func (h *house) run(args ...string) (string, error) {
	cmd := h.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	total.add("commands of the real binary", 1)
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("musterline %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// write puts what the providers say into the house: JSON, for the source kind file. One that fails is a file cut short.
func (h *house) write(p *provider) error {
	type user struct {
		ID       directory.UserID  `json:"id"`
		Name     string            `json:"name"`
		Username string            `json:"username"`
		Status   directory.Status  `json:"status,omitempty"`
		Accounts map[string]string `json:"accounts,omitempty"`
	}
	type group struct {
		ID      directory.GroupID   `json:"id"`
		Name    string              `json:"name"`
		Members []directory.UserID  `json:"members"`
		Groups  []directory.GroupID `json:"groups"`
	}
	var file struct {
		Users  []user  `json:"users"`
		Groups []group `json:"groups"`
	}
	file.Users, file.Groups = []user{}, []group{}
	s := p.speak(time.Now())
	for _, u := range s.Users {
		file.Users = append(file.Users, user{u.ID, u.Name, u.Username, u.Status, u.Accounts})
	}
	for _, g := range s.Groups {
		file.Groups = append(file.Groups, group{g.ID, g.Name, g.Members, g.Groups})
	}
	slices.SortFunc(file.Users, func(a, b user) int { return strings.Compare(string(a.ID), string(b.ID)) })
	slices.SortFunc(file.Groups, func(a, b group) int { return strings.Compare(string(a.ID), string(b.ID)) })
	text, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		return err
	}
	p.said = s
	if p.fail != nil {
		p.said, text = nil, text[:len(text)/2]
	}
	return os.WriteFile(filepath.Join(h.dir, p.name+".json"), text, 0o600)
}

// configure writes the configuration file.
func (h *house) configure(mappings, rules, target, guards string) error {
	text := fmt.Sprintf(`database: %q
secrets: { key_file: musterline.key }
sources:
  corp: { kind: file, path: corp.json }
  hr: { kind: file, path: hr.json }
targets:
  octo: { kind: github, organization: %q, api_url: %q, token: ghp_boss, pace: 0s%s }
mappings: [%s]
rules: [%s]
%s
`, h.url, h.org.Login(), h.web.URL, target, mappings, rules, guards)
	return os.WriteFile(filepath.Join(h.dir, "musterline.yaml"), []byte(text), 0o600)
}

// opened opens the database for reading.
func (h *house) opened(t T) *store.Store {
	t.Helper()
	m, err := prepared()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), h.url, store.Options{Key: m.key, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A program is the real binary as an engine.
type program struct{ *house }

func (e program) open(w *world) {
	var lines, rules, target string
	for _, u := range w.units {
		for _, l := range u.lines {
			lines += fmt.Sprintf("\n  { team: %q, groups: [%q], role: %s, mode: %s },", "octo/"+u.text, l.source.name+"/"+l.group, l.role, u.mode)
		}
	}
	if w.truth.rule {
		rules = `{ match: "corp/gh-*", team: 'octo/{{ trimPrefix "gh-" .Group.Name }}', create: true }`
	}
	if w.truth.reinvite {
		target += ", reinvite: true"
	}
	var protected []string
	for id := range w.truth.protected {
		protected = append(protected, fmt.Sprint(id))
	}
	if len(protected) > 0 {
		slices.Sort(protected)
		target += ", protected: [" + strings.Join(protected, ", ") + "]"
	}
	if err := e.configure(strings.TrimSuffix(lines, ","), rules, target, ""); err != nil {
		w.t.Fatal(err)
	}
	for _, p := range []*provider{e.corp, e.hr} {
		if err := e.house.write(p); err != nil {
			w.t.Fatal(err)
		}
	}
}

// sync runs the command. What it will have learnt it learns before the first write; where it fails before that, nobody can tell from
// outside how far it came, so whatever is believed on its word is in doubt.
func (e program) sync(w *world) error {
	total.add("syncs", 1)
	e.open(w)
	before := w.truth.beliefsNow()
	w.planned()
	_, err := e.run("sync")
	if err != nil && !strings.Contains(err.Error(), "source corp:") && !strings.Contains(err.Error(), "source hr:") {
		w.truth.doubt(before)
	}
	return err
}

func (e program) plan(w *world) (free, all int) {
	out, err := e.run("plan", "--json")
	if err != nil {
		w.fail("%v", err)
	}
	var said struct {
		Plans []struct {
			Teams []struct {
				Slug                string
				Add, Remove, Update []struct{ Objected []string }
			}
			Objections []struct{ Guard string }
		}
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		w.fail("plan --json: %v", err)
	}
	for _, p := range said.Plans {
		for _, o := range p.Objections {
			total.add("objections by "+o.Guard, 1)
		}
		for _, t := range p.Teams {
			for _, ch := range slices.Concat(t.Add, t.Remove, t.Update) {
				all++
				if len(ch.Objected) == 0 {
					free++
				}
			}
		}
	}
	if free > 0 {
		w.tell("%s", out)
	}
	return free, all
}

func (e program) approve(w *world) int {
	if _, all := e.plan(w); all == 0 {
		return 0
	}
	out, err := e.run("approve", "octo", "--reason", "looked at it", "--yes")
	if err != nil {
		w.fail("%v", err)
	}
	if strings.Contains(out, "nothing to approve") {
		return 0
	}
	total.add("approvals", 1)
	return 1
}

func (e program) say(w *world, p *person) {
	e.open(w)
	host := strings.TrimPrefix(e.web.URL, "http://")
	if _, err := e.run("link", "add", p.source.name+"/"+p.id, fmt.Sprintf("%s/%d", host, p.account.ID()), "--reason", "asked"); err != nil {
		w.fail("%v", err)
	}
}

func (e program) verify(*world) error {
	_, err := e.run("audit", "verify")
	return err
}

func (e program) memory(w *world) *recorded {
	s := e.opened(w.t)
	defer func() { _ = s.Shut() }()
	return remembered(w.t, s)
}

// beliefsNow are the states of all beliefs.
func (tr *truth) beliefsNow() map[userKey]belief {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	now := map[userKey]belief{}
	for k, b := range tr.beliefs {
		now[k] = *b
	}
	return now
}

// doubt puts every belief in doubt that has changed since.
func (tr *truth) doubt(before map[userKey]belief) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for k, b := range tr.beliefs {
		if was := before[k]; was.state != b.state || was.account != b.account || was.via != b.via || was.value != b.value {
			b.state = murky
			if b.account != 0 {
				b.ever[b.account] = true
			}
		}
	}
}

// TestRandomWorldsThroughTheBinary is the same with the real program and both databases, and a socket in between. Time does not pass there.
func TestRandomWorldsThroughTheBinary(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			check(t, *binaries, func(t *testing.T, rt *rapid.T) {
				url := database(t, kind)
				total.add("worlds through the binary, "+kind, 1)
				h := newHouse(t, url, 0)
				defer h.shut()
				w := newWorld(rt, h.hub, program{h})
				w.real = true
				live(w)
			})
		})
	}
}
