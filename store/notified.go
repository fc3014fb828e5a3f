package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"musterline.example/audit"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
)

// The states of a delivery.
const (
	DeliveryWaits  = "waiting" // for its first try, or for the next
	DeliveryDone   = "delivered"
	DeliveryFailed = "failed" // for good, unless somebody wants it tried again
)

// A Delivery is one message to one notification.
type Delivery struct {
	ID           string // the same in every try, and told to the receiver
	Notification string
	Type         string
	Body         json.RawMessage
	MadeAt       time.Time
	State        string
	Attempts     int    // since it was made, or somebody wanted it tried again
	Status       int    // of the last answer; 0 where there was none
	Trouble      string // why the last attempt counts for nothing
	TriedAt      time.Time
	NextAt       time.Time // of one that waits
}

func deliveryOf(r db.Delivery) Delivery {
	return Delivery{
		ID: r.ID, Notification: r.Notification, Type: r.Type, Body: json.RawMessage(r.Body), MadeAt: moment(r.MadeAt), State: r.State,
		Attempts: int(r.Attempts), Status: int(r.Status), Trouble: r.Trouble, TriedAt: moment(r.TriedAt), NextAt: moment(r.NextAt),
	}
}

// A Telling is what a notification is told of a subject from now on, with the messages of that.
type Telling struct {
	Notification, Subject string
	Before, After         string // what it was told, as Told has it, and what it is told then
	Deliveries            []Delivery
}

// Told returns what each notification was told, by its name and the subject.
func (s *Store) Told(ctx context.Context) (map[[2]string]string, error) {
	rows, err := s.queries.GetTold(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what was told: %w", err)
	}
	told := make(map[[2]string]string, len(rows))
	for _, r := range rows {
		told[[2]string{r.Notification, r.Subject}] = r.Body
	}
	return told, nil
}

// Tell remembers what a notification is told, and makes its messages, of which id, type and body are read. It reports false, and has written
// nothing, when another server has told the same meanwhile.
func (u *Turn) Tell(ctx context.Context, t Telling) (told bool, err error) {
	n, err := u.t.PutTold(ctx, db.PutToldParams{Notification: t.Notification, Subject: t.Subject, Body: t.After, Before: t.Before})
	if err != nil || n == 0 {
		return false, err
	}
	for _, d := range t.Deliveries {
		number, err := u.t.number(ctx, "delivery")
		if err != nil {
			return false, err
		}
		if err := u.t.MakeDelivery(ctx, db.MakeDeliveryParams{
			ID: d.ID, Number: number, Notification: t.Notification, Type: d.Type, Body: string(d.Body), MadeAt: micros(u.t.s.now()),
		}); err != nil {
			return false, err
		}
	}
	return true, nil
}

// ForgetTold forgets what was told to notifications that are configured no more, and gives up what is on its way to them.
func (s *Store) ForgetTold(ctx context.Context, configured []string) error {
	gone := make(map[string]bool)
	told, err := s.queries.GetTold(ctx)
	if err != nil {
		return fmt.Errorf("read what was told: %w", err)
	}
	for _, r := range told {
		gone[r.Notification] = true
	}
	silences, err := s.queries.GetSilences(ctx)
	if err != nil {
		return fmt.Errorf("read which notifications are turned off: %w", err)
	}
	for _, r := range silences {
		gone[r.Notification] = true
	}
	waiting, err := s.queries.WhoWaits(ctx)
	if err != nil {
		return fmt.Errorf("read which notifications wait: %w", err)
	}
	for _, name := range waiting {
		gone[name] = true
	}
	for _, name := range configured {
		delete(gone, name)
	}
	if len(gone) == 0 {
		return nil
	}
	return s.write(ctx, "forget what was told", func(t *tx) error {
		for name := range gone {
			if err := t.Queries.DeleteTold(ctx, name); err != nil {
				return err
			}
			if _, err := t.Queries.DeleteSilence(ctx, name); err != nil {
				return err
			}
			if err := t.FailDeliveries(ctx, db.FailDeliveriesParams{Notification: name, Trouble: "it is no longer configured"}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Delivery returns one delivery; ErrNotFound when there is none.
func (s *Store) Delivery(ctx context.Context, id string) (Delivery, error) {
	row, err := s.queries.GetDelivery(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("read a delivery: %w", err)
	}
	return deliveryOf(row), nil
}

// Deliveries returns deliveries to a notification, or to all when it is empty, the newest first, from the one before the one with the id
// before, or the newest.
func (s *Store) Deliveries(ctx context.Context, notification, before string, limit int) ([]Delivery, error) {
	p := db.ListDeliveriesParams{Notification: notification, Before: math.MaxInt64, N: int32(min(limit, 1000))}
	if notification == "" {
		p.EveryOne = 1
	}
	if before != "" {
		row, err := s.queries.GetDelivery(ctx, before)
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("list deliveries: %w", err)
		}
		p.Before = row.Number
	}
	rows, err := s.queries.ListDeliveries(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	all := make([]Delivery, len(rows))
	for i, r := range rows {
		all[i] = deliveryOf(r)
	}
	return all, nil
}

// LastDeliveries returns the newest delivery of each notification, by its name.
func (s *Store) LastDeliveries(ctx context.Context) (map[string]Delivery, error) {
	rows, err := s.queries.LastDeliveries(ctx)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	last := make(map[string]Delivery, len(rows))
	for _, r := range rows {
		last[r.Notification] = deliveryOf(r)
	}
	return last, nil
}

// DueDeliveries returns the ids of deliveries whose next try is due.
func (s *Store) DueDeliveries(ctx context.Context) ([]string, error) {
	ids, err := s.queries.DueDeliveries(ctx, micros(s.now()))
	if err != nil {
		return nil, fmt.Errorf("look for deliveries: %w", err)
	}
	return ids, nil
}

// Tried writes what came of an attempt: state, attempts, status, trouble, and when the next is due. One that does not wait any more stays
// as it is.
func (u *Turn) Tried(ctx context.Context, d Delivery) error {
	_, err := u.t.TryDelivery(ctx, db.TryDeliveryParams{
		ID: d.ID, State: d.State, Attempts: int64(d.Attempts), Status: int64(d.Status), Trouble: d.Trouble,
		TriedAt: micros(u.t.s.now()), NextAt: micros(d.NextAt),
	})
	return err
}

// ErrDelivered is in the chain of the error about a delivery that has arrived, and is not sent again.
var ErrDelivered = errors.New("it was delivered")

// RetryDelivery lets a delivery be tried again, from now on as often as a new one. ErrNotFound when there is none.
func (s *Store) RetryDelivery(ctx context.Context, id string) error {
	return s.write(ctx, "try a delivery again", func(t *tx) error {
		n, err := t.Queries.RetryDelivery(ctx, db.RetryDeliveryParams{ID: id, Now: micros(t.s.now())})
		if err != nil || n > 0 {
			return err
		}
		if _, err := t.GetDelivery(ctx, id); errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		} else if err != nil {
			return err
		}
		return ErrDelivered
	})
}

// A Silence says since when a notification is told nothing any more, and why.
type Silence struct {
	At  time.Time
	Why string
}

// Silences returns the notifications that are turned off, by name.
func (s *Store) Silences(ctx context.Context) (map[string]Silence, error) {
	rows, err := s.queries.GetSilences(ctx)
	if err != nil {
		return nil, fmt.Errorf("read which notifications are turned off: %w", err)
	}
	all := make(map[string]Silence, len(rows))
	for _, r := range rows {
		all[r.Notification] = Silence{moment(r.At), r.Why}
	}
	return all, nil
}

// silenceBody is what an audit entry says of a notification that was turned off or on.
type silenceBody struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Why     string `json:"why,omitempty"`
}

// notificationsSection is the section whose rows are notifications.
const notificationsSection = "notifications"

// Silence turns a notification off because it wants to hear nothing any more, gives up what is on its way to it, and leaves an audit entry.
// What it was told is forgotten: when it is turned on again, it hears how things stand then.
func (u *Turn) Silence(ctx context.Context, name, why string) error {
	if err := u.t.hold(ctx); err != nil {
		return err
	}
	n, err := u.t.PutSilence(ctx, db.PutSilenceParams{Notification: name, At: micros(u.t.s.now()), Why: why})
	if err != nil || n == 0 {
		return err
	}
	if err := u.t.FailDeliveries(ctx, db.FailDeliveriesParams{Notification: name, Trouble: "the notification was turned off: " + why}); err != nil {
		return err
	}
	if err := u.t.Queries.DeleteTold(ctx, name); err != nil {
		return err
	}
	_, err = u.t.record(ctx, note{
		kind: KindConfigured, act: "turn-off", actor: audit.Actor{Trigger: reconcile.ByEvent, Requester: "musterline"},
		body: silenceBody{notificationsSection, name, why},
	})
	return err
}

// Unsilence turns a notification on again, with an audit entry. One that is on stays so.
func (s *Store) Unsilence(ctx context.Context, name, by string) error {
	return s.write(ctx, "turn a notification on", func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		n, err := t.DeleteSilence(ctx, name)
		if err != nil || n == 0 {
			return err
		}
		_, err = t.record(ctx, note{kind: KindConfigured, act: "turn-on", actor: person(by), body: silenceBody{Section: notificationsSection, Name: name}})
		return err
	})
}

// An Ended is a run that has ended, for who is told of it.
type Ended struct {
	ID     string
	Number int64
	State  string
	Error  string
	At     time.Time
}

// Ended returns the runs of a target that have ended after the one of a number, the oldest first: the last limit of them.
func (s *Store) Ended(ctx context.Context, target string, after int64, limit int) ([]Ended, error) {
	rows, err := s.queries.GetEnded(ctx, db.GetEndedParams{Target: target, After: after, N: int32(min(limit, 1000))})
	if err != nil {
		return nil, fmt.Errorf("look for runs that have ended: %w", err)
	}
	all := make([]Ended, 0, len(rows))
	for _, r := range slices.Backward(rows) {
		e := Ended{ID: r.ID, Number: r.Number, State: r.State, At: moment(r.FinishedAt)}
		var report reportBody
		if r.Report != "" {
			if err := json.Unmarshal([]byte(r.Report), &report); err != nil {
				return nil, fmt.Errorf("look for runs that have ended: damaged report: %w", err)
			}
		}
		if e.Error = report.Error; e.Error == "" && r.State == "failed" {
			e.Error = fmt.Sprintf("%d writes failed, and of %d it is not known", report.Failed, report.Unknown)
		}
		all = append(all, e)
	}
	return all, nil
}
