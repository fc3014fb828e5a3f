package native

import (
	"context"
	"fmt"
	"strconv"

	"musterline.example/answer"
)

// OfPlan names a plan as people look at it.
type OfPlan struct {
	Target string `path:"target" doc:"The target's name in the configuration."`
	Undo   string `query:"undo" doc:"The run whose undoing it is about; without one, the plan of a sync."`
}

// PartOfPlan chooses a page of a part of a plan.
type PartOfPlan struct {
	Page
	OfPlan

	Digest string `query:"digest" doc:"Of the plan that was shown: when there is a newer one, the answer is 412."`
	Text   string `query:"q" maxLength:"256" doc:"Only where a name has this part, in small letters or capitals."`
}

// choice is the part as the house knows it, with what a cursor of it is bound to.
func (p PartOfPlan) choice(part string, more ...string) (c answer.PlanChoice, of string, err error) {
	c = answer.PlanChoice{Target: p.Target, Undo: p.Undo, Digest: p.Digest, Text: p.Text, Size: p.size()}
	of = fmt.Sprintf("%q", append([]string{part, p.Target, p.Undo, p.Digest, p.Text}, more...))
	c.After, err = p.after(of)
	return c, of, err
}

// after reads a cursor that says how many were shown.
func (p Page) after(of string) (int, error) {
	at, err := p.at(of)
	if err != nil || at == "" {
		return 0, err
	}
	n, err := strconv.Atoi(at)
	if err != nil || n < 0 {
		return 0, answer.Usagef("the cursor was not given out for this list").WithHint("begin the list anew")
	}
	return n, nil
}

// further is the cursor of a list of so many, of which some were shown; empty at its end.
func further(of string, shown, total int) string {
	if shown >= total {
		return ""
	}
	return cursor(of, strconv.Itoa(shown))
}

type shownPlanList struct {
	Plans []answer.ShownPlan `json:"plans"`
	Next  string             `json:"next,omitempty"`
}

type changeList struct {
	answer.PlanChanges

	Next string `json:"next,omitempty"`
}

type heldList struct {
	answer.PlanHeld

	Next string `json:"next,omitempty"`
}

type refusedList struct {
	answer.PlanRefused

	Next string `json:"next,omitempty"`
}

type leavingList struct {
	answer.PlanLeaving

	Next string `json:"next,omitempty"`
}

// registerShown are plans as people look at them, page by page.
func (a *API) registerShown() {
	operate(a, op{
		id: "plans", route: "GET /plans", tag: "plans", summary: "The last plan of every target, in figures",
		promise: "Lists for each target that the caller may see the plan that was made last, by a run or to be looked at. A target without a plan is not listed. Reads nothing anew.",
	}, func(ctx context.Context, in *struct{ Page }) (*body[shownPlanList], error) {
		v, seen, err := a.among(ctx, "")
		if err != nil {
			return nil, err
		}
		configured, err := v.house.Configured(ctx)
		if err != nil {
			return nil, err
		}
		var names []string
		for _, name := range configured.TargetNames() {
			if seen.has(name) {
				names = append(names, name)
			}
		}
		page, next, err := cut(in.Page, "plans", names, func(name string) string { return name })
		if err != nil {
			return nil, err
		}
		list := shownPlanList{Plans: []answer.ShownPlan{}, Next: next}
		for _, name := range page {
			p, err := v.house.ShownPlan(ctx, name, "")
			if err != nil && answer.ErrorOf(err).Class == answer.Nothing {
				continue
			}
			if err != nil {
				return nil, err
			}
			list.Plans = append(list.Plans, p)
		}
		return told(list, nil)
	})
	operate(a, op{
		id: "shown-plan", route: "GET /targets/{target}/shown-plan", tag: "plans", summary: "The plan that was made last, in figures",
		promise: "Returns the plan that was made last, by a run or to be looked at, with what guards say of it. Its parts come by the page. Reads nothing anew.",
	}, func(ctx context.Context, in *OfPlan) (*body[answer.ShownPlan], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return told(v.house.ShownPlan(ctx, in.Target, in.Undo))
	})
	operate(a, op{
		id: "show-plan", route: "POST /targets/{target}/shown-plan", tag: "plans", summary: "Plan anew, to be looked at",
		promise: "Reads the sources and the target, says what a sync would change, or what taking back a run would, and keeps that for those who turn its pages. " +
			"Writes nothing at the target. May take as long as reading takes.",
	}, func(ctx context.Context, in *struct {
		OnTarget
		Body showWish
	}) (*body[answer.ShownPlan], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		return told(v.house.PlanShown(ctx, in.Target, in.Body.Undo, v.who))
	})
	operate(a, op{
		id: "plan-changes", route: "GET /targets/{target}/shown-plan/changes", tag: "plans", summary: "Changes of the plan that was made last",
		promise: "Returns changes by team, in order of slug, with their reasons and the guards that stop them. A page holds so many changes; a team may begin on one and go on on the next.",
		refuses: []int{412},
	}, func(ctx context.Context, in *struct {
		PartOfPlan
		Teams    []string `query:"team,explode" doc:"Only these teams: slugs or ids."`
		Guards   []string `query:"guard,explode" doc:"Only changes that one of these guards stops."`
		Act      string   `query:"act" enum:"add,remove,update,create" doc:"Only changes of this sort."`
		Objected bool     `query:"objected" doc:"Only changes that some guard stops."`
	}) (*body[changeList], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		c, of, err := in.choice("changes", fmt.Sprintf("%q %q %q %v", in.Teams, in.Guards, in.Act, in.Objected))
		if err != nil {
			return nil, err
		}
		c.Teams, c.Guards, c.Act, c.Objected = in.Teams, in.Guards, in.Act, in.Objected
		page, err := v.house.PlanChanges(ctx, c)
		return told(changeList{page, further(of, c.After+c.Size, page.Total)}, err)
	})
	a.registerShownParts()
}

type showWish struct {
	Undo string `json:"undo,omitempty" doc:"The run whose undoing is to be planned; without one, a sync."`
}

// registerShownParts are those whom a plan leaves where they are.
func (a *API) registerShownParts() {
	operate(a, op{
		id: "plan-held", route: "GET /targets/{target}/shown-plan/held", tag: "plans", summary: "Who is held in the plan that was made last",
		promise: "Returns people who should be in a team and cannot be yet, by reason: first what a person has to decide.", refuses: []int{412},
	}, func(ctx context.Context, in *struct {
		PartOfPlan
		Reason string `query:"reason" doc:"Only those held for this reason."`
	}) (*body[heldList], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		c, of, err := in.choice("held", in.Reason)
		if err != nil {
			return nil, err
		}
		c.Reason = in.Reason
		page, err := v.house.PlanHeld(ctx, c)
		return told(heldList{page, further(of, c.After+c.Size, page.Total)}, err)
	})
	operate(a, op{
		id: "plan-refused", route: "GET /targets/{target}/shown-plan/refused", tag: "plans", summary: "Mappings that the plan that was made last does not carry out",
		promise: "Returns mappings that are not carried out, each with the reason, in order of team.", refuses: []int{412},
	}, func(ctx context.Context, in *PartOfPlan) (*body[refusedList], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		c, of, err := in.choice("refused")
		if err != nil {
			return nil, err
		}
		page, err := v.house.PlanRefused(ctx, c)
		return told(refusedList{page, further(of, c.After+c.Size, page.Total)}, err)
	})
	operate(a, op{
		id: "plan-leaving", route: "GET /targets/{target}/shown-plan/leaving", tag: "plans", summary: "Who leaves a team at a known time",
		promise: "Returns members in grace in the plan that was made last, the first to leave first.", refuses: []int{412},
	}, func(ctx context.Context, in *PartOfPlan) (*body[leavingList], error) {
		v, err := a.on(ctx, in.Target)
		if err != nil {
			return nil, err
		}
		c, of, err := in.choice("leaving")
		if err != nil {
			return nil, err
		}
		page, err := v.house.PlanLeaving(ctx, c)
		return told(leavingList{page, further(of, c.After+c.Size, page.Total)}, err)
	})
}

type writeList struct {
	answer.RunWrites

	Next string `json:"next,omitempty"`
}

type journalList struct {
	Entries []answer.JournalEntry `json:"entries"`
	Next    string                `json:"next,omitempty"`
}

// registerShownRuns are runs and the audit record as people look at them.
func (a *API) registerShownRuns() {
	operate(a, op{
		id: "shown-run", route: "GET /runs/{run}/summary", tag: "runs", summary: "One run, in figures",
		promise: "Returns how a run goes or went: who asked for it and why, how far it is, how many of its writes ended in what way, and which run has undone it.",
	}, func(ctx context.Context, in *OfRun) (*body[answer.ShownRun], error) {
		v, err := a.run(ctx, in.Run)
		if err != nil {
			return nil, err
		}
		return told(v.house.ShownRun(ctx, in.Run))
	})
	operate(a, op{
		id: "run-writes", route: "GET /runs/{run}/writes", tag: "runs", summary: "What a run wrote or tried to, by the page",
		promise: "Returns writes of a run in order, each with its reason, the waiver that it needed, and how it ended.",
	}, func(ctx context.Context, in *struct {
		Page
		OfRun
		Result string `query:"result" enum:"open,done,already,pending,failed,skipped,seen,not-done" doc:"Only writes that ended so; open: those that have not ended."`
		Text   string `query:"q" maxLength:"256" doc:"Only where the login or the team's slug has this part."`
	}) (*body[writeList], error) {
		v, err := a.run(ctx, in.Run)
		if err != nil {
			return nil, err
		}
		of := fmt.Sprintf("%q", []string{"writes", in.Run, in.Result, in.Text})
		after, err := in.after(of)
		if err != nil {
			return nil, err
		}
		page, err := v.house.RunWrites(ctx, answer.WritesWish{Run: in.Run, Result: in.Result, Text: in.Text, After: after, Size: in.size()})
		next := ""
		if page.More {
			next = cursor(of, strconv.Itoa(after+in.size()))
		}
		return told(writeList{page, next}, err)
	})
	operate(a, op{
		id: "audit-journal", route: "GET /audit/journal", tag: "audit", summary: "The audit record in words, the newest first",
		promise: "Returns a page of the record, the newest entry first, each with what it says in words and its body line by line. The export has the bodies as they are.",
	}, func(ctx context.Context, in *struct {
		Page
		AuditChoice
	}) (*body[journalList], error) {
		v, f, err := a.audited(ctx, in.AuditChoice)
		if err != nil {
			return nil, err
		}
		of := fmt.Sprintf("journal %+v", f)
		before, err := in.after(of)
		if err != nil {
			return nil, err
		}
		f.Before, f.Limit = int64(before), in.size()
		found, err := v.house.Journal(ctx, f)
		list := journalList{Entries: found.Entries}
		if found.More {
			list.Next = cursor(of, strconv.FormatInt(found.Entries[len(found.Entries)-1].Seq, 10))
		}
		return told(list, err)
	})
}

// audited lets the caller in to the part of the audit record that they choose and may see.
func (a *API) audited(ctx context.Context, choice AuditChoice) (*visit, answer.AuditFilter, error) {
	v, seen, err := a.among(ctx, choice.Target)
	if err != nil {
		return nil, answer.AuditFilter{}, err
	}
	f := choice.filter(choice.Target)
	if len(seen) == 1 {
		f.Target = seen[0]
	}
	f.Targets = seen
	return v, f, nil
}
