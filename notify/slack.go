package notify

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"musterline.example/setting"
)

// slack posts a text to an incoming webhook of Slack. Whoever has its address can write to the channel, so the address is a secret.
var slack = Kind{
	Name: "slack", Title: "Slack",
	Settings: []setting.Field{{
		Key: "url", Label: "Webhook URL", Type: setting.SecretValue, Required: true, Example: "https://hooks.slack.com/services/…",
		Help: "The address of an incoming webhook of a Slack app. It is a secret: whoever has it can write to the channel.",
	}},
	request: func(_ setting.Values, _ string, body []byte, _ time.Time) ([]byte, http.Header, error) {
		e, err := ParseEvent(body)
		if err != nil {
			return nil, nil, err
		}
		text, err := json.Marshal(map[string]string{"text": slackText(e)})
		return text, http.Header{}, err
	},
}

// slackLines is how many objections a text lists, so that it stays one to be read.
const slackLines = 5

// slackText is an event in Slack's own markup.
func slackText(e Event) string {
	d := e.Data
	lines := []string{slackPlain(d.Sentence)}
	if d.Reason != "" {
		lines = append(lines, "> "+slackPlain(strings.Join(strings.Fields(d.Reason), " ")))
	}
	for i, o := range d.Objections {
		if i == slackLines {
			break
		}
		lines = append(lines, "• "+slackPlain(o.Guard+": "+strings.Join(strings.Fields(o.Message), " ")))
	}
	if more := len(d.Objections) - slackLines + d.More; more > 0 {
		lines = append(lines, "… and more objections")
	}
	if d.URL != "" {
		lines = append(lines, "<"+slackPlain(d.URL)+"|Look at it>")
	}
	return strings.Join(lines, "\n")
}

// slackPlain keeps what comes from elsewhere from being markup: Slack's documentation says to escape these three, and nothing else. A mention
// such as <!channel> needs the first of them.
var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slackPlain(text string) string { return slackEscapes.Replace(text) }
