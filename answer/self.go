package answer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"musterline.example/config"
	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/team"
)

// A Proven is what somebody has shown in one sitting: who they are at the identity provider, which account is theirs, or both.
type Proven struct {
	User    *ProvenUser
	Account *ProvenAccount
	By      string // for the audit record
}

// A ProvenUser is somebody at the identity provider: the one of the source whose Matches is Value.
type ProvenUser struct {
	Subject string // as the provider knows them
	Source  string
	Matches string // config.MatchID, MatchUsername or MatchEmail
	Value   string
	At      time.Time
}

// A ProvenAccount is an account that somebody has signed in to.
type ProvenAccount struct {
	Host  string
	ID    team.AccountID
	Login string
	At    time.Time
}

// A SelfLink is what becomes of somebody who links themselves.
type SelfLink struct {
	User     *SelfUser     `json:"user,omitempty"` // whom the identity provider's word names; none: nobody yet
	Link     *Link         `json:"link,omitempty"` // that the user has on the account's host now
	Problems []SelfProblem `json:"problems"`
	Notes    []string      `json:"notes"`
	Targets  []SelfTarget  `json:"targets"` // what mappings give the user, as memory has them
	Ready    bool          `json:"ready"`   // both sides are proven, and nothing is in the way
	Done     bool          `json:"done"`    // the link stands as it would be made
}

// A SelfUser is somebody as the source knows them.
type SelfUser struct {
	User     string `json:"user"` // source/id
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Email    string `json:"email,omitempty"`
}

// A SelfProblem is what is in the way of a link.
type SelfProblem struct {
	Reason  string `json:"reason" enum:"no-source,off,never-read,not-found,ambiguous,inactive,other-host,taken,said-by-hand"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// A SelfTarget is a target with the teams that somebody will be in.
type SelfTarget struct {
	Target       string     `json:"target"`
	Organization string     `json:"organization,omitempty"`
	Host         string     `json:"host"`
	Teams        []SelfTeam `json:"teams"`
}

// A SelfTeam is a team that a mapping gives somebody.
type SelfTeam struct {
	Team string   `json:"team"` // its slug, as far as it is known
	Role string   `json:"role"`
	Path []string `json:"path"` // the names of the groups, from the one that is mapped to the one that lists them
}

// SelfLink says what would become of a link between the two sides that somebody has proven. Nothing is written, and nobody is asked.
func (h *House) SelfLink(ctx context.Context, p Proven) (SelfLink, error) {
	s := SelfLink{Problems: []SelfProblem{}, Notes: []string{}, Targets: []SelfTarget{}}
	if h.Store == nil {
		return s, Errorf(Unavailable, "there is no database")
	}
	trouble := func(reason, message, hint string) {
		s.Problems = append(s.Problems, SelfProblem{reason, message, hint})
	}
	if !slices.Contains(h.Config.Tiers, link.Self) {
		trouble("off", "Links that people make themselves do not count here.", "An administrator adds self to links.tiers.")
	}
	if p.Account != nil && !slices.Contains(h.hosts(ctx), p.Account.Host) {
		trouble("other-host", "No organization that is kept here is on "+p.Account.Host+".", "Sign in with an account on another GitHub.")
	}
	ref, last, err := h.selfUser(ctx, &s, p.User, trouble)
	if err != nil || s.User == nil {
		return s, err
	}
	if s.Targets, err = h.selfTeams(ctx, ref, last, p.Account); err != nil || p.Account == nil {
		return s, err
	}
	st, err := h.standing(ctx, nil)
	if err != nil {
		return s, err
	}
	h.selfConflicts(&s, st, ref, p.Account, trouble)
	s.Ready = len(s.Problems) == 0
	return s, nil
}

// LinkSelf makes the link that SelfLink describes, with a sync of the account in every target of its host.
func (h *House) LinkSelf(ctx context.Context, p Proven) (SelfLink, error) {
	if err := h.writes(); err != nil {
		return SelfLink{}, err
	}
	s, err := h.SelfLink(ctx, p)
	switch {
	case err != nil:
		return s, err
	case p.User == nil || p.Account == nil:
		return s, Errorf(Conflict, "a link needs both sides: sign in with the identity provider and with GitHub")
	case len(s.Problems) > 0:
		return s, Errorf(Conflict, "%s", strings.TrimSuffix(s.Problems[0].Message, ".")).WithHint(s.Problems[0].Hint)
	case s.Done:
		return s, nil
	}
	ref, _ := link.ParseUserRef(s.User.User)
	evidence := fmt.Sprintf("%s: signed in as %s at %s and as %s/%s (%s) at %s", p.By, p.User.Subject, p.User.At.UTC().Format(time.RFC3339),
		p.Account.Host, p.Account.ID, p.Account.Login, p.Account.At.UTC().Format(time.RFC3339))
	if err := h.Store.AddStatement(ctx, p.Account.Host, link.Statement{
		User: ref, Account: p.Account.ID, Tier: link.Self, By: evidence, At: h.now(),
	}, h.askFor(ctx, p.Account.Host, p.Account.ID, p.By, "somebody has linked themselves")...); err != nil {
		return s, err
	}
	return h.SelfLink(ctx, p)
}

// selfUser finds whom the identity provider's word names among the users of the source as it was last read.
func (h *House) selfUser(
	ctx context.Context, s *SelfLink, p *ProvenUser, trouble func(reason, message, hint string),
) (ref link.UserRef, last *directory.Snapshot, err error) {
	if p == nil {
		return ref, nil, nil
	}
	if p.Source == "" {
		trouble("no-source", "It is not said here whose users the identity provider's people are.", "An administrator sets server.sign_in.oidc.source.")
		return ref, nil, nil
	}
	if last, err = h.lastRead(ctx, p.Source); err != nil {
		return ref, nil, err
	}
	if last == nil {
		trouble("never-read", p.Source+" was never read yet.", "Try again after the first sync.")
		return ref, nil, nil
	}
	var found []directory.User
	for _, u := range last.Users {
		if word := Claimed(p.Matches, u); word != "" && ClaimKey(p.Matches, word) == ClaimKey(p.Matches, p.Value) {
			found = append(found, u)
		}
	}
	members := slices.DeleteFunc(slices.Clone(found), func(u directory.User) bool { return !u.Status.Member() })
	switch {
	case len(found) == 0:
		trouble("not-found", "Nobody whom the identity provider calls that was among the people of the mapped groups when "+p.Source+" was last read, at "+
			last.TakenAt.UTC().Format("2006-01-02 15:04")+" UTC.", "If you are in a group that should count, ask an administrator of Musterline whether it is mapped.")
	case len(members) == 0:
		trouble("inactive", "You are disabled at "+p.Source+".", "Ask those who look after it.")
	case len(members) > 1:
		trouble("ambiguous", fmt.Sprintf("%d people of %s are called that, and it cannot be told which of them you are.", len(members), p.Source),
			"Ask an administrator of Musterline to link you by hand.")
	default:
		u := members[0]
		s.User = &SelfUser{User: p.Source + "/" + string(u.ID), Name: u.Name, Username: u.Username, Email: u.Email}
		return link.UserRef{Source: p.Source, ID: u.ID}, last, nil
	}
	return ref, last, nil
}

// Claimed is what of a user a claim is held against: config.MatchID, MatchUsername or MatchEmail.
func Claimed(matches string, u directory.User) string {
	switch matches {
	case config.MatchUsername:
		return u.Username
	case config.MatchEmail:
		return u.Email
	}
	return string(u.ID)
}

// ClaimKey is the form in which two such words are the same. Sign-in names and addresses are compared without regard to case, as identity
// providers do.
func ClaimKey(matches, word string) string {
	if matches == config.MatchID {
		return word
	}
	return strings.ToLower(word)
}

// selfTeams are the teams that mappings give a user.
func (h *House) selfTeams(ctx context.Context, user link.UserRef, last *directory.Snapshot, account *ProvenAccount) ([]SelfTarget, error) {
	in := above(last, user.ID)
	all := []SelfTarget{}
	for _, name := range h.targetNames() {
		host := h.host(ctx, name)
		if account != nil && account.Host != host || h.Config.Targets[name].Disabled {
			continue
		}
		rows, err := h.mappings(ctx, name)
		if err != nil {
			return nil, err
		}
		t := SelfTarget{Target: name, Host: host, Organization: h.Config.Targets[name].Values.Text("organization"), Teams: []SelfTeam{}}
		var ids []team.ID
		for _, m := range rows {
			if m.TeamID != "" {
				ids = append(ids, m.TeamID)
			}
		}
		slugs, _, err := h.Store.Names(ctx, name, ids, nil)
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			if m.Source != user.Source {
				continue
			}
			path, member := in[groupOf(last, m)]
			if !member {
				continue
			}
			one := SelfTeam{Team: cmp.Or(slugs[m.TeamID], m.Team, string(m.TeamID)), Role: m.Role.String(), Path: []string{}}
			for _, id := range path {
				one.Path = append(one.Path, last.Groups[id].Name)
			}
			t.add(one)
		}
		if len(t.Teams) == 0 {
			continue // nor are they told that there is such a target
		}
		slices.SortFunc(t.Teams, func(a, b SelfTeam) int { return cmp.Compare(a.Team, b.Team) })
		all = append(all, t)
	}
	return all, nil
}

// add takes a team in once, with the highest role.
func (t *SelfTarget) add(one SelfTeam) {
	for i, known := range t.Teams {
		if known.Team == one.Team {
			if one.Role == team.Maintainer.String() {
				t.Teams[i] = one
			}
			return
		}
	}
	t.Teams = append(t.Teams, one)
}

// groupOf is the group that a mapping means: the one that it is pinned to, else by id, else by name.
func groupOf(last *directory.Snapshot, m mapping.Mapping) directory.GroupID {
	if m.GroupID != "" {
		return m.GroupID
	}
	if _, ok := last.Groups[directory.GroupID(m.Group)]; ok {
		return directory.GroupID(m.Group)
	}
	for id, g := range last.Groups {
		if g.Name == m.Group {
			return id
		}
	}
	return ""
}

// selfConflicts says what the user and the account are linked to already, and whether that is in the way.
func (h *House) selfConflicts(s *SelfLink, st *standings, user link.UserRef, account *ProvenAccount, trouble func(reason, message, hint string)) {
	const ask = "Ask an administrator of Musterline, who can see both and settle it."
	for _, a := range st.accounts[user] {
		if a.Host != account.Host {
			continue
		}
		s.Link = &Link{User: user.String(), Host: a.Host, Account: a.Account, Login: a.Login, Tier: a.Tier, State: a.State, Trouble: a.Trouble}
		same := a.Account == string(account.ID)
		switch {
		case same && a.Tier == string(link.Self) && a.State != string(link.Frozen) && a.State != string(link.Revoked):
			s.Done = true
		case same:
			s.Notes = append(s.Notes, "You are linked to this account already; signing in to both makes it certain.")
		case a.Tier == string(link.Manual):
			trouble("said-by-hand", "Somebody has said by hand that you are another account, "+cmp.Or(a.Login, a.Account)+".", ask)
		default:
			s.Notes = append(s.Notes, "You are linked to another account so far, "+cmp.Or(a.Login, a.Account)+". This one takes its place.")
		}
	}
	for _, other := range st.owner[[2]string{account.Host, string(account.ID)}] {
		if other != user && other.Source == user.Source {
			trouble("taken", "This account is linked to somebody else.", ask)
		}
	}
}
