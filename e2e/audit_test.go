package e2e

import (
	"strings"
	"testing"
)

// The record is read in words, narrowed, opened, exported as it is narrowed, and proved whole.
func TestTheAuditLogIsReadExportedAndVerified(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("=1+1", "administrator")
	b.open("/console/audit")
	b.see("northlight/platform: + ben-o done")
	b.fill("Find a login, a team, or who asked", "ben")
	b.gone("gus-f")
	b.click("DisclosureTriangle", "ben-o")
	b.see("ledger › role", "nothing → member", "Linked by")
	b.axe()
	b.shot("audit-open-light")
	b.click("button", "Export")
	b.see("CSV, for spreadsheets", "The entries that the filter chooses")
	b.shot("audit-export-light")

	href := eval[string](b, `[...document.querySelectorAll("a[download]")].find(a => a.href.includes("format=csv")).getAttribute("href")`)
	csv := eval[string](b, `fetch(`+"`"+href+"`"+`).then(r => r.text())`)
	if lines := strings.Split(strings.TrimSpace(csv), "\n"); len(lines) < 2 || !strings.HasPrefix(lines[0], "seq,at,kind") || strings.Contains(csv, "gus-f") {
		t.Errorf("the export of the filter is\n%s", csv)
	}
	// A name that a spreadsheet would take for a formula stands in the record with what its bearer does.
	paused := eval[int](b, `fetch("/api/musterline/targets/northlight/pause",
		{method: "POST", headers: {"Content-Type": "application/json"}, body: '{"reason":"audit week"}'}).then(r => r.status)`)
	if paused != 200 {
		t.Fatalf("the pause is answered with %d", paused)
	}
	all := eval[string](b, `fetch("/api/musterline/audit/export?format=csv").then(r => r.text())`)
	if !strings.Contains(all, ",'=1+1") || strings.Contains(all, ",=1+1") {
		t.Errorf("a spreadsheet would reckon with a name:\n%s", all)
	}
	if json := eval[string](b, `fetch("/api/musterline/audit/export?format=jsonl").then(r => r.text())`); !strings.Contains(json, `"requester":"=1+1`) {
		t.Errorf("for programs it is another:\n%s", json)
	}

	b.open("/console/audit")
	b.click("button", "Verify")
	b.see("The audit log is whole", "Keep its head elsewhere")
	b.axe()
	b.open("/console/audit?q=nobody-at-all")
	b.see("No entry fits")

	// Who may look at one organization sees its entries, and cannot prove anything of all of them.
	olga := l.signIn("olga", "owner", "--target", "northlight")
	olga.open("/console/audit?act=add")
	olga.see("northlight/platform: + ben-o done", "Export")
	if olga.there("button", "Verify") {
		t.Error("who may not verify the log is offered it")
	}
	// A log that could not be looked at is not called broken.
	b.open("/console/audit")
	b.see("Verify")
	b.expect("ERR_", "Failed to load resource")
	l.stop()
	b.click("button", "Verify")
	b.see("The audit log could not be checked", "The server cannot be reached.")
}
