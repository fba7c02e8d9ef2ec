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

// described is what a source reports before its documents are read.
type described struct {
	listed  bool          // parts and err replace the source's list
	parts   []source.Part // in its order
	err     error         // why the list ended early
	fields  shape.Fields  // of all parts
	clash   plan.Clashes
	undone  error // the first part that could not be described for a temporary reason
	mistake error // nothing that the configuration names exists in the source
}

// describe lists the parts of a source that can describe them, and merges the descriptions.
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
	err := d.list(ctx, src)
	if len(d.parts) == 0 && errors.Is(d.err, source.ErrConfig) {
		d.mistake = d.err
	}
	if err != nil || ctx.Err() != nil { // reading asks for the list, too, and reports the error
		return d, err
	}
	err = d.describeParts(ctx, t)
	return d, err
}

// list lists the parts of a source.
func (d *described) list(ctx context.Context, src source.Source) error {
	return guarded(func() error {
		for part, err := range src.Parts(ctx) {
			if err != nil {
				d.err = err
				break
			}
			d.parts = append(d.parts, part)
		}
		return nil
	})
}

// mostAbsent is the number of names that do not exist in one error.
const mostAbsent = 5

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
			t.deps.Log.Debug("the fields are unknown until the part is read", report.Part, part.Name(), report.Err, err.Error())
			if d.undone == nil && (errors.Is(err, source.ErrTemporary) || errors.Is(err, source.ErrUnreachable)) {
				d.undone = fmt.Errorf("describe %s: %w", part.Name(), err)
			}
			continue
		}
		d.fields.Add(written(found[i].Fields))
		d.clash.Add(part.Scope(), found[i].IDPrefix, found[i].NumericIDs)
	}
	d.clash.Settle()
	if d.err == nil {
		d.mistake = absence(d.parts)
	}
	return nil
}

// absence is the error of parts of which none exists; nil if one does, or there are none.
func absence(parts []source.Part) error {
	var all []error
	for _, part := range parts {
		a, ok := part.(source.Absent)
		if !ok {
			return nil
		}
		all = append(all, a.Absent())
	}
	if n := len(all) - mostAbsent; n > 0 {
		return fmt.Errorf("%w, and %d more", errors.Join(all[:mostAbsent]...), n)
	}
	return errors.Join(all...)
}

// written is the fields under their names in _source.
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
