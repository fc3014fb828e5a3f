package file

import (
	"path/filepath"
	"strings"

	"musterline.example/directory"
	"musterline.example/internal/document"
	"musterline.example/setting"
)

type parser func([]byte, *document.Report) *document.Node

// parserOf chooses by the file's ending; nil for one it does not know.
func parserOf(path string) parser {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml":
		return func(data []byte, r *document.Report) *document.Node {
			uncut(r, data)
			return document.ParseYAML(data, r)
		}
	case ".json":
		return document.ParseJSON
	}
	return nil
}

var (
	rootKeys  = []string{"users", "groups"}
	userKeys  = []string{"id", "name", "username", "email", "active", "status", "accounts"}
	groupKeys = []string{"id", "name", "description", "members", "groups"}
)

// document takes users and groups from a YAML or JSON file.
func (b *builder) document(path string, data []byte, parse parser) {
	r := b.report(path)
	root := parse(data, r)
	switch {
	case root == nil:
		return
	case root.Sort == document.Null:
		r.At(root, "the file is empty: it must hold users and groups")
		return
	case root.Sort != document.Map:
		r.At(root, "the file must hold a map of users and groups, not %s", root.Sort)
		return
	}
	d := reader{report: r}
	d.keys(root, rootKeys, "here")
	for _, key := range rootKeys {
		list := root.Get(key)
		switch {
		case list == nil:
			r.At(root, "there is no %s: if there are none, write %s: []", key, key)
			continue
		case list.Sort != document.List:
			r.At(list, "%s must be a list, not %s", key, list.Sort)
			continue
		}
		for _, item := range list.Items {
			if item.Sort != document.Map {
				r.At(item, "each of %s must be a map with an id, not %s", key, item.Sort)
				continue
			}
			if key == "users" {
				b.users = append(b.users, d.user(item))
			} else {
				b.groups = append(b.groups, d.group(item))
			}
		}
	}
}

type reader struct{ report *document.Report }

func (d reader) at(n *document.Node) place { return place{d.report, n.Line, n.Column} }

// keys reports keys that are not known.
func (d reader) keys(n *document.Node, known []string, where string) {
fields:
	for _, f := range n.Fields {
		for _, k := range known {
			if f.Key == k {
				continue fields
			}
		}
		d.report.Addf(f.Line, f.Column, "%s is not a key %s%s", f.Key, where, setting.DidYouMean(f.Key, known))
	}
}

// text reads an optional scalar; null is as good as absent.
func (d reader) text(n *document.Node, key string) string {
	v := n.Get(key)
	if v == nil || v.Sort == document.Null {
		return ""
	}
	if v.Sort != document.Text {
		d.report.At(v, "%s must be a text, not %s", key, v.Sort)
		return ""
	}
	return v.Text
}

// id reads a scalar that must be there. There the plain word null is an id like any other: somebody may be called so.
func (d reader) id(n *document.Node, of string) string {
	switch v := n.Get("id"); {
	case v == nil:
		d.report.At(n, "this %s has no id", of)
	case v.Sort == document.Text && v.Text != "", v.Sort == document.Null && strings.EqualFold(v.Text, "null"):
		return v.Text
	case v.Sort == document.Text, v.Sort == document.Null:
		d.report.At(v, "the id of this %s is empty", of)
	default:
		d.report.At(v, "id must be a text, not %s", v.Sort)
	}
	return ""
}

func (d reader) user(n *document.Node) userAt {
	d.keys(n, userKeys, "of a user")
	u := userAt{place: d.at(n)}
	if id := n.Get("id"); id != nil {
		u.place = d.at(id)
	}
	u.User = directory.User{
		ID: directory.UserID(d.id(n, "user")), Name: d.text(n, "name"), Username: d.text(n, "username"), Email: d.text(n, "email"),
	}
	where := d.at(n)
	for _, key := range []string{"active", "status"} {
		if v := n.Get(key); v != nil {
			where = d.at(v)
		}
	}
	u.Status = where.status(d.text(n, "active"), d.text(n, "status"))
	if accounts := n.Get("accounts"); accounts != nil && accounts.Sort != document.Null {
		if accounts.Sort != document.Map {
			d.report.At(accounts, "accounts must be a map such as { github: LOGIN }, not %s", accounts.Sort)
			return u
		}
		for _, f := range accounts.Fields {
			if login := d.text(accounts, f.Key); login != "" {
				if u.Accounts == nil {
					u.Accounts = make(map[string]string, len(accounts.Fields))
				}
				u.Accounts[f.Key] = login
			}
		}
	}
	return u
}

func (d reader) group(n *document.Node) groupAt {
	d.keys(n, groupKeys, "of a group")
	g := groupAt{place: d.at(n)}
	if id := n.Get("id"); id != nil {
		g.place = d.at(id)
	}
	g.Group = directory.Group{
		ID: directory.GroupID(d.id(n, "group")), Name: d.text(n, "name"), Description: d.text(n, "description"),
	}
	g.members, g.groups = d.references(n, "members"), d.references(n, "groups")
	return g
}

// references reads a list of ids.
func (d reader) references(n *document.Node, key string) []reference {
	list := n.Get(key)
	if list == nil || list.Sort == document.Null {
		return nil
	}
	if list.Sort != document.List {
		d.report.At(list, "%s must be a list of ids, not %s", key, list.Sort)
		return nil
	}
	refs := make([]reference, 0, len(list.Items))
	for _, item := range list.Items {
		switch {
		case item.Sort == document.Text && item.Text != "", item.Sort == document.Null && strings.EqualFold(item.Text, "null"):
			refs = append(refs, reference{d.at(item), item.Text})
		case item.Sort == document.Text, item.Sort == document.Null:
			d.report.At(item, "an id in %s is empty", key)
		default:
			d.report.At(item, "%s must hold ids, not %s", key, item.Sort)
		}
	}
	return refs
}
