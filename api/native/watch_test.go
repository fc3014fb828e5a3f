package native_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"musterline.example/api/native"
	"musterline.example/reconcile"
	"musterline.example/store"
)

// opened opens a run of octo at which nobody works.
func (l *lab) opened() string {
	l.t.Helper()
	r, err := l.house.Store.Begin(l.t.Context(), reconcile.Run{Target: "octo", Trigger: reconcile.ByPerson})
	if err != nil {
		l.t.Fatal(err)
	}
	return "/runs/" + r.ID + "/events?brief=true"
}

// followed begins to follow, and returns what waits for the end of the stream and tells the name and the class of its last event.
func (l *lab) followed(who, path string) (wait func() string) {
	l.t.Helper()
	r, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.server.URL+native.Prefix+path, http.NoBody)
	if err != nil {
		l.t.Fatal(err)
	}
	if token := l.tokens[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	} else {
		r.AddCookie(l.cookies[who])
	}
	answered, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = answered.Body.Close() })
	if answered.StatusCode != http.StatusOK {
		l.t.Fatalf("%s follows %s: %s", who, path, answered.Status)
	}
	return func() string {
		text, err := io.ReadAll(answered.Body)
		if err != nil {
			return err.Error()
		}
		_, last, _ := strings.Cut(string(text), "event: error\ndata: ")
		var said struct{ Class string }
		_ = json.Unmarshal([]byte(last), &said)
		return said.Class
	}
}

func TestAStreamEndsWithWhatLetItsReaderIn(t *testing.T) {
	l := newLab(t)
	l.api.Watch = time.Hour // what is changed here is heard of at once
	path := l.opened()

	events := l.followed("signed-in viewer", path)
	l.ask("signed-in viewer", "POST", "/me/sign-out", "").want(204)
	if got := events(); got != "unknown" {
		t.Errorf("signed out: the stream ended with %q", got)
	}

	of := as[struct {
		Sessions []struct{ ID, Role, Target string }
	}](l.ask("signed-in administrator", "GET", "/sessions", "").want(200))
	for _, s := range of.Sessions {
		if s.Role == "maintainer" {
			events = l.followed("signed-in maintainer", path)
			l.ask("signed-in administrator", "DELETE", "/sessions/"+s.ID, "").want(204)
			if got := events(); got != "unknown" {
				t.Errorf("the session was ended: the stream ended with %q", got)
			}
		}
	}

	events = l.followed("octo's viewer", path)
	for _, k := range as[struct{ Tokens []struct{ ID, Name string } }](l.get("/tokens").want(200)).Tokens {
		if k.Name == "octo's viewer" {
			l.ask("administrator", "DELETE", "/tokens/"+k.ID, "").want(200)
		}
	}
	if got := events(); got != "unknown" {
		t.Errorf("the token was revoked: the stream ended with %q", got)
	}

	if err := l.house.Store.AssignRole(t.Context(), store.Assigned{Subject: "local:grace", Role: "viewer", Target: "octo"}, "a test"); err != nil {
		t.Fatal(err)
	}
	events = l.followed("signed-in owner of hex", path)
	if err := l.house.Store.WithdrawRole(t.Context(), "local:grace", "octo", "a test"); err != nil {
		t.Fatal(err)
	}
	l.ask("signed-in owner of hex", "POST", "/targets/hex/pause", `{"reason":"something is changed"}`).want(200)
	if got := events(); got != "not-found" {
		t.Errorf("the role was taken away: the stream ended with %q", got)
	}
}

func TestAStreamEndsThoughAnotherServerHasTakenTheRightAway(t *testing.T) {
	l := newLab(t)
	l.api.Watch = time.Millisecond
	path := l.opened()
	events := l.followed("octo's viewer", path)
	for _, k := range as[struct{ Tokens []struct{ ID, Name string } }](l.get("/tokens").want(200)).Tokens {
		if k.Name == "octo's viewer" {
			if err := l.house.Store.RevokeToken(t.Context(), k.ID, "a test"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := events(); got != "unknown" {
		t.Errorf("the token was revoked: the stream ended with %q", got)
	}
}

func TestToFollowIsNoUseOfASession(t *testing.T) {
	l := newLab(t)
	l.api.Watch = time.Millisecond
	path := l.opened()
	lasts := func() time.Time {
		for _, s := range as[struct {
			Sessions []struct {
				Role      string
				ExpiresAt time.Time `json:"expires_at"`
			}
		}](l.ask("signed-in administrator", "GET", "/sessions", "").want(200)).Sessions {
			if s.Role == "viewer" {
				return s.ExpiresAt
			}
		}
		t.Fatal("there is no such session")
		return time.Time{}
	}
	events := l.followed("signed-in viewer", path)
	before := lasts()
	for range 20 {
		l.ask("administrator", "GET", "/me", "").want(200)
	}
	if after := lasts(); !after.Equal(before) {
		t.Errorf("it lasted until %v and lasts until %v", before, after)
	}
	l.ask("signed-in viewer", "POST", "/me/sign-out", "").want(204)
	events()
}
