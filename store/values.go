package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// micros is how a moment is stored. The zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is what micros stored.
func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// list is how a list of plain words is stored.
func list[S ~string](words []S) string {
	if len(words) == 0 {
		return "[]"
	}
	text, err := json.Marshal(words)
	if err != nil {
		panic("store: " + err.Error()) // strings can always be encoded
	}
	return string(text)
}

// lists reads what list stored. A ledger holds the same few lists a million times: each is decoded once and shared.
type lists map[string][]string

func (l lists) read(text string) ([]string, error) {
	if text == "[]" || text == "" {
		return nil, nil
	}
	words, ok := l[text]
	if !ok {
		if err := json.Unmarshal([]byte(text), &words); err != nil {
			return nil, fmt.Errorf("damaged list: %w", err)
		}
		words = slices.Clip(words)
		l[text] = words
	}
	return words, nil
}

// encode is how a value is stored that people may want to read.
func encode(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// pack is how a large value is stored.
func pack(v any) ([]byte, error) {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(z).Encode(v); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// unpack reads what pack stored.
func unpack(packed []byte, v any) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("damaged value: %w", err)
	}
	if err := json.NewDecoder(z).Decode(v); err != nil {
		return fmt.Errorf("damaged value: %w", err)
	}
	return nil
}

// parameters is how many parameters one statement may have: SQLite's default limit is 32,766, PostgreSQL's 65,535.
const parameters = 30000

// A table is where many rows are written at once.
type table struct {
	name    string
	columns []string
	key     []string // of the conflict that is an update; empty: a conflict is an error
}

// put writes n rows; row gives the values of each. Rows that are there are updated.
func (t *tx) put(ctx context.Context, into table, n int, row func(i int) []any) error {
	var tail string
	if len(into.key) > 0 {
		var sets []string
		for _, c := range into.columns[len(into.key):] { // the key columns come first
			sets = append(sets, c+" = excluded."+c)
		}
		tail = " ON CONFLICT (" + strings.Join(into.key, ", ") + ") DO UPDATE SET " + strings.Join(sets, ", ")
	}
	begin := "INSERT INTO " + into.name + " (" + strings.Join(into.columns, ", ") + ") VALUES "
	return t.many(ctx, len(into.columns), n, row, func(tuples string) string { return begin + tuples + tail })
}

// remove deletes n rows by their key; key gives the values of each.
func (t *tx) remove(ctx context.Context, from table, n int, key func(i int) []any) error {
	begin := "DELETE FROM " + from.name + " WHERE (" + strings.Join(from.key, ", ") + ") IN (VALUES "
	return t.many(ctx, len(from.key), n, key, func(tuples string) string { return begin + tuples + ")" })
}

// many runs a statement over many tuples of width values, in as few calls as the databases allow.
func (t *tx) many(ctx context.Context, width, n int, row func(i int) []any, statement func(tuples string) string) (err error) {
	if n == 0 {
		return nil
	}
	step := min(t.s.engine.rowsAtOnce(), parameters/width)
	var whole *sql.Stmt // of a full step
	defer func() {
		if whole != nil {
			_ = whole.Close()
		}
	}()
	for from := 0; from < n; from += step {
		to := min(from+step, n)
		values := make([]any, 0, (to-from)*width)
		for i := from; i < to; i++ {
			values = append(values, row(i)...)
		}
		switch {
		case to-from < step || n == step:
			_, err = t.sql.ExecContext(ctx, statement(tuples(to-from, width)), values...)
		case whole == nil:
			if whole, err = t.sql.PrepareContext(ctx, statement(tuples(step, width))); err != nil {
				return err
			}
			fallthrough
		default:
			_, err = whole.ExecContext(ctx, values...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tuples returns "($1,$2),($3,$4)" for n tuples.
func tuples(n, width int) string {
	var b strings.Builder
	for i := range n * width {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%width == 0:
			b.WriteString("),(")
		default:
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteByte(')')
	return b.String()
}
