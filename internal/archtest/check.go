package archtest

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Violation is one place where the house is not as the README draws it.
type Violation struct {
	File    string // or the folder
	Line    int    // 0 when it is about the whole
	Message string
}

// String returns "file:line: message", as a compiler would.
func (v Violation) String() string {
	if v.Line == 0 {
		return v.File + ": " + v.Message
	}
	return fmt.Sprintf("%s:%d: %s", v.File, v.Line, v.Message)
}

// Check compares the packages of a module with the table and the rules of the house, and returns what differs, in order of place.
func Check(modulePath string, packages []*Package, t *Table) []Violation {
	c := &checker{module: modulePath, table: t, kinds: kinds(packages)}
	for _, p := range packages {
		unit := t.Unit(p.Dir)
		if unit == "" {
			c.report(p.Dir, 0, "the table of arrows in README.md does not know this package: give it a line")
			continue
		}
		c.packageComment(p)
		for _, f := range p.Files {
			c.arrows(f, unit)
			if t.matches([]string{"pure"}, unit) {
				c.pure(f)
			}
			if f.Generated {
				continue
			}
			c.registration(f)
			c.documented(f)
			if unit != "catalog" {
				c.branches(f)
			}
		}
	}
	for _, name := range t.Names() {
		known := func(p *Package) bool { return p.Dir == name || strings.HasPrefix(p.Dir, name+"/") }
		if !slices.ContainsFunc(packages, known) {
			c.report("README.md", 0, "the table of arrows names "+name+", and there is no such package")
		}
	}
	slices.SortFunc(c.found, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(c.found)
}

// kinds returns the names of the kinds: the folders in source and target.
func kinds(packages []*Package) []string {
	var names []string
	for _, p := range packages {
		if parent, name := path.Split(p.Dir); parent == "source/" || parent == "target/" {
			names = append(names, name)
		}
	}
	return names
}

// CheckTree compares the drawn tree with the module's folders: each folder at the root that holds Go code is drawn, and each that is
// drawn exists, according to exists.
func CheckTree(lines []string, packages []*Package, exists func(dir string) bool) []Violation {
	var found []Violation
	drawn := make(map[string]bool)
	for _, line := range lines {
		entry, ok := strings.CutPrefix(line, "├── ")
		if !ok {
			entry, ok = strings.CutPrefix(line, "└── ")
		}
		words := strings.Fields(entry)
		if !ok || len(words) == 0 {
			continue
		}
		dir := strings.TrimSuffix(words[0], "/")
		root, _, _ := strings.Cut(dir, "/")
		drawn[root] = true
		if !exists(dir) {
			found = append(found, Violation{File: "README.md", Message: "the tree draws " + dir + ", and there is no such folder"})
		}
	}
	missing := make(map[string]bool)
	for _, p := range packages {
		root, _, _ := strings.Cut(p.Dir, "/")
		if !drawn[root] && !missing[root] {
			missing[root] = true
			found = append(found, Violation{File: root, Message: "the tree in README.md does not draw this folder"})
		}
	}
	return found
}

type checker struct {
	module string
	table  *Table
	kinds  []string
	found  []Violation
}

func (c *checker) report(file string, line int, message string) {
	c.found = append(c.found, Violation{file, line, message})
}

// arrows checks the imports of one file.
func (c *checker) arrows(f *File, unit string) {
	for _, i := range f.Imports {
		to, inside := strings.CutPrefix(i.Path, c.module+"/")
		if !inside {
			if !standard(i.Path) && c.table.matches(c.table.StdOnly, unit) {
				c.report(f.Path, i.Line, fmt.Sprintf("imports %s: the table says: %s → %s", i.Path, unit, stdOnly))
			}
			continue
		}
		target := c.table.Unit(to)
		if target == "" {
			continue // reported where the package is
		}
		if message := c.table.objection(unit, target); message != "" {
			c.report(f.Path, i.Line, fmt.Sprintf("imports %s: %s", to, message))
		}
	}
}

// What a pure package has no use for. It takes values and returns values: no caller to cancel it, no network, no disk, no log, no clock.
var (
	impureImports = []string{"context", "net", "os", "log", "syscall", "database", "testing", "math/rand", "crypto/rand", "runtime", "unsafe"}
	impureCalls   = map[string][]string{
		"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
		"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	}
	// Third-party packages that are pure themselves.
	pureModules = []string{"golang.org/x/text/"}
)

// pure checks that a file neither imports nor calls what waits, reads a clock or touches the world.
func (c *checker) pure(f *File) {
	names := make(map[string]string) // what a package is called in this file → its import path
	for n, i := range f.Imports {
		name := path.Base(i.Path)
		if spec := f.Syntax.Imports[n]; spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = i.Path
		impure := slices.ContainsFunc(impureImports, func(p string) bool { return i.Path == p || strings.HasPrefix(i.Path, p+"/") })
		foreign := !standard(i.Path) && !strings.HasPrefix(i.Path, c.module+"/") &&
			!slices.ContainsFunc(pureModules, func(p string) bool { return strings.HasPrefix(i.Path, p) })
		if impure || foreign {
			c.report(f.Path, i.Line, "imports "+i.Path+": this package is pure")
		}
		if impureCalls[i.Path] != nil && name == "." {
			c.report(f.Path, i.Line, "imports "+i.Path+" without its name: this package is pure, and its calls must be seen")
		}
	}
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			c.report(f.Path, f.line(n), "starts a goroutine: this package is pure")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(impureCalls[names[x.Name]], n.Sel.Name) {
				c.report(f.Path, f.line(n), "uses "+names[x.Name]+"."+n.Sel.Name+": this package is pure")
			}
		}
		return true
	})
}

// registration reports init functions: what exists is said in a list that can be read, not by importing a package for its effect.
func (c *checker) registration(f *File) {
	for _, d := range f.Syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			c.report(f.Path, f.line(fn), "has an init function: say it in a list or a constructor")
		}
	}
}

// branches reports branches on the name of a kind: a switch over something called kind with the name of a source or target for a case, or
// a comparison with such a name. Kinds differ by what they declare, and only the catalogue knows their names.
func (c *checker) branches(f *File) {
	const message = "branches on a kind by its name: declare the difference in the Kind, or ask for a small interface"
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SwitchStmt:
			if n.Tag == nil || !calledKind(n.Tag) {
				break
			}
			for _, s := range n.Body.List {
				if clause, ok := s.(*ast.CaseClause); ok && slices.ContainsFunc(clause.List, c.namesKind) {
					c.report(f.Path, f.line(n), message)
					break
				}
			}
		case *ast.BinaryExpr:
			if n.Op != token.EQL && n.Op != token.NEQ {
				break
			}
			if calledKind(n.X) && c.namesKind(n.Y) || calledKind(n.Y) && c.namesKind(n.X) {
				c.report(f.Path, f.line(n), message)
			}
		}
		return true
	})
}

// calledKind reports whether an expression is a variable, field or call by the name of kind, or the name of a kind.
func calledKind(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return strings.EqualFold(e.Name, "kind") || strings.HasSuffix(e.Name, "Kind")
	case *ast.SelectorExpr:
		return calledKind(e.Sel) || e.Sel.Name == "Name" && calledKind(e.X)
	case *ast.CallExpr:
		return calledKind(e.Fun)
	case *ast.ParenExpr:
		return calledKind(e.X)
	}
	return false
}

// namesKind reports whether an expression is the quoted name of a kind.
func (c *checker) namesKind(e ast.Expr) bool {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return false
	}
	name, err := strconv.Unquote(lit.Value)
	return err == nil && slices.Contains(c.kinds, name)
}

// packageComment checks that one file says what the package is for.
func (c *checker) packageComment(p *Package) {
	if !slices.ContainsFunc(p.Files, func(f *File) bool { return f.Generated || strings.TrimSpace(f.Syntax.Doc.Text()) != "" }) {
		c.report(p.Dir, 0, "has no package comment: say what it is for, what it is not for, and where its data comes from")
	}
}

// documented checks that everything a file exports is explained: by a comment of its own or, in a list, by that of the list or at the
// end of the line.
func (c *checker) documented(f *File) {
	for _, d := range f.Syntax.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc.Text() == "" && exportedReceiver(d) {
				c.undocumented(f, d.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				c.documentedSpec(f, d, s)
			}
		}
	}
}

func (c *checker) documentedSpec(f *File, d *ast.GenDecl, s ast.Spec) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && d.Doc.Text()+s.Doc.Text()+s.Comment.Text() == "" {
			c.undocumented(f, s.Name)
		}
	case *ast.ValueSpec:
		if d.Doc.Text()+s.Doc.Text()+s.Comment.Text() != "" {
			return
		}
		for _, name := range s.Names {
			if name.IsExported() {
				c.undocumented(f, name)
			}
		}
	}
}

func (c *checker) undocumented(f *File, name *ast.Ident) {
	c.report(f.Path, f.line(name), "exports "+name.Name+" without a comment")
}

// exportedReceiver reports whether a function is no method, or one of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	e := d.Recv.List[0].Type
	for {
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.IndexListExpr:
			e = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return false
		}
	}
}
