package answer

import (
	"encoding/json"
	"fmt"
	"strings"

	"musterline.example/audit"
	"musterline.example/config"
	"musterline.example/internal/words"
	"musterline.example/plan"
	"musterline.example/store"
)

// tie is a space at which no line is broken.
const tie = "\u00a0"

// signOf is how an act is written in front of a login.
func signOf(act string) string {
	switch plan.Act(act) {
	case plan.Add:
		return "+"
	case plan.Update:
		return "~"
	default:
		return "−"
	}
}

// Sentence says in words what an entry records.
func Sentence(names *Names, e store.Entry) string {
	where := e.Target
	if e.Team != "" {
		where += "/" + names.Team(e.Target, e.Team)
	}
	switch e.Kind {
	case store.KindIntent:
		return intentText(e, where)
	case store.KindOutcome:
		return outcomeText(names, e, where)
	case store.KindClose:
		return where + ": every write of entry " + bodyText(e, "intent") + " is settled"
	case store.KindFound:
		return where + ": found as justified: " + accountsIn(names, e)
	case store.KindForget:
		return where + ": no longer in the ledger: " + accountsIn(names, e)
	case store.KindRestore:
		return where + ": ledger as before the undone run: " + accountsIn(names, e)
	case store.KindMapping:
		return where + ": " + mappingText(e)
	case store.KindLink:
		return linkText(e)
	case store.KindWaiver:
		return waiverText(e)
	case store.KindPause:
		return fmt.Sprintf("%s: paused by %s: %s", e.Target, e.Actor.Requester, bodyText(e, "reason"))
	case store.KindResume:
		return fmt.Sprintf("%s: resumed by %s", e.Target, e.Actor.Requester)
	case store.KindCredential:
		return fmt.Sprintf("credential of %s: %s by %s", bodyText(e, "place"), e.Act, e.Actor.Requester)
	case store.KindCancel:
		return fmt.Sprintf("%s: run cancelled by %s", e.Target, e.Actor.Requester)
	case store.KindSession, store.KindSignIn:
		return sessionText(e)
	case store.KindToken:
		return tokenText(e)
	case store.KindRole:
		return roleText(e)
	case store.KindConfigured:
		return configuredText(e)
	}
	return strings.TrimSpace(string(e.Kind) + " " + where)
}

func intentText(e store.Entry, where string) string {
	var i audit.Intent
	if json.Unmarshal(e.Body, &i) != nil {
		return where + ": intent"
	}
	if e.Team == "" {
		where += "/" + i.Slug
	}
	var writes []string
	if i.Create != "" {
		writes = append(writes, "create the team")
	}
	for _, w := range i.Writes {
		text := signOf(w.Act) + tie + w.Login
		if w.Waiver != "" {
			text += " (waiver " + w.Waiver + ")"
		}
		writes = append(writes, text)
	}
	return fmt.Sprintf("%s: about to %s%s", where, strings.Join(writes, ", "), AskedBy(i.Actor.Trigger, i.Actor.Requester))
}

func outcomeText(names *Names, e store.Entry, where string) string {
	if e.Act == "create" {
		return where + ": team created: " + e.Result
	}
	text := where + ": " + signOf(e.Act) + tie + names.Account(e.Account) + tie + e.Result
	if said := bodyText(e, "error"); said != "" {
		text += ": " + said
	}
	return text
}

// accountsIn names the accounts that an entry is about.
func accountsIn(names *Names, e store.Entry) string {
	var logins []string
	for _, id := range AccountsOf(e) {
		logins = append(logins, names.Account(id))
	}
	return strings.Join(logins, ", ")
}

func mappingText(e store.Entry) string {
	type one struct {
		Group string `json:"group"`
	}
	var b struct {
		Team    string `json:"team"`
		Added   []one  `json:"added"`
		Changed []one  `json:"changed"`
		Removed []one  `json:"removed"`
	}
	_ = json.Unmarshal(e.Body, &b) // an entry that cannot be read says less
	var parts []string
	add := func(what string, mappings []one) {
		var groups []string
		for _, m := range mappings {
			groups = append(groups, m.Group)
		}
		if len(groups) > 0 {
			parts = append(parts, what+" "+strings.Join(groups, ", "))
		}
	}
	add("mapped to", b.Added)
	add("pinned or changed:", b.Changed)
	add("no longer mapped to", b.Removed)
	text := strings.Join(parts, "; ")
	if e.Team == "" {
		text = b.Team + ": " + text
	}
	switch {
	case e.Actor.Trigger == "file":
		text += " (configuration file)"
	case e.Actor.Requester != "":
		text += ", by " + e.Actor.Requester
	}
	return text
}

func linkText(e store.Entry) string {
	type one struct {
		User    string `json:"user"`
		Account string `json:"account"`
		Login   string `json:"login"`
		State   string `json:"state"`
	}
	var b struct {
		Host      string `json:"host"`
		Statement *one   `json:"statement"`
		Links     []one  `json:"links"`
	}
	_ = json.Unmarshal(e.Body, &b) // an entry that cannot be read says less
	if b.Statement != nil {
		if e.Act == "unstate" {
			return fmt.Sprintf("link of %s on %s taken back by %s", b.Statement.User, b.Host, e.Actor.Requester)
		}
		return fmt.Sprintf("%s is account %s on %s, says %s", b.Statement.User, b.Statement.Account, b.Host, e.Actor.Requester)
	}
	var links []string
	for _, l := range b.Links {
		text := l.User + " = " + l.Login
		if l.State != "standing" {
			text += " " + l.State
		}
		links = append(links, text)
	}
	return fmt.Sprintf("linked on %s: %s", b.Host, strings.Join(links, ", "))
}

func waiverText(e store.Entry) string {
	var b struct {
		ID      string     `json:"id"`
		Reason  string     `json:"reason"`
		Changes []struct{} `json:"changes"` // to be counted
	}
	_ = json.Unmarshal(e.Body, &b) // an entry that cannot be read says less
	return fmt.Sprintf("%s: %s approved by %s (waiver %s): %s", e.Target, words.Count(len(b.Changes), "change"), e.Actor.Requester, b.ID, b.Reason)
}

// scopeText is what a token or a role is good for.
func scopeText(target string) string {
	if target == "" {
		return "all targets"
	}
	return target
}

func tokenText(e store.Entry) string {
	token := fmt.Sprintf("token %s (%s)", bodyText(e, "id"), bodyText(e, "name"))
	if e.Act == "revoke" {
		return token + " revoked by " + e.Actor.Requester
	}
	return fmt.Sprintf("%s made by %s: %s on %s", token, e.Actor.Requester, bodyText(e, "role"), scopeText(e.Target))
}

func roleText(e store.Entry) string {
	if e.Act == "withdraw" {
		return fmt.Sprintf("%s no longer %s on %s, says %s", bodyText(e, "subject"), bodyText(e, "before"), scopeText(e.Target), e.Actor.Requester)
	}
	return fmt.Sprintf("%s is %s on %s, says %s", bodyText(e, "subject"), bodyText(e, "after"), scopeText(e.Target), e.Actor.Requester)
}

// configuredText says which part of the configuration was changed. What it was and is stands in the entry.
func configuredText(e store.Entry) string {
	var b struct {
		Section string `json:"section"`
		Name    string `json:"name"`
		After   struct {
			Enabled bool   `json:"enabled"`
			Members string `json:"members"`
		} `json:"after"`
	}
	_ = json.Unmarshal(e.Body, &b) // an entry that cannot be read says less
	switch {
	case b.Section == config.EnabledSection && b.After.Enabled:
		return fmt.Sprintf("%s: turned on by %s", b.Name, e.Actor.Requester)
	case b.Section == config.EnabledSection:
		return fmt.Sprintf("%s: turned off by %s, members: %s", b.Name, e.Actor.Requester, b.After.Members)
	}
	did := map[string]string{"create": "made", "change": "changed", "delete": "taken away", "turn-off": "turned off", "turn-on": "turned on"}[e.Act]
	return fmt.Sprintf("configuration: %s/%s %s by %s", b.Section, b.Name, did, e.Actor.Requester)
}

// bodyText returns one text of an entry's body.
func bodyText(e store.Entry, key string) string {
	var b map[string]any
	_ = json.Unmarshal(e.Body, &b) // an entry that cannot be read has no text
	text, _ := b[key].(string)
	return text
}

// sessionText says who has signed in or out, and who has made a link for it.
func sessionText(e store.Entry) string {
	who := bodyText(e, "subject")
	did := map[string]string{
		"create": "a sign-in link was made for", "use": "a sign-in link was used by", "begin": "signed in:", "end": "signed out:", "revoke": "session revoked:",
	}[e.Act]
	if did == "" {
		did = string(e.Kind) + " " + e.Act + ":"
	}
	text := did + " " + who
	if e.Actor.Requester != "" && e.Actor.Requester != who {
		text += ", by " + e.Actor.Requester
	}
	return text
}

// AskedBy says what set something off, and who, as the end of a sentence.
func AskedBy(trigger, requester string) string {
	what := map[string]string{"schedule": "on schedule", "event": "after an event", "undo": "as an undo", "file": "by the configuration file"}[trigger]
	switch {
	case what == "" && requester == "":
		return ""
	case what == "":
		return ", asked for by " + requester
	case requester == "":
		return ", " + what
	}
	return ", " + what + " (" + requester + ")"
}
