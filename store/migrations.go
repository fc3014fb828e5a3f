package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	gooselock "github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A dialect is the little that migrations must know of the database.
type dialect struct {
	goose  goose.Dialect
	guards []string // statements that forbid to change audit entries
}

// version is the newest version of the tables that this program knows.
const version = 7

// provider returns the migrations: the files, which are the same for both databases, and the triggers, which cannot be.
func provider(to *sql.DB, d dialect, log *slog.Logger) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(log),
		goose.WithGoMigrations(goose.NewGoMigration(4, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			for _, statement := range d.guards {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		}}, nil)),
	}
	if d.goose == goose.DialectPostgres {
		// Servers that start at once stand in line. SQLite's write transactions do so by themselves.
		locker, err := gooselock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(d.goose, to, files, options...)
}

// migrate brings the tables up to date.
func migrate(ctx context.Context, to *sql.DB, d dialect, log *slog.Logger) error {
	var now int64
	if err := to.QueryRowContext(ctx, newest).Scan(&now); err == nil {
		if now == version {
			return nil
		}
		if now > version {
			return newer(now)
		}
	}
	p, err := provider(to, d, log)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

const newest = "SELECT MAX(version_id) FROM goose_db_version"

// current reports whether the tables are those that this program knows, for a reader who must not bring them up to date.
func current(ctx context.Context, in *sql.DB) error {
	var now int64
	if err := in.QueryRowContext(ctx, newest).Scan(&now); err != nil {
		if pinged := in.PingContext(ctx); pinged != nil {
			return pinged
		}
		return fmt.Errorf("it is empty: %w", ErrNoDatabase)
	}
	switch {
	case now > version:
		return newer(now)
	case now < version:
		return fmt.Errorf("its tables are of version %d and this program reads version %d: run serve or sync once, which brings them up to date", now, version)
	}
	return nil
}

func newer(now int64) error {
	return fmt.Errorf("its tables are of version %d, made by a newer Musterline than this one, which knows version %d: use the newer program", now, version)
}
