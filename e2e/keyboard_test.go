package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// enter presses Enter as a keyboard does: what hears the key and takes it for its own is not clicked beside.
func (b *tab) enter() {
	b.t.Helper()
	for _, sort := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		_, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: sort, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// shiftTab goes one stop back.
func (b *tab) shiftTab() {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift))); err != nil {
		b.t.Fatal(err)
	}
}

// sighted says what is wrong with the focus as somebody sees it: nothing has it, it is out of sight, something lies over it, or nothing shows
// where it is. What takes the focus so that a reader of screens begins there, and is no stop of the keyboard, shows none.
const sighted = `new Promise(painted => requestAnimationFrame(() => requestAnimationFrame(painted))).then(() => {
	const e = document.activeElement
	if (!e || e === document.body) return "nothing has the focus"
	if (e.tabIndex < 0 && !e.matches("input, textarea, select, button, a")) return ""
	const r = e.getBoundingClientRect()
	if (r.width === 0 || r.bottom <= 0 || r.top >= innerHeight || r.right <= 0 || r.left >= innerWidth) return "it is out of sight"
	const over = document.elementFromPoint(Math.min(Math.max(r.left + r.width / 2, 1), innerWidth - 1), Math.min(Math.max(r.top + r.height / 2, 1), innerHeight - 1))
	if (over && !e.contains(over) && !over.contains(e) && !e.parentElement.contains(over)) return "something lies over it: " + over.outerHTML.slice(0, 120)
	for (let x = e, n = 0; x && n < 4; x = x.parentElement, n++)
		for (const part of [undefined, "::before", "::after"]) {
			const s = getComputedStyle(x, part)
			if (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 && !s.outlineColor.endsWith(", 0)")) return ""
			if (x === e && s.boxShadow.includes("inset")) return ""
		}
	return "nothing shows where it is"
})`

// stop fails the test when the focus cannot be seen.
func (b *tab) stop() {
	b.t.Helper()
	if wrong := eval[string](b, sighted); wrong != "" {
		b.t.Errorf("the focus at %q on %s: %s", b.focused(), b.at(), wrong)
	}
}

// reach goes on by Tab until what has the focus is of this name, and sees it at every stop on the way.
func (b *tab) reach(want string) {
	b.t.Helper()
	ended := false // behind the last stop of a page the browser's own come, once
	for range 80 {
		if strings.Contains(b.focused(), want) {
			return
		}
		b.press(kb.Tab)
		if !ended && eval[bool](b, `document.activeElement === document.body`) {
			ended = true
			continue
		}
		b.stop()
	}
	b.shot("failed")
	b.t.Fatalf("the keyboard does not come to %q; it is at %q on %s", want, b.focused(), b.at())
}

// lands waits until the focus is where it should be after an act.
func (b *tab) lands(where, expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); !eval[bool](b, expression); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("the focus is not %s, but at %q on %s", where, b.focused(), b.at())
		}
	}
}

const (
	onMain   = `document.activeElement.id === "main"`
	inDialog = `document.activeElement.closest('[role="dialog"], [role="alertdialog"]') !== null`
)

// round goes through all stops of a page, forth and back: nothing holds the keyboard.
func (b *tab) round() {
	b.t.Helper()
	_ = eval[bool](b, `(document.activeElement.blur(), window.getSelection().removeAllRanges(), true)`)
	for range 2 { // from wherever the browser begins, to the head of the page
		for n := 0; !strings.Contains(b.focused(), "Skip to content"); n++ {
			if n == 200 {
				b.t.Fatalf("the keyboard is held on %s at %q", b.at(), b.focused())
			}
			b.press(kb.Tab)
		}
		b.press(kb.Tab)
	}
	for n := 0; !strings.Contains(b.focused(), "Skip to content"); n++ {
		if n == 200 {
			b.t.Fatalf("the keyboard is held on the way back on %s at %q", b.at(), b.focused())
		}
		b.shiftTab()
	}
}

// Somebody without a mouse signs in, finds a team, chooses a group by typing, sees who would come and go, says why that is right, and saves.
func TestATeamIsMappedByTheKeyboardAlone(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.newTab()
	b.open(l.link("root", "administrator"))
	b.reach("Sign in")
	b.enter()
	b.see("Needs you")

	b.press(kb.Tab)
	if at := b.focused(); !strings.Contains(at, "Skip to content") {
		t.Errorf("the first stop is %q", at)
	}
	b.stop()
	b.enter()
	b.lands("in the page's content", onMain)
	b.press(kb.Tab)
	b.stop()
	if !eval[bool](b, `document.activeElement.closest("main") !== null`) {
		t.Errorf("behind the skip link comes %q", b.focused())
	}
	b.open("/console/")
	b.see("Needs you")
	b.reach("Teams")
	b.enter()
	b.see("Not mapped", "Design")
	b.lands("at the head of the teams", onMain)
	b.round()
	b.reach("Find a team or a group")
	b.press("desi")
	b.gone("Backend")
	b.reach("a Design")
	b.enter()
	b.see("No group is connected")
	b.lands("at the head of the team", onMain)

	b.reach("Add groups")
	b.enter()
	b.lands("where a name is typed", `document.activeElement.matches("input")`)
	b.press("wri")
	b.wait("the list holds what was typed", func() bool {
		return eval[int](b, `document.querySelectorAll('[role="listbox"] [role="option"]').length`) == 1
	})
	b.press(kb.ArrowDown)
	b.enter()
	b.wait("it is chosen", func() bool {
		return eval[bool](b, `document.querySelector('[role="option"][aria-selected="true"]') !== null`)
	})
	b.press(kb.Escape)
	b.lands("back at what opened the list", `document.activeElement.innerText.includes("Add groups")`)
	b.stop()
	b.see("Writers", "not saved")

	b.reach("button Save changes")
	b.enter()
	b.see("Who would come and go", "hana-s", "dana-l")
	b.lands("in the dialog", inDialog)
	for range 12 { // and it stays there
		b.press(kb.Tab)
		b.stop()
		if !eval[bool](b, inDialog) {
			t.Fatalf("the focus has left the dialog, to %q", b.focused())
		}
	}
	b.press(kb.Escape)
	b.gone("Who would come and go")
	b.lands("back at what opened the dialog", `document.activeElement.innerText === "Save changes"`)
	b.enter()
	b.see("hana-s")
	b.reach("textarea")
	b.press("Dana writes no more")
	b.reach("button Save changes")
	b.enter()
	b.see("A sync of the team was asked for")
	b.lands("on what came of it", `document.activeElement.innerText.startsWith("Saved")`)
	b.press(kb.Tab)
	b.stop()
	l.until("hana is in it, and dana is not", func() bool { return l.members("design") == "hana-s" })
	b.see("Hana Sato", "granted", "In sync")
	b.reach("the runs")
	b.enter()
	b.see("Run 2")
	b.lands("at the head of the runs", onMain)
	b.round()
}

// Somebody without a mouse looks at a plan, lets pass what a guard stops, with the reason, and sees what came of it.
func TestAPlanIsApprovedByTheKeyboardAlone(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/")
	b.see("Needs you")
	b.reach("Plans")
	b.enter()
	b.see("1 change stopped by first_connection")
	b.lands("at the head of the plans", onMain)
	b.reach("a northlight")
	b.enter()
	b.see("Plan of northlight", "mia")
	b.lands("at the head of the plan", onMain)
	b.round()
	b.reach("Approve…")
	b.enter()
	b.see("1 change would pass")
	b.lands("in the dialog", inDialog)
	b.press(kb.Escape)
	b.gone("1 change would pass")
	b.lands("back at what opened the dialog", `document.activeElement.innerText.includes("Approve…")`)
	b.enter()
	b.see("1 change would pass")
	b.reach("Approve 1 change")
	b.enter()
	b.lands("where the reason is asked for", `document.activeElement.matches("textarea")`)
	b.press("Mia has changed to sales")
	b.reach("Approve 1 change")
	b.enter()
	b.see("1 change approved")
	b.lands("on what came of it", `document.activeElement.innerText.includes("1 change approved")`)
	l.until("mia has left the team", func() bool { return !strings.Contains(l.members("platform"), "mia") })
	b.press(kb.Tab)
	b.stop()
	b.reach("Runs")
	b.enter()
	b.see("Run 3")
	b.reach("Run 3")
	b.enter()
	b.see("mia", "Done")
	b.lands("at the head of the run", onMain)
	b.round()
}
