package main

import (
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"
)

func TestEveryCommandExplainsItselfWithAnExample(t *testing.T) {
	var visit func(command *cobra.Command)
	visit = func(command *cobra.Command) {
		for _, sub := range command.Commands() {
			visit(sub)
		}
		if command.Short == "" || !strings.Contains(command.Example, "musterline ") {
			t.Errorf("%s: no short help, or no example", command.CommandPath())
		}
		var help strings.Builder
		command.SetOut(&help)
		if err := command.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(help.String()) {
			if w := lipgloss.Width(strings.TrimRight(line, "\n")); w > 80 {
				t.Errorf("%s --help: %d columns: %s", command.CommandPath(), w, line)
			}
		}
	}
	visit((&cli{}).root())
}

func TestExamplesAreRightCommandLines(t *testing.T) {
	root := (&cli{}).root()
	var visit func(command *cobra.Command)
	visit = func(command *cobra.Command) {
		for _, sub := range command.Commands() {
			visit(sub)
		}
		for line := range strings.Lines(command.Example) {
			_, words, ok := strings.Cut(line, "musterline ")
			if !ok {
				continue
			}
			words, _, _ = strings.Cut(words, "   ")
			found, rest, err := root.Find(strings.Fields(words))
			if err != nil || found == root {
				t.Errorf("%s: example %q: %v", command.CommandPath(), line, err)
				continue
			}
			for _, word := range rest {
				if name, ok := strings.CutPrefix(word, "--"); ok && found.Flags().Lookup(name) == nil && found.InheritedFlags().Lookup(name) == nil {
					t.Errorf("%s: example %q: no option --%s", command.CommandPath(), line, name)
				}
			}
		}
	}
	visit(root)
}
