package job

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musterline.example/guard"
	"musterline.example/notify"
	"musterline.example/reconcile"
	"musterline.example/setting"
	"musterline.example/store"
	"musterline.example/team"
)

// A receiver takes messages as somebody else's program does, and checks the signature by itself.
type receiver struct {
	t      testing.TB
	server *httptest.Server

	mu     sync.Mutex
	answer func(w http.ResponseWriter, n int) // nil: 204
	tries  int
	ids    []string
	taken  []string // the types of what was taken, with what it is about
}

const bytesOfSecret = "32 bytes that nobody else knows."

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{t: t}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		r.t.Error(err)
	}
	id := req.Header.Get("webhook-id")
	mac := hmac.New(sha256.New, []byte(bytesOfSecret))
	fmt.Fprintf(mac, "%s.%s.%s", id, req.Header.Get("webhook-timestamp"), body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); req.Header.Get("webhook-signature") != want {
		r.t.Errorf("%s was signed %s, not %s", body, req.Header.Get("webhook-signature"), want)
	}
	var e struct {
		Type string
		Data struct {
			Target, Source, Reason, Sentence string
			Objections                       []struct{ Guard string }
		}
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Data.Sentence == "" {
		r.t.Errorf("%s: %v", body, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries++
	r.ids = append(r.ids, id)
	if r.answer != nil {
		was := &status{ResponseWriter: w, code: 200}
		if r.answer(was, r.tries); was.code/100 != 2 {
			return
		}
	}
	text := strings.TrimSpace(e.Type + " " + e.Data.Target + e.Data.Source)
	for _, o := range e.Data.Objections {
		text += " " + o.Guard
	}
	r.taken = append(r.taken, text)
}

// A status remembers what was answered.
type status struct {
	http.ResponseWriter

	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func (r *receiver) set(answer func(w http.ResponseWriter, n int)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.taken)
}

// to is the receiver as it is configured, under a name.
func (r *receiver) to(name string) notify.To {
	to := notify.To{
		Name: name, Kind: "webhook", Targets: []string{"octo"}, Sources: []string{"corp", "people"}, Console: "https://m.example.com/console",
		Values: setting.Values{"url": r.server.URL, "secret": setting.Secret("whsec_" + base64.StdEncoding.EncodeToString([]byte(bytesOfSecret)))},
	}
	for _, t := range notify.Types {
		to.Events = append(to.Events, t.Type)
	}
	return to
}

// notifies lets servers tell these.
func (l *lab) notifies(tos ...notify.To) func() ([]notify.To, []string, error) {
	var names []string
	for _, to := range tos {
		names = append(names, to.Name)
	}
	return func() ([]notify.To, []string, error) { return tos, names, nil }
}

// hears waits until a receiver has taken so many messages, and fails the test when they are others.
func (l *lab) hears(r *receiver, want ...string) {
	l.Helper()
	l.until(fmt.Sprintf("%v is taken", want), func() bool { return len(r.got()) >= len(want) })
	got := r.got()
	slices.Sort(got) // they are sent at once, and nothing says which comes first
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		l.Fatalf("it was told %v, not %v", got, want)
	}
}

// settled waits until everything was looked at that there is to tell, and returns the messages, the newest first.
func (l *lab) settled(name string) []store.Delivery {
	l.Helper()
	var all []store.Delivery
	l.until("every message has arrived or failed", func() bool {
		runs := l.quiet()
		told, err := l.store.Told(context.Background())
		if err != nil {
			l.Fatal(err)
		}
		w := notify.Recall[notify.TargetWatch](told[[2]string{name, "target:octo"}])
		if all, err = l.store.Deliveries(context.Background(), name, "", 100); err != nil {
			l.Fatal(err)
		}
		return fmt.Sprint(w.Run) == runs[0].ID && !slices.ContainsFunc(all, func(d store.Delivery) bool { return d.State == store.DeliveryWaits })
	})
	return all
}

// emptied is a company whose group is empty now, so that the guard objects.
func (l *lab) emptied() {
	l.Helper()
	platform := l.team("platform", "ada", "bob")
	l.corp.group("eng", "ada", "bob")
	l.mapped("platform", "corp", "eng")
	l.start()
	l.ask(reconcile.ByPerson)
	l.quiet()
	l.corp.group("eng")
	l.ask(reconcile.ByPerson)
	l.quiet()
	l.holds(platform, "ada bob")
}

func TestAnObjectionIsToldOnceHoweverManyRunsFindIt(t *testing.T) {
	both(t, func(l *lab) {
		r := newReceiver(l)
		l.idle()
		l.jobs.Notify = l.notifies(r.to("ops"))
		l.emptied()
		l.hears(r, "objection octo empty_group")
		for range 2 {
			l.ask(reconcile.ByPerson)
			l.settled("ops")
		}
		l.hears(r, "objection octo empty_group")
		l.corp.group("eng", "ada") // and one of the two changes is left
		l.set(func(tg *reconcile.Target) { tg.Guards.TeamRemovalsSmall = guard.Limit{Max: 0} })
		l.set(func(tg *reconcile.Target) { tg.Applies = guard.ApplyApprove })
		l.ask(reconcile.ByPerson)
		l.settled("ops")
		if got := r.got(); len(got) != 2 || !strings.Contains(got[1], "approval") {
			l.Errorf("it was told %v", got)
		}
	})
}

func TestFailureAndRecoveryAreToldOnceEach(t *testing.T) {
	both(t, func(l *lab) {
		r := newReceiver(l)
		l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.idle()
		l.jobs.Notify = l.notifies(r.to("ops"))
		l.start()
		l.ask(reconcile.ByPerson)
		l.settled("ops")
		l.hears(r)
		l.gate.set(func() { l.gate.read = func() error { return errors.New("GitHub is away") } })
		l.corp.set(func() { l.corp.fail = errors.New("no route to corp") })
		for range 2 {
			l.ask(reconcile.ByPerson)
			l.settled("ops")
		}
		l.hears(r, "run_failed octo", "source_failed corp")
		l.gate.set(func() { l.gate.read = nil })
		l.corp.set(func() { l.corp.fail = nil })
		for range 2 {
			l.ask(reconcile.ByPerson)
			l.settled("ops")
		}
		l.hears(r, "run_failed octo", "source_failed corp", "run_recovered octo", "source_recovered corp")
	})
}

func TestWhoIsNewHearsHowThingsStandAndNotWhatWas(t *testing.T) {
	both(t, func(l *lab) {
		first, second := newReceiver(l), newReceiver(l)
		l.idle()
		var mu sync.Mutex
		tos := []notify.To{first.to("first")}
		l.jobs.Notify = func() ([]notify.To, []string, error) {
			mu.Lock()
			defer mu.Unlock()
			return l.notifies(tos...)()
		}
		l.gate.set(func() { l.gate.read = func() error { return errors.New("GitHub is away") } })
		l.team("other")
		l.mapped("other", "people", "all")
		l.start()
		l.ask(reconcile.ByPerson)
		l.hears(first, "run_failed octo")
		l.gate.set(func() { l.gate.read = nil })
		l.corp.group("eng", "ada", "bob")
		l.people.group("all")
		l.team("platform", "ada", "bob")
		l.mapped("platform", "corp", "eng")
		l.ask(reconcile.ByPerson)
		l.quiet()
		l.corp.group("eng")
		l.ask(reconcile.ByPerson)
		l.hears(first, "run_failed octo", "run_recovered octo", "objection octo empty_group")
		mu.Lock()
		tos = append(tos, second.to("second"))
		mu.Unlock()
		l.hears(second, "objection octo empty_group")
		l.settled("second")
		l.hears(second, "objection octo empty_group")
		l.hears(first, "run_failed octo", "run_recovered octo", "objection octo empty_group")
	})
}

func TestAMessageIsTriedAgainUntilItIsTaken(t *testing.T) {
	both(t, func(l *lab) {
		r := newReceiver(l)
		r.set(func(w http.ResponseWriter, n int) {
			if n < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		l.times.patience = []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}
		l.idle()
		l.jobs.Notify = l.notifies(r.to("ops"))
		l.emptied()
		l.hears(r, "objection octo empty_group")
		m := l.settled("ops")
		if len(m) != 1 || m[0].State != store.DeliveryDone || m[0].Attempts != 3 || m[0].Status != 200 || m[0].Trouble != "" {
			l.Fatalf("%+v", m)
		}
		if len(r.ids) != 3 || r.ids[0] != m[0].ID || r.ids[1] != r.ids[0] || r.ids[2] != r.ids[0] {
			l.Errorf("the ids are %v of message %s", r.ids, m[0].ID)
		}
	})
}

func TestAMessageIsGivenUpAndTriedAgainWhenSomebodyWantsThat(t *testing.T) {
	both(t, func(l *lab) {
		r := newReceiver(l)
		r.set(func(w http.ResponseWriter, _ int) {
			w.Header().Set("Location", r.server.URL+"/elsewhere")
			w.WriteHeader(http.StatusFound)
		})
		l.times.patience = []time.Duration{time.Millisecond}
		l.idle()
		l.jobs.Notify = l.notifies(r.to("ops"))
		l.emptied()
		l.until("it is given up", func() bool { return len(l.settled("ops")) == 1 })
		m := l.settled("ops")[0]
		if m.State != store.DeliveryFailed || m.Attempts != 2 || m.Status != 302 || !strings.Contains(m.Trouble, "302 Found") || len(r.got()) > 0 {
			l.Errorf("%+v", m)
		}
		r.set(nil)
		if err := l.store.RetryDelivery(context.Background(), m.ID); err != nil {
			l.Fatal(err)
		}
		l.hears(r, "objection octo empty_group")
	})
}

func TestWhoAsksToBeLeftAloneIs(t *testing.T) {
	both(t, func(l *lab) {
		r := newReceiver(l)
		r.set(func(w http.ResponseWriter, n int) {
			w.Header().Set("Retry-After", map[int]string{1: "7200", 2: "864000"}[n])
			w.WriteHeader(http.StatusTooManyRequests)
		})
		l.idle()
		l.jobs.Notify = l.notifies(r.to("ops"))
		l.emptied()
		waits := func(tries int) time.Duration {
			var m []store.Delivery
			l.until("it waits", func() (so bool) {
				var err error
				if m, err = l.store.Deliveries(context.Background(), "ops", "", 10); err != nil {
					l.Fatal(err)
				}
				return len(m) == 1 && m[0].Attempts == tries
			})
			return m[0].NextAt.Sub(m[0].TriedAt).Round(time.Minute)
		}
		if first := waits(1); first != 2*time.Hour {
			l.Errorf("it waits for %s", first)
		}
		l.clock.pass(3 * time.Hour)
		if second := waits(2); second != 24*time.Hour {
			l.Errorf("it waits for %s", second)
		}
	})
}

func TestWhoIsGoneIsTurnedOffAndHearsHowThingsStandWhenTurnedOnAgain(t *testing.T) {
	both(t, func(l *lab) {
		r, other := newReceiver(l), newReceiver(l)
		r.set(func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusGone) })
		l.idle()
		l.jobs.Notify = l.notifies(r.to("ops"), other.to("other"))
		l.emptied()
		var off map[string]store.Silence
		l.until("it is turned off", func() bool {
			var err error
			off, err = l.store.Silences(context.Background())
			if err != nil {
				l.Fatal(err)
			}
			return len(off) > 0
		})
		l.hears(other, "objection octo empty_group")
		if off["ops"].Why != "it answered 410 Gone" || len(off) != 1 {
			l.Errorf("%+v", off)
		}
		entries, err := l.store.Entries(context.Background(), store.Filter{Kind: store.KindConfigured})
		if err != nil || len(entries) != 1 || entries[0].Act != "turn-off" {
			l.Errorf("%+v, %v", entries, err)
		}
		l.ask(reconcile.ByPerson)
		l.settled("other")
		if r.tries != 1 {
			l.Errorf("it was told %d times", r.tries)
		}
		r.set(nil)
		if err := l.store.Unsilence(context.Background(), "ops", "ada"); err != nil {
			l.Fatal(err)
		}
		l.hears(r, "objection octo empty_group")
	})
}

func TestWhoIsSlowHoldsUpNothingAndIsToldByTheNextServer(t *testing.T) {
	both(t, func(l *lab) {
		r := newReceiver(l)
		held := make(chan struct{})
		var once sync.Once
		let := func() { once.Do(func() { close(held) }) }
		l.Cleanup(let)
		slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
		l.Cleanup(slow.Close)
		l.Cleanup(let) // before slow is closed, which waits for its requests
		to := r.to("ops")
		to.Values = setting.Values{"url": slow.URL, "secret": to.Values.Secret("secret")}
		l.idle()
		l.jobs.Notify = l.notifies(to)
		l.emptied()
		l.until("the message is made", func() bool {
			m, err := l.store.Deliveries(context.Background(), "ops", "", 10)
			return err == nil && len(m) == 1
		})
		l.ask(reconcile.ByPerson) // and a sync goes by
		l.quiet()
		l.stop(l.jobs)
		m, err := l.store.Deliveries(context.Background(), "ops", "", 10)
		if err != nil || len(m) != 1 || m[0].State != store.DeliveryWaits {
			l.Fatalf("%+v, %v", m, err)
		}
		l.jobs = l.server(l.store)
		l.jobs.Notify = l.notifies(r.to("ops"))
		l.start()
		l.hears(r, "objection octo empty_group")
	})
}

func TestTwoServersTellOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, postgres(t))
	r := newReceiver(l)
	l.idle()
	other := l.server(l.openStore())
	l.jobs.Notify, other.Notify = l.notifies(r.to("ops")), l.notifies(r.to("ops"))
	if err := other.Start(context.Background()); err != nil {
		l.Fatal(err)
	}
	l.emptied()
	l.hears(r, "objection octo empty_group")
	for range 3 {
		l.ask(reconcile.ByPerson)
		l.settled("ops")
	}
	l.hears(r, "objection octo empty_group")
}

func TestWhatIsOnItsWayToWhoIsConfiguredNoMoreIsGivenUp(t *testing.T) {
	both(t, func(l *lab) {
		r := newReceiver(l)
		r.set(func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusInternalServerError) })
		l.idle()
		var mu sync.Mutex
		tos := []notify.To{r.to("ops")}
		l.jobs.Notify = func() ([]notify.To, []string, error) {
			mu.Lock()
			defer mu.Unlock()
			return l.notifies(tos...)()
		}
		l.emptied()
		state := func() store.Delivery {
			m, err := l.store.Deliveries(context.Background(), "ops", "", 10)
			if err != nil || len(m) == 0 {
				return store.Delivery{}
			}
			return m[0]
		}
		l.until("it waits", func() bool { return state().Attempts == 1 })
		mu.Lock()
		tos = nil
		mu.Unlock()
		l.until("it is given up", func() bool { return state().State == store.DeliveryFailed })
		if got := state().Trouble; got != "it is no longer configured" {
			l.Errorf("it is given up: %s", got)
		}
		told, err := l.store.Told(context.Background())
		if err != nil || len(told) > 0 {
			l.Errorf("%v, %v", told, err)
		}
	})
}

// The plan of an undo waits for whoever has asked for it.
func TestWhatAnUndoWaitsForIsToldToNobody(t *testing.T) {
	l := newLab(t, postgres(t))
	r := newReceiver(l)
	l.idle()
	l.jobs.Notify = l.notifies(r.to("ops"))
	tm := l.team("platform", "ada")
	l.corp.group("eng", "ada")
	l.mapped("platform", "corp", "eng")
	l.start()
	l.ask(reconcile.ByPerson)
	last := l.settled("ops")
	if len(last) > 0 {
		l.Fatalf("%+v", last)
	}
	run, err := l.store.Begin(context.Background(), reconcile.Run{Target: "octo", Trigger: reconcile.ByPerson, Undoes: "1"})
	if err != nil {
		l.Fatal(err)
	}
	p, err := l.store.LastPlan(context.Background(), "octo")
	if err != nil {
		l.Fatal(err)
	}
	said := []guard.Objection{{Guard: "team_removals", Team: idOf(tm), Changes: []guard.Ref{{Team: idOf(tm), Account: team.AccountID("1"), Act: "remove"}}}}
	if err := l.store.SavePlan(context.Background(), run.ID, p.Plan, said); err != nil {
		l.Fatal(err)
	}
	if err := l.store.Finish(context.Background(), run.ID, reconcile.Report{State: "objected", At: l.clock.Now()}); err != nil {
		l.Fatal(err)
	}
	l.settled("ops")
	l.hears(r)
}
