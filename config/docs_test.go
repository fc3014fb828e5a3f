package config

import (
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"musterline.example/catalog"
	"musterline.example/guard"
	"musterline.example/setting"
)

func TestDocumentationIsUpToDate(t *testing.T) {
	const path = "../docs/configuration.md"
	if *update {
		if err := os.WriteFile(path, []byte(Docs()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), Docs()); diff != "" {
		t.Errorf("docs/configuration.md is stale; run go test ./config -update (-file +tables):\n%s", diff)
	}
}

// Every limit that package guard knows can be set, and under the name it has there.
func TestEveryGuardSettingHasAKey(t *testing.T) {
	elsewhere := []string{"apply", "protected", "off"} // apply and protected are the target's, off is a list beside the limits
	var settings guard.Settings
	v := reflect.ValueOf(&settings).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		at := slices.IndexFunc(guardKeys, func(k guardKey) bool { return k.name == name })
		switch {
		case slices.Contains(elsewhere, name):
		case at < 0:
			t.Errorf("guards.%s cannot be set", name)
		case guardKeys[at].of(&settings) != v.Field(i).Addr().Interface():
			t.Errorf("guards.%s sets another field", name)
		}
	}
}

// A kind that asked for a key that every target has would never see it.
func TestNoKindTakesAKeyOfEveryTarget(t *testing.T) {
	taken := []string{"kind", "guards", "teams"}
	for _, f := range targetFields {
		taken = append(taken, f.Key)
	}
	check := func(kind string, fields []setting.Field) {
		for _, f := range fields {
			if slices.Contains(taken, f.Key) {
				t.Errorf("%s asks for %s, which is a setting of every target", kind, f.Key)
			}
		}
	}
	for name, k := range catalog.Targets() {
		check(name, k.Settings)
	}
}
