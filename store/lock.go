package store

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// errHeld is what tryLock returns when another process holds the file.
var errHeld = errors.New("held")

// holder says who we are to those who find the database locked.
func (s *Store) holder() string {
	who := cmp.Or(s.who, filepath.Base(os.Args[0]))
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	return fmt.Sprintf("%s (process %d on %s, since %s)", who, os.Getpid(), host, s.now().UTC().Format(time.RFC3339))
}

// inUse is the refusal of a lock.
func inUse(holder string) error {
	return fmt.Errorf("%w by %s", ErrLocked, cmp.Or(holder, "another process"))
}
