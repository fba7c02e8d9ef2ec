// Package sourcetest is the contract of a data source, written as tests: every folder under sources/
// calls [Run] with a configuration that reads seeded data, and so does a source of another process.
//
// It does not test what a kind of source reads, such as how a column's type looks in JSON; that is
// for the source's own tests. It judges a source only by the interfaces of package source, as the
// engine does.
//
// Its invariant: nothing is skipped silently. A case that a source cannot have is left out by a field
// of [Config] that says why.
package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// patience is how long one case may take before its context ends.
const patience = 2 * time.Minute

// Config is what the suite needs to know of a source.
type Config struct {
	// Type is the source under test.
	Type source.Type
	// Values seeds data and returns the raw configuration that reads it. It is called once; what it
	// makes is removed by t.Cleanup. The data does not change while the suite runs, and has at least
	// two parts, one of them with two documents or more.
	Values func(t *testing.T) map[string]any
	// Env is lent to the source; without a logger it gets a silent one.
	Env source.Env

	// Broken are configurations that must be refused, by what is wrong with them: at least one.
	Broken map[string]Broken

	// FailingPart seeds a source in which one part cannot be read.
	FailingPart func(t *testing.T) FailingPart
	// NoFailingPart says why there is none.
	NoFailingPart string

	// FailingContent seeds a source in which the content of a document goes away, or breaks, after
	// the document was listed.
	FailingContent func(t *testing.T) FailingContent
	// NoFailingContent says why there is none although documents have content.
	NoFailingContent string
	// NoContent says why no document of this source has content.
	NoContent string

	// Changing seeds a source that tells its changes, a [source.Changer].
	Changing func(t *testing.T) Changing
	// NoChanges says why there is none although the type has the ability; one that has not needs no reason.
	NoChanges string

	// Leaks are exceptions from the goroutine check, for goroutines of a driver that outlive Close by
	// its own design; each needs a comment that names it.
	Leaks []goleak.Option
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

// Changing is a source that tells its changes, of at least three documents.
type Changing struct {
	Values map[string]any
	// Change creates, changes and deletes documents, at least one of each, and returns their ids.
	Change func() (created, changed, deleted []string)
}

// Run tests that a source keeps the contract of package source. The calling test must not be
// parallel: goroutines and files that a source leaves behind are told by counting those of the
// process.
func Run(t *testing.T, cfg Config) {
	t.Helper()
	// Setenv refuses to work in a parallel test, which is the one way to notice.
	t.Setenv("SOURCETEST", "1")
	if cfg.Values == nil {
		t.Fatal("sourcetest: Config.Values is missing")
	}
	s := newSuite(cfg, cfg.Values(t))
	if cfg.FailingPart != nil {
		s.failingPart = func() FailingPart { return cfg.FailingPart(t) }
	}
	if cfg.FailingContent != nil {
		s.failingContent = func() FailingContent { return cfg.FailingContent(t) }
	}
	if cfg.Changing != nil {
		s.changing = func() Changing { return cfg.Changing(t) }
	}
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			switch err := c.check(s, ctx); {
			case errors.Is(err, errSkip):
				t.Skip(err)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// errSkip is in the chain of what a case returns that Config leaves out.
var errSkip = errors.New("left out")

func skip(reason string) error { return fmt.Errorf("%w: %s", errSkip, reason) }

type namedCase struct {
	name  string
	check func(*suite, context.Context) error
}

// cases are the contract. They return errors rather than fail a test so that the suite's own tests
// can show that each of them notices what it is for.
func cases() []namedCase {
	return []namedCase{
		{"Fields", (*suite).fields},
		{"Validate", (*suite).validate},
		{"Ping", (*suite).ping},
		{"PartsStable", (*suite).partsStable},
		{"Documents", (*suite).documents},
		{"IDsUniqueAndStable", (*suite).idsUniqueAndStable},
		{"ScopeOf", (*suite).scopeOf},
		{"Described", (*suite).described},
		{"EarlyBreakReleases", (*suite).earlyBreakReleases},
		{"CancelMidway", (*suite).cancelMidway},
		{"BrokenIsTyped", (*suite).brokenIsTyped},
		{"FailingPartIsTyped", (*suite).failingPartIsTyped},
		{"PartsInParallel", (*suite).partsInParallel},
		{"ContentTwice", (*suite).contentTwice},
		{"ContentFails", (*suite).contentFails},
		{"ChangesAreTold", (*suite).changesAreTold},
		{"NoGoroutineLeft", (*suite).noGoroutineLeft},
	}
}

// suite is one run over one source.
type suite struct {
	cfg            Config
	raw            map[string]any
	failingPart    func() FailingPart
	failingContent func() FailingContent
	changing       func() Changing
}

func newSuite(cfg Config, raw map[string]any) *suite {
	if cfg.Env.Log == nil {
		cfg.Env.Log = slog.New(slog.DiscardHandler)
	}
	return &suite{cfg: cfg, raw: raw}
}

// open parses raw and opens the source.
func (s *suite) open(ctx context.Context, raw map[string]any) (source.Source, field.Values, error) {
	values, err := field.Parse(s.cfg.Type.Fields, raw)
	if err != nil {
		return nil, values, fmt.Errorf("parse the configuration: %w", err)
	}
	src, err := s.cfg.Type.Open(ctx, values, s.cfg.Env)
	if err != nil {
		return nil, values, fmt.Errorf("open: %w", err)
	}
	return src, values, nil
}

// with opens the source, hands it to use and closes it.
func (s *suite) with(ctx context.Context, raw map[string]any, use func(source.Source, field.Values) error) (err error) {
	src, values, err := s.open(ctx, raw)
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
