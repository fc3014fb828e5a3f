package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"musterline.example/setting"
)

// A failure is an error with what to do about it.
type failure struct {
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// failf is a failure without a hint.
func failf(format string, args ...any) *failure { return &failure{err: fmt.Errorf(format, args...)} }

func withHint(err error, hint string) error { return &failure{err: err, hint: hint} }

// A usageError is a command line that makes no sense. It exits with 64, so that a script can tell it from a failure.
type usageError struct {
	message, way string
}

func (u *usageError) Error() string { return u.message }

func (u *usageError) hint(way string) *usageError {
	u.way = way
	return u
}

func usagef(format string, args ...any) *usageError {
	return &usageError{message: fmt.Sprintf(format, args...)}
}

// explain says what went wrong in one line and what to do in another.
func (c *cli) explain(command *cobra.Command, err error) {
	s := c.screenOn(c.stderr)
	cause, hint := err.Error(), ""
	if f, ok := errors.AsType[*failure](err); ok {
		hint = f.hint
	}
	if u, ok := errors.AsType[*usageError](err); ok {
		hint = u.way
		if hint == "" && command != nil {
			hint = "see " + command.CommandPath() + " --help"
		}
	}
	if errors.Is(err, context.Canceled) {
		cause = strings.TrimSuffix(cause, ": "+context.Canceled.Error())
		if cause == context.Canceled.Error() {
			cause = "interrupted"
		}
	}
	s.Problem(cause, hint)
}

// flagError puts the mistakes that cobra finds into our words, with the nearest right one.
func flagError(command *cobra.Command, err error) error {
	message := err.Error()
	if word, unknown := strings.CutPrefix(message, "unknown flag: --"); unknown {
		var known []string
		command.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		if near, ok := setting.Nearest(word, known); ok {
			return usagef("%s has no option --%s; did you mean --%s?", command.CommandPath(), word, near)
		}
		return usagef("%s has no option --%s", command.CommandPath(), word)
	}
	return usagef("%s: %s", command.CommandPath(), message)
}

// arguments checks how many words a command is given; names says what they are.
func arguments(least, most int, names string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("%s needs %s", command.CommandPath(), names)
		case most >= 0 && len(args) > most && names == "":
			return usagef("%s takes no arguments, and was given %q", command.CommandPath(), args[0])
		case most >= 0 && len(args) > most:
			return usagef("%s takes %s, and was given %q as well", command.CommandPath(), names, args[most])
		}
		return nil
	}
}
