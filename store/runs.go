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

	"musterline.example/plan"
	"musterline.example/reconcile"
	"musterline.example/store/internal/db"
)

// Begin opens a run, or returns the one that an earlier slice left open, and takes the waiting requests into it. The teams that its
// requests name come first. Runs are numbered, so that people can name them.
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
		if err := t.TakeRequests(ctx, db.TakeRequestsParams{Run: open.ID, Target: r.Target}); err != nil {
			return err
		}
		requests, err := requestsOf(ctx, t.Queries, r.Target, open.ID)
		if err != nil {
			return err
		}
		run = runOf(open)
		run.First = slices.Clone(r.First)
		for _, q := range requests {
			for _, id := range q.Teams {
				if !slices.Contains(run.First, id) {
					run.First = append(run.First, id)
				}
			}
		}
		return nil
	})
	return run, err
}

// openRun opens a run, or returns the one that another server opened at the same moment.
func (t *tx) openRun(ctx context.Context, r reconcile.Run) (db.GetOpenRunRow, error) {
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
		Undoes: r.Undoes,
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

// A Run is a run with how it ended.
type Run struct {
	reconcile.Run
	FinishedAt time.Time // zero while it is open
	Report     reconcile.Report
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
	r := Run{Run: runOf(row), FinishedAt: moment(row.FinishedAt)}
	if row.Report != "" {
		var body reportBody
		if err := json.Unmarshal([]byte(row.Report), &body); err != nil {
			return r, fmt.Errorf("read run %s: %w", row.ID, err)
		}
		r.Report = body.report()
	}
	return r, nil
}
