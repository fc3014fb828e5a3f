package pgtest

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestEachTestHasItsOwnCopyOfTheTemplate(t *testing.T) {
	prepared := 0
	prepare := func(url string) error {
		prepared++
		return query(url, "CREATE TABLE t (n int)")
	}
	for range 2 {
		url := Prepared(t, "t", prepare)
		if err := query(url, "INSERT INTO t VALUES (1)"); err != nil {
			t.Fatal(err)
		}
		if err := query(url, "SELECT 1 / (2 - (SELECT COUNT(*) FROM t)) "); err != nil {
			t.Fatal("the second test sees the row of the first:", err)
		}
	}
	if prepared != 1 {
		t.Errorf("the template was prepared %d times", prepared)
	}
}

func query(url, statement string) error {
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(context.Background(), statement)
	return err
}
