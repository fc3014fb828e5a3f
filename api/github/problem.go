package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musterline.example/api/access"
)

// Where GitHub documents what was refused.
const (
	docs         = "https://docs.github.com/rest"
	docsTeamSync = docs + "/teams/team-sync"
	docsList     = docsTeamSync + "#list-idp-groups-for-an-organization"
	docsRead     = docsTeamSync + "#list-idp-groups-for-a-team"
	docsChange   = docsTeamSync + "#create-or-update-idp-group-connections"
	docsMembers  = docs + "/teams/members"
	docsLimits   = docs + "/using-the-rest-api/rate-limits-for-the-rest-api"
)

// A problem is an answer that says no, in GitHub's form. It repeats nothing that the caller sent.
type problem struct {
	Message string       `json:"message"`
	Errors  []fieldError `json:"errors,omitempty"`
	Docs    string       `json:"documentation_url"`
	Code    string       `json:"status"`

	status int
	retry  time.Duration
	err    error // for our own log
}

// A fieldError says what is wrong with one field. The codes are GitHub's: missing, missing_field, invalid, already_exists, unprocessable,
// custom.
type fieldError struct {
	Resource string `json:"resource"`
	Field    string `json:"field"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Index    *int   `json:"index,omitempty"`
}

func problemf(status int, doc, format string, args ...any) *problem {
	return &problem{Message: fmt.Sprintf(format, args...), Docs: doc, Code: strconv.Itoa(status), status: status}
}

func notFound() *problem { return problemf(http.StatusNotFound, docs, "Not Found") }

// invalid is GitHub's refusal of a body that is JSON and not what was asked for.
func invalid(code, format string, args ...any) *problem {
	p := problemf(http.StatusUnprocessableEntity, docsChange, "Validation Failed")
	p.Errors = []fieldError{{Resource: "TeamSyncMapping", Field: "groups", Code: code, Message: fmt.Sprintf(format, args...)}}
	return p
}

// at says which of the groups is meant.
func (p *problem) at(i int) *problem {
	p.Errors[0].Index = &i
	return p
}

// Error implements error.
func (p *problem) Error() string { return p.Message }

// Unwrap returns the cause.
func (p *problem) Unwrap() error { return p.err }

// GetStatus implements huma.StatusError.
func (p *problem) GetStatus() int { return p.status }

// GetHeaders implements huma.HeadersError.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{"Cache-Control": {"no-store"}}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.retry+time.Second-1)/time.Second)))
	}
	return h
}

// ContentType implements huma.ContentTypeFilter.
func (p *problem) ContentType(string) string { return contentType }

const contentType = "application/json; charset=utf-8"

// limited tells a caller to wait although their hour is not used up. Libraries know it by the beginning of the message or by the end of the
// address, and then wait and ask again; a bare 429 they take for an error.
func limited(why string) *problem {
	return problemf(http.StatusTooManyRequests, docsLimits+"#about-secondary-rate-limits", "You have exceeded a secondary rate limit. %s", why)
}

// explain turns any error of an operation into a problem. What is not one of ours, or a refusal, is the store's: it is nobody's business but the
// log's, and may be over when the caller tries again, which gives the same result.
func explain(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if r, ok := errors.AsType[*access.Refusal](err); ok {
		p := problemf(r.Status, docs, "%s", r.Message)
		if r.Status == http.StatusTooManyRequests {
			p = limited(r.Message)
		}
		p.retry, p.err = r.Retry, r.Err
		return p
	}
	p := problemf(http.StatusServiceUnavailable, docs, "The server cannot do this at the moment. Its log names the reason.")
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		p.Message = "The request was given up before it was done."
	}
	p.retry, p.err = time.Second, err
	return p
}

// ours gives what huma itself refuses GitHub's form: a parameter of the wrong type, a body that is too long or too slow.
func ours(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		return problemf(m.Status, docsChange, "The body is larger than 1 MiB."), nil
	case http.StatusRequestTimeout:
		return problemf(m.Status, docsChange, "The body did not arrive in time."), nil
	case http.StatusUnprocessableEntity:
		p := problemf(m.Status, docsList, "Invalid request.")
		for _, e := range m.Errors {
			name := strings.TrimPrefix(e.Location, "query.")
			p.Message += "\n\n" + name + " is not of the right type."
		}
		return p, nil
	}
	if m.Status >= http.StatusInternalServerError || m.Status == 0 {
		return problemf(http.StatusInternalServerError, docs, "Server Error"), nil
	}
	return problemf(m.Status, docs, "Invalid request."), nil
}
