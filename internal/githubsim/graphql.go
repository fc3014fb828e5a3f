package githubsim

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

//go:embed schema.graphql
var schemaText string

var schema = gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: schemaText})

var validationRules = rules.NewDefaultRules()

type graphqlRequest struct {
	Query         string         `json:"query"`
	Variables     map[string]any `json:"variables"`
	OperationName string         `json:"operationName"`

	bad error
	doc *ast.QueryDocument
	err error
}

func parseGraphQLRequest(body []byte) *graphqlRequest {
	req := &graphqlRequest{}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if req.bad = d.Decode(req); req.bad == nil {
		req.doc, req.err = parser.ParseQueryWithTokenLimit(&ast.Source{Name: "query", Input: req.Query}, 100_000)
	}
	return req
}

func (q *graphqlRequest) operation() *ast.OperationDefinition {
	if q.doc == nil {
		return nil
	}
	return q.doc.Operations.ForName(q.OperationName)
}

// operationName names the operation for faults and the call log, also when the document says nothing else that makes sense.
func (q *graphqlRequest) operationName() string {
	if op := q.operation(); op != nil {
		return op.Name
	}
	return q.OperationName
}

// serveGraphQL answers as GitHub does: with 200 for everything that was understood, errors beside the data.
func (s *Server) serveGraphQL(c *call) reply {
	if c.Method != http.MethodPost {
		return notFound().reply()
	}
	req := c.graphql
	if req.bad != nil {
		return problemf(http.StatusBadRequest, "Problems parsing JSON").reply()
	}
	if req.Query == "" {
		return problemf(http.StatusBadRequest, "A query attribute must be specified and must be a string.").reply()
	}
	if req.err != nil {
		return refuse(graphqlErrors(req.err)...)
	}
	if errs := validator.ValidateWithRules(schema, req.doc, validationRules); len(errs) > 0 {
		return refuse(graphqlErrors(errs)...)
	}
	op := req.operation()
	if op == nil {
		return refuse(object{{"message", "The document does not say which operation to run."}})
	}
	variables, err := validator.VariableValues(schema, op, req.Variables)
	if err != nil {
		return refuse(graphqlErrors(err)...)
	}

	size := measurement{variables: variables}
	size.measure(op.SelectionSet, nil, 1)
	if len(size.errors) > 0 {
		return refuse(size.errors...)
	}
	c.Nodes = size.nodes
	limits := c.limits
	if size.nodes > limits.Nodes {
		return refuse(object{{"type", "MAX_NODE_LIMIT_EXCEEDED"},
			{"message", fmt.Sprintf("This query asks for up to %d nodes, which is more than %d.", size.nodes, limits.Nodes)}})
	}
	if p := s.afford(c, size.cost()); p != nil {
		return refuse(object{{"type", "RATE_LIMITED"}, {"message", p.message}})
	}
	s.charge(c, size.cost())
	if limits.TimeoutNodes > 0 && size.nodes > limits.TimeoutNodes {
		return problemf(http.StatusBadGateway, "The query could not be answered in time.").reply()
	}

	x := &execution{c: c, variables: variables, size: size, left: limits.ResourceNodes}
	data := x.run(op)
	data, errors := c.fault.partial(data, x.errors)
	body := object{{"data", data}}
	if len(errors) > 0 {
		body = append(body, entry{"errors", errors})
	}
	return reply{status: http.StatusOK, body: body}
}

// refuse answers a document that was not run.
func refuse(errors ...any) reply {
	return reply{status: http.StatusOK, body: object{{"errors", errors}}}
}

func graphqlErrors(err error) []any {
	var list gqlerror.List
	switch err := err.(type) {
	case gqlerror.List:
		list = err
	case *gqlerror.Error:
		list = gqlerror.List{err}
	default:
		return []any{object{{"message", err.Error()}}}
	}
	var out []any
	for _, e := range list {
		o := object{{"message", e.Message}}
		if len(e.Locations) > 0 {
			o = append(o, entry{"locations", e.Locations})
		}
		out = append(out, o)
	}
	return out
}

// A measurement is what a document may cost, before it is run (GitHub: rate limits and query limits for the GraphQL API).
// Every connection costs as many requests as it has parents; a hundred requests are a point.
type measurement struct {
	variables map[string]any
	requests  int
	nodes     int
	errors    []any
}

func (m *measurement) cost() int { return max(1, (m.requests+50)/100) }

// maxNodeIDs is how many ids nodes(ids:) takes.
const maxNodeIDs = 100

func (m *measurement) measure(set ast.SelectionSet, path []any, parents int) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			m.measure(sel.SelectionSet, path, parents)
		case *ast.FragmentSpread:
			m.measure(sel.Definition.SelectionSet, path, parents)
		case *ast.Field:
			m.field(sel, append(slices.Clip(path), sel.Alias), parents)
		}
	}
}

func (m *measurement) field(f *ast.Field, path []any, parents int) {
	args := f.ArgumentMap(m.variables)
	within := parents
	switch {
	case f.ObjectDefinition == schema.Query && f.Name == "nodes":
		ids, _ := args["ids"].([]any)
		if len(ids) > maxNodeIDs {
			m.fail("ARGUMENT_LIMIT", path, "You may not ask for more than %d ids at once; these are %d.", maxNodeIDs, len(ids))
		}
		within = parents * len(ids)
		m.nodes += within
	case strings.HasSuffix(f.Definition.Type.Name(), "Connection"):
		size := m.bound(f, args, path)
		m.requests += parents
		within = parents * size
		m.nodes += within
	}
	m.measure(f.SelectionSet, path, within)
}

// bound reads first or last, one of which every connection must have.
func (m *measurement) bound(f *ast.Field, args map[string]any, path []any) int {
	first, hasFirst := integer(args["first"])
	last, hasLast := integer(args["last"])
	switch {
	case !hasFirst && !hasLast:
		m.fail("MISSING_PAGINATION_BOUNDARIES", path, "You must say first or last on the `%s` connection.", f.Name)
	case hasFirst && hasLast:
		m.fail("INVALID_PAGINATION_BOUNDARIES", path, "Say either first or last on the `%s` connection.", f.Name)
	default:
		n := first
		if hasLast {
			n = last
		}
		if n < 1 || n > 100 {
			m.fail("EXCESSIVE_PAGINATION", path, "The `%s` connection gives 1 to 100 records at once, not %d.", f.Name, n)
			return 0
		}
		return n
	}
	return 0
}

func (m *measurement) fail(kind string, path []any, format string, args ...any) {
	m.errors = append(m.errors, object{{"type", kind}, {"path", path}, {"message", fmt.Sprintf(format, args...)}})
}

func integer(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		return int(v), true
	case json.Number:
		n, err := v.Int64()
		return int(n), err == nil
	}
	return 0, false
}
