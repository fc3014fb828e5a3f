package file

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"musterline.example/directory"
	"musterline.example/internal/document"
	"musterline.example/setting"
)

var (
	userColumns  = []string{"id", "name", "username", "email", "active", "status", "github"}
	groupColumns = []string{"id", "name", "description", "members", "groups"}
)

// accountColumn begins the columns of accounts: account.github, account.infisical. The column github is short for account.github.
const accountColumn = "account."

// csvUsers takes users from a CSV file.
func (b *builder) csvUsers(path string, data []byte) {
	r := b.report(path)
	rows(r, data, userColumns, accountColumn, func(row row) {
		u := userAt{place: row.at("id"), User: directory.User{
			ID: directory.UserID(row.id("user")), Name: row.text("name"), Username: row.text("username"), Email: row.text("email"),
		}}
		where := row.at("active")
		if row.text("status") != "" {
			where = row.at("status")
		}
		u.Status = where.status(row.text("active"), row.text("status"))
		for column := range row.columns {
			kind, ok := strings.CutPrefix(column, accountColumn)
			if login := row.text(column); ok && login != "" {
				if u.Accounts == nil {
					u.Accounts = make(map[string]string)
				}
				u.Accounts[kind] = login
			}
		}
		b.users = append(b.users, u)
	})
}

// csvGroups takes groups from a CSV file, a row each.
func (b *builder) csvGroups(path string, data []byte) {
	r := b.report(path)
	rows(r, data, groupColumns, "", func(row row) {
		b.groups = append(b.groups, groupAt{
			place: row.at("id"), Group: directory.Group{
				ID: directory.GroupID(row.id("group")), Name: row.text("name"), Description: row.text("description"),
			},
			members: row.references("members"), groups: row.references("groups"),
		})
	})
}

// A row is one record of a CSV file with its header's words for it.
type row struct {
	report  *document.Report
	columns map[string]int
	fields  []string
	place   func(field int) (line, column int)
}

func (r row) text(column string) string {
	if i, ok := r.columns[column]; ok {
		return strings.TrimSpace(r.fields[i])
	}
	return ""
}

func (r row) at(column string) place {
	line, col := r.place(r.columns[column]) // the first column for one that is not there
	return place{r.report, line, col}
}

func (r row) id(of string) string {
	id := r.text("id")
	if id == "" {
		r.at("id").says("the id of this %s is empty", of)
	}
	return id
}

func (r row) references(column string) []reference {
	text := r.text(column)
	if text == "" {
		return nil
	}
	at := r.at(column)
	var refs []reference
	for id := range strings.SplitSeq(strings.TrimSuffix(text, ";"), ";") {
		if id = strings.TrimSpace(id); id == "" {
			at.says("an id in %s is empty: two ; stand together", column)
			continue
		}
		refs = append(refs, reference{at, id})
	}
	return refs
}

// rows reads a CSV file with a header and hands each row on. Columns are known by name, or by the beginning of their name.
func rows(r *document.Report, data []byte, known []string, begin string, each func(row)) {
	data = document.Clean(data, r)
	if data == nil {
		return
	}
	uncut(r, data)
	reader := csv.NewReader(bytes.NewReader(data))
	reader.FieldsPerRecord = -1 // a ragged row is told with the others, not instead of them
	header, err := reader.Read()
	switch {
	case errors.Is(err, io.EOF):
		r.Addf(1, 1, "the file is empty: its first line must name the columns %s", strings.Join(known, ", "))
		return
	case err != nil:
		csvError(r, err)
		return
	}
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t") {
		r.Addf(1, 1, "the columns must be separated by commas")
		return
	}
	columns := make(map[string]int, len(header))
	for i, word := range header {
		line, column := reader.FieldPos(i)
		name := strings.ToLower(strings.TrimSpace(word))
		if name == "github" && begin == accountColumn {
			name = accountColumn + name
		}
		switch first, again := columns[name]; {
		case again:
			r.Addf(line, column, "the column %s is there twice: it is column %d too", strings.TrimSpace(word), first+1)
		case begin != "" && strings.HasPrefix(name, begin) && len(name) > len(begin), slices.Contains(known, name):
			columns[name] = i
		case name == "":
			r.Addf(line, column, "a column has no name")
		default:
			r.Addf(line, column, "%s is not a column here%s", strings.TrimSpace(word), setting.DidYouMean(name, known))
		}
	}
	if _, ok := columns["id"]; !ok {
		r.Addf(1, 1, "there is no column id")
		return
	}
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			csvError(r, err)
			return
		}
		if len(fields) != len(header) {
			line, _ := reader.FieldPos(0)
			r.Addf(line, 1, "this row has %d fields, the header %d", len(fields), len(header))
			continue
		}
		each(row{report: r, columns: columns, fields: fields, place: reader.FieldPos})
	}
}

func csvError(r *document.Report, err error) {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		message := p.Err.Error()
		if errors.Is(p.Err, csv.ErrQuote) {
			message = `a " stands where none may: a quoted field ends with its own ", and a " in it is written ""`
			if p.StartLine != p.Line {
				r.Addf(p.StartLine, 1, "a quoted field begins in this row and does not end as it should")
			}
		}
		r.Addf(max(p.Line, 1), max(p.Column, 1), "%s", message)
		return
	}
	r.Addf(1, 1, "%v", err)
}
