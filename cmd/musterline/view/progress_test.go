package view

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/apply"
	"musterline.example/plan"
	"musterline.example/target"
	"musterline.example/team"
)

func TestProgressSaysWhatIsDoneAndHowLongTheRestTakes(t *testing.T) {
	var out bytes.Buffer
	now := noon
	p := &Progress{Screen: Screen{Out: &out, Width: 120}, Total: 60, Now: func() time.Time { return now }}
	p.Begin()
	write := func(slug string, act plan.Act, login string, result target.Result, err error) {
		now = now.Add(time.Second)
		p.Wrote(answer.WriteOf(apply.Written{Slug: slug, Change: plan.Change{Act: act, Login: login, Role: team.Member},
			Outcome: target.Outcome{Act: string(act), Result: result, Err: err}}))
	}
	write("data", plan.Add, "ada-l", target.Done, nil)
	write("data", plan.Remove, "bob", target.Already, nil)
	write("data", plan.Update, "eve", target.Done, nil)
	write("docs", plan.Add, "joe", target.Failed, errors.New("GitHub said 422: joe is not a member"))
	bar := p.Bar("docs + joe")
	p.End()
	if want := "  ██░░░░░░░░░░░░░░░░░░░░░░ 4 of 60, about 56 s left  docs + joe"; bar != want {
		t.Errorf("bar\n got %q\nwant %q", bar, want)
	}
	want := `  data  + ada-l, − bob (was so already), ~ eve as member (3 of 60, about 57 s left)
  docs  + joe failed (4 of 60, about 56 s left)
  ! docs: + joe failed: GitHub said 422: joe is not a member
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if p.Done != 3 || len(p.Failures) != 1 || p.Teams != 2 {
		t.Errorf("done %d, failures %d, teams %d", p.Done, len(p.Failures), p.Teams)
	}
}
