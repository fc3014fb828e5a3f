// Package github is GitHub's Team Synchronization API, served by us: the paths, bodies, headers and refusals of GitHub's own, so that
// clients made for GitHub need only another address. Around it lie the few look-ups that those clients make first.
//
// Everything is served below / and /api/v3, and below /{target}/api/v3 for two targets whose organizations share a name. Files: api.go is
// the way of a request to its operation, locate.go finds target and team, and each operation has a file.
//
// The description that it follows is npm's @octokit/openapi (ghec.json). Where that and GitHub's documentation say nothing,
// docs/differences-from-github.md says what we do.
package github

import (
	"context"
	"log/slog"
	"time"

	"musterline.example/api/access"
	"musterline.example/directory"
	"musterline.example/internal/marked"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
	"musterline.example/team"
)

// Memory is what the API asks of the store.
type Memory interface {
	// MappedGroups returns the mappings of a team with the groups that they name.
	MappedGroups(ctx context.Context, target string, of team.Team) ([]store.Mapped, error)
	// MapTeam makes these the mappings of a team, in one step with its audit entry and what asks for a sync; *store.Owned when the file or
	// a rule owns the team, store.ErrOff when the target was turned off meanwhile.
	MapTeam(
		ctx context.Context, target string, of team.ID, wanted []mapping.Mapping, end mapping.Disconnect, asks ...reconcile.Request,
	) ([]mapping.Mapping, error)

	// ListGroups lists groups of a source past a place, in order, and ListedGroup returns one; store.ErrNotFound.
	ListGroups(ctx context.Context, source, prefix, after string, n int) ([]store.ListedGroup, error)
	ListedGroup(ctx context.Context, source string, id directory.GroupID) (store.ListedGroup, error)
	// Sources says how each source that was ever tried stands.
	Sources(ctx context.Context) ([]store.SourceState, error)

	// LastPlan returns the last plan of a target, store.ErrNotFound when there is none, and Runs its last runs, the newest first.
	LastPlan(ctx context.Context, target string) (store.Plan, error)
	Runs(ctx context.Context, target, before string, limit int) ([]store.Run, error)

	// Mark is another one whenever anything has changed.
	Mark(ctx context.Context) (string, error)
}

// A Target is one organization that is served.
type Target struct {
	Name         string // the word in the configuration
	Organization string // login, as configured
	Host         string // of its GitHub: "github.com", or the host of a GHES with its port
	Gate         target.Gate

	// Settings are asked for anew for each request, because people change them. The context is that of a marked.Request.
	Settings func(ctx context.Context) (Settings, error)
	// File are the mappings of the configuration file, settled or not.
	File []mapping.Mapping
}

// Settings are an organization's, as far as the API heeds them.
type Settings struct {
	Off           bool          // teams are not kept at all
	Sources       []string      // whose groups are shown; empty: all
	GroupsPerTeam int           // GitHub: 5
	ParentTeams   bool          // whether a team with child teams may be mapped
	Grace         time.Duration // of memberships that rested on a group that is taken away
	Unscoped      bool          // whether tokens that do not say what they may do, fine-grained ones and those of apps, may write
}

// DefaultSettings are those of an organization that sets nothing.
var DefaultSettings = Settings{GroupsPerTeam: mapping.DefaultSettings.GroupsPerTeam, Grace: 10 * time.Minute}

// Options are what the API works with.
type Options struct {
	Access  *access.Access
	Memory  Memory
	Targets []Target
	Sources []string                   // all that are configured
	Search  map[string]source.Searcher // those that can be asked for one group; may be nil
	File    string                     // the configuration file; callers are told its base name

	// Answers keep what is read of the memory until that changes; they are the API's own when nil.
	Answers *marked.Answers

	// Key makes the cursors of lists. Servers that share a database share it.
	Key []byte
	// Limit is how many requests a credential has in an hour; 100,000 when zero.
	Limit int

	Now func() time.Time
	Log *slog.Logger
}
