package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
)

// The whole program: it says where it is, answers, keeps a log of calls, and ends when told.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	file, log := filepath.Join(dir, "org.json"), filepath.Join(dir, "calls.jsonl")
	if err := os.WriteFile(file, []byte(`{"organization":"acme","owners":["ann"],"teams":[{"name":"Ops","members":["ann"]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--load", file, "--listen", "127.0.0.1:0", "--call-log", log, "--token", "mine"}, in)
		in.Close()
	}()

	lines := bufio.NewScanner(out)
	var base string
	for lines.Scan() && !strings.Contains(lines.Text(), "curl") {
		if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == "REST" {
			base = words[1]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()

	for token, want := range map[string]int{"ghp_simple": 200, "mine": 200, "other": 401} {
		req, _ := http.NewRequest("GET", base+"/orgs/acme/teams", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("token %s: %d, want %d", token, resp.StatusCode, want)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "ghp_simple") {
		t.Error("the log shows a token")
	}
	calls := strings.Split(strings.TrimSpace(string(text)), "\n")
	var c githubsim.Call
	if err := json.Unmarshal([]byte(calls[0]), &c); err != nil || len(calls) != 3 || c.Route != "GET /orgs/{org}/teams" {
		t.Errorf("%v: %s", err, text)
	}
}

func TestProgramRefusesNonsense(t *testing.T) {
	for _, args := range [][]string{{"--load", "/does/not/exist"}, {"--user", "nobody"}, {"--listen", "nowhere:nothing"}} {
		if err := run(context.Background(), args, io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
