package native

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musterline.example/answer"
	"musterline.example/audit"
	"musterline.example/store"
)

// AuditChoice chooses audit entries.
type AuditChoice struct {
	Target  string      `query:"target" doc:"Only entries of this target."`
	Team    string      `query:"team" doc:"Only entries of this team: a slug, an id, or either behind target/."`
	Account string      `query:"account" doc:"Only entries of this account: a login, a number, or source/user."`
	Run     string      `query:"run" doc:"Only entries of this run."`
	Kind    entryKind   `query:"kind" doc:"Only entries of this kind."`
	Act     entryAct    `query:"act" doc:"Only entries of this act."`
	Result  entryResult `query:"result" doc:"Only outcomes that ended so."`
	Actor   string      `query:"actor" doc:"Only entries of what this person or program asked for, as the record names them."`
	Text    string      `query:"q" maxLength:"256" doc:"Only where a login, a team's slug or who asked has this part, in small letters or capitals."`
	Since   time.Time   `query:"since" doc:"Only entries from this moment on."`
	Until   time.Time   `query:"until" doc:"Only entries before this moment."`
}

// What entries can be chosen by stands in the API's document as the record has it, and so in what is made of that, such as the console.
type (
	entryKind   string
	entryAct    string
	entryResult string
)

// Schema implements huma.SchemaProvider.
func (entryKind) Schema(huma.Registry) *huma.Schema { return oneOf(store.Kinds) }

// Schema implements huma.SchemaProvider.
func (entryAct) Schema(huma.Registry) *huma.Schema { return oneOf(store.Acts) }

// Schema implements huma.SchemaProvider.
func (entryResult) Schema(huma.Registry) *huma.Schema { return oneOf(audit.Results) }

func oneOf[T ~string](words []T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, w := range words {
		s.Enum = append(s.Enum, string(w))
	}
	return s
}

func (c AuditChoice) filter(target string) answer.AuditFilter {
	return answer.AuditFilter{
		Target: target, Team: c.Team, Account: c.Account, Run: c.Run, Kind: store.Kind(c.Kind), Since: c.Since, Until: c.Until,
		Act: string(c.Act), Result: string(c.Result), Actor: c.Actor, Text: c.Text,
	}
}

type auditList struct {
	answer.Audit

	Next string `json:"next,omitempty"`
}

// registerAudit is the audit record.
func (a *API) registerAudit() {
	operate(a, op{
		id: "audit", route: "GET /audit", tag: "audit", summary: "The audit record",
		promise: "Returns a page of the record, the oldest entry of the page first; the next page holds older ones. A token that is bound to a target sees its entries.",
	}, func(ctx context.Context, in *struct {
		Page
		AuditChoice
	}) (*body[auditList], error) {
		v, f, err := a.audited(ctx, in.AuditChoice)
		if err != nil {
			return nil, err
		}
		of := fmt.Sprintf("audit %+v", f)
		before, err := in.at(of)
		if err != nil {
			return nil, err
		}
		if before != "" {
			if f.Before, err = strconv.ParseInt(before, 10, 64); err != nil {
				return nil, answer.Usagef("the cursor was not given out for this list")
			}
		}
		f.Limit = in.size()
		found, err := v.house.Audit(ctx, f)
		if err != nil {
			return nil, err
		}
		list := auditList{Audit: found}
		if found.More {
			list.Next = cursor(of, strconv.FormatInt(found.Entries[0].Seq, 10))
		}
		return told(list, nil)
	})
	operate(a, op{
		id: "export-audit", route: "GET /audit/export", tag: "audit", summary: "Export the audit record",
		promise: "Writes all entries that are chosen, the oldest first: as lines of JSON, or as comma-separated values. An export that is broken off ends without its last line break.",
		other:   map[string]other{"200": {"application/x-ndjson", "One entry a line; with format=csv, text/csv."}},
	}, func(ctx context.Context, in *struct {
		AuditChoice
		Format string `query:"format" enum:"jsonl,csv" doc:"jsonl, when not said, or csv."`
	}) (*huma.StreamResponse, error) {
		v, f, err := a.audited(ctx, in.AuditChoice)
		if err != nil {
			return nil, err
		}
		// What is wrong with the choice has to be known before the first byte.
		probe := f
		probe.Limit = 1
		if _, err := v.house.Audit(ctx, probe); err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			kind, name, export := "application/x-ndjson", "musterline-audit.jsonl", v.house.Export
			if in.Format == "csv" {
				kind, name, export = "text/csv; charset=utf-8", "musterline-audit.csv", v.house.ExportCSV
			}
			c.SetHeader("Content-Type", kind)
			c.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
			c.SetStatus(http.StatusOK)
			if err := export(c.Context(), f, c.BodyWriter()); err != nil && !errors.Is(err, context.Canceled) {
				a.Log.ErrorContext(c.Context(), "an export was broken off", "error", err)
				panic(http.ErrAbortHandler) // half an export must not look like a whole one
			}
		}}, nil
	})
	operate(a, op{
		id: "verify-audit", route: "GET /audit/verify", tag: "audit", summary: "Prove that nobody has changed the audit record",
		promise: "Walks the whole record and checks its chain. The head, kept elsewhere, proves later that the record was not set back. A broken record is 500, and the message names the first entry that is wrong.",
		refuses: []int{500},
	}, func(ctx context.Context, _ *struct{}) (*body[answer.Verified], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		return told(v.house.Verify(ctx))
	})
}
