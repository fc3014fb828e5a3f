package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// Mark returns a word that another call returns as well only if nothing that is committed to the database has changed in between, by whatever
// process. What was read after a mark is therefore still so when the same mark is returned again. A new mark says nothing: it moves with
// transactions of others, too.
func (s *Store) Mark(ctx context.Context) (string, error) {
	mark, err := s.marks.mark(ctx)
	if err != nil {
		return "", fmt.Errorf("see whether the database has changed: %w", err)
	}
	return mark, nil
}

// A marker reads marks.
type marker interface {
	mark(ctx context.Context) (string, error)
	shut() error
}

// postgresMarks are what PostgreSQL itself decides by which rows a statement sees: the transactions that are over. They never come back.
type postgresMarks struct{ reads *sql.DB }

func (m postgresMarks) mark(ctx context.Context) (mark string, err error) {
	err = m.reads.QueryRowContext(ctx, "SELECT pg_current_snapshot()::text").Scan(&mark)
	return mark, err
}

func (postgresMarks) shut() error { return nil }

// sqliteMarks are SQLite's data_version, which moves with every commit of other connections and compares on one connection only.
type sqliteMarks struct {
	reads *sql.DB

	mu         sync.Mutex
	conn       *sql.Conn // nil until somebody asks
	version    *sql.Stmt // on it
	connection int       // how many there were
}

func (m *sqliteMarks) mark(ctx context.Context) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn == nil {
		conn, err := m.reads.Conn(ctx)
		if err != nil {
			return "", err
		}
		version, err := conn.PrepareContext(ctx, "PRAGMA data_version")
		if err != nil {
			return "", errors.Join(err, conn.Close())
		}
		m.conn, m.version = conn, version
		m.connection++
	}
	var n int64
	if err := m.version.QueryRowContext(ctx).Scan(&n); err != nil {
		return "", errors.Join(err, m.leave())
	}
	return fmt.Sprintf("%d/%d", m.connection, n), nil
}

// leave gives the connection back. The marks of the next one are others.
func (m *sqliteMarks) leave() error {
	if m.conn == nil {
		return nil
	}
	err := errors.Join(m.version.Close(), m.conn.Close())
	m.conn, m.version = nil, nil
	return err
}

func (m *sqliteMarks) shut() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.leave()
}

// A prepared pool parses each statement once for each of its connections, where that costs more than to run it. Statements are those of the
// queries of this package, so there are no more of them than are written there.
type prepared struct {
	*sql.DB

	mu         sync.RWMutex
	statements map[string]*sql.Stmt
}

func (p *prepared) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.RLock()
	known := p.statements[query]
	p.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	made, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.statements[query]; known != nil {
		return known, made.Close() //nolint:sqlclosecheck // another has made it meanwhile
	}
	p.statements[query] = made
	return made, nil
}

// QueryContext implements db.DBTX.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := p.statement(ctx, query) //nolint:sqlclosecheck // it is kept
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

// QueryRowContext implements db.DBTX. A row cannot be made of an error, so the pool says again what is wrong with a statement.
func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	statement, err := p.statement(ctx, query) //nolint:sqlclosecheck // it is kept
	if err != nil {
		return p.DB.QueryRowContext(ctx, query, args...)
	}
	return statement.QueryRowContext(ctx, args...)
}
