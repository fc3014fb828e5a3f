package together_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"musterline.example/internal/together"
)

func TestAPanicIsThatOfWhoeverWaitsAndCutsOffNoOther(t *testing.T) {
	var g together.Group
	var done atomic.Int64
	for i := range 10 {
		g.Go(func() {
			if i == 3 {
				brokenHere()
			}
			done.Add(1)
		})
	}
	defer func() {
		f, ok := recover().(*together.Fault)
		if !ok || f.Value != "a test" || !strings.Contains(f.Error(), "brokenHere") {
			t.Errorf("%+v", f)
		}
		if done.Load() != 9 {
			t.Errorf("%d have ended", done.Load())
		}
	}()
	g.Wait()
	t.Error("nothing was said of the panic")
}

func brokenHere() { panic("a test") }

func TestWithoutAPanicAGroupWaitsForAll(t *testing.T) {
	var g together.Group
	var done atomic.Int64
	for range 10 {
		g.Go(func() { done.Add(1) })
	}
	g.Wait()
	if done.Load() != 10 {
		t.Errorf("%d have ended", done.Load())
	}
}
