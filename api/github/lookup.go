package github

import (
	"context"
	"net/http"
	"regexp"

	"musterline.example/api/access"
	"musterline.example/target"
)

// lookUp answers what GitHub itself answers the caller, at our address. For a caller with a Musterline token it is asked with our own
// credential, about the organization and its teams alone.
func (a *API) lookUp(ctx context.Context, about target.Question, at place) (*reply, error) {
	v := visitOf(ctx)
	t, err := a.locate(ctx, at)
	if err != nil {
		return nil, err
	}
	set, err := t.Settings(ctx)
	if err != nil {
		return nil, err
	}
	if mine, ours := v.caller.Token(); ours && !v.need.Allows(access.Role(mine.Role)) {
		return nil, notFound()
	}
	said, err := a.access.Relay(ctx, v.caller, t.place(set), about, at.door)
	if err != nil {
		return nil, err
	}
	return answer(readdress(said, v.base()), at.unless), nil
}

// addresses are the fields of GitHub's objects that hold addresses within the API. A quotation mark within a text has a backslash before
// it, so nothing that somebody wrote about themselves looks like one.
var addresses = regexp.MustCompile(`"(url|[a-z_]+_url)"(\s*:\s*)"([^"\\]*)"`)

// readdress puts our address in the place of GitHub's, for clients that make the next address of the last answer. Web pages stay where
// they are.
func readdress(said target.Relayed, base string) []byte {
	return addresses.ReplaceAllFunc(said.Body, func(field []byte) []byte {
		m := addresses.FindSubmatch(field)
		switch string(m[1]) {
		case "html_url", "avatar_url":
			return field
		}
		rest, within := cutAddress(string(m[3]), said.Base)
		if !within {
			return field
		}
		return []byte(`"` + string(m[1]) + `"` + string(m[2]) + `"` + base + rest + `"`)
	})
}

// cutAddress takes the beginning off an address that lies below it.
func cutAddress(address, base string) (rest string, within bool) {
	if len(address) < len(base) || address[:len(base)] != base {
		return "", false
	}
	rest = address[len(base):]
	return rest, rest == "" || rest[0] == '/' || rest[0] == '{'
}

// rateLimit says how the caller stands. It is free.
func (a *API) rateLimit(ctx context.Context) (*reply, error) {
	v := visitOf(ctx)
	if _, ours := v.caller.Token(); !ours {
		if err := a.vouched(ctx); err != nil {
			return nil, err
		}
	}
	q := a.quotas.see(v.meter.caller, v.meter.limit, 0)
	r := answer(shown(map[string]any{"resources": map[string]any{"core": q, "search": quota{Reset: q.Reset}}, "rate": q}), "")
	r.Caching = "no-store"
	return r, nil
}

// vouched makes sure that some host of ours knows the caller's credential: which one, their own address must say when there are several.
func (a *API) vouched(ctx context.Context) error {
	_, err := a.lookUp(ctx, target.AboutUser, place{})
	if err != nil && explain(err).status == http.StatusForbidden { // an app is no user, and is known all the same
		return nil
	}
	return err
}
