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

// retryContent is the _timestamp of a document whose content could not be read. Archives set 1970, and stores have
// special times of their own. No file or object is dated to the year 0, so the next run sees a difference and
// tries again.
const retryContent = "0000-01-01T00:00:00Z"

// fetched is what a reader fetched for the body of one document.
type fetched struct {
	doc      *document.Document // to encode: the document of the decision, or its replacement
	body     plan.Body
	grant    int64 // bytes of budget; 0 for a document without content
	attached bool  // the content goes to a pipeline
	unread   bool  // the content could not be read
}

// fetch acquires the budget for a document with content and reads the content, as text or as an attachment.
func (o *reader) fetch(ctx context.Context, d *plan.Decision, doc *document.Document) (got fetched, err error) {
	got.doc = doc
	if doc.Content == nil || o.extraction.skipped(doc.Content) != "" {
		return got, nil
	}
	if err := o.extraction.begin(ctx); err != nil {
		return got, err
	}
	if o.way != extract.Pipeline {
		err = o.addText(ctx, d, &got)
	} else if _, taken := doc.Lookup(attachmentField); !taken { // otherwise the source has an attachment of its own
		err = o.attach(ctx, d, &got)
	}
	return got, err
}

// attach acquires the budget for a document and its content, and reads the content into an additional field. The
// reader reuses the memory for its next document.
func (o *reader) attach(ctx context.Context, d *plan.Decision, got *fetched) (err error) {
	const (
		key       = `,"` + attachmentField + `":`
		unlimited = `,"` + indexedCharsField + `":-1`
	)
	if got.grant, err = o.writing.budget.Acquire(ctx, o.extraction.size(got.doc)*4/3+document.Size(got.doc)+overhead); err != nil {
		return err
	}
	got.attached = true
	o.attachment = o.attachment[:0]
	if o.fullText {
		o.attachment = append(o.attachment, unlimited...)
	}
	var skipped extract.Skipped
	o.attachment, skipped, err = extract.AppendBase64(ctx, append(o.attachment, key...), got.doc.Content, o.deps.ContentLimit)
	if err == nil && skipped == "" {
		got.body.Attachment = o.attachment
		return nil
	}
	return o.withoutContent(ctx, d, got, err)
}

// addText acquires the budget for a document and its content, and reads the content as text.
func (o *reader) addText(ctx context.Context, d *plan.Decision, got *fetched) (err error) {
	bare := document.Size(got.doc) + overhead
	// Text as JSON may be twice as long: quotes, line breaks, letters beyond ASCII. The length of a service's
	// response is known only once it arrives.
	need := 2*o.extraction.size(got.doc) + bare
	if o.way == extract.ByService {
		need = extract.FirstAnswer + bare
	}
	if got.grant, err = o.writing.budget.Acquire(ctx, need); err != nil {
		return err
	}
	text, skipped, err := o.text(ctx, d.ID, got, func(bytes int64) (err error) {
		got.grant, err = o.writing.reacquire(ctx, got.grant, bytes+bare)
		return err
	})
	if err == nil && skipped == "" {
		if need := document.TextSize(text) + bare; need > got.grant && got.grant < o.writing.budget.Limit() {
			if got.grant, err = o.writing.reacquire(ctx, got.grant, need); err != nil {
				return err
			}
		}
		got.body.Field = document.Field{Name: "body", Value: document.String(text)}
	}
	return o.withoutContent(ctx, d, got, err)
}

// text reads the text of a document. If the document was replaced since it was listed, the new version is read,
// but only once: otherwise a document that changes constantly would never get its text.
func (o *reader) text(ctx context.Context, id string, got *fetched, grow func(int64) error) (string, extract.Skipped, error) {
	text, skipped, err := o.textOf(ctx, id, got.doc.Content, grow)
	now, replaced := errors.AsType[*document.Replaced](err)
	if !replaced || plan.ID(now.Document.ID) != id || now.Document.Content == nil {
		return text, skipped, err
	}
	got.doc = &now.Document
	return o.textOf(ctx, id, got.doc.Content, grow)
}

func (o *reader) textOf(ctx context.Context, id string, c *document.Content, grow func(int64) error) (string, extract.Skipped, error) {
	if o.way != extract.ByService {
		return extract.Text(ctx, c, o.deps.ContentLimit)
	}
	text, skipped, err := o.deps.Service.Text(ctx, c, grow)
	if text.Cut || text.Mended {
		o.extraction.note(id, text)
	}
	return text.Text, skipped, err
}

// withoutContent reports that the content of a document could not be read because of err; nil means it was read.
// An error of withoutContent itself ends the run, and no more budget is granted.
func (o *reader) withoutContent(ctx context.Context, d *plan.Decision, got *fetched, err error) error {
	_, crashed := errors.AsType[*crash.Error](err)
	switch {
	case crashed:
		o.writing.budget.Release(got.grant)
		return err
	case err == nil, errors.Is(err, fs.ErrNotExist): // deleted since it was listed: the next run notices that
		return nil
	case ctx.Err() != nil:
		o.writing.budget.Release(got.grant)
		return context.Cause(ctx)
	}
	o.deps.Counters.ContentErrors.Add(1)
	o.deps.Observer.Failed(report.Failure{Part: d.Part, Scope: d.Scope, ID: d.ID, Err: fmt.Errorf("%w: %w", report.ErrContent, err)})
	got.unread = true
	return nil
}
