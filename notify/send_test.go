package notify_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"musterline.example/notify"
	"musterline.example/setting"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func webhook(url string) notify.To {
	return notify.To{Name: "ops", Kind: "webhook", Values: setting.Values{"url": url, "secret": setting.Secret(key)}}
}

func slack(url string) notify.To {
	return notify.To{Name: "chat", Kind: "slack", Values: setting.Values{"url": setting.Secret(url)}}
}

// The example is the one that the libraries of Standard Webhooks are tested with.
func TestAMessageIsSignedAsTheSpecificationHasIt(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	a := notify.Send(t.Context(), notify.Client(), webhook(receiver.URL+"/in?for=us"), "msg_p5jXN8AQM9LWM0D4loKWxJek", []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0))
	if !a.OK() || a.Status != 204 {
		t.Fatalf("answered %+v", a)
	}
	if got.Method != http.MethodPost || got.URL.String() != "/in?for=us" || body != `{"test": 2432232314}` {
		t.Errorf("%s %s was sent %q", got.Method, got.URL, body)
	}
	for header, want := range map[string]string{
		"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330", "content-type": "application/json",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	} {
		if is := got.Header.Get(header); is != want {
			t.Errorf("%s is %q, not %q", header, is, want)
		}
	}
}

func TestSlackIsSentTextInWhichNothingIsMarkupButOurOwn(t *testing.T) {
	t.Parallel()
	var sent struct{ Text string }
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = json.NewDecoder(r.Body).Decode(&sent) }))
	defer receiver.Close()
	e := notify.Event{Type: notify.Objection, At: noon, Data: notify.Data{
		Sentence: "7 changes of octo wait.", Reason: "<!channel>\n& more", URL: "https://m.example.com/console/x",
		Objections: []notify.Objecting{{Guard: "g1", Message: "one"}, {Guard: "g2"}, {Guard: "g3"}, {Guard: "g4"}, {Guard: "g5"}, {Guard: "g6"}},
	}}
	if a := notify.Send(t.Context(), notify.Client(), slack(receiver.URL), "msg_1", e.Body(), noon); !a.OK() {
		t.Fatalf("answered %+v", a)
	}
	want := "7 changes of octo wait.\n> &lt;!channel&gt; &amp; more\n• g1: one\n• g2: \n• g3: \n• g4: \n• g5: \n… and more objections\n<https://m.example.com/console/x|Look at it>"
	if sent.Text != want {
		t.Errorf("sent\n%s\nnot\n%s", sent.Text, want)
	}
}

func TestWhatIsNoSuccessIsSaidWithoutTheAddress(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		case "/busy":
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("words of theirs"))
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/odd":
			w.WriteHeader(599)
		case "/cut":
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = c.Close()
			}
		}
	}))
	defer receiver.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + free.Addr().String() + "/secret-path"
	_ = free.Close()
	for address, want := range map[string]notify.Answer{
		receiver.URL + "/redirect": {Status: 307, Trouble: "it answered 307 Temporary Redirect: it wants to send us elsewhere, where nothing is sent; give the address that it leads to"},
		receiver.URL + "/busy":     {Status: 503, Trouble: "it answered 503 Service Unavailable", RetryAfter: 2 * time.Minute},
		receiver.URL + "/gone":     {Status: 410, Trouble: "it answered 410 Gone: it wants to hear nothing any more"},
		receiver.URL + "/odd":      {Status: 599, Trouble: "it answered 599"},
		receiver.URL + "/cut":      {Trouble: "the connection was cut before it had answered"},
		secure.URL:                 {Trouble: "its certificate is not one that this machine trusts"},
		nobody:                     {Trouble: "the connection was refused: nothing listens there"},
		"https://" + strings.TrimPrefix(receiver.URL, "http://"): {Trouble: "it does not speak TLS there"},
	} {
		for _, to := range []notify.To{webhook(address), slack(address)} {
			got := notify.Send(t.Context(), notify.Client(), to, "msg_1", notify.Event{}.Body(), noon)
			if got != want {
				t.Errorf("%s %s: %+v, not %+v", to.Kind, address, got, want)
			}
		}
	}
}

func TestAnAnswerThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
	defer receiver.Close()
	defer close(held)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // as Send's own, which is longer
	defer cancel()
	a := notify.Send(ctx, notify.Client(), webhook(receiver.URL), "msg_1", notify.Event{}.Body(), noon)
	if a.Trouble != "it did not answer within 10 seconds" || a.Status != 0 {
		t.Errorf("answered %+v", a)
	}
}

func TestAnAnswerCountsOnceItsStatusIsThere(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-held // and the body never ends
	}))
	defer receiver.Close()
	defer close(held)
	if a := notify.Send(t.Context(), notify.Client(), webhook(receiver.URL), "msg_1", notify.Event{}.Body(), noon); !a.OK() {
		t.Errorf("answered %+v", a)
	}
}

func TestWhatMayBeConfigured(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind, url, secret string
		wrong             string
	}{
		{"webhook", "https://hooks.example.com/in", key, ""},
		{"webhook", "http://127.0.0.1:8080/in", key, ""},
		{"webhook", "http://localhost/in", key, ""},
		{"webhook", "http://hooks.example.com/in", key, "url"},
		{"webhook", "http://127.0.0.1.example.com/in", key, "url"},
		{"webhook", "ldaps://hooks.example.com/in", key, "url"},
		{"webhook", "https://", key, "url"},
		{"webhook", "https://me:word@hooks.example.com/in", key, "url"},
		{"webhook", "https://hooks.example.com/in#part", key, "url"},
		{"webhook", "https://hooks.example.com/in", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "secret"},
		{"webhook", "https://hooks.example.com/in", "whsec_c2hvcnQ=", "secret"},
		{"webhook", "https://hooks.example.com/in", "whsec_" + strings.Repeat("QUJD", 22), "secret"},
		{"webhook", "https://hooks.example.com/in", "whsec_***", "secret"},
		{"slack", "https://hooks.slack.com/services/T/B/X", "", ""},
		{"slack", "http://hooks.slack.com/services/T/B/X", "", "url"},
	} {
		kind, _ := notify.KindOf(test.kind)
		v := setting.Values{"url": test.url}
		if test.secret != "" {
			v["secret"] = setting.Secret(test.secret)
		}
		var wrong []string
		for _, p := range kind.Check(v) {
			wrong = append(wrong, p.Key)
			if strings.Contains(p.Message, "example.com/in") || strings.Contains(p.Message, "MfKQ") {
				t.Errorf("%+v: %s repeats it", test, p.Message)
			}
		}
		if got := strings.Join(wrong, " "); got != test.wrong {
			t.Errorf("%+v: wrong is %q", test, got)
		}
	}
}
