package githubapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v92/github"

	"musterline.example/internal/httpx"
)

// A Class sorts errors by what has to happen next.
type Class string

// The classes.
const (
	BadCredential Class = "bad-credential" // expired, revoked or wrong; never tried again
	Forbidden     Class = "forbidden"      // a scope, a role, single sign-on or an IP list is in the way
	NotFound      Class = "not-found"
	Limited       Class = "limited" // Until says when to come back
	Refused       Class = "refused" // understood, and no
	Unavailable   Class = "unavailable"
)

// A State is the very thing that is wrong. The words are stable: people filter and alert by them.
type State string

// The states of a connection to GitHub.
const (
	TokenExpired    State = "token-expired"
	TokenExpiring   State = "token-expiring"
	LockedOut       State = "locked-out"
	NotOwner        State = "not-owner"
	SSOUnauthorized State = "sso-unauthorized"
	ScopeMissing    State = "scope-missing"
	IPBlocked       State = "ip-blocked"
	ClassicRefused  State = "classic-pat-forbidden"
	AppKeyWrong     State = "app-key-wrong"
	AppSuspended    State = "app-suspended"
	AppUninstalled  State = "app-uninstalled"
	AppPending      State = "app-permissions-pending"
	AppSelected     State = "app-selected-repositories"
	NoOrganization  State = "organization-not-found"
	Renamed         State = "organization-renamed"
	PrimaryLimit    State = "rate-limit"
	SecondaryLimit  State = "secondary-rate-limit"
	QuotaReserved   State = "quota-reserved"
	TooMuch         State = "query-too-large"
	BadGateway      State = "bad-gateway"
	Unreachable     State = "unreachable"
	Incomplete      State = "incomplete-answer"
	Redirected      State = "redirected"
	Missing         State = "not-found"
	Denied          State = "forbidden"
	Managed         State = "managed-elsewhere"
	Invalid         State = "refused"
	Broken          State = "unexpected-answer"
)

// catalogue has the class of each state and what to tell the operator.
var catalogue = map[State]struct {
	class        Class
	message, fix string
}{
	TokenExpired:    {BadCredential, "GitHub does not accept the credential: it has expired, was revoked, or is misspelt", "make a new token and put it in the place of the old one"},
	TokenExpiring:   {BadCredential, "the token ends soon", "make a new token and put it in the place of the old one before then"},
	LockedOut:       {BadCredential, "GitHub has locked this address out after several wrong credentials and refuses right ones too", "stop whatever sends the wrong one, and wait some minutes"},
	NotOwner:        {Forbidden, "the token's account is no owner of the organization", "use a token of an owner, or a GitHub App"},
	SSOUnauthorized: {Forbidden, "the token is not authorized for the organization's single sign-on", "open the token's settings on GitHub, choose Configure SSO, and authorize it for the organization"},
	ScopeMissing:    {Forbidden, "the credential lacks a permission", "give a classic token the scope admin:org; give a fine-grained token or an App read and write access to Members"},
	IPBlocked:       {Forbidden, "the organization's IP allow list does not have this server's address", "add the address to the list, or allow the App's own addresses"},
	ClassicRefused:  {Forbidden, "the organization or its enterprise forbids classic personal access tokens", "use a GitHub App or a fine-grained token"},
	AppKeyWrong:     {BadCredential, "GitHub does not accept the App's key: the App id and the private key do not belong together, the key was deleted, or this server's clock is wrong", "check app_id, make a new private key in the App's settings, and check the clock"},
	AppSuspended:    {Forbidden, "the App's installation is suspended", "let an owner of the organization unsuspend it under Settings, GitHub Apps"},
	AppUninstalled:  {Forbidden, "the App is not installed on the organization", "let an owner of the organization install it"},
	AppPending:      {Forbidden, "the App asks for permissions that the organization has not accepted yet", "let an owner of the organization review the request under Settings, GitHub Apps"},
	AppSelected:     {Forbidden, "the App is installed on selected repositories only", "let an owner of the organization choose All repositories where repositories are to be assessed"},
	NoOrganization:  {NotFound, "there is no such organization, or the credential may not see it", "check the organization's name and the credential's organization"},
	Renamed:         {Refused, "the organization has another name now", "put the new name into the configuration"},
	PrimaryLimit:    {Limited, "the credential's hourly rate limit is used up", "nothing; work goes on after the reset"},
	SecondaryLimit:  {Limited, "GitHub asks to slow down", "nothing; work goes on later and slower"},
	QuotaReserved:   {Limited, "half of the hourly rate limit is used, and the other half is left to your other tools", "nothing; work goes on after the reset"},
	TooMuch:         {Unavailable, "GitHub could not answer a query in time, however small", "nothing; the next run tries again"},
	BadGateway:      {Unavailable, "GitHub has a failure of its own", "nothing; the next run tries again. See www.githubstatus.com"},
	Unreachable:     {Unavailable, "GitHub cannot be reached", "check the network, the proxy and the API address"},
	Incomplete:      {Unavailable, "GitHub left something out of an answer", "nothing; the next run tries again, and nothing was changed by this one"},
	Redirected:      {Unavailable, "GitHub sends the call elsewhere", "check the API address"},
	Missing:         {NotFound, "GitHub does not have it, or the credential may not see it", "check that it still exists"},
	Denied:          {Forbidden, "GitHub does not allow it", "check the credential's role and permissions in the organization"},
	Managed:         {Refused, "GitHub itself keeps this team in line with a group of an identity provider and lets nobody else change its members", "disconnect the group from the team on GitHub, or take the team out of the mappings here"},
	Invalid:         {Refused, "GitHub understood and refused", "see GitHub's own words"},
	Broken:          {Unavailable, "GitHub's answer cannot be understood", "check that the API address is that of a GitHub"},
}

// States returns all states, for documentation and tests.
func States() []State {
	var all []State
	for s := range catalogue {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// An Error is what is wrong between us and GitHub, with the next step. It never holds a secret.
type Error struct {
	Class   Class
	State   State
	Message string
	Fix     string
	Status  int           // of the answer; 0 when there was none
	Wait    time.Duration // of Limited: from when the error was made
	Until   time.Time     // of Limited
	Request string        // GitHub's id of the request
	Said    string        // GitHub's own words, cut short and without addresses
	Err     error
}

// Problem returns the error of a state.
func Problem(s State) *Error {
	c := catalogue[s]
	return &Error{Class: c.class, State: s, Message: c.message, Fix: c.fix}
}

func limited(s State, wait time.Duration) *Error {
	e := Problem(s)
	e.Wait, e.Until = wait, time.Now().Add(wait)
	return e
}

// Error returns what is wrong and GitHub's own words.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	if e.Status != 0 || e.Said != "" {
		b.WriteString(" (")
		if e.Status != 0 {
			fmt.Fprintf(&b, "HTTP %d", e.Status)
		}
		if e.Status != 0 && e.Said != "" {
			b.WriteString(", ")
		}
		if e.Said != "" {
			fmt.Fprintf(&b, "%q", e.Said)
		}
		b.WriteString(")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// As returns the first *Error in err's chain.
func As(err error) (*Error, bool) { return errors.AsType[*Error](err) }

// Is reports whether err is in one of the states.
func Is(err error, states ...State) bool {
	e, ok := As(err)
	return ok && slices.Contains(states, e.State)
}

// Explain turns any error of a call into an *Error. Errors of the caller's context pass through.
func (c *Client) Explain(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := As(err); ok {
		return e // whatever net/http and go-github have wrapped around it repeats the address and adds nothing
	}
	if ctx := contextError(err); ctx != nil {
		return ctx
	}
	var resp *http.Response
	if e, ok := errors.AsType[*github.ErrorResponse](err); ok {
		resp = e.Response
	} else if e, ok := errors.AsType[*github.AbuseRateLimitError](err); ok {
		resp = e.Response
	} else if e, ok := errors.AsType[*github.RateLimitError](err); ok {
		resp = e.Response
	} else if e, ok := errors.AsType[*github.TwoFactorAuthError](err); ok {
		resp = e.Response
	} else if e, ok := errors.AsType[*github.RedirectionError](err); ok {
		resp = e.Response
	}
	if resp != nil {
		return c.explain(resp, httpx.Body(resp))
	}
	e := Problem(Unreachable)
	switch {
	case errors.Is(err, httpx.ErrRedirect):
		e = Problem(Redirected)
	case errors.Is(err, httpx.ErrTooLarge):
		e = Problem(Broken)
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		e = Problem(Incomplete)
	} else if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		e = Problem(Broken)
	}
	e.Err, e.Said = err, c.scrub(err.Error())
	return e
}

// explain reads an answer that says no.
//
//	401                              token-expired; never tried again: several of them lock out good credentials too
//	403 X-GitHub-SSO: required       sso-unauthorized
//	403 "IP allow list"              ip-blocked
//	403 "(classic)"                  classic-pat-forbidden
//	403 "suspended"                  app-suspended
//	403 "managed by", "externally …" managed-elsewhere: a team that GitHub's own team synchronization or an external group owns
//	403 with the accepted scopes     scope-missing, when the token has none of them
//	404, 422, 5xx                    not-found, refused, bad-gateway
func (c *Client) explain(resp *http.Response, body []byte) *Error {
	h := resp.Header
	var said struct {
		Message string `json:"message"`
		Errors  []any  `json:"errors"`
	}
	_ = json.Unmarshal(body, &said) // an answer of a proxy on the way is no JSON
	words := strings.ToLower(said.Message)

	state := Broken
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		state = TokenExpired
	case code == http.StatusForbidden && strings.HasPrefix(h.Get("X-GitHub-SSO"), "required"):
		state = SSOUnauthorized
	case code == http.StatusForbidden && strings.Contains(words, "ip allow list"):
		state = IPBlocked
	case code == http.StatusForbidden && strings.Contains(words, "(classic)"):
		state = ClassicRefused
	case code == http.StatusForbidden && strings.Contains(words, "suspended"):
		state = AppSuspended
	case code == http.StatusForbidden && (strings.Contains(words, "login attempts") || strings.Contains(words, "bad credentials")):
		state = LockedOut
	case code == http.StatusForbidden && (strings.Contains(words, "managed by") || strings.Contains(words, "externally managed")):
		state = Managed
	case code == http.StatusForbidden && c.lacks(h):
		state = ScopeMissing
	case code == http.StatusForbidden || code == http.StatusTooManyRequests:
		state = Denied
	case code == http.StatusNotFound || code == http.StatusGone:
		state = Missing
	case code == http.StatusUnprocessableEntity || code == http.StatusBadRequest || code == http.StatusConflict:
		state = Invalid
	case code >= 500:
		state = BadGateway
	case code >= 300 && code < 400:
		state = Redirected
	}
	e := Problem(state)
	e.Status, e.Request, e.Said = resp.StatusCode, h.Get("X-GitHub-Request-Id"), c.scrub(said.Message)
	for _, one := range said.Errors {
		if m, ok := one.(map[string]any); ok && m["message"] != nil {
			e.Said += "; " + c.scrub(fmt.Sprint(m["message"]))
		}
	}
	switch state {
	case SSOUnauthorized:
		e.Fix = c.unauthorized(resp).Fix
	case ScopeMissing:
		if p := h.Get("X-Accepted-GitHub-Permissions"); p != "" {
			e.Message = "the credential lacks the permission " + plain(p)
		} else if s := h.Get("X-Accepted-OAuth-Scopes"); s != "" {
			e.Message = "the token has none of the scopes " + plain(s)
		}
	}
	return e
}

// unauthorized explains the header X-GitHub-SSO. The address in it is shown only if it lies on this GitHub.
func (c *Client) unauthorized(resp *http.Response) *Error {
	e := Problem(SSOUnauthorized)
	e.Status, e.Request = resp.StatusCode, resp.Header.Get("X-GitHub-Request-Id")
	if _, address, found := strings.Cut(resp.Header.Get("X-GitHub-SSO"), "url="); found && c.at.owns(address) {
		e.Fix = "open " + address + " within the hour and authorize the token"
	}
	return e
}

// lacks reports whether the answer names scopes or permissions that would do and that the credential does not have.
func (c *Client) lacks(h http.Header) bool {
	if accepted := splitList(h.Get("X-Accepted-OAuth-Scopes")); len(accepted) > 0 && h.Values("X-OAuth-Scopes") != nil {
		has := impliedScopes(splitList(h.Get("X-OAuth-Scopes")))
		return !slices.ContainsFunc(accepted, func(s string) bool { return slices.Contains(has, s) })
	}
	return h.Get("X-Accepted-GitHub-Permissions") != ""
}

var (
	anAddress = regexp.MustCompile(`https?://\S+`)
	unplain   = regexp.MustCompile(`[^A-Za-z0-9_:=,; -]`)
)

// scrub makes somebody else's words fit for a message: no addresses, no secret of ours, not long, on one line.
func (c *Client) scrub(s string) string {
	s = anAddress.ReplaceAllString(s, "…")
	if secret := c.cred.secret(); len(secret) > 3 {
		s = strings.ReplaceAll(s, secret, "********")
	}
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}

func plain(s string) string { return unplain.ReplaceAllString(s, "") }

func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
