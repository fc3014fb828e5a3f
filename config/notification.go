package config

import (
	"slices"

	"musterline.example/notify"
	"musterline.example/setting"
)

// A NotificationConfig is one destination that is told of what happens.
type NotificationConfig struct {
	Kind    string
	Values  setting.Values // the kind's own: checked
	Line    int
	Events  []notify.Type // all when nothing is said
	Targets []string      // empty: all
}

// notificationKindField is kindField for notifications, which are webhooks unless they say otherwise.
var notificationKindField = setting.Field{
	Key: "kind", Type: setting.Choice, Choices: notificationKinds(), Default: notificationKinds()[0], Help: "Who is told: a webhook, or a channel of Slack.",
}

func notificationKinds() []string {
	var names []string
	for _, k := range NotificationKinds() {
		names = append(names, k.Name)
	}
	return names
}

// notificationFields are what every notification takes, whatever its kind.
var notificationFields = []setting.Field{
	{
		Key: "events", Label: "Events", Type: setting.List, Example: "[objection, run_failed]",
		Help: "What it is told of: objection, run_failed, run_recovered, source_failed, source_recovered; all when not set.",
	},
	{
		Key: "targets", Label: "Organizations", Type: setting.List, Example: "[octo]",
		Help: "The targets that it is told of, and the sources that these show; all when not set.",
	},
}

// NotificationKinds are the sorts of notifications, for who makes forms of them.
func NotificationKinds() []notify.Kind { return notify.Kinds() }

// NotificationFields are the settings of a kind of notification with those that every one takes; none for a kind that there is not.
func NotificationFields(kind string) []setting.Field {
	k, known := notify.KindOf(kind)
	if !known {
		return nil
	}
	return slices.Concat(k.Settings, notificationFields)
}

// notifications reads who is told. It is read after the targets, which it refers to.
func (l *loader) notifications(top *section) {
	for _, f := range top.entries("notifications") {
		path := "notifications." + f.Key
		if !properName(f.Key) {
			l.report.Addf(f.Line, f.Column, "a notification's name is made of letters, digits, -, _ and ., and begins with a letter or digit")
		}
		name := notificationKinds()[0]
		if f.Value.Get(kindField.Key) != nil {
			var known bool
			if name, known = l.kind(path, f.Value, notificationKinds()); !known {
				continue
			}
		}
		kind, _ := notify.KindOf(name)
		s := l.section(path, f.Value, append([]setting.Field{notificationKindField}, NotificationFields(name)...))
		s.problems(kind.Check(s.values))
		n := NotificationConfig{Kind: name, Values: s.values, Line: f.Line, Events: l.events(s), Targets: s.values.List("targets")}
		for _, it := range s.items("targets") {
			if _, known := l.config.Targets[it.text]; !known {
				l.report.At(it.node, "%s: there is no target %q%s", s.name("targets"), it.node.Text, setting.DidYouMean(it.text, l.targetNames()))
			}
		}
		for _, key := range []string{"kind", "events", "targets"} {
			delete(s.values, key)
		}
		if l.config.Notifications == nil {
			l.config.Notifications = make(map[string]NotificationConfig)
		}
		l.config.Notifications[f.Key] = n
	}
}

// events reads what a notification is told of.
func (l *loader) events(s *section) []notify.Type {
	var all []notify.Type
	if s.node.Get("events") != nil && len(s.values.List("events")) == 0 && !s.bad["events"] {
		s.says("events", "is empty: name what it is told of, or leave the key out to tell it of everything")
	}
	names := notify.TypeNames()
	for _, it := range s.items("events") {
		if !slices.Contains(names, it.text) {
			l.report.At(it.node, "%s: there is no event %q%s", s.name("events"), it.node.Text, setting.DidYouMean(it.text, names))
			continue
		}
		all = append(all, notify.Type(it.text))
	}
	if s.node.Get("events") != nil {
		return all
	}
	for _, t := range notify.Types {
		all = append(all, t.Type)
	}
	return all
}
