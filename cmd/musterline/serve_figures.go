package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"musterline.example/internal/telemetry"
	"musterline.example/reconcile"
	"musterline.example/store"
)

// An observer tells the figures what the jobs have done.
type observer struct{ figures *telemetry.Telemetry }

// RunEnded implements job.Observer.
func (o observer) RunEnded(run reconcile.Run, r reconcile.Report) {
	o.figures.Ran(run.Target, r.State, r.At.Sub(run.StartedAt))
	_, span := o.figures.Tracer().Start(context.Background(), "sync", trace.WithTimestamp(run.StartedAt), trace.WithAttributes(
		attribute.String("target", run.Target), attribute.String("run", run.ID), attribute.String("trigger", run.Trigger),
		attribute.String("state", r.State), attribute.Int("done", r.Done), attribute.Int("failed", r.Failed), attribute.Int("objected", r.Objected),
	))
	if r.State == "failed" {
		span.SetStatus(codes.Error, "failed") // why stands in the run: it may name people
	}
	span.End(trace.WithTimestamp(r.At))
}

// Notified implements job.Observer.
func (o observer) Notified(notification string, delivered bool) {
	o.figures.Notified(notification, delivered)
}

// SourceRead implements job.Observer.
func (o observer) SourceRead(source string, took time.Duration, err error) {
	o.figures.Read(source, took, err)
	now := time.Now()
	_, span := o.figures.Tracer().Start(context.Background(), "read", trace.WithTimestamp(now.Add(-took)), trace.WithAttributes(attribute.String("source", source)))
	if err != nil {
		span.SetStatus(codes.Error, "failed")
	}
	span.End(trace.WithTimestamp(now))
}

// gauges shows what stands in the database whenever somebody asks for the figures.
func (s *server) gauges() error {
	plans := &lately{look: s.planned}
	look := func(what string, f func(context.Context) ([]telemetry.Figure, error)) func(context.Context) []telemetry.Figure {
		return func(ctx context.Context) []telemetry.Figure {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			figures, err := f(ctx)
			if err != nil {
				s.log.WarnContext(ctx, "figures are missing", "of", what, "error", err)
			}
			return figures
		}
	}
	return errors.Join(
		s.figures.Gauge("musterline.source.age", "s", "Time since the last complete read of a source.", look("sources", s.ages)),
		s.figures.Gauge("musterline.queue.waiting", "{request}", "Requests for a sync that are due and that no run has taken.", look("the queue", s.waiting)),
		s.figures.Gauge("musterline.queue.oldest", "s", "How long the oldest of them has waited.", look("the queue", s.oldest)),
		s.figures.Gauge("musterline.held", "{person}", "People who should be in a team and cannot be yet, by reason, as the last plan has it.",
			look("plans", func(ctx context.Context) ([]telemetry.Figure, error) { p, err := plans.get(ctx); return p.held, err })),
		s.figures.Gauge("musterline.objections", "{change}", "Changes that guards hold back, by guard, as the last plan has it.",
			look("plans", func(ctx context.Context) ([]telemetry.Figure, error) {
				p, err := plans.get(ctx)
				return p.objections, err
			})),
		s.figures.Gauge("musterline.paused", "", "1 for a target that is paused.", look("pauses", s.pauses)),
	)
}

func (s *server) ages(ctx context.Context) ([]telemetry.Figure, error) {
	states, err := s.store.Sources(ctx)
	var figures []telemetry.Figure
	for _, state := range states {
		if !state.ReadAt.IsZero() {
			figures = append(figures, telemetry.Figure{Value: s.clock().Sub(state.ReadAt).Seconds(), Labels: []string{"source", state.Name}})
		}
	}
	return figures, err
}

func (s *server) waiting(ctx context.Context) ([]telemetry.Figure, error) {
	stats, err := s.jobs.Stats(ctx)
	if err != nil {
		return nil, err
	}
	return []telemetry.Figure{{Value: float64(stats.Waiting)}}, nil
}

func (s *server) oldest(ctx context.Context) ([]telemetry.Figure, error) {
	stats, err := s.jobs.Stats(ctx)
	if err != nil {
		return nil, err
	}
	if stats.Oldest.IsZero() {
		return []telemetry.Figure{{}}, nil
	}
	return []telemetry.Figure{{Value: s.clock().Sub(stats.Oldest).Seconds()}}, nil
}

func (s *server) pauses(ctx context.Context) ([]telemetry.Figure, error) {
	var figures []telemetry.Figure
	names, err := s.targets(ctx)
	for _, name := range names {
		p, wrong := s.store.Paused(ctx, name)
		f := telemetry.Figure{Labels: []string{"target", name}}
		if p.By != "" {
			f.Value = 1
		}
		figures, err = append(figures, f), errors.Join(err, wrong)
	}
	return figures, err
}

func (s *server) targets(ctx context.Context) ([]string, error) {
	h, err := s.now.House(ctx)
	if err != nil {
		return nil, err
	}
	configured, err := h.Configured(ctx)
	return configured.TargetNames(), err
}

// inPlans are the figures of the last plans.
type inPlans struct{ held, objections []telemetry.Figure }

// planned counts what the last plan of each target says.
func (s *server) planned(ctx context.Context) (all inPlans, err error) {
	names, err := s.targets(ctx)
	for _, name := range names {
		last, wrong := s.store.LastPlan(ctx, name)
		if errors.Is(wrong, store.ErrNotFound) {
			continue
		}
		if wrong != nil {
			err = errors.Join(err, wrong)
			continue
		}
		people := make(map[string]map[string]bool) // by reason
		for _, h := range last.Plan.Held {
			if people[h.Reason] == nil {
				people[h.Reason] = make(map[string]bool)
			}
			people[h.Reason][h.User] = true
		}
		for reason, who := range people {
			all.held = append(all.held, telemetry.Figure{Value: float64(len(who)), Labels: []string{"target", name, "reason", reason}})
		}
		objections := make(map[string]int)
		for _, o := range last.Objections {
			objections[o.Guard] += len(o.Changes)
		}
		for guard, n := range objections {
			all.objections = append(all.objections, telemetry.Figure{Value: float64(n), Labels: []string{"target", name, "guard", guard}})
		}
	}
	return all, err
}

// lately keeps figures that cost something to look up for as long as two scrapes lie apart, usually.
type lately struct {
	look func(context.Context) (inPlans, error)

	mu    sync.Mutex
	at    time.Time
	found inPlans
}

func (l *lately) get(ctx context.Context) (inPlans, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.at) < 10*time.Second {
		return l.found, nil
	}
	found, err := l.look(ctx)
	if err == nil {
		l.found, l.at = found, time.Now()
	}
	return found, err
}
