package answer

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"musterline.example/config"
	"musterline.example/notify"
	"musterline.example/store"
)

// Notify returns who is told of what happens, in order of name, and the names of all who are configured, also of those that were left out
// because they do not fit.
func (h *House) Notify() (all []notify.To, configured []string) {
	console := ""
	if h.Config.Server.ExternalURL != "" {
		console = h.Config.Server.ExternalURL + "/console"
	}
	for _, name := range slices.Sorted(maps.Keys(h.Config.Notifications)) {
		n := h.Config.Notifications[name]
		to := notify.To{Name: name, Kind: n.Kind, Values: n.Values, Events: n.Events, Targets: n.Targets, Console: console}
		if len(n.Targets) == 0 {
			to.Targets, to.Sources = h.targetNames(), h.sourceNames()
		} else {
			to.Sources = h.sourcesShown(n.Targets)
		}
		all, configured = append(all, to), append(configured, name)
	}
	for _, u := range h.Config.Unfit {
		if u.Section == config.NotificationsSection && !u.Shadowed {
			configured = append(configured, u.Name)
		}
	}
	return all, configured
}

// Notified are those who are told of what happens.
type Notified struct {
	Notifications []Notification `json:"notifications"`
	Events        []EventType    `json:"events"`  // that there are
	Targets       []string       `json:"targets"` // that there are
}

// An EventType is one sort of event.
type EventType struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	Means string `json:"means"`
}

// A Notification is one who is told, where that is configured, and how it fares.
type Notification struct {
	Row     Row       `json:"row"`
	Tag     string    `json:"tag"` // the version, as a change of the row names it
	Kind    string    `json:"kind"`
	Title   string    `json:"title"`   // of the kind
	Events  []string  `json:"events"`  // that it is told of
	Targets []string  `json:"targets"` // that it is told of; none: all
	Off     *Off      `json:"off,omitempty"`
	Last    *Delivery `json:"last,omitempty"` // message
}

// Off says since when a notification is told nothing, and why.
type Off struct {
	At  time.Time `json:"at"`
	Why string    `json:"why"`
}

// A Delivery is one message, and whether it has arrived.
type Delivery struct {
	ID           string          `json:"id"` // the webhook-id, by which the receiver knows it
	Notification string          `json:"notification"`
	Type         string          `json:"type"`
	Sentence     string          `json:"sentence"`
	Body         json.RawMessage `json:"body"` // of the event
	MadeAt       time.Time       `json:"made_at"`
	State        string          `json:"state"` // waiting, delivered or failed
	Attempts     int             `json:"attempts"`
	Status       int             `json:"status,omitempty"`  // of the last answer; none: there was none
	Trouble      string          `json:"trouble,omitempty"` // why it has not arrived
	TriedAt      time.Time       `json:"tried_at,omitzero"`
	NextAt       time.Time       `json:"next_at,omitzero"` // when it is tried next
}

// Deliveries are messages, the newest first.
type Deliveries struct {
	Deliveries []Delivery `json:"deliveries"`
	Next       string     `json:"next,omitempty"`
}

func deliveryOf(d store.Delivery) Delivery {
	is := Delivery{
		ID: d.ID, Notification: d.Notification, Type: d.Type, Body: d.Body, MadeAt: d.MadeAt, State: d.State,
		Attempts: d.Attempts, Status: d.Status, Trouble: d.Trouble, TriedAt: d.TriedAt,
	}
	if e, err := notify.ParseEvent(d.Body); err == nil {
		is.Sentence = e.Data.Sentence
	}
	if d.State == store.DeliveryWaits {
		is.NextAt = d.NextAt
	}
	return is
}

// Notified lists who is told of what happens, in order of name.
func (h *House) Notified(ctx context.Context) (Notified, error) {
	list := Notified{Notifications: []Notification{}, Events: []EventType{}, Targets: list(h.targetNames())}
	for _, t := range notify.Types {
		list.Events = append(list.Events, EventType{string(t.Type), t.Title, t.Means})
	}
	rows, err := h.Rows(ctx, config.NotificationsSection)
	if err != nil {
		return list, err
	}
	var off map[string]store.Silence
	var last map[string]store.Delivery
	if h.Store != nil {
		if off, err = h.Store.Silences(ctx); err != nil {
			return list, err
		}
		if last, err = h.Store.LastDeliveries(ctx); err != nil {
			return list, err
		}
	}
	for _, r := range rows.Rows {
		list.Notifications = append(list.Notifications, h.notification(r, off, last))
	}
	slices.SortStableFunc(list.Notifications, func(a, b Notification) int { return cmp.Compare(a.Row.Name, b.Row.Name) })
	return list, nil
}

// unheard is what needs a person because somebody who should be told of what happens is not.
func (h *House) unheard(ctx context.Context) ([]Need, error) {
	if h.Store == nil || len(h.Config.Notifications) == 0 {
		return nil, nil
	}
	off, err := h.Store.Silences(ctx)
	if err != nil {
		return nil, err
	}
	last, err := h.Store.LastDeliveries(ctx)
	if err != nil {
		return nil, err
	}
	var needs []Need
	for _, name := range slices.Sorted(maps.Keys(h.Config.Notifications)) {
		if s, silent := off[name]; silent {
			needs = append(needs, Need{Kind: "notification", Told: name, Text: "The notification was turned off", More: s.Why})
		} else if d := last[name]; d.State == store.DeliveryFailed {
			needs = append(needs, Need{Kind: "notification", Told: name, Text: "The last message to the notification did not arrive", More: d.Trouble})
		}
	}
	return needs, nil
}

func (h *House) notification(r Row, off map[string]store.Silence, last map[string]store.Delivery) Notification {
	n := Notification{Row: r, Tag: fmt.Sprintf("%q", fmt.Sprint(r.Version)), Events: []string{}, Targets: []string{}}
	if r.Unfit == "" {
		c := h.Config.Notifications[r.Name]
		n.Kind, n.Targets = c.Kind, list(c.Targets)
		for _, e := range c.Events {
			n.Events = append(n.Events, string(e))
		}
		if s, silent := off[r.Name]; silent {
			n.Off = &Off{s.At, s.Why}
		}
		if d, some := last[r.Name]; some {
			is := deliveryOf(d)
			n.Last = &is
		}
	}
	if n.Kind == "" { // it is in force in no server yet, or does not fit
		var body struct {
			Kind string `json:"kind"`
		}
		_ = json.Unmarshal(r.Body, &body) // what is wrong with it stands in Unfit
		n.Kind = body.Kind
	}
	if k, known := notify.KindOf(n.Kind); known {
		n.Kind, n.Title = k.Name, k.Title
	}
	return n
}

// Deliveries lists messages to a notification, or to all, from the one after the one with the id of the page.
func (h *House) Deliveries(ctx context.Context, notification string, page PageWish) (Deliveries, error) {
	all := Deliveries{Deliveries: []Delivery{}}
	if h.Store == nil {
		return all, nil
	}
	size := cmp.Or(page.Size, 100)
	found, err := h.Store.Deliveries(ctx, notification, page.Next, size+1)
	if errors.Is(err, store.ErrNotFound) {
		return all, Usagef("the list goes on from a message that is no longer there").WithHint("begin the list anew")
	}
	if err != nil {
		return all, err
	}
	if len(found) > size {
		found = found[:size]
		all.Next = found[size-1].ID
	}
	for _, d := range found {
		all.Deliveries = append(all.Deliveries, deliveryOf(d))
	}
	return all, nil
}

// Tested is what came of a test of a notification.
type Tested struct {
	Delivered bool   `json:"delivered"`
	Status    int    `json:"status,omitempty"`  // of the answer; none: there was none
	Trouble   string `json:"trouble,omitempty"` // why it was not delivered
	TurnedOn  bool   `json:"turned_on"`         // it was off, and is told again what happens
}

// TestNotification sends a message that says that it is a test, and waits for the answer. One that is taken turns a notification on again that
// had been turned off by the answer 410.
func (h *House) TestNotification(ctx context.Context, name, by string) (Tested, error) {
	if err := h.writes(); err != nil {
		return Tested{}, err
	}
	all, configured := h.Notify()
	i := slices.IndexFunc(all, func(to notify.To) bool { return to.Name == name })
	switch {
	case i < 0 && slices.Contains(configured, name):
		return Tested{}, Errorf(Conflict, "the notification was left out of what is in force, because it does not fit").WithHint("change it first")
	case i < 0:
		return Tested{}, noRow()
	}
	a := notify.Send(ctx, notify.Client(), all[i], "msg_"+rand.Text(), all[i].TestEvent(h.now()).Body(), h.now())
	t := Tested{Delivered: a.OK(), Status: a.Status, Trouble: a.Trouble}
	if !a.OK() {
		return t, nil
	}
	off, err := h.Store.Silences(ctx)
	if err != nil {
		return t, err
	}
	if _, t.TurnedOn = off[name]; t.TurnedOn {
		err = h.Store.Unsilence(ctx, name, by)
	}
	return t, err
}

// RetryDelivery lets a message be tried again that has failed or waits, and returns it.
func (h *House) RetryDelivery(ctx context.Context, id string) (Delivery, error) {
	if err := h.writes(); err != nil {
		return Delivery{}, err
	}
	d, err := h.Store.Delivery(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return Delivery{}, Errorf(NotFound, "there is no such message")
	}
	if err != nil {
		return Delivery{}, err
	}
	off, err := h.Store.Silences(ctx)
	if err != nil {
		return Delivery{}, err
	}
	_, configured := h.Config.Notifications[d.Notification]
	switch _, silent := off[d.Notification]; {
	case !configured:
		return Delivery{}, Errorf(Conflict, "the notification is no longer configured")
	case silent:
		return Delivery{}, Errorf(Conflict, "the notification is turned off").WithHint("a test that it takes turns it on again")
	}
	err = h.Store.RetryDelivery(ctx, id)
	if errors.Is(err, store.ErrDelivered) {
		return Delivery{}, Errorf(Conflict, "the message has arrived already")
	}
	if err != nil {
		return Delivery{}, err
	}
	d, err = h.Store.Delivery(ctx, id)
	return deliveryOf(d), err
}
