package e2e

import (
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// questions answers the browser's own questions with no, and counts them.
func (b *tab) questions() (asked func() int) {
	b.t.Helper()
	var mu sync.Mutex
	n := 0
	err := chromedp.Listen(b.ctx, func(event any) {
		if e, ok := event.(*page.EventJavascriptDialogOpening); ok && e.Type == page.DialogTypeBeforeunload {
			mu.Lock()
			n++
			mu.Unlock()
			go func() {
				_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: false})
			}()
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// Groups that were chosen and not saved are not lost by a slip: not by a link, not by the back button, not by loading the page again. Once they
// are saved or taken back, nobody is asked.
func TestLeavingATeamAsksWhatBecomesOfChosenGroups(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	asked := b.questions()
	const design = "/console/organizations/northlight/teams/design"
	b.open("/console/organizations/northlight/teams")
	b.click("link", "Design")
	b.see("No group is connected")
	b.pickGroup("wri", "Writers")

	b.click("link", "Plans")
	b.see("Leave without saving?", "What you have changed here would be lost.")
	if at := eval[bool](b, `document.activeElement.closest('[role="alertdialog"]') !== null`); !at {
		t.Errorf("the focus is not in the question: it is at %q", b.focused())
	}
	b.axe()
	b.shot("leave-light")
	b.press(kb.Escape)
	b.gone("Leave without saving?")
	b.see("Writers", "not saved")
	if at := b.focused(); !strings.Contains(at, "Plans") {
		t.Errorf("after the question the focus is at %q", at)
	}
	_ = eval[bool](b, `history.back() || true`)
	b.see("Leave without saving?")
	b.click("button", "Stay")
	b.gone("Leave without saving?")
	if b.at() != design {
		t.Errorf("who stays is at %s", b.at())
	}
	_ = eval[bool](b, `setTimeout(() => location.reload(), 0) > 0`)
	b.wait("the browser asks", func() bool { return asked() == 1 })
	b.see("Writers", "not saved")

	b.saveGroups("Dana has changed teams")
	b.confirm("Save changes")
	b.see("Saved")
	b.click("link", "Plans")
	b.see("What the next sync of each organization")
	if asked() != 1 {
		t.Errorf("the browser has asked %d times", asked())
	}
	b.open(design)
	b.click("button", "Remove Writers")
	b.see("No group is left")
	b.click("link", "Plans")
	b.click("button", "Leave")
	b.see("What the next sync of each organization")
}

// Any form with something typed asks, and none asks that was saved or only opened.
func TestLeavingAFormAsks(t *testing.T) {
	l := newLab(t)
	l.write("more.yaml", company)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	asked := b.questions()
	leaves := func(how string, asks bool) {
		t.Helper()
		b.click("link", "Audit log")
		if asks {
			b.see("Leave without saving?")
			b.click("button", "Stay")
			b.gone("Leave without saving?")
			return
		}
		b.wait(how+": the audit log is there", func() bool { return strings.HasPrefix(b.at(), "/console/audit") })
	}
	b.open("/console/connections/new/source")
	b.click("radio", "YAML, JSON or CSV file")
	b.fill("Name", "more")
	leaves("a new source", true)
	b.fill("File", "more.yaml")
	b.click("button", "Add source")
	b.see("Save changes") // which has led to its page, unasked
	b.fill("File", "else.yaml")
	leaves("a changed source", true)
	b.fill("File", "more.yaml")
	leaves("a source as it was", false)
	b.open("/console/settings/schedule")
	b.fill("Every", "20m")
	leaves("settings", true)
	b.click("button", "Discard")
	leaves("settings taken back", false)
	b.open("/console/runs/1/undo?target=northlight")
	b.fill("Reason", "a slip")
	leaves("an undo", true)
	_ = eval[bool](b, `setTimeout(() => location.assign("/console/connections"), 0) > 0`)
	b.wait("the browser asks, and is told to stay", func() bool { return asked() == 1 })
	if !strings.Contains(b.at(), "/undo") {
		t.Errorf("it is at %s", b.at())
	}
	b.click("button", "Undo 3 changes")
	b.see("Undo of run 1")
	if asked() != 1 {
		t.Error("who has saved is asked")
	}
}
