// Package sourcecheck is the contract of a data source as functions that return errors. Each [Case] holds a source to
// some sentences of package source, and judges it only by the interfaces there, as the engine does. A test calls them
// through [engine/sourcetest], which seeds data and breaks connections; they need no test to run in, so that a source
// that lives elsewhere can be checked as well.
//
// It does not check what a kind of source reads, such as how the type of a column looks in JSON; that is for the
// source's own tests.
//
// Its invariant: nothing is left out silently. A case that cannot be judged returns [ErrLeftOut] with the reason, and
// one that lacks what it needs fails.
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

// Source is a source to check, and the data and faults that the cases need. What is a function is called by the one
// case that needs it; nil is none.
type Source struct {
	Type source.Type
	Env  source.Env // without a logger it gets a silent one
	// Values is the configuration that reads the data: at least two parts, one of them with two documents or more. The
	// data does not change while a case runs.
	Values map[string]any

	Broken map[string]Broken // configurations that must be refused, by what is wrong with them: at least one

	FailingPart   func() FailingPart
	NoFailingPart string // why there is none

	FailingContent   func() FailingContent
	NoFailingContent string // why there is none although documents have content
	NoContent        string // why no document has content

	Loss   func() Loss
	NoLoss string // why there is no connection that could be lost

	Changing  func() Changing
	NoChanges string // why there is none although the type has the ability; one that has not needs no reason

	HiddenPart    func() HiddenPart    // for a source with parts that are [source.Hidden]
	NothingChosen func() NothingChosen // for a [source.Selective]
}

// Broken is a configuration that Open, Validate or Ping must refuse.
type Broken struct {
	Values map[string]any
	Kind   error // what errors.Is must find: one of the kinds of package source
}

// FailingPart is a source in which one part cannot be read.
type FailingPart struct {
	Values map[string]any
	Scope  string // of the part
	Kind   error  // what errors.Is must find; nil where the failure is of no kind
}

// FailingContent is a source in which the content of one document fails.
type FailingContent struct {
	Values map[string]any
	ID     string // of the document
	Break  func() // called once the document was listed and before its content is opened; may be nil
	Want   error  // what errors.Is must find, such as fs.ErrNotExist; nil for any error
}

// Loss is a source whose connection breaks while documents are read.
type Loss struct {
	Values map[string]any
	Break  func()     // called once the parts are listed: the connection is to break while they are read
	Lost   func() int // how often it broke since then
}

// Changing is a source that reports its changes, of at least three documents.
type Changing struct {
	Values map[string]any
	// Change creates, changes and deletes documents, at least one of each, and returns their ids.
	Change func() (created, changed, deleted []string)
}

// HiddenPart is a source with a part that exists and cannot be seen, beside one that can be read.
type HiddenPart struct {
	Values map[string]any
	Scope  string // of the part
}

// NothingChosen is a configuration whose pattern chooses nothing of what is there.
type NothingChosen struct{ Values map[string]any }

// Case is some of the contract.
type Case struct {
	Name    string
	Promise string // what the source promises, in one sentence
	check   func(*Source, context.Context) error
}

// Check judges a source. The error is a [*Failure], or one that wraps [ErrLeftOut]. A source that panics fails.
func (c *Case) Check(ctx context.Context, s *Source) error {
	own := *s // cases may run concurrently
	if own.Env.Log == nil {
		own.Env.Log = slog.New(slog.DiscardHandler)
	}
	err := crash.Guarded(func() error { return c.check(&own, ctx) })
	_, several := err.(interface{ Unwrap() []error }) // a reason hides no other error
	if err == nil || !several && errors.Is(err, ErrLeftOut) {
		return err
	}
	f := &Failure{Case: c.Name, Promise: c.Promise, Err: err}
	for at, ok := errors.AsType[*placed](err); ok; at, ok = errors.AsType[*placed](at.err) { // a document may be named below its part
		f.Part, f.ID = cmp.Or(f.Part, at.part), cmp.Or(f.ID, at.id)
	}
	return f
}

// The names of cases that a test runs in a way of its own: while it counts goroutines and files.
const (
	Documents          = "Documents"
	EarlyBreakReleases = "EarlyBreakReleases"
)

// Cases are the contract, in an order in which the first failure says most.
func Cases() []Case {
	return []Case{
		{"Fields", "the type is complete, and its fields are described without a mistake", (*Source).fields},
		{"Validate", "a configuration that works is valid, however often it is validated", (*Source).validate},
		{"Ping", "the data source answers, and a context that is over ends the question", (*Source).ping},
		{"PartsStable", "every run lists the same parts, each once, with scopes of the declared shape", (*Source).partsStable},
		{Documents, "every document can be written, and each part reports that it was read to its end", (*Source).documents},
		{"IDsUniqueAndStable", "ids are unique within a source, and every run reads the same documents", (*Source).idsUniqueAndStable},
		{"ScopeOf", "ScopeOf returns the scope of an indexed document, and none where the document does not hold it", (*Source).scopeOf},
		{"VersionFields", "version fields and the title are texts at the top of a document", (*Source).versionFields},
		{"Described", "the description of a part holds for every one of its documents", (*Source).described},
		{"Profiles", "every profile and every encoding that the type names can be used", (*Source).profiles},
		{"AdvancedRules", "rules that make no sense are refused when the source is opened or validated", (*Source).advancedRules},
		{"IDsOnly", "where ids are enough, the same ids come, with what their scope is known by", (*Source).idsOnly},
		{"Estimator", "an estimate is a number of documents, whenever it is asked for", (*Source).estimator},
		{"Hidden", "a hidden part is listed, yields no document and never reports an end", (*Source).hidden},
		{"Selective", "a source whose pattern chooses nothing reports it, and one whose pattern chooses something does not", (*Source).selective},
		{"AccessLister", "documents and identities carry principals in the form that Elasticsearch is asked with", (*Source).accessLister},
		{EarlyBreakReleases, "a loop that is left ends the sequence, and the part has not ended", (*Source).earlyBreak},
		{"CancelMidway", "a part that is cut short by its context ends with an error", (*Source).cancelMidway},
		{"BrokenIsTyped", "a configuration that cannot work is refused with an error of a kind", (*Source).brokenIsTyped},
		{"FailingPartIsTyped", "a part that cannot be read is listed, and fails alone, with an error that names it", (*Source).failingPartIsTyped},
		{"LossRepeatsNothing", "after a lost connection reading continues, and yields no document twice", (*Source).lossRepeatsNothing},
		{"PartsInParallel", "parts may be read concurrently, while the list continues", (*Source).partsInParallel},
		{"ContentTwice", "content may be opened several times, and holds as many bytes as were listed", (*Source).contentTwice},
		{"ContentFails", "content that is gone or breaks is an error", (*Source).contentFails},
		{"ChangesAreTold", "what changed after a place in the history is reported, as it is now", (*Source).changesAreTold},
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

// with opens the source, hands it to use and closes it.
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
