// Package sourcecheck is the contract of a data source as functions that return errors. Each [Case] checks some
// sentences of package source, using only the interfaces there, as the engine does. A test calls the cases through
// [engine/sourcetest], which creates data and breaks connections. The cases need no test to run in, so that a
// source in another repository can be checked as well.
//
// It does not check the details of a kind of source, such as the JSON form of a column type; those are for the
// source's own tests.
//
// Its invariant: nothing is left out silently. A case that cannot be checked returns [ErrLeftOut] with the reason,
// and a case without the functions that it needs fails.
//
// [engine/sourcetest]: https://pkg.go.dev/github.com/elastic-ingest/elastic-ingest/engine/sourcetest
package sourcecheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Source is a source to check, and the data and faults that the cases need. Only the case that needs a function
// calls it; nil means that there is none.
type Source struct {
	Type source.Type
	Env  source.Env // without a logger it gets a silent one
	// Values is the configuration that reads the data: at least two parts, one of them with two documents or more. The
	// data does not change while a case runs.
	Values map[string]any

	Broken map[string]Broken // configurations that must be refused, with their mistakes as keys: at least one

	FailingPart   func() FailingPart
	NoFailingPart string // why there is none

	FailingContent   func() FailingContent
	NoFailingContent string // why there is none although documents have content
	NoContent        string // why no document has content

	Loss   func() Loss
	NoLoss string // why there is no connection that could be lost

	Changing  func() Changing
	NoChanges string // why there is none although the type has the ability; a type without it needs no reason

	HiddenPart    func() HiddenPart    // for a source with parts that are [source.Hidden]
	NothingChosen func() NothingChosen // for a [source.Selective]
}

// Broken is a configuration that Open, Validate or Ping must refuse.
type Broken struct {
	Values map[string]any
	Kind   error // for errors.Is: one of the kinds of package source
}

// FailingPart is a source in which one part cannot be read.
type FailingPart struct {
	Values map[string]any
	Scope  string // of the part
	Kind   error  // for errors.Is; nil if the failure is of no kind
}

// FailingContent is a source in which the content of one document fails.
type FailingContent struct {
	Values map[string]any
	ID     string // of the document
	Break  func() // called after the document was listed and before its content is opened; may be nil
	Want   error  // for errors.Is, such as fs.ErrNotExist; nil for any error
}

// Loss is a source whose connection breaks while documents are read.
type Loss struct {
	Values map[string]any
	Break  func()     // called after the parts are listed: the connection must break while they are read
	Lost   func() int // number of breaks since then
}

// Changing is a source that reports its changes, of at least three documents.
type Changing struct {
	Values map[string]any
	// Change creates, changes and deletes documents, at least one of each, and returns their ids.
	Change func() (created, changed, deleted []string)
}

// HiddenPart is a source with a part that exists but is not visible, and another that can be read.
type HiddenPart struct {
	Values map[string]any
	Scope  string // of the part
}

// NothingChosen is a configuration whose pattern selects none of the existing data.
type NothingChosen struct{ Values map[string]any }

// Case is a section of the contract.
type Case struct {
	Name    string
	Promise string // the source's promise, in one sentence
	check   func(*Source, context.Context) error
}

// Check checks a source. The error is a [*Failure], or wraps [ErrLeftOut]. A source that panics fails.
func (c *Case) Check(ctx context.Context, s *Source) error {
	own := *s // cases may run concurrently
	if own.Env.Log == nil {
		own.Env.Log = slog.New(slog.DiscardHandler)
	}
	err := crash.Guarded(func() error { return c.check(&own, ctx) })
	_, several := err.(interface{ Unwrap() []error }) // a reason must not hide another error
	if err == nil || !several && errors.Is(err, ErrLeftOut) {
		return err
	}
	f := &Failure{Case: c.Name, Promise: c.Promise, Err: err}
	for at, ok := errors.AsType[*placed](err); ok; at, ok = errors.AsType[*placed](at.err) { // a document may be named below its part
		f.Part, f.ID = cmp.Or(f.Part, at.part), cmp.Or(f.ID, at.id)
	}
	return f
}

// Names of the cases that a test runs while it counts goroutines and files.
const (
	Documents          = "Documents"
	EarlyBreakReleases = "EarlyBreakReleases"
)

// Cases are the contract, ordered so that the first failure is the most informative.
func Cases() []Case {
	return []Case{
		{"Fields", "the type is complete, and its fields are described correctly", (*Source).fields},
		{"Validate", "a configuration that works is valid, however often it is validated", (*Source).validate},
		{"Ping", "the data source responds, and a canceled context ends the request", (*Source).ping},
		{"PartsStable", "every run lists the same parts, each once, with scopes of the declared shape", (*Source).partsStable},
		{Documents, "every document can be written, and each part reports that it was read completely", (*Source).documents},
		{"IDsUniqueAndStable", "ids are unique within a source, and every run reads the same documents", (*Source).idsUniqueAndStable},
		{"ScopeOf", "ScopeOf returns the scope of an indexed document, and none if the document does not contain it", (*Source).scopeOf},
		{"VersionFields", "version fields and the title are top-level text fields of a document", (*Source).versionFields},
		{"Described", "the description of a part fits all of its documents", (*Source).described},
		{"Profiles", "every profile and every encoding that the type names can be used", (*Source).profiles},
		{"AdvancedRules", "invalid rules are refused when the source is opened or validated", (*Source).advancedRules},
		{"IDsOnly", "with IDsOnly, the same ids are read, with the fields of their scope", (*Source).idsOnly},
		{"Estimator", "an estimate is a number of documents, before and after reading", (*Source).estimator},
		{"Hidden", "a hidden part is listed, yields no document and never reports an end", (*Source).hidden},
		{"Selective", "a source reports an error if its pattern selects nothing, and only then", (*Source).selective},
		{"AccessLister", "documents and identities have principals in the form that Elasticsearch queries use", (*Source).accessLister},
		{EarlyBreakReleases, "leaving a loop early ends the sequence, and the part has not ended", (*Source).earlyBreak},
		{"CancelMidway", "a part that is cut short by its context ends with an error", (*Source).cancelMidway},
		{"BrokenIsTyped", "a configuration that cannot work is refused with an error of a kind", (*Source).brokenIsTyped},
		{"FailingPartIsTyped", "a part that cannot be read is listed, and fails alone, with an error that names it", (*Source).failingPartIsTyped},
		{"LossRepeatsNothing", "after a lost connection reading continues, and yields no document twice", (*Source).lossRepeatsNothing},
		{"PartsInParallel", "parts may be read concurrently, while the list continues", (*Source).partsInParallel},
		{"ContentTwice", "content may be opened several times, and holds as many bytes as were listed", (*Source).contentTwice},
		{"ContentFails", "deleted or broken content is an error", (*Source).contentFails},
		{"ChangesAreReported", "changes after a position in the history are reported, with the current documents", (*Source).changesAreReported},
	}
}

// open parses the configuration and opens the source.
func (s *Source) open(ctx context.Context, raw map[string]any, env source.Env) (source.Source, field.Values, error) {
	values, err := field.Parse(s.Type.Fields, raw)
	if err != nil {
		return nil, values, fmt.Errorf("parse the configuration: %w", err)
	}
	src, err := s.Type.Open(ctx, values, env)
	if err != nil {
		return nil, values, fmt.Errorf("open: %w", err)
	}
	return src, values, nil
}

// with opens the source, passes it to use and closes it.
func (s *Source) with(ctx context.Context, raw map[string]any, use func(source.Source, field.Values) error) error {
	return s.in(ctx, raw, s.Env, use)
}

// in is with, in another environment.
func (s *Source) in(ctx context.Context, raw map[string]any, env source.Env, use func(source.Source, field.Values) error) (err error) {
	src, values, err := s.open(ctx, raw, env)
	if err != nil {
		return err
	}
	defer func() {
		if closing := src.Close(); closing != nil {
			err = errors.Join(err, fmt.Errorf("close: %w", closing))
		}
	}()
	return use(src, values)
}

// read opens the source, reads all of it and closes it.
func (s *Source) read(ctx context.Context, raw map[string]any, env source.Env) (docs []docRead, err error) {
	err = s.in(ctx, raw, env, func(src source.Source, _ field.Values) (err error) {
		docs, err = readAll(ctx, src)
		return err
	})
	return docs, err
}
