package answer_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"musterline.example/answer"
	"musterline.example/catalog"
	"musterline.example/config"
)

// numbered is the people of the company, whose groups have ids that are not their names.
var numbered = strings.NewReplacer("{ id: docs, ", "{ id: g1, ", "{ id: leads, ", "{ id: g2, ", "{ id: platform, ", "{ id: g3, ").Replace(people)

// numberedStreet is a street whose groups have been synced once.
func numberedStreet(t *testing.T) *street {
	t.Helper()
	s := open(t)
	s.write("directory.yaml", numbered)
	s.sync()
	return s
}

// reload enters the house anew with another configuration.
func (s *street) reload(text string) {
	s.t.Helper()
	s.Close()
	s.write("musterline.yaml", text)
	at := s.config.Targets["octo"].Values.Text("api_url")
	var err error
	s.config, err = config.Load(filepath.Join(s.dir, "musterline.yaml"), func(string) (string, bool) { return at, true },
		config.Kinds{Sources: catalog.Sources(), Targets: catalog.Targets()})
	if err != nil {
		s.t.Fatal(err)
	}
	s.House = s.another()
	if err := s.Hold(s.t.Context(), "a test"); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.House.Close)
}

// reported finds what check says of the mappings.
func reported(t *testing.T, h *answer.House) (notes, trouble []string) {
	t.Helper()
	report, err := h.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Checked {
		if c.What == "mapping" {
			notes, trouble = append(notes, c.Notes...), append(trouble, c.Trouble...)
		}
	}
	return notes, trouble
}

func TestARenamedGroupIsKnownByItsIDAndTheRenameIsTold(t *testing.T) {
	s := numberedStreet(t)
	s.write("directory.yaml", strings.Replace(numbered, "name: docs", "name: handbook", 1))
	want := "group people/docs is named people/handbook at the source now. The mapping goes on by the group's id; write the new name (file:7)"
	for door, h := range map[string]*answer.House{"server": s.House, "command": s.another()} { // the command opens no database of its own accord
		notes, trouble := reported(t, h)
		if !slices.Equal(notes, []string{want}) || len(trouble) > 0 {
			t.Errorf("%s: notes %q, trouble %q", door, notes, trouble)
		}
	}
	p, err := s.Plan(t.Context(), "octo")
	if err != nil || !slices.Contains(p.Setting().Notes, want) {
		t.Errorf("plan: %q, %v", p.Setting().Notes, err)
	}
	if done := s.sync(); !slices.Equal(done.Words().Notes, []string{want}) {
		t.Errorf("sync: %q", done.Words().Notes)
	}
	if got := s.members("docs"); got != "ada-l cy" {
		t.Errorf("docs holds %s", got)
	}
}

func TestARenamedTeamIsToldByPlanAndSync(t *testing.T) {
	s := numberedStreet(t)
	s.org.Team("docs").Rename("The Handbook")
	want := "team octo/docs is named the-handbook now. Its mappings go on by the team's id; write octo/the-handbook (file:7)"
	p, err := s.Plan(t.Context(), "octo")
	if err != nil || !slices.Equal(p.Setting().Notes, []string{want}) {
		t.Errorf("plan: %q, %v", p.Setting().Notes, err)
	}
	if done := s.sync(); !slices.Equal(done.Words().Notes, []string{want}) {
		t.Errorf("sync: %q", done.Words().Notes)
	}
}

func TestAsLongAsNothingIsRenamedNothingIsTold(t *testing.T) {
	s := numberedStreet(t)
	for _, word := range []string{"people/docs", "people/g1"} { // by name and by id
		s.reload(strings.Replace(configuration, "people/docs", word, 1))
		notes, trouble := reported(t, s.House)
		if len(notes)+len(trouble) > 0 {
			t.Errorf("%s: notes %q, trouble %q", word, notes, trouble)
		}
		p, err := s.Plan(t.Context(), "octo")
		if err != nil || len(p.Setting().Notes) > 0 {
			t.Errorf("%s: plan: %q, %v", word, p.Setting().Notes, err)
		}
		if done := s.sync(); len(done.Words().Notes) > 0 {
			t.Errorf("%s: sync: %q", word, done.Words().Notes)
		}
	}
}

func TestAGroupThatHasTheNameOfOneThatIsGoneIsNotTakenForIt(t *testing.T) {
	s := numberedStreet(t)
	s.write("directory.yaml", strings.Replace(numbered, "id: g1", "id: g9", 1))
	notes, trouble := reported(t, s.another())
	if len(notes) > 0 || len(trouble) != 1 || !strings.Contains(trouble[0], `lists no group "docs" (id g1) any more`) || !strings.Contains(trouble[0], "write people/g9") {
		t.Errorf("notes %q, trouble %q", notes, trouble)
	}
	s.write("directory.yaml", strings.Replace(numbered, "{ id: g1, name: docs, members: [ada] }", "{ id: g4, name: hr }", 1))
	if notes, trouble = reported(t, s.another()); len(notes) > 0 || len(trouble) != 1 || strings.Contains(trouble[0], "write people/") {
		t.Errorf("notes %q, trouble %q", notes, trouble)
	}
}
