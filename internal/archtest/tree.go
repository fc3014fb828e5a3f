package archtest

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Package is one folder of Go files, tests left out.
type Package struct {
	Dir   string // from the root of the module, with slashes
	Files []*File
}

// A File is one parsed file of a package.
type File struct {
	Path      string
	Syntax    *ast.File
	Imports   []Import
	Generated bool
	fset      *token.FileSet
}

// An Import is one import of a file.
type Import struct {
	Path string
	Line int
}

// Load parses every Go file of a module except tests, test data, nested modules and files that no build takes.
func Load(module fs.FS) ([]*Package, error) {
	byDir := make(map[string]*Package)
	err := fs.WalkDir(module, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipped(module, name) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parse(module, name)
		if err != nil || f == nil {
			return err
		}
		dir := path.Dir(name)
		if byDir[dir] == nil {
			byDir[dir] = &Package{Dir: dir}
		}
		byDir[dir].Files = append(byDir[dir].Files, f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load the module: %w", err)
	}
	packages := make([]*Package, 0, len(byDir))
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		packages = append(packages, byDir[dir])
	}
	return packages, nil
}

func skipped(module fs.FS, dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := fs.Stat(module, path.Join(dir, "go.mod"))
	return err == nil
}

// parse returns nil for a file that its build constraint keeps out of every build.
func parse(module fs.FS, name string) (*File, error) {
	text, err := fs.ReadFile(module, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	for _, group := range syntax.Comments {
		for _, c := range group.List {
			if expr, err := constraint.Parse(c.Text); err == nil && c.Pos() < syntax.Package && expr.String() == "ignore" {
				return nil, nil //nolint:nilnil // no file and no error is the answer: there is nothing to look at
			}
		}
	}
	f := &File{Path: name, Syntax: syntax, Generated: ast.IsGenerated(syntax), fset: fset}
	for _, spec := range syntax.Imports {
		to, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
		}
		f.Imports = append(f.Imports, Import{Path: to, Line: f.line(spec)})
	}
	return f, nil
}

func (f *File) line(n ast.Node) int { return f.fset.Position(n.Pos()).Line }

// standard reports whether an import path belongs to the standard library: its first element has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
