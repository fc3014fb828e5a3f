package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"musterline.example/store"
	"musterline.example/team"
)

// access is about tokens, roles, sessions and sign-in links.
var access = merge(tokens, roles, bound, sessions, signIns, configured, notified, changes, auditing)

var tokens = map[string]func(*world){
	"a token is known by its text": func(w *world) {
		made, text := w.token("deploy")
		got, err := w.Token(w.ctx(), text)
		w.must(err)
		w.equal(got, made)
		w.equal(got, store.Token{
			ID: "1", Name: "deploy", Target: "octo", Role: "maintainer", CreatedBy: "ada", CreatedAt: start, ExpiresAt: start.Add(time.Hour),
		})
		got, err = w.TokenByID(w.ctx(), "1")
		w.must(err)
		w.equal(got, made)
		if len(text) != 53 || !strings.HasPrefix(text, store.TokenPrefix) {
			w.Errorf("its text has %d characters", len(text))
		}
	},
	"the text of a token is nowhere in the database": func(w *world) {
		_, text := w.token("deploy")
		body, err := json.Marshal(w.entries(store.KindToken))
		w.must(err)
		hash := sha256.Sum256([]byte(text))
		for _, word := range []string{text, text[4:47], hex.EncodeToString(hash[:])} {
			if strings.Contains(string(body), word) {
				w.Error("the audit entry holds it")
			}
		}
		w.db.Exec(w, "UPDATE tokens SET name = 'by its hash' WHERE hash = $1", hash[:])
		got, err := w.Token(w.ctx(), text)
		w.must(err)
		w.equal(got.Name, "by its hash")
	},
	"a token with a slip of the pen is told from one that is not known": func(w *world) {
		_, text := w.token("deploy")
		for name, wrong := range map[string]string{
			"empty": "", "cut": text[:52], "long": text + "0", "a changed digit": text[:9] + turned(text[9]) + text[10:],
			"a changed checksum": text[:52] + turned(text[52]), "another prefix": "mse_" + text[4:], "a stranger's": "ghp_" + strings.Repeat("a", 36),
		} {
			_, err := w.Token(w.ctx(), wrong)
			w.is(err, store.ErrMistyped)
			if wrong != "" && strings.Contains(err.Error(), wrong) {
				w.Errorf("%s: the error holds the text", name)
			}
		}
		w.db.Exec(w, "DELETE FROM tokens")
		_, err := w.Token(w.ctx(), text)
		w.is(err, store.ErrNotFound)
	},
	"a token ends at its expiry": func(w *world) {
		made, text := w.token("deploy")
		w.later(time.Hour - time.Microsecond)
		_, err := w.Token(w.ctx(), text)
		w.must(err)
		w.later(time.Microsecond)
		got, err := w.Token(w.ctx(), text)
		w.is(err, store.ErrExpired)
		w.equal(got, made)
	},
	"a token without expiry does not end": func(w *world) {
		_, text, err := w.CreateToken(w.ctx(), store.Token{Name: "for good", Role: "viewer"}, "ada")
		w.must(err)
		w.later(50 * 365 * 24 * time.Hour)
		_, err = w.Token(w.ctx(), text)
		w.must(err)
	},
	"a revoked token is refused at once, also by another server": func(w *world) {
		_, text := w.token("deploy")
		other := w.open(store.Options{})
		w.must(w.RevokeToken(w.ctx(), "1", "joe"))
		for _, s := range []*store.Store{w.Store, other} {
			got, err := s.Token(w.ctx(), text)
			w.is(err, store.ErrRevoked)
			w.equal([]any{got.Name, got.RevokedBy, got.RevokedAt}, []any{"deploy", "joe", start})
		}
		w.later(time.Minute)
		w.must(w.RevokeToken(w.ctx(), "1", "eve"))
		got, err := w.TokenByID(w.ctx(), "1")
		w.must(err)
		w.equal(got.RevokedBy, "joe")
		e := w.entries(store.KindToken)
		w.equal(len(e), 2)
		w.equal([]string{e[0].Act, e[0].Target, e[0].Actor.Requester, e[1].Act, e[1].Actor.Requester}, []string{"revoke", "octo", "joe", "create", "ada"})
		w.equal(string(e[1].Body), `{"id":"1","name":"deploy","role":"maintainer","expires_at":"2026-03-01T13:00:00Z"}`)
		w.verified()
	},
	"a token that is not there cannot be revoked, and its name is not repeated": func(w *world) {
		for _, id := range []string{"7", "mst_secret", ""} {
			err := w.RevokeToken(w.ctx(), id, "ada")
			w.is(err, store.ErrNotFound)
			_, other := w.TokenByID(w.ctx(), id)
			w.is(other, store.ErrNotFound)
			if strings.Contains(err.Error()+other.Error(), "secret") {
				w.Error("the error holds it")
			}
		}
		w.equal(len(w.entries(store.KindToken)), 0)
	},
	"the last use of a token is kept to the minute": func(w *world) {
		made, text := w.token("deploy")
		w.must(w.Touch(w.ctx(), made))
		w.later(59 * time.Second)
		w.must(w.Touch(w.ctx(), made)) // read before the first use
		got, err := w.Token(w.ctx(), text)
		w.must(err)
		w.equal(got.LastUsedAt, start)
		w.later(time.Second)
		w.must(w.Touch(w.ctx(), got))
		got, err = w.Token(w.ctx(), text)
		w.must(err)
		w.equal(got.LastUsedAt, start.Add(time.Minute))
		w.equal(len(w.entries(store.KindToken)), 1)
	},
	"a token without name, without role or with a past expiry is not made": func(w *world) {
		for _, t := range []store.Token{
			{Role: "viewer"}, {Name: " ", Role: "viewer"}, {Name: "x"}, {Name: "x", Role: "viewer", ExpiresAt: start},
		} {
			if _, text, err := w.CreateToken(w.ctx(), t, "ada"); err == nil || text != "" {
				w.Errorf("%+v was made", t)
			}
		}
		w.equal(len(w.entries("")), 0)
	},
	"tokens are listed by pages, the newest first": func(w *world) {
		for i := range 5 {
			target := "octo"
			if i == 2 {
				target = ""
			}
			_, _, err := w.CreateToken(w.ctx(), store.Token{Name: fmt.Sprint(i), Role: "viewer", Target: target}, "ada")
			w.must(err)
		}
		read := func(target string) (pages []string) {
			for p := (store.Page{Limit: 2}); ; {
				tokens, next, err := w.Tokens(w.ctx(), target, p)
				w.must(err)
				var names []string
				for _, t := range tokens {
					names = append(names, t.Name)
				}
				if pages = append(pages, strings.Join(names, "")); next == "" {
					return pages
				}
				p.After = next
			}
		}
		w.equal(read(""), []string{"43", "21", "0"})
		w.equal(read("octo"), []string{"43", "10"})
		w.equal(read("other"), []string{""})
		for _, after := range []string{"x", "-1", "1 OR 1"} {
			_, _, err := w.Tokens(w.ctx(), "", store.Page{After: after})
			w.is(err, store.ErrPage)
		}
	},
}

// token makes a token for an hour.
func (w *world) token(name string) (store.Token, string) {
	w.Helper()
	made, text, err := w.CreateToken(w.ctx(), store.Token{Name: name, Target: "octo", Role: "maintainer", ExpiresAt: start.Add(time.Hour)}, "ada")
	w.must(err)
	return made, text
}

// turned is another digit.
func turned(digit byte) string {
	if digit == 'a' {
		return "b"
	}
	return "a"
}

var roles = map[string]func(*world){
	"a subject has one role on a target and one on all": func(w *world) {
		for _, a := range []store.Assigned{
			{Subject: "github:github.com#7", Role: "viewer"},
			{Subject: "group:corp/admins", Role: "administrator"},
			{Subject: "github:github.com#7", Role: "owner", Target: "octo"},
			{Subject: "github:github.com#7", Role: "maintainer", Target: "octo"},
			{Subject: "github:github.com#7", Role: "maintainer", Target: "octo"},
		} {
			w.must(w.AssignRole(w.ctx(), a, "ada"))
		}
		got, err := w.RolesOf(w.ctx(), "group:corp/none", "github:github.com#7", "group:corp/admins", "github:github.com#7")
		w.must(err)
		w.equal(got, []store.Assigned{
			{Subject: "github:github.com#7", Role: "viewer", By: "ada", At: start},
			{Subject: "github:github.com#7", Role: "maintainer", Target: "octo", By: "ada", At: start},
			{Subject: "group:corp/admins", Role: "administrator", By: "ada", At: start},
		})
		e := w.entries(store.KindRole)
		w.equal(len(e), 4)
		w.equal(string(e[0].Body), `{"subject":"github:github.com#7","before":"owner","after":"maintainer"}`)
		w.equal([]string{e[0].Act, e[0].Target, e[0].Actor.Requester}, []string{"assign", "octo", "ada"})
	},
	"a role is withdrawn where it was given": func(w *world) {
		w.must(w.AssignRole(w.ctx(), store.Assigned{Subject: "oidc:https://idp#ada", Role: "owner", Target: "octo"}, "ada"))
		w.is(w.WithdrawRole(w.ctx(), "oidc:https://idp#ada", "", "joe"), store.ErrNotFound)
		w.must(w.WithdrawRole(w.ctx(), "oidc:https://idp#ada", "octo", "joe"))
		w.is(w.WithdrawRole(w.ctx(), "oidc:https://idp#ada", "octo", "joe"), store.ErrNotFound)
		got, err := w.RolesOf(w.ctx(), "oidc:https://idp#ada")
		w.must(err)
		w.equal(len(got), 0)
		e := w.entries(store.KindRole)
		w.equal(len(e), 2)
		w.equal(string(e[0].Body), `{"subject":"oidc:https://idp#ada","before":"owner"}`)
		w.verified()
	},
	"a role needs a subject and a word": func(w *world) {
		for _, a := range []store.Assigned{{Role: "viewer"}, {Subject: "group:corp/x"}} {
			if w.AssignRole(w.ctx(), a, "ada") == nil {
				w.Errorf("%+v was assigned", a)
			}
		}
	},
	"roles are listed by pages": func(w *world) {
		for i := range 5 {
			w.must(w.AssignRole(w.ctx(), store.Assigned{Subject: fmt.Sprint("group:corp/", i), Role: "viewer"}, "ada"))
		}
		var seen []string
		for p := (store.Page{Limit: 2}); ; {
			page, next, err := w.Roles(w.ctx(), p)
			w.must(err)
			for _, a := range page {
				seen = append(seen, a.Subject)
			}
			if p.After = next; next == "" {
				break
			}
		}
		w.equal(seen, []string{"group:corp/0", "group:corp/1", "group:corp/2", "group:corp/3", "group:corp/4"})
	},
}

// guests gives a token and a role on target octo, on another, and on all, and returns what tells which of them stand.
func (w *world) guests() (stand func() []string) {
	w.Helper()
	texts := map[string]string{}
	for _, target := range []string{"octo", "other", ""} {
		_, text, err := w.CreateToken(w.ctx(), store.Token{Name: "guest", Role: "owner", Target: target}, "ada")
		w.must(err)
		texts[target] = text
		w.must(w.AssignRole(w.ctx(), store.Assigned{Subject: "github:github.com#7", Role: "owner", Target: target}, "ada"))
	}
	return func() (all []string) {
		for _, target := range []string{"octo", "other", ""} {
			if _, err := w.Token(w.ctx(), texts[target]); err == nil {
				all = append(all, "token "+target)
			} else {
				w.is(err, store.ErrRevoked)
			}
		}
		given, err := w.RolesOf(w.ctx(), "github:github.com#7")
		w.must(err)
		for _, a := range given {
			all = append(all, "role "+a.Target)
		}
		return all
	}
}

// bound are about tokens and roles that are bound to a target, and so to its organization.
var bound = map[string]func(*world){
	"what was given for an organization ends when the configuration names another one": func(w *world) {
		standing := func() (n int) {
			all, _, err := w.Tokens(w.ctx(), "octo", store.Page{})
			w.must(err)
			for _, t := range all {
				if t.RevokedAt.IsZero() {
					n++
				}
			}
			return n
		}
		give := func() {
			_, _, err := w.CreateToken(w.ctx(), store.Token{Name: "ci", Target: "octo", Role: "owner"}, "ada")
			w.must(err)
		}
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		w.must(w.ConfiguredAs(w.ctx(), "octo", "github.com", "Octo-Org"))
		give()
		w.must(w.AssignRole(w.ctx(), store.Assigned{Subject: "github:github.com#1", Role: "owner", Target: "octo"}, "ada"))
		w.must(w.ConfiguredAs(w.ctx(), "octo", "github.com", "octo-org")) // the same
		renamed := octo
		renamed.Organization = "octo-inc"
		w.must(w.SavePlace(w.ctx(), "octo", renamed)) // as a run has found
		w.must(w.ConfiguredAs(w.ctx(), "octo", "github.com", "octo-inc"))
		w.equal(standing(), 1)
		w.must(w.ConfiguredAs(w.ctx(), "octo", "github.com", "other"))
		w.equal(standing(), 0)
		roles, err := w.RolesOf(w.ctx(), "github:github.com#1")
		w.must(err)
		w.equal(len(roles), 0)
		_, err = w.Place(w.ctx(), "octo")
		w.is(err, store.ErrNotFound)
		give()
		w.must(w.ConfiguredAs(w.ctx(), "octo", "github.com", "other"))
		w.equal(standing(), 1)
		w.must(w.ConfiguredAs(w.ctx(), "octo", "ghes.example.com", "other")) // of the same name elsewhere
		w.equal(standing(), 0)
	},
	"tokens and roles of a target end with its configured row, and no others": func(w *world) {
		row := store.Change{Section: "targets", Name: "octo", Target: "octo", Body: json.RawMessage(`{}`), Version: store.AnyVersion, By: "joe"}
		rule := row
		rule.Section, rule.Target = "rules", ""
		for _, c := range []store.Change{row, rule} {
			_, err := w.PutConfigured(w.ctx(), c)
			w.must(err)
		}
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		stand := w.guests()
		w.must(w.DeleteConfigured(w.ctx(), rule))
		w.equal(len(stand()), 6)
		w.must(w.DeleteConfigured(w.ctx(), row))
		w.equal(stand(), []string{"token other", "token ", "role other", "role "})
		token, role := w.entries(store.KindToken)[0], w.entries(store.KindRole)[0]
		w.equal([]string{token.Act, token.Target, token.Actor.Requester}, []string{"revoke", "octo", "joe"})
		w.equal(string(token.Body), `{"id":"1","name":"guest","role":"owner","why":"the target was deleted"}`)
		w.equal([]string{role.Act, role.Target, role.Actor.Requester}, []string{"withdraw", "octo", "joe"})
		w.equal(string(role.Body), `{"subject":"github:github.com#7","before":"owner","why":"the target was deleted"}`)
		w.verified()
	},
	"tokens and roles of a target end when it becomes another organization": func(w *world) {
		stand := w.guests()
		for _, same := range []team.Place{
			octo, // the first time that it is known
			{Host: octo.Host, OrganizationID: octo.OrganizationID, Organization: "renamed", Self: "98"},
		} {
			w.must(w.SavePlace(w.ctx(), "octo", same))
			w.equal(len(stand()), 6)
		}
		moved := octo
		moved.OrganizationID = "2"
		w.must(w.SavePlace(w.ctx(), "octo", moved))
		w.equal(stand(), []string{"token other", "token ", "role other", "role "})
		token, role := w.entries(store.KindToken)[0], w.entries(store.KindRole)[0]
		w.equal([]string{token.Act, token.Target, token.Actor.Trigger, role.Act, role.Target, role.Actor.Trigger},
			[]string{"revoke", "octo", "event", "withdraw", "octo", "event"})
		w.equal(string(token.Body), `{"id":"1","name":"guest","role":"owner","why":"the target is another organization now"}`)
		w.must(w.SavePlace(w.ctx(), "octo", moved))
		w.equal(len(w.entries(store.KindToken)), 4)
		w.verified()
	},
	"a sign-in link for a target ends with it": func(w *world) {
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		texts := map[string]string{}
		for _, target := range []string{"octo", "other", ""} {
			text, err := w.CreateSignInLink(w.ctx(), store.SignInLink{Subject: "local:ada", Role: "owner", Target: target, ExpiresAt: start.Add(time.Hour)}, "ada")
			w.must(err)
			texts[target] = text
		}
		w.must(w.SavePlace(w.ctx(), "octo", team.Place{Host: "github.com", OrganizationID: "2"}))
		_, err := w.UseSignInLink(w.ctx(), texts["octo"])
		w.is(err, store.ErrNotFound)
		for _, target := range []string{"other", ""} {
			_, err := w.UseSignInLink(w.ctx(), texts[target])
			w.must(err)
		}
	},
	"tokens and roles of a target end when it becomes another host": func(w *world) {
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		stand := w.guests()
		moved := octo
		moved.Host = "octo.ghe.com"
		w.must(w.SavePlace(w.ctx(), "octo", moved))
		w.equal(stand(), []string{"token other", "token ", "role other", "role "})
	},
	"a token for a target that was made anew is not taken for one of the target before": func(w *world) {
		row := store.Change{Section: "targets", Name: "octo", Target: "octo", Body: json.RawMessage(`{}`), Version: store.AnyVersion, By: "joe"}
		_, err := w.PutConfigured(w.ctx(), row)
		w.must(err)
		w.must(w.SavePlace(w.ctx(), "octo", octo))
		w.must(w.DeleteConfigured(w.ctx(), row))
		stand := w.guests()
		w.must(w.SavePlace(w.ctx(), "octo", team.Place{Host: "github.com", OrganizationID: "2", Organization: "second-org"}))
		w.equal(len(stand()), 6)
	},
}

// who reads a session of these cases: its data is who has signed in.
func who(data []byte) string { return string(data) }

var sessions = map[string]func(*world){
	"a session is found by its token until it expires": func(w *world) {
		x := w.Sessions(who)
		w.must(x.CommitCtx(w.ctx(), "t1", []byte("ada"), start.Add(time.Hour)))
		data, found, err := x.FindCtx(w.ctx(), "t1")
		w.must(err)
		w.equal([]any{string(data), found}, []any{"ada", true})
		_, found, err = x.Find("t2")
		w.must(err)
		w.equal(found, false)
		w.later(time.Hour)
		_, found, err = x.FindCtx(w.ctx(), "t1")
		w.must(err)
		w.equal(found, false)
		w.must(x.Sweep(w.ctx()))
		w.must(x.CommitCtx(w.ctx(), "t1", []byte("joe"), start.Add(2*time.Hour)))
		_, found, err = x.FindCtx(w.ctx(), "t1")
		w.must(err)
		w.equal(found, true)
	},
	"signing in and out are audit entries, and what comes in between is none": func(w *world) {
		x := w.Sessions(who)
		w.must(x.Commit("visitor", nil, start.Add(time.Hour)))
		w.must(x.Delete("visitor"))
		for range 3 {
			w.must(x.Commit("t1", []byte("ada"), start.Add(time.Hour)))
		}
		w.must(x.Delete("t1"))
		w.must(x.Delete("t1"))
		w.must(x.Delete("never"))
		e := w.entries(store.KindSession)
		w.equal(len(e), 2)
		w.equal([]string{e[0].Act, e[0].Actor.Requester, e[1].Act, e[1].Actor.Requester}, []string{"end", "ada", "begin", "ada"})
	},
	"a revoked session ends at once, and a request under way does not begin it anew": func(w *world) {
		x := w.Sessions(who)
		for _, token := range []string{"t1", "t2"} {
			w.must(x.Commit(token, []byte("ada"), start.Add(time.Hour)))
			w.later(time.Second)
		}
		w.must(x.Commit("t3", []byte("joe"), start.Add(time.Hour)))
		of, err := x.Of(w.ctx(), "ada")
		w.must(err)
		w.equal(len(of), 2)
		w.equal([]any{of[0].Subject, of[0].StartedAt, of[0].ExpiresAt}, []any{"ada", start.Add(time.Second), start.Add(time.Hour)})
		w.must(x.Revoke(w.ctx(), of[0].ID, "eve"))
		w.is(x.Revoke(w.ctx(), of[0].ID, "eve"), store.ErrNotFound)
		w.is(x.Revoke(w.ctx(), "no id", "eve"), store.ErrNotFound)
		w.must(x.Commit("t2", []byte("ada"), start.Add(time.Hour)))
		all, err := x.All()
		w.must(err)
		w.equal(len(all), 2)
		_, found, err := x.Find("t2")
		w.must(err)
		w.equal(found, false)
		e := w.entries(store.KindSession)[0]
		w.equal([]string{e.Act, e.Actor.Requester, string(e.Body)}, []string{"revoke", "eve", `{"subject":"ada","sessions":1}`})
	},
	"a session that is used lasts longer, and what it holds stays as another request has left it": func(w *world) {
		x := w.Sessions(who)
		w.must(x.Commit("t1", []byte("ada"), start.Add(time.Hour)))
		w.must(x.Touch(w.ctx(), "t1", start.Add(3*time.Hour)))
		w.later(2 * time.Hour)
		one, found, err := x.Get(w.ctx(), "t1")
		w.must(err)
		w.equal([]any{found, one.Subject, string(one.Data), one.StartedAt, one.ExpiresAt}, []any{true, "ada", "ada", start, start.Add(3 * time.Hour)})
		w.must(x.Revoke(w.ctx(), one.ID, "eve"))
		w.must(x.Touch(w.ctx(), "t1", start.Add(5*time.Hour)))
		_, found, err = x.Get(w.ctx(), "t1")
		w.must(err)
		w.equal(found, false)
		w.equal(len(w.entries(store.KindSession)), 2)
	},
	"the sessions of everybody are of those who have signed in": func(w *world) {
		x := w.Sessions(who)
		w.must(x.Commit("t1", []byte("ada"), start.Add(time.Hour)))
		w.later(time.Second)
		w.must(x.Commit("t2", nil, start.Add(time.Hour)))
		w.must(x.Commit("t3", []byte("joe"), start.Add(time.Hour)))
		all, err := x.Of(w.ctx(), "")
		w.must(err)
		w.equal(len(all), 2)
		w.equal([]string{all[0].Subject, string(all[0].Data), all[1].Subject}, []string{"joe", "joe", "ada"})
	},
	"all sessions of somebody are revoked, and nobody else's": func(w *world) {
		x := w.Sessions(who)
		for _, token := range []string{"t1", "t2", "t3"} {
			w.must(x.Commit(token, []byte("ada"), start.Add(time.Hour)))
		}
		w.must(x.Commit("t4", []byte("joe"), start.Add(time.Hour)))
		w.must(x.Commit("t5", nil, start.Add(time.Hour)))
		n, err := x.RevokeAll(w.ctx(), "ada", "eve")
		w.must(err)
		w.equal(n, int64(3))
		n, err = x.RevokeAll(w.ctx(), "ada", "eve")
		w.must(err)
		w.equal(n, int64(0))
		all, err := x.All()
		w.must(err)
		w.equal(len(all), 2)
		if _, err := x.RevokeAll(w.ctx(), "", "eve"); err == nil {
			w.Error("the sessions of nobody were ended")
		}
		w.equal(len(w.entries(store.KindSession)), 5)
	},
	"who has the database can neither read a session nor put one in another's place": func(w *world) {
		x := w.Sessions(who)
		w.must(x.Commit("t1", []byte("ada the administrator"), start.Add(time.Hour)))
		w.must(x.Commit("t2", []byte("eve"), start.Add(time.Hour)))
		mine, hers := sha256.Sum256([]byte("t2")), sha256.Sum256([]byte("t1"))
		w.db.Exec(w, "UPDATE sessions SET sealed = (SELECT sealed FROM sessions WHERE hash = $1) WHERE hash = $2", hers[:], mine[:])
		if data, found, err := x.Find("t2"); err == nil || found || data != nil {
			w.Error("the session was exchanged")
		}
	},
}

var signIns = map[string]func(*world){
	"a sign-in link works once": func(w *world) {
		link := store.SignInLink{Subject: "local:ada", Role: "administrator", ExpiresAt: start.Add(time.Hour)}
		text, err := w.CreateSignInLink(w.ctx(), link, "ada")
		w.must(err)
		got, err := w.UseSignInLink(w.ctx(), text)
		w.must(err)
		w.equal(got, link)
		got, err = w.UseSignInLink(w.ctx(), text)
		w.is(err, store.ErrUsed)
		w.equal(got, store.SignInLink{})
		if strings.Contains(err.Error(), text) {
			w.Error("the error holds the text")
		}
		e := w.entries(store.KindSignIn)
		w.equal(len(e), 2)
		w.equal([]string{e[0].Act, e[0].Actor.Requester, e[1].Act, e[1].Actor.Requester}, []string{"use", "local:ada", "create", "ada"})
		body, err := json.Marshal(e)
		w.must(err)
		if strings.Contains(string(body), text) {
			w.Error("the audit record holds the text")
		}
	},
	"a link is made beside a server that holds the database and writes": func(w *world) {
		unlock, err := w.LockShared(w.ctx())
		w.must(err)
		var wait sync.WaitGroup
		texts := make([]string, 4)
		for i := range texts {
			beside := w.open(store.Options{Key: w.key, Beside: true})
			wait.Go(func() {
				text, err := beside.CreateSignInLink(w.ctx(), store.SignInLink{Subject: "local:ada", Role: "viewer", ExpiresAt: start.Add(time.Hour)}, "root")
				if err != nil {
					w.Error(err)
				}
				texts[i] = text
			})
			wait.Go(func() {
				if _, _, err := w.CreateToken(w.ctx(), store.Token{Name: "ci", Role: "viewer"}, "ada"); err != nil {
					w.Error(err)
				}
			})
		}
		wait.Wait()
		for _, text := range texts {
			_, err := w.UseSignInLink(w.ctx(), text)
			w.must(err)
		}
		w.equal(len(w.entries(store.KindSignIn)), 2*len(texts))
		w.equal(w.verified().Entries, int64(3*len(texts)))
		w.must(unlock())
	},
	"what is opened beside a server makes neither a database nor tables": func(w *world) {
		w.db.Exec(w, "UPDATE goose_db_version SET version_id = version_id - 1 WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)")
		if s, err := store.Open(w.ctx(), w.db.URL(), store.Options{Key: w.key, Beside: true}); err == nil || !strings.Contains(err.Error(), "brings them up to date") {
			w.Error("the tables of another version were written to: ", err)
			if s != nil {
				_ = s.Shut()
			}
		}
	},
	"of many who follow a sign-in link at once one signs in": func(w *world) {
		text, err := w.CreateSignInLink(w.ctx(), store.SignInLink{Subject: "local:ada", Role: "administrator", ExpiresAt: start.Add(time.Hour)}, "ada")
		w.must(err)
		var wait sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wait.Go(func() { _, results[i] = w.UseSignInLink(w.ctx(), text) })
		}
		wait.Wait()
		var in int
		for _, err := range results {
			if err == nil {
				in++
				continue
			}
			w.is(err, store.ErrUsed)
		}
		w.equal(in, 1)
		w.verified()
	},
	"a sign-in link that ended, was mistyped or never given out is refused": func(w *world) {
		text, err := w.CreateSignInLink(w.ctx(), store.SignInLink{Subject: "local:ada", Role: "administrator", ExpiresAt: start.Add(time.Hour)}, "ada")
		w.must(err)
		_, token := w.token("deploy")
		for _, wrong := range []string{"", text[:20], text[:50] + turned(text[50]) + text[51:], token} {
			_, err = w.UseSignInLink(w.ctx(), wrong)
			w.is(err, store.ErrMistyped)
		}
		w.later(time.Hour)
		_, err = w.UseSignInLink(w.ctx(), text)
		w.is(err, store.ErrExpired)
		w.later(24 * time.Hour)
		w.must(w.Sessions(who).Sweep(w.ctx()))
		_, err = w.UseSignInLink(w.ctx(), text)
		w.is(err, store.ErrNotFound)
		for _, l := range []store.SignInLink{{Subject: "x", Role: "viewer"}, {Role: "viewer", ExpiresAt: w.clock.Now().Add(1)}, {Subject: "x", ExpiresAt: w.clock.Now().Add(1)}} {
			if text, err := w.CreateSignInLink(w.ctx(), l, "ada"); err == nil || text != "" {
				w.Errorf("%+v was made", l)
			}
		}
	},
}
