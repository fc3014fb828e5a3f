package native

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"musterline.example/answer"
	"musterline.example/api/access"
	"musterline.example/internal/together"
	"musterline.example/store"
	"musterline.example/target"
)

// Sessions are those of people who have signed in. Package signin has them.
type Sessions interface {
	// Person returns who has signed in, by the cookie of a request; nil when nobody has. What is to change something must come from our own
	// pages: a request that does not is an *access.Refusal.
	Person(r *http.Request) (*access.Person, error)
	// Still is Person for who is there already: it is no use of the session, which ends when it would have.
	Still(r *http.Request) (*access.Person, error)
	// Doors are the ways to sign in that are configured.
	Doors() []Door
	// Of returns the sessions of a subject, the newest first; of everybody when it is empty.
	Of(ctx context.Context, subject string) ([]access.Person, error)
	// End ends a session at once; store.ErrNotFound when it is over already.
	End(ctx context.Context, id, by string) error
	// SignOut ends the session of a request, and takes its cookie away.
	SignOut(w http.ResponseWriter, r *http.Request) error
}

// A Door is a way to sign in.
type Door struct {
	ID   access.Way `json:"id" enum:"oidc,github" doc:"It is at /login/ID."`
	Name string     `json:"name" doc:"What people know it by."`
}

// Unattended is the header of a request that no person has made: of a page that looks again by itself while nobody touches it. It is no use of the
// session, which ends as if the page were closed.
const Unattended = "Musterline-Unattended"

// nobody is the Sessions of a server without sign-in.
type nobody struct{}

func (nobody) Person(*http.Request) (*access.Person, error)        { return nil, nil }
func (nobody) Still(*http.Request) (*access.Person, error)         { return nil, nil }
func (nobody) Doors() []Door                                       { return nil }
func (nobody) Of(context.Context, string) ([]access.Person, error) { return nil, nil }
func (nobody) End(context.Context, string, string) error           { return store.ErrNotFound }
func (nobody) SignOut(http.ResponseWriter, *http.Request) error    { return nil }

// noRole is what somebody is told who has signed in and is nobody here.
func noRole() error {
	return answer.Errorf(answer.Forbidden, "you have no role here").
		WithHint("ask an administrator of Musterline for one; an owner of an organization, or a maintainer of a team, signs in with their GitHub account")
}

// signed finds out who has signed in, for a request without another credential.
func (a *API) signed(r *http.Request, v *visit) error {
	if r.Header.Get("Authorization") != "" {
		return nil
	}
	find := a.Sessions.Person
	if v.idle || r.Header.Get(Unattended) != "" {
		find = a.Sessions.Still
	}
	p, err := find(r)
	if err != nil || p == nil {
		return err
	}
	v.caller, v.who = a.Access.Signed(p, v.info.From), p.Who()
	v.info.Who = v.who
	v.given, err = a.Access.Given(r.Context(), p)
	return err
}

// role is what the caller is to the whole server.
func (v *visit) role() access.Role {
	if t, ours := v.caller.Token(); ours && t.Target == "" {
		return access.Role(t.Role)
	}
	return access.On(v.given, "")
}

// unbound reports whether what the caller may do here they may on all targets at once: a token that is bound to none, or a person whose role on
// the whole server is enough.
func (v *visit) unbound() bool {
	if t, ours := v.caller.Token(); ours {
		return t.Target == ""
	}
	return v.need.Allows(v.role())
}

// everywherePerson lets a person in to what belongs to the whole server.
func (v *visit) everywherePerson() (*visit, error) {
	switch {
	case v.need.Allows(v.role()):
		return v, nil
	case len(v.given) > 0:
		return nil, mayNot()
	}
	return nil, answer.Errorf(answer.Forbidden, "this is not about one target, and your role on the whole server does not allow it").
		WithHint("name a target, or ask an administrator of Musterline for a role")
}

// openTo are the targets on which a person may do what the route is for.
func (a *API) openTo(ctx context.Context, v *visit) ([]string, error) {
	configured, err := v.house.Configured(ctx)
	if err != nil {
		return nil, err
	}
	var (
		all    together.Group
		mu     sync.Mutex
		names  []string
		unsure error
	)
	for _, name := range configured.TargetNames() {
		all.Go(func() {
			e, err := a.personAt(ctx, v, name)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				unsure = err
			case e.May(v.need):
				names = append(names, name)
			case e.Unsure != nil:
				unsure = e.Unsure
			}
		})
	}
	all.Wait()
	slices.Sort(names)
	if len(names) == 0 && unsure != nil {
		return nil, unsure
	}
	if len(names) == 0 {
		return nil, noRole()
	}
	return names, nil
}

// personAt says what a person is to a target.
func (a *API) personAt(ctx context.Context, v *visit, name string) (access.Entry, error) {
	if ours := access.On(v.given, name); v.need.Allows(ours) {
		return access.Entry{Role: ours, Who: v.who}, nil // whatever their GitHub says besides
	}
	place, err := a.place(ctx, v, name)
	if err != nil {
		place = access.Place{Target: name, Host: v.house.Host(ctx, name)} // one that cannot be opened: what is ours to know still counts
	}
	return a.Access.Enter(ctx, v.caller, place, target.Door{}, v.changes())
}

// A scope is the targets that a caller sees; nil: all.
type scope []string

// has reports whether the caller sees a target.
func (s scope) has(target string) bool { return s == nil || slices.Contains(s, target) }

// among lets the caller in to a list that shows each what they may see, of several targets perhaps: of the one that is named, else of all that
// they may see.
func (a *API) among(ctx context.Context, named string) (*visit, scope, error) {
	v := visitOf(ctx)
	if _, person := v.caller.Person(); named == "" && person && !v.unbound() {
		names, err := a.openTo(ctx, v)
		v.sees = names
		return v, names, err
	}
	v, bound, err := a.chosen(ctx, named)
	if bound == "" {
		return v, nil, err
	}
	return v, scope{bound}, err
}
