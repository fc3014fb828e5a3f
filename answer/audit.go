package answer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"time"

	"musterline.example/store"
	"musterline.example/team"
)

// An AuditFilter chooses audit entries. Its zero value chooses the newest hundred.
type AuditFilter struct {
	Target  string     `json:"target,omitempty"`  // the words below mean what is called so there, and nothing of other targets
	Team    string     `json:"team,omitempty"`    // a slug, an id, or either behind target/
	Account string     `json:"account,omitempty"` // a login, an account's number, or source/user
	Run     string     `json:"run,omitempty"`
	Kind    store.Kind `json:"kind,omitempty"`
	Act     string     `json:"act,omitempty"`
	Result  string     `json:"result,omitempty"`
	Actor   string     `json:"actor,omitempty"`   // who asked, as the record names them
	Text    string     `json:"text,omitempty"`    // a part of a login, of a slug, or of the name of who asked
	Targets []string   `json:"targets,omitempty"` // only entries of these; nil is no bound
	Since   time.Time  `json:"since,omitzero"`
	Until   time.Time  `json:"until,omitzero"`   // and before this moment
	Before  int64      `json:"before,omitempty"` // only entries older than this one, for the next page
	Limit   int        `json:"limit,omitempty"`  // the newest so many; 100 when 0
	All     bool       `json:"all,omitempty"`    // no limit
}

// An Audit is a piece of the audit record, the oldest entry first.
type Audit struct {
	Entries []store.Entry `json:"entries"`
	Names   *Names        `json:"names,omitempty"`
	More    bool          `json:"more,omitempty"` // there are older ones
}

// Names give the ids in a piece of the audit record the names that people know. What is not known has none.
type Names struct {
	Teams    map[string]string `json:"teams,omitempty"`    // slug by target and id: "octo/7"
	Accounts map[string]string `json:"accounts,omitempty"` // login by id
}

// Form returns the entries as `audit --json` promises them to programs: as they are stored.
func (a Audit) Form() Audit { return Audit{Entries: a.Entries} }

// Team returns the slug of a team, or its id.
func (n *Names) Team(target, id string) string {
	if n != nil && n.Teams[target+"/"+id] != "" {
		return n.Teams[target+"/"+id]
	}
	return id
}

// Account returns the login of an account, or its id.
func (n *Names) Account(id string) string {
	if n != nil && n.Accounts[id] != "" {
		return n.Accounts[id]
	}
	return id
}

// AccountsOf are the accounts that the body of an entry names.
func AccountsOf(e store.Entry) []string {
	var b struct {
		Accounts []struct {
			Account string `json:"account"`
		} `json:"accounts"`
	}
	_ = json.Unmarshal(e.Body, &b) // an entry that cannot be read names nobody
	var ids []string
	for _, a := range b.Accounts {
		ids = append(ids, a.Account)
	}
	return ids
}

// Audit returns a piece of the audit record.
func (h *House) Audit(ctx context.Context, choose AuditFilter) (Audit, error) {
	f, err := h.filter(ctx, choose)
	if err != nil {
		return Audit{}, err
	}
	if choose.All {
		f.Limit = 1 << 30
	}
	entries, err := h.Store.Entries(ctx, f)
	if err != nil {
		return Audit{}, err
	}
	slices.Reverse(entries)
	return Audit{
		Entries: list(entries), Names: h.namesIn(ctx, f.Target, entries),
		More: len(entries) > 0 && len(entries) == f.Limit || len(entries) == 100 && f.Limit == 0,
	}, nil
}

// Export writes all entries that the filter chooses as lines of JSON, the oldest first.
func (h *House) Export(ctx context.Context, choose AuditFilter, to io.Writer) error {
	f, err := h.filter(ctx, choose)
	if err != nil {
		return err
	}
	return h.Store.Export(ctx, to, f)
}

// ExportCSV writes the same as comma-separated values.
func (h *House) ExportCSV(ctx context.Context, choose AuditFilter, to io.Writer) error {
	f, err := h.filter(ctx, choose)
	if err != nil {
		return err
	}
	return h.Store.ExportCSV(ctx, to, f)
}

// filter understands the words of a filter.
func (h *House) filter(ctx context.Context, choose AuditFilter) (store.Filter, error) {
	f := store.Filter{Target: choose.Target, Run: choose.Run, Kind: choose.Kind, Since: choose.Since, Until: choose.Until, Before: choose.Before, Limit: choose.Limit}
	f.Act, f.Result, f.Requester, f.Text, f.Targets = choose.Act, choose.Result, choose.Actor, choose.Text, choose.Targets
	if h.Store == nil {
		return f, noRecord()
	}
	if choose.Target != "" {
		if err := OneOf("target", choose.Target, h.targetNames()); err != nil {
			return f, err
		}
	}
	if choose.Target == "" && choose.Targets != nil && (choose.Team != "" || choose.Account != "") {
		return f, Usagef("a team or an account is looked for in one target: say which with target")
	}
	if choose.Team != "" {
		known, err := h.knownTeam(ctx, choose.Target, choose.Team)
		if err != nil {
			return f, err
		}
		if known.id == "" {
			return f, Errorf(Nothing, "there is no entry of team %s yet", known.slug)
		}
		f.Target, f.Team = known.target, string(known.id)
	}
	if choose.Account != "" {
		var err error
		if f.Account, err = h.knownAccount(ctx, choose.Target, choose.Account); err != nil {
			return f, err
		}
	}
	return f, nil
}

// namesIn gives the names of what entries are about; who asks about one target learns none of others. A record can be read without.
func (h *House) namesIn(ctx context.Context, target string, entries []store.Entry) *Names {
	type ids struct {
		teams    map[team.ID]bool
		accounts map[team.AccountID]bool
	}
	about := make(map[string]*ids) // by target
	for _, e := range entries {
		if target != "" && e.Target != target {
			continue
		}
		of := about[e.Target]
		if of == nil {
			of = &ids{make(map[team.ID]bool), make(map[team.AccountID]bool)}
			about[e.Target] = of
		}
		if e.Team != "" {
			of.teams[team.ID(e.Team)] = true
		}
		for _, id := range append(AccountsOf(e), e.Account) {
			if id != "" {
				of.accounts[team.AccountID(id)] = true
			}
		}
	}
	in := &Names{Teams: make(map[string]string), Accounts: make(map[string]string)}
	for target, of := range about {
		slugs, logins, err := h.Store.Names(ctx, target, slices.Sorted(maps.Keys(of.teams)), slices.Sorted(maps.Keys(of.accounts)))
		if err != nil {
			h.log.ErrorContext(ctx, "look names up", "error", err)
		}
		for id, slug := range slugs {
			in.Teams[target+"/"+string(id)] = slug
		}
		for id, login := range logins {
			in.Accounts[string(id)] = login
		}
	}
	return in
}

// A Verified says what of the audit record was found whole.
type Verified struct {
	Entries int64  `json:"entries"`
	First   int64  `json:"first"` // entries before it were pruned
	Last    int64  `json:"last"`
	Head    string `json:"head"` // kept elsewhere, it proves later that the record was not set back
}

// Verify walks the whole audit record and proves that nobody without the key file has changed it.
func (h *House) Verify(ctx context.Context) (Verified, error) {
	if h.Store == nil {
		return Verified{}, noRecord()
	}
	v, err := h.Store.Verify(ctx)
	if broken, ok := errors.AsType[*store.Broken](err); ok {
		return Verified{}, Errorf(Failed, "%w", broken).WithHint("keep the database as it is for whoever looks into this, and go on from a backup")
	}
	return Verified{Entries: v.Entries, First: v.First, Last: v.Last, Head: v.Head}, err
}

func noRecord() error {
	return Errorf(Nothing, "there is no audit record yet: %w", store.ErrNoDatabase).WithHint("the first command that writes begins it, such as musterline sync")
}
