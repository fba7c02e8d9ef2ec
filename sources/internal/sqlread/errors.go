package sqlread

import (
	"context"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// Verdicts classify the errors of a driver.
type Verdicts struct {
	Coded     func(error) bool   // it is a response of the server
	Text      func(error) string // that response in one line; "" for errors of another origin
	Refused   func(error) bool   // a privilege is missing
	Temporary func(error) bool   // the server reports a temporary error
	HungUp    func(error) bool   // the connection ended
	TooMany   func(error) bool   // the server allows no further connection
	Changed   func(error) bool   // the table was altered since the snapshot was taken
	NoTLS     func(error) bool   // the server does not speak TLS; nil: the driver has no such error
	Handshake func(error) bool   // the TLS handshake failed; nil: as [link.HandshakeFailed] reports
}

// Shorten shortens an error to one line. The cause can still be found in the chain.
func (v *Verdicts) Shorten(err error) error { return link.Shorten(err, v.Text, v.HungUp) }

// WorthRetrying reports whether connecting again may succeed: never if a credential was refused, so that a wrong
// password locks no account.
func (v *Verdicts) WorthRetrying(err error) bool {
	if v.Coded(err) {
		return v.Temporary(err)
	}
	return link.MayPass(err, v.noTLS(err) || v.handshakeFailed(err), v.HungUp(err))
}

func (v *Verdicts) noTLS(err error) bool { return v.NoTLS != nil && v.NoTLS(err) }

func (v *Verdicts) handshakeFailed(err error) bool {
	if v.Handshake != nil {
		return v.Handshake(err)
	}
	return link.HandshakeFailed(err)
}

// Connecting is the hint about an error of connecting for which a dialect has no better one, and its kind.
func (v *Verdicts) Connecting(err error) (hint string, kind error) {
	switch {
	case v.Temporary(err):
		return "", source.ErrTemporary
	case v.Coded(err):
		return "", nil
	case v.noTLS(err):
		return "the server does not speak TLS: enable it there, or set ssl_enabled: false", source.ErrConfig
	case v.handshakeFailed(err):
		return link.UntrustedHint, source.ErrConfig
	}
	return "check host and port, and that the server is listening there", source.ErrUnreachable
}

// Kind is the kind of an error, unless a caller knows better.
func (v *Verdicts) Kind(err error) error {
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return nil
	case v.Refused(err):
		return source.ErrAuth
	case !v.Coded(err) || v.Temporary(err) || v.HungUp(err):
		return source.ErrTemporary
	}
	return nil
}

// Ask wraps the error of a query that is not about one table.
func (v *Verdicts) Ask(doing string, err error) error {
	return link.AskError(doing, err, v.Kind, v.Shorten)
}

// Failed explains why a part could not be read. It is nil if there is no error.
func (p *Part[S, V]) Failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*source.Error](err); ok {
		return &source.Error{Kind: e.Kind, Part: p.Name(), Err: e.Err, Hint: e.Hint}
	}
	e := &source.Error{Kind: p.db.Verdicts.Kind(err), Part: p.Name(), Err: fmt.Errorf("%s: %w", doing, p.db.Verdicts.Shorten(err))}
	p.db.dialect.Explain(p, e, err)
	return e
}

// QueryError means that the query of a rule cannot work.
func (p *Part[S, V]) QueryError(err error, hint string) error {
	return p.db.Verdicts.QueryError(p.Name(), err, hint)
}

// QueryError means that the query of the rule with this part cannot work.
func (v *Verdicts) QueryError(part string, err error, hint string) error {
	return &source.Error{Kind: source.ErrConfig, Part: part, Err: fmt.Errorf("query: %w", v.Shorten(err)), Hint: hint}
}

// Checked is the error of a rule whose check ended with err. A missing privilege is not a configuration error:
// it fails only its part.
func (p *Part[S, V]) Checked(err error, hint string) error {
	v := &p.db.Verdicts
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e
	}
	switch {
	case err == nil || v.Refused(err):
		return nil
	case !v.Coded(err) || v.Temporary(err):
		return p.Failed("check the query", err)
	}
	return p.QueryError(err, hint)
}
