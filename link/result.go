package link

import (
	"cmp"
	"slices"

	"musterline.example/team"
)

// Result is who is linked to whom, and who is not and why.
type Result struct {
	Links map[UserRef]Link // standing, frozen and revoked
	Held  map[UserRef]Hold // users without a link; a frozen or revoked link is in Links, not here

	users  map[team.AccountID][]UserRef
	frozen map[team.AccountID]string
}

// Users returns the users linked to an account, standing or frozen or revoked, in order of source; usually one for each source.
func (r *Result) Users(account team.AccountID) []UserRef { return r.users[account] }

// LinkOf returns the link of a user, in whatever state.
func (r *Result) LinkOf(user UserRef) (Link, bool) {
	l, ok := r.Links[user]
	return l, ok
}

// Linked reports whether any user is linked to the account, in whatever state the link is.
func (r *Result) Linked(account team.AccountID) bool { return len(r.users[account]) > 0 }

// Frozen reports whether it is in doubt whose account this is, and why: a link to it is frozen, or users who are held as ambiguous or
// for a conflict name it. Such an account is added to no team and removed from none, whatever else is known of it.
func (r *Result) Frozen(account team.AccountID) (why string, ok bool) {
	why, ok = r.frozen[account]
	return why, ok
}

// compareUsers orders users by source and id.
func compareUsers(a, b UserRef) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
}

// index fills what is derived from links.
func (r *Result) index() {
	r.users = make(map[team.AccountID][]UserRef, len(r.Links))
	for user, l := range r.Links {
		r.users[l.Account] = append(r.users[l.Account], user)
	}
	for _, users := range r.users {
		slices.SortFunc(users, compareUsers)
	}
}
