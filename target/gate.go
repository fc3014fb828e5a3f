package target

import (
	"context"

	"musterline.example/setting"
	"musterline.example/team"
)

// A Gate is a target that can tell who somebody is there and what they may do. It asks that one system, with the credential that they
// show, so that nobody learns or does here what they could not there. The empty credential is our own, for somebody whom we vouch for
// ourselves. Errors are *Error: BadCredential for a credential that is not accepted, NotFound for what the guest may not know of, Limited
// with the guest's own limit. What was answered before is asked again, never taken for true.
type Gate interface {
	// Where says where the target's teams live.
	Where(ctx context.Context) (team.Place, error)

	// Admit asks what somebody is to the organization, or to the team that the door names. Somebody who is nothing to them is no error
	// but a Guest who is nothing, as long as they may know of the door.
	Admit(ctx context.Context, credential setting.Secret, to Door) (Guest, error)

	// Known asks with our own credential what an account is to the organization, or to the team that the door names: of somebody who has shown
	// us that it is theirs. The account is known by its number, so that a login that has changed hands opens nothing. An account that is
	// nothing to the organization is no error but a Guest who is nothing. Scoped and Writes are about credentials, and are not set; nor is the Team.
	Known(ctx context.Context, account team.AccountID, to Door) (Guest, error)

	// Relay returns what the system itself answers to a question.
	Relay(ctx context.Context, credential setting.Secret, about Question, at Door) (Relayed, error)
}

// A Door is where somebody wants in: one team, by slug or by id, or with neither the organization.
type Door struct {
	Slug   string
	Team   team.ID
	Nested bool // whether the teams below the team must be known
}

// Organization reports whether the door is the organization's own.
func (d Door) Organization() bool { return d.Slug == "" && d.Team == "" }

// A Guest is somebody at the door.
type Guest struct {
	Account team.AccountID // empty for an app
	Login   string
	App     bool // an app, which an owner has let in

	Member     bool // of the organization; an app is one
	Owner      bool // of the organization; an app counts as one, within what its token may
	Maintainer bool // may administer the team, or, at the organization's door, any team; an owner may

	// Maintains are the teams of which Known has found the account to be a maintainer, at the organization's own door.
	Maintains []team.Ref

	Scoped bool // the credential says what it may do
	Writes bool // and it says that it may change teams

	Team *team.Team // at the door of a team; without members. Children are filled in when Nested
}

// A Question is what a Relay is about.
type Question string

// The questions.
const (
	AboutUser         Question = "user"         // whose credential is it
	AboutOrganization Question = "organization" // of the target
	AboutTeam         Question = "team"         // of the door
)

// Relayed is an answer in the system's own words.
type Relayed struct {
	Body []byte // JSON
	Base string // what addresses within the API begin with there, without a slash at its end
}
