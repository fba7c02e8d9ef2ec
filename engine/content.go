package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

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

// attachment is the content of one document on its way to an ingest pipeline.
type attachment struct {
	r   *run
	ctx context.Context //nolint:containedctx // lives no longer than the encoding of one document
	c   *plan.Change
	doc *document.Document
	err error // ends the run
}

// content acquires the budget for a document that has content, and prepares what becomes of that: text
// is added to the fields, or an attachment is to be appended while the document is encoded. grant is 0
// and attach nil for a document without content.
func (r *run) content(ctx context.Context, c *plan.Change, doc *document.Document) (grant int64, attach *attachment, err error) {
	if doc.Content == nil || r.skipped(doc.Content) != "" {
		return 0, nil, nil
	}
	if err := r.beginExtraction(ctx); err != nil {
		return 0, nil, err
	}
	if r.extraction.way != extract.Pipeline {
		grant, err = r.addText(ctx, c, doc)
		return grant, nil, err
	}
	if _, taken := doc.Lookup(attachmentField); taken {
		return 0, nil, nil // the source brings its own
	}
	grant, err = r.budget.Acquire(ctx, r.contentSize(doc)*4/3+document.Size(doc)+overhead)
	return grant, &attachment{r: r, ctx: ctx, c: c, doc: doc}, err
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

// append appends the content as a field. What cannot be read is dealt with as text is.
func (a *attachment) append(dst []byte) []byte {
	const (
		key   = `,"` + attachmentField + `":`
		whole = `,"` + indexedCharsField + `":-1`
	)
	out := dst
	if a.r.wholeText {
		out = append(out, whole...)
	}
	out, skipped, err := extract.AppendBase64(a.ctx, append(out, key...), a.doc.Content, a.r.deps.ContentLimit)
	if err == nil && skipped == "" {
		return out
	}
	a.err = a.r.withoutContent(a.ctx, a.c, a.doc, err)
	return out[:len(dst)]
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

// addText acquires the budget for a document and its content and adds the text to the fields. What
// cannot be read now leaves an older copy as it is, and a new document without its text, until the
// next run.
func (r *run) addText(ctx context.Context, c *plan.Change, doc *document.Document) (grant int64, err error) {
	bare := document.Size(doc) + overhead
	// Text as JSON may be twice as long: quotes, line breaks, letters beyond ASCII. How long the answer of
	// a service is shows only while it comes.
	need := 2*r.contentSize(doc) + bare
	if r.extraction.way == extract.ByService {
		need = extract.FirstAnswer + bare
	}
	if grant, err = r.budget.Acquire(ctx, need); err != nil {
		return 0, err
	}
	text, skipped, err := r.text(ctx, doc, func(bytes int64) (err error) {
		grant, err = r.acquireAnew(ctx, grant, bytes+bare)
		return err
	})
	if err == nil && skipped == "" {
		if need := document.TextSize(text) + bare; need > grant && grant < r.budget.Limit() {
			if grant, err = r.acquireAnew(ctx, grant, need); err != nil {
				return 0, err
			}
		}
		doc.Fields = append(slices.Clip(doc.Fields), document.Field{Name: "body", Value: document.String(text)})
	}
	if err = r.withoutContent(ctx, c, doc, err); err != nil {
		r.budget.Release(grant)
		return 0, err
	}
	return grant, nil
}

// text reads the text of a document. One that was replaced since it was listed becomes what it is now,
// once: otherwise a document that never stands still would never have its text.
func (r *run) text(ctx context.Context, doc *document.Document, grow func(int64) error) (string, extract.Skipped, error) {
	text, skipped, err := r.textOf(ctx, doc, grow)
	now, replaced := errors.AsType[*document.Replaced](err)
	if !replaced || plan.ID(now.Document.ID) != doc.ID || now.Document.Content == nil {
		return text, skipped, err
	}
	id := doc.ID
	*doc = now.Document
	doc.ID = id
	return r.textOf(ctx, doc, grow)
}

func (r *run) textOf(ctx context.Context, doc *document.Document, grow func(int64) error) (string, extract.Skipped, error) {
	if r.extraction.way != extract.ByService {
		return extract.Text(ctx, doc.Content, r.deps.ContentLimit)
	}
	text, skipped, err := r.deps.Service.Text(ctx, doc.Content, grow)
	if text.Cut || text.Mended {
		r.noteText(doc.ID, text)
	}
	return text.Text, skipped, err
}

// withoutContent decides what becomes of a document whose content could not be read because of err,
// nil if it was. Its error ends the run.
func (r *run) withoutContent(ctx context.Context, c *plan.Change, doc *document.Document, err error) error {
	_, crashed := errors.AsType[*crash.Error](err)
	switch {
	case crashed:
		return err
	case err == nil, errors.Is(err, fs.ErrNotExist): // gone since it was listed: the next run sees that
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	r.deps.Counters.ContentErrors.Add(1)
	r.deps.Observer.Failed(report.Failure{Part: c.Part, ID: c.ID, Err: fmt.Errorf("read the content: %w", err)})
	if c.Kind == plan.Update {
		c.Kind, c.Reason = plan.Keep, plan.ContentUnreadable
	} else {
		doc.Timestamp = retryContent
	}
	return nil
}
