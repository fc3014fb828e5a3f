package e2e

import (
	"bufio"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

var pictures = flag.String("pictures", "", "folder for the pictures of the README and docs, which are of the demonstration")

// The demonstration opens on a company with a history, something to decide, people who cannot be matched, and a run to watch; and somebody who
// signs in there without a role can link themselves.
func TestTheDemonstration(t *testing.T) {
	l := newLab(t)
	dir := filepath.Join(t.TempDir(), "demo")
	demo := l.command("demo", "--dir", dir, "--listen", strings.TrimPrefix(l.url, "http://"))
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := start(demo); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	defer func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		for lines.Scan() { // to the end, or it would wait
		}
		if err := demo.Wait(); err != nil {
			t.Errorf("the demonstration did not end well: %v", err)
		}
	}()
	link := ""
	for lines.Scan() && !strings.Contains(lines.Text(), "demo --once") {
		if strings.Contains(lines.Text(), "/login/link/") {
			link = strings.TrimSpace(lines.Text())
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "musterline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l.idp = regexp.MustCompile(`issuer: "([^"]+)"`).FindStringSubmatch(string(text))[1]
	l.hub.URL = regexp.MustCompile(`api_url: "([^"]+)"`).FindStringSubmatch(string(text))[1]

	b := l.newTab()
	b.open(link)
	b.click("button", "Sign in")
	b.see("Overview", "northlight")
	b.settled()
	b.axe()
	b.shot("demo-overview")
	for _, page := range []struct{ name, path, says string }{
		{"plan", "/console/organizations/northlight/plan", "mobile"}, {"runs", "/console/runs", "amara"}, {"teams", "/console/organizations/northlight/teams", "all-hands"},
		{"people", "/console/people", "Joe Mwangi"}, {"audit", "/console/audit", "northlight"},
	} {
		b.open(page.path)
		b.see(page.says)
		b.settled()
		b.shot("demo-" + page.name)
	}

	b.pictures()

	joe := l.newTab()
	joe.open("/console/link")
	joe.click("link", "Sign in with Northlight ID")
	choosePerson(joe, "joe")
	joe.see("northlight/docs")
	joe.click("link", "Sign in with GitHub")
	joe.click("link", "northlight-bot")
	joe.see("Signed in as northlight-bot")
	joe.click("button", "Link my accounts")
	joe.see("Your accounts are linked")
	joe.shot("demo-link")
}

// pictures keeps small pictures of pages where -pictures says, in light and in dark.
func (b *tab) pictures() {
	b.t.Helper()
	if *pictures == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		b.guise(1040, 720, scheme)
		for _, page := range []struct{ name, path string }{
			{"overview", "/console/"},
			{"plan", "/console/organizations/northlight/plan"},
			{"team", "/console/organizations/northlight/teams/all-hands"},
			{"person", "/console/people/people/zoe"},
		} {
			b.open(page.path)
			b.settled()
			png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			if err == nil {
				err = os.WriteFile(filepath.Join(*pictures, page.name+"-"+scheme+".png"), png, 0o600)
			}
			if err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.guise(1280, 900, "light")
}
