package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"musterline.example/link"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

// Links is what `link` lists.
type Links struct {
	Links []Link `json:"links"`
}

// A Link is who is which account, and how that is known.
type Link struct {
	User     string    `json:"user"` // "source/id"
	Host     string    `json:"host"`
	Account  string    `json:"account"`
	Login    string    `json:"login,omitempty"`
	Tier     string    `json:"tier"`
	State    string    `json:"state"` // standing, frozen, revoked; stated: said by hand, and no sync has looked yet
	Evidence string    `json:"evidence,omitempty"`
	By       string    `json:"by,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Trouble  string    `json:"trouble,omitempty"`
}

// Links lists the links of every host, and the statements that no run has looked at yet, in order of user.
func (h *House) Links(ctx context.Context) (Links, error) {
	list := Links{Links: []Link{}}
	for _, host := range h.hosts(ctx) {
		var links []link.Link
		var statements []link.Statement
		if h.Store != nil {
			var err error
			if links, err = h.Store.Links(ctx, host); err != nil {
				return list, err
			}
			if statements, err = h.Store.Statements(ctx, host); err != nil {
				return list, err
			}
		}
		for _, l := range links {
			list.Links = append(list.Links, Link{User: l.User.String(), Host: host, Account: string(l.Account), Login: l.Login, Tier: string(l.Tier),
				State: string(l.State), Evidence: l.Evidence, By: l.By, Since: l.MadeAt, Trouble: l.Trouble})
		}
		for _, st := range slices.Concat(statements, h.deps.Manual[host]) {
			known := slices.ContainsFunc(links, func(l link.Link) bool { return l.User == st.User && l.Account == st.Account && l.Tier == st.Tier })
			if !known {
				list.Links = append(list.Links, Link{User: st.User.String(), Host: host, Account: string(st.Account), Tier: string(st.Tier),
					State: "stated", By: st.By, Since: st.At})
			}
		}
	}
	slices.SortStableFunc(list.Links, func(a, b Link) int { return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Host, b.Host)) })
	return list, nil
}

// A LinkWish says whose account it is.
type LinkWish struct {
	User    string `json:"user"`    // "source/user": by id, sign-in name or address
	Account string `json:"account"` // "host/number"
	By      string `json:"by,omitempty"`
	Reason  string `json:"reason"`
}

// A Linked is what was said of a user.
type Linked struct {
	User    string   `json:"user"`
	Host    string   `json:"host"`
	Account string   `json:"account"`
	Notes   []string `json:"notes,omitempty"` // what looks odd about it
}

// Link says by hand that a user is an account. It wins over everything that is found, counts from the next sync, for which a server is asked
// with it, and replaces what was said of the same user before.
func (h *House) Link(ctx context.Context, wish LinkWish) (Linked, error) {
	if strings.TrimSpace(wish.Reason) == "" {
		return Linked{}, Usagef("a link by hand needs a reason, which the audit record keeps")
	}
	user, host, account, err := parseLink(wish.User, wish.Account)
	if err != nil {
		return Linked{}, err
	}
	if err := h.writes(); err != nil {
		return Linked{}, err
	}
	if err := OneOf("source", user.Source, h.sourceNames()); err != nil {
		return Linked{}, err
	}
	if err := OneOf("host", host, h.hosts(ctx)); err != nil {
		return Linked{}, err
	}
	linked := Linked{Host: host, Account: string(account)}
	last, err := h.lastRead(ctx, user.Source)
	if err != nil {
		return Linked{}, err
	}
	switch known, ok, err := userCalled(last, string(user.ID)); {
	case err != nil:
		return Linked{}, err
	case ok && known.ID != user.ID:
		user.ID = known.ID
		linked.Notes = append(linked.Notes, fmt.Sprintf("%s is %s.", wish.User, introduced(user.Source, known)))
	case !ok && last != nil:
		linked.Notes = append(linked.Notes, fmt.Sprintf("%s was not among the users of the mapped groups when %s was last read.", user, user.Source))
	}
	linked.User = user.String()
	return linked, h.Store.AddStatement(ctx, host, link.Statement{
		User: user, Account: account, Tier: link.Manual, By: signed(wish.By, wish.Reason), At: h.now(),
	}, h.askFor(ctx, host, account, wish.By, "it was said by hand whose the account is")...)
}

// askFor are requests for a sync of an account in every target of its host.
func (h *House) askFor(ctx context.Context, host string, account team.AccountID, by, why string) []reconcile.Request {
	var asks []reconcile.Request
	for _, name := range h.targetNames() {
		if h.host(ctx, name) == host {
			asks = append(asks, reconcile.Request{Target: name, Account: account, Trigger: reconcile.ByPerson, Asker: by, Why: why})
		}
	}
	return h.following(asks...)
}

// An UnlinkWish takes back what was said of a user by hand.
type UnlinkWish struct {
	User   string `json:"user"`           // "source/user": by id, sign-in name or address
	Host   string `json:"host,omitempty"` // where the account lives; empty: wherever it was said
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// An Unlinked is where something that was said of a user has been taken back.
type Unlinked struct {
	User  string   `json:"user"`
	Hosts []string `json:"hosts"`
}

// Unlink takes back what Link has said of a user. What other evidence says counts again from the next sync, for which a server is asked with it.
func (h *House) Unlink(ctx context.Context, wish UnlinkWish) (Unlinked, error) {
	user, ok := link.ParseUserRef(wish.User)
	if !ok {
		return Unlinked{}, noUser(wish.User)
	}
	if err := h.writes(); err != nil {
		return Unlinked{}, err
	}
	if wish.Host != "" {
		if err := OneOf("host", wish.Host, h.hosts(ctx)); err != nil {
			return Unlinked{}, err
		}
	}
	un, err := h.unlink(ctx, user, wish) // an id first: what was said may be of somebody who is no longer listed
	if err != nil || len(un.Hosts) > 0 {
		return un, err
	}
	last, err := h.lastRead(ctx, user.Source)
	if err != nil {
		return un, err
	}
	known, ok, err := userCalled(last, string(user.ID))
	if err != nil {
		return un, err
	}
	if ok && known.ID != user.ID {
		user.ID = known.ID
		if un, err = h.unlink(ctx, user, wish); err != nil || len(un.Hosts) > 0 {
			return un, err
		}
	}
	for _, m := range h.Config.Manual {
		if m.User == user {
			return un, Errorf(Conflict, "the link of %s stands in %s, line %d", user, h.Config.Path, m.Line).
				Plainly("the link stands in the configuration file").WithHint("take it out there")
		}
	}
	return un, Errorf(Nothing, "nobody has said anything of %s by hand", user).Plainly("nobody has said anything of this user by hand").
		WithHint("to see all links: musterline link")
}

// unlink takes back what was said of a user, on the host of the wish or wherever it was said.
func (h *House) unlink(ctx context.Context, user link.UserRef, wish UnlinkWish) (Unlinked, error) {
	un := Unlinked{User: user.String(), Hosts: []string{}}
	for _, host := range h.hosts(ctx) {
		if wish.Host != "" && wish.Host != host {
			continue
		}
		said, err := h.Store.Statements(ctx, host)
		if err != nil {
			return un, err
		}
		i := slices.IndexFunc(said, func(st link.Statement) bool { return st.User == user && st.Tier == link.Manual })
		if i < 0 {
			continue
		}
		err = h.Store.RemoveStatement(ctx, host, user, link.Manual, signed(wish.By, wish.Reason),
			h.askFor(ctx, host, said[i].Account, wish.By, "what was said by hand of the account was taken back")...)
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue
		case err != nil:
			return un, err
		}
		un.Hosts = append(un.Hosts, host)
	}
	return un, nil
}

func noUser(word string) error {
	return Usagef("%q is no user: write SOURCE/USER, such as corp/ada", word).Plainly("that is no user: write SOURCE/USER, such as corp/ada")
}

// hosts are where the targets' accounts live.
func (h *House) hosts(ctx context.Context) []string {
	var hosts []string
	for _, name := range h.targetNames() {
		hosts = append(hosts, h.host(ctx, name))
	}
	for host := range h.deps.Manual {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

func parseLink(of, is string) (link.UserRef, string, team.AccountID, error) {
	user, ok := link.ParseUserRef(of)
	if !ok {
		return user, "", "", noUser(of)
	}
	host, account, ok := strings.Cut(is, "/")
	if !ok || host == "" || account == "" {
		return user, "", "", Usagef("%q is no account: write HOST/NUMBER, such as github.com/1024", is).
			Plainly("that is no account: write HOST/NUMBER, such as github.com/1024")
	}
	if strings.ContainsFunc(account, func(r rune) bool { return r < '0' || r > '9' }) {
		return user, "", "", Usagef("%q is a login: write the account's number, because a login can change hands", account).
			Plainly("that is a login: write the account's number, because a login can change hands").
			WithHint("the number stands in GET /users/LOGIN as id")
	}
	return user, host, team.AccountID(account), nil
}
