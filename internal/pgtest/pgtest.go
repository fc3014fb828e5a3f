// Package pgtest gives tests a real PostgreSQL: one server for the test binary, started when the first test asks for it, and one database
// for each test, copied from a template in a few hundredths of a second.
//
// It uses the server programs that are installed (Debian package postgresql) and nothing that listens on the network. What it starts ends
// with the test binary, even one that is killed.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// nobody is the user that the server runs as when the tests run as root, which PostgreSQL refuses to.
const nobody = 65534

// startTime is how long the server may take until it answers.
const startTime = 30 * time.Second

// A server is the one PostgreSQL of a test binary.
type server struct {
	folder string
	stop   chan struct{} // closed to end the server
	ended  chan struct{} // closed when it has

	mu        sync.Mutex
	databases int
	templates map[string]error
}

var (
	once    sync.Once
	running *server
	trouble error
)

// errMissing is the trouble of a machine without PostgreSQL.
var errMissing = errors.New("PostgreSQL is not installed: apt-get install postgresql")

// Main runs the tests of a package and then ends the server, if any was started. TestMain calls it:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	if running != nil {
		running.end()
	}
	return code
}

// URL returns the URL of a new empty database that is dropped after the test.
func URL(t testing.TB) string { return Prepared(t, "", nil) }

// Prepared returns the URL of a new database that is a copy of a template. The first test that names the template prepares it; prepare
// must leave no connection open. Without PostgreSQL the test is skipped, or fails when CI is true.
func Prepared(t testing.TB, template string, prepare func(url string) error) string {
	t.Helper()
	once.Do(func() { running, trouble = start() })
	switch {
	case errors.Is(trouble, errMissing) && os.Getenv("CI") != "true":
		t.Skip(trouble)
	case trouble != nil:
		t.Fatal(trouble)
	}
	name, err := running.create(template, prepare)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.sql(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return running.url(name)
}

// create makes a database.
func (s *server) create(template string, prepare func(url string) error) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx := context.Background()
	from := "template0"
	if prepare != nil {
		from = "template_" + template
		err, there := s.templates[template]
		if !there {
			if err = s.sql(ctx, "CREATE DATABASE "+from); err == nil {
				err = prepare(s.url(from))
			}
			s.templates[template] = err
		}
		if err != nil {
			return "", fmt.Errorf("prepare %s: %w", from, err)
		}
	}
	s.databases++
	name := "test_" + strconv.Itoa(s.databases)
	return name, s.sql(ctx, "CREATE DATABASE "+name+" TEMPLATE "+from)
}

func (s *server) url(database string) string {
	return "postgres://musterline@/" + database + "?host=" + s.folder
}

// sql runs one statement in the server's own database.
func (s *server) sql(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// program finds a server program in PATH or where Debian puts it, of the newest version.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", errMissing
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
}

// version reads 15 out of /usr/lib/postgresql/15/bin/postgres.
func version(path string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	if err != nil {
		return 0
	}
	return n
}

// start makes a cluster in a folder of its own and serves it on a socket there.
func start() (*server, error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := program("postgres")
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("/tmp", "pgtest") // short: the path of a socket has at most 107 bytes
	if err != nil {
		return nil, err
	}
	s := &server{folder: folder, stop: make(chan struct{}), ended: make(chan struct{}), templates: map[string]error{}}
	if err := s.serve(initdb, postgres); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

func (s *server) serve(initdb, postgres string) error {
	if os.Getuid() == 0 {
		if err := os.Chown(s.folder, nobody, nobody); err != nil {
			return err
		}
	}
	data := filepath.Join(s.folder, "data")
	init := exec.Command(initdb, "-D", data, "-U", "musterline", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	init.SysProcAttr, init.Dir = attributes(), s.folder
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	cmd := exec.Command(postgres, "-D", data, "-k", s.folder, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
	var out bytes.Buffer
	cmd.SysProcAttr, cmd.Dir, cmd.Stdout, cmd.Stderr = attributes(), s.folder, &out, &out
	begun := make(chan error)
	go s.watch(cmd, begun)
	if err := <-begun; err != nil {
		return err
	}
	for deadline := time.Now().Add(startTime); ; time.Sleep(20 * time.Millisecond) {
		err := s.sql(context.Background(), "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("postgres ended: %s", &out)
		default:
		}
		if time.Now().After(deadline) {
			s.end()
			return fmt.Errorf("postgres does not answer: %w", err)
		}
	}
}

// watch starts the server and stays until it ends. The kernel ends the server with the thread that started it, so this goroutine keeps its
// thread.
func (s *server) watch(cmd *exec.Cmd, begun chan<- error) {
	runtime.LockOSThread()
	defer close(s.ended)
	err := cmd.Start()
	begun <- err
	if err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // how it ended is in its output
	}()
	select {
	case <-s.stop:
		_ = cmd.Process.Signal(syscall.SIGQUIT) // at once: nobody needs this data again
		<-done
	case <-done:
	}
}

// end ends the server and removes what it left.
func (s *server) end() {
	close(s.stop)
	<-s.ended
	_ = os.RemoveAll(s.folder)
}

// Start starts a server for a program that is no test, and returns the URL of an empty database in it.
func Start() (url string, stop func(), err error) {
	s, err := start()
	if err != nil {
		return "", nil, err
	}
	name, err := s.create("", nil)
	if err != nil {
		s.end()
		return "", nil, err
	}
	return s.url(name), s.end, nil
}
