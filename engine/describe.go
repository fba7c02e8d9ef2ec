package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/shape"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// described is what a source says before its documents are read.
type described struct {
	listed bool          // parts and err stand in place of the source's list
	parts  []source.Part // in its order
	err    error         // what broke the list off
	fields shape.Fields  // of all parts
	clash  plan.Clashes
	undone error // the first part that could not be described for a reason that may pass
}

// describe lists the parts of a source that describes them, and unites what they say.
func (t *task) describe(ctx context.Context, src source.Source) (*described, error) {
	d := &described{fields: shape.Fields{}}
	d.fields.Add([]source.DescribedField{{Name: "_timestamp", Kind: source.Date}})
	if common := t.job.Type.CommonFields; common != nil {
		d.fields.Add(common(t.job.Values))
	}
	if !t.job.Type.Describes || t.job.Kind != Mirror {
		return d, nil
	}
	t.phase("describing the source")
	ctx, stop := t.limited(ctx)
	defer stop()
	d.listed = true
	err := guarded(func() error {
		for part, err := range src.Parts(ctx) {
			if err != nil {
				d.err = err
				break
			}
			d.parts = append(d.parts, part)
		}
		return nil
	})
	if err != nil || ctx.Err() != nil { // the reading, which asks for the list, says what that means
		return d, err
	}
	err = d.describeParts(ctx, t)
	return d, err
}

func (d *described) describeParts(ctx context.Context, t *task) error {
	found := make([]source.Description, len(d.parts))
	failed := make([]error, len(d.parts))
	var g errgroup.Group
	g.SetLimit(t.deps.Readers)
	for i, part := range d.parts {
		p, ok := part.(source.Describer)
		if !ok {
			continue
		}
		g.Go(func() error { // ends with its part
			return guarded(func() (err error) {
				found[i], failed[i] = p.Describe(ctx)
				return nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, part := range d.parts {
		if err := failed[i]; err != nil {
			t.deps.Log.Debug("the fields are not known before they are read", report.Part, part.Name(), report.Err, err.Error())
			if d.undone == nil && (errors.Is(err, source.ErrTemporary) || errors.Is(err, source.ErrUnreachable)) {
				d.undone = fmt.Errorf("describe %s: %w", part.Name(), err)
			}
			continue
		}
		d.fields.Add(written(found[i].Fields))
		d.clash.Add(part.Scope(), found[i].IDPrefix, found[i].NumericIDs)
	}
	d.clash.Settle()
	return nil
}

// written are the fields under the names that they have in _source.
func written(fields []source.DescribedField) []source.DescribedField {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	out := slices.Clone(fields)
	for i, name := range document.WrittenNames(names) {
		out[i].Name = name
	}
	return out
}
