package job

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/mapping"
	"musterline.example/reconcile"
	"musterline.example/store"
	"musterline.example/team"
)

func TestASourceIsReadOnceForAllTargets(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		other := l.gh.World().AddOrganization("other-org", "boss")
		other.AddMember("ada")
		design := other.AddTeam("design")
		l.deps.Targets["other"] = reconcile.Target{Target: l.openTarget("other", "other-org"), Kind: "github", Applies: guard.ApplyAuto, Settings: mapping.DefaultSettings}
		l.deps.File["other"] = []mapping.Mapping{{
			ID: "file:9", Origin: mapping.FromFile, Target: "other", Team: "design", Source: "corp", Group: "eng", Mode: mapping.Exclusive,
		}}
		l.idle()
		for _, target := range []string{"octo", "other"} {
			if _, err := l.store.AddRequest(context.Background(), reconcile.Request{Target: target, Trigger: reconcile.BySchedule}); err != nil {
				l.Fatal(err)
			}
		}
		l.start()
		l.until("both are done", func() bool { return members(platform) == "ada" && members(design) == "ada" })
		l.quiet()
		if n := l.corp.count(); n != 1 {
			l.Errorf("the source was read %d times", n)
		}
	})
}

func TestARunByPersonReadsAnewWhatWasReadBeforeTheyAsked(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada", "bob")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.start()
		l.ask(reconcile.BySchedule)
		l.quiet()
		l.corp.group("eng", "ada", "bob")
		l.ask(reconcile.BySchedule)
		l.quiet()
		l.holds(platform, "ada") // the schedule takes what is young enough
		l.ask(reconcile.ByPerson)
		l.quiet()
		l.holds(platform, "ada bob")
	})
}

func TestARequestForATeamUsesWhatIsStored(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.team("design")
		l.join("ada", "bob")
		l.corp.group("eng", "ada")
		l.corp.group("des", "bob")
		l.mapped("platform", "corp", "eng")
		l.mapped("design", "corp", "des")
		l.start()
		l.ask(reconcile.ByPerson)
		l.quiet()
		l.ask(reconcile.ByPerson) // now nothing was written since it was read
		l.quiet()
		l.gh.Reset()
		reads := l.corp.count()
		platform.Remove("ada")
		l.ask(reconcile.ByEvent, platform)
		l.quiet()
		l.holds(platform, "ada")
		if n := l.corp.count(); n != reads {
			l.Error("the source was read again")
		}
		if n := l.gh.Counts().Calls; n > 5 { // who we are, the team; the team and the account again; the write
			for _, c := range l.gh.Calls() {
				l.Log(c.Method, c.Path, c.Operation)
			}
			l.Errorf("%d calls for one team", n)
		}
	})
}

func TestAGroupThatWasNeverReadIsReadAtOnce(t *testing.T) {
	both(t, func(l *lab) {
		platform, design := l.team("platform"), l.team("design")
		l.join("ada", "bob", "cy")
		l.corp.group("eng", "ada")
		l.corp.group("des", "bob")
		l.mapped("platform", "corp", "eng")
		l.start()
		l.ask(reconcile.ByPerson)
		l.quiet()
		reads := l.corp.count()
		patch := func(tm team.ID, group string) {
			l.Helper()
			m := mapping.Mapping{Team: "design", Source: "corp", Group: group, GroupID: directory.GroupID(group), Mode: mapping.Exclusive}
			asks := reconcile.Request{Target: "octo", Teams: []team.ID{tm}, Trigger: reconcile.ByEvent, Asker: "terraform"}
			if _, err := l.store.MapTeam(context.Background(), "octo", tm, []mapping.Mapping{m}, mapping.Disconnect{By: "terraform"}, asks); err != nil {
				l.Fatal(err)
			}
			l.quiet()
		}
		patch(idOf(design), "des")
		l.holds(design, "bob")
		l.corp.group("new", "cy") // made at the provider since the last read
		patch(idOf(design), "new")
		l.until("the member of the new group is in", func() bool { return strings.Contains(members(design), "cy") })
		l.holds(platform, "ada")
		if n := l.corp.count(); n != reads+2 {
			l.Errorf("%d reads", n-reads)
		}
		s, err := l.store.Snapshot(context.Background(), "corp")
		if err != nil {
			l.Fatal(err)
		}
		if eng, des := s.Groups["eng"], s.Groups["des"]; !des.ReadAt.After(eng.ReadAt) || !s.TakenAt.Equal(eng.ReadAt) {
			l.Errorf("read at %v and %v of a snapshot of %v", eng.ReadAt, des.ReadAt, s.TakenAt)
		}
	})
}

func TestASourceThatCannotBeReadRemovesNobodyAndStopsNoOther(t *testing.T) {
	both(t, func(l *lab) {
		platform, design := l.team("platform", "ada", "bob"), l.team("design", "bob")
		l.join("cy")
		l.corp.group("eng", "ada", "bob")
		l.people.group("des", "bob")
		l.mapped("platform", "corp", "eng")
		l.mapped("design", "people", "des")
		l.start()
		l.ask(reconcile.ByPerson)
		l.quiet()
		l.corp.group("eng", "ada")
		l.people.group("des", "bob", "cy")
		l.corp.set(func() { l.corp.fail = errors.New("503 from the provider") })
		l.ask(reconcile.ByPerson)
		runs := l.quiet()
		l.holds(platform, "ada bob")
		l.holds(design, "bob cy")
		if u := runs[0].Report.Unread; len(u) != 1 || !strings.Contains(u[0], "503 from the provider") {
			l.Errorf("%+v", runs[0].Report)
		}
		known, err := l.store.Sources(context.Background())
		if err != nil || known[0].Failure == "" {
			l.Errorf("%+v, %v", known, err)
		}
		l.corp.set(func() { l.corp.fail = nil })
		l.ask(reconcile.ByPerson)
		l.quiet()
		l.holds(platform, "ada")
	})
}

func TestARunIsFollowedFromTheReadingOfItsSourcesOn(t *testing.T) {
	both(t, func(l *lab) {
		l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.corp.hold = make(chan struct{})
		l.start()
		l.ask(reconcile.ByPerson)
		l.until("the run waits for its source", func() bool {
			run, err := l.store.OpenRun(context.Background(), "octo")
			if err != nil {
				return false
			}
			p, err := l.store.Progress(context.Background(), run.ID)
			return err == nil && p.Phase == reconcile.ReadingSources && p.WaitsFor == "source corp to be read"
		})
		close(l.corp.hold)
		runs := l.quiet()
		var p store.Progress
		var err error
		l.until("its progress is told to the end", func() bool {
			p, err = l.store.Progress(context.Background(), runs[0].ID)
			return err == nil && p.Phase == reconcile.Writing && p.Planned == 1 && p.Done == 1 && p.WaitsFor == ""
		})
	})
}

func TestAReadOfASilentServerIsTakenOver(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.corp.hold = make(chan struct{})
		l.times.beat = time.Hour // this server is alive and does not say so
		l.start()
		l.ask(reconcile.ByPerson)
		l.until("the source is being read", func() bool { return l.corp.count() == 1 })
		l.times.beat = hasty.beat
		second := l.server(l.openSecond())
		if err := second.Start(context.Background()); err != nil {
			l.Fatal(err)
		}
		l.until("another reads it", func() bool { return l.corp.count() >= 2 })
		close(l.corp.hold)
		l.quiet()
		l.holds(platform, "ada")
		lease, err := l.store.Lease(context.Background(), leaseOf("corp"))
		if err != nil || lease.Epoch == 0 {
			l.Errorf("%+v, %v", lease, err)
		}
	})
}

// openSecond opens the database for another server; SQLite has one process, so there it is the same store.
func (l *lab) openSecond() *store.Store {
	l.Helper()
	if strings.HasPrefix(l.url, "sqlite:") {
		return l.store
	}
	return l.openStore()
}

func TestAStopHandsAReadBack(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform")
		l.join("ada")
		l.corp.group("eng", "ada")
		l.mapped("platform", "corp", "eng")
		l.corp.hold = make(chan struct{})
		l.start()
		l.ask(reconcile.ByPerson)
		l.until("the source is being read", func() bool { return l.corp.count() == 1 })
		l.stop(l.jobs)
		lease, err := l.store.Lease(context.Background(), leaseOf("corp"))
		if err != nil || lease.Holder != "" {
			l.Errorf("%+v, %v", lease, err)
		}
		if known, err := l.store.SourceRead(context.Background(), "corp"); err != nil || known.Failure != "" {
			l.Errorf("a read that was broken off is a failure: %+v, %v", known, err)
		}
		close(l.corp.hold)
		if err := l.server(l.store).Start(context.Background()); err != nil {
			l.Fatal(err)
		}
		l.quiet()
		l.holds(platform, "ada")
	})
}

func TestSourcesThatNobodyHasMappedYetAreListed(t *testing.T) {
	both(t, func(l *lab) {
		l.corp.group("eng", "ada")
		l.start()
		l.until("the group is known", func() bool {
			g, err := l.store.ListedGroup(context.Background(), "corp", "eng")
			return err == nil && g.Name == "eng"
		})
	})
}

func TestRequestsForATeamAreNotMoreReads(t *testing.T) {
	both(t, func(l *lab) {
		platform := l.team("platform", "ada", "bob")
		l.corp.group("eng", "ada", "bob")
		l.mapped("platform", "corp", "eng")
		l.set(func(tg *reconcile.Target) { tg.Settings.RemovalReads = 2 })
		l.start()
		l.ask(reconcile.ByPerson)
		l.quiet()
		l.corp.group("eng", "ada")
		l.ask(reconcile.ByPerson)
		l.quiet()
		for range 3 {
			l.ask(reconcile.ByEvent, platform)
			l.quiet()
		}
		l.holds(platform, "ada bob")
		l.ask(reconcile.ByPerson)
		l.quiet()
		l.holds(platform, "ada")
	})
}

// sql runs a statement on a lab's PostgreSQL, and scans the one value that it returns.
func (l *lab) sql(conn interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, statement string, value any,
) {
	l.Helper()
	if err := conn.QueryRow(context.Background(), statement).Scan(value); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		l.Fatal(statement, err)
	}
}

// connect opens a connection of a test's own to a lab's PostgreSQL.
func (l *lab) connect() *pgx.Conn {
	l.Helper()
	conn, err := pgx.Connect(context.Background(), l.url)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestARunThatEndsWhileItIsToBeWokenStopsNoRead(t *testing.T) {
	t.Parallel()
	l := newLab(t, postgres(t))
	ctx := context.Background()
	l.idle()
	run, err := l.store.Begin(ctx, reconcile.Run{Target: "octo", Trigger: reconcile.ByPerson, Requester: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.store.SaveProgress(ctx, run.ID, store.Progress{Phase: reconcile.ReadingSources, At: l.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	between, watching := l.connect(), l.connect()
	held, err := between.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.Exec(ctx, "LOCK TABLE targets IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	woken := make(chan error, 1)
	go func() {
		woken <- l.store.Turn(ctx, "wake who waits", func(u *store.Turn) error { return l.jobs.wakeWaiting(ctx, u) })
	}()
	l.until("the run was seen to wait", func() bool {
		var n int
		l.sql(watching, "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'targets'::regclass", &n)
		return n == 1
	})
	if _, err := held.Exec(ctx, "UPDATE runs SET finished_at = 1 WHERE id = $1", run.ID); err != nil {
		t.Fatal(err)
	}
	if err := held.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; err != nil {
		t.Error(err)
	}
}

func TestAReadThatCouldNotBeKeptIsReadAnewAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, postgres(t))
	platform := l.team("platform")
	l.join("ada")
	l.corp.group("eng", "ada")
	l.mapped("platform", "corp", "eng")
	l.times.silent = time.Hour // nobody takes over what somebody seems to be at
	conn := l.connect()
	for _, statement := range []string{
		`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no space left on device'; END $$`,
		`CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE OF body ON sources FOR EACH ROW WHEN (NEW.body IS NOT NULL) EXECUTE FUNCTION full_disk()`,
	} {
		l.sql(conn, statement, nil)
	}
	l.start()
	l.ask(reconcile.ByPerson)
	l.until("a read could not be kept", func() bool {
		var n int
		l.sql(conn, "SELECT COUNT(*) FROM river_job WHERE kind = 'read' AND array_length(errors, 1) > 0", &n)
		return n > 0
	})
	l.sql(conn, "DROP TRIGGER full_disk ON sources", nil)
	l.quiet()
	l.holds(platform, "ada")
}
