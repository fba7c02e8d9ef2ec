package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

var (
	errEndless = errors.New("the listing does not advance: the store returned a page twice, or empty pages without end")
	errOrder   = errors.New("the listing is not in the order of the keys, so it cannot be read in ranges")
)

// KindOf is the kind of a failure by the status of the response.
func KindOf(status int) error {
	switch {
	case status == 401, status == 403:
		return source.ErrAuth
	case status == 404, status >= 300 && status < 400:
		return source.ErrConfig
	case status == 408, status == 429, status >= 500 && status != 501:
		return source.ErrTemporary
	}
	return nil
}

// Answered is the failure of a request that the store refused.
func Answered(status int, code, message string) *source.Error {
	// Messages of some stores have lines of headers and bodies after the first one.
	message, _, _ = strings.Cut(strings.TrimSpace(message), "\n")
	text := fmt.Sprintf("the store responded with %d", status)
	if code != "" {
		text += " " + code
	}
	if message != "" {
		text += ": " + strings.TrimSpace(message)
	}
	return &source.Error{Kind: KindOf(status), Err: errors.New(text)}
}

// Unanswered is the failure of a request without a response: it may pass if a connection had been established,
// otherwise the store is unreachable. The query of an address, which may contain a signature, is omitted.
func Unanswered(err error) *source.Error {
	failure := &source.Error{Err: err}
	if e, ok := errors.AsType[*url.Error](err); ok {
		failure.Err = fmt.Errorf("%s %s: %w", strings.ToUpper(e.Op), withoutQuery(e.URL), e.Err)
	}
	dial, dialed := errors.AsType[*net.OpError](err)
	_, dns := errors.AsType[*net.DNSError](err)
	timeout, timed := errors.AsType[net.Error](err)
	switch {
	case dns, dialed && dial.Op == "dial":
		failure.Kind = source.ErrUnreachable
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, context.DeadlineExceeded), dialed, timed && timeout.Timeout():
		failure.Kind = source.ErrTemporary
	}
	return failure
}

func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the store"
	}
	u.RawQuery, u.User = "", nil
	return u.String()
}
