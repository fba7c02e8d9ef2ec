// Package sourcetest runs the contract of a data source, which is in [sourcecheck], as a test: every folder under
// sources/ calls [Run] with a configuration that reads test data. It adds what only a test can do: creating data,
// breaking connections ([Relay]), and counting what a source leaves open in the process.
//
// Its invariant: nothing is skipped silently. If a source cannot have a case, a field of [Config] says why.
package sourcetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcecheck"
)

// patience is how long one case may take before its context ends.
const patience = 3 * time.Minute

type (
	// Broken is [sourcecheck.Broken].
	Broken = sourcecheck.Broken
	// FailingPart is [sourcecheck.FailingPart].
	FailingPart = sourcecheck.FailingPart
	// FailingContent is [sourcecheck.FailingContent].
	FailingContent = sourcecheck.FailingContent
	// Loss is [sourcecheck.Loss].
	Loss = sourcecheck.Loss
	// Changing is [sourcecheck.Changing].
	Changing = sourcecheck.Changing
	// HiddenPart is [sourcecheck.HiddenPart].
	HiddenPart = sourcecheck.HiddenPart
	// NothingChosen is [sourcecheck.NothingChosen].
	NothingChosen = sourcecheck.NothingChosen
)

// Config describes a source to the suite. Functions clean up what they create by t.Cleanup.
type Config struct {
	// Type is the source under test.
	Type source.Type
	// Values creates data and returns the configuration that reads it. It is called once. The data does not change
	// while the suite runs, and has at least two parts, one of them with two documents or more.
	Values func(t *testing.T) map[string]any
	// Env is passed to the source; without a logger it gets a silent one.
	Env source.Env

	// Broken are configurations that must be refused, with their mistakes as keys: at least one.
	Broken map[string]Broken

	// FailingPart creates a source with a part that cannot be read; NoFailingPart says why there is none.
	FailingPart   func(t *testing.T) FailingPart
	NoFailingPart string

	// FailingContent creates a source in which the content of a document is deleted, or breaks, after the document
	// was listed; NoFailingContent says why there is none although documents have content, NoContent why no
	// document has content.
	FailingContent              func(t *testing.T) FailingContent
	NoFailingContent, NoContent string

	// Loss creates a source whose connection breaks while it is read, usually by a [Relay]; NoLoss says why it has
	// none.
	Loss   func(t *testing.T) Loss
	NoLoss string

	// Changing creates a source that reports its changes, a [source.Changer]; NoChanges says why there is none
	// although the type has the ability. A type without the ability needs no reason.
	Changing  func(t *testing.T) Changing
	NoChanges string

	// HiddenPart creates a source with a part that is [source.Hidden], if the source has such parts.
	HiddenPart func(t *testing.T) HiddenPart
	// NothingChosen is a configuration of a [source.Selective] whose pattern selects nothing.
	NothingChosen func(t *testing.T) NothingChosen

	// Leaks are exceptions from the goroutine check, for goroutines of a driver that outlive Close by design; each
	// needs a comment that names it.
	Leaks []goleak.Option
}

// Run tests that a source keeps the contract of package source. The calling test must not be parallel: leaks are
// found by counting the goroutines and open files of the process.
func Run(t *testing.T, cfg Config) {
	t.Helper()
	// Setenv panics in a parallel test; there is no other way to detect one.
	t.Setenv("SOURCETEST", "1")
	if cfg.Values == nil {
		t.Fatal("sourcetest: Config.Values is missing")
	}
	s := cfg.source(t)
	for _, c := range cases(cfg.Leaks) {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err := c.check(ctx, s)
			if _, failed := errors.AsType[*sourcecheck.Failure](err); !failed && errors.Is(err, sourcecheck.ErrLeftOut) {
				t.Skip(err)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Described checks one document against the description of its part, see [sourcecheck.Described].
func Described(d *source.Description, t source.Type, common []source.DescribedField, doc *document.Document) error {
	return sourcecheck.Described(d, t, common, doc)
}

// source is the input of the cases. The calling test creates the faults, so that they last as long as it does.
func (c *Config) source(t *testing.T) *sourcecheck.Source {
	t.Helper()
	return &sourcecheck.Source{
		Type: c.Type, Env: c.Env, Values: c.Values(t), Broken: c.Broken,
		FailingPart: bound(t, c.FailingPart), NoFailingPart: c.NoFailingPart,
		FailingContent: bound(t, c.FailingContent), NoFailingContent: c.NoFailingContent, NoContent: c.NoContent,
		Loss: bound(t, c.Loss), NoLoss: c.NoLoss,
		Changing: bound(t, c.Changing), NoChanges: c.NoChanges,
		HiddenPart: bound(t, c.HiddenPart), NothingChosen: bound(t, c.NothingChosen),
	}
}

// bound binds a function to its test; nil stays nil.
func bound[F any](t *testing.T, create func(*testing.T) F) func() F {
	t.Helper()
	if create == nil {
		return nil
	}
	return func() F { return create(t) }
}

type namedCase struct {
	name  string
	check func(context.Context, *sourcecheck.Source) error
}

// noGoroutineLeft is the name of the case that counts after a complete run.
const noGoroutineLeft = "NoGoroutineLeft"

// cases are those of sourcecheck, plus a complete run during which goroutines and files are counted.
func cases(leaks []goleak.Option) (all []namedCase) {
	for _, c := range sourcecheck.Cases() {
		check := c.Check
		if c.Name == sourcecheck.EarlyBreakReleases {
			check = leavesNothing(c.Name, leaks, c.Check)
		}
		all = append(all, namedCase{c.Name, check})
		if c.Name == sourcecheck.Documents {
			all = append(all, namedCase{noGoroutineLeft, leavesNothing(noGoroutineLeft, leaks, c.Check)})
		}
	}
	return all
}
