package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
	"time"
)

// TestDemoServesUntilInterrupted signs in with the link that the demonstration prints, and finds what it promises: a year of runs, something that
// waits for a person, people who cannot be matched, what was changed by hand, a run in progress, and both ways to sign in.
func TestDemoServesUntilInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	t.Setenv("TMPDIR", t.TempDir())
	read, write := io.Pipe()
	code := make(chan int, 1)
	go func() {
		c := &cli{stdin: strings.NewReader(""), stdout: write, stderr: write, env: os.LookupEnv, now: time.Now}
		code <- c.run(ctx, []string{"demo"})
		_ = write.Close()
	}()
	var console, link, dir string
	lines := bufio.NewScanner(read)
	for lines.Scan() && !strings.Contains(lines.Text(), "demo --once") {
		switch text := strings.TrimSpace(lines.Text()); {
		case strings.HasPrefix(text, "The console is at "):
			console = strings.TrimSuffix(strings.TrimPrefix(text, "The console is at "), "/console/")
		case strings.Contains(text, "/login/link/"):
			link = text
		case strings.HasPrefix(text, "cd "):
			dir = strings.TrimPrefix(text, "cd ")
		}
	}
	if link == "" || console == "" || dir == "" {
		t.Fatalf("the demonstration says too little: %q %q %q", console, link, dir)
	}
	jar, _ := cookiejar.New(nil)
	visitor := &http.Client{Jar: jar}
	ask := func(address string, into any) {
		t.Helper()
		resp, err := visitor.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %s", address, resp.Status)
		}
		if into != nil && json.NewDecoder(resp.Body).Decode(into) != nil {
			t.Fatalf("%s answers with no JSON", address)
		}
	}
	resp, err := visitor.Post(link, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	api := console + "/api/musterline"
	var runs struct {
		Runs []struct {
			ID    string
			State string
		}
	}
	for range 200 { // the server takes what was asked of it a moment after its start
		runs.Runs = nil
		if ask(api+"/runs?size=100", &runs); len(runs.Runs) > 0 && runs.Runs[0].State == "" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	states := map[string]int{}
	for _, r := range runs.Runs {
		states[r.State]++
	}
	if len(runs.Runs) < 30 || states["objected"] == 0 || states["done"] == 0 {
		t.Errorf("the history has %d runs: %v", len(runs.Runs), states)
	}
	if first := runs.Runs[0]; first.State != "" {
		t.Errorf("no run is in progress: the last has ended as %s", first.State)
	}
	var last struct {
		Plan struct {
			Objections []struct{ Guard, Team string }
			Held       []struct{ Reason string }
		}
	}
	ask(api+"/targets/northlight/plan", &last)
	plan := last.Plan
	if len(plan.Objections) == 0 || plan.Objections[0].Team != "mobile" {
		t.Errorf("what waits for a person: %+v", plan.Objections)
	}
	reasons := map[string]int{}
	for _, h := range plan.Held {
		reasons[h.Reason]++
	}
	if reasons["not-linked"] == 0 || reasons["not-a-member"] == 0 {
		t.Errorf("who cannot be matched: %v", reasons)
	}
	for door, want := range map[string]string{"oidc": "identity provider", "github": "Simulated GitHub"} {
		resp, err := visitor.Get(console + "/login/" + door)
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !strings.Contains(string(page), want) {
			t.Errorf("signing in with %s leads to %s", door, page)
		}
	}
	interrupt()
	for lines.Scan() { // to the end, or the other side would wait
	}
	if got := <-code; got != exitDone {
		t.Errorf("exit code %d", got)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is still there", dir)
	}
}
