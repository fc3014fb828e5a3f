package githubsim_test

import (
	"net/http"
	"testing"
)

func watched(t *testing.T, h http.Handler) http.Handler { return h }
