package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// KeyFingerprint names the key file that the database was made with; empty before one was used. It tells key files apart and gives nothing away.
func (s *Store) KeyFingerprint(ctx context.Context) (string, error) {
	name, err := s.queries.GetFingerprint(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read the fingerprint of the key file: %w", err)
	}
	return name, nil
}
