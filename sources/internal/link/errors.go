package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

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

// AskError is the error of a query that is not about one part. kind is the kind of an error of the dialect, told its
// text.
func AskError(doing string, err error, kind, told func(error) error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return &source.Error{Kind: kind(err), Err: fmt.Errorf("%s: %w", doing, told(err))}
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
