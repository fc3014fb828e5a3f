package notify

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"musterline.example/setting"
)

// A Kind is a sort of destination.
type Kind struct {
	Name     string
	Title    string
	Settings []setting.Field
	// check says what is wrong with values beyond what a field can say.
	check func(setting.Values) []setting.Problem
	// request returns the body of a request, and its headers beyond the usual ones.
	request func(v setting.Values, id string, body []byte, now time.Time) ([]byte, http.Header, error)
}

// Kinds are all sorts of destinations. The first is the one of a destination that names none.
func Kinds() []Kind { return []Kind{webhook, slack} }

// KindOf returns a kind by its name.
func KindOf(name string) (Kind, bool) {
	kinds := Kinds()
	if name == "" {
		return kinds[0], true
	}
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

// Check says what is wrong with the values of a destination that the fields of its kind cannot say. It repeats no value.
func (k Kind) Check(v setting.Values) []setting.Problem {
	problems := checkURL(v)
	if k.check != nil {
		problems = append(problems, k.check(v)...)
	}
	return problems
}

// checkURL holds an address against what may be reached: what is sent names people and teams, so nobody may read it on the way.
func checkURL(v setting.Values) []setting.Problem {
	if !v.Has("url") {
		return nil // the field says that it is missing
	}
	u, err := url.Parse(v.Text("url"))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return []setting.Problem{{Key: "url", Message: "must be a web address such as https://hooks.example.com/musterline"}}
	case u.User != nil || u.Fragment != "":
		return []setting.Problem{{Key: "url", Message: "must hold no user and no #"}}
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return []setting.Problem{{Key: "url", Message: "must begin with https://, except on this machine: what is sent names teams and people"}}
	}
	return nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
