package telemetry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func unset(string) (string, bool) { return "", false }

// shown returns what /metrics says.
func shown(t *testing.T, m *Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestFiguresAreShownUnderTheirNames(t *testing.T) {
	m, err := New(t.Context(), "1.2.3", unset)
	if err != nil {
		t.Fatal(err)
	}
	octo := m.Target("octo")
	octo.Called(t.Context(), "core", 200, 30*time.Millisecond)
	octo.Called(t.Context(), "core", 304, 10*time.Millisecond)
	octo.Spent(t.Context(), "graphql", 3)
	octo.Left("core", 4990, 5000)
	octo.Waited(time.Second)
	m.Served("GET /api/v3/orgs/{org}/team-sync/groups", 200, time.Millisecond)
	m.Ran("octo", "done", time.Minute)
	m.Wrote("octo", "add", "done")
	m.Read("corp", time.Second, errors.New("down"))
	age := 61.0
	if err := m.Gauge("musterline.source.age", "s", "Time since the last complete read.", func(context.Context) []Figure {
		return []Figure{{age, []string{"source", "corp"}}}
	}); err != nil {
		t.Fatal(err)
	}
	text := shown(t, m)
	for _, want := range []string{
		`musterline_target_calls_total{resource="core",status="304",target="octo"} 1`,
		`musterline_target_points_total{resource="graphql",target="octo"} 3`,
		`musterline_target_points_left{resource="core",target="octo"} 4990`,
		`musterline_target_wait_seconds_count{target="octo"} 1`,
		`musterline_http_requests_total{route="GET /api/v3/orgs/{org}/team-sync/groups",status="200"} 1`,
		`musterline_runs_total{state="done",target="octo"} 1`,
		`musterline_changes_total{act="add",result="done",target="octo"} 1`,
		`musterline_source_read_seconds_count{result="failed",source="corp"} 1`,
		`musterline_source_age_seconds{source="corp"} 61`,
		`go_goroutines `,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not shown: %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	if age = 62; !strings.Contains(shown(t, m), `musterline_source_age_seconds{source="corp"} 62`) {
		t.Error("a gauge shows what was, not what is")
	}
}

func TestACollectorGetsFiguresAndSpansWhenTheEnvironmentNamesOne(t *testing.T) {
	var metrics, traces atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/v1/metrics":
			metrics.Add(1)
		case "/v1/traces":
			traces.Add(1)
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL) // the exporters read it themselves
	m, err := New(t.Context(), "1.2.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, span := m.Tracer().Start(t.Context(), "run")
	span.End()
	m.Ran("octo", "done", time.Second)
	if err := m.Shut(context.Background()); err != nil {
		t.Fatal(err)
	}
	if metrics.Load() == 0 || traces.Load() == 0 {
		t.Errorf("%d posts of figures, %d of spans", metrics.Load(), traces.Load())
	}
}

func TestWithoutACollectorNobodyIsCalled(t *testing.T) {
	for _, env := range []map[string]string{{}, {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}} {
		m, err := New(t.Context(), "1.2.3", func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		if err != nil {
			t.Fatal(err)
		}
		_, span := m.Tracer().Start(t.Context(), "run")
		if span.IsRecording() || m.traces != nil {
			t.Error("spans are made for nobody")
		}
		span.End()
		if err := m.Shut(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
