package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/sync/errgroup"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// overhead is the cost of an operation in addition to its document: the action line and our records of it.
const overhead = 256

// reading is the source as far as it has been read.
type reading struct {
	*scanned

	writing    *writing
	extraction *extraction
	closer     *closer
	scopes     scopes
	parts      plan.Parts
	shallower  shallower
}

func newReading(s *scanned, w *writing, x *extraction) *reading {
	return &reading{
		scanned: s, writing: w, extraction: x, closer: &closer{scanned: s, writing: w},
		scopes: scopes{tree: s.job.Type.Tree}, shallower: shallower{destination: s.destination},
	}
}

// read reads all wanted parts, several concurrently. A read error of the source fails its scope; read itself
// returns only errors of the destination, or the end of ctx.
func (r *reading) read(ctx context.Context, src source.Source) error {
	defer func() {
		r.outcome.note(func(res *Result) {
			res.ScopesRead, res.Scopes = r.scopes.read(r.deps.Counters.Snapshot())
			res.ScopeNoun = r.job.Type.NounOf(r.job.Values)
		})
	}()
	if r.incremental() {
		return r.readChanges(ctx, src)
	}
	if r.deps.Until != nil {
		return r.readInTurns(ctx, src)
	}
	if r.described.listed {
		return r.readListed(ctx, src)
	}
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(r.readers())
	g.TryGo(func() error {
		return guarded(func() error {
			// There may be no free place while the list holds one: then it reads the part itself.
			return r.list(reading, src, func(part source.Part) error {
				if g.TryGo(func() error { return guarded(func() error { return r.readPart(reading, part) }) }) {
					return nil
				}
				return r.readPart(reading, part)
			})
		})
	})
	return ended(ctx, g.Wait())
}

// readers is how many parts are read concurrently.
func (r *reading) readers() int {
	if r.inOrder() {
		return 1
	}
	return r.deps.Readers
}

// readListed reads parts that are already listed. Parts that may contain the same ids are read one after the
// other.
func (r *reading) readListed(ctx context.Context, src source.Source) error {
	var parts []source.Part
	err := r.list(ctx, src, func(part source.Part) error {
		parts = append(parts, part)
		return nil
	})
	if err != nil {
		return err
	}
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(r.readers())
	for _, unit := range plan.Ordered(&r.described.clash, parts) {
		g.Go(func() error { // ends with its parts
			for _, part := range unit {
				if reading.Err() != nil {
					return context.Cause(reading)
				}
				if err := guarded(func() error { return r.readPart(reading, part) }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return ended(ctx, g.Wait())
}

// ended is the error of a reading: the cause of ctx, if that ended it.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		return context.Cause(ctx)
	}
	return err
}

// partsOf is the list of the source's parts, which is requested only once.
func (r *reading) partsOf(ctx context.Context, src source.Source) iter.Seq2[source.Part, error] {
	d := r.described
	if r.incremental() {
		return func(yield func(source.Part, error) bool) {
			for _, part := range r.changes.Parts {
				if !yield(part, nil) {
					return
				}
			}
		}
	}
	if !d.listed {
		return src.Parts(ctx)
	}
	return func(yield func(source.Part, error) bool) {
		for _, part := range d.parts {
			if !yield(part, nil) {
				return
			}
		}
		if d.err != nil {
			yield(nil, d.err)
		}
	}
}

// list calls begin for each wanted part.
func (r *reading) list(ctx context.Context, src source.Source, begin func(source.Part) error) error {
	for part, err := range r.partsOf(ctx, src) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			r.scopes.breakOff()
			r.partFailed("", "", fmt.Errorf("list the source: %w", err))
			return nil
		}
		scope := part.Scope()
		if _, hidden := part.(source.Hidden); hidden {
			r.scopes.hide(scope)
			continue
		}
		r.scopes.begin(scope) // an unwanted scope was listed all the same
		if r.job.Wants != nil && !r.job.Wants(scope) {
			continue
		}
		r.scopes.start(scope)
		r.deps.Counters.Parts.Add(1)
		r.deps.Counters.Expected.Add(estimate(part))
		if err := begin(part); err != nil {
			return err
		}
	}
	if ctx.Err() != nil { // a source may end its list without an error then
		return context.Cause(ctx)
	}
	r.scopes.endList()
	return nil
}

// estimate is the approximate number of documents of a part, 0 if it is unknown.
func estimate(part source.Part) int64 {
	if e, ok := part.(source.Estimator); ok {
		if n, known := e.Estimate(); known {
			return n
		}
	}
	return 0
}

// readChanges reads the changed documents. The next run finds again whatever a time limit leaves.
func (r *reading) readChanges(ctx context.Context, src source.Source) error {
	limited, stop := r.limited(ctx)
	defer stop()
	err := r.readListed(limited, src)
	if err == nil {
		return nil
	}
	return r.inTime(ctx, err)
}

// reader reads one part.
type reader struct {
	*reading

	planner    *plan.Planner
	name       string
	attachment []byte // reused memory
}

// readPart reads one part completely, or reports why it could not.
func (r *reading) readPart(ctx context.Context, part source.Part) error {
	name := part.Name()
	o := &reader{reading: r, planner: plan.NewPlanner(r.options, r.table, r.rules, &r.parts), name: name}
	o.planner.Begin(r.parts.Add(name), part.Scope(), &r.described.clash)
	var held int64
	progress := r.deps.Counters.Begin(name, estimate(part))
	defer r.deps.Counters.End(progress)
	for doc, err := range part.Documents(ctx) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			r.scopes.fail(part.Scope())
			r.partFailed(name, part.Scope(), err)
			return nil
		}
		r.deps.Counters.Read.Add(1)
		progress.Read.Add(1)
		known, err := o.document(ctx, &doc)
		if err != nil {
			return err
		}
		if known {
			held++
		}
	}
	if ctx.Err() != nil { // a source may end without an error then; the part is not complete
		return context.Cause(ctx)
	}
	if !part.Ended() {
		r.scopes.fail(part.Scope())
		r.partFailed(name, part.Scope(), errors.New("reading stopped before the end without an error"))
		return nil
	}
	r.scopes.end(part.Scope(), held)
	r.deps.Counters.PartsDone.Add(1)
	r.deps.Observer.Read(report.PartRead{Scope: part.Scope(), Docs: progress.Read.Load()})
	return nil
}

// document decides about one document and carries out the decision. known reports that the index holds a document
// with its id that this run had not seen before.
func (o *reader) document(ctx context.Context, doc *document.Document) (known bool, err error) {
	o.shallower.shallow(doc, o.name)
	d, err := o.planner.Decide(doc)
	if err != nil {
		return false, err
	}
	if field := o.job.Type.TitleField; field != "" {
		if v, ok := doc.Lookup(field); ok && v.Kind() == document.KindString {
			d.Title = v.Text()
		}
	}
	return d.Known, o.carryOut(ctx, d, doc)
}

// carryOut carries out a decision about a document.
func (o *reader) carryOut(ctx context.Context, d plan.Decision, doc *document.Document) error {
	switch {
	case o.job.Kind == Deletion && (d.Kind == plan.Create || d.Kind == plan.Update || d.Kind == plan.Reject):
		return nil // it exists in the source; nothing else counts
	case d.Kind == plan.Reject && !o.job.DryRun:
		return o.reject(o.planner.Encode(d, doc, plan.Body{}))
	case !d.Body:
		o.settled(d.Change)
		return nil
	}
	got, err := o.fetch(ctx, &d, doc)
	switch {
	case err != nil:
		return err
	case got.unread && d.Kind == plan.Update: // the older copy stays unchanged until the next run
		o.writing.budget.Release(got.grant)
		d.Kind, d.Reason = plan.Keep, plan.ContentUnreadable
		o.settled(d.Change)
		return nil
	case got.unread: // a new document is written without its content
		got.body.Timestamp = retryContent
	}
	return o.send(ctx, o.planner.Encode(d, got.doc, got.body), &got)
}

// send passes on an encoded change.
func (o *reader) send(ctx context.Context, c plan.Change, got *fetched) (err error) {
	if judged := o.needsCopy(&c); c.Kind == plan.Keep || judged && !got.attached {
		o.writing.budget.Release(got.grant)
		if judged {
			return o.closer.add(ctx, c)
		}
		o.settled(c)
		return nil
	}
	need := int64(len(c.Source) + len(c.ID) + overhead)
	if got.grant > 0 && !got.attached {
		need = min(need, got.grant) // text was measured before
	}
	if c.Grant, err = o.writing.trueUp(ctx, got.grant, need); err != nil {
		return err
	}
	return o.writing.sink.Apply(ctx, c)
}
