package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDemoStaysUntilInterrupted reads the story to its end, finds the simulated GitHub and the files in place, and interrupts it.
func TestDemoStaysUntilInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	t.Setenv("TMPDIR", t.TempDir())
	read, write := io.Pipe()
	code := make(chan int, 1)
	go func() {
		c := &cli{stdin: strings.NewReader(""), stdout: write, stderr: io.Discard, env: os.LookupEnv, now: time.Now}
		code <- c.run(ctx, []string{"demo"})
		_ = write.Close()
	}()
	var url, dir string
	lines := bufio.NewScanner(read)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "In another terminal") {
		if _, rest, ok := strings.Cut(lines.Text(), "keeps running at "); ok {
			url, _, _ = strings.Cut(rest, " ")
		}
		if rest, ok := strings.CutPrefix(lines.Text(), "$ cd "); ok {
			dir = rest
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/orgs/northlight", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer ghp_simulated")
	answer, err := new(http.Client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the simulated GitHub answers %s", answer.Status)
	}
	_ = answer.Body.Close()
	if _, err := os.Stat(filepath.Join(dir, "musterline.yaml")); err != nil {
		t.Error(err)
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
