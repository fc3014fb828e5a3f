package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"musterline.example/answer"
	"musterline.example/internal/githubsim"
	"musterline.example/reconcile"
)

// A demoClock shows a time of the past, and then that of now.
type demoClock struct {
	mu     sync.Mutex
	behind time.Duration
	real   func() time.Time
}

func (c *demoClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.real().Add(-c.behind)
}

// set makes it a while ago; the clock goes on from there.
func (c *demoClock) set(ago time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.behind = ago
}

// northlight is the sample company, as time goes by.
type northlight struct {
	dir    string
	people string // the text of directory.yaml
	org    *githubsim.Organization
	house  *answer.House
}

const demoTarget = "northlight"

// members changes who is in a group.
func (c *northlight) members(group string, change func([]string) []string) {
	lines := strings.Split(c.people, "\n")
	for i, line := range lines {
		before, rest, ok := strings.Cut(line, "members: [")
		if !ok || !strings.Contains(line, "{ id: "+group+",") {
			continue
		}
		inside, after, _ := strings.Cut(rest, "]")
		ids := strings.FieldsFunc(inside, func(r rune) bool { return r == ',' || r == ' ' })
		lines[i] = before + "members: [" + strings.Join(change(ids), ", ") + "]" + after
	}
	c.people = strings.Join(lines, "\n")
}

func (c *northlight) joins(group string, ids ...string) {
	c.members(group, func(in []string) []string { return append(in, ids...) })
}

func (c *northlight) leaves(group string, ids ...string) {
	c.members(group, func(in []string) []string {
		return slices.DeleteFunc(in, func(id string) bool { return slices.Contains(ids, id) })
	})
}

// hire puts somebody into the directory and into the organization.
func (c *northlight) hire(id, name, login string, groups ...string) {
	user := fmt.Sprintf("- { id: %s, name: %q, email: %s@northlight.example, accounts: { github: %s } }\n", id, name, id, login)
	c.people = strings.Replace(c.people, "\ngroups:\n", user+"\ngroups:\n", 1)
	c.org.AddMember(login)
	for _, g := range groups {
		c.joins(g, id)
	}
}

// onCall hands the pager on.
func (c *northlight) onCall(ids ...string) {
	c.members("on-call", func([]string) []string { return ids })
}

// A day is what happens on one day of the company's history, before the sync of that night.
type day struct {
	ago  time.Duration
	what func(ctx context.Context, c *northlight) error // nil: nothing
}

// ago is so many days ago, not always at the same minute.
func ago(days int) time.Duration {
	return time.Duration(days)*24*time.Hour + 5*time.Hour + time.Duration(days*37%90)*time.Minute
}

// change is a day on which the directory or the organization changes.
func change(what func(c *northlight)) func(context.Context, *northlight) error {
	return func(_ context.Context, c *northlight) error {
		what(c)
		return nil
	}
}

// approve lets through what guards object to, once the directory says what it says.
func approve(by, reason string, what func(c *northlight)) func(context.Context, *northlight) error {
	return func(ctx context.Context, c *northlight) error {
		what(c)
		if err := c.write(); err != nil {
			return err
		}
		if err := c.sync(ctx); err != nil {
			return err
		}
		_, err := c.house.Approve(ctx, answer.ApproveWish{Target: demoTarget, Reason: reason, By: by})
		return err
	}
}

// demoHistory is a year of Northlight. Each entry is a real sync at its time.
var demoHistory = []day{
	{ago(341), approve("amara", "checked with the team leads", func(*northlight) {})},
	{ago(302), change(func(c *northlight) { c.hire("nina", "Nina Brandt", "ninabrandt", "backend", "writers") })},
	{ago(266), change(func(c *northlight) { c.leaves("backend", "greta") })},
	{ago(231), change(func(c *northlight) {
		c.hire("oscar", "Oscar Dahl", "oscardahl", "frontend")
		c.leaves("frontend", "liam")
	})},
	{ago(187), change(func(c *northlight) { c.joins("frontend", "quinn"); c.leaves("mobile", "quinn") })},
	{ago(148), change(func(c *northlight) { c.hire("priya", "Priya Raman", "priyaraman", "data", "release-managers") })},
	{ago(112), change(func(c *northlight) { c.onCall("wei", "uma") })},
	{ago(84), change(func(c *northlight) { c.joins("platform", "zoe"); c.leaves("data", "zoe") })},
	{ago(61), change(func(c *northlight) { c.onCall("xenia", "wei") })},
	{ago(45), change(func(c *northlight) { c.hire("rune", "Rune Eide", "rune-eide", "mobile") })},
	{ago(36), change(func(c *northlight) { c.joins("writers", "lena") })},
	{ago(29), change(func(c *northlight) { c.onCall("farid", "xenia") })},
	{ago(27), nil},
	{ago(25), change(func(c *northlight) {
		c.hire("salma", "Salma Idrissi", "salma-i", "security")
		c.joins("backend", "marco")
	})},
	{ago(23), change(func(c *northlight) { c.leaves("design", "gus") })},
	{ago(22), change(func(c *northlight) { c.onCall("wei", "farid"); c.joins("design", "gus") })},
	{ago(20), func(ctx context.Context, c *northlight) error {
		_, err := c.house.Pause(ctx, answer.PauseWish{Target: demoTarget, By: "uma", Reason: "GitHub has an incident; nothing shall change until it is over"})
		return err
	}},
	{ago(19), func(ctx context.Context, c *northlight) error {
		c.joins("frontend", "marco")
		_, err := c.house.Resume(ctx, answer.PauseWish{Target: demoTarget, By: "uma"})
		return err
	}},
	{ago(17), change(func(c *northlight) { c.onCall("wei", "xenia"); c.joins("release-managers", "uma") })},
	{ago(16), approve("ines", "writers has moved to the insights department, HR-204", func(c *northlight) {
		c.leaves("writers", "ivan", "jade", "nina", "lena")
		c.joins("writers", "kofi")
	})},
	{ago(14), change(func(c *northlight) { c.joins("writers", "ivan", "jade") })},
	{ago(12), change(func(c *northlight) { c.people = "# the export was cut off\nusers: [" + c.people })}, // and the source cannot be read
	{ago(11), change(func(c *northlight) {
		_, c.people, _ = strings.Cut(c.people, "users: [")
		c.joins("mobile", "lena")
	})},
	{ago(10), change(func(c *northlight) { c.org.Team("backend").Set("tomk", githubsim.Member) })}, // by hand
	{ago(9), change(func(c *northlight) { c.onCall("uma", "farid"); c.joins("data", "samir") })},
	{ago(8), nil},
	{ago(7), change(func(c *northlight) { c.leaves("data", "samir"); c.joins("security", "farid") })},
	{ago(6), change(func(c *northlight) { c.hire("theo", "Theo Laurin", "theolaurin", "design") })},
	{ago(5), change(func(c *northlight) { c.org.Team("design").Remove("emilk") })}, // by hand
	{ago(4), change(func(c *northlight) { c.onCall("wei", "xenia"); c.joins("team-leads", "oscar") })},
	{ago(3), change(func(c *northlight) { c.leaves("release-managers", "priya"); c.joins("platform", "priya") })},
	{ago(2), nil},
	{ago(1), change(func(c *northlight) { c.joins("data", "rosa") })},
	// Last night two people changed teams on GitHub by hand; the sync puts that right.
	{9 * time.Hour, change(func(c *northlight) {
		c.org.Team("security").Set("tomk", githubsim.Member)
		c.org.Team("frontend").Remove("kaya-t")
	})},
	// This morning a group has come back empty: somebody has to say whether its people have left.
	{40 * time.Minute, change(func(c *northlight) { c.members("mobile", func([]string) []string { return nil }) })},
}

// live lets the company have its history, up to now.
func (c *northlight) live(ctx context.Context, clock *demoClock) error {
	for _, d := range demoHistory {
		clock.set(d.ago)
		if d.what != nil {
			if err := d.what(ctx, c); err != nil {
				return err
			}
		}
		if err := c.write(); err != nil {
			return err
		}
		if err := c.sync(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *northlight) write() error {
	return os.WriteFile(filepath.Join(c.dir, "directory.yaml"), []byte(c.people), 0o600)
}

// sync is that of the night. A source that cannot be read and a pause are history too.
func (c *northlight) sync(ctx context.Context) error {
	_, err := c.house.Sync(ctx, answer.SyncWish{Target: demoTarget, Trigger: reconcile.BySchedule}, nil)
	if e, known := errors.AsType[*answer.Error](err); known && (e.Class == answer.Halted || e.Class == answer.Unavailable || e.Class == answer.Failed) {
		return ctx.Err()
	}
	return err
}

// begin maps a team to everybody, a moment ago and in the console; the sync that was asked for with it is what the visitor sees going on.
func (c *northlight) begin(ctx context.Context, clock *demoClock) error {
	var everybody []string
	for line := range strings.SplitSeq(c.people, "\n") {
		if rest, ok := strings.CutPrefix(line, "- { id: "); ok && strings.Contains(line, "accounts:") && !strings.Contains(line, "active: false") {
			id, _, _ := strings.Cut(rest, ",")
			everybody = append(everybody, id)
		}
	}
	c.people = strings.TrimRight(c.people, "\n") + "\n- { id: everybody, name: everybody, description: All of Northlight, members: [" + strings.Join(everybody, ", ") + "] }\n"
	c.org.AddTeam("All hands")
	clock.set(2 * time.Minute)
	if err := c.write(); err != nil {
		return err
	}
	_, err := c.house.MapTeam(ctx, answer.MapWish{
		Target: demoTarget, Team: "all-hands", Groups: []answer.GroupWish{{Group: "people/everybody"}}, Version: answer.AnyVersion, By: "amara",
	})
	if err != nil {
		return err
	}
	clock.set(0)
	_, err = c.house.Ask(ctx, answer.AskWish{Target: demoTarget, Trigger: reconcile.ByPerson, By: "amara", Why: "all-hands was mapped"})
	return err
}

// demoPast makes the sample company's history in a folder, and returns a link that signs somebody in.
func (c *cli) demoPast(ctx context.Context, dir string, hub *demoHub, clock *demoClock) (link string, err error) {
	clock.set(demoHistory[0].ago)
	past := &cli{stdin: c.stdin, stdout: c.stdout, stderr: c.stderr, env: c.env, now: clock.now, config: filepath.Join(dir, "musterline.yaml")}
	h, err := past.houseWith(answer.Options{Now: clock.now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", err
	}
	if err := h.Hold(ctx, "musterline demo"); err != nil {
		return "", err
	}
	defer h.Close()
	people, err := os.ReadFile(filepath.Join(dir, "directory.yaml"))
	if err != nil {
		return "", err
	}
	n := &northlight{dir: dir, people: string(people), org: hub.org, house: h}
	if err := n.live(ctx, clock); err != nil {
		return "", err
	}
	if err := n.begin(ctx, clock); err != nil {
		return "", err
	}
	made, err := h.SignInLink(ctx, answer.SignInWish{Name: "visitor", Role: "administrator", ExpiresAt: c.now().Add(12 * time.Hour), By: "musterline demo"})
	return made.URL, err
}
