package clients_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-github/v92/github"
)

// library is go-github with the server's address in place of https://api.github.com.
func (l *lab) library(token string) *github.Client {
	l.t.Helper()
	root := l.url + "/"
	c, err := github.NewClient(github.WithURLs(&root, &root), github.WithAuthToken(token))
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

func TestGoGitHubListsAllGroups(t *testing.T) {
	l := newLab(t)
	enterprise, err := github.NewClient(github.WithEnterpriseURLs(l.url, l.url), github.WithAuthToken(olga))
	if err != nil {
		t.Fatal(err)
	}
	for prefix, c := range map[string]*github.Client{"": l.library(olga), "/api/v3": enterprise} {
		l.forget()
		var ids []string
		options := &github.ListIDPGroupsOptions{ListCursorOptions: github.ListCursorOptions{PerPage: 100}}
		for {
			page, resp, err := c.Teams.ListIDPGroupsInOrganization(t.Context(), "octo-org", options)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range page.Groups {
				ids = append(ids, g.GetGroupID())
			}
			if options.Page = resp.NextPageToken; options.Page == "" {
				break
			}
		}
		equal(t, "groups by NextPageToken", len(ids), groups)
		equal(t, "pages", len(l.asked()), 3)
		equal(t, "first request", l.asked()[0], "GET "+prefix+"/orgs/octo-org/team-sync/groups?per_page=100 200")

		var byIter []string
		for g, err := range c.Teams.ListIDPGroupsInOrganizationIter(t.Context(), "octo-org", &github.ListIDPGroupsOptions{
			ListCursorOptions: github.ListCursorOptions{PerPage: 100},
		}) {
			if err != nil {
				t.Fatal(err)
			}
			byIter = append(byIter, g.GetGroupID())
		}
		if !slices.Equal(byIter, ids) {
			t.Errorf("the iterator gives %d groups, the pages %d", len(byIter), len(ids))
		}
		l.endsFrom(c, "page")
		l.endsFrom(c, "after")
		slices.Sort(ids)
		equal(t, "different groups", len(slices.Compact(ids)), groups)
	}
}

// endsFrom begins in the middle of the list, by one name of the cursor, and goes on by the other, so that requests have both.
func (l *lab) endsFrom(c *github.Client, name string) {
	l.t.Helper()
	options := github.ListIDPGroupsOptions{ListCursorOptions: github.ListCursorOptions{PerPage: 100}}
	_, resp, err := c.Teams.ListIDPGroupsInOrganization(l.t.Context(), "octo-org", &options)
	if err != nil {
		l.t.Fatal(err)
	}
	rest := 0
	if options.Page = resp.NextPageToken; name == "page" {
		for _, err := range c.Teams.ListIDPGroupsInOrganizationIter(l.t.Context(), "octo-org", &options) {
			if rest++; err != nil || rest > groups {
				l.t.Fatal(rest, err)
			}
		}
		equal(l.t, "groups after the first page, by the iterator", rest, groups-100)
		return
	}
	for options.After, options.Page = resp.After, ""; ; options.Page = resp.NextPageToken {
		page, next, err := c.Teams.ListIDPGroupsInOrganization(l.t.Context(), "octo-org", &options)
		if err != nil || rest > groups {
			l.t.Fatal(rest, err)
		}
		rest += len(page.Groups)
		if resp = next; resp.NextPageToken == "" {
			break
		}
	}
	equal(l.t, "groups after the first page, by pages", rest, groups-100)
}

func TestGoGitHubMapsATeam(t *testing.T) {
	l := newLab(t)
	c := l.library(mia) // a maintainer may, too
	set := github.IDPGroupList{Groups: []*github.IDPGroup{{
		GroupID: new("people:123"), GroupName: new("Octocat admins"), GroupDescription: new("The people who configure your octoworld."),
	}}}
	made, _, err := c.Teams.CreateOrUpdateIDPGroupConnectionsBySlug(t.Context(), "Octo-Org", "platform", set)
	if err != nil || len(made.Groups) != 1 || made.Groups[0].GetGroupName() != "Octocat admins" {
		t.Fatal(made, err)
	}
	l.until("the team holds who is in the group", func() bool { return l.members("platform") == "ada bob mia" })

	org, team := l.org.ID(), l.org.Team("platform").ID()
	set.Groups = append(set.Groups, &github.IDPGroup{GroupID: new("people:456"), GroupName: new("Docs"), GroupDescription: new("")})
	if _, _, err := c.Teams.CreateOrUpdateIDPGroupConnectionsByID(t.Context(), org, team, set); err != nil {
		t.Fatal(err)
	}
	l.until("both groups are in", func() bool { return l.members("platform") == "ada bob cyn mia" })
	bySlug, _, err := c.Teams.ListIDPGroupsForTeamBySlug(t.Context(), "octo-org", "platform")
	if err != nil {
		t.Fatal(err)
	}
	byID, _, err := c.Teams.ListIDPGroupsForTeamByID(t.Context(), org, team)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []*github.IDPGroupList{bySlug, byID} {
		if len(list.Groups) != 2 || list.Groups[1].GetGroupName() != "Docs" {
			t.Error(list)
		}
	}
	emptied, _, err := c.Teams.CreateOrUpdateIDPGroupConnectionsBySlug(t.Context(), "octo-org", "platform", github.IDPGroupList{Groups: []*github.IDPGroup{}})
	if err != nil || len(emptied.Groups) != 0 {
		t.Error(emptied, err)
	}
}

func TestGoGitHubKnowsEveryRefusal(t *testing.T) {
	l := newLab(t)
	six := github.IDPGroupList{}
	for _, id := range []string{"123", "456", "g000", "g001", "g002", "g003"} {
		six.Groups = append(six.Groups, &github.IDPGroup{GroupID: new("people:" + id), GroupName: new("x"), GroupDescription: new("")})
	}
	unknown := github.IDPGroupList{Groups: []*github.IDPGroup{{GroupID: new("people:none"), GroupName: new("x"), GroupDescription: new("")}}}
	for name, test := range map[string]struct {
		token, org, slug string
		set              github.IDPGroupList
		status           int
		message, code    string
	}{
		"six groups":              {olga, "octo-org", "platform", six, http.StatusUnprocessableEntity, "Validation Failed", "invalid"},
		"a group that is unknown": {olga, "octo-org", "platform", unknown, http.StatusUnprocessableEntity, "Validation Failed", "missing"},
		"no groups at all":        {olga, "octo-org", "platform", github.IDPGroupList{}, http.StatusUnprocessableEntity, "", "invalid"},
		"a team with children":    {olga, "octo-org", "engineering", six, http.StatusForbidden, "", ""},
		"a team that is not":      {olga, "octo-org", "nowhere", six, http.StatusNotFound, "Not Found", ""},
		"an unknown organization": {olga, "nobody-org", "platform", six, http.StatusNotFound, "Not Found", ""},
		"a member who may not":    {mark, "octo-org", "platform", six, http.StatusForbidden, "", ""},
		"a wrong credential":      {wrong, "octo-org", "platform", six, http.StatusUnauthorized, "Bad credentials", ""},
	} {
		_, _, err := l.library(test.token).Teams.CreateOrUpdateIDPGroupConnectionsBySlug(t.Context(), test.org, test.slug, test.set)
		refused, ok := errors.AsType[*github.ErrorResponse](err)
		if !ok {
			t.Errorf("%s: %T %v", name, err, err)
			continue
		}
		if refused.Response.StatusCode != test.status || refused.Message == "" || refused.DocumentationURL == "" || test.message != "" && refused.Message != test.message ||
			test.code != "" && (len(refused.Errors) != 1 || refused.Errors[0].Code != test.code) {
			t.Errorf("%s: %d %+v", name, refused.Response.StatusCode, refused)
		}
	}
	equal(t, "groups after it all", l.do("GET", "/orgs/octo-org/teams/platform/team-sync/group-mappings", olga, "").text, `{"groups":[]}`)
}

// Who is told to wait is told so in the form that libraries wait for: by a status alone they would give up.
func TestGoGitHubKnowsThatItHasToWait(t *testing.T) {
	l := newLab(t)
	for i := range 30 {
		_, _, err := l.library(wrong+string(rune('a'+i))).Teams.ListIDPGroupsForTeamBySlug(t.Context(), "octo-org", "platform")
		if limited, ok := errors.AsType[*github.AbuseRateLimitError](err); ok {
			if limited.RetryAfter == nil || *limited.RetryAfter <= 0 {
				t.Error("it does not say how long:", limited)
			}
			return
		}
		if refused, ok := errors.AsType[*github.ErrorResponse](err); !ok || refused.Response.StatusCode != http.StatusUnauthorized {
			t.Fatalf("after %d wrong credentials: %T %v", i, err, err)
		}
	}
	t.Fatal("thirty wrong credentials were looked at")
}
