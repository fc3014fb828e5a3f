//go:build !contract

package githubsim_test

import (
	"errors"
	"net/http"
	"testing"
)

func watched(_ *lab, h http.Handler) http.Handler { return h }

func TestAnswersAreWatched(t *testing.T) {
	without(t, errors.New("built without -tags contract"))
}
