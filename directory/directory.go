// Package directory holds what identity providers say: users, groups and who is in which group, in one vendor-free shape.
//
// It is one of the three nouns at the bottom of the house and imports the standard library only. A source fills a Snapshot; link and
// mapping read it. Nothing here knows what a team or an account is.
package directory

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"
)

// A UserID is the identity provider's immutable id of a user: an Okta id, an objectGUID, an entryUUID, the id in a file.
// It is unique within one source and never a name that can change hands.
type UserID string

// A GroupID is the identity provider's immutable id of a group, unique within one source.
type GroupID string

// A Status is what the identity provider says of a user's right to sign in.
type Status string

// The states of a user. Locked users stay members, so that a lock-out storm removes nobody; Disabled and Deleted users are no members
// of anything.
const (
	Active   Status = "active"
	Locked   Status = "locked"
	Disabled Status = "disabled"
	Deleted  Status = "deleted"
)

// Member reports whether a user of this status still counts as a member of the groups that list them.
func (s Status) Member() bool { return s == Active || s == Locked }

// Known reports whether s is one of the four states.
func (s Status) Known() bool {
	return s == Active || s == Locked || s == Disabled || s == Deleted
}

// A User is a person as one identity provider knows them.
type User struct {
	ID       UserID `json:"id"`
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"` // the sign-in name (UPN, userName, uid); compared with a SAML NameID
	Email    string `json:"email,omitempty"`    // the primary address
	Status   Status `json:"status"`

	// Accounts are the logins that the identity provider's own attributes assert, by kind of target: {"github": "ada-l"}.
	// They are claims, not links.
	Accounts map[string]string `json:"accounts,omitempty"`
}

// A Group is a set of users at an identity provider. Members and Groups are what the group lists itself; Snapshot.Walk flattens.
type Group struct {
	ID          GroupID   `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Members     []UserID  `json:"members,omitempty"`
	Groups      []GroupID `json:"groups,omitempty"`

	// ReadAt is when the members were read. It is zero for a group that was listed but whose members were not asked for:
	// such a group is not read, which is never the same as empty.
	ReadAt time.Time `json:"read_at,omitzero"`
}

// Read reports whether the group's members are known.
func (g Group) Read() bool { return !g.ReadAt.IsZero() }

// A Snapshot is everything one identity provider said at one moment. It lists all groups in scope; members only of the groups asked for
// and of those nested in them. What was not asked is not read, never empty. A source that cannot read all it was asked returns an error
// instead of a Snapshot, because a member who is missing looks just like one who left.
type Snapshot struct {
	Source  string            `json:"source"`
	TakenAt time.Time         `json:"taken_at"`
	Users   map[UserID]User   `json:"users"`
	Groups  map[GroupID]Group `json:"groups"`
}

// A Path leads from the group that was walked to the group that lists the user itself, both included.
type Path []GroupID

// Walk yields every user of a group and of the groups within it once, whatever their status, with the path of groups that leads there:
// a shortest one, and of those the first in the order the groups list them. Cycles are harmless. The order is breadth first, within a
// group by user id, so the same snapshot is always walked the same way. A group that is unknown or not read yields nobody: ask Unread first.
// The path is shared between the users of a group and must not be changed.
func (s *Snapshot) Walk(id GroupID) iter.Seq2[User, Path] {
	return func(yield func(User, Path) bool) {
		for uid, path := range s.WalkIDs(id) {
			u, ok := s.Users[uid]
			if !ok {
				continue // Validate refuses such a snapshot; a walk must not invent a user
			}
			if !yield(u, path) {
				return
			}
		}
	}
}

// WalkIDs walks as Walk does and yields ids only, for who knows the users already. An id may be one that the snapshot does not hold.
func (s *Snapshot) WalkIDs(id GroupID) iter.Seq2[UserID, Path] {
	return func(yield func(UserID, Path) bool) {
		var seen map[UserID]struct{} // only where groups are nested; a group lists nobody twice
		if len(s.Groups[id].Groups) > 0 {
			seen = make(map[UserID]struct{}, len(s.Groups[id].Members))
		}
		for steps := range s.closure(id) {
			var path Path // made when somebody is new: a deep group of people met before costs nothing
			for _, uid := range inOrder(s.Groups[steps[len(steps)-1].group].Members) {
				if seen != nil {
					if _, again := seen[uid]; again {
						continue
					}
					seen[uid] = struct{}{}
				}
				if path == nil {
					path = pathTo(steps)
				}
				if !yield(uid, path) {
					return
				}
			}
		}
	}
}

// inOrder returns the members each once in order of id: as they are when they lie so already, as sources that sort them leave them.
func inOrder(members []UserID) []UserID {
	for i := 1; i < len(members); i++ {
		if members[i-1] >= members[i] {
			members = slices.Clone(members)
			slices.Sort(members)
			return slices.Compact(members)
		}
	}
	return members
}

// Size returns how many users of a group and of the groups within it count as members.
func (s *Snapshot) Size(id GroupID) int {
	n := 0
	for u := range s.Walk(id) {
		if u.Status.Member() {
			n++
		}
	}
	return n
}

// Unread returns the groups whose members would be needed to know who is in the group id and are not known: those not read and those
// that are not in the snapshot at all. It is empty for a group that Walk can be trusted with.
func (s *Snapshot) Unread(id GroupID) []GroupID {
	var unread []GroupID
	for steps := range s.closure(id) {
		last := steps[len(steps)-1].group
		if g, ok := s.Groups[last]; !ok || !g.Read() {
			unread = append(unread, last)
		}
	}
	return unread
}

// Closure returns the group itself and all groups within it, breadth first, each once.
func (s *Snapshot) Closure(id GroupID) []GroupID {
	var ids []GroupID
	for steps := range s.closure(id) {
		ids = append(ids, steps[len(steps)-1].group)
	}
	return ids
}

// A step leads to one group from the one that lists it, which is itself a step; the first leads from nowhere.
type step struct {
	group GroupID
	from  int
}

// closure visits each group that can be reached from id once, breadth first. It yields the steps so far: the last one leads to the group.
func (s *Snapshot) closure(id GroupID) iter.Seq[[]step] {
	return func(yield func([]step) bool) {
		steps := []step{{id, -1}}
		var seen map[GroupID]struct{}
		for at := 0; at < len(steps); at++ {
			if !yield(steps[: at+1 : at+1]) {
				return
			}
			subs := s.Groups[steps[at].group].Groups
			if seen == nil && len(subs) > 0 {
				seen = map[GroupID]struct{}{id: {}}
			}
			for _, sub := range subs {
				if _, again := seen[sub]; !again {
					seen[sub] = struct{}{}
					steps = append(steps, step{sub, at})
				}
			}
		}
	}
}

// pathTo returns the groups from the first step to the last.
func pathTo(steps []step) Path {
	length := 0
	for at := len(steps) - 1; at >= 0; at = steps[at].from {
		length++
	}
	path := make(Path, length)
	for at := len(steps) - 1; at >= 0; at = steps[at].from {
		length--
		path[length] = steps[at].group
	}
	return path
}

// Find returns the groups with exactly this name, in order of id. Names need not be unique at an identity provider.
func (s *Snapshot) Find(name string) []Group {
	var found []Group
	for _, g := range s.Groups {
		if g.Name == name {
			found = append(found, g)
		}
	}
	slices.SortFunc(found, func(a, b Group) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

// Validate returns an error naming the first thing that makes the snapshot unfit to be acted upon: a member or nested group of a group
// that was read and is not in the snapshot, a nested group that was not read, an id that disagrees with its key, or an unknown status.
// Every source calls it last.
func (s *Snapshot) Validate() error {
	return cmp.Or(firstWrong(s.Users, checkUser), firstWrong(s.Groups, s.checkGroup))
}

func checkUser(id UserID, u User) error {
	if u.ID != id {
		return fmt.Errorf("user %q is filed under %q", u.ID, id)
	}
	if !u.Status.Known() {
		return fmt.Errorf("user %q has the status %q", id, u.Status)
	}
	return nil
}

func (s *Snapshot) checkGroup(id GroupID, g Group) error {
	if g.ID != id {
		return fmt.Errorf("group %q is filed under %q", g.ID, id)
	}
	if !g.Read() {
		return nil
	}
	for _, uid := range g.Members {
		if _, ok := s.Users[uid]; !ok {
			return fmt.Errorf("group %q lists user %q, who was not read", g.Name, uid)
		}
	}
	for _, sub := range g.Groups {
		if sg, ok := s.Groups[sub]; !ok || !sg.Read() {
			return fmt.Errorf("group %q holds group %q, whose members were not read", g.Name, sub)
		}
	}
	return nil
}

// firstWrong returns what is wrong with the first, in order of id, with which anything is: the same every time.
func firstWrong[ID cmp.Ordered, T any](all map[ID]T, check func(ID, T) error) (wrong error) {
	var at ID
	for id, one := range all {
		if err := check(id, one); err != nil && (wrong == nil || id < at) {
			at, wrong = id, err
		}
	}
	return wrong
}
