package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"musterline.example/directory"
	"musterline.example/setting"
	"musterline.example/source"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// opened opens the source over files of these contents, by name; a .csv pair is users.csv and groups.csv.
func openedOn(t testing.TB, contents map[string]string) *files {
	t.Helper()
	dir := t.TempDir()
	v := setting.Values{}
	for name, text := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		switch name {
		case "users.csv":
			v["users"] = name
		case "groups.csv":
			v["groups"] = name
		default:
			v["path"] = name
		}
	}
	s, err := Kind.Open(context.Background(), v, source.Env{Name: "people", Dir: dir, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return s.(*files)
}

// ada is what all three forms below say.
var ada = &directory.Snapshot{
	Source: "people", TakenAt: noon,
	Users: map[directory.UserID]directory.User{
		"ada": {ID: "ada", Name: "Ada Lovelace", Username: "ada", Email: "ada@example.com", Status: directory.Active, Accounts: map[string]string{"github": "ada-l", "infisical": "al"}},
		"bob": {ID: "bob", Name: `Bob "B" Builder, jr.`, Status: directory.Disabled},
		"042": {ID: "042", Status: directory.Locked},
	},
	Groups: map[directory.GroupID]directory.Group{
		"platform": {ID: "platform", Name: "Platform engineers", Description: "They keep it\nrunning", Members: []directory.UserID{"042", "ada"}, Groups: []directory.GroupID{"sre"}, ReadAt: noon},
		"sre":      {ID: "sre", Name: "sre", Members: []directory.UserID{"bob"}, ReadAt: noon},
		"none":     {ID: "none", Name: "none", Members: []directory.UserID{}, ReadAt: noon},
	},
}

func TestThreeFormsSayTheSame(t *testing.T) {
	for name, contents := range map[string]map[string]string{
		"yaml": {"directory.yaml": `
users:
  - &ada { id: ada, name: Ada Lovelace, username: ada, email: ada@example.com, active: true, accounts: { github: ada-l, infisical: al } }
  - { id: bob, name: 'Bob "B" Builder, jr.', active: false, email: null }
  - { id: 042, status: locked }
groups:
  - { id: platform, name: Platform engineers, description: "They keep it\nrunning", members: [ada, 042, ada], groups: [sre] }
  - { id: sre, members: [bob] }
  - { id: none, description: ~ }
`},
		"json": {"directory.json": `{
	"users": [
		{"id": "ada", "name": "Ada Lovelace", "username": "ada", "email": "ada@example.com", "active": true, "accounts": {"github": "ada-l", "infisical": "al"}},
		{"id": "bob", "name": "Bob \"B\" Builder, jr.", "active": false, "email": null},
		{"id": "042", "status": "locked"}],
	"groups": [
		{"id": "platform", "name": "Platform engineers", "description": "They keep it\nrunning", "members": ["042", "ada"], "groups": ["sre"]},
		{"id": "sre", "members": ["bob"]}, {"id": "none", "members": []}]}`},
		"csv": {
			"users.csv": "\ufeffID,name,username,email,active,status,github,account.infisical\r\n" +
				"ada,Ada Lovelace,ada,ada@example.com,TRUE,,ada-l,al\r\n" +
				"bob,\"Bob \"\"B\"\" Builder, jr.\",,,false,,,\r\n" +
				"042,,,,,Locked,,\r\n",
			"groups.csv": "id,name,description,groups,members\n" +
				"platform,Platform engineers,\"They keep it\nrunning\",sre,ada; 042;\n" +
				"sre,,,,bob\n\nnone,,,,\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := openedOn(t, contents).Snapshot(t.Context(), source.Selection{All: true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(ada, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestIdsStayAsWritten(t *testing.T) {
	ids := []string{"08volt", "0xmh", "0x1F", "017", "249043822", "1e5", "1.10", "yes", "No", "on", "null", "NULL", "true", "2024-01-01", "12:30:45", "1_000", ".nan"}
	var users strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&users, "- id: %s\n  accounts: {github: %s}\n", id, strings.ReplaceAll(strings.ToLower(id), "null", "'null'"))
	}
	text := "users:\n" + users.String() + "groups:\n- id: 007\n  members: [" + strings.Join(ids, ", ") + "]\n- id: all\n  groups: [007]\n"
	got, err := openedOn(t, map[string]string{"directory.yml": text}).Snapshot(t.Context(), source.Selection{All: true})
	if err != nil {
		t.Fatal(err)
	}
	want := make([]directory.UserID, 0, len(ids))
	for _, id := range ids {
		want = append(want, directory.UserID(id))
		if login := got.Users[directory.UserID(id)].Accounts["github"]; login != strings.ToLower(id) {
			t.Errorf("user %s has the account %q", id, login)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got.Groups["007"].Members); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEveryMistakeIsNamedWhereItStands(t *testing.T) {
	for _, test := range []struct {
		name     string
		contents map[string]string
		want     string
	}{
		{"many mistakes", map[string]string{"directory.yaml": `
users:
- id: ada
  mail: ada@example.com
- { id: bob, active: maybe }
- { id: ada, name: [Ada] }
- { name: Nobody }
- id:
- { id: joe, active: true, status: active }
- { id: eve, status: disabeld, accounts: eve }
- just-a-word
- { id: Ada }
- { id: zoe, id: zoo }
groups:
- { id: platform, members: [aad, bob, eve, sre, {id: x}, ""], member: [ada] }
- { id: sre, groups: [platfrom, nothing-like-it] }
- { id: sre, members: ada }
teams: []
`}, `directory.yaml:4:3: mail is not a key of a user; did you mean email?
directory.yaml:5:22: active is "maybe": use true or false
directory.yaml:6:9: the user id "ada" is taken: line 3 has it
directory.yaml:6:20: name must be a text, not a list
directory.yaml:7:3: this user has no id
directory.yaml:8:3: the id of this user is empty
directory.yaml:9:36: has both active and status: give one of them
directory.yaml:10:22: "disabeld" is no status: use active, locked, disabled, deleted; did you mean disabled?
directory.yaml:10:42: accounts must be a map such as { github: LOGIN }, not a text
directory.yaml:11:3: each of users must be a map with an id, not a text
directory.yaml:13:14: id is set twice: the first is on line 13
directory.yaml:15:29: member "aad" is no user; did you mean ada?
directory.yaml:15:44: member "sre" is no user; it is a group: put it under groups
directory.yaml:15:49: members must hold ids, not a map
directory.yaml:15:58: an id in members is empty
directory.yaml:15:63: member is not a key of a group; did you mean members?
directory.yaml:16:23: there is no group "platfrom"; did you mean platform?
directory.yaml:16:33: there is no group "nothing-like-it"
directory.yaml:17:9: the group id "sre" is taken: line 16 has it
directory.yaml:17:23: members must be a list of ids, not a text
directory.yaml:18:1: teams is not a key here`},
		{"empty", map[string]string{"directory.yaml": "# nothing yet\n"}, "directory.yaml:1:1: the file is empty: it must hold users and groups"},
		{"no bytes", map[string]string{"directory.yaml": ""}, "directory.yaml:1:1: the file is empty: it must hold users and groups"},
		{"no bytes of JSON", map[string]string{"directory.json": ""}, "directory.json:1:1: the file is empty: it must hold users and groups"},
		{"a list", map[string]string{"directory.yaml": "- a\n"}, "directory.yaml:1:1: the file must hold a map of users and groups, not a list"},
		{"cut off before groups", map[string]string{"directory.yaml": "users:\n- id: ada\n"}, "directory.yaml:1:1: there is no groups: if there are none, write groups: []"},
		{"cut off within a line", map[string]string{"directory.yaml": "users: [{id: bob}, {id: bo}]\ngroups:\n- id: a\n  members:\n  - bo"},
			"directory.yaml:5:7: the last line has no end: the file may be cut off; if it is whole, end it with a line break"},
		{"JSON cut off", map[string]string{"directory.json": `{"users": [{"id": "ada"}], "groups": [{"id": "a", "mem`}, "directory.json:1:55: ends in the middle: the file is cut off"},
		{"two documents", map[string]string{"directory.yaml": "users: []\ngroups: []\n---\nusers: []\n"}, "directory.yaml:4:1: a second document begins here: the file must hold one"},
		{"no YAML", map[string]string{"directory.yaml": "users: [\ngroups: []\n"}, "directory.yaml:1:8: sequence end token ']' not found"},
		{"a number in JSON", map[string]string{"directory.json": `{"users": [{"id": 7}, {"id": null}], "groups": null}`},
			"directory.json:1:30: the id of this user is empty\ndirectory.json:1:48: groups must be a list, not empty"},
		{"CSV", map[string]string{
			"users.csv":  "id,nmae,email,email,active,status,\nada,,,,,,\nada,,,,yes,,\nbob,,\n,,,,,,\njoe,,,,true,locked,\n",
			"groups.csv": "id,members,groups\nplatform,ada;adda;;joe,sre\n",
		}, `users.csv:1:4: nmae is not a column here; did you mean name?
users.csv:1:15: the column email is there twice: it is column 3 too
users.csv:1:35: a column has no name
users.csv:3:1: the user id "ada" is taken: line 2 has it
users.csv:3:8: active is "yes": use true or false
users.csv:4:1: this row has 3 fields, the header 7
users.csv:5:1: the id of this user is empty
users.csv:6:13: has both active and status: give one of them
groups.csv:2:10: an id in members is empty: two ; stand together
groups.csv:2:10: member "adda" is no user; did you mean ada?
groups.csv:2:24: there is no group "sre"`},
		{"CSV that is not", map[string]string{"users.csv": "id;name\nada;Ada\n", "groups.csv": ""},
			"users.csv:1:1: the columns must be separated by commas\ngroups.csv:1:1: the file is empty: its first line must name the columns id, name, description, members, groups"},
		{"CSV cut off", map[string]string{"users.csv": "id,name\nada,Ada\nbob,\"Bo", "groups.csv": "name\nx\n"},
			"users.csv:3:8: a \" stands where none may: a quoted field ends with its own \", and a \" in it is written \"\"\n" +
				"users.csv:3:8: the last line has no end: the file may be cut off; if it is whole, end it with a line break\ngroups.csv:1:1: there is no column id"},
		{"UTF-16", map[string]string{"users.csv": "\xff\xfei\x00d\x00", "groups.csv": "id\n"}, "users.csv:1:1: is UTF-16: save it as UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := openedOn(t, test.contents)
			got, err := s.Snapshot(t.Context(), source.Selection{All: true})
			if err == nil || got != nil {
				t.Fatalf("no error, but %+v", got)
			}
			if e, ok := errors.AsType[*source.Error](err); !ok || e.State != "file-invalid" || e.Retry {
				t.Errorf("not an invalid file: %#v", err)
			}
			text := strings.ReplaceAll(err.Error(), filepath.Dir(s.path+s.users)+string(filepath.Separator), "")
			if diff := cmp.Diff(test.want, text); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSettingsAreAFileOrAPair(t *testing.T) {
	for want, v := range map[string]setting.Values{
		"path is required: a YAML or JSON file; or give users and groups, two CSV files":   {},
		"users is required beside groups: the CSV file of users":                           {"groups": "g.csv"},
		"groups is required beside users: the CSV file of groups":                          {"users": "u.csv"},
		"path goes without users and groups: give one YAML or JSON file, or two CSV files": {"path": "d.yaml", "users": "u.csv"},
		"path must end in .yaml, .yml or .json; CSV files are given as users and groups":   {"path": "d.csv"},
	} {
		_, err := Kind.Open(t.Context(), v, source.Env{})
		if err == nil || err.Error() != want {
			t.Errorf("%v: got %v, want %s", v, err, want)
		}
	}
}

func TestAFileThatIsNotThereSaysSo(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		"none.yaml": "none.yaml does not exist: create it, or correct the path in the configuration",
		"d.yaml":    "d.yaml is a folder: name the file in it",
	} {
		_ = os.Mkdir(filepath.Join(dir, "d.yaml"), 0o700)
		s, err := Kind.Open(t.Context(), setting.Values{"path": path}, source.Env{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Snapshot(t.Context(), source.Selection{})
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want …%s", err, want)
		}
	}
}

// A changing file is one that grows, shrinks or is written anew under the reader's eyes.
func TestAFileThatChangesWhileItIsReadIsAnError(t *testing.T) {
	whole := "users: [{id: ada}, {id: bob}]\ngroups:\n- {id: a, members: [ada, bob]}\n"
	for name, change := range map[string]func(path string) error{
		"grows":   func(path string) error { return os.WriteFile(path, []byte(whole+"- {id: b}\n"), 0o600) },
		"shrinks": func(path string) error { return os.Truncate(path, 30) },
		"touched": func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := openedOn(t, map[string]string{"directory.yaml": whole})
			s.open = func(path string) (handle, error) {
				f, err := openFile(path)
				return &meddled{handle: f, change: func() error { return change(path) }}, err
			}
			got, err := s.Snapshot(t.Context(), source.Selection{All: true})
			if e, ok := errors.AsType[*source.Error](err); !ok || e.State != "file-changed" || !e.Retry || got != nil {
				t.Errorf("got %v and %v", got, err)
			}
		})
	}
	t.Run("replaced by rename", func(t *testing.T) {
		s := openedOn(t, map[string]string{"directory.yaml": whole})
		s.open = func(path string) (handle, error) {
			f, err := openFile(path)
			return &meddled{handle: f, change: func() error {
				if err := os.WriteFile(path+".new", []byte("users: []\ngroups: []\n"), 0o600); err != nil {
					return err
				}
				return os.Rename(path+".new", path)
			}}, err
		}
		got, err := s.Snapshot(t.Context(), source.Selection{All: true})
		if err != nil || len(got.Users) != 2 {
			t.Errorf("the old file was whole, but got %v and %v", got, err)
		}
	})
}

// meddled is a file that somebody changes after its first byte was read.
type meddled struct {
	handle
	change func() error
	done   bool
}

func (m *meddled) Read(p []byte) (int, error) {
	if m.done {
		return m.handle.Read(p)
	}
	m.done = true
	n, err := m.handle.Read(p[:1])
	if err == nil {
		err = m.change()
	}
	return n, err
}

// large is a directory of 10,000 users and 500 groups of 200: 2.6 MB, 120,000 lines.
func large() string {
	var b strings.Builder
	b.WriteString("users:\n")
	for i := range 10000 {
		fmt.Fprintf(&b, "- {id: u%05d, name: \"Some Name %d\", email: u%d@example.com, active: true, accounts: {github: login-%d}}\n", i, i, i, i)
	}
	b.WriteString("groups:\n")
	for i := range 500 {
		fmt.Fprintf(&b, "- id: group-%d\n  name: Group %d\n  members:\n", i, i)
		for j := range 200 {
			fmt.Fprintf(&b, "  - u%05d\n", (i*37+j*11)%10000)
		}
	}
	return b.String()
}

func BenchmarkLargeFile(b *testing.B) {
	text := large()
	s := openedOn(b, map[string]string{"directory.yaml": text})
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Snapshot(b.Context(), source.Selection{All: true}); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzFiles(f *testing.F) {
	f.Add("users: [{id: a, status: locked}]\ngroups: [{id: g, members: [a], groups: [g]}]\n", "id,name,active,github\na,A,true,x\n", "id,members,groups\ng,a,g\n")
	f.Fuzz(func(t *testing.T, doc, users, groups string) {
		for _, read := range []func(*builder){
			func(b *builder) { b.document("f.yaml", []byte(doc), parserOf("f.yaml")) },
			func(b *builder) { b.document("f.json", []byte(doc), parserOf("f.json")) },
			func(b *builder) { b.csvUsers("u.csv", []byte(users)); b.csvGroups("g.csv", []byte(groups)) },
		} {
			var b builder
			read(&b)
			s, err := b.snapshot(noon)
			if (s == nil) == (err == nil) {
				t.Fatalf("%v and %v", s, err)
			}
			if err == nil {
				if err := s.Validate(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
