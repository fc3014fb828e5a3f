package view

import (
	"time"

	"musterline.example/answer"
	"musterline.example/internal/words"
)

// TokenMade says what a new token may do and until when. Its text is for whoever prints it.
func TokenMade(s Screen, t answer.Token, now time.Time) {
	where := "on all targets"
	if t.Target != "" {
		where = "on " + t.Target
	}
	end := "It does not end by itself."
	if !t.ExpiresAt.IsZero() {
		end = "It ends at " + words.Moment(t.ExpiresAt, now) + "."
	}
	s.Para(0, "Token %s (%s) is a key of the role %s %s: %s. %s This is the only time that it is shown; to end it: musterline token revoke %s",
		t.ID, words.Quote(t.Name), t.Role, where, answer.RoleMeaning(t.Role), end, t.ID)
}

// Tokens writes a line for each token.
func Tokens(s Screen, all answer.Tokens, now time.Time) {
	if len(all.Tokens) == 0 {
		s.Para(0, "No tokens.")
		return
	}
	rows := [][]string{s.Header("NUMBER", "NAME", "ROLE", "TARGET", "STATE", "ENDS", "LAST USED")}
	moment := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return words.Moment(t, now)
	}
	for _, t := range all.Tokens {
		target := t.Target
		if target == "" {
			target = "all"
		}
		rows = append(rows, []string{t.ID, t.Name, t.Role, target, t.State(now), moment(t.ExpiresAt), moment(t.LastUsedAt)})
	}
	s.Table(0, rows)
}

// SignInLinkMade says whom a new link lets in, with what, and until when. The link itself is for whoever prints it.
func SignInLinkMade(s Screen, l answer.SignInLink, now time.Time) {
	where := "on all targets"
	if l.Target != "" {
		where = "on " + l.Target
	}
	s.Para(0, "This link lets in whoever opens it first, as %s with the role %s %s: %s. It is good until %s, once. This is the only time that it is shown.",
		words.Quote(l.Name), l.Role, where, answer.RoleMeaning(l.Role), words.Moment(l.ExpiresAt, now))
}
