package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/directory"
	"musterline.example/setting"
	"musterline.example/source"
)

// provider is an identity provider in memory that answers in pages, as they do.
type provider struct {
	mu     sync.Mutex
	world  World
	fault  Fault
	struck int
	pages  int // answered since the last read began
}

const pageSize = 1000

var errExpired = errors.New("401 invalid_token")

type throttled struct{ after time.Duration }

func (t throttled) Error() string { return "429, retry after " + t.after.String() }

// answer is called before each page and goes wrong as it was told to; cut says that the page is to end in its middle.
func (p *provider) answer(ctx context.Context) (cut bool, err error) {
	p.mu.Lock()
	p.pages++
	f, strikes := p.fault, p.fault.Sort != "" && (p.fault.Page == 0 || p.fault.Page == p.pages) && (p.fault.Times == 0 || p.struck < p.fault.Times)
	if strikes {
		p.struck++
	}
	p.mu.Unlock()
	if !strikes {
		return false, ctx.Err()
	}
	switch f.Sort {
	case FailPage:
		return false, errors.New("500 internal error")
	case Throttle:
		return false, throttled{f.After}
	case Expired:
		return false, errExpired
	case Hang:
		<-ctx.Done()
		return false, ctx.Err()
	}
	return true, nil
}

// sick is a source that is well but for one thing.
type sick struct {
	*provider
	illness string
	env     source.Env
	token   setting.Secret
	cache   *directory.Snapshot
}

func (s *sick) is(illness string) bool { return s.illness == illness }

// page asks for one answer, as often as a well source would.
func (s *sick) page(ctx context.Context) (cut bool, err error) {
	if s.is("does not look at its context") {
		ctx = context.WithoutCancel(ctx)
	}
	cut, err = s.answer(ctx)
	s.env.Log.Debug("page", "token", s.token, "err", err)
	if s.is("logs its token") {
		s.env.Log.Debug("authorization: Bearer " + s.token.Reveal())
	}
	wait, isThrottled := errors.AsType[throttled](err)
	switch {
	case isThrottled && s.is("gives up when throttled"):
		return false, err
	case isThrottled && s.is("takes throttling for the end"):
		return true, nil
	case isThrottled && wait.after > 0:
		return s.answer(ctx) // a real source waits here
	case errors.Is(err, errExpired) && s.is("tries expired credentials again"):
		return false, &source.Error{State: "expired", Message: "the token has ended", Fix: "make another", Retry: true}
	case errors.Is(err, errExpired) && s.is("does not tell expired credentials"):
		return false, err
	case errors.Is(err, errExpired) && s.is("shows its token in an error"):
		return false, &source.Error{State: "expired", Message: "the token " + s.token.Reveal() + " has ended", Fix: "make another"}
	case errors.Is(err, errExpired):
		return false, &source.Error{State: "expired", Message: "the token has ended", Fix: "make another"}
	case err != nil && ctx.Err() == nil && s.is("takes a failing page for the end"):
		return true, nil
	case cut && !s.is("does not notice a cut"):
		return false, errors.New("the answer ends in the middle")
	}
	return cut, err
}

func (s *sick) Snapshot(ctx context.Context, want source.Selection) (*directory.Snapshot, error) {
	s.mu.Lock()
	w, fault := s.world.Clone(), s.fault
	s.pages = 0
	s.mu.Unlock()
	if s.is("remembers what it once read") && s.cache != nil && fault.Sort == "" {
		return s.cache, nil
	}
	out := &directory.Snapshot{Source: s.env.Name, TakenAt: s.env.Now(), Users: map[directory.UserID]directory.User{}, Groups: map[directory.GroupID]directory.Group{}}
	if s.is("has a clock of its own") {
		out.TakenAt = time.Now()
	}
	cut, err := s.page(ctx)
	if err != nil {
		return nil, err
	}
	if cut {
		w.Users = w.Users[:len(w.Users)/2]
	}
	for _, u := range w.Users {
		switch {
		case s.is("folds addresses"):
			u.Email = strings.ToLower(u.Email)
		case s.is("leaves out disabled users") && u.Status == directory.Disabled:
			continue
		case s.is("calls locked users disabled") && u.Status == directory.Locked:
			u.Status = directory.Disabled
		}
		out.Users[u.ID] = u
	}
	full := make(map[directory.GroupID]directory.Group)
	for _, g := range w.Groups {
		if s.is("makes ids of names") {
			g.ID = directory.GroupID("n:" + g.Name)
		}
		full[g.ID] = g
		listed := g
		listed.Members, listed.Groups = nil, nil
		if s.is("takes unread for empty") {
			listed.ReadAt = s.env.Now()
		}
		out.Groups[g.ID] = listed
	}
	ids, err := want.Settle(out.Groups)
	switch {
	case err != nil && s.is("takes the first of two"):
		e, _ := errors.AsType[*source.NameError](err)
		ids, err = append(ids, e.IDs[0]), nil
	case s.is("wants every group to exist"):
		for _, id := range want.IDs {
			if _, ok := full[id]; !ok {
				return nil, fmt.Errorf("there is no group %s", id)
			}
		}
	case s.is("does not know patterns"):
		want.Patterns = nil
		ids, err = want.Settle(out.Groups)
	case s.is("reads all there is"):
		want.All = true
		ids, err = want.Settle(out.Groups)
	}
	if err != nil {
		return nil, err
	}
	for len(ids) > 0 {
		id := ids[0]
		ids = ids[1:]
		g := out.Groups[id]
		if g.Read() && !s.is("takes unread for empty") || g.Members != nil {
			continue
		}
		g.Members = []directory.UserID{}
		members := slices.DeleteFunc(full[id].Members, func(m directory.UserID) bool { _, ok := out.Users[m]; return !ok })
		for first := true; first || len(members) > 0; first = false {
			cut, err := s.page(ctx)
			if err != nil && s.is("gives a part with the error") {
				return out, err
			}
			if err != nil {
				return nil, err
			}
			n := min(len(members), pageSize)
			if cut {
				n /= 2
			}
			g.Members = append(g.Members, members[:n]...)
			members = members[n:]
			if cut || s.is("reads one page") {
				break
			}
		}
		g.ReadAt = s.env.Now()
		if !s.is("does not follow nested groups") {
			g.Groups = full[id].Groups
			ids = append(ids, g.Groups...)
		}
		out.Groups[id] = g
	}
	if s.is("remembers what it once read") {
		s.cache = out
	}
	return out, nil
}

func (s *sick) SearchGroups(_ context.Context, prefix string, page source.Page) ([]directory.Group, source.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []directory.Group
	for _, g := range s.world.Groups {
		name := g.Name
		if !s.is("searches by case") {
			name, prefix = strings.ToLower(name), strings.ToLower(prefix)
		}
		if strings.HasPrefix(name, prefix) {
			found = append(found, g)
		}
	}
	var from int
	_, _ = fmt.Sscan(page.Token, &from)
	size := page.Size
	if size <= 0 {
		size = 50
	}
	end := min(from+size, len(found))
	if end == len(found) || s.is("searches one page") {
		return found[from:end], source.Page{}, nil
	}
	return found[from:end], source.Page{Size: page.Size, Token: fmt.Sprint(end)}, nil
}

const token = "sup3r-s3cret"

func harness(illness string) Harness {
	kind := source.Kind{
		Name: "memory", Title: "Memory",
		Settings: []setting.Field{{Key: "token", Label: "Token", Help: "A token.", Type: setting.SecretValue, Required: true}},
	}
	for _, name := range source.Features {
		kind.Features = append(kind.Features, source.Feature{Name: name, Can: true})
	}
	if illness == "is silent about itself" {
		kind.Features = kind.Features[1:]
	}
	var p *provider
	kind.Open = func(_ context.Context, v setting.Values, env source.Env) (source.Source, error) {
		return &sick{provider: p, illness: illness, env: env, token: v.Secret("token")}, nil
	}
	return Harness{Kind: kind, Serve: func(_ testing.TB, w World) Server {
		p = &provider{world: w}
		p := p
		return Server{
			Values: setting.Values{"token": token}, Secrets: []string{token},
			Change: func(w World) { p.mu.Lock(); defer p.mu.Unlock(); p.world = w },
			Inject: func(f Fault) func() int {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.fault, p.struck = f, 0
				return func() int { p.mu.Lock(); defer p.mu.Unlock(); return p.struck }
			},
		}
	}}
}

func TestAWellSourcePasses(t *testing.T) { Run(t, harness("")) }

// A suite that passes everybody proves nothing: each illness is found, and by the sentence that is about it.
func TestEachIllnessIsFound(t *testing.T) {
	for illness, want := range map[string]string{
		"is silent about itself":            "the kind describes itself",
		"folds addresses":                   "everything asked for is read",
		"leaves out disabled users":         "everything asked for is read",
		"calls locked users disabled":       "everything asked for is read",
		"has a clock of its own":            "everything asked for is read",
		"reads all there is":                "what is not asked for is listed, not read and never empty",
		"takes unread for empty":            "what is not asked for is listed, not read and never empty",
		"does not follow nested groups":     "the members of nested groups are read too, cycles and all",
		"does not know patterns":            "groups are chosen by name and by pattern",
		"wants every group to exist":        "a group that does not exist is absent, and no error",
		"takes the first of two":            "two groups of one name are an error that names both",
		"reads one page":                    "5,001 members are read to the last",
		"remembers what it once read":       "who leaves and who comes is seen by the next read",
		"makes ids of names":                "a rename keeps the id",
		"does not look at its context":      "a cancelled context stops a read before it begins",
		"takes a failing page for the end":  "a failing page yields an error and no snapshot",
		"gives a part with the error":       "a failing page yields an error and no snapshot",
		"does not notice a cut":             "a short read yields an error and no snapshot",
		"gives up when throttled":           "throttling is waited out, or told as worth another try",
		"takes throttling for the end":      "throttling is waited out, or told as worth another try",
		"tries expired credentials again":   "expired credentials are told as such, with a way out",
		"does not tell expired credentials": "expired credentials are told as such, with a way out",
		"shows its token in an error":       "expired credentials are told as such, with a way out",
		"logs its token":                    "everything asked for is read",
		"searches by case":                  "groups are found by the beginning of their name",
		"searches one page":                 "groups are found by the beginning of their name",
	} {
		t.Run(illness, func(t *testing.T) {
			i := slices.IndexFunc(cases, func(c sentence) bool { return c.name == want })
			if i < 0 {
				t.Fatalf("there is no case %q", want)
			}
			err := cases[i].run(t.Context(), &bench{harness: harness(illness), t: t})
			if _, skip := errors.AsType[skipped](err); skip || err == nil {
				t.Fatalf("%q finds nothing: %v", want, err)
			}
			if strings.Contains(err.Error(), token) {
				t.Errorf("the suite itself shows the secret: %v", err)
			}
			t.Log(err)
		})
	}
}

// A kind that can do little is served worlds without what it cannot tell, and still passes.
func TestAPlainSourcePasses(t *testing.T) {
	h := harness("")
	for i := range h.Kind.Features {
		h.Kind.Features[i].Can = false
	}
	serve := h.Serve
	h.Serve = func(t testing.TB, w World) Server {
		for _, u := range w.Users {
			if u.Status != directory.Active || u.Accounts != nil {
				t.Errorf("served %+v", u)
			}
		}
		names := make(map[string]bool)
		for _, g := range w.Groups {
			if g.Groups != nil || g.Description != "" || names[g.Name] {
				t.Errorf("served %+v", g)
			}
			names[g.Name] = true
		}
		return serve(t, w)
	}
	Run(t, h)
}
