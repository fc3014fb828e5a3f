package native

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"musterline.example/answer"
	"musterline.example/store"
)

// What another program does with the database passes, and is no fault of this one.
func TestWhoMeetsALockedDatabaseIsToldToComeBack(t *testing.T) {
	for name, err := range map[string]error{
		"another has the lock":                      fmt.Errorf("the lock was lost, and is not had again: %w: musterline sync on host7", store.ErrLocked),
		"the lock was lost, and nobody else has it": errors.New("the lock was lost with its connection: dial host7: refused"),
		"a server about to stop":                    answer.Errorf(answer.Unavailable, "the server is about to stop"),
	} {
		p := problemOf(err)
		if p.GetStatus() != http.StatusServiceUnavailable || p.GetHeaders().Get("Retry-After") != "5" || strings.Contains(p.Body.Message+p.Body.Hint, "host7") {
			t.Errorf("%s: %d, %v, %+v", name, p.GetStatus(), p.GetHeaders(), p.Body)
		}
	}
	if p := problemOf(store.ErrNotFound); p.GetHeaders().Get("Retry-After") != "" {
		t.Error("to come back is said to whoever asks for what is not there")
	}
}
