package github

import (
	"fmt"
	"testing"
	"time"
)

// However many strangers come, the callers that are remembered are so many and no more, and those who came last.
func TestACrowdOfStrangersIsForgottenInTheOrderInWhichItCame(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	q := newQuotas(100, func() time.Time { return now })
	q.see("the first", 100, 7)
	for i := range quotaCallers - 1 {
		q.see(fmt.Sprint("stranger ", i), 100, 1)
		if i%1000 == 0 {
			now = now.Add(time.Second)
		}
	}
	if s := q.see("the first", 100, 1); s.Used != 8 {
		t.Errorf("there is room, and the first is forgotten: %+v", s)
	}
	q.see("one more", 100, 1)
	if len(q.windows) != quotaCallers || q.order.Len() != quotaCallers {
		t.Errorf("%d and %d are remembered", len(q.windows), q.order.Len())
	}
	if s := q.see("stranger 0", 100, 0); s.Used != 1 {
		t.Errorf("another than the first is forgotten: %+v", s)
	}
	if s := q.see("the first", 100, 0); s.Used != 0 || s.Reset != now.Add(quotaWindow).Unix() {
		t.Errorf("the first is not forgotten: %+v", s)
	}
}

func TestAnHourThatIsOverBeginsAnewAtTheEndOfTheLine(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	q := newQuotas(100, func() time.Time { return now })
	q.see("a", 100, 5)
	now = now.Add(time.Minute)
	q.see("b", 100, 5)
	now = now.Add(quotaWindow - time.Minute)
	if s := q.see("a", 100, 1); s.Used != 1 || s.Reset != now.Add(quotaWindow).Unix() {
		t.Errorf("a: %+v", s)
	}
	if s := q.see("b", 100, 1); s.Used != 6 {
		t.Errorf("b: %+v", s)
	}
	if w, _ := q.order.Front().Value.(*window); w.caller != "b" || q.order.Len() != 2 {
		t.Errorf("the next to be forgotten is %s of %d", w.caller, q.order.Len())
	}
}

// BenchmarkAStrangerInACrowd is what a stranger costs when as many are remembered as can be.
func BenchmarkAStrangerInACrowd(b *testing.B) {
	now := time.Unix(1_000_000, 0)
	q := newQuotas(100, func() time.Time { return now })
	for i := range quotaCallers {
		q.see(fmt.Sprint("stranger ", i), 100, 1)
	}
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprint("newcomer ", i)
	}
	for i := 0; b.Loop(); i++ {
		q.see(names[i%len(names)], 100, 1)
	}
}
