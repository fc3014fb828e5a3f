package answer_test

import (
	"testing"

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
