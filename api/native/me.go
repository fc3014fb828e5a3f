package native

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"musterline.example/answer"
	"musterline.example/api/access"
	"musterline.example/internal/together"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

// A me is who the caller is, for themselves.
type me struct {
	SignedIn  bool      `json:"signed_in"`
	Providers []Door    `json:"providers" doc:"The ways to sign in."`
	Session   string    `json:"session,omitempty" doc:"The id of the session; it is no secret."`
	Subject   string    `json:"subject,omitempty" doc:"Who they are as roles know them: oidc:ISSUER#SUBJECT, github:HOST#NUMBER or local:NAME."`
	Name      string    `json:"name,omitempty"`
	Login     string    `json:"login,omitempty" doc:"As they are known where they signed in."`
	Who       string    `json:"who,omitempty" doc:"As the audit record names them."`
	How       string    `json:"how,omitempty" enum:"link,oidc,github,token" doc:"How they have signed in; token for a program."`
	Since     time.Time `json:"since,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"When the session ends if nothing more is asked."`
	Roles     []myRole  `json:"roles,omitempty"`
	Targets   []mine    `json:"targets,omitempty" doc:"What GitHub says of their account, for each target of whose organization they are a member, or on which they have a role."`
	Unsure    string    `json:"unsure,omitempty" doc:"Why GitHub could not be asked everywhere; there may be more roles than are listed."`
	Link      bool      `json:"link,omitempty" doc:"Whether they can link themselves."`
}

// A myRole is a role of the caller. On a target that has none of its own the one with an empty target counts.
type myRole struct {
	Role   access.Role `json:"role" enum:"viewer,maintainer,owner,administrator"`
	Target string      `json:"target" doc:"Empty: on all."`
	From   string      `json:"from" enum:"link,assigned,group,github,token" doc:"Where it comes from."`
}

// A mine is what a target says of the caller's account.
type mine struct {
	Target      string         `json:"target"`
	Host        string         `json:"host"`
	Account     team.AccountID `json:"account,omitempty"`
	Login       string         `json:"login,omitempty"`
	Member      bool           `json:"member"`
	Owner       bool           `json:"owner"`
	Maintains   []team.Ref     `json:"maintains,omitempty" doc:"The teams that they maintain."`
	Unavailable string         `json:"unavailable,omitempty" doc:"Why it could not be asked; there may be more roles than are listed."`
}

// registerMe is what is the caller's own.
func (a *API) registerMe() {
	operate(a, op{
		id: "me", route: "GET /me", tag: "me", summary: "Who am I", open: true,
		promise: "Says who the caller is and what they may do, or that nobody has signed in and how to. GitHub is asked what their account is to each target, at most once a minute.",
	}, func(ctx context.Context, _ *struct{}) (*body[me], error) {
		return told(a.me(ctx))
	})
	operate(a, op{
		id: "sign-out", route: "POST /me/sign-out", tag: "me", summary: "Sign out", status: http.StatusNoContent,
		promise: "Ends the session of this browser, and takes its cookie away.",
	}, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		v, _, err := a.person(ctx)
		if err != nil {
			return nil, err
		}
		return nil, a.Sessions.SignOut(v.writer, v.request)
	})
}

func (a *API) me(ctx context.Context) (me, error) {
	m := me{Providers: append([]Door{}, a.Sessions.Doors()...)}
	v := visitOf(ctx)
	err := a.identify(v.request, v)
	if r, refused := errors.AsType[*access.Refusal](err); refused && r.Status == http.StatusUnauthorized && v.request.Header.Get("Authorization") == "" {
		return m, nil // nobody
	}
	if err == nil {
		v.house, err = a.House(ctx)
	}
	if err != nil {
		return m, err
	}
	m.SignedIn, m.Who, v.need = true, v.who, access.Read
	p, person := v.caller.Person()
	if !person {
		m.How = "token"
		t, ours := v.caller.Token()
		if !ours {
			return me{Providers: m.Providers}, nil // of a GitHub token nothing is known before a target is named
		}
		m.Name, m.ExpiresAt = t.Name, t.ExpiresAt
		m.Roles = []myRole{{access.Role(t.Role), t.Target, "token"}}
		return m, nil
	}
	m.Session, m.Subject, m.Name, m.Login, m.How, m.Since, m.ExpiresAt = p.Session, p.Subject, p.Name, p.Login, string(p.Way), p.Since, p.ExpiresAt
	m.Link = p.User != nil || p.Account != nil
	for _, g := range v.given {
		m.Roles = append(m.Roles, myRole{g.Role, g.Target, g.From})
	}
	all, err := a.mine(ctx, v, p)
	for _, t := range all {
		if t.Unavailable != "" {
			m.Unsure = "GitHub could not be asked everywhere what your account is there."
		}
	}
	m.Targets = slices.DeleteFunc(all, func(t mine) bool { return !v.knows(t) })
	for _, t := range m.Targets {
		switch {
		case t.Owner:
			m.Roles = append(m.Roles, myRole{access.Owner, t.Target, "github"})
		case len(t.Maintains) > 0:
			m.Roles = append(m.Roles, myRole{access.Maintainer, t.Target, "github"})
		}
	}
	return m, err
}

// patience is how long a page waits for what GitHub says of somebody's account.
const patience = 10 * time.Second

// mine asks every target what the caller's account is there. It is not for them to see whole: not of every target do they know.
func (a *API) mine(ctx context.Context, v *visit, p *access.Person) ([]mine, error) {
	configured, err := v.house.Configured(ctx)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithTimeout(ctx, patience)
	defer end()
	names := configured.TargetNames()
	all := make([]mine, len(names))
	var asked together.Group
	for i, name := range names {
		asked.Go(func() {
			place, err := a.place(ctx, v, name)
			m := mine{Target: name, Host: v.house.Host(ctx, name)}
			if err == nil {
				var g target.Guest
				g, err = a.Access.Word(ctx, p, place, target.Door{})
				m.Account, m.Login, m.Member, m.Owner, m.Maintains = g.Account, g.Login, g.Member, g.Owner, g.Maintains
			}
			if err != nil {
				m.Unavailable = "the target could not be asked"
				if r, refused := errors.AsType[*access.Refusal](err); refused {
					m.Unavailable = r.Message
				}
				a.Log.WarnContext(ctx, "a target could not be asked about somebody's account", "target", name, "error", err)
			}
			all[i] = m
		})
	}
	asked.Wait()
	return slices.DeleteFunc(all, func(m mine) bool { return m.Account == "" && m.Unavailable == "" }), nil
}

// knows reports whether the caller has a reason to know of a target: they are a member of its organization, or have a role on it. Nobody else is told
// that it is kept here.
func (v *visit) knows(m mine) bool { return m.Member || access.On(v.given, m.Target) != access.Nobody }

// A session is one of somebody who has signed in.
type session struct {
	ID        string    `json:"id" doc:"It is no secret: it opens nothing."`
	Subject   string    `json:"subject"`
	Who       string    `json:"who"`
	How       string    `json:"how" enum:"link,oidc,github"`
	Role      string    `json:"role,omitempty" doc:"That a sign-in link has given."`
	Target    string    `json:"target,omitempty"`
	Since     time.Time `json:"since"`
	ExpiresAt time.Time `json:"expires_at" doc:"When it ends if it is not used any more."`
	Own       bool      `json:"own" doc:"The one of this very request."`
}

type sessionList struct {
	Sessions []session `json:"sessions"`
	Next     string    `json:"next,omitempty"`
}

// registerSessions are the sessions of people.
func (a *API) registerSessions() {
	operate(a, op{
		id: "sessions", route: "GET /sessions", tag: "access", summary: "Who has signed in",
		promise: "Lists sessions that have not ended, the newest first: an administrator sees everybody's, anybody else their own.",
	}, func(ctx context.Context, in *struct{ Page }) (*body[sessionList], error) {
		_, p, all, err := a.sessionsOf(ctx)
		if err != nil {
			return nil, err
		}
		subject := p.Subject
		if all {
			subject = ""
		}
		found, err := a.Sessions.Of(ctx, subject)
		if err != nil {
			return nil, err
		}
		list := make([]session, 0, len(found))
		for _, f := range found {
			list = append(list, session{
				ID: f.Session, Subject: f.Subject, Who: f.Who(), How: string(f.Way), Role: string(f.Role), Target: f.Target, Since: f.Since, ExpiresAt: f.ExpiresAt,
				Own: f.Session == p.Session,
			})
		}
		key := func(s session) string { return sortable(s.Since) + "\x00" + s.ID }
		slices.SortStableFunc(list, func(x, y session) int { return strings.Compare(key(x), key(y)) })
		page, next, err := cut(in.Page, "sessions\x00"+subject, list, key)
		return told(sessionList{page, next}, err)
	})
	operate(a, op{
		id: "end-session", route: "DELETE /sessions/{id}", tag: "access", summary: "End a session", status: http.StatusNoContent,
		promise: "Ends a session at once: the next request with it is refused. An administrator ends anybody's, anybody else their own.",
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" doc:"As the list names it."`
	}) (*struct{}, error) {
		v, p, all, err := a.sessionsOf(ctx)
		if err != nil {
			return nil, err
		}
		none := answer.Errorf(answer.NotFound, "there is no such session, or it is over")
		if !all {
			own, err := a.Sessions.Of(ctx, p.Subject)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(own, func(s access.Person) bool { return s.Session == in.ID }) {
				return nil, none
			}
		}
		err = a.Sessions.End(ctx, in.ID, v.who)
		if errors.Is(err, store.ErrNotFound) {
			return nil, none
		}
		return nil, err
	})
}

// person lets those in who have signed in.
func (a *API) person(ctx context.Context) (*visit, *access.Person, error) {
	v := visitOf(ctx)
	p, signed := v.caller.Person()
	if !signed {
		return nil, nil, answer.Errorf(answer.Forbidden, "this is about somebody who has signed in").WithHint("it takes the session of a browser, and no token")
	}
	return v, p, nil
}

// sessionsOf lets those in who have signed in, and says whether everybody's sessions are theirs to see; of tokens, only an administrator's.
func (a *API) sessionsOf(ctx context.Context) (v *visit, p access.Person, all bool, err error) {
	v = visitOf(ctx)
	if all = v.role() == access.Administrator; all {
		if asker, person := v.caller.Person(); person {
			p = *asker
		}
		return v, p, all, nil
	}
	v, asker, err := a.person(ctx)
	if err != nil {
		return nil, p, false, err
	}
	return v, *asker, false, nil
}

// sortable writes a moment so that the newest comes first.
func sortable(t time.Time) string {
	return time.Unix(0, 1<<62-t.UnixNano()).UTC().Format("2006-01-02T15:04:05.000000000")
}
