package contracttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Router loads the OpenAPI document once per run of the tests, which takes two seconds.
var Router = sync.OnceValues(func() (routers.Router, error) {
	b, err := OpenAPI.Read()
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
		if strings.HasPrefix(path, "/orgs/") || strings.HasPrefix(path, "/user") || strings.HasPrefix(path, "/app") || strings.HasPrefix(path, "/teams/") || path == "/meta" || path == "/rate_limit" {
			ours.Set(path, item)
		}
	}
	doc.Paths = ours
	// The list describes an account that is a user and an enterprise at once, which none is; one installation has it right.
	list := ours.Value("/app/installations").Get.Responses.Status(http.StatusOK).Value.Content.Get("application/json")
	list.Schema.Value.Items = doc.Components.Schemas["installation"]
	return gorillamux.NewRouter(doc)
})

// Routes by id, and their twins by name.
var twins = []struct {
	byID *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`^/api/v3`), ""},
	{regexp.MustCompile(`^/organizations/\d+/team/\d+`), "/orgs/o/teams/t"},
	{regexp.MustCompile(`^/teams/\d+`), "/orgs/o/teams/t"},
	{regexp.MustCompile(`^/organizations/\d+`), "/orgs/o"},
}

// Conforms holds an answer against the description, and an error against what all errors have. The routes by id are described in prose only:
// they answer as their twins by name. What the description leaves out, which is most refusals, is left out here.
func Conforms(router routers.Router, r *http.Request, rec *httptest.ResponseRecorder) error {
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
