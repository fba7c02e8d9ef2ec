package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/extract"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// retryContent is the _timestamp of a document whose content could not be read. Archives set 1970, and
// stores have times of their own; no file and no object is of the year 0, so the next run sees a difference
// and tries again.
const retryContent = "0000-01-01T00:00:00Z"

// fetched is what a reader got of one document for its body.
type fetched struct {
	doc      *document.Document // to encode: the one that was decided about, or what it is by now
	body     plan.Body
	grant    int64 // bytes of budget; 0 for a document without content
	attached bool  // the content goes to a pipeline
	unread   bool  // the content could not be read
}

// fetch acquires the budget for a document that has content, and gets the content: as text, or as an attachment.
func (o *reader) fetch(ctx context.Context, d *plan.Decision, doc *document.Document) (got fetched, err error) {
	r := o.run
	got.doc = doc
	if doc.Content == nil || r.skipped(doc.Content) != "" {
		return got, nil
	}
	if err := r.beginExtraction(ctx); err != nil {
		return got, err
	}
	if r.extraction.way != extract.Pipeline {
		err = o.addText(ctx, d, &got)
	} else if _, taken := doc.Lookup(attachmentField); !taken { // or else the source brings its own
		err = o.attach(ctx, d, &got)
	}
	return got, err
}

// skipped tells, without opening it, why content does not become text; "" where it may.
func (r *run) skipped(c *document.Content) extract.Skipped {
	switch r.extraction.way {
	case extract.Pipeline:
		return extract.SkipAttachment(c, r.deps.ContentLimit)
	case extract.ByService:
		return r.deps.Service.Skip(c)
	case extract.Inline:
		return extract.Skip(c, r.deps.ContentLimit)
	}
	return extract.NotText
}

// attach acquires the budget for a document and its content and reads that as a further field. The reader's memory for
// it is used again for the next document.
func (o *reader) attach(ctx context.Context, d *plan.Decision, got *fetched) (err error) {
	const (
		key   = `,"` + attachmentField + `":`
		whole = `,"` + indexedCharsField + `":-1`
	)
	r := o.run
	if got.grant, err = r.budget.Acquire(ctx, r.contentSize(got.doc)*4/3+document.Size(got.doc)+overhead); err != nil {
		return err
	}
	got.attached = true
	o.attachment = o.attachment[:0]
	if r.wholeText {
		o.attachment = append(o.attachment, whole...)
	}
	var skipped extract.Skipped
	o.attachment, skipped, err = extract.AppendBase64(ctx, append(o.attachment, key...), got.doc.Content, r.deps.ContentLimit)
	if err == nil && skipped == "" {
		got.body.Attachment = o.attachment
		return nil
	}
	return r.withoutContent(ctx, d, got, err)
}

// trueUp makes of what was granted for a document what it needs now that it is encoded. Content that
// has grown since it was listed may need more.
func (r *run) trueUp(ctx context.Context, granted, need int64) (int64, error) {
	need = min(need, r.budget.Limit())
	if granted >= need {
		r.budget.Release(granted - need)
		return need, nil
	}
	return r.acquireAnew(ctx, granted, need)
}

// acquireAnew acquires more than was granted. Nothing is held while that is waited for: readers that hold
// some could wait for each other.
func (r *run) acquireAnew(ctx context.Context, granted, need int64) (int64, error) {
	r.budget.Release(granted)
	return r.budget.Acquire(ctx, need)
}

// contentSize is how many bytes the content of a document may have.
func (r *run) contentSize(doc *document.Document) int64 {
	if size := doc.Content.Size; size >= 0 && size <= r.deps.ContentLimit {
		return size
	}
	return r.deps.ContentLimit
}

// addText acquires the budget for a document and its content and reads that as text.
func (o *reader) addText(ctx context.Context, d *plan.Decision, got *fetched) (err error) {
	r := o.run
	bare := document.Size(got.doc) + overhead
	// Text as JSON may be twice as long: quotes, line breaks, letters beyond ASCII. How long the answer of
	// a service is shows only while it comes.
	need := 2*r.contentSize(got.doc) + bare
	if r.extraction.way == extract.ByService {
		need = extract.FirstAnswer + bare
	}
	if got.grant, err = r.budget.Acquire(ctx, need); err != nil {
		return err
	}
	text, skipped, err := r.text(ctx, d.ID, got, func(bytes int64) (err error) {
		got.grant, err = r.acquireAnew(ctx, got.grant, bytes+bare)
		return err
	})
	if err == nil && skipped == "" {
		if need := document.TextSize(text) + bare; need > got.grant && got.grant < r.budget.Limit() {
			if got.grant, err = r.acquireAnew(ctx, got.grant, need); err != nil {
				return err
			}
		}
		got.body.Field = document.Field{Name: "body", Value: document.String(text)}
	}
	return r.withoutContent(ctx, d, got, err)
}

// text reads the text of a document. One that was replaced since it was listed becomes what it is now,
// once: otherwise a document that never stands still would never have its text.
func (r *run) text(ctx context.Context, id string, got *fetched, grow func(int64) error) (string, extract.Skipped, error) {
	text, skipped, err := r.textOf(ctx, id, got.doc.Content, grow)
	now, replaced := errors.AsType[*document.Replaced](err)
	if !replaced || plan.ID(now.Document.ID) != id || now.Document.Content == nil {
		return text, skipped, err
	}
	got.doc = &now.Document
	return r.textOf(ctx, id, got.doc.Content, grow)
}

func (r *run) textOf(ctx context.Context, id string, c *document.Content, grow func(int64) error) (string, extract.Skipped, error) {
	if r.extraction.way != extract.ByService {
		return extract.Text(ctx, c, r.deps.ContentLimit)
	}
	text, skipped, err := r.deps.Service.Text(ctx, c, grow)
	if text.Cut || text.Mended {
		r.noteText(id, text)
	}
	return text.Text, skipped, err
}

// withoutContent notes that the content of a document could not be read because of err, nil if it was. Its error ends
// the run, and then nothing is granted any more.
func (r *run) withoutContent(ctx context.Context, d *plan.Decision, got *fetched, err error) error {
	_, crashed := errors.AsType[*crash.Error](err)
	switch {
	case crashed:
		r.budget.Release(got.grant)
		return err
	case err == nil, errors.Is(err, fs.ErrNotExist): // gone since it was listed: the next run sees that
		return nil
	case ctx.Err() != nil:
		r.budget.Release(got.grant)
		return context.Cause(ctx)
	}
	r.deps.Counters.ContentErrors.Add(1)
	r.deps.Observer.Failed(report.Failure{Part: d.Part, ID: d.ID, Err: fmt.Errorf("read the content: %w", err)})
	got.unread = true
	return nil
}
