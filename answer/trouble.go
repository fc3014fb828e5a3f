package answer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"musterline.example/internal/secret"
	"musterline.example/reconcile"
	"musterline.example/setting"
	"musterline.example/store"
)

// A Class sorts what went wrong by what it means for whoever asked. Exit codes and HTTP statuses come from it.
type Class string

// The classes of errors.
const (
	Usage       Class = "usage"       // the question makes no sense as it was put
	NotFound    Class = "not-found"   // it names something that is not there
	Nothing     Class = "nothing"     // what it names is known, and there is nothing of it to show or to do
	Halted      Class = "paused"      // the target is paused
	Conflict    Class = "conflict"    // the world has moved since, or a setting is in the way
	Stale       Class = "stale"       // what is to be changed was changed since it was read
	Unknown     Class = "unknown"     // whoever asks has not said who they are
	Forbidden   Class = "forbidden"   // whoever asks may not, or nobody may here
	Unavailable Class = "unavailable" // the database, a source or a target cannot be used now
	Stopped     Class = "stopped"     // whoever asked has given up waiting
	Failed      Class = "failed"      // anything else
)

// An Error is what went wrong and what to do about it, for a person to act on. It is a plain value: a door can hand it on.
type Error struct {
	Class   Class  `json:"class"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do, in words or as a command

	// Fields say what is wrong with single fields of what was sent, where the message is about those.
	Fields []FieldTrouble `json:"fields,omitempty"`

	plain string // the message without the asker's own words; empty when it holds none
	cause error
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an error of a class. %w keeps a cause.
func Errorf(class Class, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Class: class, Message: err.Error(), cause: errors.Unwrap(err)}
}

// Usagef makes an error about a question that makes no sense.
func Usagef(format string, args ...any) *Error { return Errorf(Usage, format, args...) }

// WithHint adds what to do about it.
func (e *Error) WithHint(hint string) *Error {
	e.Hint = hint
	return e
}

// Plainly adds the message as it is told where an asker's words must not be repeated.
func (e *Error) Plainly(message string) *Error {
	e.plain = message
	return e
}

// Public returns the error without the words that the asker has put in: those may be a script for somebody else's browser, or a secret
// in the wrong place.
func (e *Error) Public() *Error {
	public := &Error{Class: e.Class, Message: e.Message, Hint: e.Hint, Fields: e.Fields}
	if e.plain != "" {
		public.Message = e.plain
	}
	return public
}

// ErrorOf sorts any error of this house. An Error in its chain gives class and hint, and the whole of it the message.
func ErrorOf(err error) *Error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*Error](err)
	switch {
	case ok && error(e) == err: //nolint:errorlint // is it this very error, or one around it?
		return e
	case ok:
		plain := ""
		if e.plain != "" {
			plain = strings.Replace(err.Error(), e.Message, e.plain, 1)
		}
		return &Error{Class: e.Class, Message: err.Error(), Hint: e.Hint, Fields: e.Fields, plain: plain, cause: err}
	}
	class := Failed
	for _, c := range classes {
		if errors.Is(err, c.is) {
			class = c.class
			break
		}
	}
	return &Error{Class: class, Message: err.Error(), cause: err}
}

// classes are those of the errors that other packages return for somebody to act on.
var classes = []struct {
	is    error
	class Class
}{
	{reconcile.ErrPaused, Halted},
	{reconcile.ErrMoved, Conflict},
	{reconcile.ErrNoTarget, NotFound},
	{reconcile.ErrNothingToUndo, Nothing},
	{store.ErrNoDatabase, Nothing},
	{store.ErrNotFound, NotFound},
	{store.ErrLocked, Unavailable},
	{secret.ErrWrongKey, Failed},
	{context.Canceled, Stopped},
	{context.DeadlineExceeded, Stopped},
}

// OneOf checks that a word is among those known; what says what it should be. The error offers the nearest of them.
func OneOf(what, word string, known []string) error {
	if slices.Contains(known, word) {
		return nil
	}
	near := setting.DidYouMean(word, known)
	err := Errorf(NotFound, "there is no %s %q%s", what, word, near).Plainly("there is no such " + what + near)
	if len(known) > 0 && len(known) <= 12 {
		err.Hint = "there is: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
	}
	return err
}
