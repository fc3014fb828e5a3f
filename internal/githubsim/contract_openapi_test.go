package githubsim_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"musterline.example/internal/githubsim/contracttest"
)

// watched holds every answer to a test against the published description, where that is at hand.
func watched(l *lab, h http.Handler) http.Handler {
	router, err := contracttest.Router()
	if err != nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.faulty.Load() {
			h.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if err := contracttest.Conforms(router, r, rec); err != nil {
			l.t.Errorf("%s %s: %d is not as published: %v\n%s", r.Method, r.URL.Path, rec.Code, err, rec.Body)
		}
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// The watch over the other tests must not be off unnoticed.
func TestAnswersAreWatched(t *testing.T) {
	if _, err := contracttest.Router(); err != nil {
		contracttest.Without(t, err)
	}
}
