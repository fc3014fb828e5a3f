package signin_test

import (
	"testing"

	"musterline.example/answer"
)

func syncWish(target string) answer.SyncWish { return answer.SyncWish{Target: target, By: "a test"} }

func tokenOf(t *testing.T, l *lab, role string) string {
	t.Helper()
	made, err := l.house.CreateToken(t.Context(), answer.TokenWish{Name: role, Role: role, By: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	return made.Text
}
