package file

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"

	"musterline.example/setting"
	"musterline.example/source"
	"musterline.example/source/sourcetest"
)

// server is a folder with a world in it, and a hand between the file and its reader.
type server struct {
	path  string
	mu    sync.Mutex
	fault sourcetest.Fault
	count int
}

func (s *server) load(w sourcetest.World) {
	type user struct {
		ID, Name, Username, Email, Status string
		Accounts                          map[string]string
	}
	type group struct {
		ID, Name, Description string
		Members, Groups       []string
	}
	var doc struct {
		Users  []user
		Groups []group
	}
	for _, u := range w.Users {
		doc.Users = append(doc.Users, user{string(u.ID), u.Name, u.Username, u.Email, string(u.Status), u.Accounts})
	}
	for _, g := range w.Groups {
		out := group{ID: string(g.ID), Name: g.Name, Description: g.Description}
		for _, m := range g.Members {
			out.Members = append(out.Members, string(m))
		}
		for _, sub := range g.Groups {
			out.Groups = append(out.Groups, string(sub))
		}
		doc.Groups = append(doc.Groups, out)
	}
	text, err := yaml.Marshal(doc)
	if err == nil {
		err = os.WriteFile(s.path, text, 0o600)
	}
	if err != nil {
		panic(err)
	}
}

func (s *server) inject(f sourcetest.Fault) func() int {
	switch f.Sort {
	case "", sourcetest.FailPage, sourcetest.ShortRead, sourcetest.Expired:
	default:
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.count = f, 0
	return func() int { s.mu.Lock(); defer s.mu.Unlock(); return s.count }
}

func (s *server) open(path string) (handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault.Sort == sourcetest.Expired {
		s.count++
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	f, err := openFile(path)
	return &faulty{handle: f, server: s}, err
}

// faulty is a file whose nth read goes wrong.
type faulty struct {
	handle
	server *server
	reads  int
}

func (f *faulty) Read(p []byte) (int, error) {
	f.server.mu.Lock()
	defer f.server.mu.Unlock()
	if f.reads++; f.reads == f.server.fault.Page {
		f.server.count++
		if f.server.fault.Sort == sourcetest.FailPage {
			return 0, fmt.Errorf("input/output error")
		}
		if err := os.Truncate(f.server.path, int64(f.reads)*500); err != nil {
			return 0, err
		}
	}
	return f.handle.Read(p)
}

func TestConformance(t *testing.T) {
	opening := Kind
	var s *server
	opening.Open = func(ctx context.Context, v setting.Values, env source.Env) (source.Source, error) {
		src, err := Kind.Open(ctx, v, env)
		if err == nil {
			src.(*files).open = s.open
		}
		return src, err
	}
	sourcetest.Run(t, sourcetest.Harness{Kind: opening, Serve: func(t testing.TB, w sourcetest.World) sourcetest.Server {
		s = &server{path: filepath.Join(t.TempDir(), "directory.yaml")}
		s.load(w)
		return sourcetest.Server{
			Values: setting.Values{"path": "directory.yaml"}, Env: source.Env{Dir: filepath.Dir(s.path)}, Change: s.load,
			Inject: func(f sourcetest.Fault) func() int {
				if f == (sourcetest.Fault{}) && s.fault.Sort == sourcetest.ShortRead {
					s.load(sourcetest.Large()) // what was cut off is written anew
				}
				return s.inject(f)
			},
		}
	}})
}

// The same worlds in CSV, without what makes the other test long.
func TestConformanceOfCSV(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Kind: Kind, Serve: func(t testing.TB, w sourcetest.World) sourcetest.Server {
		dir := t.TempDir()
		load := func(w sourcetest.World) {
			var users, groups strings.Builder
			quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
			users.WriteString("id,name,username,email,status,github\r\n")
			for _, u := range w.Users {
				fmt.Fprintf(&users, "%s,%s,%s,%s,%s,%s\r\n", u.ID, quote(u.Name), quote(u.Username), u.Email, u.Status, u.Accounts["github"])
			}
			groups.WriteString("groups,id,name,description,members\n")
			for _, g := range w.Groups {
				var members, subs []string
				for _, m := range g.Members {
					members = append(members, string(m))
				}
				for _, sub := range g.Groups {
					subs = append(subs, string(sub))
				}
				fmt.Fprintf(&groups, "%s,%s,%s,%s,%s\n", strings.Join(subs, "; "), g.ID, quote(g.Name), quote(g.Description), strings.Join(members, ";"))
			}
			for name, text := range map[string]string{"users.csv": users.String(), "groups.csv": groups.String()} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		load(w)
		return sourcetest.Server{
			Values: setting.Values{"users": "users.csv", "groups": "groups.csv"}, Env: source.Env{Dir: dir}, Change: load,
		}
	}})
}
