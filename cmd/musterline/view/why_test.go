package view

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"musterline.example/answer"
)

func TestWhyOfSomebodyWhoIsNotLinkedSaysWhatToDo(t *testing.T) {
	for want, a := range map[string]answer.Answer{
		"nobody knows which account is theirs; once you know: musterline link add people/joe github.com/NUMBER --reason TEXT": {User: "people/joe", Host: "github.com"},
		"musterline link add SOURCE/USER github.com/17 --reason TEXT":                                                         {Account: answer.Known{ID: "17"}, Host: "github.com"},
		"link    none yet": {User: "people/kim", Held: &answer.WhyHeld{Reason: "not-a-member"}},
	} {
		var out bytes.Buffer
		Why(Screen{Out: &out, Width: 200}, a, time.Unix(0, 0))
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s\nwant %s", out.String(), want)
		}
	}
}
