package mapping

import (
	"cmp"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/team"
)

// A person is what is true of a user in every team: whether they can be in one, and if not, why. It is found out once, however many
// groups list the user.
type person struct {
	ref  link.UserRef
	text string // of ref
	name string

	belongs   bool // in every team that a group of theirs is mapped to
	account   team.AccountID
	login     string
	tier      link.Tier
	invite    bool // has left the organization: is in a team only by invitation
	mayInvite bool // and may be sent one now

	held, message string       // why they cannot be in a team, for people
	fact          *team.Reason // for which their account goes from teams whose groups list them; nil for none
}

// meet judges everybody whom the sources know.
func (r *resolver) meet() {
	r.people = make(map[*directory.Snapshot]map[directory.UserID]*person, len(r.Sources))
	for _, reading := range r.Sources {
		s := reading.Snapshot
		if s == nil || reading.Failed != "" {
			continue
		}
		known := make(map[directory.UserID]*person, len(s.Users))
		for id, u := range s.Users {
			known[id] = r.judge(link.UserRef{Source: s.Source, ID: id}, u)
		}
		r.people[s] = known
	}
}

// judge decides whether a user can be in teams. The status comes first, then the link, then whether the account is in the organization.
func (r *resolver) judge(ref link.UserRef, u directory.User) *person {
	p := &person{ref: ref, text: ref.String(), name: cmp.Or(u.Name, u.Username, string(u.ID))}
	l, linked := r.Links.Links[ref]
	if linked {
		p.account, p.login, p.tier = l.Account, l.Login, l.Tier
	}
	doubt, frozen := r.Links.Frozen(p.account)
	hold := func(reason, message string) *person {
		p.held, p.message = reason, message
		return p
	}
	switch {
	case !u.Status.Member():
		if linked {
			p.fact = &team.Reason{Rule: team.UserDisabled, Note: p.text}
		}
		return hold(HeldInactive, "is "+string(u.Status)+" at the identity provider")
	case !linked:
		if h, ok := r.Links.Held[ref]; ok {
			return hold(string(h.Reason), h.Message)
		}
		return hold(string(link.NotLinked), "no account is linked: link one, or ask them to")
	case l.State == link.Revoked:
		p.fact = &team.Reason{Rule: team.LinkRevoked, Note: l.Trouble}
		return hold(string(link.NotLinked), l.Trouble)
	case frozen:
		return hold(string(link.Conflict), doubt)
	}
	if a, member := r.accounts[l.Account]; member {
		p.belongs, p.login = true, a.Login
		return p
	}
	former, once := r.Former[l.Account]
	if once && r.Settings.Reinvite {
		p.belongs, p.invite, p.mayInvite = true, true, former.mayBeInvited(r.Now)
		return p
	}
	return hold(string(link.NotAMember), cmp.Or(p.login, "account "+string(p.account))+" is not a member of the organization; nobody is invited")
}

// reasons are those of one mapping on one path of groups, the same slice for all who share them: a million members have some thousands
// of reasons.
type reasons struct {
	m    Mapping
	s    *directory.Snapshot
	path directory.Path
	made map[link.Tier][]team.Reason
}

// of returns the reasons by tier of the users whom the last group of a path lists.
func (rs *reasons) of(m Mapping, s *directory.Snapshot, path directory.Path) func(link.Tier) []team.Reason {
	if rs.path == nil || rs.path[len(rs.path)-1] != path[len(path)-1] {
		rs.m, rs.s, rs.path, rs.made = m, s, path, make(map[link.Tier][]team.Reason, 1)
	}
	return rs.by
}

func (rs *reasons) by(tier link.Tier) []team.Reason {
	why, ok := rs.made[tier]
	if !ok {
		names := make([]string, len(rs.path))
		for i, id := range rs.path {
			names[i] = rs.m.Source + "/" + rs.s.Groups[id].Name
		}
		why = []team.Reason{{Mapping: rs.m.ID, Key: rs.m.Key(), Path: names, Link: string(tier)}}
		rs.made[tier] = why
	}
	return why
}
