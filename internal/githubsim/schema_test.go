package githubsim

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// compareSchemas names everything of the extract that the published schema does not have in the same form.
func compareSchemas(extract, whole *ast.SchemaDocument) (differences []string) {
	say := func(parts ...string) { differences = append(differences, strings.Join(parts, " ")) }
	for _, ours := range extract.Definitions {
		theirs := whole.Definitions.ForName(ours.Name)
		if theirs == nil || theirs.Kind != ours.Kind {
			say(ours.Name, "is not published as", string(ours.Kind))
			continue
		}
		for _, i := range ours.Interfaces {
			if !slices.Contains(theirs.Interfaces, i) {
				say(ours.Name, "does not implement", i)
			}
		}
		for _, f := range ours.Fields {
			g := theirs.Fields.ForName(f.Name)
			if g == nil || g.Type.String() != f.Type.String() || g.DefaultValue.String() != f.DefaultValue.String() {
				say(ours.Name+"."+f.Name, "differs")
				continue
			}
			if len(g.Arguments) != len(f.Arguments) {
				say(ours.Name+"."+f.Name, "has other arguments")
			}
			for _, a := range f.Arguments {
				b := g.Arguments.ForName(a.Name)
				if b == nil || b.Type.String() != a.Type.String() || b.DefaultValue.String() != a.DefaultValue.String() {
					say(ours.Name+"."+f.Name, "argument", a.Name, "differs")
				}
			}
		}
		if ours.Kind == ast.Enum && len(ours.EnumValues) != len(theirs.EnumValues) {
			say(ours.Name, "has other values")
		}
		for _, v := range ours.EnumValues {
			if theirs.EnumValues.ForName(v.Name) == nil {
				say(ours.Name, "has no value", v.Name)
			}
		}
	}
	return differences
}

// CompareSchema is compareSchemas for the contract test, which lives outside the package.
func CompareSchema(published string) ([]string, error) {
	whole, err := parser.ParseSchema(&ast.Source{Name: "published", Input: published})
	if err != nil {
		return nil, err
	}
	ours, err := parser.ParseSchema(&ast.Source{Name: "schema.graphql", Input: schemaText})
	if err != nil {
		return nil, err
	}
	return compareSchemas(ours, whole), nil
}

// Every field of the extract has a resolver, and no resolver lies idle.
func TestEveryFieldIsResolved(t *testing.T) {
	for name, def := range schema.Types {
		if def.Kind != ast.Object || strings.HasPrefix(name, "__") {
			continue
		}
		for _, f := range def.Fields {
			if !strings.HasPrefix(f.Name, "__") && resolvers[name][f.Name] == nil {
				t.Errorf("%s.%s has no resolver", name, f.Name)
			}
		}
	}
	for name, fields := range resolvers {
		def := schema.Types[name]
		if def == nil {
			t.Errorf("type %s is not in the schema", name)
			continue
		}
		for f := range fields {
			if def.Fields.ForName(f) == nil && !strings.HasSuffix(name, "Edge") {
				t.Errorf("%s.%s is not in the schema", name, f)
			}
		}
	}
}
