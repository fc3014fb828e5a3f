package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
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
	lacks    string // why the last try of a click hit nothing
	errors   []string
	expected []string
	asked    []string                   // paths of the API, since the last open
	underWay map[network.RequestID]bool // requests of the page that are not answered whole; a stream of events is none, it has no end
}

// patience is how long a tab waits for what has to come. Nothing is asserted about how soon it does.
const patience = 30 * time.Second

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
	tb := &tab{t: l.t, ctx: ctx, lab: l, base: l.url, underWay: map[network.RequestID]bool{}}
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
	case *network.EventLoadingFinished:
		delete(b.underWay, e.RequestID)
	case *network.EventLoadingFailed:
		delete(b.underWay, e.RequestID)
	case *network.EventRequestWillBeSent:
		at := e.Request.URL
		if e.Type == network.ResourceTypeFetch {
			b.underWay[e.RequestID] = true
		}
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

// finish fails the test for what the browser has said and nobody has expected.
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
	b.errors = nil
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
	_ = eval[bool](b, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// open goes to an address: a path of the server, or a whole one.
func (b *tab) open(path string) {
	b.t.Helper()
	b.mu.Lock()
	b.asked = nil
	clear(b.underWay)
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

// wait waits until something is so; what says what. It looks again whenever the page has changed, and now and then.
func (b *tab) wait(what string, so func() bool) {
	b.t.Helper()
	for end := time.Now().Add(patience); !so(); b.comes(`(looks => () => looks++ > 0)(0)`, 50) {
		if time.Now().After(end) {
			b.shot(strings.ReplaceAll(b.t.Name(), "/", "-") + "-failed")
			b.t.Fatalf("waited in vain: %s%s\nat %s the page says:\n%s", what, b.lacks, b.at(), b.text())
		}
	}
}

// comes waits for so many milliseconds at most until a function of the page says yes, and reports whether it does. It is asked at once, and
// when the page has changed and is about to be painted.
func (b *tab) comes(holds string, ms int) bool {
	b.t.Helper()
	held, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](fmt.Sprintf(`(holds => holds() || new Promise(done => {
		let asked = false
		const end = held => { look.disconnect(); clearTimeout(late); done(held) }
		const look = new MutationObserver(() => {
			if (!asked) requestAnimationFrame(() => { asked = false; if (holds()) end(true) })
			asked = true
		})
		const late = setTimeout(() => end(holds()), %d)
		look.observe(document, {subtree: true, childList: true, characterData: true, attributes: true})
	}))(%s)`, ms, holds), chromedp.EvalAwaitPromise))
	if err != nil {
		time.Sleep(10 * time.Millisecond) // one page gives way to the next
	}
	return held
}

// reads is a function of the page that says whether a text can be read there.
func reads(text string) string {
	return `() => !!document.body && document.body.innerText.replace(/\s+/g, " ").includes(` + quoted(squeeze(text)) + `)`
}

// see waits until each text can be read on the page.
func (b *tab) see(texts ...string) {
	b.t.Helper()
	for _, want := range texts {
		b.wait(fmt.Sprintf("%q is there", want), func() bool { return b.comes(reads(want), 500) })
	}
}

// gone waits until a text cannot be read on the page any more.
func (b *tab) gone(text string) {
	b.t.Helper()
	b.wait(fmt.Sprintf("%q is gone", text), func() bool { return b.comes(`(there => () => !!document.body && !there())(`+reads(text)+`)`, 500) })
}

// settled waits until every question of the page is answered, it shows no skeleton, and what came is painted.
func (b *tab) settled() {
	b.t.Helper()
	b.wait("the page is at rest", func() bool {
		return b.idle() && eval[bool](b, rest) && b.idle()
	})
}

const rest = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
	done(!document.querySelector('[aria-label="Loading"], [aria-busy="true"]') && !!document.querySelector("h1")))))`

// idle reports whether the page has an answer to all it has asked.
func (b *tab) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.underWay) == 0
}

// quoted is a text as a script writes it.
func quoted(s string) string {
	text, _ := json.Marshal(s) // a string always can be
	return string(text)
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// find returns the nodes of a role whose name is this, else those whose name holds it.
func (b *tab) find(role, name string) []*accessibility.Node {
	b.t.Helper()
	root, err := chromedp.Call(b.ctx, dom.GetDocument, dom.GetDocumentParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	exact, near := b.within(root.Root.BackendNodeID, role, name)
	if len(exact) > 0 {
		return exact
	}
	return near
}

// within returns the nodes of a role below another: those whose name is this, and those whose name holds it.
func (b *tab) within(above cdp.BackendNodeID, role, name string) (exact, near []*accessibility.Node) {
	b.t.Helper()
	found, err := chromedp.Call(b.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{BackendNodeID: above, Role: role})
	if err != nil {
		return nil, nil // the page is changing
	}
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
	return exact, near
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

// click clicks what has this role and name, where it lies, as a mouse does. It waits until that lies still, uncovered, and can be used. Of
// several, such as a button and the one of the same name in the dialog before it, it is the one that nothing covers.
func (b *tab) click(role, name string) {
	b.t.Helper()
	b.wait(fmt.Sprintf("the %s %q can be clicked", role, name), func() bool {
		return slices.ContainsFunc(b.find(role, name), b.tryClick)
	})
}

// confirm clicks the button of exactly this name in the dialog that is open.
func (b *tab) confirm(name string) {
	b.t.Helper()
	b.wait(fmt.Sprintf("the dialog's button %q can be clicked", name), func() bool {
		for _, dialog := range append(b.find("dialog", ""), b.find("alertdialog", "")...) {
			exact, _ := b.within(dialog.BackendDOMNodeID, "button", name)
			if slices.ContainsFunc(exact, b.tryClick) {
				return true
			}
		}
		return false
	})
}

// aim is where a node lies, once it lies still for two frames and is what a mouse there would meet; else it says what is in the way. From then on a click that would fall on anything else is kept from it: aimed() ends that, and says whether the node was hit.
const aim = `async function() {
	const frame = () => new Promise(done => requestAnimationFrame(done))
	const place = () => { const r = this.getClientRects()[0]; return r && [r.left, r.top, r.width, r.height].join() }
	const off = () => !this.isConnected || this.matches(":disabled, [aria-disabled=true]")
	const mine = e => e && (this.contains(e) || [...this.labels || []].some(l => l.contains(e)))
	this.scrollIntoView({block: "center", inline: "nearest", behavior: "instant"})
	for (let still = 0, at = place(); still < 2; still = at === place() ? still + 1 : 0, at = place()) {
		if (off() || !at) return "it is gone or disabled"
		await frame()
	}
	const r = this.getClientRects()[0]
	const x = (Math.max(r.left, 0) + Math.min(r.right, innerWidth)) / 2, y = (Math.max(r.top, 0) + Math.min(r.bottom, innerHeight)) / 2
	const meets = document.elementFromPoint(x, y)
	if (off() || !mine(meets)) return "it is covered by " + (meets ? meets.outerHTML.slice(0, 200) : "nothing")
	let hit = false
	const kinds = ["pointerdown", "mousedown", "pointerup", "mouseup", "click"]
	const guard = e => {
		if (hit) return
		if (e.isTrusted && (off() || !mine(e.target))) { e.preventDefault(); e.stopImmediatePropagation(); return }
		hit = e.type === "click" && this.contains(e.target) // of a label's click the field gets one too
	}
	kinds.forEach(k => addEventListener(k, guard, true))
	window.aimed = () => { kinds.forEach(k => removeEventListener(k, guard, true)); delete window.aimed; return hit }
	return x + " " + y
}`

// tryClick clicks a node and reports whether the click came to it. What was hit is not clicked again, so a box that was ticked stays so.
func (b *tab) tryClick(n *accessibility.Node) bool {
	node, err := chromedp.Call(b.ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: n.BackendDOMNodeID})
	if err != nil {
		b.lacks = ": " + err.Error() // it is not there any more
		return false
	}
	at, err := chromedp.Run(b.ctx, chromedp.CallFunctionOn[string](aim, func(p *runtime.CallFunctionOnParams) {
		p.ObjectID, p.AwaitPromise = node.Object.ObjectID, new(true)
	}))
	var x, y float64
	if _, none := fmt.Sscan(at, &x, &y); err != nil || none != nil {
		b.lacks = fmt.Sprint(": ", at, err)
		return false
	}
	if err := chromedp.Do(b.ctx, chromedp.MouseClickXY(x, y)); err != nil {
		b.t.Fatal(err)
	}
	hit, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`!window.aimed || aimed()`))
	if err == nil && !hit {
		b.lacks = ": it has moved away from under the mouse"
		return false
	}
	b.lacks = ""
	return true // where there is another page now, the click has led to it
}

// fill puts text into the field of this name, in place of what is there. It waits until the page has the values that it shows.
func (b *tab) fill(name, text string) {
	b.t.Helper()
	b.wait(fmt.Sprintf("the field %q holds what was typed", name), func() bool {
		if !b.idle() {
			return false
		}
		var n *accessibility.Node
		for _, role := range []string{"textbox", "searchbox", "combobox", "spinbutton"} {
			if found := b.find(role, name); len(found) > 0 {
				n = found[0]
				break
			}
		}
		if n == nil {
			return false
		}
		if _, err := chromedp.Call(b.ctx, dom.Focus, dom.FocusParams{BackendNodeID: n.BackendDOMNodeID}); err != nil {
			return false // it is disabled, or gone
		}
		if !eval[bool](b, `(e => { window.filled = e; if (!e.select) return false; e.select(); return true })(document.activeElement)`) {
			return false
		}
		b.press(kb.Backspace)
		// As from the clipboard: not every letter of a name has a key.
		if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
			b.t.Fatal(err)
		}
		return eval[bool](b, `window.filled.isConnected && window.filled.value === `+quoted(text))
	})
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
	screen := func(height string) {
		size := eval[[]int64](b, `[innerWidth, `+height+`]`)
		to := emulation.SetDeviceMetricsOverrideParams{Width: size[0], Height: size[1], DeviceScaleFactor: 1}
		if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, to); err != nil {
			b.t.Fatal(err)
		}
	}
	was := eval[int64](b, "innerHeight")
	screen(`Math.min(4000, Math.max(document.documentElement.scrollHeight, 600))`)
	defer func() { screen(strconv.FormatInt(was, 10)) }()
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
