package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"musterline.example/internal/httpx"
)

// Timeout is how long a destination has to answer.
const Timeout = 10 * time.Second

// An Answer is what came of one try to tell a destination. It holds nothing that the destination has said but its status.
type Answer struct {
	Status     int           // 0: there was no answer
	Trouble    string        // why it does not count as told; empty when it does. Without the address, which may be a secret
	RetryAfter time.Duration // for which the destination asks to be left alone; 0: it does not say
}

// OK reports whether the destination has taken what it was sent.
func (a Answer) OK() bool { return a.Trouble == "" }

// Gone reports whether the destination wants to hear nothing any more: so the Standard Webhooks specification reads 410.
func (a Answer) Gone() bool { return a.Status == http.StatusGone }

// Client returns a client for Send. It follows no redirect: what is sent goes where somebody has configured, and nowhere else.
func Client() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Send tells a destination once. The id is the same for every try of one message. The body of the answer is not read.
func Send(ctx context.Context, client *http.Client, to To, id string, body []byte, now time.Time) Answer {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	kind, known := KindOf(to.Kind)
	if !known {
		return Answer{Trouble: "there is no such kind of notification"}
	}
	body, header, err := kind.request(to.Values, id, body, now)
	if err != nil {
		return Answer{Trouble: "it cannot be written: " + err.Error()}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.Values.Text("url"), bytes.NewReader(body))
	if err != nil {
		return Answer{Trouble: "its address is none"}
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "musterline")
	resp, err := client.Do(req)
	if err != nil {
		return Answer{Trouble: trouble(ctx, err)}
	}
	_ = resp.Body.Close() // nobody wants to know what is in it
	a := Answer{Status: resp.StatusCode}
	if wait, said := httpx.RetryAfter(resp.Header, now); said {
		a.RetryAfter = wait
	}
	switch {
	case a.Status >= 200 && a.Status < 300:
	case a.Status >= 300 && a.Status < 400:
		a.Trouble = fmt.Sprintf("it answered %s: it wants to send us elsewhere, where nothing is sent; give the address that it leads to", named(a.Status))
	case a.Gone():
		a.Trouble = fmt.Sprintf("it answered %s: it wants to hear nothing any more", named(a.Status))
	default:
		a.Trouble = "it answered " + named(a.Status)
	}
	return a
}

// named is a status with its name.
func named(status int) string {
	if name := http.StatusText(status); name != "" {
		return fmt.Sprintf("%d %s", status, name)
	}
	return fmt.Sprint(status)
}

// trouble says why there was no answer. The error itself holds the address, and is shown to nobody.
func trouble(ctx context.Context, err error) string {
	_, dns := errors.AsType[*net.DNSError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, verify := errors.AsType[*tls.CertificateVerificationError](err)
	timeout, _ := errors.AsType[net.Error](err)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), timeout != nil && timeout.Timeout():
		return fmt.Sprintf("it did not answer within %.0f seconds", Timeout.Seconds())
	case dns:
		return "its name is unknown: there is no address for it"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused: nothing listens there"
	case authority, verify:
		return "its certificate is not one that this machine trusts"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS there"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was cut before it had answered"
	}
	return "it could not be reached"
}
