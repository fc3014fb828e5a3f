package marked_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"musterline.example/internal/marked"
)

// A record is what answers are about: it changes, and counts who looks.
type record struct {
	value, marks, reads atomic.Int64
}

func (r *record) mark(context.Context) (string, error) {
	r.marks.Add(1)
	return strconv.FormatInt(r.value.Load(), 10), nil
}

func (r *record) read(context.Context) (int64, error) {
	r.reads.Add(1)
	return r.value.Load(), nil
}

func (r *record) get(t *testing.T, ctx context.Context, a *marked.Answers) int64 { //nolint:revive // a test comes first
	t.Helper()
	v, err := marked.Get(ctx, a, "what", r.read)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAnAnswerIsReadAgainOnlyAfterAChange(t *testing.T) {
	r := &record{}
	a := marked.New(r.mark)
	for range 3 {
		r.get(t, t.Context(), a)
	}
	if r.reads.Load() != 1 || r.marks.Load() != 3 {
		t.Errorf("%d reads and %d marks for three requests", r.reads.Load(), r.marks.Load())
	}
	r.value.Store(7)
	if got := r.get(t, t.Context(), a); got != 7 {
		t.Errorf("after the change the answer is %d", got)
	}
}

func TestQuestionsOfDifferentSortsDoNotMeet(t *testing.T) {
	type team string
	r := &record{}
	a := marked.New(r.mark)
	r.get(t, t.Context(), a)
	got, err := marked.Get(t.Context(), a, team("what"), func(context.Context) (string, error) { return "a team", nil })
	if err != nil || got != "a team" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestOneRequestRestsOnOneMark(t *testing.T) {
	r := &record{}
	a := marked.New(r.mark)
	ctx := marked.Request(t.Context())
	for range 3 {
		r.get(t, ctx, a)
	}
	if r.marks.Load() != 1 {
		t.Errorf("%d marks for one request", r.marks.Load())
	}
}

func TestWhoComesWhileAMarkIsReadIsToldTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, marks atomic.Int64
		hold := make(chan struct{})
		a := marked.New(func(context.Context) (string, error) {
			mark := strconv.FormatInt(now.Load(), 10)
			if marks.Add(1) == 1 {
				<-hold
			}
			return mark, nil
		})
		var all sync.WaitGroup
		answers := make([]int64, 11)
		ask := func(i int) {
			all.Go(func() {
				v, err := marked.Get(t.Context(), a, "what", func(context.Context) (int64, error) { return now.Load(), nil })
				if err != nil {
					t.Error(err)
				}
				answers[i] = v
			})
		}
		ask(0)
		synctest.Wait() // its mark is being read
		now.Store(5)
		for i := range 10 {
			ask(i + 1)
		}
		synctest.Wait()
		close(hold)
		all.Wait()
		for i, v := range answers[1:] {
			if v != 5 {
				t.Errorf("who came %d after the change was told %d", i, v)
			}
		}
		if marks.Load() != 2 {
			t.Errorf("%d marks were read for one before the change and ten after it", marks.Load())
		}
	})
}

func TestWhatWentWrongIsNotKept(t *testing.T) {
	wrong := errors.New("no answer")
	var times int
	a := marked.New(func(context.Context) (string, error) {
		if times++; times == 1 {
			return "", wrong
		}
		if times == 2 {
			panic("a fault")
		}
		return "x", nil
	})
	ask := func(err error) error {
		_, got := marked.Get(t.Context(), a, "what", func(context.Context) (int, error) { return 1, err })
		return got
	}
	if err := ask(nil); !errors.Is(err, wrong) {
		t.Errorf("the mark failed: %v", err)
	}
	if err := ask(nil); err == nil || !strings.Contains(err.Error(), "a fault") {
		t.Errorf("the mark panicked: %v", err)
	}
	if err := ask(wrong); !errors.Is(err, wrong) {
		t.Errorf("the answer failed: %v", err)
	}
	if err := ask(nil); err != nil {
		t.Errorf("then it went well: %v", err)
	}
}

func TestWhoGivesUpDoesNotTakeTheAnswerFromTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		a := marked.New(func(ctx context.Context) (string, error) {
			<-hold
			return "x", ctx.Err()
		})
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		get := func(ctx context.Context, want error) {
			all.Go(func() {
				if _, err := marked.Get(ctx, a, "what", func(context.Context) (int, error) { return 1, nil }); !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			})
		}
		get(ctx, context.Canceled)
		synctest.Wait()
		get(t.Context(), nil)
		synctest.Wait()
		leave()
		synctest.Wait()
		close(hold)
		all.Wait()
	})
}

func TestNoMoreIsKeptThanAFewThousandAnswers(t *testing.T) {
	r := &record{}
	a := marked.New(r.mark)
	for i := range 5000 {
		if _, err := marked.Get(t.Context(), a, i, func(context.Context) (int, error) { return i, nil }); err != nil {
			t.Fatal(err)
		}
	}
	asked := false
	if _, err := marked.Get(t.Context(), a, 0, func(context.Context) (int, error) { asked = true; return 0, nil }); err != nil || !asked {
		t.Errorf("the first of many answers is still kept: %v", err)
	}
}
