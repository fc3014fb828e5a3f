package job

import (
	"context"
	"time"

	"musterline.example/apply"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/target"
)

// often is how often the progress of a run is written.
const often = 500 * time.Millisecond

// A progress tells a page how far a run is.
type progress struct {
	*Jobs

	run     string
	is      store.Progress
	before  int       // writes of earlier slices
	writing time.Time // since when this slice writes
	wrote   int
	saved   time.Time
}

// follow goes on with the progress of a run.
func (j *Jobs) follow(r reconcile.Run) *progress {
	p := &progress{Jobs: j, run: r.ID}
	p.is.Done, p.is.Failed = r.Tally.Done+r.Tally.Already, r.Tally.Failed+r.Tally.Unknown
	p.before = p.is.Done + p.is.Failed
	p.is.Planned = p.before
	return p
}

func (p *progress) phase(now reconcile.Phase) {
	p.is.Phase = now
	if now == reconcile.Writing {
		p.writing = p.Now()
	}
	p.soon()
}

func (p *progress) planned(n int) {
	p.is.Planned = p.before + n
	p.soon()
}

func (p *progress) write(w apply.Written) {
	switch w.Outcome.Result {
	case target.Done, target.Already, target.Pending:
		p.is.Done++
	case target.Failed:
		p.is.Failed++
	}
	p.wrote++
	now := p.Now()
	if left := p.is.Planned - p.before - p.wrote; left > 0 {
		p.is.EndsAt = now.Add(now.Sub(p.writing) / time.Duration(p.wrote) * time.Duration(left))
	} else {
		p.is.EndsAt = time.Time{}
	}
	p.soon()
}

// soon writes the progress unless that was done a moment ago.
func (p *progress) soon() {
	if time.Since(p.saved) >= often {
		ctx, cancel := context.WithTimeout(p.life, 10*time.Second)
		defer cancel()
		p.save(ctx)
	}
}

// save writes the progress. What is lost of it costs no more than a picture.
func (p *progress) save(ctx context.Context) {
	p.saved = time.Now()
	p.is.At = p.Now()
	if err := p.Store.SaveProgress(ctx, p.run, p.is); err != nil && ctx.Err() == nil {
		p.Log.WarnContext(ctx, "the progress of a run was not written", "run", p.run, "error", err)
	}
}

// waits says for what the run waits, and until when.
func (p *progress) waits(ctx context.Context, why string, until time.Time) {
	p.is.WaitsFor, p.is.WaitsUntil, p.is.EndsAt = why, until, time.Time{}
	p.save(ctx)
}
