package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"musterline.example/answer"
	"musterline.example/reconcile"
	"musterline.example/store"
)

// pages is how many things are asked for at once where a list is wanted whole.
const pages = "1000"

// Configured implements answer.Desk.
func (c *Client) Configured(ctx context.Context) (out answer.Configured, err error) {
	err = c.call(ctx, http.MethodGet, "/configured", nil, &out)
	return out, err
}

// known checks the name of a target against those that there are, to offer the nearest.
func (c *Client) known(ctx context.Context, target string) error {
	configured, err := c.Configured(ctx)
	if err != nil {
		return nil //nolint:nilerr // who may not list targets is told by the question itself
	}
	return answer.OneOf("target", target, configured.TargetNames())
}

// Plan implements answer.Desk.
func (c *Client) Plan(ctx context.Context, target string) (out answer.Plan, err error) {
	err = c.call(ctx, http.MethodPost, at("targets", target, "/plan"), nil, &out)
	return out, err
}

// PlanUndo implements answer.Desk.
func (c *Client) PlanUndo(ctx context.Context, run string) (out answer.Plan, err error) {
	err = c.call(ctx, http.MethodPost, at("runs", run, "/undo/plan"), nil, &out)
	return out, c.named(err, "run", run)
}

// named says of what is not there, or is wrong, how the asker has called it: a server repeats nothing that it was sent.
func (c *Client) named(err error, words ...string) error {
	e, ok := errors.AsType[*answer.Error](err)
	if !ok {
		return err
	}
	for i := 0; i+1 < len(words); i += 2 {
		what, word := words[i], words[i+1]
		forms := [][2]string{
			{"there is no such " + what, fmt.Sprintf("there is no %s %q", what, word)},
			{"that is no " + what, fmt.Sprintf("%q is no %s", word, what)},
		}
		switch what {
		case "user":
			forms = append(forms, [2]string{"nobody of that name is known", fmt.Sprintf("nobody called %q is known", word)},
				[2]string{"nobody has said anything of this user", "nobody has said anything of " + word})
		case "account":
			forms = append(forms, [2]string{"that is a login", fmt.Sprintf("%q is a login", login(word))})
		}
		for _, form := range forms {
			if rest, found := strings.CutPrefix(e.Message, form[0]); found {
				return answer.Errorf(e.Class, "%s%s", form[1], rest).WithHint(e.Hint)
			}
		}
	}
	return err
}

// login is what stands behind the host of an account.
func login(account string) string {
	_, rest, _ := strings.Cut(account, "/")
	return rest
}

// Sync implements answer.Desk.
func (c *Client) Sync(ctx context.Context, wish answer.SyncWish, tell func(answer.Progress)) (answer.Done, error) {
	if err := c.known(ctx, wish.Target); err != nil {
		return answer.Done{Target: wish.Target}, err
	}
	trigger := wish.Trigger
	if trigger == "" {
		trigger = reconcile.ByPerson
	}
	done, err := c.act(ctx, at("targets", wish.Target, "/sync"), map[string]any{
		"trigger": trigger, "by": wish.By, "digest": wish.Digest, "answered": wish.Answered,
	}, tell)
	if err != nil && answer.ErrorOf(err).Class == answer.Halted && !wish.Answered {
		return c.paused(ctx, wish.Target, err)
	}
	return done, err
}

// paused is what a sync of a paused target has done: nothing, and why.
func (c *Client) paused(ctx context.Context, target string, err error) (answer.Done, error) {
	status, failed := c.Status(ctx, target)
	if failed != nil || len(status.Targets) != 1 || status.Targets[0].Paused == nil {
		return answer.Done{Target: target}, err
	}
	now := time.Now()
	return answer.Done{
		Target: target, State: "paused", Guards: []string{}, Unread: []string{},
		Beside: &answer.DoneWords{StartedAt: now, FinishedAt: now, Paused: status.Targets[0].Paused},
	}, nil
}

// Undo implements answer.Desk.
func (c *Client) Undo(ctx context.Context, wish answer.UndoWish, tell func(answer.Progress)) (answer.Done, error) {
	done, err := c.act(ctx, at("runs", wish.Run, "/undo"), map[string]any{"by": wish.By, "digest": wish.Digest}, tell)
	return done, c.named(err, "run", wish.Run)
}

// Approve implements answer.Desk.
func (c *Client) Approve(ctx context.Context, wish answer.ApproveWish) (out answer.Approval, err error) {
	if err := c.known(ctx, wish.Target); err != nil {
		return out, err
	}
	err = c.call(ctx, http.MethodPost, at("targets", wish.Target, "/approvals"), map[string]any{
		"undo": wish.Undo, "teams": wish.Teams, "guards": wish.Guards, "digest": wish.Digest, "preview": wish.Preview, "reason": wish.Reason, "by": wish.By,
	}, &out)
	if len(wish.Teams) == 1 {
		err = c.named(err, "team", wish.Teams[0])
	}
	return out, c.named(err, "run", wish.Undo)
}

// Pause implements answer.Desk.
func (c *Client) Pause(ctx context.Context, wish answer.PauseWish) (answer.Pausing, error) {
	return c.pause(ctx, wish, "/pause")
}

// Resume implements answer.Desk.
func (c *Client) Resume(ctx context.Context, wish answer.PauseWish) (answer.Pausing, error) {
	return c.pause(ctx, wish, "/resume")
}

func (c *Client) pause(ctx context.Context, wish answer.PauseWish, act string) (out answer.Pausing, err error) {
	if err := c.known(ctx, wish.Target); err != nil {
		return out, err
	}
	err = c.call(ctx, http.MethodPost, at("targets", wish.Target, act), map[string]string{"reason": wish.Reason, "by": wish.By}, &out)
	return out, err
}

// Link implements answer.Desk.
func (c *Client) Link(ctx context.Context, wish answer.LinkWish) (out answer.Linked, err error) {
	err = c.call(ctx, http.MethodPost, "/links", wish, &out)
	return out, c.named(err, "account", wish.Account, "user", wish.User)
}

// Unlink implements answer.Desk.
func (c *Client) Unlink(ctx context.Context, wish answer.UnlinkWish) (out answer.Unlinked, err error) {
	err = c.call(ctx, http.MethodPost, "/links/remove", wish, &out)
	return out, c.named(err, "user", wish.User)
}

// Check implements answer.Desk.
func (c *Client) Check(ctx context.Context) (out answer.Check, err error) {
	err = c.call(ctx, http.MethodPost, "/check", nil, &out)
	return out, err
}

// Status implements answer.Desk.
func (c *Client) Status(ctx context.Context, targets ...string) (out answer.Status, err error) {
	if len(targets) == 0 {
		err = c.call(ctx, http.MethodGet, "/status", nil, &out)
		return out, err
	}
	var all answer.Status
	for _, target := range targets {
		if err := c.known(ctx, target); err != nil {
			return all, err
		}
		var one answer.Status
		if err := c.call(ctx, http.MethodGet, "/status"+query("target", target), nil, &one); err != nil {
			return all, err
		}
		all.Database, all.Sources = one.Database, one.Sources
		all.Targets = append(all.Targets, one.Targets...)
	}
	return all, nil
}

// Why implements answer.Desk.
func (c *Client) Why(ctx context.Context, user, team string) (out answer.Answer, err error) {
	err = c.call(ctx, http.MethodGet, "/why"+query("user", user, "team", team), nil, &out)
	return out, c.named(err, "team", team, "user", user)
}

// Groups implements answer.Desk.
func (c *Client) Groups(ctx context.Context, wish answer.GroupsWish) (answer.Groups, error) {
	all := answer.Groups{Groups: []answer.Group{}}
	size, next := pages, wish.Next
	if wish.Size > 0 {
		size = strconv.Itoa(wish.Size)
	}
	for {
		var page answer.Groups
		path := at("sources", wish.Source, "/groups") + query("prefix", wish.Prefix, "size", size, "cursor", next)
		if err := c.call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return all, err
		}
		all.Groups = append(all.Groups, page.Groups...)
		if next = page.Next; next == "" || wish.Size > 0 {
			all.Next = next
			break
		}
	}
	if wish.Size == 0 { // pages of a source that looks groups up come in its own order
		slices.SortStableFunc(all.Groups, func(a, b answer.Group) int {
			return compare(a.Name, b.Name, a.ID, b.ID)
		})
	}
	return all, nil
}

func compare(pairs ...string) int {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != pairs[i+1] {
			if pairs[i] < pairs[i+1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// Teams implements answer.Desk.
func (c *Client) Teams(ctx context.Context, target string) (answer.Teams, error) {
	all := answer.Teams{Teams: []answer.Team{}}
	if err := c.known(ctx, target); err != nil {
		return all, err
	}
	return all, c.each(ctx, at("targets", target, "/teams"), nil, func() (any, func() string) {
		page := new(struct {
			answer.Teams

			Next string `json:"next"`
		})
		return page, func() string { all.Teams = append(all.Teams, page.Teams.Teams...); return page.Next }
	})
}

// each asks for all pages of a list. page returns where to read one, and what takes it in and says which is next.
func (c *Client) each(ctx context.Context, path string, chosen []string, page func() (into any, next func() string)) error {
	for cursor := ""; ; {
		into, next := page()
		if err := c.call(ctx, http.MethodGet, path+query(append([]string{"size", pages, "cursor", cursor}, chosen...)...), nil, into); err != nil {
			return err
		}
		if cursor = next(); cursor == "" {
			return nil
		}
	}
}

// Links implements answer.Desk.
func (c *Client) Links(ctx context.Context) (answer.Links, error) {
	all := answer.Links{Links: []answer.Link{}}
	return all, c.each(ctx, "/links", nil, func() (any, func() string) {
		page := new(struct {
			answer.Links

			Next string `json:"next"`
		})
		return page, func() string { all.Links = append(all.Links, page.Links.Links...); return page.Next }
	})
}

// Runs implements answer.Desk. The page before a run is found by its cursor, so older ones are asked for from the newest on.
func (c *Client) Runs(ctx context.Context, wish answer.RunsWish) (answer.Runs, error) {
	limit, begun := wish.Limit, wish.Before == ""
	if limit == 0 {
		limit = 20
	}
	all := answer.Runs{Runs: []answer.RunStatus{}}
	for cursor := ""; ; {
		var page struct {
			answer.Runs

			Next string `json:"next"`
		}
		if err := c.call(ctx, http.MethodGet, "/runs"+query("target", wish.Target, "size", pages, "cursor", cursor), nil, &page); err != nil {
			return all, err
		}
		for _, r := range page.Runs.Runs {
			if begun && len(all.Runs) < limit {
				all.Runs = append(all.Runs, r)
			}
			begun = begun || r.ID == wish.Before
		}
		if cursor = page.Next; cursor == "" || len(all.Runs) == limit {
			break
		}
	}
	if !begun {
		return all, answer.Errorf(answer.NotFound, "there is no run %q", wish.Before)
	}
	return all, nil
}

// Run implements answer.Desk.
func (c *Client) Run(ctx context.Context, id string) (out answer.Run, err error) {
	err = c.call(ctx, http.MethodGet, at("runs", id, ""), nil, &out)
	return out, c.named(err, "run", id)
}

// chosen is an audit filter as a query.
func chosen(f answer.AuditFilter) []string {
	pairs := []string{"target", f.Target, "team", f.Team, "account", f.Account, "run", f.Run, "kind", string(f.Kind)}
	for key, moment := range map[string]time.Time{"since": f.Since, "until": f.Until} {
		if !moment.IsZero() {
			pairs = append(pairs, key, moment.UTC().Format(time.RFC3339Nano))
		}
	}
	return pairs
}

// Audit implements answer.Desk.
func (c *Client) Audit(ctx context.Context, f answer.AuditFilter) (answer.Audit, error) {
	all := answer.Audit{}
	limit := f.Limit
	if limit == 0 {
		limit = 100
	}
	for cursor := ""; ; {
		var page struct {
			answer.Audit

			Next string `json:"next"`
		}
		size := pages
		if left := limit - len(all.Entries); !f.All && f.Before == 0 && left < 1000 {
			size = strconv.Itoa(left)
		}
		if err := c.call(ctx, http.MethodGet, "/audit"+query(append([]string{"size", size, "cursor", cursor}, chosen(f)...)...), nil, &page); err != nil {
			return all, err
		}
		entries := page.Entries
		if f.Before > 0 {
			entries = slices.DeleteFunc(slices.Clone(entries), func(e store.Entry) bool { return e.Seq >= f.Before })
		}
		if extra := len(all.Entries) + len(entries) - limit; !f.All && extra > 0 {
			entries = entries[extra:]
		}
		all.Entries = append(entries, all.Entries...)
		all.Names = merged(all.Names, page.Names)
		all.More = page.More
		if cursor = page.Next; cursor == "" || !f.All && len(all.Entries) >= limit {
			break
		}
	}
	if all.Entries == nil {
		all.Entries = []store.Entry{}
	}
	return all, nil
}

// merged are the names of two pages.
func merged(a, b *answer.Names) *answer.Names {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	out := &answer.Names{Teams: map[string]string{}, Accounts: map[string]string{}}
	for _, n := range []*answer.Names{a, b} {
		maps.Copy(out.Teams, n.Teams)
		maps.Copy(out.Accounts, n.Accounts)
	}
	return out
}

// Export implements answer.Desk.
func (c *Client) Export(ctx context.Context, f answer.AuditFilter, to io.Writer) error {
	return c.export(ctx, f, "jsonl", to)
}

// ExportCSV implements answer.Desk.
func (c *Client) ExportCSV(ctx context.Context, f answer.AuditFilter, to io.Writer) error {
	return c.export(ctx, f, "csv", to)
}

func (c *Client) export(ctx context.Context, f answer.AuditFilter, format string, to io.Writer) error {
	answered, err := c.send(ctx, http.MethodGet, "/audit/export"+query(append(chosen(f), "format", format)...), nil, nil)
	if err != nil {
		return err
	}
	defer func() { _ = answered.Body.Close() }()
	if _, err := io.Copy(to, answered.Body); err != nil {
		return c.trouble(err)
	}
	return nil
}

// Verify implements answer.Desk.
func (c *Client) Verify(ctx context.Context) (out answer.Verified, err error) {
	err = c.call(ctx, http.MethodGet, "/audit/verify", nil, &out)
	return out, err
}

// Tokens implements answer.Keyring.
func (c *Client) Tokens(ctx context.Context, wish answer.PageWish) (out answer.Tokens, err error) {
	size := ""
	if wish.Size > 0 {
		size = strconv.Itoa(wish.Size)
	}
	err = c.call(ctx, http.MethodGet, "/tokens"+query("target", wish.Target, "cursor", wish.Next, "size", size), nil, &out)
	return out, err
}

// CreateToken implements answer.Keyring.
func (c *Client) CreateToken(ctx context.Context, wish answer.TokenWish) (out answer.Token, err error) {
	if wish.Role != "" {
		if err := answer.OneOf("role", wish.Role, answer.RoleNames()); err != nil {
			return out, err // in the words that a house has for it
		}
	}
	err = c.call(ctx, http.MethodPost, "/tokens", wish, &out)
	return out, c.named(err, "target", wish.Target)
}

// RevokeToken implements answer.Keyring.
func (c *Client) RevokeToken(ctx context.Context, wish answer.RevokeWish) (out answer.Token, err error) {
	err = c.call(ctx, http.MethodDelete, at("tokens", wish.ID, ""), nil, &out)
	return out, err
}
