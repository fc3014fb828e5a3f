package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/internal/telemetry"
	"musterline.example/job"
	"musterline.example/notify"
	"musterline.example/reconcile"
	"musterline.example/target"
)

// How long a server that is told to stop waits: for requests to be answered, and then for those to end that it has broken off; for the write in
// hand of every sync and act, to which apply gives 15 seconds, and for what is written down of it; for the last figures to be taken. It is
// less than the 30 seconds after which Kubernetes kills.
const (
	lastAnswers = 3 * time.Second
	lastWords   = time.Second
	lastWrites  = 20 * time.Second
	lastFigures = 3 * time.Second
)

func (c *cli) serveCommand() *cobra.Command {
	var listen string
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: syncs on a schedule, and the APIs",
		Long: `Runs until it is told to stop (Ctrl-C or SIGTERM): sources are read and targets
synced on schedule.every and whenever somebody asks, and GitHub's Team
Synchronization API and our own are served at server.listen.

Told to stop, it finishes the write in hand and leaves the rest to the next
start or to another server. While it runs it holds the database; commands that
write ask it with --server URL, and with a token that musterline token create
made before the start.

/healthz says that it lives, /readyz that it can work, /metrics how it fares.`,
		Example: `  musterline serve
  musterline serve --listen 127.0.0.1:9000
  musterline --server http://127.0.0.1:8080 --token "$TOKEN" status`,
		Args: arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			return c.serve(command.Context(), listen)
		},
	}
	command.Flags().StringVar(&listen, "listen", "", "listen on this `address` in place of server.listen")
	return command
}

// serve runs the server until ctx ends.
func (c *cli) serve(ctx context.Context, listen string) (err error) {
	began := c.now()
	figures, err := telemetry.New(ctx, version, c.env)
	if err != nil {
		return err
	}
	log := c.serverLog()
	h, err := c.houseWith(answer.Options{
		Now: c.now, Log: log, Say: func(text string) { log.Info(text) }, Meter: func(name string) target.Meter { return figures.Target(name) },
	})
	if err != nil {
		return err
	}
	if err := h.Share(ctx, "musterline serve"); err != nil {
		return err
	}
	defer h.Close()
	now := answer.NewCurrent(h)
	jobs, err := job.New(ctx, job.Options{
		Store: h.Store, Every: h.Config.Schedule.Every, Observer: observer{figures}, Log: log, Now: c.now,
		Deps: func(lane string) (reconcile.Deps, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			return everything(ctx, now, lane)
		},
		Notify: func() ([]notify.To, []string, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			h, err := now.House(ctx)
			if err != nil {
				return nil, nil, err
			}
			all, configured := h.Notify()
			return all, configured, nil
		},
	})
	if err != nil {
		return err
	}
	s := &server{now: now, jobs: jobs, figures: figures, log: log, clock: c.now, config: h.Config.Server, store: h.Store}
	s.asking, s.hangUp = context.WithCancelCause(context.WithoutCancel(ctx))
	defer s.hangUp(nil)
	if listen != "" {
		s.config.Listen = listen
	}
	if err := errors.Join(s.open(ctx), s.gauges()); err != nil {
		return err
	}
	doors, err := s.listen(ctx)
	if err != nil {
		return err
	}
	if err := jobs.Start(ctx); err != nil {
		return err
	}
	log.Info("serving", "at", doors[0].address, "version", version, "took", c.now().Sub(began))
	return s.run(ctx, doors)
}

// everything is what jobs work with: all sources, and all targets in a lane that can be opened.
func everything(ctx context.Context, now *answer.Current, lane string) (reconcile.Deps, error) {
	h, err := now.House(ctx)
	if err != nil {
		return reconcile.Deps{}, err
	}
	return h.AllDeps(ctx, lane)
}

// serverLog writes for machines, unless a person looks on.
func (c *cli) serverLog() *slog.Logger {
	level := slog.LevelInfo
	if c.verbose {
		level = slog.LevelDebug
	}
	if c.screen().Live {
		return slog.New(slog.NewTextHandler(c.stderr, logOptions(level)))
	}
	return slog.New(slog.NewJSONHandler(c.stderr, logOptions(level)))
}

// A door is one address that is listened on.
type door struct {
	address  string // for people
	listener net.Listener
	http     *http.Server
}

// listen opens the doors: the server's own first, and that of the figures when it has one of its own.
func (s *server) listen(ctx context.Context) ([]*door, error) {
	certificate, err := certificates(s.config.CertFile, s.config.CertKeyFile)
	if err != nil {
		return nil, err
	}
	own, err := s.door(ctx, s.config.Listen, certificate, s)
	if err != nil {
		return nil, err
	}
	if s.config.MetricsListen == "" {
		return []*door{own}, nil
	}
	figures, err := s.door(ctx, s.config.MetricsListen, certificate, http.HandlerFunc(s.metrics))
	if err != nil {
		return nil, errors.Join(err, own.listener.Close())
	}
	return []*door{own, figures}, nil
}

func (s *server) door(ctx context.Context, address string, secure *tls.Config, h http.Handler) (*door, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, answer.Errorf(answer.Failed, "listen on %s: %w", address, err).
			WithHint("another program may have the port: name a free one with server.listen or --listen")
	}
	d := &door{address: "http://" + listener.Addr().String(), listener: listener}
	if secure != nil {
		d.address, d.listener = "https://"+listener.Addr().String(), tls.NewListener(listener, secure)
	}
	d.http = &http.Server{
		BaseContext: func(net.Listener) context.Context { return s.asking },
		Handler:     h, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		// What sends or takes longer, such as an export, says so by itself.
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
	}
	return d, nil
}

// run answers until ctx ends, and then ends what is under way in good order.
func (s *server) run(ctx context.Context, doors []*door) error {
	failed := make(chan error, len(doors))
	for _, d := range doors {
		go func() { failed <- d.http.Serve(d.listener) }()
	}
	var cause error
	select {
	case <-ctx.Done():
		s.log.Info("stopping", "after", "the writes in hand")
	case err := <-failed:
		cause = fmt.Errorf("serve: %w", err)
	}
	over := context.WithoutCancel(ctx)
	writes, cancel := context.WithTimeout(over, lastWrites)
	defer cancel()
	acts, jobs := make(chan error, 1), make(chan error, 1)
	go func() { acts <- s.native.Stop(writes) }()
	go func() { jobs <- s.jobs.Stop(writes) }()
	err := errors.Join(cause, s.shut(doors, acts), <-jobs)
	figures, cancel := context.WithTimeout(over, lastFigures)
	defer cancel()
	if err := s.figures.Shut(figures); err != nil {
		s.log.Warn("the last figures were not sent", "error", err)
	}
	s.log.Info("stopped")
	return err
}

// shut closes the doors: nobody comes in any more, and who is in has a while to be answered. Who follows an act hears its end.
func (s *server) shut(doors []*door, acts <-chan error) error {
	closing, stop := context.WithCancel(context.Background())
	defer stop()
	empty := make(chan struct{})
	go func() {
		defer close(empty)
		for _, d := range doors {
			_ = d.http.Shutdown(closing) // it ends when we stop waiting
		}
	}()
	wait := func(d time.Duration) bool {
		select {
		case <-empty:
			return true
		case <-time.After(d):
			return false
		}
	}
	gone := wait(lastAnswers)
	err := <-acts
	if gone || wait(0) {
		return err
	}
	s.hangUp(answer.Errorf(answer.Unavailable, "the server stops").WithHint("ask again in a moment"))
	if !wait(lastWords) {
		for _, d := range doors {
			_ = d.http.Close() // they have had their time
		}
	}
	return err
}
