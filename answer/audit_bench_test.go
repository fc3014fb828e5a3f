package answer_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"musterline.example/answer"
	"musterline.example/audit"
)

// aged is a house with 100,000 entries in its record: writes to 500 teams, five at a time. Their chain is not a true one.
func aged(b *testing.B) *street {
	b.Helper()
	s := open(b)
	s.sync()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "musterline.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	seq := 1_000_000
	put := func(kind, team, account, act, result string, body any) {
		seq++
		text, err := json.Marshal(body)
		if err == nil {
			_, err = tx.Exec(`INSERT INTO audit_entries (seq, at, kind, run, target, team, account, act, result, credential, cause, requester, body, mac)
				VALUES (?, ?, ?, '1', 'octo', ?, ?, ?, ?, '', 'schedule', 'cron', ?, '')`, seq, seq, kind, team, account, act, result, string(text))
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for n := range 100_000 / 7 {
		team := fmt.Sprint(5000 + n%500)
		i := audit.Intent{Run: "1", Target: "octo", Team: team, Slug: "team-" + team}
		for w := range 5 {
			account := fmt.Sprint(100_000 + (n*5+w)%10_000)
			i.Writes = append(i.Writes, audit.Write{Act: "add", Account: account, Login: "login-" + account, User: "people/" + account, Role: "member", Rule: "in-group"})
		}
		put("intent", team, "", "", "", i)
		intent := fmt.Sprint(seq)
		for _, w := range i.Writes {
			put("outcome", team, w.Account, w.Act, "done", map[string]string{"intent": intent, "act": w.Act, "account": w.Account, "result": "done"})
		}
		put("close", team, "", "", "", map[string]string{"intent": intent})
	}
	if _, err := tx.Exec(`INSERT INTO members (host, organization_id, account, login, since, left_at, invited, invited_at, declined)
		SELECT DISTINCT t.host, t.organization_id, e.account, 'login-' || e.account, 0, 0, 0, 0, FALSE FROM audit_entries e JOIN targets t ON t.name = 'octo'
		WHERE e.seq > 1000000 AND e.account <> ''`); err != nil {
		b.Fatal(err)
	}
	if _, err := tx.Exec(`INSERT INTO teams (host, organization_id, id, slug, name, description, parent, children, foreign_why, members_n, members, read_at)
		SELECT DISTINCT t.host, t.organization_id, e.team, 'team-' || e.team, '', '', '', '[]', '', 0, '[]', 0 FROM audit_entries e JOIN targets t ON t.name = 'octo'
		WHERE e.seq > 1000000`); err != nil {
		b.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkAuditPage is one page of a long record, with the names that it needs.
func BenchmarkAuditPage(b *testing.B) {
	s := aged(b)
	for name, f := range map[string]answer.AuditFilter{
		"newest": {Limit: 100}, "of a target": {Target: "octo", Limit: 100}, "of a team": {Target: "octo", Team: "5007", Limit: 100},
		"of a team by name": {Target: "octo", Team: "team-5007", Limit: 100}, "of an account": {Target: "octo", Account: "login-100007", Limit: 100},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page, err := s.Audit(b.Context(), f)
				if err != nil || len(page.Entries) == 0 || page.Names.Team("octo", "5007") == "" {
					b.Fatalf("%d entries, %v", len(page.Entries), err)
				}
			}
		})
	}
}
