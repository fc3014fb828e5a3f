package archtest_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"musterline.example/internal/archtest"
)

const (
	module = "musterline.example"
	root   = "../.."
)

// The test that keeps the house: README.md draws the tree and the arrows, and the packages are as drawn.
func TestHouseIsAsTheReadmeDrawsIt(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(path.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	arrows, err := archtest.Between(string(readme), "arrows")
	if err != nil {
		t.Fatal(err)
	}
	table, err := archtest.ParseTable(arrows)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := archtest.Between(string(readme), "tree")
	if err != nil {
		t.Fatal(err)
	}
	packages, err := archtest.Load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 10 {
		t.Fatalf("found only %d packages: is %s the root of the module?", len(packages), root)
	}
	for _, v := range archtest.Check(module, packages, table) {
		t.Error(v)
	}
	exists := func(dir string) bool { _, err := os.Stat(path.Join(root, dir)); return err == nil }
	for _, v := range archtest.CheckTree(tree, packages, exists) {
		t.Error(v)
	}
}

const smallTable = `
nouns = directory, team
pure  = mapping
tests = *test

nouns    → the standard library only
source   → directory
source/* → source, directory, internal/*
target   → team
target/* → target, team, internal/*
mapping  → nouns
store    → everything
catalog  → source, source/*, target, target/*
internal/* → nouns, internal/*
cmd      → everything
never anything → cmd
never mapping → store
only cmd, tests → internal/sim
only tests → tests
`

// smallHouse is a module that keeps every rule of smallTable.
func smallHouse() map[string]string {
	return map[string]string{
		"directory/directory.go":  "// Package directory is a noun.\npackage directory\n\nimport _ \"strings\"\n",
		"team/team.go":            "// Package team is a noun.\npackage team\n",
		"source/source.go":        "// Package source is a stage.\npackage source\n\nimport _ \"musterline.example/directory\"\n",
		"source/file/file.go":     "// Package file is a kind.\npackage file\n\nimport (\n\t_ \"musterline.example/internal/httpx\"\n\t_ \"musterline.example/source\"\n)\n",
		"source/ldap/ldap.go":     "// Package ldap is a kind.\npackage ldap\n\nimport _ \"musterline.example/source/ldap/filter\"\n",
		"source/ldap/filter/f.go": "// Package filter belongs to ldap.\npackage filter\n\nimport _ \"musterline.example/source\"\n",
		"source/sourcetest/s.go":  "// Package sourcetest is a suite.\npackage sourcetest\n\nimport (\n\t_ \"musterline.example/internal/sim\"\n\t_ \"musterline.example/source\"\n\t_ \"testing\"\n)\n",
		"target/target.go":        "// Package target is a stage.\npackage target\n\nimport _ \"musterline.example/team\"\n",
		"target/github/g.go":      "// Package github is a kind.\npackage github\n\nimport _ \"example.org/client\"\n",
		"mapping/mapping.go":      "// Package mapping is pure.\npackage mapping\n\nimport (\n\t\"time\"\n\n\t_ \"golang.org/x/text/unicode/norm\"\n)\n\n// Later adds.\nfunc Later(t time.Time) time.Time { return t.Add(time.Hour) }\n",
		"mapping/mapping_test.go": "package mapping\n\nimport _ \"os\"\n",
		"store/store.go":          "// Package store remembers.\npackage store\n",
		"catalog/catalog.go":      "// Package catalog lists.\npackage catalog\n\nimport _ \"musterline.example/source/file\"\n\nfunc open(kind string) { switch kind { case \"file\": } }\n",
		"internal/httpx/h.go":     "// Package httpx is plumbing.\npackage httpx\n",
		"internal/sim/sim.go":     "// Package sim simulates.\npackage sim\n",
		"cmd/musterline/main.go":  "// Command musterline.\npackage main\n\nimport _ \"musterline.example/internal/sim\"\n",
		"store/write.go":          "//go:build ignore\n\npackage main\n\nfunc init() {}\n",
		"tools/go.mod":            "module musterline.example/tools\n",
		"tools/tools.go":          "package tools\n\nfunc init() {}\n",
		"store/testdata/x.go":     "package broken\n\nfunc init() {}\n",
	}
}

func violations(t *testing.T, table string, files map[string]string) []string {
	t.Helper()
	parsed, err := archtest.ParseTable(strings.Split(table, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	packages, err := archtest.Load(moduleOf(files))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, v := range archtest.Check(module, packages, parsed) {
		lines = append(lines, v.String())
	}
	return lines
}

func moduleOf(files map[string]string) fs.FS {
	m := make(fstest.MapFS)
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestAHouseThatKeepsTheRulesHasNoViolations(t *testing.T) {
	t.Parallel()
	if got := violations(t, smallTable, smallHouse()); len(got) > 0 {
		t.Errorf("unexpected:\n%s", strings.Join(got, "\n"))
	}
}

// Each case adds files to a house that keeps the rules, and must be told of exactly the one thing that is wrong with them.
func TestEachRuleIsKept(t *testing.T) {
	t.Parallel()
	file := func(pkg, body string) string { return "// Package x is.\npackage " + pkg + "\n\n" + body + "\n" }
	for name, test := range map[string]struct {
		file, text string
		want       string
	}{
		"an arrow that the table lacks": {
			"source/more.go", file("source", `import _ "musterline.example/team"`),
			"source/more.go:4: imports team: the table has no arrow source → team",
		},
		"a kind that knows another kind": {
			"source/file/more.go", file("file", `import _ "musterline.example/source/ldap"`),
			"source/file/more.go:4: imports source/ldap: the table has no arrow source/file → source/ldap",
		},
		"a kind that reaches into another kind's folder": {
			"source/file/more.go", file("file", `import _ "musterline.example/source/ldap/filter"`),
			"source/file/more.go:4: imports source/ldap/filter: the table has no arrow source/file → source/ldap",
		},
		"plumbing that knows a stage": {
			"internal/httpx/more.go", file("httpx", `import _ "musterline.example/source"`),
			"internal/httpx/more.go:4: imports source: the table has no arrow internal/httpx → source",
		},
		"never, although another line allows it": {
			"store/more.go", file("store", `import _ "musterline.example/cmd/musterline/config"`),
			"store/more.go:4: imports cmd/musterline/config: the table says: never anything → cmd",
		},
		"the simulator outside of tests and commands": {
			"target/github/more.go", file("github", `import _ "musterline.example/internal/sim"`),
			"target/github/more.go:4: imports internal/sim: the table says: only cmd, tests → internal/sim",
		},
		"a test suite in a binary": {
			"cmd/musterline/more.go", file("main", `import _ "musterline.example/source/sourcetest"`),
			"cmd/musterline/more.go:4: imports source/sourcetest: the table says: only tests → tests",
		},
		"a noun with a dependency": {
			"team/more.go", file("team", `import _ "github.com/google/uuid"`),
			"team/more.go:4: imports github.com/google/uuid: the table says: team → the standard library only",
		},
		"a noun that knows another noun": {
			"team/more.go", file("team", `import _ "musterline.example/directory"`),
			"team/more.go:4: imports directory: the table has no arrow team → directory",
		},
		"a package that the table does not know": {
			"utils/utils.go", file("utils", ""),
			"utils: the table of arrows in README.md does not know this package: give it a line",
		},
		"a file for another platform": {
			"source/more_windows.go", file("source", `import _ "musterline.example/team"`),
			"source/more_windows.go:4: imports team: the table has no arrow source → team",
		},
		"a pure package that could wait": {
			"mapping/more.go", file("mapping", `import _ "context"`),
			"mapping/more.go:4: imports context: this package is pure",
		},
		"a pure package with a network": {
			"mapping/more.go", file("mapping", `import _ "net/http"`),
			"mapping/more.go:4: imports net/http: this package is pure",
		},
		"a pure package with a log": {
			"mapping/more.go", file("mapping", `import _ "log/slog"`),
			"mapping/more.go:4: imports log/slog: this package is pure",
		},
		"a pure package with somebody else's code": {
			"mapping/more.go", file("mapping", `import _ "github.com/google/uuid"`),
			"mapping/more.go:4: imports github.com/google/uuid: this package is pure",
		},
		"a pure package with a clock": {
			"mapping/more.go", file("mapping", "import clock \"time\"\n\nvar now = clock.Now"),
			"mapping/more.go:6: uses time.Now: this package is pure",
		},
		"a pure package that hides its clock": {
			"mapping/more.go", file("mapping", `import . "time"`),
			"mapping/more.go:4: imports time without its name: this package is pure, and its calls must be seen",
		},
		"a pure package that starts something": {
			"mapping/more.go", file("mapping", "func start() { go start() }"),
			"mapping/more.go:4: starts a goroutine: this package is pure",
		},
		"an init function": {
			"target/github/more.go", file("github", "func init() {}"),
			"target/github/more.go:4: has an init function: say it in a list or a constructor",
		},
		"a switch over a kind": {
			"store/more.go", file("store", "func f(s struct{ Kind string }) {\n\tswitch s.Kind {\n\tcase \"ldap\":\n\t}\n}"),
			"store/more.go:5: branches on a kind by its name: declare the difference in the Kind, or ask for a small interface",
		},
		"a comparison with a kind's name": {
			"store/more.go", file("store", "func f(kind struct{ Name string }) bool { return kind.Name == \"ldap\" }"),
			"store/more.go:4: branches on a kind by its name: declare the difference in the Kind, or ask for a small interface",
		},
		"a package without a comment": {
			"internal/bare/bare.go", "package bare\n",
			"internal/bare: has no package comment: say what it is for, what it is not for, and where its data comes from",
		},
		"an exported function without a comment": {
			"store/more.go", file("store", "func Open() {}"),
			"store/more.go:4: exports Open without a comment",
		},
		"an exported method without a comment": {
			"store/more.go", file("store", "// T is.\ntype T[X any] struct{}\n\nfunc (*T[X]) Open() {}"),
			"store/more.go:7: exports Open without a comment",
		},
		"an exported type without a comment": {
			"store/more.go", file("store", "type T int"),
			"store/more.go:4: exports T without a comment",
		},
		"an exported constant without a comment": {
			"store/more.go", file("store", "const (\n\tA = 1 // A is.\n\tB = 2\n)"),
			"store/more.go:6: exports B without a comment",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := smallHouse()
			files[test.file] = test.text
			if got := violations(t, smallTable, files); len(got) != 1 || got[0] != test.want {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), test.want)
			}
		})
	}
}

func TestWhatIsNoBranchAndNeedsNoComment(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"asking whether a kind is given":   "func f(kind string) bool { return kind == \"\" }",
		"a switch over kinds of syntax":    "func f(x struct{ Kind int }) {\n\tswitch x.Kind {\n\tcase 1:\n\t}\n}",
		"another use of the word kind":     "func f(kind string) bool { return kind == \"email\" }",
		"a switch over another text":       "func f(mode string) {\n\tswitch mode {\n\tcase \"additive\":\n\t}\n}",
		"a method of an unexported type":   "type t int\n\nfunc (t) String() string { return \"\" }",
		"a list of constants under one":    "// The modes.\nconst (\n\tA = 1\n\tB = 2\n)",
		"generated code":                   "type T int",
		"a method that is called init":     "type t int\n\nfunc (t) init() {}",
		"another package's constant Now()": "func f(clock interface{ Now() }) { clock.Now() }",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := smallHouse()
			files["store/more.go"] = "package store\n\n" + body + "\n"
			if name == "generated code" {
				files["store/more.go"] = "// Code generated by hand. DO NOT EDIT.\n\n" + files["store/more.go"]
			}
			if got := violations(t, smallTable, files); len(got) > 0 {
				t.Errorf("unexpected:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

func TestTheTableMayNotNameWhatIsNotThere(t *testing.T) {
	t.Parallel()
	got := violations(t, smallTable+"\nposture → nouns\n", smallHouse())
	want := "README.md: the table of arrows names posture, and there is no such package"
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAWrongTableIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                      "the table holds no arrow",
		"plan imports team":     "neither a group",
		"plan →":                "two ends",
		"→ plan":                "two ends",
		"nouns = directory\n\n": "the table holds no arrow",
	} {
		if _, err := archtest.ParseTable(strings.Split(text, "\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
}

func TestBetweenNeedsBothMarkers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"no markers":                       "<!-- x --> is missing",
		"<!-- x -->\n```text\na\n```\n":    "<!-- /x --> is missing",
		"<!-- /x -->\n<!-- x -->\na → b\n": "<!-- /x --> is missing",
	} {
		if _, err := archtest.Between(text, "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
	lines, err := archtest.Between("before\n<!-- x -->\n```text\na → b\n```\n<!-- /x -->\nafter", "x")
	if err != nil || strings.TrimSpace(strings.Join(lines, "\n")) != "a → b" {
		t.Errorf("got %q, %v", lines, err)
	}
}

func TestTheTreeIsDrawnAsItIs(t *testing.T) {
	t.Parallel()
	packages, err := archtest.Load(moduleOf(smallHouse()))
	if err != nil {
		t.Fatal(err)
	}
	tree := strings.Split(`musterline/
├── directory/    a noun
├── source/       reads
│   └── sourcetest/
├── target/       changes
├── mapping/
├── store/
├── posture/      not there
├── catalog/
├── internal/
└── cmd/musterline/  main`, "\n")
	exists := func(dir string) bool { return dir != "posture" }
	var got []string
	for _, v := range archtest.CheckTree(tree, packages, exists) {
		got = append(got, v.String())
	}
	want := []string{"README.md: the tree draws posture, and there is no such folder", "team: the tree in README.md does not draw this folder"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAFileThatDoesNotParseIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := archtest.Load(moduleOf(map[string]string{"a/a.go": "package"})); err == nil {
		t.Error("want an error")
	}
}

// Prose that leads nowhere is worse than none. Only links within the repository are followed.
func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		documents, err := fs.Glob(os.DirFS(root), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range documents {
			text, err := os.ReadFile(path.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllStringSubmatch(string(text), -1) {
				if _, err := os.Stat(path.Join(root, path.Dir(name), m[1])); err != nil {
					t.Errorf("%s links to %s, and there is no such file", name, m[1])
				}
			}
		}
	}
}
