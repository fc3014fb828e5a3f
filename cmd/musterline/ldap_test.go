package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/internal/githubsim"
	"musterline.example/internal/ldaptest"
)

// TestFiveHundredGroupsOfADirectory drives 500 teams by the 500 groups of a real OpenLDAP, and then changes the directory as people change it:
// a group is renamed, a user is deleted, a subtree goes from the search base. Who belongs where is reckoned here, from the text that the server
// was loaded with. The program is built as it is delivered: the race detector sees it in other tests, and would take minutes over this one.
func TestFiveHundredGroupsOfADirectory(t *testing.T) {
	c := openCompany(t)

	// The plan is the same whatever the size of the pages, and after the sync a third size finds nothing to change.
	c.env["PAGE"] = "500"
	plan := c.run(exitChanges, "plan", "--json", "--detailed-exitcode")
	c.refuses(plan)
	c.env["PAGE"] = "23"
	if c.run(exitChanges, "plan", "--json", "--detailed-exitcode") != plan {
		t.Error("with pages of 23 the plan is another than with pages of 500")
	}
	c.env["PAGE"] = "77"

	c.run(exitDone, "sync", "--detailed-exitcode")
	c.holds("after the first sync")
	c.namesTheUnlinked(c.run(exitDone, "plan", "--detailed-exitcode"))
	middle := c.nested["g495"][0]
	deep := c.nested[middle][0]
	way := fmt.Sprintf("corp/g495 › corp/%s › corp/%s", middle, deep)
	if got := c.run(exitDone, "why", c.logins[c.people[deep][0]], "t495"); !strings.Contains(got, way) {
		t.Errorf("the way %s is not told:\n%s", way, got)
	}

	// Two groups get other names: one that is mapped by name, and one that a rule has mapped. Both still drive their teams, as does the way
	// through the one that lies within others.
	c.change(func(l *ldap.Conn) error {
		return errors.Join(
			l.ModifyDN(ldap.NewModifyDNRequest("cn=g30,ou=groups,"+ldaptest.Base, "cn=Platform engineers", true, "")),
			l.ModifyDN(ldap.NewModifyDNRequest("cn="+deep+",ou=groups,"+ldaptest.Base, "cn=g1zz", true, "")),
			c.joins(l, "u6000", "cn=Platform engineers"), c.joins(l, "u6001", "cn=g1zz"),
		)
	}, "cn="+deep+",ou=groups,"+ldaptest.Base)
	c.people["g30"], c.people[deep] = append(c.people["g30"], "u6000"), append(c.people[deep], "u6001")

	// A user is deleted, and with that from all groups.
	gone := c.people["g40"][3]
	c.change(func(l *ldap.Conn) error {
		return l.Del(ldap.NewDelRequest("uid="+gone+",ou=people,"+ldaptest.Base, nil))
	}, "uid="+gone+",ou=people,"+ldaptest.Base)
	before := c.members()
	c.leave(gone)
	c.run(exitDone, "sync", "--detailed-exitcode")
	c.holds("after two groups were renamed and a user was deleted")
	if who := c.lost(before); !slices.Equal(who, []string{c.logins[gone]}) {
		t.Errorf("%v lost a team when %s was deleted", who, gone)
	}

	// The contractors go from the search base. Nobody leaves a team for it until somebody has approved.
	c.change(func(l *ldap.Conn) error {
		return l.ModifyDN(ldap.NewModifyDNRequest(contractors, "ou=contractors", true, ldaptest.Base))
	}, contractors)
	before = c.members()
	c.objects(c.run(exitObjected, "sync", "--json", "--detailed-exitcode"))
	if who := c.lost(before); len(who) > 0 {
		t.Errorf("%v lost a team when the contractors went from the search base", who)
	}
	asked := c.run(exitDone, "approve", "octo", "--reason", "contractors are managed elsewhere", "--yes")
	if !strings.Contains(asked, "source_shape") || !strings.Contains(asked, "users, usually 7,399") {
		t.Errorf("the approval is not about the users who are missing:\n%s", asked)
	}
	c.run(exitDone, "sync", "--detailed-exitcode")
	var inTeams []string
	for _, uid := range c.contractors {
		if c.inTeam(uid) && c.logins[uid] != "" {
			inTeams = append(inTeams, c.logins[uid])
		}
	}
	slices.Sort(inTeams)
	c.leave(c.contractors...)
	c.holds("after the approval")
	if who := c.lost(before); !slices.Equal(who, inTeams) || len(who) == 0 {
		t.Errorf("%v lost a team after the approval, not %v", who, inTeams)
	}
}

// A company is that of package ldaptest: as the directory has it, and as GitHub does.
type company struct {
	t     *testing.T
	path  string // of the program
	dir   string
	env   map[string]string
	slapd *ldaptest.Slapd
	org   *githubsim.Organization

	logins      map[string]string   // by uid; one in ten has none
	people      map[string][]string // uids that a group lists
	nested      map[string][]string // groups that a group lists
	contractors []string            // uids
}

// contractors is an entry with people of its own: 40 of the Company's, and 900 who are in no group.
const contractors = "ou=contractors,ou=people," + ldaptest.Base

const companyConfig = `
sources:
  corp:
    kind: ldap
    url: "${LDAP}"
    plaintext: true
    bind_dn: cn=reader,dc=example,dc=test
    bind_password: "${LDAP_PASSWORD}"
    base_dn: dc=example,dc=test
    user_bases: ["ou=people,dc=example,dc=test"]
    group_bases: ["ou=groups,dc=example,dc=test"]
    account_attribute: githubLogin
    page_size: "${PAGE}"
targets:
  octo:
    kind: github
    organization: octo-org
    api_url: "${GITHUB}"
    token: ghp_sim
    pace: 0s
    guards: { first_connection: apply }
rules:
- { match: "corp/g[1-4]??", team: 'octo/t{{ trimPrefix "g" .Group.Name }}' }
mappings:
`

// openCompany builds the program and starts both servers.
func openCompany(t *testing.T) *company {
	t.Helper()
	c := &company{t: t, dir: t.TempDir(), logins: make(map[string]string), people: make(map[string][]string), nested: make(map[string][]string)}
	ldif := regexp.MustCompile(`uid=u50[0-3]\d,`).ReplaceAllString(ldaptest.Company(6_500, 500), "${0}ou=contractors,")
	var others strings.Builder
	for n := range 900 {
		fmt.Fprintf(&others, "dn: uid=x%d,%s\nobjectClass: inetOrgPerson\nuid: x%d\ncn: Other %d\nsn: %d\n\n", n, contractors, n, n, n)
	}
	c.slapd = ldaptest.StartSlapd(t, ldaptest.Options{Refint: true, LDIF: "dn: " + contractors + "\nobjectClass: organizationalUnit\nou: contractors\n\n" + ldif + others.String()})
	c.read(ldif)
	c.path = filepath.Join(c.dir, "musterline")
	if out, err := exec.Command("go", "build", "-o", c.path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}

	world := githubsim.NewWorld()
	c.org = world.AddOrganization("octo-org", "ann")
	for _, uid := range slices.Sorted(maps.Keys(c.logins)) {
		c.org.AddMember(c.logins[uid])
	}
	// The teams are nearly as they should be: in each the first is missing, and some hold somebody of another group.
	for g := range 500 {
		team, wanted := c.org.AddTeam(fmt.Sprintf("t%d", g)), c.wanted(g)
		for _, login := range wanted[min(1, len(wanted)):] {
			team.Set(login, githubsim.Member)
		}
		if wrong := "dev-3000"; g%25 == 7 && !slices.Contains(wanted, wrong) {
			team.Set(wrong, githubsim.Member)
		}
	}
	gh := githubsim.New(githubsim.Options{World: world, KeepCalls: 100, Limits: githubsim.Limits{REST: 1 << 30, GraphQL: 1 << 30}})
	gh.PutToken(githubsim.Token{Value: "ghp_sim", User: "ann", Scopes: []string{"admin:org"}})
	web := httptest.NewServer(gh)
	t.Cleanup(web.Close)
	c.env = map[string]string{"LDAP": c.slapd.URL, "LDAP_PASSWORD": ldaptest.Password, "GITHUB": web.URL, "COLUMNS": "200", "TZ": "UTC"}

	// A hundred groups are mapped by name, the others by a rule.
	config := companyConfig
	for g := range 100 {
		config += fmt.Sprintf("- { team: octo/t%d, groups: [corp/g%d] }\n", g, g)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "musterline.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// read takes from an LDIF who has which login, who is a contractor, and who is in which group.
func (c *company) read(ldif string) {
	var name string
	for line := range strings.Lines(ldif) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		rdn, parent, _ := strings.Cut(value, ",")
		_, rdn, _ = strings.Cut(rdn, "=")
		switch {
		case key == "dn":
			name = rdn
			if strings.HasPrefix(parent, "ou=contractors,") {
				c.contractors = append(c.contractors, name)
			}
		case key == "githubLogin":
			c.logins[name] = strings.ToLower(value)
		case key == "member" && strings.HasPrefix(parent, "ou=groups,"):
			c.nested[name] = append(c.nested[name], rdn)
		case key == "member":
			c.people[name] = append(c.people[name], rdn)
		}
	}
}

// within are the people in a group and in the groups within it.
func (c *company) within(group string) map[string]bool {
	in := make(map[string]bool)
	for _, uid := range c.people[group] {
		in[uid] = true
	}
	for _, sub := range c.nested[group] {
		maps.Copy(in, c.within(sub))
	}
	return in
}

// mapped are the people of a group that is not over GitHub's limit.
func (c *company) mapped(g int) map[string]bool {
	in := c.within(fmt.Sprintf("g%d", g))
	if len(in) > 5000 {
		return nil
	}
	return in
}

// wanted are the logins that belong in a team, in order.
func (c *company) wanted(g int) []string {
	var logins []string
	for uid := range c.mapped(g) {
		if login := c.logins[uid]; login != "" {
			logins = append(logins, login)
		}
	}
	slices.Sort(logins)
	return logins
}

func (c *company) inTeam(uid string) bool {
	for g := range 500 {
		if c.mapped(g)[uid] {
			return true
		}
	}
	return false
}

// leave takes people out of all groups, here and not in the directory.
func (c *company) leave(uids ...string) {
	for group, people := range c.people {
		c.people[group] = slices.DeleteFunc(people, func(uid string) bool { return slices.Contains(uids, uid) })
	}
}

// joins adds somebody to a group of the directory.
func (c *company) joins(l *ldap.Conn, uid, group string) error {
	m := ldap.NewModifyRequest(group+",ou=groups,"+ldaptest.Base, nil)
	m.Add("member", []string{"uid=" + uid + ",ou=people," + ldaptest.Base})
	return l.Modify(m)
}

// change changes the directory, and waits until no group lists the entry that was renamed, moved or deleted: the server does that afterwards.
func (c *company) change(do func(*ldap.Conn) error, was string) {
	c.t.Helper()
	c.slapd.Change(do)
	c.slapd.Forgets(was)
}

// run carries out a command line that must end with a code, and returns what it prints.
func (c *company) run(want int, args ...string) string {
	c.t.Helper()
	cmd := exec.Command(c.path, args...)
	cmd.Dir = c.dir
	for key, value := range c.env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // what it ended with is asked of its state
	if got := cmd.ProcessState.ExitCode(); got != want {
		c.t.Fatalf("musterline %s: exit code %d, not %d: %s\n%s", strings.Join(args, " "), got, want, &stderr, &stdout)
	}
	return stdout.String()
}

// members are who is in each team.
func (c *company) members() [][]string {
	teams := make([][]string, 500)
	for g := range teams {
		teams[g] = slices.Sorted(maps.Keys(c.org.Team(fmt.Sprintf("t%d", g)).Members()))
	}
	return teams
}

// lost are the people who have lost a team since.
func (c *company) lost(before [][]string) []string {
	who := make(map[string]bool)
	for g, now := range c.members() {
		for _, login := range before[g] {
			if _, in := slices.BinarySearch(now, login); !in {
				who[login] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(who))
}

// holds checks that each team holds whom it should, and nobody else.
func (c *company) holds(when string) {
	c.t.Helper()
	wrong := 0
	for g, got := range c.members() {
		if want := c.wanted(g); !slices.Equal(got, want) {
			wrong++
			c.t.Logf("%s t%d holds %d people, not %d", when, g, len(got), len(want))
		}
	}
	if wrong > 0 {
		c.t.Fatalf("%s %d of 500 teams are wrong", when, wrong)
	}
}

// A said is what a plan says of what it does not do.
type said struct {
	Plans []struct {
		Refused []struct{ Team, Reason, Message string }
		Summary struct{ Add, Remove, Held, Objected int }
	}
}

func (c *company) parse(plan string) (s said) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(plan), &s); err != nil {
		c.t.Fatal(err)
	}
	return s
}

// refuses checks that the groups over the limit are refused, each with its size, and that there is one to add to every other team.
func (c *company) refuses(plan string) {
	c.t.Helper()
	p := c.parse(plan).Plans[0]
	got := make(map[string]string)
	for _, r := range p.Refused {
		got[r.Team] = r.Reason + " " + r.Message
	}
	for g := range 5 {
		want := fmt.Sprintf("group-too-large corp/g%d has %d members, the limit is 5000: ", g, len(c.people[fmt.Sprintf("g%d", g)]))
		if said := got[fmt.Sprintf("t%d", g)]; !strings.HasPrefix(said, want) {
			c.t.Errorf("of t%d the plan says %q, not %q", g, said, want)
		}
	}
	held := 0
	for g := range 500 {
		held += len(c.mapped(g)) - len(c.wanted(g))
	}
	if len(got) != 5 || p.Summary.Add != 495 || p.Summary.Held != held || p.Summary.Objected != 0 {
		c.t.Errorf("%d mappings are refused, and of the rest the plan says %+v, not %d held", len(got), p.Summary, held)
	}
}

// namesTheUnlinked checks that the plan names each person who is in a mapped group and has no login, and nobody else.
func (c *company) namesTheUnlinked(plan string) {
	c.t.Helper()
	want := make(map[string]bool)
	for g := range 500 {
		for uid := range c.mapped(g) {
			if c.logins[uid] == "" {
				want[uid] = true
			}
		}
	}
	_, held, _ := strings.Cut(plan, "\nHeld: ")
	got := make(map[string]bool)
	for _, m := range regexp.MustCompile(`\(User (\d+)\)`).FindAllStringSubmatch(held, -1) {
		got["u"+m[1]] = true
	}
	if !maps.Equal(got, want) || len(want) < 600 {
		c.t.Errorf("the plan names %d people as held, not %d", len(got), len(want))
	}
}

// objects checks that guards stopped every change that a sync had planned, and that one of them is the one that has an eye on the source.
func (c *company) objects(synced string) {
	c.t.Helper()
	var s struct {
		Targets []struct {
			State                            string
			Added, Removed, Failed, Objected int
			Guards                           []string
		}
	}
	if err := json.Unmarshal([]byte(synced), &s); err != nil {
		c.t.Fatal(err)
	}
	got := s.Targets[0]
	if got.State != "objected" || got.Added+got.Removed+got.Failed > 0 || got.Objected < 40 || !slices.Contains(got.Guards, "source_shape") {
		c.t.Errorf("the sync says %+v", got)
	}
}
