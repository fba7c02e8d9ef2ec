package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// BriefError has a text of its own before a cause.
type BriefError struct {
	Text string
	Err  error
}

func (e *BriefError) Error() string { return e.Text }

// Unwrap gives the cause.
func (e *BriefError) Unwrap() error { return e.Err }

// AskError is the error of a query that is not about one part. kind is the kind of an error of the dialect, and shorten
// shortens it.
func AskError(doing string, err error, kind, shorten func(error) error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return &source.Error{Kind: kind(err), Err: fmt.Errorf("%s: %w", doing, shorten(err))}
}

// HandshakeFailed reports whether a TLS handshake started and failed.
func HandshakeFailed(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.AlertError](err)
	return ok
}

// Brief shortens an error of the network path to what happened, without what drivers put before it; it is nil for
// other errors. The cause can still be found in the chain.
func Brief(err error) error {
	if e, ok := errors.AsType[*StallError](err); ok {
		return &BriefError{Text: e.Error(), Err: err}
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &BriefError{Text: e.Error(), Err: err}
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return &BriefError{Text: e.Error(), Err: err}
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return &BriefError{Text: e.Error(), Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &BriefError{Text: "the server did not respond in time", Err: err}
	}
	return nil
}

// Lost is the text of an error that only says that the connection ended.
const Lost = "the connection was lost"

// Shorten shortens a driver's error to one line, without what drivers put before it. text is that of the server's error,
// "" if the error has another origin; hungUp reports whether the connection ended. The cause can still be found in the
// chain.
func Shorten(err error, text func(error) string, hungUp func(error) bool) error {
	if line := text(err); line != "" {
		return &BriefError{Text: line, Err: err}
	}
	if brief := Brief(err); brief != nil {
		return brief
	}
	if hungUp(err) {
		return &BriefError{Text: Lost, Err: err}
	}
	if line := err.Error(); strings.Contains(line, "\n") {
		return &BriefError{Text: strings.Join(strings.Fields(line), " "), Err: err}
	}
	return err
}

// MayPass reports whether connecting again may work after an error that did not come from the server. handshake says
// that the TLS handshake failed, hungUp that the connection ended.
func MayPass(err error, handshake, hungUp bool) bool {
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		return d.IsTemporary || d.IsTimeout
	}
	if handshake {
		return false
	}
	_, network := errors.AsType[net.Error](err)
	return network || hungUp || errors.Is(err, context.DeadlineExceeded)
}
