package setting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

var fields = []Field{
	{Key: "url", Type: URL, Required: true, Help: "Where it is.", Example: "https://example.com"},
	{Key: "token", Type: SecretValue, Help: "What it asks for."},
	{Key: "pages", Type: Number, Default: "100", Help: "How many."},
	{Key: "every", Type: Duration, Default: "15m", Help: "How often."},
	{Key: "nested", Type: Flag, Default: "true", Help: "Whether."},
	{Key: "scope", Type: Choice, Choices: []string{"one", "sub"}, Help: "How deep."},
	{Key: "names", Type: List, Help: "Which."},
	{Key: "title", Type: Text, Help: "What it is called."},
}

func TestCheckFillsInDefaults(t *testing.T) {
	v := Values{"url": "https://example.com", "pages": 7}
	if problems := Check(fields, v); problems != nil {
		t.Fatal(problems)
	}
	if want := (Values{"url": "https://example.com", "pages": 7, "every": "15m", "nested": "true"}); !cmp.Equal(want, v) {
		t.Error(cmp.Diff(want, v))
	}
	if v.Number("pages") != 7 || v.Duration("every") != 15*time.Minute || !v.Flag("nested") || v.Has("scope") || v.Text("scope") != "" {
		t.Errorf("read as %v", v)
	}
}

func TestCheckNamesEverythingThatIsWrong(t *testing.T) {
	got := Check(fields, Values{
		"token": []any{"a"}, "pages": "many", "every": "5 minutes", "nested": "yes", "scope": "subb", "names": "one", "titel": "x", "zzz": 1,
	})
	want := []Problem{
		{"every", "must be a time span such as 90s, 15m or 6h"},
		{"nested", "must be true or false"},
		{"pages", "must be a whole number"},
		{"scope", "must be one of one, sub; did you mean sub?"},
		{"titel", "is not a setting here; did you mean title?"},
		{"token", "takes one value, not a list"},
		{"url", "is required: Where it is."},
		{"zzz", "is not a setting here"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCheckOfSingleValues(t *testing.T) {
	for _, test := range []struct {
		field Field
		value any
		want  string
	}{
		{Field{Type: URL, Example: "ldaps://x"}, "ldap.example.com", "must be a URL such as ldaps://x"},
		{Field{Type: URL}, "ldaps://ldap.example.com", ""},
		{Field{Type: Number}, 12, ""},
		{Field{Type: Number}, "-3", ""},
		{Field{Type: Number}, 1.5, "must be a whole number"},
		{Field{Type: Number}, "", "must be a whole number"},
		{Field{Type: Flag}, true, ""},
		{Field{Type: Flag}, "false", ""},
		{Field{Type: Duration}, "1h30m", ""},
		{Field{Type: Text, Required: true, Help: "The name."}, "", "is empty: The name."},
		{Field{Type: SecretValue, Required: true, Help: "The key."}, Secret(""), "is empty: The key."},
		{Field{Type: List, Required: true, Help: "Some."}, []any{}, "is empty: Some."},
		{Field{Type: List, Required: true}, []string{"a"}, ""},
		{Field{Type: List}, "a", ""},
		{Field{Type: Text}, []string{"a"}, "takes one value, not a list"},
	} {
		test.field.Key = "key"
		got := ""
		if problems := Check([]Field{test.field}, Values{"key": test.value}); len(problems) > 0 {
			got = problems[0].Message
		}
		if got != test.want {
			t.Errorf("%s %v: got %q, want %q", test.field.Type, test.value, got, test.want)
		}
	}
}

func TestValuesReadWhatDecodersGive(t *testing.T) {
	var fromJSON, fromYAML Values
	if err := json.Unmarshal([]byte(`{"n": 7, "b": true, "s": "x", "l": ["a", 2]}`), &fromJSON); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte("n: 7\nb: true\ns: x\nl: [a, 2]\n"), &fromYAML); err != nil {
		t.Fatal(err)
	}
	for _, v := range []Values{fromJSON, fromYAML, {"n": 7, "b": true, "s": Secret("x"), "l": []string{"a", "2"}}} {
		if v.Number("n") != 7 || !v.Flag("b") || v.Text("s") != "x" || !slices.Equal(v.List("l"), []string{"a", "2"}) || v.Secret("s").Reveal() != "x" {
			t.Errorf("read %v wrongly", v)
		}
		if !slices.Equal(v.List("s"), []string{"x"}) || v.List("none") != nil || v.Number("s") != 0 || v.Duration("s") != 0 || v.Flag("s") {
			t.Errorf("read %v wrongly", v)
		}
	}
}

// A secret shows as stars wherever it may end up by accident.
func TestASecretIsNeverPrinted(t *testing.T) {
	const word = "hunter2-correct-horse"
	type holder struct {
		Name   string
		Secret Secret
		List   []Secret
		Map    map[string]Secret
		Any    any
		Values Values
	}
	s := Secret(word)
	h := holder{"x", s, []Secret{s}, map[string]Secret{"k": s}, s, Values{"token": s}}
	var texts []string
	for _, v := range []any{s, &s, h, &h, Values{"token": s}, []any{s}, map[string]any{"a": s}, map[Secret]int{s: 1}, fmt.Errorf("wrapped: %v", s)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "% x", "%10s", "%.3s", "%U", "%c", "%e", "%b", "%o"} {
			texts = append(texts, fmt.Sprintf(verb, v))
		}
	}
	texts = append(texts, fmt.Sprint(s), fmt.Sprintln(h), s.String(), s.GoString(), s.LogValue().String())
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("opened", "token", s, "holder", h, "values", Values{"token": s}, "group", slog.GroupValue(slog.Any("deep", s)))
	}
	texts = append(texts, log.String())
	for _, encode := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal, func(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") }} {
		text, err := encode(h)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	for _, text := range texts {
		for _, form := range []string{"hun", fmt.Sprintf("%x", word[:3]), fmt.Sprintf("%X", word[:3]), "68 75 6e", "U+0068"} {
			if strings.Contains(text, form) {
				t.Errorf("shown in %s", text)
			}
		}
	}
	if s.Reveal() != word {
		t.Error("and yet it must be there")
	}
	for _, p := range Check(fields, Values{"url": word, "token": Secret(word), "pages": word, "every": word, "nested": word, "scope": word, "title": word}) {
		if strings.Contains(p.Message, word) {
			t.Errorf("a problem repeats the value: %s", p.Message)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"bind_password", "bind_dn", "base_dn", "url", "groups", "members", "ada"}
	for word, want := range map[string]string{
		"bind_pasword": "bind_password", "bindpassword": "bind_password", "basedn": "base_dn", "bsae_dn": "base_dn", "ulr": "url", "group": "groups",
		"Groups": "groups", "aad": "ada", "memers": "members",
		"": "", "x": "", "password": "", "completely-else": "", "url": "", "groups": "",
	} {
		if got, ok := Nearest(word, words); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q %t, want %q", word, got, ok, want)
		}
	}
	if got := DidYouMean("ulr", words); got != "; did you mean url?" {
		t.Errorf("got %q", got)
	}
	if got := DidYouMean("zebra", nil); got != "" {
		t.Errorf("got %q", got)
	}
}

// The distance is one: of a word to itself nothing, the same both ways, and never more than the longer word.
func TestDistanceIsADistance(t *testing.T) {
	err := quick.Check(func(a, b string) bool {
		d := editDistance(a, b)
		return editDistance(a, a) == 0 && d == editDistance(b, a) && (d == 0) == slices.Equal([]rune(a), []rune(b)) && d <= max(len([]rune(a)), len([]rune(b)))
	}, nil)
	if err != nil {
		t.Error(err)
	}
	for pair, want := range map[[2]string]int{{"abc", "acb"}: 1, {"abc", "abd"}: 1, {"abc", "ab"}: 1, {"", "abc"}: 3, {"kitten", "sitting"}: 3, {"ünïcode", "unicode"}: 2} {
		if got := editDistance(pair[0], pair[1]); got != want {
			t.Errorf("%q: got %d, want %d", pair, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	want := "| key | takes | default | |\n|---|---|---|---|\n" +
		"| `url` | url | required | Where it is. Example: `https://example.com` |\n| `scope` | `one` `sub` | `one` | How \\| deep. |\n"
	if got := Table([]Field{fields[0], {Key: "scope", Type: Choice, Choices: []string{"one", "sub"}, Default: "one", Help: "How | deep."}}); got != want {
		t.Error(cmp.Diff(want, got))
	}
}
