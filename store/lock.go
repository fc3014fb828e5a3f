package store

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// errHeld is what tryLock returns when another process holds the file.
var errHeld = errors.New("held")

// A holder is who has the database, as those are told who find it locked.
type holder struct {
	who     string
	process int
	host    string
	since   time.Time
}

// holder says who we are.
func (s *Store) holder() holder {
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	return holder{cmp.Or(s.who, filepath.Base(os.Args[0])), os.Getpid(), host, s.now()}
}

func (h holder) String() string {
	return fmt.Sprintf("%s (process %d on %s, since %s)", h.who, h.process, h.host, h.since.UTC().Format(time.RFC3339))
}

// within says who it is, but not since when, in so many bytes. What is too long is the name of the host: of it goes first the domain, and then
// the middle, because hosts that belong together often begin alike.
func (h holder) within(most int) string {
	text := func(host string) string { return fmt.Sprintf("%s (process %d on %s)", h.who, h.process, host) }
	if whole := text(h.host); len(whole) <= most {
		return whole
	}
	host, _, _ := strings.Cut(h.host, ".")
	if short := text(host); len(short) <= most {
		return short
	}
	const gap = "..."
	room := max(most-len(text(gap)), 2)
	return text(host[:room/2] + gap + host[len(host)-(room-room/2):])
}

// inUse is the refusal of a lock.
func inUse(holder string) error {
	return fmt.Errorf("%w by %s", ErrLocked, cmp.Or(holder, "another process"))
}
