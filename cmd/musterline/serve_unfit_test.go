package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
)

// What the file has come to say must neither keep a server from starting, nor take people out of teams that somebody's rule has put them into.
func TestAServerStartsWithoutWhatDoesNotFitAndLeavesItsTeamsAlone(t *testing.T) {
	s := layOut(t, "metrics_token: figures")
	out, code := s.run("token", "create", "--name", "ops", "--role", "administrator", "--json")
	var token struct{ Text string }
	_, object, _ := strings.Cut(out, "{") // before it something is said of the key file
	if code != exitDone || json.Unmarshal([]byte("{"+object), &token) != nil || token.Text == "" {
		t.Fatalf("%d: %s", code, out)
	}
	put := func(path, body string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.at+"/api/musterline"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer " + token.Text}, "Content-Type": {"application/json"}, "If-Match": {"*"}}
		resp, err := s.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d", path, resp.StatusCode)
		}
	}
	runs := func() int {
		t.Helper()
		_, text := s.ask("GET", "/api/musterline/runs?target=octo", token.Text, "")
		return strings.Count(text, `"started_at"`)
	}
	s.org.AddTeam("sre")
	members := func() int { return len(s.org.Team("sre").Members()) }
	const rule = `","team":"octo/{{ lower .Group.Name }}"}`
	s.start()
	put("/rules/all", `{"match":"people/*`+rule)
	s.until("the rule's team has its members", func() bool { return members() == 2 })
	s.until("the run has ended", func() bool {
		_, text := s.ask("GET", "/api/musterline/status", token.Text, "")
		return strings.Contains(text, `"state":"done"`)
	})
	before := runs()
	if code := s.ended(); code != exitDone {
		t.Fatalf("it ended with %d:\n%s", code, s.log)
	}

	file, err := os.ReadFile(filepath.Join(s.dir, "musterline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("musterline.yaml", strings.ReplaceAll(string(file), "people:", "staff:"))
	s.start()
	if said := s.log.String(); !strings.Contains(said, `"level":"ERROR"`) || !strings.Contains(said, "is left out") || !strings.Contains(said, "a target is not synced") {
		t.Errorf("the log does not say what was left out:\n%s", said)
	}
	s.until("it is ready", func() bool { status, _ := s.ask("GET", "/readyz", "", ""); return status == http.StatusOK })
	s.until("the source has been read", func() bool {
		_, text := s.ask("GET", "/api/v3/orgs/octo-org/team-sync/groups", ownersToken, "")
		return strings.Contains(text, `"staff:sre"`)
	})
	if status, text := s.ask("POST", "/api/musterline/targets/octo/sync", token.Text, ""); status == http.StatusAccepted {
		t.Errorf("a sync is taken that cannot be: %s", text)
	}
	if runs() != before || members() != 2 {
		t.Errorf("%d runs before and %d now, %d members", before, runs(), members())
	}
	for _, command := range [][]string{{"status"}, {"check"}, {"plan"}} {
		if out, _ := s.run(command...); !strings.Contains(strings.Join(strings.Fields(out), " "), "rules/all") {
			t.Errorf("%s does not tell of it:\n%s", command, out)
		}
	}

	put("/rules/all", `{"match":"staff/*`+rule)
	s.until("a sync follows", func() bool { return runs() > before })
	s.until("it has ended", func() bool {
		_, text := s.ask("GET", "/api/musterline/status", token.Text, "")
		return !strings.Contains(text, `"state":""`)
	})
	if members() != 2 {
		t.Errorf("the team has %d members", members())
	}
	if code := s.ended(); code != exitDone {
		t.Errorf("it ended with %d:\n%s", code, s.log)
	}
}

func TestTheStatusTellsWhatWasLeftOutAndWhatRestsOnIt(t *testing.T) {
	var out bytes.Buffer
	view.Status(view.Screen{Out: &out, Width: 80}, answer.Status{
		Database: true, Targets: []answer.TargetStatus{{Name: "octo", Apply: "auto", RestsOn: []string{"rules/a", "settings/guards"}}},
		Unfit: []answer.Unfit{{Section: "rules", Name: "a", Reason: "there is no source of that name"}},
	}, time.Now())
	for _, want := range []string{
		"not synced", "it rests on what does not fit: rules/a and settings/guards", "Left out of the configuration: rules/a\n  there is no source of that name",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say: %s\n%s", want, &out)
		}
	}
}
