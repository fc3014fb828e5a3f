package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"musterline.example/api"
	"musterline.example/api/request"
)

// A room says its name, what it knows of the request, and panics on demand.
func room(name string) api.Room {
	return api.Plain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := request.Of(r.Context())
		i.Route, i.Who = "GET /"+name, "ann"
		switch r.URL.Query().Get("do") {
		case "panic":
			panic("a mistake")
		case "late":
			w.WriteHeader(http.StatusAccepted)
			panic("a mistake after the answer")
		case "abort":
			panic(http.ErrAbortHandler)
		}
		_, _ = fmt.Fprint(w, name, " ", i.Base, " ", i.From)
	}))
}

type figures struct{ told []string }

func (f *figures) Served(method, route string, status int, _ time.Duration) {
	f.told = append(f.told, fmt.Sprint(method, " ", route, " ", status))
}

func ask(t *testing.T, o api.Options, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	api.New(o).ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func options() api.Options {
	return api.Options{GitHub: room("github"), Rooms: map[string]api.Room{"/console": room("console"), "/api/musterline": room("native"), "/api": room("api")}}
}

func TestTheLongestPathFits(t *testing.T) {
	for path, want := range map[string]string{
		"/": "github", "/orgs/x": "github", "/console": "console", "/console/x": "console", "/consoles": "github", "/api/musterline": "native",
		"/api/musterline/v1": "native", "/api/musterlines": "api", "/api/v3": "api", "/apis": "github",
	} {
		if got, _, _ := strings.Cut(ask(t, options(), path).Body.String(), " "); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestAPanicIsAnAnswerInTheRoomsForm(t *testing.T) {
	var log bytes.Buffer
	f := &figures{}
	o := options()
	o.Log, o.Metrics = slog.New(slog.NewTextHandler(&log, nil)), f
	w := ask(t, o, "/console?do=panic")
	var body struct{ Message string }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusInternalServerError || body.Message != "Server Error" {
		t.Error(w.Code, w.Body, err)
	}
	if !strings.Contains(log.String(), "a mistake") || !strings.Contains(log.String(), w.Header().Get("X-Request-Id")) {
		t.Error(log.String())
	}
	if w := ask(t, o, "/console?do=late"); w.Code != http.StatusAccepted || w.Body.Len() != 0 {
		t.Error("an answer after the answer:", w.Code, w.Body)
	}
	if want := []string{"GET GET /console 500", "GET GET /console 202"}; fmt.Sprint(f.told) != fmt.Sprint(want) {
		t.Error(f.told)
	}
	if strings.Contains(log.String(), "do=panic") {
		t.Error("the query is in the log")
	}
	defer func() {
		if recover() == nil {
			t.Error("net/http is not told to cut the connection")
		}
	}()
	ask(t, o, "/console?do=abort")
}

func TestAHostThatIsNoneIsRefused(t *testing.T) {
	for host, fine := range map[string]bool{
		"example.com": true, "example.com:8443": true, "[::1]:80": true, "a_b.example": true, "": false, "a b": false, "a>b": false, "a/b": false, "x:y": false,
		`a"b`: false, "[::1": false, "a,b": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		api.New(options()).ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != fine {
			t.Errorf("%q: %d", host, w.Code)
		}
	}
}

// Somebody puts a token where a name belongs, and the log must not keep it.
func TestATokenInAPathIsNotLogged(t *testing.T) {
	for _, token := range []string{"mst_verysecret_x", "ghp_verysecret", "gho_verysecret", "ghs_verysecret", "github_pat_11_verysecret", "MST_verysecret", "x%20ghp_verysecret"} {
		var log bytes.Buffer
		o := options()
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		ask(t, o, "/api/musterline/tokens/"+token+"/more")
		if strings.Contains(log.String(), "verysecret") || !strings.Contains(log.String(), "/api/musterline/tokens/") || !strings.Contains(log.String(), "/more") {
			t.Errorf("%s: %s", token, log.String())
		}
	}
}

// Programs that ask GitHub for / get GitHub's answer; a person who types the address into a browser wants the console.
func TestABrowserIsLedToTheConsole(t *testing.T) {
	o := options()
	o.Home = "/console/"
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	w := httptest.NewRecorder()
	api.New(o).ServeHTTP(w, r)
	if w.Code != http.StatusFound || w.Header().Get("Location") != "/console/" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if got := ask(t, o, "/"); got.Code != http.StatusOK {
		t.Errorf("a program got %d", got.Code)
	}
}
