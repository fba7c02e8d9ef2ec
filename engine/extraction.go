package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/extract"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// extraction turns the content of a run's documents into text.
type extraction struct {
	*task

	way  extract.Way
	why  string
	once sync.Once
	err  error // of the first use

	mu     sync.Mutex
	cut    marked // texts that were longer than the limit
	mended marked // texts with bytes that are not characters
}

// marked counts documents and names the first one.
type marked struct {
	count int64
	first string
}

// skipped says why content does not become text, without opening it; "" if it may.
func (x *extraction) skipped(c *document.Content) extract.Skipped {
	switch x.way {
	case extract.Pipeline:
		return extract.SkipAttachment(c, x.deps.ContentLimit)
	case extract.ByService:
		return x.deps.Service.Skip(c)
	case extract.Inline:
		return extract.Skip(c, x.deps.ContentLimit)
	}
	return extract.NotText
}

// size is the maximum number of bytes of a document's content.
func (x *extraction) size(doc *document.Document) int64 {
	if size := doc.Content.Size; size >= 0 && size <= x.deps.ContentLimit {
		return size
	}
	return x.deps.ContentLimit
}

// begin is called for the first document with content to write: only then is the way of extraction logged, and a
// service contacted. An error ends the run.
func (x *extraction) begin(ctx context.Context) error {
	x.once.Do(func() {
		x.outcome.extracted(x.way)
		log := x.deps.Log.With("extraction", x.way)
		if x.way != extract.ByService {
			log.Info("content becomes text", "because", x.why)
			return
		}
		kind, err := x.deps.Service.Start(ctx)
		switch {
		case errors.Is(err, extract.ErrNoService):
			x.err = fmt.Errorf("%w: %w", ErrConfig, err)
		case err != nil && ctx.Err() == nil:
			log.Warn("the extraction service does not respond; documents without text are named, and the next run tries them again", report.Err, err.Error())
		case err == nil:
			log.Info("content becomes text", "because", x.why, "service", kind)
		}
	})
	return x.err
}

// note records the problems of a text.
func (x *extraction) note(id string, t extract.Extracted) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t.Cut {
		x.cut.add(id)
	}
	if t.Mended {
		x.mended.add(id)
	}
}

func (m *marked) add(id string) {
	if m.count == 0 {
		m.first = id
	}
	m.count++
}

// ingestionErrors is the field in which pipelines for connectors record errors.
const ingestionErrors = "_ingestion_errors"

// mostIDs is how many documents a line of the log names.
const mostIDs = 5

// sayIngestionErrors reports documents that were indexed without the text of their attachment: the pipeline
// records the error in the document, and reports success.
func (x *extraction) sayIngestionErrors(ctx context.Context, index string) {
	if x.way != extract.Pipeline {
		return
	}
	total, ids, err := x.deps.Client.Having(ctx, index, ingestionErrors, mostIDs)
	switch {
	case err != nil:
		x.deps.Log.Debug("cannot count documents with "+ingestionErrors, report.Index, index, report.Err, err.Error())
	case total > 0:
		x.deps.Log.Warn("documents of the index have "+ingestionErrors+": the ingest pipeline could not extract text from their content",
			report.Index, index, report.Docs, total, "some", strings.Join(ids, ", "))
	}
}

// sayTexts reports the problems of this run's texts.
func (x *extraction) sayTexts() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cut.count > 0 {
		x.deps.Log.Warn("texts are longer than extraction_service.max_text_size and were cut there", report.Docs, x.cut.count, "first", x.cut.first)
	}
	if x.mended.count > 0 {
		x.deps.Log.Warn("texts had bytes that are not characters, such as NUL; each is replaced by U+FFFD", report.Docs, x.mended.count, "first", x.mended.first)
	}
}
