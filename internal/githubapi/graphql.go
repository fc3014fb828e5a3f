package githubapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"musterline.example/internal/httpx"
)

// A Fault is one entry of the errors that GraphQL answers with beside, or in place of, data.
type Fault struct {
	Type       string `json:"type"` // NOT_FOUND, FORBIDDEN, …
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code string `json:"code"`
		SAML bool   `json:"saml_failure"`
	} `json:"extensions"`
}

// At reports whether the fault lies at or below the path of answer keys. A number in the fault's path stands for any "*".
func (f Fault) At(keys ...string) bool {
	if len(f.Path) < len(keys) {
		return false
	}
	for i, key := range keys {
		if key != "*" && fmt.Sprint(f.Path[i]) != key {
			return false
		}
	}
	return true
}

// NotFound reports whether GitHub says positively that what was asked for does not exist.
func (f Fault) NotFound() bool { return f.Type == "NOT_FOUND" }

// Denied reports whether GitHub says that the credential may not see it.
func (f Fault) Denied() bool {
	switch f.Type {
	case "FORBIDDEN", "INSUFFICIENT_SCOPES", "UNAUTHORIZED":
		return true
	}
	return strings.Contains(strings.ToLower(f.Message), "resource not accessible")
}

// tooMuch reports whether the query was more than GitHub could answer: its node limit, its time, its resources.
func (f Fault) tooMuch() bool {
	kind, words := f.Type+" "+f.Extensions.Code, strings.ToLower(f.Message)
	for _, sign := range []string{"RESOURCE_LIMIT", "MAX_NODE_LIMIT", "TIMEOUT"} {
		if strings.Contains(strings.ToUpper(kind), sign) {
			return true
		}
	}
	return strings.Contains(words, "resource limit") || strings.Contains(words, "timeout") || strings.Contains(words, "timed out")
}

// Query posts a document and decodes the data into out. Faults come back beside the data, for the caller to say which of them it can
// answer for; a call that got no data at all, or a limit, is an error. A caller who can ask for less gets TooMuch at once, without
// another try, when it passes httpx.GatewayOnce's context.
func (c *Client) Query(ctx context.Context, document string, variables map[string]any, out any) ([]Fault, error) {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(httpx.AsRead(ctx), http.MethodPost, c.at.GraphQL.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", UserAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.Explain(err)
	}
	defer resp.Body.Close()
	text := httpx.Body(resp)
	id := resp.Header.Get("X-GitHub-Request-Id")
	if resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusGatewayTimeout {
		e := Problem(TooMuch)
		e.Status, e.Request = resp.StatusCode, id
		return nil, e
	}
	if resp.StatusCode != http.StatusOK {
		return nil, c.explain(resp, text)
	}
	var answer struct {
		Data    json.RawMessage `json:"data"`
		Errors  []Fault         `json:"errors"`
		Message string          `json:"message"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		e := Problem(Incomplete)
		e.Request, e.Err = id, err
		return nil, e
	}
	for _, f := range answer.Errors {
		if f.tooMuch() {
			e := Problem(TooMuch)
			e.Request, e.Said = id, c.scrub(f.Message)
			return answer.Errors, e
		}
	}
	if len(answer.Data) == 0 || string(answer.Data) == "null" {
		return answer.Errors, c.noData(answer.Errors, answer.Message, id)
	}
	c.spent(ctx, answer.Data)
	if err := json.Unmarshal(answer.Data, out); err != nil {
		e := Problem(Broken)
		e.Request, e.Err = id, err
		return nil, e
	}
	return answer.Errors, nil
}

// spent tells the meter what an answer cost, if its document asked.
func (c *Client) spent(ctx context.Context, data json.RawMessage) {
	if _, idle := c.meter.(noMeter); idle || c.meter == nil {
		return
	}
	var said struct {
		RateLimit struct {
			Cost int `json:"cost"`
		} `json:"rateLimit"`
	}
	if json.Unmarshal(data, &said) == nil && said.RateLimit.Cost > 0 {
		c.meter.Spent(ctx, "graphql", said.RateLimit.Cost)
	}
}

// noData explains an answer without data by its first fault.
func (c *Client) noData(faults []Fault, message, id string) *Error {
	if len(faults) > 0 {
		return c.Fault(faults[0], id)
	}
	e := Problem(Incomplete)
	e.Request, e.Said = id, c.scrub(message)
	return e
}

// Fault turns one fault into an error, for a caller that cannot do without what is missing.
func (c *Client) Fault(f Fault, request string) *Error {
	state := Incomplete
	switch {
	case f.NotFound():
		state = Missing
	case strings.Contains(strings.ToLower(f.Message), "ip allow list"):
		state = IPBlocked
	case strings.Contains(strings.ToLower(f.Message), "(classic)"):
		state = ClassicRefused
	case f.Extensions.SAML, strings.Contains(strings.ToLower(f.Message), "saml enforcement"):
		state = SSOUnauthorized
	case strings.Contains(strings.ToLower(f.Message), "suspended"):
		state = AppSuspended
	case f.Denied():
		state = ScopeMissing
	case f.tooMuch():
		state = TooMuch
	}
	e := Problem(state)
	e.Request, e.Said = request, c.scrub(f.Message)
	return e
}
