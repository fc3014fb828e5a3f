package native_test

import (
	"strings"
	"testing"

	"musterline.example/answer"
	"musterline.example/guard"
)

func explained(t *testing.T, r reply) (settings map[string]answer.Setting, guards map[string]answer.GuardSetting, limits map[string]answer.LimitSetting) {
	t.Helper()
	e := as[answer.Explained](r.want(200))
	settings, guards, limits = map[string]answer.Setting{}, map[string]answer.GuardSetting{}, map[string]answer.LimitSetting{}
	for _, s := range e.Settings {
		settings[s.Key] = s
	}
	for _, g := range e.Guards {
		guards[g.Name] = g
		for _, l := range g.Limits {
			limits[l.Key] = l
		}
	}
	return settings, guards, limits
}

// Each setting says what it is here and who has set it: nobody, the file, somebody over the API, or the enterprise over all of them.
func TestEverySettingSaysWhereItComesFrom(t *testing.T) {
	l := newLab(t)
	put := func(path, body string) {
		t.Helper()
		l.ask("administrator", "PUT", path, body, "If-Match", "*").want(200)
	}
	put("/targets/third", `{"kind":"github","organization":"third-org","token":"`+secretOfTarget+`","grace":"1h","protected":["ann","@7"],"guards":{"team_removals":{"max":9},"off":["lost_links"]}}`)
	put("/settings/guards", `{"team_removals":{"max":1},"lost_links":7,"source_shape":"off","stale_warn":"12h"}`)
	put("/settings/enterprise", `{"organizations":["third"],"groups_per_team":7,"guards":{"empty_group":"apply"}}`)
	got := l.get("/targets/third/settings")
	if strings.Contains(got.text, secretOfTarget) {
		t.Error("a secret is shown")
	}
	got.says(`"enabled":true`, `"tag":"\"0\""`)
	row := l.get("/targets/third")
	if a, b := got.header.Get("Etag"), row.header.Get("Etag"); a != b || a == "" {
		t.Errorf("a change of the target names %s, and one from its settings %s", b, a)
	}
	settings, guards, limits := explained(t, got)
	for key, want := range map[string]struct{ value, origin, level string }{
		"grace": {"1h", "api", "organization"}, "protected": {"ann @7", "api", "organization"}, "groups_per_team": {"7", "api", "enterprise"},
		"apply": {"auto", "default", ""}, "sources": {"", "default", ""},
	} {
		s := settings[key]
		if v := strings.Join(s.Value, " "); v != want.value || s.From.Origin != want.origin || s.From.Level != want.level || s.Help == "" || s.Type == "" {
			t.Errorf("%s: %+v", key, s)
		}
	}
	for key, want := range map[string]struct{ value, origin, level string }{
		"team_removals": {"{ max: 9 }", "api", "organization"}, "lost_links": {"{ max: 7 }", "api", "all"}, "source_shape": {"off", "api", "all"},
		"stale_warn": {"12h", "api", "all"}, "empty_group": {"apply", "api", "enterprise"}, "team_additions": {"{ max: 25, percent: 100 }", "default", ""},
	} {
		if s := limits[key]; s.Value != want.value || s.From.Origin != want.origin || s.From.Level != want.level || s.Default == "" {
			t.Errorf("%s: %+v", key, s)
		}
	}
	if g := guards["lost_links"]; !g.Off || g.From.Level != "organization" || g.About != guard.About("lost_links") {
		t.Errorf("lost_links: %+v", g)
	}
	if g := guards["approval"]; g.Off || len(g.Limits) != 0 || g.About == "" {
		t.Errorf("approval: %+v", g)
	}
	if len(guards) != len(guard.Names()) {
		t.Errorf("%d guards", len(guards))
	}

	// Of the file, with the line.
	got = l.get("/targets/octo/settings").says(`"read_only":"this is defined in musterline.yaml, line 6`)
	settings, _, limits = explained(t, got)
	if s := settings["sources"]; s.From.Origin != "file" || s.From.Line != 6 || s.From.File != "musterline.yaml" || strings.Join(s.Value, " ") != "people" {
		t.Errorf("sources: %+v", s)
	}
	if s := limits["team_removals"]; s.Value != "{ max: 1 }" || s.From.Level != "all" {
		t.Errorf("team_removals: %+v", s)
	}

	// What nobody has set can be set.
	got = l.get("/settings/schedule/explained")
	if got.header.Get("Etag") != `"0"` {
		t.Errorf("the tag is %s", got.header.Get("Etag"))
	}
	if settings, _, _ = explained(t, got); strings.Join(settings["every"].Value, "") != "15m" {
		t.Errorf("every: %+v", settings["every"])
	}
	_, _, limits = explained(t, l.get("/settings/guards/explained"))
	if limits["team_removals"].From.By != "token administrator" {
		t.Errorf("team_removals: %+v", limits["team_removals"])
	}
	settings, _, _ = explained(t, l.get("/settings/enterprise/explained"))
	if len(settings["grace"].Value) != 0 || settings["groups_per_team"].From.Level != "enterprise" {
		t.Errorf("grace: %+v", settings["grace"])
	}
	l.get("/settings/none/explained").want(404)
	l.get("/targets/none/settings").want(404)
	l.ask("octo's viewer", "GET", "/targets/octo/settings", "").want(200)
	l.ask("octo's viewer", "GET", "/targets/third/settings", "").want(404)
	l.ask("owner", "GET", "/settings/guards/explained", "").want(403)
}

func TestTheServerSaysWhatItIs(t *testing.T) {
	l := newLab(t)
	about := as[answer.About](l.ask("viewer", "GET", "/about", "").want(200))
	if about.Version != "test" || about.Database != "sqlite" || len(about.KeyFile) != 12 || about.File != "musterline.yaml" || about.Built == "" {
		t.Errorf("%+v", about)
	}
}
