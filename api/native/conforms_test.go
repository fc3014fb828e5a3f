package native_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"musterline.example/api/native"
)

var described = sync.OnceValues(func() (routers.Router, error) {
	text, err := native.New(native.Options{}).OpenAPI()
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// conforms holds every answer that a test receives against the document that describes it.
func conforms(t testing.TB, r *http.Request, status int, header http.Header, text string) {
	t.Helper()
	document, err := described()
	if err != nil {
		t.Fatal(err)
	}
	asked := r.Clone(t.Context())
	asked.URL.Scheme, asked.URL.Host, asked.Host = "", "", ""
	route, params, err := document.FindRoute(asked)
	if err != nil || !strings.HasPrefix(header.Get("Content-Type"), "application/json") {
		return // no route, which is a refusal of its own, or no JSON
	}
	if route.Operation.Responses.Status(status) == nil {
		t.Errorf("%s %s answers %d, which the document lacks", r.Method, route.Path, status)
		return
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route},
		Status:                 status, Header: header, Body: io.NopCloser(bytes.NewReader([]byte(text))),
	})
	if err != nil {
		why, _, _ := strings.Cut(err.Error(), "Schema:") // which would be told whole
		t.Errorf("%s %s answers %d otherwise than described: %s", r.Method, route.Path, status, why)
	}
}
