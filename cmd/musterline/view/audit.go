package view

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"musterline.example/answer"
	"musterline.example/audit"
	"musterline.example/config"
	"musterline.example/internal/words"
	"musterline.example/store"
)

// Audit writes an entry a line: number, time, who, what.
func Audit(s Screen, a answer.Audit, now time.Time) {
	if len(a.Entries) == 0 {
		s.Para(0, "No entries.")
		return
	}
	rows := [][]string{s.Header("ENTRY", "TIME", "RUN", "WHAT")}
	for _, e := range a.Entries {
		at := e.At.In(now.Location()).Format("2006-01-02 15:04:05")
		rows = append(rows, []string{fmt.Sprint(e.Seq), at, dash(e.Run), sentence(a.Names, e)})
	}
	s.Table(0, rows)
	if a.More {
		s.Para(0, "There are older entries: --limit N or --all shows them.")
	}
}

// sentence says in words what an entry records.
func sentence(names *answer.Names, e store.Entry) string {
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
		return where + ": every write of entry " + body(e, "intent") + " is settled"
	case store.KindFound:
		return where + ": found as justified: " + accounts(names, e)
	case store.KindForget:
		return where + ": no longer in the ledger: " + accounts(names, e)
	case store.KindRestore:
		return where + ": ledger as before the undone run: " + accounts(names, e)
	case store.KindMapping:
		return where + ": " + mappingText(e)
	case store.KindLink:
		return linkText(e)
	case store.KindWaiver:
		return waiverText(e)
	case store.KindPause:
		return fmt.Sprintf("%s: paused by %s: %s", e.Target, e.Actor.Requester, body(e, "reason"))
	case store.KindResume:
		return fmt.Sprintf("%s: resumed by %s", e.Target, e.Actor.Requester)
	case store.KindCredential:
		return fmt.Sprintf("credential of %s: %s by %s", body(e, "place"), e.Act, e.Actor.Requester)
	case store.KindCancel:
		return fmt.Sprintf("%s: run cancelled by %s", e.Target, e.Actor.Requester)
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
		text := sign(w.Act) + tie + w.Login
		if w.Waiver != "" {
			text += " (waiver " + w.Waiver + ")"
		}
		writes = append(writes, text)
	}
	return fmt.Sprintf("%s: about to %s%s", where, strings.Join(writes, ", "), AskedBy(i.Actor.Trigger, i.Actor.Requester))
}

func outcomeText(names *answer.Names, e store.Entry, where string) string {
	if e.Act == "create" {
		return where + ": team created: " + e.Result
	}
	text := where + ": " + sign(e.Act) + tie + names.Account(e.Account) + tie + e.Result
	if said := body(e, "error"); said != "" {
		text += ": " + said
	}
	return text
}

// accounts names the accounts that an entry is about.
func accounts(names *answer.Names, e store.Entry) string {
	var logins []string
	for _, id := range answer.AccountsOf(e) {
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

// scope is what a token or a role is good for.
func scope(target string) string {
	if target == "" {
		return "all targets"
	}
	return target
}

func tokenText(e store.Entry) string {
	token := fmt.Sprintf("token %s (%s)", body(e, "id"), body(e, "name"))
	if e.Act == "revoke" {
		return token + " revoked by " + e.Actor.Requester
	}
	return fmt.Sprintf("%s made by %s: %s on %s", token, e.Actor.Requester, body(e, "role"), scope(e.Target))
}

func roleText(e store.Entry) string {
	if e.Act == "withdraw" {
		return fmt.Sprintf("%s no longer %s on %s, says %s", body(e, "subject"), body(e, "before"), scope(e.Target), e.Actor.Requester)
	}
	return fmt.Sprintf("%s is %s on %s, says %s", body(e, "subject"), body(e, "after"), scope(e.Target), e.Actor.Requester)
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
	did := map[string]string{"create": "made", "change": "changed", "delete": "taken away"}[e.Act]
	return fmt.Sprintf("configuration: %s/%s %s by %s", b.Section, b.Name, did, e.Actor.Requester)
}

// body returns one text of an entry's body.
func body(e store.Entry, key string) string {
	var b map[string]any
	_ = json.Unmarshal(e.Body, &b) // an entry that cannot be read has no text
	text, _ := b[key].(string)
	return text
}

// Verified writes that the audit record is whole, and its head.
func Verified(s Screen, v answer.Verified) {
	entries := "1 entry"
	if v.Entries != 1 {
		entries = words.Figure(int(v.Entries)) + " entries"
	}
	s.Line("The audit record is whole: %s, from %d to %d.", entries, v.First, v.Last)
	s.Line("Head: %s", v.Head)
}
