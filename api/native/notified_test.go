package native_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"musterline.example/store"
)

const signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// told is a receiver that answers a status and keeps what it was sent last.
func told(t *testing.T, status *atomic.Int64) (url string, last *atomic.Value) {
	t.Helper()
	last = new(atomic.Value)
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		last.Store(r.Header.Get("Webhook-Id") + " " + string(body))
		w.WriteHeader(int(status.Load()))
		_, _ = io.WriteString(w, "words of theirs")
	}))
	t.Cleanup(r.Close)
	return r.URL + "/very-secret", last
}

func TestANotificationIsMadeTestedChangedAndDeleted(t *testing.T) {
	l := newLab(t)
	var status atomic.Int64
	status.Store(204)
	url, last := told(t, &status)
	l.get("/notified").want(200).says(`"notifications":[]`, `"type":"objection"`, `"name":"slack"`, `"targets":["hex","octo"]`)
	put := func(name, tag, body string) reply {
		t.Helper()
		return l.ask("administrator", "PUT", "/notifications/"+name, body, "If-Match", tag)
	}
	put("ops", `"0"`, `{"url":`+strconv.Quote(url)+`,"secret":"`+signing+`","events":["run_failed"],"targets":["octo"]}`).want(200).says(`"secrets":["secret"]`)
	put("chat", `"0"`, `{"kind":"slack","url":`+strconv.Quote(url)+`}`).want(200).says(`"secrets":["url"]`)
	n := l.get("/notified").want(200)
	n.says(`"kind":"webhook"`, `"events":["run_failed"]`, `"targets":["octo"]`, `"kind":"slack"`,
		`"events":["objection","run_failed","run_recovered","source_failed","source_recovered"]`)
	if strings.Contains(n.text, signing) || strings.Count(n.text, "very-secret") != 1 {
		t.Errorf("a secret is shown: %s", n.text)
	}

	// What is wrong is said at its field, and nothing is changed.
	for body, says := range map[string]string{
		`{"url":"http://hooks.example.com","secret":"` + signing + `"}`:                          `"key":"url"`,
		`{"url":"https://hooks.example.com","secret":"hush"}`:                                    `"key":"secret"`,
		`{"url":"https://hooks.example.com"}`:                                                    `"key":"secret"`,
		`{"url":"https://hooks.example.com","secret":"` + signing + `","targets":["a"]}`:         `"key":"targets"`,
		`{"url":"https://hooks.example.com","secret":"` + signing + `","events":["a"]}`:          `"key":"events"`,
		`{"kind":"carrier-pigeon","url":"https://hooks.example.com","secret":"` + signing + `"}`: "the kinds are webhook, slack",
	} {
		r := put("wrong", `"0"`, body).want(422).says(says)
		if strings.Contains(r.text, "hooks.example.com") && !strings.Contains(says, "url") || strings.Contains(r.text, "hush") {
			t.Errorf("it repeats what was sent: %s", r.text)
		}
	}
	put("ops", "*", `{"url":"https://hooks.example.com/elsewhere"}`).want(422).says("give secret anew")
	put("ops", `"77"`, `{}`).want(http.StatusPreconditionFailed)
	put("not/a name", `"0"`, `{}`).want(404)

	// A test says what came of it, whatever that is.
	l.ask("administrator", "POST", "/notifications/ops/test", "").want(200).says(`{"delivered":true,"status":204,"turned_on":false}`)
	if got, _ := last.Load().(string); !strings.Contains(got, `"type":"test"`) || !strings.HasPrefix(got, "msg_") {
		t.Errorf("the test was %s", got)
	}
	status.Store(500)
	r := l.ask("administrator", "POST", "/notifications/chat/test", "").want(200).says(`"delivered":false`, `"status":500`, "it answered 500 Internal Server Error")
	if strings.Contains(r.text, "very-secret") || strings.Contains(r.text, "words of theirs") {
		t.Errorf("it says %s", r.text)
	}
	l.ask("administrator", "POST", "/notifications/none/test", "").want(404)

	// One that was turned off is turned on again by a test that it takes.
	ctx := context.Background()
	off := func(u *store.Turn) error { return u.Silence(ctx, "ops", "it answered 410 Gone") }
	if err := l.house.Store.Turn(ctx, "turn off", off); err != nil {
		t.Fatal(err)
	}
	l.get("/notified").want(200).says(`"off":{"at":`, `it answered 410 Gone`)
	l.get("/overview").want(200).says(`"kind":"notification"`, `"told":"ops"`)
	l.ask("administrator", "POST", "/notifications/ops/test", "").want(200).says(`"turned_on":false`)
	l.get("/notified").want(200).says(`"off":{"at":`)
	status.Store(200)
	l.ask("administrator", "POST", "/notifications/ops/test", "").want(200).says(`"turned_on":true`)
	if r := l.get("/notified").want(200); strings.Contains(r.text, `"off":`) {
		t.Errorf("it is off: %s", r.text)
	}
	l.get("/audit?kind=configured").want(200).says(`"act":"turn-off"`, `"act":"turn-on"`)

	l.ask("administrator", "DELETE", "/notifications/ops", "", "If-Match", "*").want(http.StatusNoContent)
	l.ask("administrator", "POST", "/notifications/ops/test", "").want(404)
	if text := l.get("/audit?kind=configured").want(200).text; strings.Contains(text, signing) || strings.Contains(text, `services`) {
		t.Errorf("the audit record holds a secret: %s", text)
	}
}

func TestMessagesAreListedByThePageAndTriedAgain(t *testing.T) {
	l := newLab(t)
	var status atomic.Int64
	status.Store(204)
	url, _ := told(t, &status)
	l.ask("administrator", "PUT", "/notifications/ops", `{"url":`+strconv.Quote(url)+`,"secret":"`+signing+`"}`, "If-Match", `"0"`).want(200)
	ctx := context.Background()
	tell := func(to string, ids ...string) {
		t.Helper()
		telling := store.Telling{Notification: to, Subject: "target:octo", After: "{}"}
		for _, id := range ids {
			telling.Deliveries = append(telling.Deliveries, store.Delivery{ID: id, Type: "objection", Body: json.RawMessage(`{"type":"objection","data":{"sentence":"Of ` + id + `."}}`)})
		}
		if err := l.house.Store.Turn(ctx, "tell", func(u *store.Turn) error { _, err := u.Tell(ctx, telling); return err }); err != nil {
			t.Fatal(err)
		}
	}
	tried := func(d store.Delivery) {
		t.Helper()
		if err := l.house.Store.Turn(ctx, "try", func(u *store.Turn) error { return u.Tried(ctx, d) }); err != nil {
			t.Fatal(err)
		}
	}
	tell("ops", "msg_a", "msg_b", "msg_c")
	tell("gone", "msg_d")
	tried(store.Delivery{ID: "msg_b", State: store.DeliveryFailed, Attempts: 10, Status: 503, Trouble: "it answered 503 Service Unavailable"})
	tried(store.Delivery{ID: "msg_c", State: store.DeliveryDone, Attempts: 1, Status: 200})
	tried(store.Delivery{ID: "msg_d", State: store.DeliveryFailed, Attempts: 1})

	var page struct {
		Deliveries []struct{ ID, Sentence, State string }
		Next       string
	}
	var seen []string
	for next := ""; ; next = page.Next {
		page.Next, page.Deliveries = "", nil
		r := l.get("/deliveries?notification=ops&size=2&cursor=" + next).want(200)
		if err := json.Unmarshal([]byte(r.text), &page); err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Deliveries {
			seen = append(seen, fmt.Sprintf("%s %s %s", d.ID, d.State, d.Sentence))
		}
		if page.Next == "" {
			break
		}
	}
	if got := strings.Join(seen, ", "); got != "msg_c delivered Of msg_c., msg_b failed Of msg_b., msg_a waiting Of msg_a." {
		t.Errorf("the pages hold %s", got)
	}
	l.get("/deliveries").want(200).says("msg_d")
	l.get("/deliveries?cursor=" + page.Next + "x").want(422)
	l.get("/notified").want(200).says(`"last":{"id":"msg_c"`)

	l.ask("administrator", "POST", "/deliveries/msg_b/retry", "").want(200).says(`"state":"waiting"`, `"attempts":0`)
	l.ask("administrator", "POST", "/deliveries/msg_c/retry", "").want(409).says("has arrived")
	l.ask("administrator", "POST", "/deliveries/msg_d/retry", "").want(409).says("no longer configured")
	l.ask("administrator", "POST", "/deliveries/msg_z/retry", "").want(404)
	for _, role := range []string{"owner", "maintainer", "viewer"} {
		for _, path := range []string{"POST /notifications/ops/test", "POST /deliveries/msg_b/retry", "GET /deliveries", "GET /notified", "GET /notifications/ops"} {
			method, path, _ := strings.Cut(path, " ")
			l.ask(role, method, path, "").want(403)
		}
	}
}
