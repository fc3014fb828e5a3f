package config

import (
	"slices"
	"strings"

	"musterline.example/link"
	"musterline.example/setting"
	"musterline.example/team"
)

// links reads the tiers and the links that a person states in the file.
func (l *loader) links(top *section) {
	s := l.section("links", top.child("links"), linksFields, "manual")
	words := make([]string, 0, len(tiers))
	for _, t := range tiers {
		words = append(words, string(t))
	}
	l.config.Tiers = link.DefaultTiers
	if s.node.Get("tiers") != nil {
		l.config.Tiers = nil
		for _, it := range s.items("tiers") {
			switch t := link.Tier(it.text); {
			case !slices.Contains(tiers, t):
				l.report.At(it.node, "links.tiers: there is no tier %q%s; the tiers are %s", it.node.Text, setting.DidYouMean(it.text, words), strings.Join(words, ", "))
			case slices.Contains(l.config.Tiers, t):
				l.report.At(it.node, "links.tiers names %s twice", t)
			default:
				l.config.Tiers = append(l.config.Tiers, t)
			}
		}
		if s.fine("tiers") && len(s.values.List("tiers")) == 0 {
			s.says("tiers", "is empty: nobody would ever be linked; leave it out for all tiers but email")
		}
	}

	type account struct {
		host, source string
		id           team.AccountID
	}
	type user struct {
		host string
		ref  link.UserRef
	}
	accounts, users := make(map[account]int), make(map[user]int)
	for _, n := range s.maps("manual") {
		m := l.section("links.manual", n, manualFields)
		made := ManualLink{Line: n.Line}
		if m.fine("user") {
			ref, ok := link.ParseUserRef(m.values.Text("user"))
			switch _, known := l.config.Sources[ref.Source]; {
			case !ok:
				m.says("user", "must be SOURCE/ID, such as corp/ada")
			case !known:
				m.says("user", "%q: there is no source of that name%s", m.written("user"), setting.DidYouMean(ref.Source, l.sourceNames()))
			}
			made.User = ref
		}
		if m.fine("account") {
			host, id, ok := parseRef(m.values.Text("account"))
			switch {
			case !ok:
				m.says("account", "must be HOST/ID, such as github.com/1024")
			case !accountID(id):
				m.says("account", "must end in the account's id, which no rename changes, not a login: https://api.github.com/users/LOGIN shows it")
			}
			made.Host, made.Account = strings.ToLower(host), team.AccountID(id)
		}
		if !m.fine("user") || !m.fine("account") {
			continue
		}
		if line, again := users[user{made.Host, made.User}]; again {
			m.says("user", "is linked on line %d: a user has one account on a host", line)
		}
		users[user{made.Host, made.User}] = n.Line
		if line, again := accounts[account{made.Host, made.User.Source, made.Account}]; again {
			m.says("account", "is linked on line %d: an account is one user's", line)
		}
		accounts[account{made.Host, made.User.Source, made.Account}] = n.Line
		l.config.Manual = append(l.config.Manual, made)
	}
}

// accountID reports whether s looks like an id and not like a login: digits, as on GitHub, or a UUID.
func accountID(s string) bool {
	if digits(s) {
		return true
	}
	return len(s) == 36 && strings.Count(s, "-") == 4 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'f') && (r < 'A' || r > 'F')
	})
}
