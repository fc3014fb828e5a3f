package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"musterline.example/audit"
	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
	"musterline.example/target"
)

// Begin opens a run, or returns the one that an earlier slice left open, and takes the requests that are due into it: all of them while it
// has read nothing, then those for teams or an account. The teams that its requests name come first. With no trigger given, the run is that
// of the first person who asks, else of the first event. Runs are numbered, so that people can name them.
func (s *Store) Begin(ctx context.Context, r reconcile.Run) (run reconcile.Run, err error) {
	if r.StartedAt.IsZero() {
		r.StartedAt = s.now()
	}
	err = s.write(ctx, "begin run", func(t *tx) error {
		open, err := t.GetOpenRun(ctx, r.Target)
		if errors.Is(err, sql.ErrNoRows) {
			open, err = t.openRun(ctx, r)
		}
		if err != nil {
			return err
		}
		read, err := t.HasRead(ctx, open.ID)
		if err != nil {
			return err
		}
		taken, err := t.TakeRequests(ctx, db.TakeRequestsParams{Run: open.ID, Target: r.Target, Now: micros(s.now()), Wide: 1 - read})
		if err != nil {
			return err
		}
		run = runOf(open)
		if run.Requests, err = requestsOf(ctx, t.Queries, r.Target, open.ID); err != nil {
			return err
		}
		run.First = slices.Clone(r.First)
		for _, q := range run.Requests {
			if slices.Contains(taken, q.ID) {
				run.Taken = append(run.Taken, q)
			}
			for _, id := range q.Teams {
				if !slices.Contains(run.First, id) {
					run.First = append(run.First, id)
				}
			}
		}
		p, err := t.GetProgress(ctx, open.ID)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		run.AliveAt = moment(max(p.At, p.WaitsUntil))
		return err
	})
	return run, err
}

// foremost puts the trigger and the requester of the request first in rank into a run that has none.
func foremost(r *reconcile.Run, waiting []reconcile.Request) {
	if r.Trigger != "" {
		return
	}
	rank := map[string]int{reconcile.ByPerson: 3, reconcile.ByEvent: 2, reconcile.BySchedule: 1}
	for _, q := range waiting {
		if rank[q.Trigger] > rank[r.Trigger] {
			r.Trigger, r.Requester = q.Trigger, q.Asker
		}
	}
	if r.Trigger == "" {
		r.Trigger = reconcile.BySchedule
	}
}

// openRun opens a run, or returns the one that another server opened at the same moment.
func (t *tx) openRun(ctx context.Context, r reconcile.Run) (db.GetOpenRunRow, error) {
	waiting, err := requestsOf(ctx, t.Queries, r.Target, "")
	if err != nil {
		return db.GetOpenRunRow{}, err
	}
	foremost(&r, slices.DeleteFunc(waiting, func(q reconcile.Request) bool { return q.DueAt.After(t.s.now()) }))
	number, err := t.number(ctx, "run")
	if err != nil {
		return db.GetOpenRunRow{}, err
	}
	if r.ID == "" {
		r.ID = strconv.FormatInt(number, 10)
	}
	if _, err := t.OpenRun(ctx, db.OpenRunParams{
		ID: r.ID, Number: number, Target: r.Target, Cause: r.Trigger, Requester: r.Requester, Credential: r.Credential, Undoes: r.Undoes,
		StartedAt: micros(r.StartedAt),
	}); err != nil {
		return db.GetOpenRunRow{}, err
	}
	return t.GetOpenRun(ctx, r.Target)
}

func runOf(r db.GetOpenRunRow) reconcile.Run {
	return reconcile.Run{
		ID: r.ID, Target: r.Target, Trigger: r.Cause, Requester: r.Requester, Credential: r.Credential, StartedAt: moment(r.StartedAt),
		Undoes: r.Undoes, Cancelled: r.CancelledBy,
	}
}

// A reportBody is a report as it is stored: reports are kept for good, so their words do not follow the names of Go.
type reportBody struct {
	Run      string      `json:"run"`
	State    string      `json:"state"`
	Summary  summaryBody `json:"summary"`
	Done     int         `json:"done"`
	Already  int         `json:"already"`
	Failed   int         `json:"failed"`
	Skipped  int         `json:"skipped"`
	Unknown  int         `json:"unknown"`
	Objected int         `json:"objected"`
	Unread   []string    `json:"unread,omitempty"`
	Error    string      `json:"error,omitempty"`
	At       time.Time   `json:"at"`
}

// A summaryBody is the summary of a plan as it is stored.
type summaryBody struct {
	Teams  int `json:"teams"`
	Create int `json:"create"`
	Add    int `json:"add"`
	Update int `json:"update"`
	Remove int `json:"remove"`
	Held   int `json:"held"`
	People int `json:"people"`
}

func bodyOfReport(r reconcile.Report) reportBody {
	return reportBody{
		Run: r.Run, State: r.State, Summary: summaryBody(r.Summary), Done: r.Done, Already: r.Already, Failed: r.Failed, Skipped: r.Skipped,
		Unknown: r.Unknown, Objected: r.Objected, Unread: r.Unread, Error: r.Error, At: r.At,
	}
}

func (b reportBody) report() reconcile.Report {
	return reconcile.Report{
		Run: b.Run, State: b.State, Summary: plan.Summary(b.Summary), Done: b.Done, Already: b.Already, Failed: b.Failed, Skipped: b.Skipped,
		Unknown: b.Unknown, Objected: b.Objected, Unread: b.Unread, Error: b.Error, At: b.At,
	}
}

// Finish closes a run with its report and forgets what it has read.
func (s *Store) Finish(ctx context.Context, run string, r reconcile.Report) error {
	if r.At.IsZero() {
		r.At = s.now()
	}
	report, err := encode(bodyOfReport(r))
	if err != nil {
		return fmt.Errorf("finish run %s: %w", run, err)
	}
	return s.write(ctx, "finish run "+run, func(t *tx) error {
		n, err := t.FinishRun(ctx, db.FinishRunParams{ID: run, FinishedAt: micros(r.At), State: r.State, Report: report})
		if err == nil && n == 0 {
			err = fmt.Errorf("open run: %w", ErrNotFound)
		}
		return err
	})
}

// CountCalls adds to what a run has asked of its target.
func (s *Store) CountCalls(ctx context.Context, run string, c target.Calls) error {
	return s.write(ctx, "count the calls of run "+run, func(t *tx) error {
		return t.CountCalls(ctx, db.CountCallsParams{ID: run, Calls: int64(c.Made), Cost: int64(c.Cost)})
	})
}

// SaveRunReading keeps what a run has read, for its next slice.
func (s *Store) SaveRunReading(ctx context.Context, run string, r *reconcile.Reading) error {
	packed, err := pack(r)
	if err != nil {
		return fmt.Errorf("save what run %s has read: %w", run, err)
	}
	if err := s.write(ctx, "save what run "+run+" has read", func(t *tx) error {
		n, err := t.PutRunReading(ctx, db.PutRunReadingParams{ID: run, Reading: packed})
		if err == nil && n == 0 {
			err = fmt.Errorf("open run: %w", ErrNotFound)
		}
		return err
	}); err != nil {
		return err
	}
	return s.placeRun(ctx, run, r.Place)
}

// RunReading returns what an earlier slice of a run has read, nil when there is none.
func (s *Store) RunReading(ctx context.Context, run string) (*reconcile.Reading, error) {
	packed, err := s.queries.GetRunReading(ctx, run)
	if errors.Is(err, sql.ErrNoRows) || err == nil && packed == nil {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what run %s has read: %w", run, err)
	}
	r := &reconcile.Reading{}
	if err := unpack(packed, r); err != nil {
		return nil, fmt.Errorf("read what run %s has read: %w", run, err)
	}
	return r, nil
}

// KeepReading keeps what a run has read of its target, for a run that comes soon.
func (s *Store) KeepReading(ctx context.Context, target string, r *reconcile.Reading) error {
	packed, err := pack(r)
	if err != nil {
		return fmt.Errorf("keep what was read of target %s: %w", target, err)
	}
	return s.write(ctx, "keep what was read of target "+target, func(t *tx) error {
		return t.PutReading(ctx, db.PutReadingParams{Target: target, At: micros(r.AccountsAt), Body: packed})
	})
}

// KeptReading returns what the last finished run of a target has read of it; nil when there is nothing, or its accounts were read before
// since.
func (s *Store) KeptReading(ctx context.Context, target string, since time.Time) (*reconcile.Reading, error) {
	at, err := s.queries.GetReadingAt(ctx, target)
	if errors.Is(err, sql.ErrNoRows) || err == nil && at < micros(since) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was read of target %s: %w", target, err)
	}
	row, err := s.queries.GetReading(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("read what was read of target %s: %w", target, err)
	}
	r := &reconcile.Reading{}
	if err := unpack(row.Body, r); err != nil {
		return nil, fmt.Errorf("read what was read of target %s: %w", target, err)
	}
	return r, nil
}

// KindCancel is the audit entry of a run that somebody cancelled.
const KindCancel Kind = "cancel"

// CancelRun ends an open run after the write in hand. It reports whether there was one to cancel; one that is cancelled already is.
func (s *Store) CancelRun(ctx context.Context, run, by string) (was bool, err error) {
	row, err := s.run(ctx, run)
	if err != nil || row.FinishedAt != 0 {
		return false, err
	}
	err = s.write(ctx, "cancel run "+run, func(t *tx) error {
		n, err := t.CancelRun(ctx, db.CancelRunParams{ID: run, CancelledBy: by})
		if err != nil || n == 0 {
			return err
		}
		was = true
		if _, err := t.record(ctx, note{
			kind: KindCancel, run: run, target: row.Target, actor: audit.Actor{Trigger: reconcile.ByPerson, Requester: by}, body: map[string]string{},
		}); err != nil {
			return err
		}
		if t.s.asked == nil {
			return nil
		}
		// Where it waits it has to be woken.
		return t.s.asked(ctx, t.own, []reconcile.Request{{Target: row.Target, Trigger: reconcile.ByPerson, Asker: by}})
	})
	return was, err
}

// Signs are what a run under way looks at between two writes.
type Signs struct {
	Cancelled string // by whom
	Finished  bool
	Pause     reconcile.Pause
	Waiting   int // requests of persons and events for teams or an account
}

// Signs returns the signs of a run.
func (s *Store) Signs(ctx context.Context, run string) (Signs, error) {
	return signsOf(ctx, s.queries, run, s.now())
}

func signsOf(ctx context.Context, q *db.Queries, run string, now time.Time) (Signs, error) {
	row, err := q.GetSigns(ctx, db.GetSignsParams{ID: run, Now: micros(now)})
	if err != nil {
		return Signs{}, fmt.Errorf("look at the signs of run %s: %w", run, err)
	}
	return Signs{
		Cancelled: row.CancelledBy, Finished: row.FinishedAt != 0, Waiting: int(row.Waiting),
		Pause: reconcile.Pause{By: row.PausedBy, Reason: row.PauseReason, At: moment(row.PausedAt)},
	}, nil
}

// A Progress is how far a run is.
type Progress struct {
	Phase                 reconcile.Phase
	Planned, Done, Failed int       // writes, in all slices so far
	EndsAt                time.Time // an estimate; zero where there is none
	WaitsFor              string
	WaitsUntil            time.Time
	At                    time.Time // the last sign of life
}

// SaveProgress replaces the progress of a run.
func (s *Store) SaveProgress(ctx context.Context, run string, p Progress) error {
	if p.At.IsZero() {
		p.At = s.now()
	}
	return s.write(ctx, "save the progress of run "+run, func(t *tx) error {
		return t.PutProgress(ctx, db.PutProgressParams{
			Run: run, Phase: string(p.Phase), Planned: int64(p.Planned), Done: int64(p.Done), Failed: int64(p.Failed), EndsAt: micros(p.EndsAt),
			WaitsFor: p.WaitsFor, WaitsUntil: micros(p.WaitsUntil), At: micros(p.At),
		})
	})
}

// Progress returns how far a run is; the zero value for one that nobody follows.
func (s *Store) Progress(ctx context.Context, run string) (Progress, error) {
	p, err := s.queries.GetProgress(ctx, run)
	if errors.Is(err, sql.ErrNoRows) {
		return Progress{}, nil
	}
	if err != nil {
		return Progress{}, fmt.Errorf("read the progress of run %s: %w", run, err)
	}
	return Progress{
		Phase: reconcile.Phase(p.Phase), Planned: int(p.Planned), Done: int(p.Done), Failed: int(p.Failed), EndsAt: moment(p.EndsAt),
		WaitsFor: p.WaitsFor, WaitsUntil: moment(p.WaitsUntil), At: moment(p.At),
	}, nil
}

// OpenRun returns the open run of a target; ErrNotFound when there is none.
func (s *Store) OpenRun(ctx context.Context, target string) (reconcile.Run, error) {
	return openRunOf(ctx, s.queries, target)
}

func openRunOf(ctx context.Context, q *db.Queries, target string) (reconcile.Run, error) {
	row, err := q.GetOpenRun(ctx, target)
	if errors.Is(err, sql.ErrNoRows) {
		return reconcile.Run{}, fmt.Errorf("open run of target %s: %w", target, ErrNotFound)
	}
	if err != nil {
		return reconcile.Run{}, fmt.Errorf("read the open run of target %s: %w", target, err)
	}
	return runOf(row), nil
}

// A Run is a run with how it ended.
type Run struct {
	reconcile.Run
	FinishedAt time.Time // zero while it is open
	Report     reconcile.Report
	Calls      target.Calls // in all slices so far
}

// Runs lists the runs of a target, or of all with no target given, the newest first: at most limit (20 when 0), and only older ones than
// the run before, if that is given.
func (s *Store) Runs(ctx context.Context, target, before string, limit int) ([]Run, error) {
	older := int64(math.MaxInt64)
	if before != "" {
		r, err := s.run(ctx, before)
		if err != nil {
			return nil, err
		}
		older = r.Number
	}
	if limit == 0 {
		limit = 20
	}
	var (
		rows []db.GetOpenRunRow
		err  error
	)
	if target == "" {
		var all []db.ListAllRunsRow
		all, err = s.queries.ListAllRuns(ctx, db.ListAllRunsParams{Before: older, N: int32(limit)})
		for _, r := range all {
			rows = append(rows, db.GetOpenRunRow(r))
		}
	} else {
		var of []db.ListRunsRow
		of, err = s.queries.ListRuns(ctx, db.ListRunsParams{Target: target, Before: older, N: int32(limit)})
		for _, r := range of {
			rows = append(rows, db.GetOpenRunRow(r))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	var runs []Run
	for _, row := range rows {
		r, err := endedRun(row)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// Run returns one run; ErrNotFound when there is none of that id. Its writes are Writes.
func (s *Store) Run(ctx context.Context, id string) (Run, error) {
	row, err := s.run(ctx, id)
	if err != nil {
		return Run{}, err
	}
	return endedRun(db.GetOpenRunRow(row))
}

func (s *Store) run(ctx context.Context, id string) (db.GetRunRow, error) {
	row, err := s.queries.GetRun(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return row, fmt.Errorf("run %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return row, fmt.Errorf("read run %s: %w", id, err)
	}
	return row, nil
}

func endedRun(row db.GetOpenRunRow) (Run, error) {
	r := Run{Run: runOf(row), FinishedAt: moment(row.FinishedAt), Calls: target.Calls{Made: int(row.Calls), Cost: int(row.Cost)}}
	if row.Report != "" {
		var body reportBody
		if err := json.Unmarshal([]byte(row.Report), &body); err != nil {
			return r, fmt.Errorf("read run %s: %w", row.ID, err)
		}
		r.Report = body.report()
	}
	return r, nil
}
