package ldap

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"
)

func TestOneNameWrittenInManyWays(t *testing.T) {
	for _, same := range [][]string{
		{"uid=ada,ou=People,dc=example,dc=com", "UID=Ada, OU=people , DC=example;dc=com", `uid=\61da,ou=people,dc=example,dc=com`, "userid=ada,organizationalUnitName=People,DC=Example,DC=Com", "0.9.2342.19200300.100.1.1=ada,2.5.4.11=people,dc=example,dc=com", "uid = ada,ou=people,dc=example,dc=com"},
		{`cn=O'Hara\, Jo,dc=x`, `CN=O'Hara\2c Jo,dc=x`, `cn=o'hara\,  jo,dc=x`},
		{`cn=a\+b,dc=x`, `cn=a\2Bb,dc=x`},
		{"cn=ada+uid=7,dc=x", "uid=7 + cn=Ada,dc=x"},
		{"cn=Çiğdem,dc=x", `cn=\c3\87i\c4\9fdem,dc=x`, "cn=Çiğdem,dc=x"},
		{`cn=\ two  spaces\ ,dc=x`, "cn=two spaces,dc=x"},
		{"cn=#040141,dc=x", "cn=A,dc=x"},
		{""},
	} {
		want, ok := canonical(same[0])
		if !ok {
			t.Errorf("%q is no DN", same[0])
		}
		for _, dn := range same[1:] {
			if got, ok := canonical(dn); !ok || got != want {
				t.Errorf("%q is %q, and %q is %q", dn, got, same[0], want)
			}
		}
	}
	for _, no := range []string{"ada", "cn=a,b", `cn="a"b,dc=x`, "=x", `cn=a\`} {
		if got, ok := canonical(no); ok && got != "" {
			t.Errorf("%q is a DN: %q", no, got)
		}
	}
}

func TestBelow(t *testing.T) {
	for _, test := range []struct {
		dn, base string
		want     bool
	}{
		{"uid=ada,ou=people,dc=x", "OU=People, dc=x", true},
		{"ou=people,dc=x", "ou=people,dc=x", true},
		{"uid=ada,ou=other,dc=x", "ou=people,dc=x", false},
		{`cn=trick\,ou=people\,dc=x`, "ou=people,dc=x", false},
		{"uid=ada,oou=people,dc=x", "ou=people,dc=x", false},
		{"uid=ada", "", true},
	} {
		dn, _ := canonical(test.dn)
		base, _ := canonical(test.base)
		if below(dn, base) != test.want {
			t.Errorf("%s below %s: %t", test.dn, test.base, !test.want)
		}
	}
}

func TestTheUIDIsTakenOffAUniqueMember(t *testing.T) {
	for value, want := range map[string]string{
		"uid=ada,dc=x#'0101'B": "uid=ada,dc=x", "uid=ada,dc=x#''B": "uid=ada,dc=x", "uid=ada,dc=x": "uid=ada,dc=x",
		"cn=C#'x'B": "cn=C#'x'B", `cn=a\#'01'B`: `cn=a\#'01'B`, "'B": "'B", "": "",
	} {
		if got := withoutUID(value); got != want {
			t.Errorf("%q is %q", value, got)
		}
	}
}

// The short way and the long way to a canonical name must not part.
func TestPlainNamesAreReadAsOddOnesAre(t *testing.T) {
	word := rapid.StringMatching(`[A-Za-z0-9=.' -]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		var parts []string
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			parts = append(parts, rapid.SampledFrom([]string{"cn", "OU", "dc", " uid ", "sn"}).Draw(t, "type")+"="+word.Draw(t, "value"))
		}
		dn := strings.Join(parts, ",")
		plain, ok := appendPlain(nil, dn)
		if !ok {
			return
		}
		if odd, ok := canonicalOdd(dn); !ok || odd != string(plain) {
			t.Fatalf("%q is %q and %q", dn, plain, odd)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for _, dn := range []string{"uid=ada,ou=People,dc=example", `cn=O'Hara\, Jo+uid=7,dc=x`, "cn=#040141", "", ",", "=", `\`, "a=b;c=d", "cn=ÇİĞ ,dc=x"} {
		f.Add(dn)
	}
	f.Fuzz(func(t *testing.T, dn string) {
		got, ok := canonical(dn)
		if !ok {
			return
		}
		if strings.Count(got, betweenNames) > strings.Count(dn, ",")+strings.Count(dn, ";") {
			t.Errorf("%q has more parts as %q", dn, got)
		}
		if again, ok := canonical(" " + dn); ok && again != got {
			t.Errorf("a space before %q makes %q of %q", dn, again, got)
		}
	})
}

func FuzzRange(f *testing.F) {
	for _, name := range []string{"member;range=0-1499", "member;range=1500-*", "MEMBER;Range=3-2", "member;range=-1-5", "member;binary", "member;range=0-99999999999999999999"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		e := &ldap.Entry{Attributes: []*ldap.EntryAttribute{{Name: name, Values: []string{"a", "b"}}}}
		s, ok, err := sliced(e, "member")
		if ok && (err != nil || s.first < 0 || s.last >= 0 && s.last-s.first != 1) {
			t.Errorf("%q is %+v", name, s)
		}
	})
}
