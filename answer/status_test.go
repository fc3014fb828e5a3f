package answer_test

import (
	"strings"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/store"
)

func TestTheStatusOfATargetThatIsTurnedOffSaysByWhomAndWhen(t *testing.T) {
	s := open(t)
	status, err := s.Status(t.Context())
	if err != nil || status.Targets[0].Off != nil {
		t.Fatalf("%+v, %v", status.Targets, err)
	}
	row, err := s.Store.SetEnabled(t.Context(), "octo", store.Enabled{Keep: true}, 0, "joe")
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.House = s.another()
	if err := s.Hold(t.Context(), "a test"); err != nil {
		t.Fatal(err)
	}
	status, err = s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	off := status.Targets[0].Off
	if off == nil || off.By != "joe" || !off.At.Equal(row.At) || off.Members != "keep" {
		t.Errorf("turned off %+v", off)
	}
}

// Before a run has planned it, nobody is held; that nobody knows the account is true all the same.
func TestWhySaysOfSomebodyWhoIsNotLinkedThatTheyAreNot(t *testing.T) {
	now := time.Now()
	a := answer.Answer{User: "people/joe", Target: "octo", Team: answer.Known{Name: "docs"}, Mappings: []answer.WhyMapping{{Path: []string{"people/docs"}, Status: "active"}}}
	a.Conclude(now)
	if a.Verdict != "held" || !strings.Contains(a.Summary, "not linked to an account") {
		t.Errorf("%s: %s", a.Verdict, a.Summary)
	}
	a.Account.ID, a.Link = "17", &answer.Link{}
	a.Conclude(now)
	if a.Verdict != "waits" {
		t.Errorf("%s: %s", a.Verdict, a.Summary)
	}
}
