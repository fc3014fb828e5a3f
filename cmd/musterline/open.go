package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/catalog"
	"musterline.example/config"
)

// A desk is whom a command asks, until close.
type desk struct {
	answer.Desk
	close func()
}

// look opens a desk for a command that never writes. There need be no database, and none is made.
func (c *cli) look(ctx context.Context) (desk, error) {
	return c.open(func(h *answer.House) error { return h.Look(ctx) })
}

// hold opens a desk for a command that writes, and takes the database's lock.
func (c *cli) hold(ctx context.Context, who string) (desk, error) {
	return c.open(func(h *answer.House) error { return h.Hold(ctx, "musterline "+who) })
}

func (c *cli) open(enter func(*answer.House) error) (desk, error) {
	if server, err := c.server(); err != nil || server != nil {
		return desk{server, func() {}}, err
	}
	h, err := c.house()
	if err == nil {
		err = enter(h)
	}
	switch {
	case err != nil:
		return desk{}, err
	case c.between != nil:
		return desk{c.between(h), h.Close}, nil
	}
	return desk{h, h.Close}, nil
}

// house reads the configuration for a command, and opens nothing yet.
func (c *cli) house() (*answer.House, error) {
	level := slog.LevelError
	if c.verbose {
		level = slog.LevelDebug
	}
	return c.houseWith(answer.Options{
		Now: c.now, Log: slog.New(slog.NewTextHandler(c.stderr, logOptions(level))),
		Say: func(text string) { fmt.Fprintln(c.stderr, text) },
	})
}

func (c *cli) houseWith(o answer.Options) (*answer.House, error) {
	cfg, err := config.Load(c.config, c.env, config.Kinds{Sources: catalog.Sources(), Targets: catalog.Targets()})
	if err != nil {
		if _, wrong := errors.AsType[config.Problems](err); wrong {
			return nil, answer.Errorf(answer.Failed, "the configuration is wrong:\n%w", err).WithHint("correct the file; nothing was read or changed")
		}
		if errors.Is(err, fs.ErrNotExist) {
			places := config.Places
			if c.config != "" {
				places = []string{c.config}
			}
			return nil, answer.Errorf(answer.Failed, "there is no configuration file: looked for %s", strings.Join(places, " and ")).
				WithHint("name it with --config FILE, see how it works with musterline demo, or begin with this musterline.yaml:\n\n" + config.Example)
		}
		return nil, err
	}
	return answer.New(cfg, o), nil
}

// logOptions make every log tell how long something took in the same way: in milliseconds, and with a name that says so.
func logOptions(level slog.Level) *slog.HandlerOptions {
	return &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() != slog.KindDuration {
			return a
		}
		return slog.Float64(a.Key+"_ms", float64(a.Value.Duration().Microseconds())/1000)
	}}
}

// targets checks the names on a command line; none means all.
func (d desk) targets(ctx context.Context, args []string) ([]string, error) {
	configured, err := d.Configured(ctx)
	if err != nil {
		return nil, err
	}
	return configured.Choose(args)
}

// completeTargets offers the targets of the configuration to the shell.
func (c *cli) completeTargets(command *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return c.complete(command, answer.Configured.TargetNames)
}

// completeSources offers its sources.
func (c *cli) completeSources(command *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return c.complete(command, answer.Configured.SourceNames)
}

func (c *cli) complete(command *cobra.Command, names func(answer.Configured) []string) ([]string, cobra.ShellCompDirective) {
	d, err := c.names()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	configured, err := d.Configured(command.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names(configured), cobra.ShellCompDirectiveNoFileComp
}

// names returns who knows the names of the configuration, without opening anything.
func (c *cli) names() (answer.Desk, error) {
	if server, err := c.server(); err != nil || server != nil {
		return server, err
	}
	return c.house()
}

// exists reports whether there is a file of that name.
func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
