package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"musterline.example/audit"
	"musterline.example/store/internal/db"
)

var errNoKey = errors.New("this needs the key file")

// SaveCredential encrypts a credential for one place, such as "target:octo", and keeps it in place of an earlier one.
func (s *Store) SaveCredential(ctx context.Context, place string, plain []byte, by string) error {
	if s.key == nil {
		return fmt.Errorf("save credential of %s: %w", place, errNoKey)
	}
	sealed, err := s.key.Encrypt(plain, place)
	if err != nil {
		return err
	}
	return s.write(ctx, "save credential of "+place, func(t *tx) error {
		if err := t.noteCredential(ctx, place, "save", by); err != nil {
			return err
		}
		return t.PutCredential(ctx, db.PutCredentialParams{Place: place, Sealed: sealed, At: micros(s.now())})
	})
}

// Credential returns a credential; ErrNotFound when there is none, and secret.ErrWrongKey when it was encrypted with another key file or
// for another place.
func (s *Store) Credential(ctx context.Context, place string) ([]byte, error) {
	if s.key == nil {
		return nil, fmt.Errorf("read credential of %s: %w", place, errNoKey)
	}
	sealed, err := s.queries.GetCredential(ctx, place)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("credential of %s: %w", place, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read credential of %s: %w", place, err)
	}
	return s.key.Decrypt(sealed, place)
}

// DeleteCredential forgets a credential; ErrNotFound when there is none.
func (s *Store) DeleteCredential(ctx context.Context, place, by string) error {
	return s.write(ctx, "delete credential of "+place, func(t *tx) error {
		if err := t.noteCredential(ctx, place, "delete", by); err != nil {
			return err
		}
		n, err := t.Queries.DeleteCredential(ctx, place)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
}

// noteCredential leaves an entry that says whose credential changed, and never what it is.
func (t *tx) noteCredential(ctx context.Context, place, act, by string) error {
	_, err := t.record(ctx, note{
		kind: KindCredential, act: act, actor: audit.Actor{Trigger: "person", Requester: by}, body: map[string]string{"place": place},
	})
	return err
}
