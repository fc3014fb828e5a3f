package githubsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// description loads the OpenAPI document once per run of the tests, which takes two seconds.
var description = sync.OnceValues(func() (routers.Router, error) {
	b, err := openAPI.read()
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(b)
	if err != nil {
		return nil, err
	}
	doc.Servers = openapi3.Servers{{URL: "/"}}
	ours := openapi3.NewPaths()
	for path, item := range doc.Paths.Map() {
		if strings.HasPrefix(path, "/orgs/") || strings.HasPrefix(path, "/user") || strings.HasPrefix(path, "/app") || path == "/meta" || path == "/rate_limit" {
			ours.Set(path, item)
		}
	}
	doc.Paths = ours
	// The list describes an account that is a user and an enterprise at once, which none is; one installation has it right.
	list := ours.Value("/app/installations").Get.Responses.Status(http.StatusOK).Value.Content.Get("application/json")
	list.Schema.Value.Items = doc.Components.Schemas["installation"]
	return gorillamux.NewRouter(doc)
})

// watched holds every answer to a test against the published description, where that is at hand.
func watched(l *lab, h http.Handler) http.Handler {
	router, err := description()
	if err != nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.faulty.Load() {
			h.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if err := conforms(router, r, rec); err != nil {
			l.t.Errorf("%s %s: %d is not as published: %v\n%s", r.Method, r.URL.Path, rec.Code, err, rec.Body)
		}
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// The routes by id are described in prose only: they answer as their twins by name.
var twins = []struct {
	byID *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`^/api/v3`), ""},
	{regexp.MustCompile(`^/organizations/\d+/team/\d+`), "/orgs/o/teams/t"},
	{regexp.MustCompile(`^/teams/\d+`), "/orgs/o/teams/t"},
	{regexp.MustCompile(`^/organizations/\d+`), "/orgs/o"},
}

func conforms(router routers.Router, r *http.Request, rec *httptest.ResponseRecorder) error {
	if rec.Header().Get("X-GitHub-Request-Id") == "" {
		return errors.New("X-GitHub-Request-Id is missing")
	}
	if rec.Header().Get("X-RateLimit-Reset") == "" && rec.Header().Get("X-GitHub-Enterprise-Version") == "" {
		return errors.New("X-RateLimit-Reset is missing")
	}
	if rec.Code >= 400 {
		var e struct {
			Message string `json:"message"`
			Doc     string `json:"documentation_url"`
		}
		if json.Unmarshal(rec.Body.Bytes(), &e) != nil || e.Message == "" || e.Doc == "" {
			return errors.New("an error needs message and documentation_url")
		}
	}
	path := r.URL.Path
	for _, t := range twins {
		path = t.byID.ReplaceAllString(path, t.name)
	}
	if strings.HasSuffix(path, "/graphql") || rec.Code == http.StatusMovedPermanently || rec.Code == http.StatusNotModified {
		return nil
	}
	asked := r.Clone(context.Background())
	asked.URL.Path, asked.URL.RawPath = path, ""
	route, params, err := router.FindRoute(asked)
	if err != nil {
		if rec.Code == http.StatusNotFound {
			return nil
		}
		return err
	}
	declared := route.Operation.Responses.Status(rec.Code)
	if declared == nil && rec.Code >= 400 {
		return nil // the description leaves most refusals out
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route},
		Status:                 rec.Code,
		Header:                 rec.Header(),
		Body:                   io.NopCloser(bytes.NewReader(rec.Body.Bytes())),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
}

// The watch over the other tests must not be off unnoticed.
func TestAnswersAreWatched(t *testing.T) {
	if _, err := description(); err != nil {
		without(t, err)
	}
}
