package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"musterline.example/audit"
	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
	"musterline.example/team"
)

// Links returns every link of a host, in order of user.
func (s *Store) Links(ctx context.Context, host string) ([]link.Link, error) {
	links, err := linksOf(ctx, s.queries, host)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	return links, nil
}

// LinksOf returns the links of one user on a host.
func (s *Store) LinksOf(ctx context.Context, host string, user link.UserRef) ([]link.Link, error) {
	rows, err := s.queries.GetLinksOfUser(ctx, db.GetLinksOfUserParams{Host: host, Source: user.Source, UserID: string(user.ID)})
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	links := make([]link.Link, len(rows))
	for i, r := range rows {
		links[i] = linkOf(r)
	}
	return links, nil
}

// LinksOfAccounts returns the links on a host to any of some accounts, in order of user. It reads what it is asked for, however many others there are.
func (s *Store) LinksOfAccounts(ctx context.Context, host string, accounts []team.AccountID) ([]link.Link, error) {
	var links []link.Link
	for some := range slices.Chunk(accounts, 500) { // both databases bound how much one question may hold
		values, places := []any{host}, make([]string, len(some))
		for i, id := range some {
			values = append(values, string(id))
			places[i] = fmt.Sprintf("$%d", len(values))
		}
		query := linksWith + strings.Join(places, ", ") + ")" // numbers of places alone
		if err := s.someLinks(ctx, query, values, &links); err != nil {
			return nil, fmt.Errorf("read links: %w", err)
		}
	}
	slices.SortFunc(links, func(a, b link.Link) int { return compareUsers(a.User, b.User) })
	return links, nil
}

const linksWith = `SELECT source, user_id, account, login, tier, evidence, value, note, organization, made_by, made_at, seen_at, state, trouble
	FROM links WHERE host = $1 AND account IN (`

func (s *Store) someLinks(ctx context.Context, query string, values []any, into *[]link.Link) error {
	rows, err := s.reads.QueryContext(ctx, query, values...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r db.Link
		if err := rows.Scan(&r.Source, &r.UserID, &r.Account, &r.Login, &r.Tier, &r.Evidence, &r.Value, &r.Note, &r.Organization, &r.MadeBy, &r.MadeAt,
			&r.SeenAt, &r.State, &r.Trouble); err != nil {
			return err
		}
		*into = append(*into, linkOf(r))
	}
	return rows.Err()
}

func linksOf(ctx context.Context, q *db.Queries, host string) ([]link.Link, error) {
	rows, err := q.GetLinks(ctx, host)
	if err != nil {
		return nil, err
	}
	links := make([]link.Link, len(rows))
	for i, r := range rows {
		links[i] = linkOf(r)
	}
	slices.SortFunc(links, func(a, b link.Link) int { return compareUsers(a.User, b.User) }) // the databases sort text each in its way
	return links, nil
}

func linkOf(r db.Link) link.Link {
	return link.Link{
		User: link.UserRef{Source: r.Source, ID: directory.UserID(r.UserID)}, Account: team.AccountID(r.Account), Login: r.Login,
		Tier: link.Tier(r.Tier), Evidence: r.Evidence, By: r.MadeBy, MadeAt: moment(r.MadeAt), SeenAt: moment(r.SeenAt),
		State: link.State(r.State), Trouble: r.Trouble, Value: r.Value, Note: r.Note, Organization: r.Organization,
	}
}

func compareUsers(a, b link.UserRef) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
}

var links = table{
	name: "links",
	key:  []string{"host", "source", "user_id"},
	columns: []string{
		"host", "source", "user_id", "account", "login", "tier", "evidence", "made_by", "made_at", "seen_at", "state", "trouble",
		"value", "note", "organization",
	},
}

// A linkBody is one link in an audit entry.
type linkBody struct {
	User     string         `json:"user"`
	Account  team.AccountID `json:"account"`
	Login    string         `json:"login,omitempty"`
	Tier     link.Tier      `json:"tier"`
	State    link.State     `json:"state,omitempty"`
	Evidence string         `json:"evidence,omitempty"`
	Trouble  string         `json:"trouble,omitempty"`
	Before   string         `json:"before,omitempty"` // the account and state that it had
}

// SaveLinks keeps links. Links that are not named stay as they are. What was made or changed its account or state goes under one audit entry.
func (s *Store) SaveLinks(ctx context.Context, host string, named []link.Link) error {
	if len(named) == 0 {
		return nil
	}
	before, err := s.Links(ctx, host)
	if err != nil {
		return err
	}
	if changed, _ := newLinks(before, named); len(changed) == 0 {
		return nil
	}
	return s.write(ctx, "save links", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		before, err := linksOf(ctx, t.Queries, host)
		if err != nil {
			return err
		}
		changed, told := newLinks(before, named)
		if len(told) > 0 {
			if _, err := t.record(ctx, note{kind: KindLink, body: map[string]any{"host": host, "links": told}}); err != nil {
				return err
			}
		}
		return t.put(ctx, links, len(changed), func(i int) []any {
			l := &changed[i]
			return []any{
				host, l.User.Source, string(l.User.ID), string(l.Account), l.Login, string(l.Tier), l.Evidence, l.By, micros(l.MadeAt),
				micros(l.SeenAt), string(l.State), l.Trouble, l.Value, l.Note, l.Organization,
			}
		})
	})
}

// newLinks returns the links that differ from those before, and what the audit record should say of them.
func newLinks(before, named []link.Link) (changed []link.Link, told []linkBody) {
	known := make(map[link.UserRef]link.Link, len(before))
	for _, l := range before {
		known[l.User] = l
	}
	for _, l := range named {
		l.MadeAt, l.SeenAt = moment(micros(l.MadeAt)), moment(micros(l.SeenAt)) // as they come back
		was, there := known[l.User]
		if there && was == l {
			continue
		}
		changed = append(changed, l)
		if there && was.Account == l.Account && was.State == l.State {
			continue
		}
		b := linkBody{
			User: l.User.String(), Account: l.Account, Login: l.Login, Tier: l.Tier, State: l.State, Evidence: l.Evidence, Trouble: l.Trouble,
		}
		if there {
			b.Before = string(was.Account) + " " + string(was.State)
		}
		told = append(told, b)
	}
	slices.SortFunc(told, func(a, b linkBody) int { return cmp.Compare(a.User, b.User) })
	return changed, told
}

// Statements returns the links that people made on a host, in order of user.
func (s *Store) Statements(ctx context.Context, host string) ([]link.Statement, error) {
	rows, err := s.queries.GetStatements(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("read statements: %w", err)
	}
	statements := make([]link.Statement, len(rows))
	for i, r := range rows {
		statements[i] = link.Statement{
			User: link.UserRef{Source: r.Source, ID: directory.UserID(r.UserID)}, Account: team.AccountID(r.Account), Tier: link.Tier(r.Tier),
			By: r.MadeBy, At: moment(r.MadeAt),
		}
	}
	slices.SortFunc(statements, func(a, b link.Statement) int {
		return cmp.Or(compareUsers(a.User, b.User), cmp.Compare(a.Tier, b.Tier))
	})
	return statements, nil
}

// AddStatement keeps a link that a person made. It replaces the one of the same tier for that user. What the caller asks for is asked in the
// same transaction.
func (s *Store) AddStatement(ctx context.Context, host string, st link.Statement, asks ...reconcile.Request) error {
	if st.At.IsZero() {
		st.At = s.now()
	}
	return s.write(ctx, "add statement", func(t *tx) error {
		if _, err := t.record(ctx, note{
			kind: KindLink, at: st.At, account: string(st.Account), act: "state", actor: audit.Actor{Trigger: "person", Requester: st.By},
			body: map[string]any{"host": host, "statement": linkBody{User: st.User.String(), Account: st.Account, Tier: st.Tier}},
		}); err != nil {
			return err
		}
		if err := t.PutStatement(ctx, db.PutStatementParams{
			Host: host, Source: st.User.Source, UserID: string(st.User.ID), Tier: string(st.Tier), Account: string(st.Account),
			MadeBy: st.By, MadeAt: micros(st.At),
		}); err != nil {
			return err
		}
		_, err := t.ask(ctx, asks...)
		return err
	})
}

// RemoveStatement takes back a link that a person made, with the link that was made of it; ErrNotFound when there is none of that tier. What
// the caller asks for is asked in the same transaction.
func (s *Store) RemoveStatement(
	ctx context.Context, host string, user link.UserRef, tier link.Tier, by string, asks ...reconcile.Request,
) error {
	return s.write(ctx, "remove statement", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		n, err := t.DeleteStatement(ctx, db.DeleteStatementParams{Host: host, Source: user.Source, UserID: string(user.ID), Tier: string(tier)})
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%s statement about %s: %w", tier, user, ErrNotFound)
		}
		if err := t.DeleteLink(ctx, db.DeleteLinkParams{
			Host: host, Source: user.Source, UserID: string(user.ID), Tier: string(tier), Revoked: string(link.Revoked),
		}); err != nil {
			return err
		}
		if _, err := t.record(ctx, note{
			kind: KindLink, act: "unstate", actor: audit.Actor{Trigger: "person", Requester: by},
			body: map[string]any{"host": host, "statement": linkBody{User: user.String(), Tier: tier}},
		}); err != nil {
			return err
		}
		_, err = t.ask(ctx, asks...)
		return err
	})
}
