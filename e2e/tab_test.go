package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A tab is a browser's tab, used as a person does: what is there is found by its role and its name, as a reader of screens tells them.
//
// Every message of the browser about an error, every violation of the content security policy and every request to another host fails the
// test when it ends. What a test brings about on purpose it names with expect.
type tab struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // the tab itself, to chromedp
	lab  *lab
	base string

	mu       sync.Mutex
	errors   []string
	expected []string
	asked    []string // paths of the API, since the last open
}

// patience is how long a tab waits for what has to come. Nothing is asserted about how soon it does.
const patience = 20 * time.Second

// newTab opens a tab of a browser of its own: it shares no cookie with any other.
func (l *lab) newTab() *tab {
	l.t.Helper()
	ctx, cancel := chromedp.NewContext(browser(l.t), chromedp.WithNewBrowserContext())
	return l.tabIn(ctx, cancel)
}

// another opens a second tab beside one, with the same cookies.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	return b.lab.tabIn(ctx, cancel)
}

func (l *lab) tabIn(ctx context.Context, cancel func()) *tab {
	l.t.Helper()
	tb := &tab{t: l.t, ctx: ctx, lab: l, base: l.url}
	l.t.Cleanup(func() {
		tb.finish()
		cancel()
	})
	if err := chromedp.Listen(ctx, tb.hear); err != nil {
		l.t.Fatal(err)
	}
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); return err },
		func() error { _, err := chromedp.Call(ctx, accessibility.Enable, cdp.Empty{}); return err },
	} {
		if err := enable(); err != nil {
			l.t.Fatal(err)
		}
	}
	tb.guise(1280, 900, "light")
	return tb
}

func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var said []string
			for _, a := range e.Args {
				said = append(said, string(a.Value)+a.Description)
			}
			b.errors = append(b.errors, "console: "+strings.Join(said, " "))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
		b.errors = append(b.errors, "exception: "+text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.errors = append(b.errors, fmt.Sprint(e.Entry.Source, ": ", e.Entry.Text, " ", e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		at := e.Request.URL
		switch rest, ours := strings.CutPrefix(at, b.base); {
		case ours && strings.HasPrefix(rest, "/api/"):
			b.asked = append(b.asked, e.Request.Method+" "+rest)
		case ours, strings.HasPrefix(at, "data:"), strings.HasPrefix(at, "blob:"), b.lab.ours(at):
		default:
			b.errors = append(b.errors, "a request to another host: "+at)
		}
	}
}

// expect names errors that the test brings about: those that hold one of the words do not fail it.
func (b *tab) expect(words ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, words...)
}

func (b *tab) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.errors {
		known := false
		for _, w := range b.expected {
			known = known || strings.Contains(e, w)
		}
		if !known {
			b.t.Errorf("the browser says: %s", e)
		}
	}
}

// guise sets how wide and how bright the page is.
func (b *tab) guise(width, height int64, scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
	if err == nil {
		_, err = chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	// What has another colour now is painted so two frames later.
	_ = eval[bool](b, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100, true))))`)
}

// open goes to an address: a path of the server, or a whole one.
func (b *tab) open(path string) {
	b.t.Helper()
	b.mu.Lock()
	b.asked = nil
	b.mu.Unlock()
	if strings.HasPrefix(path, "/") {
		path = b.base + path
	}
	if err := chromedp.Do(b.ctx, chromedp.Navigate(path)); err != nil {
		b.t.Fatalf("open %s: %v", path, err)
	}
}

// at returns the path and query that the tab is at.
func (b *tab) at() string {
	b.t.Helper()
	return strings.TrimPrefix(eval[string](b, "location.href"), b.base)
}

// calls returns what the page has asked of the API since it was opened.
func (b *tab) calls() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.asked...)
}

// eval evaluates an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// text is what can be read on the page.
func (b *tab) text() string {
	b.t.Helper()
	return eval[string](b, `document.body ? document.body.innerText : ""`)
}

// wait waits until something is so; what says what.
func (b *tab) wait(what string, so func() bool) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(30 * time.Millisecond) {
		if so() {
			return
		}
		if time.Now().After(end) {
			b.shot("failed")
			b.t.Fatalf("waited in vain: %s\nat %s the page says:\n%s", what, b.at(), b.text())
		}
	}
}

// see waits until each text can be read on the page.
func (b *tab) see(texts ...string) {
	b.t.Helper()
	for _, want := range texts {
		b.wait(fmt.Sprintf("%q is there", want), func() bool { return strings.Contains(squeeze(b.text()), squeeze(want)) })
	}
}

// gone waits until a text cannot be read on the page any more.
func (b *tab) gone(text string) {
	b.t.Helper()
	b.wait(fmt.Sprintf("%q is gone", text), func() bool { return !strings.Contains(squeeze(b.text()), squeeze(text)) })
}

// settled waits until the page has asked nothing for a moment and shows no skeleton.
func (b *tab) settled() {
	b.t.Helper()
	last := -1
	b.wait("the page is at rest", func() bool {
		n := len(b.calls())
		time.Sleep(150 * time.Millisecond)
		rest := n == last && eval[bool](b, `!document.querySelector('[aria-label="Loading"], [aria-busy="true"]') && !!document.querySelector('h1')`)
		last = n
		return rest
	})
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// find returns the nodes of a role whose name is this, else those whose name holds it.
func (b *tab) find(role, name string) []*accessibility.Node {
	b.t.Helper()
	root, err := chromedp.Call(b.ctx, dom.GetDocument, dom.GetDocumentParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	found, err := chromedp.Call(b.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{NodeID: root.Root.NodeID, Role: role})
	if err != nil {
		return nil // the page is changing
	}
	var exact, near []*accessibility.Node
	for _, n := range found.Nodes {
		if n.Ignored || n.BackendDOMNodeID == 0 {
			continue
		}
		var is string
		if n.Name != nil {
			_ = json.Unmarshal(n.Name.Value, &is)
		}
		switch is = squeeze(is); {
		case is == squeeze(name):
			exact = append(exact, n)
		case strings.Contains(is, squeeze(name)):
			near = append(near, n)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return near
}

// there reports whether something of this role and name is on the page now.
func (b *tab) there(role, name string) bool {
	b.t.Helper()
	return len(b.find(role, name)) > 0
}

// node waits for the first of this role and name.
func (b *tab) node(role, name string) *accessibility.Node {
	b.t.Helper()
	var found []*accessibility.Node
	b.wait(fmt.Sprintf("there is a %s %q", role, name), func() bool {
		found = b.find(role, name)
		return len(found) > 0
	})
	return found[0]
}

// click clicks what has this role and name, where it lies, as a mouse does.
func (b *tab) click(role, name string) {
	b.t.Helper()
	b.wait(fmt.Sprintf("the %s %q can be clicked", role, name), func() bool { return b.tryClick(b.node(role, name)) })
}

// clickNode clicks what was found.
func (b *tab) clickNode(n *accessibility.Node) {
	b.t.Helper()
	b.wait("it can be clicked", func() bool { return b.tryClick(n) })
}

func (b *tab) tryClick(n *accessibility.Node) bool {
	_, _ = chromedp.Call(b.ctx, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: n.BackendDOMNodeID})
	quads, err := chromedp.Call(b.ctx, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: n.BackendDOMNodeID})
	if err != nil || len(quads.Quads) == 0 {
		return false
	}
	q := quads.Quads[0]
	x, y := (q[0]+q[2]+q[4]+q[6])/4, (q[1]+q[3]+q[5]+q[7])/4
	return chromedp.Do(b.ctx, chromedp.MouseClickXY(x, y)) == nil
}

// fill puts text into the field of this name, in place of what is there.
func (b *tab) fill(name, text string) {
	b.t.Helper()
	role := "textbox"
	b.wait(fmt.Sprintf("there is a field %q", name), func() bool {
		for _, r := range []string{"textbox", "searchbox", "combobox", "spinbutton"} {
			if b.there(r, name) {
				role = r
				return true
			}
		}
		return false
	})
	n := b.node(role, name)
	if _, err := chromedp.Call(b.ctx, dom.Focus, dom.FocusParams{BackendNodeID: n.BackendDOMNodeID}); err != nil {
		b.t.Fatalf("field %q: %v", name, err)
	}
	_ = eval[bool](b, `document.activeElement.select ? (document.activeElement.select(), true) : true`)
	b.press(kb.Backspace)
	b.press(text)
}

// press presses keys, one after another; package kb names those without a letter.
func (b *tab) press(keys string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(keys)); err != nil {
		b.t.Fatal(err)
	}
}

// focused is the role and the name of what has the focus.
func (b *tab) focused() string {
	b.t.Helper()
	return eval[string](b, `(() => { const e = document.activeElement; return (e.getAttribute("role") || e.tagName.toLowerCase()) + " " + (e.getAttribute("aria-label") || e.innerText || e.value || "").trim().split("\n")[0] })()`)
}

// axe fails the test for each finding of axe-core on the page as it is.
func (b *tab) axe() {
	b.t.Helper()
	type finding struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	if !eval[bool](b, `typeof window.axe === "object"`) {
		_ = eval[bool](b, axeSource(b.t)+"\n;true")
	}
	// A finding on its way from one state to the next, such as a button that has just ended to load, is none.
	var found []finding
	for range 3 {
		found = eval[[]finding](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => ({ID: v.id, Help: v.help,
		Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary}))})))`)
		if len(found) == 0 {
			return
		}
		time.Sleep(300 * time.Millisecond)
	}
	for _, f := range found {
		var where []string
		for _, n := range f.Nodes {
			where = append(where, n.HTML+"\n"+n.FailureSummary)
		}
		b.t.Errorf("axe at %s: %s (%s)\n%s", b.at(), f.Help, f.ID, strings.Join(where, "\n"))
	}
}

var axeSource = func() func(t *testing.T) string {
	read := sync.OnceValues(func() ([]byte, error) { return os.ReadFile("../web/node_modules/axe-core/axe.min.js") })
	return func(t *testing.T) string {
		t.Helper()
		text, err := read()
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}()

// shot keeps a picture of the whole page where -shots says.
func (b *tab) shot(name string) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	height := eval[int64](b, `Math.min(4000, Math.max(document.documentElement.scrollHeight, 600))`)
	width := eval[int64](b, `window.innerWidth`)
	_, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
	if err != nil {
		b.t.Fatal(err)
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(*shots, 0o750)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}
