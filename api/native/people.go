package native

import (
	"context"
	"strings"

	"musterline.example/answer"
)

// registerPeople are the users of the sources with their accounts.
func (a *API) registerPeople() {
	operate(a, op{
		id: "people", route: "GET /people", tag: "people", summary: "Users of the sources with their accounts",
		promise: "Lists users in order of name, from the last snapshots, links and plans: who is linked to which account and by what evidence, and what is in the way of the others. " +
			"Counts are of all whom the search finds, by state. Asks nobody else.",
	}, func(ctx context.Context, in *struct {
		Page
		Target string `query:"target" doc:"As this target shows them."`
		Source string `query:"source" doc:"Only users of this source."`
		Q      string `query:"q" maxLength:"256" doc:"Part of a name, a sign-in name, an address, an id or a login."`
		State  string `query:"state" enum:"linked,not-linked,not-a-member,ambiguous,conflict,revoked,inactive" doc:"Only those who stand so."`
	}) (*body[answer.People], error) {
		v, seen, err := a.among(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		all, err := v.house.People(ctx, answer.PeopleWish{Targets: seen, Source: in.Source, Search: in.Q, State: in.State})
		if err != nil {
			return nil, err
		}
		of := strings.Join([]string{"people", strings.Join(seen, ","), in.Source, in.Q, in.State}, "\x00")
		all.People, all.Next, err = cut(in.Page, of, all.People, answer.PersonLine.Key)
		return told(all, err)
	})
	operate(a, op{
		id: "person", route: "GET /person", tag: "people", summary: "Everything that is known of one person",
		promise: "Answers from memory about a user, or about an account and its user: links with their evidence, groups, teams with why and why not, and what the audit record has of the account.",
	}, func(ctx context.Context, in *struct {
		User    string `query:"user" maxLength:"1000" doc:"source/id"`
		Account string `query:"account" maxLength:"300" doc:"host/number, in place of a user."`
		Target  string `query:"target" doc:"Only what this target shows."`
	}) (*body[answer.Someone], error) {
		v, seen, err := a.among(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return told(v.house.Person(ctx, answer.PersonWish{User: in.User, Account: in.Account, Targets: seen}))
	})
	operate(a, op{
		id: "accounts", route: "GET /targets/{target}/accounts", tag: "people", summary: "Members of an organization",
		promise: "Lists the members of the organization as of the last run, in order of login, each with the users that are linked to it. Asks nobody else.",
	}, func(ctx context.Context, in *struct {
		Page
		Target   string `path:"target"`
		Q        string `query:"q" maxLength:"256" doc:"Part of a login, or an account's number."`
		Unlinked bool   `query:"unlinked" doc:"Only accounts that no user is linked to."`
	}) (*body[answer.Accounts], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		wish := answer.AccountsWish{Target: in.Target, Search: in.Q, Unlinked: in.Unlinked}
		if bound := v.bound(); bound != "" {
			wish.Shown = v.house.Config.Targets[bound].Sources
		}
		all, err := v.house.Accounts(ctx, wish)
		if err != nil {
			return nil, err
		}
		of := strings.Join([]string{"accounts", in.Target, in.Q, map[bool]string{true: "unlinked"}[in.Unlinked]}, "\x00")
		all.Accounts, all.Next, err = cut(in.Page, of, all.Accounts, func(s answer.Stranger) string { return strings.ToLower(s.Login) + "\x00" + s.Account })
		return told(all, err)
	})
	operate(a, op{
		id: "preview-link", route: "POST /links/preview", tag: "people", summary: "What a link by hand would do",
		promise: "Says what would come and go in every target of the host if somebody said that a user is an account, or took back what was said. " +
			"Reads the sources and targets, and writes nothing.",
	}, func(ctx context.Context, in *struct{ Body previewLinkWish }) (*body[answer.LinkEffect], error) {
		host, _, _ := strings.Cut(in.Body.Account, "/")
		v, err := a.onHost(ctx, host)
		if err != nil {
			return nil, err
		}
		if source, _, _ := strings.Cut(in.Body.User, "/"); !v.shows(v.bound(), source) {
			return nil, answer.Errorf(answer.NotFound, "there is no such source")
		}
		if in.Body.Remove {
			return told(v.house.UnlinkEffect(ctx, answer.UnlinkWish{User: in.Body.User}, host))
		}
		return told(v.house.LinkEffect(ctx, answer.LinkWish{User: in.Body.User, Account: in.Body.Account}))
	})
}

type previewLinkWish struct {
	User    string `json:"user" doc:"source/id"`
	Account string `json:"account" doc:"host/number; of what is to be taken back only the host."`
	Remove  bool   `json:"remove,omitempty" doc:"To take back what was said by hand."`
}
