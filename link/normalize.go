package link

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"musterline.example/team"
)

// maxLogin is the longest login of GitHub, the short code of an enterprise included.
const maxLogin = 39

// Why a value is not compared with anything.
var (
	errLogin  = errors.New("is no login")
	errMixed  = errors.New("mixes alphabets that look alike")
	errHidden = errors.New("holds characters that cannot be seen, or is no text")
)

// NormalizeLogin returns the form in which a login that somebody wrote into an attribute is compared with the logins of accounts: without the spaces
// around it, a leading "@" or the address of a profile, and in lower case. What is then not a GitHub login is an error; nothing in it is
// dropped or guessed.
//
//	ada-l   @Ada-L   github.com/ada-l   https://github.com/ada-l     ada-l
//	ada_corp                                                         ada_corp (a managed user, with the short code of the enterprise)
//	ada.l   ada@example.com   gitlab.com/ada   ada_l_corp   ""       an error
//
// GitHub compares logins without regard to case, of ASCII letters only: there are no others.
func NormalizeLogin(s string) (string, error) {
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		s = rest
	} else if rest, ok := cutFold(s, "https://github.com/"); ok {
		s = rest
	} else if rest, ok := cutFold(s, "github.com/"); ok {
		s = rest
	}
	name, code, managed := strings.Cut(s, "_")
	if len(s) > maxLogin || !plain(name, true) || managed && !plain(code, false) {
		return "", errLogin
	}
	return team.FoldLogin(s), nil
}

// cutFold is strings.CutPrefix without regard to ASCII case.
func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || team.FoldLogin(s[:len(prefix)]) != prefix {
		return s, false
	}
	return s[len(prefix):], true
}

// plain reports whether s is not empty and of ASCII letters and digits only, with hyphens if they may be.
func plain(s string, hyphens bool) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-' && hyphens:
		default:
			return false
		}
	}
	return s != ""
}

// logins says how the logins of a kind of target are written, for those that have rules of their own.
var logins = map[string]func(string) (string, error){"github": NormalizeLogin}

// normalizeLogin returns the form in which a login of this kind of target is compared.
func normalizeLogin(kind, s string) (string, error) {
	if f, ok := logins[kind]; ok {
		return f(s)
	}
	s, err := normalizeName(strings.TrimSpace(s))
	return team.FoldLogin(s), err
}

// normalizeName returns the form in which a NameID, a user name or an address is compared: the composed form of Unicode (NFC), so that
// one é equals the other, and nothing else changed. A word that mixes letters of alphabets that look alike (Latin, Greek, Cyrillic) is
// refused, for "аda@example.com" may begin with a Cyrillic letter; "иван@example.com" is two words and fine. So is text with
// characters that cannot be seen.
func normalizeName(s string) (string, error) {
	if printable(s) {
		return s, nil
	}
	if !utf8.ValidString(s) {
		return "", errHidden
	}
	s = norm.NFC.String(s)
	var word *unicode.RangeTable // the alphabet of the word so far
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return "", errHidden
		}
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			word = nil
			continue
		}
		for _, alphabet := range alphabets {
			if !unicode.Is(alphabet, r) {
				continue
			}
			if word != nil && word != alphabet {
				return "", errMixed
			}
			word = alphabet
		}
	}
	return s, nil
}

// alphabets are those of which many letters look alike.
var alphabets = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic}

// printable reports whether s is of visible ASCII characters and spaces only, as nearly all names are.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// foldAddress returns the form in which two writings of one mail address are the same, and whether s looks like a mail address at all. Only
// the case of ASCII letters is dropped: a tag after "+" and dots belong to the name.
func foldAddress(s string) (string, bool) {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(domain, "@ ") || strings.Contains(local, " ") {
		return "", false
	}
	return team.FoldLogin(s), true
}
