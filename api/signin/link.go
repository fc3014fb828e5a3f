package signin

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"musterline.example/api/access"
	"musterline.example/store"
)

// LocalSubject is somebody who signs in with a link, as roles and the audit record know them.
const LocalSubject = "local:"

// showLink shows a link's page. To look at it uses nothing up: programs that search mail for bad links follow every one of them.
func (s *SignIn) showLink(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "link.html", map[string]any{"Title": "Sign in"})
}

// useLink signs in whoever presses the button, once.
func (s *SignIn) useLink(w http.ResponseWriter, r *http.Request) {
	if err := s.cross.Check(r); err != nil {
		s.tell(w, r, foreignForm)
		return
	}
	link, err := s.Store.UseSignInLink(r.Context(), r.PathValue("text"))
	switch {
	case errors.Is(err, store.ErrMistyped), errors.Is(err, store.ErrNotFound):
		s.tell(w, r, linkUnknown)
		return
	case errors.Is(err, store.ErrExpired):
		s.tell(w, r, linkExpired)
		return
	case errors.Is(err, store.ErrUsed):
		s.tell(w, r, linkUsed)
		return
	case err != nil:
		s.fault(w, r, err)
		return
	}
	name := strings.TrimPrefix(link.Subject, LocalSubject)
	h := held{Subject: link.Subject, Way: access.ByLink, Name: name, Login: name, Since: s.Now().UTC(), Role: access.Role(link.Role), Target: link.Target}
	s.enter(w, r, h, time.Time{}, home)
}

// enter begins the session and sends the browser on.
func (s *SignIn) enter(w http.ResponseWriter, r *http.Request, h held, until time.Time, to string) {
	if err := s.begin(w, r, h, until); err != nil {
		s.fault(w, r, err)
		return
	}
	s.Log.InfoContext(r.Context(), "signed in", "who", h.person(store.Session{}).Who(), "way", h.Way)
	http.Redirect(w, r, to, http.StatusSeeOther)
}
