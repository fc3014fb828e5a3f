// Package client asks a Musterline server, over its own API, what a command would otherwise ask of its own house: it is a Desk and a Keyring
// at the other end of a network, and gives the same answers. It decides nothing and keeps nothing.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"musterline.example/answer"
	"musterline.example/setting"
)

// prefix is where the API lies on a server.
const prefix = "/api/musterline"

// Options say which server is asked, and as whom.
type Options struct {
	URL    string         // of the server, such as https://musterline.example.com
	Token  setting.Secret // a Musterline token, or for one target's questions a token of its GitHub
	CAFile string         // certificates to trust beside those of the system; empty: none
	Agent  string         // how the client names itself
}

// A Client asks one server. It is safe for concurrent use.
type Client struct {
	base  string
	token setting.Secret
	agent string
	http  *http.Client
}

var (
	_ answer.Desk    = (*Client)(nil)
	_ answer.Keyring = (*Client)(nil)
)

// New returns the client of a server. It calls nobody. A token is sent over https only, or to this very machine: over plain http anybody on
// the way could take it.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, answer.Usagef("the address of a server is written https://musterline.example.com")
	}
	if o.Token == "" {
		return nil, answer.Usagef("a server asks who you are").
			WithHint("give a token with --token, with MUSTERLINE_TOKEN, or in the file that MUSTERLINE_TOKEN_FILE names; musterline token create makes one")
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, answer.Usagef("a token is not sent over plain http to another machine: anybody on the way could take it").
			WithHint("use the server's https address")
	}
	if strings.ContainsFunc(o.Token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, answer.Usagef("a token is one word of plain letters and digits")
	}
	roots, err := trusted(o.CAFile)
	if err != nil {
		return nil, err
	}
	return &Client{
		base: strings.TrimRight(u.String(), "/") + prefix, token: o.Token, agent: o.Agent,
		http: &http.Client{
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
				DialContext: (&net.Dialer{Timeout: 15 * time.Second}).DialContext, TLSHandshakeTimeout: 15 * time.Second,
				IdleConnTimeout: time.Minute,
			},
			// A redirect would take the token to who knows where.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// trusted are the certificates of the system and those of a file.
func trusted(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, answer.Errorf(answer.Failed, "read the certificates to trust: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, answer.Usagef("%s holds no certificate in PEM form", file)
	}
	return roots, nil
}

// call asks one question. The answer is read into out, which may be nil.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	answered, err := c.send(ctx, method, path, in, nil)
	if err != nil {
		return err
	}
	defer func() { _ = answered.Body.Close() }()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(answered.Body).Decode(out); err != nil {
		return c.trouble(err)
	}
	return nil
}

// send sends one question, and returns an answer that is none of refusal.
func (c *Client) send(ctx context.Context, method, path string, in any, header http.Header) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("ask the server: %w", err)
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	maps.Copy(r.Header, header)
	r.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	r.Header.Set("User-Agent", c.agent)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answered, err := c.http.Do(r)
	if err != nil {
		return nil, c.trouble(err)
	}
	if answered.StatusCode >= http.StatusOK && answered.StatusCode < http.StatusMultipleChoices {
		return answered, nil
	}
	defer func() { _ = answered.Body.Close() }()
	return nil, c.refusal(answered)
}

// trouble is what there is to say of a server that does not answer. An error of net/http names the address, which holds no secret.
func (c *Client) trouble(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return answer.Errorf(answer.Unavailable, "the server %s: %w", strings.TrimSuffix(c.base, prefix), err).
		WithHint("is the address right, and the server running?")
}

// most is how many bytes of a refusal are read.
const most = 1 << 20

// refusal is the error that a server has answered with.
func (c *Client) refusal(r *http.Response) error {
	var said struct {
		Error answer.Error `json:"error"`
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, most))
	if err != nil {
		return c.trouble(err)
	}
	if json.Unmarshal(text, &said) == nil && said.Error.Class != "" && said.Error.Message != "" {
		return &said.Error
	}
	if r.StatusCode >= 300 && r.StatusCode < 400 {
		return answer.Errorf(answer.Unavailable, "the server sends elsewhere (%s), and a token goes nowhere by itself", r.Status).
			WithHint("name the address that it sends to")
	}
	return answer.Errorf(answer.Unavailable, "the server answered %s, and not as Musterline does", r.Status).
		WithHint("is it Musterline's address?")
}

// query makes the query of an address out of names and values; what has no value is left out.
func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// at is the path of something on a target, a source or a run.
func at(sort, name, rest string) string { return "/" + sort + "/" + url.PathEscape(name) + rest }
