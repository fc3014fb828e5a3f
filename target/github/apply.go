package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	lib "github.com/google/go-github/v92/github"

	"musterline.example/internal/githubapi"
	"musterline.example/plan"
	"musterline.example/target"
	"musterline.example/team"
)

// Apply makes one team's changes, one call each and no reads beside, but for the login of somebody who has left and is invited again: create,
// additions, role changes, removals.
//
//	answer of GitHub                     outcome
//	200, state active                    done
//	200, state pending, Invite           pending: an invitation to the organization is out
//	200, state pending, not Invite       pending with an error: whoever it was had left, and the invitation is taken back at once
//	404 to a removal                     already
//	404 to the look-up before an Invite  skipped: the account was deleted
//	403, 404, 422                        failed; the next change is tried
//	5xx, cut connection                  failed and unavailable: it may have happened
//	403, the team is managed elsewhere   failed; the team's other changes are skipped
//	401, a limit, the end of the context the rest is skipped, and Apply returns the error
//
// A team is created with the acting account as its maintainer; that account leaves it in the same change unless it is to stay.
func (o *organization) Apply(ctx context.Context, c plan.TeamChange, did func(target.Outcome) error) error {
	defer o.flush()
	at, err := o.place(ctx)
	if err != nil {
		return o.trouble(err, "change team %s", c.Slug)
	}
	w := &writing{o: o, at: at, change: c, team: c.Team, did: did}
	if c.Create != nil {
		if stop, err := w.create(ctx); stop || err != nil {
			return err
		}
	}
	changes := c.Changes()
	if w.leave != nil {
		changes = append(changes, *w.leave)
	}
	for i, ch := range changes {
		if err := ctx.Err(); err != nil {
			return err // what was not begun has no outcome: the next run plans it anew
		}
		out, all := w.write(ctx, ch)
		if err := did(out); err != nil {
			return err
		}
		if all == nil && !isState(out.Err, githubapi.Managed) {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, rest := range changes[i+1:] {
			if err := did(target.Outcome{Act: string(rest.Act), Account: rest.Account, Team: w.team, Result: target.Skipped, Err: out.Err}); err != nil {
				return err
			}
		}
		return all
	}
	return nil
}

func isState(err error, s githubapi.State) bool {
	e, ok := errors.AsType[*target.Error](err)
	return ok && e.State == string(s)
}

// A writing is one Apply.
type writing struct {
	o      *organization
	at     githubapi.Standing
	change plan.TeamChange
	team   team.ID
	leave  *plan.Change // of the creator
	did    func(target.Outcome) error
}

// concernsAll reports whether an error would meet every other write too.
func concernsAll(err error) bool {
	switch target.ClassOf(err) {
	case target.BadCredential, target.Limited:
		return true
	}
	e, ok := errors.AsType[*target.Error](err)
	if !ok {
		return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
	switch githubapi.State(e.State) {
	case githubapi.SSOUnauthorized, githubapi.ScopeMissing, githubapi.IPBlocked, githubapi.ClassicRefused, githubapi.AppSuspended, githubapi.AppUninstalled, githubapi.LockedOut:
		return true
	}
	return false
}

// failed gives an outcome its error. What a limit stopped was not done.
func failed(out target.Outcome, err error) target.Outcome {
	out.Result, out.Err = target.Failed, err
	if target.ClassOf(err) == target.Limited {
		out.Result = target.Skipped
	}
	if e, ok := errors.AsType[*target.Error](err); ok {
		out.Request = e.Request
	}
	return out
}

// create makes the team. stop says that there is nothing to go on with.
func (w *writing) create(ctx context.Context) (stop bool, err error) {
	n := w.change.Create
	body := lib.CreateTeamRequest{Name: n.Name}
	if n.Description != "" {
		body.Description = &n.Description
	}
	privacy := string(n.Privacy)
	if privacy == "" {
		privacy = string(team.Closed)
	}
	body.Privacy = &privacy
	if parent, ok := parseID(string(n.Parent)); ok {
		body.ParentTeamID = &parent
	}
	made, resp, err := w.o.api.REST().Teams.CreateTeam(ctx, w.at.Organization, body)
	out := target.Outcome{Act: "create", Request: requestOf(resp)}
	if err != nil {
		err = w.o.trouble(w.o.api.Explain(err), "create team %s", n.Name)
		if isState(err, githubapi.Invalid) {
			if there := w.existing(ctx, n.Name); there != "" {
				// Somebody made a team of this name since the plan, or we did and did not live to tell. Whether its members are to be
				// changed is for a new plan and its guards.
				w.team = there
				out.Team, out.Result = there, target.Already
				return true, w.skipAll(out, fmt.Errorf("team %s exists since the plan was made; the next run plans it as it is", n.Name))
			}
		}
		out = failed(out, err)
		if err := w.skipAll(out, fmt.Errorf("the team was not created: %w", err)); err != nil {
			return true, err
		}
		if concernsAll(err) {
			return true, err
		}
		return true, nil
	}
	w.team = team.ID(number(made.GetID()))
	w.o.keep("team:"+string(w.team), made.GetNodeID())
	out.Team, out.Result = w.team, target.Done
	if err := w.did(out); err != nil {
		return true, err
	}
	w.leave = w.creator()
	return false, nil
}

// creator returns the change that takes the acting account out of the team it has just made: an App is nobody and joins nothing.
func (w *writing) creator() *plan.Change {
	self := team.AccountID(w.at.Self)
	if self == "" || slices.ContainsFunc(w.change.Changes(), func(c plan.Change) bool { return c.Account == self }) {
		return nil
	}
	return &plan.Change{Act: plan.Remove, Account: self, Login: w.at.Login, From: team.Maintainer, Why: []team.Reason{{Rule: team.CreatorLeaves}}}
}

// existing looks for a team of that very name; empty when there is none.
func (w *writing) existing(ctx context.Context, name string) team.ID {
	teams, err := w.o.find(ctx, w.at, []string{name})
	if err != nil {
		return ""
	}
	for _, t := range teams {
		if strings.EqualFold(t.Name, name) {
			return t.ID
		}
	}
	return ""
}

// skipAll reports the outcome of a creation and all changes of the team as skipped for a reason.
func (w *writing) skipAll(out target.Outcome, why error) error {
	if err := w.did(out); err != nil {
		return err
	}
	for _, ch := range w.change.Changes() {
		if err := w.did(target.Outcome{Act: string(ch.Act), Account: ch.Account, Team: w.team, Result: target.Skipped, Err: why}); err != nil {
			return err
		}
	}
	return nil
}

// write makes one change. all is set when the error would meet every other write too.
func (w *writing) write(ctx context.Context, ch plan.Change) (out target.Outcome, all error) {
	out = target.Outcome{Act: string(ch.Act), Account: ch.Account, Team: w.team}
	var err error
	switch ch.Act {
	case plan.Remove, plan.Cancel:
		out.Result, out.Request, err = w.remove(ctx, ch)
	default:
		if ch.Invite {
			if ch.Login, err = w.o.loginOf(ctx, ch.Account); githubapi.Is(err, githubapi.Missing) {
				out.Result = target.Skipped
				out.Err = &target.Error{Class: target.NotFound, State: "account-gone", Message: "account " + string(ch.Account) + " was deleted and cannot be invited", Err: target.ErrAccountGone}
				return out, nil
			}
		}
		if err == nil {
			out.Result, out.Request, err = w.put(ctx, ch)
		}
		if out.Result == target.Pending && !ch.Invite && err == nil {
			out.Err = w.takeBack(ctx, ch)
			return out, nil
		}
	}
	if err == nil {
		return out, nil
	}
	err = w.o.trouble(err, "%s %s", ch.Act, ch.Login)
	if concernsAll(err) {
		all = err
	}
	return failed(out, err), all
}

// address is where one membership is written, by ids but for the login: GitHub has no route with a user's id.
func (w *writing) address(login string) string {
	return fmt.Sprintf("organizations/%s/team/%s/memberships/%s", w.at.OrganizationID, w.team, url.PathEscape(login))
}

// put adds a member or changes a role. The role is always given: GitHub takes a missing one for "member" and would demote a maintainer.
func (w *writing) put(ctx context.Context, ch plan.Change) (target.Result, string, error) {
	var m lib.Membership
	id, err := w.call(ctx, http.MethodPut, w.address(ch.Login), &lib.TeamAddTeamMembershipOptions{Role: ch.Role.String()}, &m)
	switch {
	case err != nil:
		return target.Failed, id, err
	case m.GetState() == "pending":
		return target.Pending, id, nil
	case m.GetState() != "active":
		return target.Failed, id, githubapi.Gap("the state of the membership was left out")
	}
	return target.Done, id, nil
}

func (w *writing) remove(ctx context.Context, ch plan.Change) (target.Result, string, error) {
	id, err := w.call(ctx, http.MethodDelete, w.address(ch.Login), nil, nil)
	if githubapi.Is(err, githubapi.Missing) {
		return target.Already, id, nil
	}
	return target.Done, id, err
}

// takeBack cancels what a PUT has set off that was to add a member and found a stranger: the place in the team, and the invitation to
// the organization if it is now an invitation into nothing. It returns the error that tells of it.
func (w *writing) takeBack(ctx context.Context, ch plan.Change) error {
	told := &target.Error{
		Class: target.Refused, State: "not-a-member",
		Message: fmt.Sprintf("%s is no member of %s any more, and GitHub sent an invitation", ch.Login, w.at.Organization),
		Fix:     "nothing; the invitation was taken back at once",
	}
	_, err := w.call(ctx, http.MethodDelete, w.address(ch.Login), nil, nil)
	if err == nil || githubapi.Is(err, githubapi.Missing) {
		err = w.cancelInvitation(ctx, ch.Login)
	}
	if err != nil {
		told.Fix = "cancel the invitation in the organization's settings under People, for taking it back failed: " + err.Error()
	}
	return told
}

// justNow is how young an invitation must be to be taken for the one that our own PUT has sent.
const justNow = 5 * time.Minute

// cancelInvitation deletes the pending invitation of a login that is young, plain and for no team. Another's is left alone.
func (w *writing) cancelInvitation(ctx context.Context, login string) error {
	for opts := (&lib.ListOptions{PerPage: 100}); ; {
		page, resp, err := w.o.api.REST().Organizations.ListPendingOrgInvitations(ctx, w.at.Organization, opts)
		if err != nil {
			return w.o.api.Explain(err)
		}
		for _, i := range page {
			if strings.EqualFold(i.GetLogin(), login) && i.GetTeamCount() == 0 && i.GetRole() == "direct_member" && w.o.now().Sub(i.GetCreatedAt().Time) < justNow {
				_, err := w.call(ctx, http.MethodDelete, fmt.Sprintf("orgs/%s/invitations/%d", w.at.Organization, i.GetID()), nil, nil)
				return err
			}
		}
		if resp.NextPage == 0 {
			return nil
		}
		opts.Page = resp.NextPage
	}
}

// call makes one REST call and returns GitHub's id of it.
func (w *writing) call(ctx context.Context, method, path string, body, out any) (string, error) {
	rest := w.o.api.REST()
	req, err := rest.NewRequest(ctx, method, path, body)
	if err != nil {
		return "", err
	}
	resp, err := rest.Do(req, out)
	return requestOf(resp), w.o.api.Explain(err)
}

func requestOf(resp *lib.Response) string {
	if resp == nil || resp.Response == nil {
		return ""
	}
	return resp.Header.Get("X-GitHub-Request-Id")
}
