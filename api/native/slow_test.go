package native_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"musterline.example/api/native"
)

// A deadline notes what an answer is told about its end.
type deadline struct {
	http.ResponseWriter
	lifted bool
}

func (d *deadline) SetWriteDeadline(at time.Time) error {
	d.lifted = d.lifted || at.IsZero()
	return nil
}

// Reading an organization may take longer than a server waits for an answer to be written.
func TestAnswersThatWaitForOthersHaveNoDeadline(t *testing.T) {
	l := newLab(t)
	slow := []string{
		"POST /check", "POST /targets/octo/plan", "POST /targets/octo/approvals", "GET /targets/octo/teams", "GET /targets/octo/teams/free",
		"GET /sources/people/groups", "GET /audit/export", "GET /audit/verify", "PUT /targets/octo/teams/free/mappings", "POST /targets/octo/teams/free/mappings/preview",
		"POST /runs/1/undo/plan", "POST /targets/octo/check", "POST /sources/people/check",
	}
	for _, route := range append(slow, "GET /status", "GET /audit", "GET /runs", "POST /targets/octo/sync") {
		w := &deadline{ResponseWriter: httptest.NewRecorder()}
		method, path, _ := strings.Cut(route, " ")
		r := httptest.NewRequest(method, native.Prefix+path, nil)
		r.Header.Set("Authorization", "Bearer "+l.tokens["administrator"])
		l.api.ServeHTTP(w, r)
		if want := slices.Contains(slow, route); w.lifted != want {
			t.Errorf("%s: lifted %t", route, w.lifted)
		}
	}
}
