package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A receiver is somebody else's program that is told of what happens, and that checks who tells it.
type receiver struct {
	url string

	mu     sync.Mutex
	status int
	key    []byte   // that messages are signed with; nil: it is not known yet
	taken  []string // the type of each message and what it says
	forged int      // messages whose signature is wrong
}

func newReceiver(t *testing.T, status int) *receiver {
	t.Helper()
	r := &receiver{status: status}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body) // what is cut off has no signature that is right
		r.mu.Lock()
		defer r.mu.Unlock()
		mac := hmac.New(sha256.New, r.key)
		fmt.Fprintf(mac, "%s.%s.%s", req.Header.Get("webhook-id"), req.Header.Get("webhook-timestamp"), body)
		if req.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			r.forged++
		}
		var e struct {
			Type string
			Data struct{ Sentence, URL string }
		}
		_ = json.Unmarshal(body, &e) // what is no event is told apart below
		r.taken = append(r.taken, e.Type+": "+e.Data.Sentence+" "+e.Data.URL)
		w.WriteHeader(r.status)
	}))
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

// knows gives the receiver the secret that a notification has.
func (r *receiver) knows(secret string) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.key = key
	return err
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) got() (taken []string, forged int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.taken...), r.forged
}

const signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// notified makes notifications over the API, of which one takes what it is told, one does not and one wants to hear nothing any more, and
// waits until each was told of what waits.
func (l *lab) notified(b *tab) {
	l.t.Helper()
	for name, status := range map[string]int{"ops": 204, "old": 410, "pager": 503} {
		r := newReceiver(l.t, status)
		said := b.api("PUT", "/notifications/"+name, `{"url":`+strconv.Quote(r.url+"/musterline")+`,"secret":"`+signing+`"}`, "If-Match", `"0"`)
		if !strings.HasPrefix(said, "200") {
			l.t.Fatal(said)
		}
	}
	l.until("all were told", func() bool {
		said := b.api("GET", "/deliveries", "")
		return strings.Contains(said, "503") && strings.Contains(said, `"delivered"`) && strings.Contains(b.api("GET", "/notified", ""), `"off":`)
	})
}

// Somebody adds a webhook, tries it, and hears of the next objection; the receiver can tell that it is ours.
func TestAReceiverHearsOfWhatWaitsForApproval(t *testing.T) {
	l := newLab(t)
	l.run("pause", "northlight", "--reason", "nobody is to be told of anything yet", "--config", "musterline.yaml") // nor by the schedule
	l.serve()
	r := newReceiver(t, http.StatusInternalServerError)
	b := l.signIn("root", "administrator")
	b.open("/console/settings/notifications")
	b.see("Nobody is told")
	b.axe()
	b.shot("notifications-none")
	b.click("link", "New notification")
	b.see("Told of", "Changes wait for approval", "A source cannot be read")
	b.click("button", "Add notification")
	b.see("Name is required", "URL is required", "Secret is required")
	b.wait("the focus is where something is missing", func() bool { return strings.HasPrefix(b.focused(), "input") })
	b.axe()
	b.fill("Name", "ops")
	b.fill("URL", "http://hooks.example.com/in")
	b.click("button", "Make a secret")
	b.see("Give this secret to the receiver")
	secret := eval[string](b, `document.querySelector(".secret code").textContent`)
	if err := r.knows(secret); err != nil || !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("the secret that was made cannot be read: %v", err)
	}
	b.expect("422")
	b.click("button", "Add notification")
	b.see("URL must begin with https://, except on this machine")
	b.shot("notification-refused")
	b.fill("URL", r.url+"/musterline")
	b.click("checkbox", "A source can be read again")
	b.click("button", "Add notification")
	b.see("Send a test", "Delete this notification")
	if strings.Contains(b.text(), secret) {
		t.Error("the secret is shown after it was saved")
	}

	// A test says what the receiver has answered, good or bad.
	b.click("button", "Send a test")
	b.see("ops has not taken the test", "It answered 500 Internal Server Error.")
	b.axe()
	b.shot("notification-test-failed")
	r.answers(http.StatusNoContent)
	b.click("button", "Send a test")
	b.see("ops has taken the test", "It answered 204.")

	// What it is told of is changed. The secret stays.
	b.click("checkbox", "A source cannot be read")
	b.click("button", "Save changes")
	b.see("Saved. It counts from now.")
	row := b.api("GET", "/notifications/ops", "")
	if !strings.Contains(row, `"events":["objection","run_failed","run_recovered"]`) || !strings.Contains(row, `"secrets":["secret"]`) || strings.Contains(row, secret) {
		t.Errorf("the notification is %s", row)
	}

	// The first sync meets an objection, of which the receiver hears once.
	sync := func() {
		if said := b.api("POST", "/targets/northlight/sync", `{}`); !strings.HasPrefix(said, "20") {
			t.Fatal(said)
		}
	}
	if said := b.api("POST", "/targets/northlight/resume", `{}`); !strings.HasPrefix(said, "20") {
		t.Fatal(said)
	}
	sync()
	l.until("the receiver was told", func() bool { taken, _ := r.got(); return len(taken) == 3 })
	taken, forged := r.got()
	if want := "objection: 1 change of northlight waits for approval: first_connection objects. " + l.url + "/console/organizations/northlight/plan"; taken[2] != want || forged > 0 {
		t.Errorf("it was told %q, and %d messages were not signed with the secret", taken, forged)
	}
	b.open("/console/settings/notifications")
	b.see("delivered", "1 change of northlight waits for approval", "Changes wait for approval · A sync failed · Syncs work again")
	b.axe()
	sync()
	l.until("the second sync has ended", func() bool {
		said := b.api("GET", "/runs?size=5", "")
		return strings.Count(said, `"state":"objected"`) >= 2
	})

	// It goes, and the record knows who did what.
	b.click("link", "ops")
	b.click("button", "Delete this notification")
	b.see("its secret is deleted")
	b.confirm("Delete")
	b.see("Nobody is told")
	if said := b.api("GET", "/audit?kind=configured", ""); strings.Count(said, `"section":"notifications"`) != 3 || strings.Contains(said, secret) {
		t.Errorf("the record holds %s", said)
	}
	if taken, _ := r.got(); len(taken) != 3 {
		t.Errorf("it was told %q", taken)
	}
}

// A receiver that answers 410 is turned off and says so; a test that it takes turns it on again. What failed is tried again by hand. What the
// file defines is changed there, and others than administrators see nothing of it.
func TestWhatBecomesOfMessagesIsShown(t *testing.T) {
	l := newLab(t)
	quiet := newReceiver(t, http.StatusOK)
	l.write("musterline.yaml", settings+"notifications:\n  chat: { kind: slack, url: \""+quiet.url+"/services/T0\", events: [objection] }\n")
	l.run("sync", "--config", "musterline.yaml")
	l.serve()
	b := l.signIn("root", "administrator")
	gone := newReceiver(t, http.StatusGone)
	pager := newReceiver(t, http.StatusServiceUnavailable)
	for name, r := range map[string]*receiver{"old": gone, "pager": pager} {
		if said := b.api("PUT", "/notifications/"+name, `{"url":"`+r.url+`","secret":"`+signing+`"}`, "If-Match", `"0"`); !strings.HasPrefix(said, "200") {
			t.Fatal(said)
		}
	}
	l.until("both were told", func() bool {
		a, _ := gone.got()
		c, _ := pager.got()
		return len(a) == 1 && len(c) > 0
	})
	b.open("/console/settings/notifications")
	b.see("off", "it answered 410 Gone", "A test that it takes turns it on again", "It answered 503 Service Unavailable.", "the next try is")
	b.axe()
	b.shot("notifications-trouble")
	pager.answers(http.StatusOK)
	tried := eval[string](b, `[...document.querySelectorAll("button")].find((b) => b.textContent.includes("Try again")).getAttribute("aria-label")`)
	b.click("button", tried)
	l.until("it has arrived", func() bool {
		return strings.Contains(b.api("GET", "/deliveries?notification=pager", ""), `"state":"delivered"`)
	})
	gone.answers(http.StatusOK)
	b.click("button", "Send a test to old")
	b.see("old has taken the test", "It is turned on again, and hears how things stand.")
	l.until("it hears how things stand", func() bool { taken, _ := gone.got(); return len(taken) == 3 })

	b.open("/console/settings/notifications/chat")
	b.see("Set in musterline.yaml, line", "change it there", "set, and never shown", "Changes wait for approval, of all organizations")
	b.axe()
	b.shot("notification-of-file")
	if b.there("button", "Save changes") || strings.Contains(b.text(), "services/T0") {
		t.Error("what the file defines can be changed, or its secret is shown")
	}
	other := l.signIn("vera", "viewer", "--target", "northlight")
	other.expect("403")
	other.open("/console/settings/notifications/chat")
	other.see("You may not see this")
	other.open("/console/settings/notifications")
	other.see("Administrators say who is told of what happens.")
}

// Two people change the same notification: the second is shown the first's change and decides.
func TestTwoWhoChangeANotificationSeeEachOthersChange(t *testing.T) {
	l := newLab(t)
	l.serve()
	b := l.signIn("root", "administrator")
	put := func(by *tab, body string) {
		if said := by.api("PUT", "/notifications/ops", body, "If-Match", "*"); !strings.HasPrefix(said, "200") {
			t.Fatal(said)
		}
	}
	r := newReceiver(t, http.StatusOK)
	put(b, `{"url":"`+r.url+`","secret":"`+signing+`"}`)
	b.open("/console/settings/notifications/ops")
	b.click("checkbox", "A sync failed")
	put(l.signIn("fay", "administrator"), `{"url":"`+r.url+`/fay","secret":"`+signing+`","events":["objection"]}`)
	b.expect("412")
	b.click("button", "Save changes")
	b.see("Somebody has changed it meanwhile: nothing was saved", "fay (sign-in link) saved it", "URL: theirs is "+r.url+"/fay")
	b.axe()
	b.shot("notification-conflict")
	b.click("button", "Take theirs")
	b.gone("Somebody has changed it meanwhile")
	b.click("checkbox", "A sync failed")
	b.click("button", "Save changes")
	b.see("Saved. It counts from now.")
	if row := b.api("GET", "/notifications/ops", ""); !strings.Contains(row, `"events":["objection","run_failed"]`) || !strings.Contains(row, "/fay") {
		t.Errorf("it is %s", row)
	}
}
