package githubsim

import (
	"encoding/base64"
	"fmt"
	"slices"
	"sort"

	"github.com/vektah/gqlparser/v2/ast"
)

// An execution runs one validated operation over the world. It knows the shape of the schema and nothing of its meaning; that is
// with the resolvers.
type execution struct {
	c         *call
	variables map[string]any
	size      measurement
	errors    []any
	left      int // objects that may still be listed before the resource limit; zero: any number
	listed    int
}

// A resolver reads one field of an object.
type resolver func(x *execution, on any, args map[string]any) (any, error)

// typed is an object that knows its type in the schema.
type typed interface{ typeName() string }

// nulled says that a null rose to the next field that may be null.
type nulled struct{}

// run runs the operation under the world's lock, so that an answer is of one moment.
func (x *execution) run(op *ast.OperationDefinition) any {
	x.c.w.mu.RLock()
	defer x.c.w.mu.RUnlock()
	return unnull(x.object(schema.Query, root{}, op.SelectionSet, nil))
}

func unnull(v any) any {
	if _, is := v.(nulled); is {
		return nil
	}
	return v
}

// object completes the selected fields of one object.
func (x *execution) object(def *ast.Definition, on any, set ast.SelectionSet, path []any) any {
	var out object
	fields := x.collect(def, set, nil)
	for i, f := range fields {
		if f == nil {
			continue
		}
		// Fields that share a key were found compatible by validation; their selections are one.
		inner := f.SelectionSet
		for j := i + 1; j < len(fields); j++ {
			if fields[j] != nil && fields[j].Alias == f.Alias {
				inner = append(slices.Clip(inner), fields[j].SelectionSet...)
				fields[j] = nil
			}
		}
		at := slices.Concat(path, []any{f.Alias})
		v := x.field(def, on, f, inner, at)
		if _, is := v.(nulled); is {
			if f.Definition.Type.NonNull {
				return nulled{}
			}
			v = nil
		}
		out = append(out, entry{f.Alias, v})
	}
	return out
}

// collect lists the fields that apply to the type, fragments laid open, @skip and @include obeyed.
func (x *execution) collect(def *ast.Definition, set ast.SelectionSet, into []*ast.Field) []*ast.Field {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if x.included(sel.Directives) {
				into = append(into, sel)
			}
		case *ast.InlineFragment:
			if x.included(sel.Directives) && applies(sel.TypeCondition, def) {
				into = x.collect(def, sel.SelectionSet, into)
			}
		case *ast.FragmentSpread:
			if x.included(sel.Directives) && applies(sel.Definition.TypeCondition, def) {
				into = x.collect(def, sel.Definition.SelectionSet, into)
			}
		}
	}
	return into
}

func (x *execution) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		yes, _ := d.ArgumentMap(x.variables)["if"].(bool)
		if d.Name == "skip" && yes || d.Name == "include" && !yes {
			return false
		}
	}
	return true
}

func applies(condition string, def *ast.Definition) bool {
	if condition == "" || condition == def.Name {
		return true
	}
	return slices.Contains(def.Interfaces, condition)
}

func (x *execution) field(def *ast.Definition, on any, f *ast.Field, set ast.SelectionSet, path []any) any {
	if f.Name == "__typename" {
		return def.Name
	}
	resolve := resolvers[def.Name][f.Name]
	if resolve == nil {
		return x.fail(path, &graphqlError{"", fmt.Sprintf("%s.%s is not simulated.", def.Name, f.Name)})
	}
	var args map[string]any
	if len(f.Definition.Arguments) > 0 {
		args = f.ArgumentMap(x.variables)
	}
	v, err := resolve(x, on, args)
	if err != nil {
		return x.fail(path, err)
	}
	return x.complete(f.Definition.Type, v, set, path)
}

// complete turns a resolved value into what the answer shows.
func (x *execution) complete(t *ast.Type, v any, set ast.SelectionSet, path []any) any {
	if v == nil {
		if t.NonNull {
			return x.fail(path, &graphqlError{"", "A value that cannot be null is."})
		}
		return nil
	}
	if t.Elem != nil {
		items := v.([]any)
		out := make([]any, 0, len(items))
		for i, item := range items {
			at := slices.Concat(path, []any{i})
			if err, is := item.(error); is {
				x.fail(at, err)
				item = nil
			}
			done := x.complete(t.Elem, item, set, at)
			if _, is := done.(nulled); is {
				if t.Elem.NonNull {
					return nulled{}
				}
				done = nil
			}
			out = append(out, done)
		}
		return out
	}
	def := schema.Types[t.NamedType]
	if def.IsLeafType() {
		return v
	}
	return x.object(schema.Types[v.(typed).typeName()], v, set, path)
}

func (x *execution) fail(path []any, err error) any {
	e, is := err.(*graphqlError)
	if !is {
		e = &graphqlError{"", err.Error()}
	}
	o := object{}
	if e.kind != "" {
		o = append(o, entry{"type", e.kind})
	}
	x.errors = append(x.errors, append(o, entry{"path", path}, entry{"message", e.message}))
	return nulled{}
}

type graphqlError struct{ kind, message string }

func (e *graphqlError) Error() string { return e.message }

// A connection is one page of a list.
type connection struct {
	name   string // "Team" for TeamConnection and TeamEdge
	total  int
	page   []item
	before bool // there is more before the page
	after  bool // and behind it
}

// An item is an object in a list, with its cursor's key and what its edge says about it.
type item struct {
	key  string
	node any
	edge map[string]any
}

func (c *connection) typeName() string { return c.name + "Connection" }

// An edge is an item in its connection.
type edge struct {
	item
	name string
}

func (e edge) typeName() string { return e.name + "Edge" }

// A pageInfo is a connection seen as PageInfo.
type pageInfo struct{ c *connection }

func (pageInfo) typeName() string { return "PageInfo" }

// connect cuts the page that first, last, after and before ask for out of items, which are in the order of their keys. Cursors
// hold a key and not a position, so that a list that changes between pages neither repeats nor skips what stayed.
func connect[T any](x *execution, name string, args map[string]any, items []T, show func(T) item) (any, error) {
	key := func(i int) string { return show(items[i]).key }
	descending := len(items) > 1 && key(0) > key(len(items)-1)
	beyond := func(cursor string) func(int) bool {
		return func(i int) bool {
			if descending {
				return key(i) < cursor
			}
			return key(i) > cursor
		}
	}
	from, to := 0, len(items)
	if after, given := args["after"].(string); given {
		cursor, ok := uncursor(after)
		if !ok {
			return nil, &graphqlError{"INVALID_CURSOR_ARGUMENTS", fmt.Sprintf("`%s` is no cursor.", after)}
		}
		from = sort.Search(len(items), beyond(cursor))
	}
	if before, given := args["before"].(string); given {
		cursor, ok := uncursor(before)
		if !ok {
			return nil, &graphqlError{"INVALID_CURSOR_ARGUMENTS", fmt.Sprintf("`%s` is no cursor.", before)}
		}
		to = sort.Search(len(items), func(i int) bool { return key(i) == cursor || beyond(cursor)(i) })
	}
	to = max(to, from)
	if last, given := integer(args["last"]); given {
		from = max(from, to-last)
	} else if first, given := integer(args["first"]); given {
		to = min(to, from+first)
	}
	if x.c.fault.shortens() {
		to = from + (to-from+1)/2
	}
	out := &connection{name: name, total: len(items), before: from > 0, after: to < len(items)}
	for _, it := range items[from:to] {
		if x.left > 0 && x.listed >= x.left {
			return nil, x.exhausted()
		}
		x.listed++
		out.page = append(out.page, show(it))
	}
	return out, nil
}

// exhausted is the error of a query that needs more than GitHub will spend on one: the rest of its data is null.
func (x *execution) exhausted() error {
	return &graphqlError{"RESOURCE_LIMITS_EXCEEDED", "The query asked for too much at once; this part was left out."}
}

func cursorOf(key string) string {
	return base64.StdEncoding.EncodeToString([]byte("cursor:sim:" + key))
}

func uncursor(s string) (string, bool) {
	const mark = "cursor:sim:"
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) < len(mark) || string(b[:len(mark)]) != mark {
		return "", false
	}
	return string(b[len(mark):]), true
}

// idKey makes ids sort as text.
func idKey(id int64) string { return fmt.Sprintf("%019d", id) }
