package native_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"musterline.example/api/native"
)

// The document is valid, describes every route that is served and no other, and describes each for people.
func TestTheOpenAPIDocumentDescribesWhatIsServed(t *testing.T) {
	l := newLab(t)
	text := l.ask("", "GET", "/openapi.json", "").want(http.StatusOK).text
	doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("it is OpenAPI %s", doc.OpenAPI)
	}
	var described []string
	ids := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			route := method + " " + path
			described = append(described, route)
			if op.Summary == "" || len(op.Description) < 30 || len(op.Tags) != 1 || op.OperationID == "" {
				t.Errorf("%s is not described for people", route)
			}
			if ids[op.OperationID] != "" {
				t.Errorf("%s and %s are both called %s", route, ids[op.OperationID], op.OperationID)
			}
			ids[op.OperationID] = route
			for _, status := range []string{"401", "403", "404"} {
				if r := op.Responses.Value(status); r == nil || r.Value.Content["application/json"].Schema.Ref != "#/components/schemas/Problem" {
					t.Errorf("%s does not say what %s is", route, status)
				}
			}
			if method == http.MethodPut && (op.Responses.Value("412") == nil || op.Responses.Value("428") == nil) {
				t.Errorf("%s changes something and speaks of no version", route)
			}
			for _, p := range op.Parameters {
				if p.Value.In == "path" && !strings.Contains(path, "{"+p.Value.Name+"}") {
					t.Errorf("%s has no %s", route, p.Value.Name)
				}
			}
			if strings.Count(path, "{") != len(slices.DeleteFunc(slices.Clone(op.Parameters), func(p *openapi3.ParameterRef) bool { return p.Value.In != "path" })) {
				t.Errorf("%s: a part of the path is not described", route)
			}
		}
	}
	slices.Sort(described)
	served := slices.DeleteFunc(l.api.Routes(), func(r string) bool { return r == "GET "+native.Prefix+"/openapi.json" })
	if !slices.Equal(described, served) {
		t.Errorf("described: %v\nserved: %v", described, served)
	}
	var raw struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		t.Fatal(err)
	}
	for name, s := range raw.Components.Schemas {
		if strings.Contains(name, "native") || len(s.Properties) == 0 && name != "Part" {
			t.Errorf("the schema %s has %d properties", name, len(s.Properties))
		}
	}
}
