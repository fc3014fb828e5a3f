package soak

import (
	"bytes"
	"io"
	"net/http"
)

// A wire carries calls to a handler in the same process, with no socket between: in a bubble a socket would hold the clock. A handler that
// breaks off cuts the connection as net/http does.
type wire struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	in := req.Clone(req.Context())
	in.RemoteAddr, in.Host = "127.0.0.1:1", req.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	out := &recorder{header: http.Header{}}
	cut := out.serve(w.handler, in)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if cut && !out.flushed {
		return nil, io.ErrUnexpectedEOF
	}
	if out.status == 0 {
		out.status = http.StatusOK
	}
	var body io.Reader = bytes.NewReader(out.body.Bytes())
	if cut {
		body = io.MultiReader(body, broken{})
	}
	return &http.Response{
		StatusCode: out.status, Status: http.StatusText(out.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, Body: io.NopCloser(body), ContentLength: -1, Request: req,
	}, nil
}

// broken is the end of a body that was cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type recorder struct {
	header  http.Header
	status  int
	body    bytes.Buffer
	flushed bool
}

// serve reports whether the handler cut the connection.
func (r *recorder) serve(h http.Handler, req *http.Request) (cut bool) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler { //nolint:errorlint // it is this very value
				panic(p)
			}
			cut = true
		}
	}()
	h.ServeHTTP(r, req)
	return false
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// Flush implements http.Flusher.
func (r *recorder) Flush() { r.flushed = true }
