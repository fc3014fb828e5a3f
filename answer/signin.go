package answer

import (
	"context"
	"net"
	"strings"
	"time"

	"musterline.example/config"
	"musterline.example/store"
)

// A SignInWish asks for a link that lets somebody in to the console.
type SignInWish struct {
	Name      string    `json:"name"` // as whom
	Role      string    `json:"role"`
	Target    string    `json:"target,omitempty"` // on which the role is; empty: on all
	ExpiresAt time.Time `json:"expires_at"`
	URL       string    `json:"url,omitempty"` // where people reach the server; empty: as it is configured
	By        string    `json:"by,omitempty"`
}

// A SignInLink lets in whoever follows it first.
type SignInLink struct {
	URL       string    `json:"url"` // once
	Subject   string    `json:"subject"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	Target    string    `json:"target"` // empty: all
	ExpiresAt time.Time `json:"expires_at"`
}

// longestLink is how long a sign-in link may be good.
const longestLink = 24 * time.Hour

// SignInLink makes a link that lets somebody in, once.
func (h *House) SignInLink(ctx context.Context, wish SignInWish) (SignInLink, error) {
	name := strings.TrimSpace(wish.Name)
	switch {
	case name == "" || len(name) > longestName || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return SignInLink{}, Usagef("a sign-in link is for somebody, whose name is one word of at most %d bytes", longestName)
	case !wish.ExpiresAt.After(h.now()):
		return SignInLink{}, Usagef("the link would have ended before it is made")
	case wish.ExpiresAt.After(h.now().Add(longestLink)):
		return SignInLink{}, Usagef("a sign-in link is good for a day at most").WithHint("a program that needs a key for longer takes a token: musterline token create")
	}
	if err := OneOf("role", wish.Role, RoleNames()); err != nil {
		return SignInLink{}, err
	}
	if wish.Target != "" {
		if err := OneOf("target", wish.Target, h.targetNames()); err != nil {
			return SignInLink{}, err
		}
		if wish.Role == "administrator" {
			return SignInLink{}, Usagef("an administrator is one of the whole server: name no target, or make it a link for an owner")
		}
	}
	at, err := h.address(wish.URL)
	if err != nil {
		return SignInLink{}, err
	}
	if err := h.writes(); err != nil {
		return SignInLink{}, err
	}
	l := SignInLink{Subject: "local:" + name, Name: name, Role: wish.Role, Target: wish.Target, ExpiresAt: wish.ExpiresAt}
	text, err := h.Store.CreateSignInLink(ctx, store.SignInLink{Subject: l.Subject, Role: l.Role, Target: l.Target, ExpiresAt: l.ExpiresAt}, wish.By)
	l.URL = at + "/login/link/" + text
	return l, err
}

// address is where people reach the server.
func (h *House) address(said string) (string, error) {
	s := h.Config.Server
	at := strings.TrimRight(said, "/")
	if at == "" {
		at = s.ExternalURL
	}
	if at == "" {
		host, port, err := net.SplitHostPort(s.Listen)
		if err != nil {
			return "", Errorf(Failed, "server.listen is no address").WithHint("set server.external_url")
		}
		if a := net.ParseIP(host); host == "" || a != nil && a.IsUnspecified() {
			host = "localhost" // it listens everywhere, so here too
		}
		at = "http://" + net.JoinHostPort(host, port)
		if s.CertFile != "" {
			at = "https://" + net.JoinHostPort(host, port)
		}
	}
	scheme, host, _ := strings.Cut(at, "://")
	host, _, _ = strings.Cut(host, "/")
	switch {
	case host == "" || scheme != "https" && scheme != "http":
		return "", Usagef("%q is no address of a server", at).WithHint("write https://musterline.example.com")
	case scheme == "http" && !config.Loopback(host):
		return "", Errorf(Conflict, "nobody can sign in at %s: it is neither HTTPS nor this machine, and browsers keep no session there", at).
			WithHint("set server.external_url to the https address that people use, or name one with --url")
	}
	return at, nil
}
