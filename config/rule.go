package config

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template/parse"

	"musterline.example/mapping"
	"musterline.example/setting"
	"musterline.example/team"
)

// rules reads the rules.
func (l *loader) rules(top *section) {
	for i, n := range top.maps("rules") {
		s := l.section("rules", n, ruleFields)
		rule := mapping.Rule{
			ID: l.ruleID(n, i), Create: s.values.Flag("create"), Privacy: team.Privacy(s.values.Text("privacy")),
			Parent: s.values.Text("parent"), Mode: mapping.Mode(s.values.Text("mode")),
		}
		if rule.Mode == "" {
			rule.Mode = mapping.Exclusive
		}
		rule.Role, _ = team.ParseRole(s.values.Text("role")) // what is wrong with it was said
		if s.fine("match") {
			if ref, ok := l.groupRef(s, "match", s.itemOf("match")); ok {
				rule.Source, rule.Match = ref.source, ref.group
				if _, err := path.Match(ref.group, ""); err != nil {
					s.says("match", "is no pattern: a [ needs its ], and a \\ something after it")
				}
			}
		}
		rule.Target, rule.Team = l.teamRef(s)
		if rule.Team != "" {
			err := checkTemplate(rule.Team)
			if err != nil && s.written("team") != s.values.Text("team") {
				err = errTemplate // the error quotes the template, which holds the values of variables
			}
			if err != nil {
				s.says("team", "%v", err)
			}
		}
		for _, key := range []string{"privacy", "parent"} {
			if s.fine(key) && !rule.Create {
				s.says(key, "goes with create: true")
			}
		}
		rule.Parent = strings.TrimPrefix(rule.Parent, rule.Target+"/")
		l.config.Rules = append(l.config.Rules, rule)
	}
}

// templateFuncs are the functions of a rule's template and how many values each takes.
var templateFuncs = map[string]int{"trimPrefix": 2, "trimSuffix": 2, "replace": 3, "lower": 1, "upper": 1}

var templateFields = []string{"Name", "ID", "Description"}

// checkTemplate holds a template against the little that a team's name needs: text, fields of the group, and functions that change text.
// Loops and conditions parse as well, and would make of a name what nobody can preview.
func checkTemplate(text string) error {
	t, err := mapping.ParseTeamName(text)
	if err != nil {
		_, message, _ := strings.Cut(err.Error(), "template: team:")
		_, message, _ = strings.Cut(message, ": ")
		if name, ok := strings.CutPrefix(message, "function "); ok {
			word, _, _ := strings.Cut(strings.Trim(name, `"`), `"`)
			return fmt.Errorf("has the function %s, which there is not%s; there are %s", word,
				setting.DidYouMean(word, slices.Collect(maps.Keys(templateFuncs))), strings.Join(slices.Sorted(maps.Keys(templateFuncs)), ", "))
		}
		return fmt.Errorf("is no template: %s", message)
	}
	if len(t.Templates()) > 1 {
		return errTemplate
	}
	if t.Tree == nil || t.Root == nil {
		return errors.New("gives no name")
	}
	fields := 0
	for _, n := range t.Root.Nodes {
		switch n := n.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			if err := checkPipe(n.Pipe, &fields); err != nil {
				return err
			}
		default:
			return errTemplate
		}
	}
	if fields == 0 {
		return errors.New("gives every group the same team: it needs {{ .Group.Name }} or {{ .Group.ID }}; for one team write a mapping")
	}
	return nil
}

var errTemplate = errors.New("may hold text, {{ .Group.Name }}, {{ .Group.ID }}, {{ .Group.Description }} and functions of these, and nothing else")

func checkPipe(p *parse.PipeNode, fields *int) error {
	if len(p.Decl) > 0 {
		return errTemplate
	}
	for i, cmd := range p.Cmds {
		values := len(cmd.Args) - 1
		if i > 0 {
			values++
		}
		for at, arg := range cmd.Args {
			var err error
			switch arg := arg.(type) {
			case *parse.IdentifierNode:
				want, ok := templateFuncs[arg.Ident]
				switch {
				case !ok || at > 0:
					return errTemplate
				case values != want:
					return fmt.Errorf("gives %s %d values; it takes %d", arg.Ident, values, want)
				}
				continue
			case *parse.FieldNode:
				err = checkField(arg.Ident)
				*fields++
			case *parse.StringNode:
			case *parse.PipeNode:
				err = checkPipe(arg, fields)
			default:
				err = errTemplate
			}
			switch {
			case err != nil:
				return err
			case at == 0 && values > 0:
				return fmt.Errorf("hands values to something that is no function; the functions are %s", strings.Join(slices.Sorted(maps.Keys(templateFuncs)), ", "))
			}
		}
	}
	return nil
}

func checkField(names []string) error {
	if names[0] != "Group" || len(names) > 2 {
		return fmt.Errorf("has .%s: there are .Group.Name, .Group.ID and .Group.Description", strings.Join(names, "."))
	}
	if len(names) == 1 {
		return errors.New("has .Group alone: use .Group.Name")
	}
	if !slices.Contains(templateFields, names[1]) {
		return fmt.Errorf("has .Group.%s: there are .Group.Name, .Group.ID and .Group.Description%s", names[1], setting.DidYouMean(names[1], templateFields))
	}
	return nil
}
