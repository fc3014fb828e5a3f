package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"musterline.example/guard"
	"musterline.example/notify"
	"musterline.example/setting"
)

// Docs returns docs/configuration.md, made from the tables that files are checked against.
func Docs() string {
	var b strings.Builder
	b.WriteString(`<!-- Generated from config; ` + "`go test ./config -update`" + ` writes it. -->
# Configuration

Musterline reads one YAML file: the one that ` + "`--config`" + ` names, else ` + "`" + strings.Join(Places, "`, else `") + "`" + `.
A server can also be configured through its API ([api.md](api.md)): sources, targets, rules and settings that the file does not define. The smallest useful file:

` + "```yaml\n" + Example + "```" + `

- Every mistake is named at once, with file, line, column and the nearest right word. ` + "`musterline check`" + ` does that and then reaches every source and target.
- ` + "`${VAR}`" + ` within a value is replaced by the environment's VAR after the file is parsed. A variable that is not set is an error. ` + "`$${`" + ` stands for ` + "`${`" + `; any other ` + "`$`" + ` is itself.
- A value that is a *secret* may lie in a file of its own: ` + "`token_file: /run/secrets/github`" + ` in place of ` + "`token: …`" + `. One line break at its end is dropped.
- Relative paths start from the folder of the configuration file. Durations are written 90s, 15m, 6h.
- Values are taken as written: an id such as 0123, 1e5 or no needs no quotes. YAML anchors, aliases and << work.

`)
	part := func(title, text string, fields ...setting.Field) {
		b.WriteString("## " + title + "\n\n")
		if text != "" {
			b.WriteString(text + "\n\n")
		}
		if len(fields) > 0 {
			b.WriteString(setting.Table(fields) + "\n")
		}
	}
	part("`database`", "", topFields...)
	part("`server`", "For `musterline serve`.", serverFields...)
	part("`server.sign_in`", "How people sign in to the console: [sign-in.md](sign-in.md). Two more keys hold maps, `oidc` and `github`; with neither, a link "+
		"from `musterline sign-in` is the only way.", signInFields...)
	part("`server.sign_in.oidc`", "An identity provider, by OpenID Connect.", oidcFields...)
	part("`server.sign_in.github`", "GitHub, by an OAuth App or a GitHub App.", githubSignInFields...)
	part("`secrets`", "", secretsFields...)
	part("`sources`", "A map of names to sources. Each has a `kind`; the kind decides the rest: [capabilities.md](capabilities.md). "+
		"The name stands in references such as `corp/platform`.\n\n```yaml\nsources:\n  people: { kind: file, path: directory.yaml }\n```")
	part("`targets`", "A map of names to targets. Each has a `kind` with settings of its own ([capabilities.md](capabilities.md)) and these. "+
		"One organization on one host can be one target only.", targetFields...)
	b.WriteString("Two more keys hold maps: `guards`, as below, for this organization; and `teams`, by slug, for single teams:\n\n" +
		"```yaml\nteams:\n  platform: { mode: additive, guards: { team_removals: { max: 2 } } }\n```\n\n" + setting.Table(teamFields) + "\n")
	part("`mappings`", "A list. Each entry says that the members of some groups belong in one team. A team may stand in several entries; a group once for each team.", mappingFields...)
	part("`rules`", "A list. Each entry makes mappings from every group whose name fits a pattern.", ruleFields...)
	part("`links`", "", linksFields...)
	b.WriteString("`manual` is a list of links that a person states:\n\n" + setting.Table(manualFields) + "\n")

	part("`guards`", "Limits for all targets; `targets.NAME.guards` and `targets.NAME.teams.SLUG.guards` set them anew, and what they leave out stays. "+
		"A limit is `{ max: 5, percent: 20 }` and is passed by a count larger than both; a number alone is a `max`, and `off` switches the limit off. "+
		"A limit is set as a whole: without `percent` only `max` counts. `off: [NAME]` switches whole guards off.")
	b.WriteString("| key | default | objects when |\n|---|---|---|\n")
	defaults := guard.Defaults
	for _, k := range guardKeys {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", k.name, shownDefault(k.of(&defaults)), k.help)
	}
	b.WriteString("\nThe names for `off`: `" + strings.Join(guard.Names(), "` `") + "`.\n\n")

	part("`schedule`", "For `musterline serve`. Without it, the timer that runs `musterline sync` decides.", scheduleFields...)
	part("`enterprise`", "Settings that win over those of each organization listed. It takes `guards` too.", enterpriseFields...)

	part("`notifications`", "A map of names to who is told of what happens, by `musterline serve`: [notifications.md](notifications.md).\n\n"+
		"```yaml\nnotifications:\n  ops: { url: \"https://hooks.example.com/musterline\", secret: \"${WEBHOOK_SECRET}\", events: [objection, run_failed] }\n```",
		slices.Concat([]setting.Field{notificationKindField}, notificationFields)...)
	for _, k := range notify.Kinds() {
		b.WriteString("Of the kind `" + k.Name + "`:\n\n" + setting.Table(k.Settings) + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func shownDefault(v any) string {
	switch v := v.(type) {
	case *string:
		return *v
	case *time.Duration:
		return strings.TrimSuffix(strings.TrimSuffix(v.String(), "0s"), "0m")
	case *guard.Limit:
		if v.Percent == 0 {
			return fmt.Sprintf("{ max: %d }", v.Max)
		}
		return fmt.Sprintf("{ max: %d, percent: %d }", v.Max, v.Percent)
	}
	return ""
}
