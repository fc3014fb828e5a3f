package answer_test

import (
	"testing"

	"musterline.example/answer"
)

const morePeople = `
users:
- { id: ada, accounts: { github: ada-l } }
- { id: bob, accounts: { github: bob } }
- { id: cy, accounts: { github: cy } }
groups:
- { id: docs, name: docs, members: [ada] }
- { id: platform, name: platform, members: [ada, bob, cy] }
`

// Who cancels a run or pauses its target wants it to stop, whoever carries it out.
func TestAnActEndsAfterTheWriteInHandWhenItIsCancelledOrItsTargetPaused(t *testing.T) {
	stops := map[string]func(s *street, run string) error{
		"cancelled by eve": func(s *street, run string) error {
			_, err := s.Cancel(s.t.Context(), run, "eve")
			return err
		},
		"the target was paused by eve: stop": func(s *street, _ string) error {
			_, err := s.Pause(s.t.Context(), answer.PauseWish{Target: "octo", By: "eve", Reason: "stop"})
			return err
		},
	}
	acts := map[string]func(s *street, begun func(string), tell func(answer.Progress)) (answer.Done, error){
		"sync": func(s *street, begun func(string), tell func(answer.Progress)) (answer.Done, error) {
			return s.Sync(s.t.Context(), answer.SyncWish{Target: "octo", Trigger: "person", By: "ann", Answered: true, Begun: begun}, tell)
		},
		"undo": func(s *street, begun func(string), tell func(answer.Progress)) (answer.Done, error) {
			s.sync()
			return s.Undo(s.t.Context(), answer.UndoWish{Run: "1", By: "ann", Begun: begun}, tell)
		},
	}
	for why, stop := range stops {
		for name, act := range acts {
			t.Run(name+", "+why, func(t *testing.T) {
				s := open(t)
				s.write("directory.yaml", morePeople)
				var run string
				writes := 0
				done, err := act(s, func(id string) { run = id }, func(p answer.Progress) {
					if p.Write == nil {
						return
					}
					if writes++; writes == 1 {
						if err := stop(s, run); err != nil {
							t.Error(err)
						}
					}
				})
				if class(err) != answer.Stopped || done.State != "cancelled" || writes != 1 || done.Words().Left != 1 {
					t.Errorf("%d writes, %+v, %v", writes, done, err)
				}
				status, err := s.RunStatus(t.Context(), run)
				if err != nil || status.State != "cancelled" || status.Error != why {
					t.Errorf("the run is %+v, %v", status, err)
				}
			})
		}
	}
}
