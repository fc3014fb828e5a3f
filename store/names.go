package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"musterline.example/audit"
	"musterline.example/team"
)

// Names gives the ids of some teams and accounts of a target the slugs and logins that memory has for them: those of the last read, else those
// under which they were written last. What has none is left out. It reads what it is asked for, however long the record is.
func (s *Store) Names(
	ctx context.Context, target string, teams []team.ID, accounts []team.AccountID,
) (slugs map[team.ID]string, logins map[team.AccountID]string, err error) {
	of, err := s.target(ctx, target)
	if err != nil {
		return nil, nil, err
	}
	slugs, logins = make(map[team.ID]string), make(map[team.AccountID]string)
	if err := named(ctx, s.reads, "SELECT id, slug FROM teams WHERE host = $1 AND organization_id = $2 AND id", of.Host, of.OrganizationID, teams, slugs); err != nil {
		return nil, nil, fmt.Errorf("read the names of teams: %w", err)
	}
	if err := named(ctx, s.reads, "SELECT account, login FROM members WHERE host = $1 AND organization_id = $2 AND account", of.Host, of.OrganizationID, accounts, logins); err != nil {
		return nil, nil, fmt.Errorf("read the logins of accounts: %w", err)
	}
	for _, id := range teams {
		if slugs[id] == "" {
			if err := s.writtenSlug(ctx, target, id, slugs); err != nil {
				return nil, nil, fmt.Errorf("read the name of team %s: %w", id, err)
			}
		}
	}
	for _, id := range accounts {
		if logins[id] == "" {
			if err := s.writtenLogin(ctx, target, id, logins); err != nil {
				return nil, nil, fmt.Errorf("read the login of account %s: %w", id, err)
			}
		}
	}
	return slugs, logins, nil
}

// TeamsCalled returns the teams of a target that have a word for their id or slug: of the last read or of mappings, else of earlier writes.
func (s *Store) TeamsCalled(ctx context.Context, target, word string) (ids []team.ID, err error) {
	of, err := s.target(ctx, target)
	if err != nil {
		return nil, err
	}
	for _, q := range []struct {
		text   string
		values []any
	}{
		{`SELECT id FROM teams WHERE host = $1 AND organization_id = $2 AND (id = $3 OR slug = $3)
			UNION SELECT team_id FROM mappings WHERE target = $4 AND (team_id = $3 OR team = $3)`, []any{of.Host, of.OrganizationID, word, target}},
		{`SELECT DISTINCT team FROM intents WHERE slug = $1 AND target || '' = $2`, []any{word, target}},
		{`SELECT team FROM audit_entries WHERE team = $1 AND target || '' = $2 LIMIT 1`, []any{word, target}},
	} {
		if ids, err = texts[team.ID](ctx, s.reads, q.text, q.values...); err != nil {
			return nil, fmt.Errorf("look for team %s: %w", word, err)
		}
		if ids = slices.DeleteFunc(ids, func(id team.ID) bool { return id == "" }); len(ids) > 0 {
			return ids, nil
		}
	}
	return nil, nil
}

// texts reads the one column of a query.
func texts[K ~string](ctx context.Context, in asker, query string, values ...any) ([]K, error) {
	var all []K
	rows, err := in.QueryContext(ctx, query, values...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, K(text))
	}
	return all, rows.Err()
}

// named reads the names of these ids, a few hundred at a time: both databases bound how much one question may hold.
func named[K ~string](ctx context.Context, in asker, query, host, organization string, ids []K, into map[K]string) error {
	for some := range slices.Chunk(ids, 500) {
		values, places := []any{host, organization}, make([]string, len(some))
		for i, id := range some {
			values = append(values, string(id))
			places[i] = fmt.Sprintf("$%d", len(values))
		}
		if err := namedOnce(ctx, in, query+" IN ("+strings.Join(places, ", ")+")", values, into); err != nil {
			return err
		}
	}
	return nil
}

func namedOnce[K ~string](ctx context.Context, in asker, query string, values []any, into map[K]string) error {
	rows, err := in.QueryContext(ctx, query, values...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, name string
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
		if name != "" {
			into[K(id)] = name
		}
	}
	return rows.Err()
}

// The newest entries of a kind about one team or account. What else they must be is said in a way that keeps the databases to the index of
// that one: another would have them walk through the record.
const (
	lastIntentOf  = `SELECT body FROM audit_entries WHERE team = $1 AND target || '' = $2 AND kind || '' = 'intent' ORDER BY seq DESC LIMIT 1`
	lastOutcomeOf = `SELECT body FROM audit_entries WHERE account = $1 AND target || '' = $2 AND kind || '' = 'outcome' ORDER BY seq DESC LIMIT 1`
)

// writtenSlug finds the slug under which a team was written last, else that of its mappings.
func (s *Store) writtenSlug(ctx context.Context, target string, id team.ID, slugs map[team.ID]string) error {
	var text string
	err := s.reads.QueryRowContext(ctx, lastIntentOf, string(id), target).Scan(&text)
	if err == nil {
		var i audit.Intent
		if json.Unmarshal([]byte(text), &i) == nil && i.Slug != "" {
			slugs[id] = i.Slug
		}
		return nil
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = s.reads.QueryRowContext(ctx, "SELECT team FROM mappings WHERE target = $1 AND team_id = $2 ORDER BY number LIMIT 1", target, string(id)).Scan(&text)
	}
	if err == nil && text != "" {
		slugs[id] = text
	}
	return unless(err, sql.ErrNoRows)
}

// writtenLogin finds the login under which an account was written last.
func (s *Store) writtenLogin(ctx context.Context, target string, id team.AccountID, logins map[team.AccountID]string) error {
	var text string
	if err := s.reads.QueryRowContext(ctx, lastOutcomeOf, string(id), target).Scan(&text); err != nil {
		return unless(err, sql.ErrNoRows)
	}
	var said outcomeBody
	_ = json.Unmarshal([]byte(text), &said) // an entry that cannot be read names no intent, and there is none of that
	err := s.reads.QueryRowContext(ctx, "SELECT body FROM writes WHERE intent = $1 AND account = $2 ORDER BY number LIMIT 1", said.Intent, string(id)).Scan(&text)
	var w audit.Write
	if err == nil && json.Unmarshal([]byte(text), &w) == nil && w.Login != "" {
		logins[id] = w.Login
	}
	return unless(err, sql.ErrNoRows)
}

// unless returns an error but for one that is none here.
func unless(err, fine error) error {
	if errors.Is(err, fine) {
		return nil
	}
	return err
}
