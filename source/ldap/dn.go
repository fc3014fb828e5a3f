package ldap

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"
)

// What stands between the parts of a canonical DN. No value holds it: canonical takes control characters for spaces.
const (
	betweenNames = "\x00"
	betweenParts = "\x01"
)

// canonical returns a form of a DN that is the same for all ways to write it (RFC 4514; distinguishedNameMatch of RFC 4517 §4.2.15):
// whatever its case, spaces around the separators, escapes, order within a part of several values, and long or numeric names of attributes.
// Values are compared without regard to case and to how many spaces stand where one does, as directories compare names of people and
// groups. It is not for sending. ok is false for what is no DN; the empty DN is one.
func canonical(dn string) (_ string, ok bool) {
	if plain, ok := appendPlain(nil, dn); ok {
		return string(plain), true
	}
	return canonicalOdd(dn)
}

// appendPlain appends the canonical form of a DN without anything odd in it: nothing escaped, nothing but ASCII, no part of several values,
// short names of attributes only. Nearly all are so, and a directory has a hundred thousand of them. ok is false for the others.
func appendPlain(to []byte, dn string) (_ []byte, ok bool) {
	start := len(to) // of the name, then of its value
	inValue := false
	for i := range len(dn) {
		switch c := dn[i]; {
		case c == '=' && !inValue:
			to = bytes.TrimRight(to, " ")
			if n := len(to) - start; n < 1 || n > 3 || to[start] <= '9' {
				return to, false
			}
			to, inValue = append(to, c), true
			start = len(to)
		case c == ',':
			if !inValue {
				return to, false
			}
			to = append(bytes.TrimRight(to, " "), betweenNames[0])
			start, inValue = len(to), false
		case c == ' ':
			if len(to) > start && to[len(to)-1] != ' ' {
				to = append(to, c)
			}
		case c < ' ', c >= 0x80, c == '\\', c == '"', c == '#', c == '+', c == ';', c == '<', c == '>':
			return to, false
		case 'A' <= c && c <= 'Z':
			to = append(to, c+'a'-'A')
		default:
			to = append(to, c)
		}
	}
	return bytes.TrimRight(to, " "), inValue
}

// canonicalOdd is canonical for any DN.
func canonicalOdd(dn string) (_ string, ok bool) {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	for i, rdn := range parsed.RDNs {
		if i > 0 {
			b.WriteString(betweenNames)
		}
		parts := make([]string, 0, len(rdn.Attributes))
		for _, a := range rdn.Attributes {
			kind := strings.ToLower(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(a.Type)), "oid."))
			if short, known := shortNames[kind]; known {
				kind = short
			}
			parts = append(parts, kind+"="+prepared(a.Value))
		}
		slices.Sort(parts)
		b.WriteString(strings.Join(parts, betweenParts))
	}
	return b.String(), true
}

// prepared brings a value into the form in which values are compared (RFC 4518 §2: map, normalize, insignificant spaces).
func prepared(value string) string {
	ascii := true
	for i := range len(value) {
		if c := value[i]; c >= 0x80 || c < ' ' {
			ascii = false
			break
		}
	}
	if !ascii {
		value = norm.NFKC.String(strings.ToLower(norm.NFKC.String(value)))
		value = strings.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, value)
	}
	value = strings.ToLower(strings.TrimSpace(value))
	for strings.Contains(value, "  ") {
		value = strings.ReplaceAll(value, "  ", " ")
	}
	return value
}

// shortNames are the attributes that DNs are made of, under their other names (RFC 4514 §3, RFC 4519 §2).
var shortNames = map[string]string{
	"2.5.4.3": "cn", "commonname": "cn",
	"2.5.4.4": "sn", "surname": "sn",
	"2.5.4.6": "c", "countryname": "c",
	"2.5.4.7": "l", "localityname": "l",
	"2.5.4.8": "st", "stateorprovincename": "st",
	"2.5.4.9": "street", "streetaddress": "street",
	"2.5.4.10": "o", "organizationname": "o",
	"2.5.4.11": "ou", "organizationalunitname": "ou",
	"0.9.2342.19200300.100.1.1": "uid", "userid": "uid",
	"0.9.2342.19200300.100.1.25": "dc", "domaincomponent": "dc",
}

// below reports whether one canonical DN is another or lies below it.
func below(dn, base string) bool {
	return base == "" || dn == base || strings.HasSuffix(dn, betweenNames+base)
}

func belowAny(dn string, bases []base) bool {
	return slices.ContainsFunc(bases, func(b base) bool { return below(dn, b.canonical) })
}

// withoutUID takes the optional unique id off a value of uniqueMember: DN#'0101'B (RFC 4517 §3.3.21).
func withoutUID(value string) string {
	if !strings.HasSuffix(value, "'B") {
		return value
	}
	i := strings.LastIndex(value, "#'")
	if i < 0 || strings.Trim(value[i+2:len(value)-2], "01") != "" || i > 0 && value[i-1] == '\\' {
		return value
	}
	return value[:i]
}
