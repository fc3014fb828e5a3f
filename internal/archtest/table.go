// Package archtest keeps the house as the README draws it. It reads the table of arrows from the README, so that the picture and the
// test cannot differ, and compares it with what the packages of the module import. It also checks the few rules of the house that a
// parser can see: what is pure stays pure, nothing registers itself, nothing branches on a kind, everything public is explained.
//
// It parses files and never builds them, so it sees every platform's files and costs no compile.
package archtest

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Table is the table of arrows. Names in it are folders from the root of the module, patterns such as "source/*", or groups.
type Table struct {
	Groups  map[string][]string // what stands left and right of "="
	Allowed []Arrow             // "a → b": a may import b
	Never   []Arrow             // "never a → b", whatever else allows it
	Only    []Arrow             // "only a → b": nobody but a imports b
	StdOnly []string            // "a → the standard library only"
}

// An Arrow goes from importers to imported.
type Arrow struct{ From, To []string }

// Words of the table that are no folders.
const (
	everything = "everything" // any package of the module, on the right
	anything   = "anything"   // the same, on the left
	nothing    = "nothing"    // no package of the module
	stdOnly    = "the standard library only"
)

// Between returns the lines of the fenced block that follows the comment <!-- name --> and ends before <!-- /name -->.
func Between(text, name string) ([]string, error) {
	_, rest, ok := strings.Cut(text, "<!-- "+name+" -->")
	if !ok {
		return nil, fmt.Errorf("the marker <!-- %s --> is missing", name)
	}
	block, _, ok := strings.Cut(rest, "<!-- /"+name+" -->")
	if !ok {
		return nil, fmt.Errorf("the marker <!-- /%s --> is missing", name)
	}
	var lines []string
	for line := range strings.Lines(block) {
		if line = strings.TrimRight(line, "\r\n"); !strings.HasPrefix(line, "```") {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// ParseTable reads the table of arrows, one sentence a line:
//
//	nouns = directory, team            a group
//	plan → team                        plan may import team, and no other package of the module
//	never plan → directory             whatever else allows it
//	only tests → tests                 nobody else may import these
//	nouns → the standard library only  neither the module's packages nor anybody else's
func ParseTable(lines []string) (*Table, error) {
	t := &Table{Groups: make(map[string][]string)}
	for n, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := t.add(line); err != nil {
			return nil, fmt.Errorf("line %d of the table: %q: %w", n+1, strings.TrimSpace(line), err)
		}
	}
	if len(t.Allowed) == 0 {
		return nil, errors.New("the table holds no arrow")
	}
	return t, nil
}

func (t *Table) add(line string) error {
	if name, members, ok := strings.Cut(line, "="); ok {
		t.Groups[strings.TrimSpace(name)] = list(members)
		return nil
	}
	left, right, ok := strings.Cut(line, "→")
	if !ok {
		return errors.New("is neither a group (a = b) nor an arrow (a → b)")
	}
	words := strings.Fields(left)
	if len(words) == 0 || strings.TrimSpace(right) == "" {
		return errors.New("an arrow needs two ends")
	}
	if strings.TrimSpace(right) == stdOnly {
		t.StdOnly = append(t.StdOnly, list(left)...)
		t.Allowed = append(t.Allowed, Arrow{From: list(left)})
		return nil
	}
	switch a := (Arrow{From: list(left), To: list(right)}); words[0] {
	case "never":
		a.From = list(strings.TrimPrefix(strings.TrimSpace(left), "never"))
		t.Never = append(t.Never, a)
	case "only":
		a.From = list(strings.TrimPrefix(strings.TrimSpace(left), "only"))
		t.Only = append(t.Only, a)
	default:
		t.Allowed = append(t.Allowed, a)
	}
	return nil
}

func list(s string) []string {
	var out []string
	for e := range strings.SplitSeq(s, ",") {
		if e = strings.TrimSpace(e); e != "" {
			out = append(out, e)
		}
	}
	return out
}

// Names returns every folder that the table names in so many words, sorted.
func (t *Table) Names() []string {
	var names []string
	collect := func(words []string) {
		for _, w := range words {
			if _, group := t.Groups[w]; !group && !strings.Contains(w, "*") && w != everything && w != anything && w != nothing {
				names = append(names, w)
			}
		}
	}
	for _, members := range t.Groups {
		collect(members)
	}
	for _, a := range slices.Concat(t.Allowed, t.Never, t.Only) {
		collect(a.From)
		collect(a.To)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Unit returns the folder that the table speaks of when it speaks of a package: the package's own or, for a package within another that
// has no line of its own, the folder above it. It is empty for a package that the table does not know.
func (t *Table) Unit(pkg string) string {
	known := []string{"tests"}
	for _, a := range t.Allowed {
		known = append(known, a.From...)
	}
	for dir := pkg; dir != "." && dir != "/"; dir = path.Dir(dir) {
		if t.matches(known, dir) {
			return dir
		}
	}
	return ""
}

// matches reports whether the folder is one of the words: itself, by a pattern, or as a member of a group. A pattern without a slash is
// held against the folder's own name, one with a slash against the whole path.
func (t *Table) matches(words []string, dir string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		if members, group := t.Groups[w]; group {
			return t.matches(members, dir)
		}
		if strings.Contains(w, "*") && !strings.Contains(w, "/") {
			ok, _ := path.Match(w, path.Base(dir))
			return ok
		}
		ok, _ := path.Match(w, dir)
		return ok || w == everything || w == anything
	})
}

// objection says what is wrong with a package of unit from importing one of unit to, or nothing.
func (t *Table) objection(from, to string) string {
	if from == to {
		return ""
	}
	for _, a := range t.Never {
		if t.matches(a.From, from) && t.matches(a.To, to) {
			return fmt.Sprintf("the table says: never %s → %s", strings.Join(a.From, ", "), strings.Join(a.To, ", "))
		}
	}
	for _, a := range t.Only {
		if t.matches(a.To, to) && !t.matches(a.From, from) {
			return fmt.Sprintf("the table says: only %s → %s", strings.Join(a.From, ", "), strings.Join(a.To, ", "))
		}
	}
	if t.matches([]string{"tests"}, from) {
		return "" // what only tests import may import what it tests
	}
	for _, a := range t.Allowed {
		if t.matches(a.From, from) && t.matches(a.To, to) {
			return ""
		}
	}
	return fmt.Sprintf("the table has no arrow %s → %s", from, to)
}
