package view

import (
	"encoding/json"
	"testing"

	"musterline.example/answer"
	"musterline.example/audit"
	"musterline.example/store"
)

// Whoever reads the record is told who made a token, gave a role or changed the configuration, and which.
func TestAnEntryNamesWhoDidWhat(t *testing.T) {
	for _, c := range []struct {
		kind              store.Kind
		act, target, body string
		want              string
	}{
		{store.KindToken, "create", "", `{"id":"1","name":"ci","role":"owner"}`, "token 1 (ci) made by ann: owner on all targets"},
		{store.KindToken, "revoke", "octo", `{"id":"2","name":"ci","role":"owner"}`, "token 2 (ci) revoked by ann"},
		{store.KindRole, "assign", "octo", `{"subject":"github:github.com#1","after":"viewer"}`, "github:github.com#1 is viewer on octo, says ann"},
		{store.KindRole, "withdraw", "", `{"subject":"github:github.com#1","before":"owner"}`, "github:github.com#1 no longer owner on all targets, says ann"},
		{store.KindConfigured, "change", "", `{"section":"sources","name":"corp","after":{"kind":"ldap"}}`, "configuration: sources/corp changed by ann"},
		{store.KindConfigured, "create", "octo", `{"section":"enabled","name":"octo","after":{"enabled":false,"members":"keep"}}`, "octo: turned off by ann, members: keep"},
		{store.KindConfigured, "change", "octo", `{"section":"enabled","name":"octo","after":{"enabled":true}}`, "octo: turned on by ann"},
		{store.KindCancel, "", "octo", `{}`, "octo: run cancelled by ann"},
		{store.KindMapping, "", "octo", `{"team":"docs","added":[{"group":"corp/docs"}]}`, "octo: docs: mapped to corp/docs, by ann"},
	} {
		e := store.Entry{Kind: c.kind, Act: c.act, Target: c.target, Body: json.RawMessage(c.body), Actor: audit.Actor{Trigger: "person", Requester: "ann"}}
		if got := answer.Sentence(&answer.Names{}, e); got != c.want {
			t.Errorf("%s %s: %q, not %q", c.kind, c.act, got, c.want)
		}
	}
}
