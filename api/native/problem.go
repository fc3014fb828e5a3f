package native

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musterline.example/answer"
	"musterline.example/api/access"
	"musterline.example/api/request"
	"musterline.example/config"
	"musterline.example/source"
	"musterline.example/store"
	"musterline.example/target"
)

// A problem is an answer that says no. It repeats nothing that the caller sent.
type problem struct {
	Body problemBody `json:"error"`

	status int
	retry  time.Duration
	allow  string
	err    error // for our own log
}

// A problemBody is what went wrong and what to do about it.
type problemBody struct {
	Class   answer.Class          `json:"class" doc:"What sort of refusal it is, for programs." enum:"usage,not-found,nothing,paused,conflict,stale,unknown,forbidden,unavailable,stopped,failed"`
	Message string                `json:"message" doc:"What is wrong, for people."`
	Hint    string                `json:"hint,omitempty" doc:"What to do about it, in words or as a command."`
	Fields  []answer.FieldTrouble `json:"fields,omitempty" doc:"What is wrong with single fields, where the message is about those."`
	Request string                `json:"request,omitempty" doc:"The id of the request, by which the server's log tells more."`
}

// Error implements error.
func (p *problem) Error() string { return p.Body.Message }

// Unwrap returns the cause.
func (p *problem) Unwrap() error { return p.err }

// GetStatus implements huma.StatusError.
func (p *problem) GetStatus() int { return p.status }

// GetHeaders implements huma.HeadersError.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retry.Seconds()))))
	}
	if p.status == http.StatusUnauthorized {
		h.Set("Www-Authenticate", `Bearer realm="musterline"`)
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	return h
}

// statuses are the classes of errors in HTTP.
var statuses = map[answer.Class]int{
	answer.Usage: http.StatusUnprocessableEntity, answer.NotFound: http.StatusNotFound, answer.Nothing: http.StatusNotFound,
	answer.Halted: http.StatusConflict, answer.Conflict: http.StatusConflict, answer.Stale: http.StatusPreconditionFailed,
	answer.Unknown: http.StatusUnauthorized, answer.Forbidden: http.StatusForbidden, answer.Unavailable: http.StatusServiceUnavailable,
	answer.Stopped: http.StatusServiceUnavailable, answer.Failed: http.StatusInternalServerError,
}

// classOf is the class that a status of the protocol stands for.
func classOf(status int) answer.Class {
	switch {
	case status == http.StatusUnauthorized:
		return answer.Unknown
	case status == http.StatusForbidden:
		return answer.Forbidden
	case status == http.StatusNotFound:
		return answer.NotFound
	case status == http.StatusTooManyRequests, status == http.StatusBadGateway, status == http.StatusServiceUnavailable:
		return answer.Unavailable
	case status >= http.StatusInternalServerError:
		return answer.Failed
	}
	return answer.Usage
}

// explain turns any error into a problem, and tells the log what the caller is not told.
func (a *API) explain(ctx context.Context, err error) *problem {
	if why, said := errors.AsType[*answer.Error](context.Cause(ctx)); said {
		err = why // the server stops
	}
	p := problemOf(err)
	p.Body.Request = request.Of(ctx).ID
	level := slog.LevelInfo
	if p.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	a.Log.Log(ctx, level, "refused", "request", p.Body.Request, "status", p.status, "class", p.Body.Class, "error", err)
	return p
}

// problemOf says what the caller is told of an error.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if r, ok := errors.AsType[*access.Refusal](err); ok {
		return &problem{Body: problemBody{Class: classOf(r.Status), Message: r.Message}, status: r.Status, retry: r.Retry, err: err}
	}
	e := answer.ErrorOf(err)
	public := e.Public()
	p := &problem{
		Body: problemBody{Class: e.Class, Message: public.Message, Hint: public.Hint, Fields: public.Fields}, status: statuses[e.Class], err: err,
	}
	if p.status == 0 {
		p.status = http.StatusInternalServerError
	}
	if errors.Is(err, store.ErrLocked) {
		p.Body.Message, p.Body.Hint = "another program has the database at the moment", "it is a command that writes: try again when it is done"
	}
	if e.Class == answer.Failed && !forPeople(err) {
		p.Body.Message = "the server cannot do this at the moment; its log names the reason"
		p.Body.Hint = ""
		p.status, p.Body.Class = http.StatusServiceUnavailable, answer.Unavailable
	}
	if said, ok := errors.AsType[*target.Error](err); ok && e.Class == answer.Failed {
		p.status, p.Body.Class = http.StatusBadGateway, answer.Unavailable
		if said.Class == target.Limited {
			p.status = http.StatusServiceUnavailable
			if wait := time.Until(said.Until); wait > 0 {
				p.retry = wait
			}
		}
	} else if _, ok := errors.AsType[*source.Error](err); ok && e.Class == answer.Failed {
		p.status, p.Body.Class = http.StatusBadGateway, answer.Unavailable
	}
	if p.status == http.StatusServiceUnavailable && p.retry == 0 {
		p.retry = soon
	}
	return p
}

// soon is when to come back where nothing says how long it takes: a lock on the database is taken again within seconds.
const soon = 5 * time.Second

// forPeople reports whether an error was written for people. Any other is the log's business: nobody has thought of who may read it.
func forPeople(err error) bool {
	if _, ok := errors.AsType[*answer.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*target.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*source.Error](err); ok {
		return true
	}
	_, ok := errors.AsType[config.Problems](err) // of a directory file
	return ok
}

// ours gives what huma itself refuses our form: a parameter of the wrong type, a body that is too long, too slow or no JSON.
func (a *API) ours(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	message := "the request is not as the OpenAPI document describes it"
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		message = "the body is too large"
	case http.StatusRequestTimeout:
		message = "the body did not arrive in time"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		var all []string
		for _, e := range m.Errors {
			all = append(all, wrong(e))
		}
		if len(all) > 0 {
			message = strings.Join(all, "; ")
		}
		if strings.Contains(strings.ToLower(m.Detail), "body is required") {
			message = "the body is missing"
		}
	}
	p := &problem{Body: problemBody{Class: classOf(m.Status), Message: message}, status: m.Status, err: m}
	if m.Status >= http.StatusInternalServerError {
		p.Body.Message = "the server cannot do this at the moment; its log names the reason"
	}
	ctx.SetHeader("Content-Type", "application/json") // huma has said what its own form is
	return a.explain(ctx.Context(), p), nil
}

// wrong says what is wrong with one part of a request, without its value. Names of parameters that are not known are the caller's own words.
func wrong(e *huma.ErrorDetail) string {
	where, name, _ := strings.Cut(e.Location, ".")
	switch {
	case where == "body":
		return strings.TrimPrefix(e.Message, "invalid: ")
	case where == "query" && strings.Contains(e.Message, "unknown query parameter"):
		return "a parameter of the query is not known here"
	case where == "query", where == "path", where == "header":
		return "the parameter " + name + " is not of the right form"
	}
	return "the request is not as the OpenAPI document describes it"
}

// refusal is how the OpenAPI document describes a status.
func refusal(doc *huma.OpenAPI, status int) *huma.Response {
	r := doc.Components.Schemas
	return &huma.Response{
		Description: meanings[status],
		Content:     map[string]*huma.MediaType{"application/json": {Schema: r.Schema(typeOfProblem, true, "Problem")}},
	}
}

var meanings = map[int]string{
	400: "The body is missing.",
	401: "There is no credential, or it is not good (any more).",
	403: "The caller may not; or nobody may here, because the configuration file defines it.",
	404: "There is no such thing, or the caller may not know of it, or there is nothing of it to show.",
	408: "The body did not arrive in time.",
	409: "The world or a setting is in the way: the target is paused, a run is under way, or the plan is another by now.",
	412: "What is to be changed was changed since it was read: the ETag in If-Match is not that of now.",
	413: "The body is too large.",
	415: "The body does not say that it is JSON.",
	422: "The request makes no sense as it was put; the message says what and where.",
	428: "A change must say what it was made from: send the ETag in If-Match, or * for whatever there is.",
	429: "Too many wrong credentials, or the target's rate limit is used up; Retry-After says when to come back.",
	500: "Something is broken that a person has to look at; the message says what.",
	502: "A source or a target could not be asked, or has refused.",
	503: "The database, a source or a target cannot be used now. Nothing was changed unless the message says so.",
}
