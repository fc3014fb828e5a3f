package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	lib "github.com/google/go-github/v92/github"

	"musterline.example/directory"
)

// client is go-github against the API, as it is told of a GitHub Enterprise Server.
func (l *lab) client(token string) *lib.Client {
	l.t.Helper()
	c, err := lib.NewClient(lib.WithEnterpriseURLs(l.web.URL, l.web.URL), lib.WithAuthToken(token))
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

func TestGoGitHubIsServed(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		ctx := t.Context()
		l.many("corp", "Group", 250)
		c := l.client(ann)

		var groups []*lib.IDPGroup
		opts := &lib.ListIDPGroupsOptions{ListCursorOptions: lib.ListCursorOptions{PerPage: 100}}
		for pages := 1; ; pages++ {
			page, resp, err := c.Teams.ListIDPGroupsInOrganization(ctx, "acme", opts)
			if err != nil {
				t.Fatal(err)
			}
			groups = append(groups, page.Groups...)
			if resp.NextPage != 0 {
				t.Fatal("the cursor was taken for the number of a page")
			}
			if opts.Page = resp.NextPageToken; opts.Page == "" {
				equal(t, "pages", pages, 3)
				break
			}
		}
		equal(t, "groups", len(groups), 250)
		page, _, err := c.Teams.ListIDPGroupsInOrganization(ctx, "acme", &lib.ListIDPGroupsOptions{Query: "group 01"})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "groups that begin so", len(page.Groups), 30)

		set := lib.IDPGroupList{Groups: groups[:2]}
		made, _, err := c.Teams.CreateOrUpdateIDPGroupConnectionsBySlug(ctx, "acme", "platform", set)
		if err != nil || len(made.Groups) != 2 {
			t.Fatal(made, err)
		}
		bySlug, _, err := c.Teams.ListIDPGroupsForTeamBySlug(ctx, "acme", "platform")
		if err != nil || len(bySlug.Groups) != 2 || bySlug.Groups[0].GetGroupID() != groups[0].GetGroupID() {
			t.Fatal(bySlug, err)
		}
		set.Groups = groups[2:5]
		if _, _, err := c.Teams.CreateOrUpdateIDPGroupConnectionsByID(ctx, l.acme.ID(), l.acme.Team("platform").ID(), set); err != nil {
			t.Fatal(err)
		}
		byID, _, err := c.Teams.ListIDPGroupsForTeamByID(ctx, l.acme.ID(), l.acme.Team("platform").ID())
		if err != nil || len(byID.Groups) != 3 {
			t.Fatal(byID, err)
		}

		set.Groups = groups[:6]
		_, _, err = c.Teams.CreateOrUpdateIDPGroupConnectionsBySlug(ctx, "acme", "platform", set)
		refused, ok := errors.AsType[*lib.ErrorResponse](err)
		if !ok || refused.Response.StatusCode != http.StatusUnprocessableEntity || refused.Message != "Validation Failed" || len(refused.Errors) != 1 ||
			refused.Errors[0].Code != "invalid" || refused.DocumentationURL == "" {
			t.Errorf("six groups: %+v", err)
		}
		_, _, err = l.client(wrong).Teams.ListIDPGroupsForTeamBySlug(ctx, "acme", "platform")
		if refused, ok := errors.AsType[*lib.ErrorResponse](err); !ok || refused.Response.StatusCode != http.StatusUnauthorized {
			t.Error(err)
		}
		emptied, _, err := c.Teams.CreateOrUpdateIDPGroupConnectionsBySlug(ctx, "acme", "platform", lib.IDPGroupList{Groups: []*lib.IDPGroup{}})
		if err != nil || len(emptied.Groups) != 0 {
			t.Error(emptied, err)
		}

		org, _, err := c.Organizations.Get(ctx, "acme")
		if err != nil || org.GetID() != l.acme.ID() {
			t.Error(org, err)
		}
		user, _, err := c.Users.Get(ctx, "")
		if err != nil || user.GetLogin() != "ann" {
			t.Error(user, err)
		}
		limits, _, err := c.RateLimit.Get(ctx)
		if err != nil || limits.Core.Limit != 100_000 {
			t.Error(limits, err)
		}
	})
}

// What terraform's provider sends, in its order: https://github.com/integrations/terraform-provider-github,
// resource_github_team_sync_group_mapping.go.
func TestTerraformsSequences(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		headers := []string{
			"Accept", "application/vnd.github.v3+json,application/vnd.github.stone-crop-preview+json", "X-GitHub-Api-Version", "2022-11-28",
			"Content-Type", "application/json",
		}
		path := "/api/v3" + mappings
		get := func(tag string) answer {
			return l.get(path, ann, append(slices.Clone(headers), "If-None-Match", tag)...)
		}
		patch := func(body string) answer { return l.do(http.MethodPatch, path, ann, body+"\n", headers...) }

		l.get("/api/v3/orgs/acme", ann, headers...).want(t, http.StatusOK)
		patch(wish("1", "2")).want(t, http.StatusOK) // create
		created := get("").want(t, http.StatusOK)
		get(created.header.Get("ETag")).want(t, http.StatusNotModified) // refresh without drift
		patch(`{"groups":[]}`).want(t, http.StatusOK)                   // a change of groups is both at once
		patch(wish("2", "3")).want(t, http.StatusOK)
		equal(t, "after a change", get(created.header.Get("ETag")).want(t, http.StatusOK).ids(), "corp:2 corp:3")
		lost, err := l.store.Disconnects(t.Context(), "octo")
		if err != nil || len(lost) == 0 || !lost[0].Until.After(l.clock()) {
			t.Error("nobody is to leave at once:", lost, err)
		}
		// After a 403 of a secondary limit the provider repeats the PATCH without its body.
		l.do(http.MethodPatch, path, ann, "", headers...).want(t, http.StatusUnprocessableEntity)
		equal(t, "after an empty body", get("").ids(), "corp:2 corp:3")
		patch(`{"groups":[]}`).want(t, http.StatusOK) // destroy
		equal(t, "after destroy", get("").want(t, http.StatusOK).text, `{"groups":[]}`)
		equal(t, "entries", len(l.entries("platform")), 4)
	})
}

// The samples of GitHub's documentation as they are printed, host and ids aside.
func TestTheSamplesOfTheDocumentationWork(t *testing.T) {
	l := newLab(t)
	l.read("corp", directory.Group{ID: "123", Name: "Octocat admins", Description: "The people who configure your octoworld."})
	for _, curl := range []struct{ method, path, body string }{
		{http.MethodGet, list, ""},
		{http.MethodGet, mappings, ""},
		{http.MethodPatch, mappings, `{"groups":[{"group_id":"corp:123","group_name":"Octocat admins","group_description":"The people who configure your octoworld."}]}`},
		{http.MethodPatch, mappings, `{"groups":[{"group_id":"corp:123","group_name":"Octocat admins","description":"x","group_description":"The people who configure your octoworld."}]}`},
	} {
		headers := []string{"Accept", "application/vnd.github+json", "X-GitHub-Api-Version", "2022-11-28"}
		if curl.body != "" {
			headers = append(headers, "Content-Type", "application/x-www-form-urlencoded") // which curl -d says
		}
		l.do(curl.method, curl.path, ann, curl.body, headers...).want(t, http.StatusOK)
	}
	equal(t, "name", l.get(mappings, ann).body.Groups[0].Name, "Octocat admins")
	equal(t, "id", fmt.Sprint(l.get(mappings, ann).ids()), "corp:123")
}
