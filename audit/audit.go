// Package audit is the append-only record of who did what and why, written before the act. It imports nothing: its entries are ids and
// text, so that the record outlives what it speaks of.
package audit

import (
	"context"
	"time"
)

// A Log records the intent before the act and each outcome after it. When Intent fails, the act must not happen. The store derives the
// ledger row from the outcome in the same transaction.
type Log interface {
	Intent(ctx context.Context, i Intent) (id string, err error)
	Outcome(ctx context.Context, intent string, o Outcome) error
	// Close ends an intent: every write of it now has an outcome.
	Close(ctx context.Context, intent string) error
}

// An Intent says what is about to be done to one team, by whom and why.
type Intent struct {
	Run     string    `json:"run"`
	Target  string    `json:"target"`
	Team    string    `json:"team"` // id; empty for a team about to be created
	Slug    string    `json:"slug"`
	Create  string    `json:"create,omitempty"` // the name of the team to be created
	Plan    string    `json:"plan"`             // digest of the plan
	Actor   Actor     `json:"actor"`
	Sources []string  `json:"sources,omitempty"`
	Writes  []Write   `json:"writes"`
	At      time.Time `json:"at"`
}

// An Actor is who acts: always "sync", with the credential it acts under, what set it off and who asked.
type Actor struct {
	Credential string `json:"credential,omitempty"` // its kind and id, never the secret
	Trigger    string `json:"trigger,omitempty"`    // schedule, person, event, undo
	Requester  string `json:"requester,omitempty"`
}

// A Write is one membership that is about to change. Act is add, update, remove or cancel.
type Write struct {
	Act      string   `json:"act"`
	Account  string   `json:"account"`
	Login    string   `json:"login"`
	User     string   `json:"user,omitempty"`
	From     string   `json:"from,omitempty"`     // role before
	Role     string   `json:"role,omitempty"`     // role after
	Mappings []string `json:"mappings,omitempty"` // that justify an addition or role
	Rule     string   `json:"rule,omitempty"`     // of the first reason, in words
	Why      any      `json:"why,omitempty"`
	Waiver   string   `json:"waiver,omitempty"` // id of the waiver it needed
	Waived   []string `json:"waived,omitempty"` // guards that the waiver answered
}

// A Result is how one write ended.
type Result string

// The results. Seen and NotDone close the writes of an intent that a crash left open; only Done, Already and Seen touch the ledger.
const (
	Done    Result = "done"
	Already Result = "already" // the target was in that state
	Pending Result = "pending" // the target answered that the account has to accept an invitation
	Failed  Result = "failed"
	Skipped Result = "skipped" // left for later: the team or the account had moved on
	Seen    Result = "seen"
	NotDone Result = "not-done"
)

// Results are all of them.
var Results = []Result{Done, Already, Pending, Failed, Skipped, Seen, NotDone}

// An Outcome is the result of one write of an intent.
type Outcome struct {
	Act     string    `json:"act"` // of the write, or "create" for the team itself
	Account string    `json:"account,omitempty"`
	Team    string    `json:"team,omitempty"` // id of the team; new when the intent created it
	Result  Result    `json:"result"`
	Error   string    `json:"error,omitempty"`   // what went wrong and what to do, without secrets
	Request string    `json:"request,omitempty"` // the target's id of the request
	At      time.Time `json:"at"`
}
