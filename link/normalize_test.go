package link

import (
	"strings"
	"testing"
	"unicode/utf8"

	"musterline.example/team"
)

func TestNormalizeLogin(t *testing.T) {
	for in, want := range map[string]string{
		"ada-l":                           "ada-l",
		"  @Ada-L ":                       "ada-l",
		"github.com/ada-l":                "ada-l",
		"https://github.com/Ada-L":        "ada-l",
		"HTTPS://GitHub.com/ada-l":        "ada-l",
		"ada_corp":                        "ada_corp",
		"Ada-L_Corp":                      "ada-l_corp",
		strings.Repeat("a", 39):           strings.Repeat("a", 39),
		strings.Repeat("a", 40):           "",
		strings.Repeat("a", 35) + "_bcde": "",
		"":                                "",
		"@":                               "",
		"@@ada":                           "",
		"https://github.com/":             "",
		"https://github.com/ada/repo":     "",
		"https://github.com/@ada":         "",
		"https://gitlab.com/ada":          "",
		"http://github.com/ada":           "",
		"https://github.com.evil/ada":     "",
		"ada@example.com":                 "",
		"ada.l":                           "",
		"ada l":                           "",
		"ada_l_corp":                      "",
		"_corp":                           "",
		"ada_":                            "",
		"ada_co-rp":                       "",
		"аda":                             "", // the first letter is Cyrillic
		"\u212Aim":                        "", // the Kelvin sign folds to k in Unicode, and is no k
		"dependabot[bot]":                 "",
	} {
		got, err := NormalizeLogin(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("NormalizeLogin(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestNormalizeName(t *testing.T) {
	for in, want := range map[string]string{
		"ada@example.com":  "ada@example.com",
		"Ada@Example.com":  "Ada@Example.com",
		"re\u0301mi@x.com": "r\u00e9mi@x.com",
		"иван@example.com": "иван@example.com",
		"ελένη@x.gr":       "ελένη@x.gr",
		"山田@x.jp":          "山田@x.jp",
		"CN=Ada L,O=X":     "CN=Ada L,O=X",
	} {
		if got, err := normalizeName(in); got != want || err != nil {
			t.Errorf("normalizeName(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"аda@example.com",       // Cyrillic а
		"ada@exаmple.com",       // in the domain
		"αda@example.com",       // Greek α
		"ada\u200b@example.com", // a space without width
		"ada\n@example.com",
		"ada\xff@example.com",
	} {
		if got, err := normalizeName(in); err == nil {
			t.Errorf("normalizeName(%q) = %q; want an error", in, got)
		}
	}
}

func TestFoldAddress(t *testing.T) {
	for in, want := range map[string]string{
		"Ada@Example.com": "ada@example.com", "ada+gh@x": "ada+gh@x", "a.b@x": "a.b@x", "É@x": "É@x",
		"ada": "", "@x": "", "ada@": "", "a@b@c": "", "a b@c": "", "": "",
	} {
		if got, ok := foldAddress(in); got != want || ok != (want != "") {
			t.Errorf("foldAddress(%q) = %q, %t; want %q", in, got, ok, want)
		}
	}
}

// FuzzNormalizeLogin: what comes out is a login in its own normal form, and nothing was invented.
func FuzzNormalizeLogin(f *testing.F) {
	for _, s := range []string{"ada-l", "@Ada", "https://github.com/ada", " ada_corp ", "ada@x", "\u212A", "a_b_c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := NormalizeLogin(s)
		if err != nil {
			if got != "" {
				t.Fatalf("NormalizeLogin(%q) = %q with %v", s, got, err)
			}
			return
		}
		if got == "" || len(got) > maxLogin || strings.Count(got, "_") > 1 || strings.Trim(got, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("NormalizeLogin(%q) = %q, which is no login", s, got)
		}
		if again, err := NormalizeLogin(got); again != got || err != nil {
			t.Fatalf("NormalizeLogin(%q) = %q, which becomes %q, %v", s, got, again, err)
		}
		if !strings.HasSuffix(team.FoldLogin(strings.TrimSpace(s)), got) {
			t.Fatalf("NormalizeLogin(%q) = %q, which it does not end with", s, got)
		}
	})
}

// FuzzNormalizeName: what comes out is text in its own normal form, ASCII stays what it is, and an address folds to one form.
func FuzzNormalizeName(f *testing.F) {
	for _, s := range []string{"ada@example.com", "re\u0301mi@x", "аda", "\u200b", "\xff", "Å", "a@b@c", "ΑΒ@x.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := normalizeName(s)
		if err != nil {
			if got != "" {
				t.Fatalf("normalizeName(%q) = %q with %v", s, got, err)
			}
			return
		}
		if !utf8.ValidString(got) {
			t.Fatalf("normalizeName(%q) = %q, which is no text", s, got)
		}
		if again, err := normalizeName(got); again != got || err != nil {
			t.Fatalf("normalizeName(%q) = %q, which becomes %q, %v", s, got, again, err)
		}
		if printable(s) && got != s {
			t.Fatalf("normalizeName(%q) = %q", s, got)
		}
		if folded, ok := foldAddress(got); ok {
			if again, ok := foldAddress(folded); again != folded || !ok {
				t.Fatalf("foldAddress(%q) = %q, which becomes %q", got, folded, again)
			}
		}
	})
}
