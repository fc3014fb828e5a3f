package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"musterline.example/answer"
	"musterline.example/setting"
)

// wrongWords reports whether an error is about the words of the command line: a script can tell it from a failure by the exit code.
func wrongWords(e *answer.Error) bool { return e.Class == answer.Usage || e.Class == answer.NotFound }

// explain says what went wrong in one line and what to do in another.
func (c *cli) explain(command *cobra.Command, err error) {
	s := c.screenOn(c.stderr)
	trouble := answer.ErrorOf(err)
	cause, hint := trouble.Message, trouble.Hint
	if hint == "" && wrongWords(trouble) && command != nil {
		hint = "see " + command.CommandPath() + " --help"
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
			return answer.Usagef("%s has no option --%s; did you mean --%s?", command.CommandPath(), word, near)
		}
		return answer.Usagef("%s has no option --%s", command.CommandPath(), word)
	}
	return answer.Usagef("%s: %s", command.CommandPath(), message)
}

// arguments checks how many words a command is given; names says what they are.
func arguments(least, most int, names string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return answer.Usagef("%s needs %s", command.CommandPath(), names)
		case most >= 0 && len(args) > most && names == "":
			return answer.Usagef("%s takes no arguments, and was given %q", command.CommandPath(), args[0])
		case most >= 0 && len(args) > most:
			return answer.Usagef("%s takes %s, and was given %q as well", command.CommandPath(), names, args[most])
		}
		return nil
	}
}
