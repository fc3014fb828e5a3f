package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"musterline.example/api/access"
	"musterline.example/api/github"
	"musterline.example/directory"
	"musterline.example/source"
	"musterline.example/store"
)

// many reads a source with so many groups.
func (l *lab) many(name, prefix string, n int) {
	groups := make([]directory.Group, n)
	for i := range groups {
		groups[i] = directory.Group{ID: directory.GroupID(fmt.Sprint(n - i)), Name: fmt.Sprintf("%s %04d", prefix, i)}
	}
	l.read(name, groups...)
}

// next is where the Link header of an answer leads; "" when it leads nowhere.
func next(t testing.TB, a answer) string {
	t.Helper()
	link := a.header.Get("Link")
	if link == "" {
		return ""
	}
	m := regexp.MustCompile(`^<(http://[^>]+)>; rel="next"$`).FindStringSubmatch(link)
	if m == nil {
		t.Fatal("Link:", link)
	}
	return m[1]
}

// all follows the Link headers from a path, verbatim, and returns the ids of each page.
func (l *lab) all(path string) (pages []string) {
	l.t.Helper()
	for path != "" {
		a := l.get(path, ann).want(l.t, http.StatusOK)
		pages = append(pages, a.ids())
		path = next(l.t, a)
	}
	return pages
}

func TestGroupsComeInOrderOfTheirFoldedNameAndID(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		l.read("corp",
			directory.Group{ID: "a", Name: "beta"}, directory.Group{ID: "b", Name: "Alpha"}, directory.Group{ID: "d", Name: "alpha"},
			directory.Group{ID: "B", Name: "ALPHA"}, directory.Group{ID: "e", Name: "alpha beta"}, directory.Group{ID: "f", Name: "Ärzte"},
			directory.Group{ID: "g", Name: "_x"}, directory.Group{ID: "é", Name: "alpha"}, directory.Group{ID: "h", Name: "zulu"})
		want := "corp:g corp:B corp:b corp:d corp:é corp:e corp:a corp:h corp:f"
		equal(t, "groups", l.get(list, ann).want(t, http.StatusOK).ids(), want)
		for size := 1; size <= 10; size++ {
			pages := l.all(fmt.Sprintf("%s?per_page=%d", list, size))
			equal(t, fmt.Sprintf("in pages of %d", size), strings.Join(pages, " "), want)
		}
	})
}

func TestSeveralSourcesAreOneList(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		l.search = map[string]source.Searcher{"people": nil} // which makes it one of the sources
		l.serve()
		l.get(list, ann).want(t, http.StatusServiceUnavailable)
		l.read("corp", directory.Group{ID: "1", Name: "same"}, directory.Group{ID: "2", Name: "Same"}, directory.Group{ID: "3", Name: "last"})
		l.read("people", directory.Group{ID: "0", Name: "SAME"}, directory.Group{ID: "9", Name: "same"}, directory.Group{ID: "3", Name: "first"})
		want := "people:3 corp:3 corp:1 corp:2 people:0 people:9"
		for size := 1; size <= 7; size++ {
			equal(t, fmt.Sprintf("in pages of %d", size), strings.Join(l.all(fmt.Sprintf("%s?per_page=%d", list, size)), " "), want)
		}
		l.set(func(s *github.Settings) { s.Sources = []string{"people"} })
		equal(t, "those that the target shows", l.get(list, ann).ids(), "people:3 people:0 people:9")
		l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusUnprocessableEntity)
	})
}

func TestAPageHasThirtyGroupsAndAtMostAHundred(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		l.many("corp", "Group", 250)
		for query, want := range map[string]int{
			"": 30, "?per_page=7": 7, "?per_page=100": 100, "?per_page=101": 100, "?per_page=1000000": 100, "?per_page=0": 30, "?per_page=-3": 30, "?per_page=": 30,
		} {
			equal(t, "groups of "+query, len(l.get(list+query, ann).want(t, http.StatusOK).body.Groups), want)
		}
		for _, query := range []string{"?per_page=many", "?per_page=1.5", "?per_page=99999999999999999999"} {
			a := l.get(list+query, ann).want(t, http.StatusUnprocessableEntity)
			if strings.Contains(a.text, "many") || !strings.Contains(a.body.Message, "per_page") {
				t.Error(a.text)
			}
		}
		pages := l.all(list + "?per_page=100")
		equal(t, "pages", len(pages), 3)
		seen := map[string]bool{}
		for id := range strings.FieldsSeq(strings.Join(pages, " ")) {
			seen[id] = true
		}
		equal(t, "groups", len(seen), 250)
	})
}

func TestLinkIsThereOnlyWhenAnotherPageIs(t *testing.T) {
	l := newLab(t)
	equal(t, "all on one page", l.get(list, ann).header.Get("Link"), "")
	equal(t, "exactly one page", l.get(list+"?per_page=6", ann).header.Get("Link"), "")
	a := l.get(list+"?per_page=4", ann)
	last := l.get(next(t, a), ann).want(t, http.StatusOK)
	equal(t, "on the last page", last.header.Get("Link"), "")
	equal(t, "groups of the last page", len(last.body.Groups), 2)
}

// Groups come and go while somebody leafs through them: nobody is shown twice, and nobody is left out who was there all the time.
func TestPagesStandStillWhileGroupsComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		group := func(name string) directory.Group { return directory.Group{ID: directory.GroupID(name), Name: name} }
		l.read("corp", group("b"), group("d"), group("f"), group("h"), group("j"))
		first := l.get(list+"?per_page=2", ann)
		equal(t, "the first page", first.ids(), "corp:b corp:d")
		l.read("corp", group("a"), group("b"), group("c"), group("e"), group("f"), group("h"), group("j")) // d is gone, on which the cursor rests
		second := l.get(next(t, first), ann).want(t, http.StatusOK)
		equal(t, "the second", second.ids(), "corp:e corp:f")
		l.read("corp", group("h"), group("j"))
		equal(t, "the third", l.get(next(t, second), ann).want(t, http.StatusOK).ids(), "corp:h corp:j")
	})
}

// go-github takes a token of digits for the number of a page and then stops; it cuts the header at commas and semicolons.
func TestACursorIsNeverANumberAndHoldsNoSeparators(t *testing.T) {
	l := newLab(t)
	l.many("corp", `1;2,3<4>5"6`, 120)
	for path := list + "?per_page=2&q=" + url.QueryEscape("1;2"); path != ""; {
		a := l.get(path, ann).want(t, http.StatusOK)
		if path = next(t, a); path == "" {
			break
		}
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		equal(t, "q is kept", q.Get("q"), "1;2")
		equal(t, "per_page is kept", q.Get("per_page"), "2")
		if !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]+$`).MatchString(q.Get("page")) {
			t.Fatal("page", q.Get("page"))
		}
	}
}

func TestAfterIsAnotherNameForPage(t *testing.T) {
	l := newLab(t)
	to, err := url.Parse(next(t, l.get(list+"?per_page=2", ann)))
	if err != nil {
		t.Fatal(err)
	}
	by := func(name string) string {
		return l.get(list+"?per_page=2&"+name+"="+to.Query().Get("page"), ann).want(t, http.StatusOK).ids()
	}
	equal(t, "by after", by("after"), by("page"))
}

func TestADamagedOrForeignCursorIsRefusedAndNeverAnEmptyList(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		l.many("corp", "Group", 20)
		to, err := url.Parse(next(t, l.get(list+"?per_page=2&q=g", ann)))
		if err != nil {
			t.Fatal(err)
		}
		good := to.Query().Get("page")
		l.get(list+"?per_page=2&q=g&page="+good, ann).want(t, http.StatusOK)
		flipped := []byte(good)
		flipped[len(flipped)/2] ^= 1
		for _, query := range []string{
			"per_page=3&q=g&page=" + good, "per_page=2&q=gr&page=" + good, "per_page=2&page=" + good, "q=g&page=" + good, "per_page=2&q=G&page=" + good,
			"per_page=2&q=g&page=" + string(flipped), "per_page=2&q=g&page=" + good[:len(good)-1], "per_page=2&q=g&page=" + good + "A", "per_page=2&q=g&page=" + good[1:],
			"page=1", "page=2", "page=X%27Y", "page=g", "page=%00", "page=" + strings.Repeat("g", 5000), "after=nonsense",
		} {
			a := l.get(list+"?"+query, ann).want(t, http.StatusUnprocessableEntity)
			if !strings.Contains(a.body.Message, "page is no page of this list") {
				t.Errorf("%s: %s", query, a.text)
			}
		}
	})
}

func TestQFindsTheGroupsWhoseNameBeginsWithIt(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		l.read("corp",
			directory.Group{ID: "1", Name: "gh-Platform"}, directory.Group{ID: "2", Name: "GH-design"}, directory.Group{ID: "3", Name: "old gh-x"},
			directory.Group{ID: "4", Name: "ÄRZTE"}, directory.Group{ID: "5", Name: "100% %_"}, directory.Group{ID: "6", Name: "g"})
		for q, want := range map[string]string{
			"gh-": "corp:2 corp:1", "GH-P": "corp:1", "g": "corp:6 corp:2 corp:1", "är": "corp:4", "Är": "corp:4", "100%": "corp:5", "%": "", "_": "",
			"100% %_": "corp:5", "100% %_ ": "", "old gh": "corp:3", "x": "", "'": "", "\x00": "", "\xff": "", "*": "",
		} {
			a := l.get(list+"?q="+url.QueryEscape(q), ann).want(t, http.StatusOK)
			equal(t, "groups of "+q, a.ids(), want)
		}
	})
}

func TestEveryGroupHasItsThreeTextsAndTheBodyNothingElse(t *testing.T) {
	l := newLab(t)
	a := l.get(list+"?q=design", ann).want(t, http.StatusOK)
	equal(t, "body", a.text, `{"groups":[{"group_id":"corp:2","group_name":"Design","group_description":""}]}`)
	l.read("corp", directory.Group{ID: "1", Name: `R&D <"x">`, Description: "line\nbreak & <b>"})
	a = l.get(list, ann).want(t, http.StatusOK)
	equal(t, "name", a.body.Groups[0].Name, `R&D <"x">`)
	equal(t, "description", a.body.Groups[0].Description, "line\nbreak & <b>")
	l.read("corp")
	equal(t, "a source without groups", l.get(list, ann).want(t, http.StatusOK).text, `{"groups":[]}`)
}

func TestAListHasATagThatStandsForIt(t *testing.T) {
	l := newLab(t)
	a := l.get(list, ann)
	b := l.get(list, ann, "If-None-Match", a.header.Get("ETag")).want(t, http.StatusNotModified)
	equal(t, "body", b.text, "")
	l.read("corp", directory.Group{ID: "1", Name: "Other"})
	l.get(list, ann, "If-None-Match", a.header.Get("ETag")).want(t, http.StatusOK)
}

// An identity provider in trouble must not read as one without groups.
func TestASourceInTroubleIsNamedOrItsLastListIsMarked(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		ctx := context.Background()
		if err := l.store.SaveFailure(ctx, "corp", l.clock(), "connection refused by ldaps://10.0.0.7"); err != nil {
			t.Fatal(err)
		}
		l.pass(2 * time.Second)
		a := l.get(list, ann).want(t, http.StatusOK)
		equal(t, "groups", len(a.body.Groups), 6)
		if w := a.header.Get("Warning"); !strings.HasPrefix(w, `110 musterline "Response is Stale: corp as of 20`) || strings.Contains(w, "10.0.0.7") {
			t.Error("Warning:", w)
		}
		equal(t, "descriptions", a.body.Groups[len(a.body.Groups)-3].Description, "who keeps it running")

		l.search = map[string]source.Searcher{"people": nil}
		l.serve()
		a = l.get(list, ann).want(t, http.StatusServiceUnavailable)
		if !strings.Contains(a.body.Message, "people") || a.header.Get("Retry-After") == "" {
			t.Error(a.text, a.header)
		}
		if err := l.store.SaveFailure(ctx, "people", l.clock(), "no route to host"); err != nil {
			t.Fatal(err)
		}
		l.pass(2 * time.Second)
		a = l.get(list, ann).want(t, http.StatusBadGateway)
		if !strings.Contains(a.body.Message, "people") || strings.Contains(a.text, "route") {
			t.Error(a.text)
		}
		l.set(func(s *github.Settings) { s.Sources = []string{"corp"} }) // a target that does not show it has no trouble
		l.get(list, ann).want(t, http.StatusOK)
	})
}

func TestALostDatabaseIsAnErrorAndNothingElse(t *testing.T) {
	l := newLab(t)
	l.get(mappings, ann).want(t, http.StatusOK)
	if err := l.store.Shut(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{list, mappings} {
		a := l.get(path, ann).want(t, http.StatusServiceUnavailable)
		if a.header.Get("Retry-After") == "" || strings.Contains(a.text, "sql") {
			t.Error(a.text, a.header)
		}
	}
	l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusServiceUnavailable)
	l.get(mappings, "mst_0000000000000000000000000000000000000000000000000").want(t, http.StatusUnauthorized) // its checksum is wrong
}

func TestWhoMayListGroups(t *testing.T) {
	l := newLab(t)
	l.settings.Sources = nil
	for token, code := range map[string]int{
		ann: 200, annReads: 200, bob: 200, bobReads: 200, fine: 200, l.app: 200, // owners, who maintains a team, what an owner let in
		cat: 403, dan: 403, // members
		eve: 404, elsewhere: 403, wrong: 401,
		l.token(access.Viewer, "octo"): 200, l.token(access.Maintainer, ""): 200, l.token(access.Owner, "other"): 404,
	} {
		equal(t, "answer to "+token, l.get(list, token).code, code)
	}
}

// A group that is newer than the last read is looked for by the name that the caller gives it.
func TestAGroupThatIsNewIsFoundAtItsSource(t *testing.T) {
	found := &searcher{groups: map[string][]directory.Group{"New": {{ID: "7", Name: "New"}, {ID: "8", Name: "Newer"}}}}
	l := newLabOn(t, "sqlite:"+t.TempDir()+"/a.db", func(l *lab) { l.search = map[string]source.Searcher{"corp": found} })
	l.read("people")
	body := `{"groups":[{"group_id":"corp:8","group_name":"New","group_description":""}]}`
	equal(t, "groups", l.do(http.MethodPatch, mappings, ann, body).want(t, http.StatusOK).ids(), "corp:8")
	l.do(http.MethodPatch, mappings, ann, strings.Replace(body, "corp:8", "corp:9", 1)).want(t, http.StatusUnprocessableEntity)
	found.err = errors.New("no answer from 10.0.0.7")
	a := l.do(http.MethodPatch, mappings, ann, strings.Replace(body, "corp:8", "corp:9", 1)).want(t, http.StatusBadGateway)
	if !strings.Contains(a.body.Message, "corp") || strings.Contains(a.text, "10.0.0.7") {
		t.Error(a.text)
	}
	equal(t, "groups after refusals", l.get(mappings, ann).ids(), "corp:8")
}

// A searcher finds groups by prefix, one on a page.
type searcher struct {
	source.Source
	groups map[string][]directory.Group
	err    error
}

func (s *searcher) SearchGroups(_ context.Context, prefix string, page source.Page) ([]directory.Group, source.Page, error) {
	all := s.groups[prefix]
	at := len(page.Token)
	if s.err != nil || at >= len(all) {
		return nil, source.Page{}, s.err
	}
	next := source.Page{}
	if at+1 < len(all) {
		next.Token = strings.Repeat(".", at+1)
	}
	return all[at : at+1], next, nil
}

var _ github.Memory = (*store.Store)(nil)
