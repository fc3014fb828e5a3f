package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"musterline.example/notify"
	"musterline.example/setting"
)

const notified = `
targets:
  octo: { kind: github, organization: octo-org, token: "${GITHUB_TOKEN}" }
notifications:
  ops:  { url: "https://hooks.example.com/in", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, events: [objection, run_failed], targets: [octo] }
  chat: { kind: slack, url: "https://hooks.slack.com/services/T/B/X" }
`

func TestWhoIsToldOfWhat(t *testing.T) {
	c, err := readText(notified)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]NotificationConfig{
		"ops": {
			Kind: "webhook", Line: 5, Events: []notify.Type{notify.Objection, notify.RunFailed}, Targets: []string{"octo"},
			Values: setting.Values{"url": "https://hooks.example.com/in", "secret": setting.Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")},
		},
		"chat": {
			Kind: "slack", Line: 6, Values: setting.Values{"url": setting.Secret("https://hooks.slack.com/services/T/B/X")},
			Events: []notify.Type{notify.Objection, notify.RunFailed, notify.RunRecovered, notify.SourceFailed, notify.SourceRecovered},
		},
	}
	if diff := cmp.Diff(want, c.Notifications); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, w := range c.Written(NotificationsSection) {
		secret := map[string][]string{"ops": {"secret"}, "chat": {"url"}}[w.Name]
		if !slices.Equal(w.Secrets, secret) || strings.Contains(string(w.Body), "whsec_") || strings.Contains(string(w.Body), "slack.com") {
			t.Errorf("%s is shown as %s with secrets %v", w.Name, w.Body, w.Secrets)
		}
	}
}

func TestWhatIsWrongWithANotificationIsSaid(t *testing.T) {
	const good = "secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	for text, want := range map[string]string{
		`{ url: "http://hooks.example.com/in", ` + good + ` }`: "notifications.ops.url must begin with https://",
		`{ url: "hooks.example.com", ` + good + ` }`:           "notifications.ops.url must be a URL such as https://",
		`{ ` + good + ` }`:                                                               "notifications.ops.url is required",
		`{ url: "https://hooks.example.com/in" }`:                                        "notifications.ops.secret is required",
		`{ url: "https://hooks.example.com/in", secret: hush }`:                          "notifications.ops.secret must be whsec_",
		`{ kind: slak, url: "https://hooks.example.com/in" }`:                            "did you mean slack?",
		`{ kind: slack, url: "http://hooks.example.com/in" }`:                            "notifications.ops.url must begin with https://",
		`{ kind: slack, url: "https://hooks.example.com/in", secret: x }`:                "notifications.ops.secret is not a setting here",
		`{ url: "https://hooks.example.com/in", ` + good + `, events: [run_faild] }`:     "did you mean run_failed?",
		`{ url: "https://hooks.example.com/in", ` + good + `, events: [] }`:              "notifications.ops.events is empty",
		`{ url: "https://hooks.example.com/in", ` + good + `, targets: [octa] }`:         `there is no target "octa"; did you mean octo?`,
		`{ url: "https://hooks.example.com/in", ` + good + `, event: [objection] }`:      "did you mean events?",
		`[ { url: "https://hooks.example.com/in" } ]`:                                    "notifications.ops must be a map",
		`{ url: "https://hooks.example.com/${GITHUB_TOKEN}#x", secret: "${NOT_THERE}" }`: "the environment variable NOT_THERE is not set",
	} {
		_, err := readText(strings.Split(notified, "notifications:")[0] + "notifications:\n  ops: " + text + "\n")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, and not %s", text, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "MfKQ")) {
			t.Errorf("%s: %v repeats the secret", text, err)
		}
	}
}

func TestANotificationOfTheAPIJoinsThoseOfTheFile(t *testing.T) {
	c, err := readText(notified)
	if err != nil {
		t.Fatal(err)
	}
	r := row(NotificationsSection, "desk", `{"kind":"slack","targets":["octo"]}`)
	r.Secrets = map[string]setting.Secret{"url": "https://hooks.slack.com/services/T/B/Y"}
	with, err := c.With([]Row{r})
	if err != nil {
		t.Fatal(err)
	}
	if n := with.Notifications["desk"]; n.Kind != "slack" || n.Values.Text("url") != "https://hooks.slack.com/services/T/B/Y" || len(with.Notifications) != 3 {
		t.Errorf("the notification of a row is %+v", n)
	}
	if _, err := c.With([]Row{row(NotificationsSection, "ops", `{"kind":"slack"}`)}); err == nil {
		t.Error("the file was overridden")
	}
	r.Body = []byte(`{"kind":"slack","targets":["hex"]}`)
	fit, err := c.Fit([]Row{r})
	if err != nil || len(fit.Unfit) != 1 || len(fit.Notifications) != 2 || len(fit.Targets["octo"].LeftOut) != 0 {
		t.Errorf("of a target that is gone: %v, unfit %v", err, fit.Unfit)
	}
}
