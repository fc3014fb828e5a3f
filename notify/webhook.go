package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"musterline.example/setting"
)

// webhook posts the event as JSON, signed as the Standard Webhooks specification 1.0.0 has it: the receiver checks the signature over the
// id, the moment and the body, and takes an id once.
var webhook = Kind{
	Name: "webhook", Title: "Webhook",
	Settings: []setting.Field{
		{
			Key: "url", Label: "URL", Type: setting.URL, Required: true, Example: "https://hooks.example.com/musterline",
			Help: "Where each event is posted as JSON. https, except on the machine of the server itself.",
		},
		{
			Key: "secret", Label: "Secret", Type: setting.SecretValue, Required: true, Example: "whsec_…",
			Help: "What each message is signed with, as the Standard Webhooks specification has it: whsec_ and 24 to 64 random bytes in base64.",
		},
	},
	check: func(v setting.Values) []setting.Problem {
		if !v.Has("secret") {
			return nil
		}
		if _, err := signingKey(v.Secret("secret")); err != nil {
			return []setting.Problem{{Key: "secret", Message: err.Error()}}
		}
		return nil
	},
	request: func(v setting.Values, id string, body []byte, now time.Time) ([]byte, http.Header, error) {
		key, err := signingKey(v.Secret("secret"))
		if err != nil {
			return nil, nil, err
		}
		at := strconv.FormatInt(now.Unix(), 10)
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "."))
		mac.Write(body)
		h := http.Header{}
		h.Set("Webhook-Id", id)
		h.Set("Webhook-Timestamp", at)
		h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		return body, h, nil
	},
}

// signingKey reads a secret. The specification wants between 24 and 64 bytes.
func signingKey(secret setting.Secret) ([]byte, error) {
	text, prefixed := strings.CutPrefix(secret.Reveal(), "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !prefixed || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New(`must be whsec_ followed by 24 to 64 bytes in base64: echo "whsec_$(openssl rand -base64 32)" makes one`)
	}
	return key, nil
}
