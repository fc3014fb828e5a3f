package github_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"musterline.example/store"
)

// Between the look at the settings and the write somebody may turn the organization off.
func TestAPatchOfAnOrganizationThatIsTurnedOffMeanwhileIsRefused(t *testing.T) {
	each(t, func(t *testing.T, l *lab) {
		if _, err := l.store.SetEnabled(context.Background(), "octo", store.Enabled{Keep: true}, 0, "joe"); err != nil {
			t.Fatal(err)
		}
		a := l.do(http.MethodPatch, mappings, ann, wish("1")).want(t, http.StatusForbidden)
		if !strings.Contains(a.body.Message, "not externally managed") {
			t.Error(a.text)
		}
		equal(t, "requests", l.asked(), 0)
		equal(t, "audit entries", len(l.entries("platform")), 0)
	})
}
