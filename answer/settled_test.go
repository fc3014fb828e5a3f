package answer_test

import (
	"strings"
	"testing"

	"musterline.example/answer"
	"musterline.example/store"
)

func TestWhatWasGivenForAnOrganizationEndsWhenTheFileNamesAnotherOne(t *testing.T) {
	s := open(t)
	s.sync()
	if _, err := s.CreateToken(t.Context(), answer.TokenWish{Name: "ci", Target: "octo", Role: "owner", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	ended := func() bool {
		t.Helper()
		all, _, err := s.Store.Tokens(t.Context(), "octo", store.Page{})
		if err != nil || len(all) != 1 {
			t.Fatalf("%d tokens, %v", len(all), err)
		}
		return !all[0].RevokedAt.IsZero()
	}
	s.reload(configuration)
	if ended() {
		t.Error("a start with the same organization ended the token")
	}
	s.reload(strings.Replace(configuration, "organization: octo-org", "organization: other-org", 1))
	if !ended() {
		t.Error("the token for one organization still stands for another")
	}
}
