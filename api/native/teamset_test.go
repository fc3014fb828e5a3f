package native_test

import (
	"net/http"
	"strings"
	"testing"

	"musterline.example/answer"
)

// third is an organization that the API has configured, with the teams of octo-org.
func (l *lab) third() {
	l.t.Helper()
	url := strings.TrimSuffix(l.house.Config.Targets["octo"].Values.Text("api_url"), "/")
	l.ask("administrator", "PUT", "/targets/hexagon", `{"kind":"github","organization":"third-org","api_url":"`+url+`","token":"`+secretOfTarget+`","pace":"0s","grace":"1h",
		"guards":{"team_removals":{"max":9},"off":["protected"]}}`, "If-Match", `"0"`).want(200)
}

// A team sets limits of its own, over those of its organization; each says where it comes from, and what is taken back leaves what was before.
func TestATeamHasSettingsOfItsOwn(t *testing.T) {
	l := newLab(t)
	l.github.World().AddOrganization("third-org", "ann").AddTeam("Core Team")
	l.third()
	put := func(tag, body string) reply {
		t.Helper()
		return l.ask("administrator", "PUT", "/targets/hexagon/teams/core-team/settings", body, "If-Match", tag)
	}
	is := l.get("/targets/hexagon/teams/core-team/settings").says(`"section":"teams"`, `"name":"core-team"`, `"title":"Core Team"`)
	if strings.Contains(is.text, `"row"`) || is.header.Get("Etag") != l.get("/targets/hexagon").header.Get("Etag") {
		t.Errorf("nothing is set, and the tag is the target's: %s %s", is.header.Get("Etag"), is.text)
	}
	settings, guards, limits := explained(t, is)
	if s := settings["mode"]; strings.Join(s.Value, "") != "exclusive" || s.From.Origin != "default" {
		t.Errorf("mode: %+v", s)
	}
	if s := settings["grace"]; strings.Join(s.Value, "") != "1h" || s.From.Level != "organization" {
		t.Errorf("grace: %+v", s)
	}
	if _, there := settings["unscoped_tokens"]; there {
		t.Error("told of what is not about teams")
	}
	if _, there := guards["source_removals"]; there || len(guards) != 8 {
		t.Errorf("told of guards that hear no team: %d", len(guards))
	}
	if s := limits["team_removals"]; s.Value != "{ max: 9 }" || s.From.Level != "organization" || s.From.By != "token administrator" {
		t.Errorf("team_removals: %+v", s)
	}

	set := put(is.header.Get("Etag"), `{"guards":{"team_removals":{"max":2,"percent":10},"off":["missing_group"]}}`).want(200)
	set.says(`"body":{"guards":{"team_removals":{"max":2,"percent":10},"off":["missing_group"]}}`)
	_, guards, limits = explained(t, set)
	if s := limits["team_removals"]; s.Value != "{ max: 2, percent: 10 }" || s.From.Level != "team" || s.From.By != "token administrator" {
		t.Errorf("team_removals: %+v", s)
	}
	if s := limits["team_removals_small"]; s.Value != "{ max: 2, percent: 10 }" || s.From.Level != "team" || s.Set != nil {
		t.Errorf("team_removals_small: %+v", s) // a team's own limit holds whatever its size
	}
	if g := guards["missing_group"]; !g.Off || g.From.Level != "team" {
		t.Errorf("missing_group: %+v", g)
	}
	if g := guards["protected"]; !g.Off || g.From.Level != "organization" {
		t.Errorf("protected: %+v", g)
	}
	h, err := l.now.House(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if own := h.Config.Targets["hexagon"].TeamGuards["core-team"]; own.TeamRemovals.Max != 2 || len(own.Off) != 1 {
		t.Errorf("in force is %+v", own)
	}
	if e := as[answer.Explained](l.get("/targets/hexagon/settings").want(200)); len(e.Teams) != 1 || e.Teams[0] != "core-team" {
		t.Errorf("the organization tells of %v", e.Teams)
	}
	l.get("/targets/hexagon").says(`"secrets":["token"]`, `"grace":"1h"`)

	// A version is of one moment, and what is wrong changes nothing.
	tag := set.header.Get("Etag")
	before := l.state()
	put(is.header.Get("Etag"), `{}`).want(http.StatusPreconditionFailed)
	put("", `{}`).want(http.StatusPreconditionRequired)
	put(tag, `{"guards":{"team_removals":"hunter2"}}`).want(422).says("team_removals must be")
	put(tag, `{"guards":{"source_removals":{"max":1}}}`).want(422).says("source_removals looks at more than one team", "organization")
	put(tag, `{"guards":{"off":["lost_links"]}}`).want(422).says("lost_links looks at more than one team")
	put(tag, `{"mode":"additive"}`).want(422).says("mode is set with the groups of the team")
	put(tag, `{"hunter2":1}`).want(422).says("a team sets guards for itself")
	put(tag, `[]`).want(422)
	l.ask("administrator", "PUT", "/targets/hexagon/teams/nobody/settings", `{}`, "If-Match", "*").want(404)
	l.ask("owner", "PUT", "/targets/hexagon/teams/core-team/settings", `{}`, "If-Match", "*").want(403)
	if l.state() != before {
		t.Error("something was changed")
	}

	// It is known by what its mappings call it, whatever it is called by now.
	l.ask("administrator", "PUT", "/targets/hexagon/teams/core-team/mappings", `{"groups":[{"group":"people/leads"}],"mode":"additive"}`, "If-Match", "*").want(200)
	settings, _, _ = explained(t, l.get("/targets/hexagon/teams/core-team/settings"))
	if s := settings["mode"]; strings.Join(s.Value, "") != "additive" || s.From.Origin != "api" || s.From.Level != "team" {
		t.Errorf("mode: %+v", s)
	}

	// Taken back.
	back := put(tag, `{}`).want(200)
	_, _, limits = explained(t, back)
	if s := limits["team_removals"]; s.Value != "{ max: 9 }" || s.From.Level != "organization" {
		t.Errorf("team_removals: %+v", s)
	}
	if row := l.get("/targets/hexagon").text; strings.Contains(row, "teams") {
		t.Errorf("an empty map is left: %s", row)
	}
	l.get("/audit?kind=configured").want(200).says("core-team")
}

func TestTheSettingsOfATeamOfTheFileAreReadOnly(t *testing.T) {
	l := newLab(t)
	is := l.get("/targets/octo/teams/docs/settings").says(`"read_only":"settings of single teams of octo are set in musterline.yaml, line 6, under targets.octo.teams"`)
	settings, _, _ := explained(t, is)
	if s := settings["sources"]; len(s.Value) != 0 {
		t.Errorf("told of what is not about teams: %+v", s)
	}
	l.ask("administrator", "PUT", "/targets/octo/teams/docs/settings", `{}`, "If-Match", "*").want(403).says("musterline.yaml, line 6", "change it there")
	l.ask("octo's maintainer", "GET", "/targets/octo/teams/docs/settings", "").want(200)
	l.ask("hex's owner", "GET", "/targets/octo/teams/docs/settings", "").want(404)
	l.get("/targets/none/teams/docs/settings").want(404)
}
