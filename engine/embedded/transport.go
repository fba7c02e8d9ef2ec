package embedded

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
)

// Transport returns the server as a client's transport: no socket, no port. The body of a request is
// read and closed before the response; the response is complete when it is returned.
func (s *Server) Transport() http.RoundTripper { return roundTripper{s} }

type roundTripper struct{ s *Server }

// RoundTrip answers a request, or stops waiting when its context ends. The request then still
// completes; Server.Close waits for it.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	buffer := t.s.buffer()
	err := t.s.readBody(r, buffer)
	if r.Body != nil {
		err = errors.Join(err, r.Body.Close())
	}
	if _, ours := errors.AsType[*apiError](err); err != nil && !ours {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	done := make(chan outcome, 1)
	go func() { // ends with the request
		var o outcome
		o.crash = crash.Guarded(func() error {
			o.answer = t.s.respond(r, buffer, err)
			return nil
		})
		if o.crash != nil {
			t.s.store.breakOff(o.crash) // its work may be half done, and its locks are held
		} else {
			t.s.buffers.Put(buffer)
		}
		done <- o
	}()
	select {
	case o := <-done:
		return o.response(r)
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.s.store.failed:
	}
	// The request may hang on the broken store, or be about to report the error more precisely.
	grace := time.NewTimer(time.Second)
	defer grace.Stop()
	select {
	case o := <-done:
		return o.response(r)
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-grace.C:
		return errorAnswer(storeFailed(t.s.store.broken)).response(r), nil
	}
}

// outcome is the result of a request: a response, or a crash.
type outcome struct {
	answer *answer
	crash  error
}

func (o *outcome) response(r *http.Request) (*http.Response, error) {
	if o.crash != nil {
		return nil, o.crash
	}
	return o.answer.response(r), nil
}

func (a *answer) response(r *http.Request) *http.Response {
	out := &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header(r), Body: http.NoBody, ContentLength: int64(len(a.body)), Request: r,
	}
	if r.Method != http.MethodHead && len(a.body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(a.body))
	}
	return out
}
