package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"musterline.example/audit"
	"musterline.example/store/internal/db"
)

// An Assigned is a role that somebody gave to a subject. A subject has one role on a target, and one on all.
type Assigned struct {
	Subject string // "oidc:issuer#sub", "github:host#id", "group:source/id"
	Role    string // a word of api/access
	Target  string // empty: all
	By      string
	At      time.Time
}

// roleBody is a role in an audit entry.
type roleBody struct {
	Subject string `json:"subject"`
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
	Why     string `json:"why,omitempty"` // it was withdrawn with its target
}

// AssignRole gives a subject a role on a target, or on all, in place of the one it had there. To give the same again does nothing.
func (s *Store) AssignRole(ctx context.Context, a Assigned, by string) error {
	if a.Subject == "" || a.Role == "" {
		return errors.New("assign role: it needs a subject and a role")
	}
	return s.write(ctx, "assign role", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		row, err := t.GetRole(ctx, db.GetRoleParams{Subject: a.Subject, Target: a.Target})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if row.Role == a.Role {
			return nil
		}
		if row.Number == 0 {
			if row.Number, err = t.number(ctx, "role"); err != nil {
				return err
			}
		}
		if err := t.PutRole(ctx, db.PutRoleParams{
			Subject: a.Subject, Target: a.Target, Number: row.Number, Role: a.Role, MadeBy: by, MadeAt: micros(s.now()),
		}); err != nil {
			return err
		}
		return t.noteRole(ctx, "assign", a.Target, person(by), roleBody{Subject: a.Subject, Before: row.Role, After: a.Role})
	})
}

// WithdrawRole takes the role away that a subject has on a target, or on all; ErrNotFound when it has none there.
func (s *Store) WithdrawRole(ctx context.Context, subject, target, by string) error {
	return s.write(ctx, "withdraw role", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		row, err := t.GetRole(ctx, db.GetRoleParams{Subject: subject, Target: target})
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		return t.withdraw(ctx, row, person(by), "")
	})
}

func (t *tx) withdraw(ctx context.Context, row db.Role, by audit.Actor, why string) error {
	if err := t.DeleteRole(ctx, db.DeleteRoleParams{Subject: row.Subject, Target: row.Target}); err != nil {
		return err
	}
	return t.noteRole(ctx, "withdraw", row.Target, by, roleBody{Subject: row.Subject, Before: row.Role, Why: why})
}

func (t *tx) noteRole(ctx context.Context, act, target string, by audit.Actor, body roleBody) error {
	_, err := t.record(ctx, note{kind: KindRole, act: act, target: target, actor: by, body: body})
	return err
}

// Roles lists the roles that were assigned, the oldest first.
func (s *Store) Roles(ctx context.Context, p Page) (assigned []Assigned, next string, err error) {
	after, err := p.number(0)
	if err != nil {
		return nil, "", fmt.Errorf("list roles: %w", err)
	}
	rows, err := s.queries.GetRoles(ctx, db.GetRolesParams{After: after, AtMost: p.rows()})
	if err != nil {
		return nil, "", fmt.Errorf("list roles: %w", err)
	}
	rows, next = cut(p, rows, func(r db.Role) int64 { return r.Number })
	return assignedOf(rows), next, nil
}

// RolesOf returns the roles of one who is several subjects: an account, and the groups it is in.
func (s *Store) RolesOf(ctx context.Context, subjects ...string) ([]Assigned, error) {
	var all []Assigned
	for _, subject := range slices.Compact(slices.Sorted(slices.Values(subjects))) {
		rows, err := s.queries.GetRolesOfSubject(ctx, subject)
		if err != nil {
			return nil, fmt.Errorf("read roles: %w", err)
		}
		all = append(all, assignedOf(rows)...)
	}
	return all, nil
}

func assignedOf(rows []db.Role) []Assigned {
	var all []Assigned
	for _, r := range rows {
		all = append(all, Assigned{Subject: r.Subject, Role: r.Role, Target: r.Target, By: r.MadeBy, At: moment(r.MadeAt)})
	}
	return all
}
