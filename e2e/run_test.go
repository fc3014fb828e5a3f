package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"musterline.example/internal/githubsim"
)

// slowly makes of the company one whose first sync takes a while: thirty people join three teams, one write after another at this pace.
func (l *lab) slowly(pace string) {
	l.t.Helper()
	mappings := ""
	for i, team := range []string{"One", "Two", "Three"} {
		var ids []string
		for k := range 10 {
			id := fmt.Sprintf("p%d%d", i, k)
			l.org.AddMember(id + "-gh")
			l.people.hires(id, "Person "+id, id+"-gh")
			ids = append(ids, id)
		}
		l.people.forms(team, ids...)
		l.org.AddTeam(team)
		mappings += fmt.Sprintf("  - { team: northlight/%s, groups: [people/%s] }\n", strings.ToLower(team), team)
	}
	head, _, _ := strings.Cut(settings, "mappings:")
	l.write("musterline.yaml", strings.Replace(head, "pace: 0s", "pace: "+pace, 1)+"mappings:\n"+mappings)
}

// joined are how many people are in the three teams.
func (l *lab) joined() int {
	n := 0
	for _, team := range []string{"one", "two", "three"} {
		for _, role := range l.org.Team(team).Members() {
			if role == githubsim.Member {
				n++
			}
		}
	}
	return n
}

// lines are the writes that the page has shown as they happened.
func (b *tab) lines() int {
	b.t.Helper()
	return eval[int](b, `document.querySelectorAll('[role="log"] .change').length`)
}

// A run is watched while it writes, and ended after the write in hand.
func TestALiveRunIsFollowedAndCancelled(t *testing.T) {
	l := newLab(t)
	l.slowly("800ms")
	letGo := l.hold(3)
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/runs")
	b.see("Running")
	b.click("link", "Run 1")
	b.see("Progress", "of 30 writes", "left, as it goes now")
	b.wait("three writes are shown", func() bool { return b.lines() >= 3 })
	b.axe()
	b.shot("live-light")
	b.click("button", "Cancel run")
	b.see("It ends after the write in hand")
	b.confirm("Cancel run")
	b.see("Being cancelled")
	letGo()
	b.see("Cancelled", "It was cancelled", "About this run")
	n := l.joined()
	if n != 4 {
		t.Errorf("after the write in hand, the fourth, %d people have joined", n)
	}
	b.see(fmt.Sprintf("Done %d", n))
	if l.joined() != n {
		t.Error("it has gone on")
	}
}

// The server starts again in the middle of a run: the page says that it reconnects, goes on where it was, and shows no write twice.
func TestTheServerStartsAgainDuringALiveRun(t *testing.T) {
	l := newLab(t)
	l.slowly("100ms")
	letGo := l.hold(3)
	l.serve()
	b := l.signIn("root", "administrator")
	b.expect("ERR_", "Failed to load resource")
	b.open("/console/runs/1")
	b.wait("three writes are shown", func() bool { return b.lines() >= 3 })
	letGo()
	l.stop()
	b.see("Reconnecting…")
	b.shot("reconnecting-light")
	_ = eval[bool](b, `(() => { window.twice = ""; const log = document.querySelector('[role="log"]'); new MutationObserver(() => {
		const done = [...log.querySelectorAll(".change")].map(e => e.innerText).filter(t => t.includes("Done"))
		window.twice = done.find((t, i) => done.indexOf(t) !== i) || window.twice
	}).observe(log, {childList: true, subtree: true}); return true })()`)
	at := b.lines()
	l.serve()
	b.wait("it goes on", func() bool { return b.lines() > at || b.there("heading", "Writes") })
	b.see("Done 30", "About this run")
	if got := l.joined(); got != 30 {
		t.Errorf("%d people have joined", got)
	}
	if twice := eval[string](b, "window.twice"); twice != "" {
		t.Errorf("shown twice was %s", twice)
	}
}

// The session ends while somebody follows a run: the page says so, and goes on with what was written meanwhile once they have signed in again.
func TestWhoseSessionEndsDuringALiveRunSignsInAndFollowsOn(t *testing.T) {
	l := newLab(t)
	l.slowly("100ms")
	letGo := l.hold(3)
	l.serve()
	b := l.signIn("root", "administrator")
	b.expect("401", "ERR_")
	b.open("/console/runs/1")
	b.wait("three writes are shown", func() bool { return b.lines() >= 3 })
	other := l.signIn("fay", "administrator")
	other.open("/console/settings/sessions")
	other.click("button", "End the session of root")
	other.confirm("End session")
	other.gone("root (sign-in link)")
	b.see("Your session has ended", "Not followed any more")
	again := b.another()
	again.open(l.link("root", "administrator"))
	again.click("button", "Sign in")
	again.see("Overview")
	b.wait("the page goes on, by itself or when asked", func() bool {
		for _, n := range b.find("button", "Go on") {
			b.tryClick(n)
		}
		return !strings.Contains(b.text(), "Your session has ended")
	})
	b.gone("Not followed any more")
	letGo()
	b.see("Done 30", "About this run")
}

// The server ends what somebody follows with an error, as when its database is away: the page says its words, and goes on.
func TestAnErrorDuringALiveRunIsToldAndItIsFollowedOn(t *testing.T) {
	l := newLab(t)
	l.slowly("100ms")
	letGo := l.hold(3)
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/runs")
	b.see("Running")
	_ = eval[bool](b, `(() => { window.streams = []; window.EventSource = class extends EventSource { constructor(...a) { super(...a); streams.push(this) } }; return true })()`)
	b.click("link", "Run 1")
	b.wait("three writes are shown", func() bool { return b.lines() >= 3 })
	_ = eval[bool](b, `(() => { window.said = ""; new MutationObserver(() => { said += document.body.innerText }).observe(document.body, {childList: true, subtree: true, characterData: true})
		return streams.at(-1).dispatchEvent(new MessageEvent("error", {data: JSON.stringify({class: "unavailable", message: "the database does not answer"})})) })()`)
	b.wait("it is connected again", func() bool { return eval[int](b, "streams.length") > 1 })
	if said := eval[string](b, "said"); !strings.Contains(said, "The database does not answer. The run goes on") {
		t.Errorf("the page has said %s", said)
	}
	letGo()
	b.see("Done 30", "About this run")
}

// What a run has done is taken back: the page shows first what that changes, asks why, does it, and says that the organization is paused.
func TestARunIsUndone(t *testing.T) {
	l := newLab(t)
	before := l.members("platform")
	l.run("sync", "--config", "musterline.yaml")
	if l.members("platform") == before {
		t.Fatal("the sync has changed nothing")
	}
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/runs/1")
	b.click("link", "Undo…")
	b.see("Undo run 1", "ben-o", "cleo-m", "gus-f", "The organization will be paused")
	b.click("button", "Undo 3 changes")
	b.see("Say why")
	b.axe()
	b.fill("Reason", "The wrong group was mapped")
	b.click("button", "Undo 3 changes")
	b.see("Undo of run 1", "Writes 3", "Done")
	if got := l.members("platform"); got != before {
		t.Errorf("in the team are %s, and were %s", got, before)
	}
	b.open(plan)
	b.see("The organization is paused", "The wrong group was mapped")
	b.open("/console/runs/1")
	b.see("This run was undone")
}

// What a run has cost is told where it is listed and on its page, in the figures of the command line.
func TestARunSaysHowManyCallsItMade(t *testing.T) {
	l := newLab(t)
	l.run("sync", "--config", "musterline.yaml")
	var status struct {
		Targets []struct {
			Run struct{ Calls, Cost int }
		}
	}
	if err := json.Unmarshal([]byte(l.run("status", "--json", "--config", "musterline.yaml")), &status); err != nil {
		t.Fatal(err)
	}
	run := status.Targets[0].Run
	if run.Calls < 4 || run.Cost < 4 {
		t.Fatalf("three writes have cost %+v", run)
	}
	l.serve()
	b := l.signIn("root", "administrator")
	b.open("/console/runs")
	b.see("3 writes · " + strconv.Itoa(run.Calls) + " calls")
	b.open("/console/runs/1")
	b.see("Calls to the target", fmt.Sprintf("%d, which cost %d points of what its rate limit allows", run.Calls, run.Cost))
}
