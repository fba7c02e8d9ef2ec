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
	Coded     func(error) bool // it is a response of the server
	Refused   func(error) bool // a privilege is missing
	Temporary func(error) bool // the server reports a temporary error
	HungUp    func(error) bool // the connection ended
	TooMany   func(error) bool // the server allows no further connection
	Changed   func(error) bool // the table was altered since the snapshot was taken
	Told      func(error) error
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
	return link.AskError(doing, err, v.Kind, v.Told)
}

// Failed explains why a part could not be read. It is nil if there is no error.
func (p *Part[S, V]) Failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*source.Error](err); ok {
		return &source.Error{Kind: e.Kind, Part: p.Name(), Err: e.Err, Hint: e.Hint}
	}
	e := &source.Error{Kind: p.db.Verdicts.Kind(err), Part: p.Name(), Err: fmt.Errorf("%s: %w", doing, p.db.Verdicts.Told(err))}
	p.db.dialect.Explain(p, e, err)
	return e
}

// QueryError means that the query of a rule cannot work.
func (p *Part[S, V]) QueryError(err error, hint string) error {
	return p.db.Verdicts.QueryError(p.Name(), err, hint)
}

// QueryError means that the query of the rule with this part cannot work.
func (v *Verdicts) QueryError(part string, err error, hint string) error {
	return &source.Error{Kind: source.ErrConfig, Part: part, Err: fmt.Errorf("query: %w", v.Told(err)), Hint: hint}
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
