package answer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"musterline.example/catalog"
	"musterline.example/config"
	"musterline.example/directory"
	"musterline.example/internal/secret"
	"musterline.example/internal/words"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/source"
	"musterline.example/store"
)

// A Check is what `check` has found.
type Check struct {
	Checked []Checked `json:"checked"`
}

// A Checked is one thing that was tried.
type Checked struct {
	What       string    `json:"what"` // configuration, database, source, target or mapping
	Name       string    `json:"name,omitempty"`
	Kind       string    `json:"kind,omitempty"`
	Facts      []string  `json:"facts,omitempty"`
	Credential string    `json:"credential,omitempty"`
	Has        []string  `json:"has,omitempty"`
	Needs      []string  `json:"needs,omitempty"` // and lacks
	Extra      []string  `json:"extra,omitempty"` // has and should not have
	Expires    time.Time `json:"expires,omitzero"`
	Warnings   []string  `json:"warnings,omitempty"`
	Notes      []string  `json:"notes,omitempty"`   // good to know; nothing is wrong
	Trouble    []string  `json:"trouble,omitempty"` // a person must do something
}

// Add notes one thing more.
func (c *Check) Add(what Checked) { c.Checked = append(c.Checked, what) }

// Troubles counts what needs a person.
func (c *Check) Troubles() int {
	n := 0
	for _, what := range c.Checked {
		n += len(what.Trouble)
	}
	return n
}

// Check tries everything and stops at nothing: whoever puts things right wants to know of all of it.
func (h *House) Check(ctx context.Context) (Check, error) {
	var report Check
	report.Add(Checked{What: "configuration", Name: h.Config.Path, Facts: []string{strings.Join([]string{
		words.Count(len(h.Config.Sources), "source"), words.Count(len(h.Config.Targets), "target"),
		words.Count(len(h.Config.Mappings), "mapping"), words.Count(len(h.Config.Rules), "rule"),
	}, ", ")}})
	database, known, unfit := h.checkDatabase(ctx)
	report.Add(database)
	for _, u := range unfit {
		checked := Checked{What: "configuration", Name: u.Section + "/" + u.Name}
		if said := "made over the API, it does not fit and is left out: " + u.Reason(); u.Shadowed {
			checked.Warnings = append(checked.Warnings, said)
		} else {
			checked.Trouble = append(checked.Trouble, said)
		}
		report.Add(checked)
	}
	listed := make(map[string]*directory.Snapshot)
	for _, name := range h.sourceNames() {
		checked, snapshot := h.checkSource(ctx, name)
		report.Add(checked)
		listed[name] = snapshot
	}
	for _, name := range h.targetNames() {
		report.Add(h.checkTarget(ctx, name))
	}
	for _, m := range known {
		if s := listed[m.Source]; s != nil {
			if checked, ok := checkMapping(s, m); ok {
				report.Add(checked)
			}
		}
	}
	return report, nil
}

// checkDatabase tries the database. It also returns the mappings of the file, with the ids that their names stand for where it tells, and what
// was configured over the API and does not fit.
func (h *House) checkDatabase(ctx context.Context) (Checked, []mapping.Mapping, []config.Unfit) {
	checked := Checked{What: "database"}
	var keyErr, err error
	s, memory := h.Store, reconcile.Recollection(reconcile.NoMemory{})
	if s != nil {
		err = s.Ping(ctx)
	} else {
		var key *secret.Key
		key, keyErr = secret.Open(h.Config.KeyFile)
		if s, err = store.Open(ctx, h.Config.Database.Reveal(), store.Options{Key: key, Now: h.now, Log: h.log, ReadOnly: true}); err == nil {
			defer func() { _ = s.Shut() }()
		}
	}
	if err == nil {
		memory = s
	}
	switch {
	case errors.Is(err, store.ErrNoDatabase):
		checked.Facts = append(checked.Facts, "not there yet: the first command that writes makes it")
	case err != nil:
		checked.Trouble = append(checked.Trouble, err.Error())
	case errors.Is(keyErr, fs.ErrNotExist):
		checked.Trouble = append(checked.Trouble, fmt.Sprintf("the key file %s is missing: put it back from the backup", h.Config.KeyFile))
	case keyErr != nil:
		checked.Trouble = append(checked.Trouble, keyErr.Error())
	default:
		checked.Facts = append(checked.Facts, "opens with its key file")
	}
	unfit := h.Config.Unfit
	if h.Store == nil && err == nil && keyErr == nil {
		if unfit, err = h.unfit(ctx, s); err != nil {
			checked.Trouble = append(checked.Trouble, err.Error())
		}
	}
	known, err := h.fromFile(ctx, memory)
	if err != nil {
		checked.Trouble = append(checked.Trouble, err.Error())
		known, _ = h.fromFile(ctx, reconcile.NoMemory{}) // by name at least
	}
	return checked, known, unfit
}

// unfit returns what of the rows in a database does not fit.
func (h *House) unfit(ctx context.Context, s *store.Store) ([]config.Unfit, error) {
	rows, _, err := s.OpenConfigured(ctx)
	if err != nil {
		return nil, err
	}
	c, err := h.Config.Fit(parts(rows))
	if err != nil {
		return nil, err
	}
	return c.Unfit, nil
}

func (h *House) checkSource(ctx context.Context, name string) (Checked, *directory.Snapshot) {
	kind := catalog.Sources()[h.Config.Sources[name].Kind]
	checked := Checked{What: "source", Name: name, Kind: kind.Title}
	s, err := h.source(ctx, name)
	if err != nil {
		checked.Trouble = append(checked.Trouble, err.Error())
		return checked, nil
	}
	began := h.now()
	snapshot, err := s.Snapshot(ctx, source.Selection{})
	if err != nil {
		checked.Trouble = append(checked.Trouble, err.Error())
		return checked, nil
	}
	checked.Facts = append(checked.Facts, fmt.Sprintf("lists %s, in %s", words.Count(len(snapshot.Groups), "group"), words.Span(h.now().Sub(began))))
	return checked, snapshot
}

// soon is how long before its end a credential is spoken of.
const soon = 14 * 24 * time.Hour

func (h *House) checkTarget(ctx context.Context, name string) Checked {
	kind := catalog.Targets()[h.Config.Targets[name].Kind]
	checked := Checked{What: "target", Name: name, Kind: kind.Title}
	t, err := h.target(ctx, Person, name)
	if err != nil {
		checked.Trouble = append(checked.Trouble, err.Error())
		return checked
	}
	standing, err := t.Probe(ctx)
	if standing.Place.Organization != "" {
		checked.Facts = append(checked.Facts, fmt.Sprintf("organization %s on %s", standing.Place.Organization, standing.Place.Host))
	}
	checked.Credential, checked.Has, checked.Needs, checked.Extra = standing.Credential, standing.Has, standing.Needs, standing.Extra
	checked.Expires, checked.Warnings = standing.Expires, slices.Clone(standing.Warnings)
	if err := h.synced(name); err != nil {
		checked.Trouble = append(checked.Trouble, err.Error())
	}
	if err != nil {
		checked.Trouble = append(checked.Trouble, err.Error())
		return checked
	}
	if len(standing.Needs) > 0 {
		checked.Trouble = append(checked.Trouble, "the credential lacks "+words.List(standing.Needs)+": without it nothing can be changed")
	}
	if left := standing.Expires.Sub(h.now()); !standing.Expires.IsZero() && left < soon {
		checked.Warnings = append(checked.Warnings, fmt.Sprintf("the credential ends in %s: renew it", words.Span(max(left, 0))))
	}
	return checked
}

// CheckSource reaches one source.
func (h *House) CheckSource(ctx context.Context, name string) (Checked, error) {
	if err := OneOf("source", name, h.sourceNames()); err != nil {
		return Checked{}, err
	}
	checked, _ := h.checkSource(ctx, name)
	return checked, nil
}

// CheckTarget reaches one target.
func (h *House) CheckTarget(ctx context.Context, name string) (Checked, error) {
	if err := OneOf("target", name, h.targetNames()); err != nil {
		return Checked{}, err
	}
	return h.checkTarget(ctx, name), nil
}
