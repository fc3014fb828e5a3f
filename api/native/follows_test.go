package native_test

import (
	"net/http"
	"testing"
	"time"

	"musterline.example/answer"
)

// Nobody who has said yes has to ask for the sync as well.
func TestASyncFollowsAnApproval(t *testing.T) {
	l := newLab(t)
	l.work()
	l.ask("octo's owner", "POST", "/targets/octo/sync", `{}`).want(http.StatusAccepted)
	runs := func() []answer.Run {
		t.Helper()
		return as[struct{ Runs []answer.Run }](l.get("/runs?target=octo").want(200)).Runs
	}
	ended := func() bool {
		for _, r := range runs() {
			if r.FinishedAt.IsZero() {
				return false
			}
		}
		return len(runs()) > 0 && len(as[answer.Requests](l.get("/targets/octo/requests").want(200)).Requests) == 0
	}
	until := func(what string, so func() bool) {
		t.Helper()
		for range 3000 {
			if so() {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("it never came that %s", what)
	}
	until("the first sync has ended", ended)
	if got := l.members("docs"); got != "ada-l cy" && got != "ada-l ann cy" {
		t.Fatalf("docs holds %s before anybody has approved", got)
	}
	l.ask("octo's owner", "POST", "/targets/octo/approvals", `{"teams":["docs"],"reason":"seen"}`).want(200)
	until("the next has ended", func() bool { return l.members("docs") == "ada-l" && ended() })
	if last := runs()[0]; last.Requester != "token octo's owner" || last.Trigger != "person" {
		t.Errorf("%+v", last)
	}
	if got := l.members("platform"); got != "ada-l bob dee eve" {
		t.Errorf("platform holds %s, which nobody has approved", got)
	}
}
