package catalog_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"musterline.example/catalog"
	"musterline.example/setting"
	"musterline.example/source"
)

var update = flag.Bool("update", false, "write docs/capabilities.md")

func TestCapabilitiesAreUpToDate(t *testing.T) {
	const path = "../docs/capabilities.md"
	want := catalog.Capabilities()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("docs/capabilities.md is not what the kinds say; run go test ./catalog -update (-file +kinds):\n%s", diff)
	}
}

func TestEveryKindIsFiledUnderItsName(t *testing.T) {
	for _, name := range catalog.SourceNames() {
		k, ok := catalog.Source(name)
		if !ok || k.Name != name || k.Title == "" || k.Open == nil {
			t.Errorf("source %s: %+v", name, k)
		}
		for _, f := range source.Features {
			if !slices.ContainsFunc(k.Features, func(g source.Feature) bool { return g.Name == f }) {
				t.Errorf("source %s does not say whether it has %s", name, f)
			}
		}
		fields(t, "source "+name, k.Settings)
	}
	for _, name := range catalog.TargetNames() {
		k, ok := catalog.Target(name)
		if !ok || k.Name != name || k.Title == "" || k.Open == nil {
			t.Errorf("target %s: %+v", name, k)
		}
		fields(t, "target "+name, k.Settings)
	}
	if _, ok := catalog.Source("no-such-kind"); ok {
		t.Error("there is a source of no such kind")
	}
	if _, ok := catalog.Target("no-such-kind"); ok {
		t.Error("there is a target of no such kind")
	}
}

// fields checks what forms, help and the configuration check rely on.
func fields(t *testing.T, of string, fields []setting.Field) {
	t.Helper()
	seen := map[string]bool{"kind": true}
	for _, f := range fields {
		if seen[f.Key] {
			t.Errorf("%s asks for %s twice", of, f.Key)
		}
		seen[f.Key] = true
		if f.Label == "" || !strings.HasSuffix(f.Help, ".") {
			t.Errorf("%s: %s has no label or no sentence of help", of, f.Key)
		}
		if (f.Type == setting.Choice) != (len(f.Choices) > 0) {
			t.Errorf("%s: %s is a %s with the choices %q", of, f.Key, f.Type, f.Choices)
		}
		if f.Default != "" {
			if problems := setting.Check([]setting.Field{f}, setting.Values{f.Key: f.Default}); len(problems) > 0 {
				t.Errorf("%s: the default of %s %s", of, f.Key, problems[0].Message)
			}
		}
	}
}
