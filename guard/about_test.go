package guard

import "testing"

func TestEveryGuardSaysWhatItObjectsTo(t *testing.T) {
	for _, name := range Names() {
		if About(name) == "" {
			t.Errorf("nothing is said of %s", name)
		}
	}
	if len(abouts) != len(Names()) {
		t.Errorf("%d guards are told of, and there are %d", len(abouts), len(Names()))
	}
	if About("no_such") != "" {
		t.Error("something is said of a guard that there is not")
	}
}
