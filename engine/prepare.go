package engine

import (
	"context"
	"errors"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// prepared is what is known before the index is scanned: how documents are built, which changes are followed, and
// what the source describes.
type prepared struct {
	*destination
	recipe
	following

	described *described
	absences  *absences
}

// prepare finds or creates the index and acquires the lock.
func (t *task) prepare(ctx context.Context, src source.Source) (p *prepared, unlock func(), err error) {
	d, unlock, err := t.lock(ctx, func(ctx context.Context) (*destination, error) {
		d, err := t.reach(ctx)
		if errors.Is(err, elastic.ErrNotFound) {
			err = selects(ctx, src)
		}
		return d, err
	})
	if err != nil {
		return nil, nil, err
	}
	if err := d.checkPlan(); err != nil {
		unlock()
		return nil, nil, err
	}
	if lacking := d.index.Lacks(t.job.Create); len(lacking) > 0 && !d.absent && !t.job.DefaultAnalysis {
		t.deps.Log.Warn("the existing index lacks the configured analysis and is not changed; to get it, sync into a new index",
			report.Index, d.index.Name, "lacks", strings.Join(lacking, ", "))
	}
	if p, err = d.settle(ctx, src); err != nil {
		unlock()
		return nil, nil, err
	}
	return p, unlock, nil
}

// lock reaches the index and excludes other runs from it, unless the run is dry. If that took a wait, another run
// may have created the index, marked it or pointed an alias to another one, so it is reached again.
func (t *task) lock(ctx context.Context, reach func(context.Context) (*destination, error)) (*destination, func(), error) {
	d, err := reach(ctx)
	for err == nil && !t.job.DryRun {
		unlock, waited, lerr := t.deps.Lock(ctx, d.info.UUID, d.index.Name)
		if lerr != nil {
			return nil, nil, lerr
		}
		if !waited {
			return d, unlock, nil
		}
		locked := d.index.Name
		if d, err = reach(ctx); err == nil && d.index.Name == locked {
			return d, unlock, nil
		}
		unlock()
	}
	return d, func() {}, err
}

// selects fails if the configuration selects nothing in the source, for sources that can report it.
func selects(ctx context.Context, src source.Source) error {
	if s, ok := src.(source.Selective); ok {
		return s.Selects(ctx)
	}
	return nil
}

// settle describes the source, creates the index if it is missing, and decides how documents are compared and
// built.
func (d *destination) settle(ctx context.Context, src source.Source) (p *prepared, err error) {
	p = &prepared{destination: d, described: &described{}}
	creates := d.absent && !d.job.DryRun
	if !creates {
		if p.recipe, err = d.decideRecipe(ctx); err != nil {
			return nil, err
		}
	}
	if p.following, err = (&history{d, p.print}).follow(ctx, src); err != nil {
		return nil, err
	}
	p.absences = &absences{destination: d, counts: !p.incremental()}
	if p.nothingChanged() {
		return p, nil
	}
	if p.described, err = d.describe(ctx, src); err != nil {
		return nil, err
	}
	if d.absent && p.described.mistake != nil { // no index is created for it
		return nil, p.described.mistake
	}
	form := &shaping{d, p.described.fields}
	if creates {
		if err := form.create(ctx, p.described.undone); err != nil {
			return nil, err
		}
	}
	if d.absent && d.job.DryRun && p.described.undone == nil {
		if err := form.preview(); err != nil {
			return nil, err
		}
	}
	p.absences.recall()
	if creates {
		if p.recipe, err = d.decideRecipe(ctx); err != nil {
			return nil, err
		}
	}
	if !d.absent && d.job.Kind == Mirror {
		form.noteDrift()
		form.extend(ctx, d.index)
	}
	return p, nil
}
