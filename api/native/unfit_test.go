package native_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"musterline.example/answer"
	"musterline.example/store"
)

func TestWhatDoesNotFitIsShownToWhomItConcerns(t *testing.T) {
	l := newLab(t)
	for name, body := range map[string]string{"octo": `{"kind":"github","organization":"x","token":"x"}`, "third": `{"kind":"github","organization":"hex-org","token":"x"}`} {
		if _, err := l.house.Store.PutConfigured(t.Context(), store.Change{
			Section: "targets", Name: name, Body: []byte(strings.Replace(body, `"x"`, `"x","api_url":"`+l.house.Config.Targets["octo"].Values.Text("api_url")+`"`, 1)),
			Version: store.AnyVersion, By: "a time when the file said otherwise",
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.house.Store.PutConfigured(t.Context(), store.Change{
		Section: "settings", Name: "enterprise", Body: []byte(`{"organizations":["octo","gone"]}`), Version: store.AnyVersion, By: "a time when there was one more",
	}); err != nil {
		t.Fatal(err)
	}
	all := as[answer.Status](l.get("/status").want(200))
	if len(all.Unfit) != 2 && len(all.Unfit) != 3 {
		t.Errorf("%+v", all.Unfit)
	}
	theirs := as[answer.Status](l.ask("octo's owner", "GET", "/status", "").want(200))
	if len(theirs.Unfit) != 0 || len(theirs.Targets) != 1 || !slices.Equal(theirs.Targets[0].RestsOn, []string{"settings/enterprise"}) {
		t.Errorf("%+v", theirs)
	}
	l.post("/targets/octo/plan", "").want(http.StatusConflict).says("settings/enterprise")
	l.post("/targets/hex/plan", "").want(http.StatusBadGateway) // the simulated GitHub has no such organization: it was asked

	// Page by page, each once: the file defines the one that the API has made as well.
	var pages []string
	for next := ""; ; {
		page := as[struct {
			Rows []answer.Row
			Next string
		}](l.get("/targets?size=1" + next).want(200))
		for _, r := range page.Rows {
			pages = append(pages, r.Origin+"/"+r.Name)
		}
		if page.Next == "" || len(pages) > 9 {
			break
		}
		next = "&cursor=" + page.Next
	}
	if got := strings.Join(pages, " "); got != "file/octo file/hex api/octo api/third" {
		t.Error(got)
	}
}
