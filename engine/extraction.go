package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/elastic-ingest/elastic-ingest/engine/extract"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// extraction is how the content of a run's documents becomes text.
type extraction struct {
	way  extract.Way
	why  string
	used atomic.Bool
	once sync.Once
	err  error // of the first use

	mu     sync.Mutex
	cut    marked // texts that were longer than the limit
	mended marked // texts with characters that no text has
}

// marked are documents of which one is named.
type marked struct {
	count int64
	first string
}

// chooseWay decides how content becomes text.
func (r *run) chooseWay(through *pipelines) error {
	x := &r.extraction
	attaches := r.job.Pipeline != "" && through.attaches
	if x.way = r.job.Extraction; x.way != "" && x.way != extract.Auto {
		x.why = "the configuration says so"
	} else {
		switch {
		case !r.flags.ExtractBinaryContent:
			x.way, x.why = extract.Off, "the connector's pipeline settings do not ask for content"
		case attaches:
			x.way, x.why = extract.Pipeline, "the ingest pipeline reads attachments"
		case r.deps.Service != nil:
			x.way, x.why = extract.ByService, "there is an extraction service, and no ingest pipeline that reads attachments"
		default:
			x.way, x.why = extract.Inline, "there is neither an ingest pipeline that reads attachments nor an extraction service"
		}
	}
	switch {
	case x.way == extract.ByService && r.deps.Service == nil:
		return fmt.Errorf("%w: content is to go to an extraction service, and none is configured: set extraction_service.host, or another extraction for the connector", ErrConfig)
	case x.way == extract.Pipeline && r.job.Pipeline == "":
		return fmt.Errorf("%w: content is to go to an ingest pipeline, and the connector has none: set pipeline, or another extraction", ErrConfig)
	case x.way == extract.Pipeline && !attaches && !through.unread:
		return fmt.Errorf("%w: content is to go to the ingest pipeline %q, which has no attachment processor for the field %s: add one, or set another extraction",
			ErrConfig, r.job.Pipeline, attachmentField)
	}
	return nil
}

// madeByWay is what the fingerprint says of the way, beside the pipeline's definition and flags: nothing
// where those say it all.
func (r *run) madeByWay() []any {
	switch r.extraction.way {
	case extract.ByService, extract.Off:
		return []any{r.extraction.way}
	case extract.Pipeline:
		if r.wholeText {
			return []any{indexedCharsField}
		}
	}
	return nil
}

// beginExtraction is called for the first document with content that may be written: only then is
// something said of the way, and a service looked for. Its error ends the run.
func (r *run) beginExtraction(ctx context.Context) error {
	x := &r.extraction
	x.once.Do(func() {
		x.used.Store(true)
		log := r.deps.Log.With("extraction", x.way)
		if x.way != extract.ByService {
			log.Info("content becomes text", "because", x.why)
			return
		}
		kind, err := r.deps.Service.Start(ctx)
		switch {
		case errors.Is(err, extract.ErrNoService):
			x.err = fmt.Errorf("%w: %w", ErrConfig, err)
		case err != nil && ctx.Err() == nil:
			log.Warn("the extraction service does not answer; documents whose text cannot be had are named, and tried again by the next run", report.Err, err.Error())
		case err == nil:
			log.Info("content becomes text", "because", x.why, "service", kind)
		}
	})
	return x.err
}

// noteText remembers what was wrong with a text.
func (r *run) noteText(id string, t extract.Extracted) {
	x := &r.extraction
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

// ingestionErrors is the field in which pipelines for connectors note what failed.
const ingestionErrors = "_ingestion_errors"

// mostIDs is how many documents a line of the log names.
const mostIDs = 5

// sayIngestionErrors reports documents that came into the index without the text of their attachment: the
// pipeline notes that in the document, and answers that all went well.
func (r *run) sayIngestionErrors(ctx context.Context) {
	if r.extraction.way != extract.Pipeline {
		return
	}
	total, ids, err := r.deps.Client.Having(ctx, r.index.Name, ingestionErrors, mostIDs)
	switch {
	case err != nil:
		r.deps.Log.Debug("documents with "+ingestionErrors+" are not known", report.Index, r.index.Name, report.Err, err.Error())
	case total > 0:
		r.deps.Log.Warn("documents of the index have "+ingestionErrors+": the ingest pipeline could not make text of their content",
			report.Index, r.index.Name, report.Docs, total, "some", strings.Join(ids, ", "))
	}
}

// sayTexts reports what was wrong with texts of this run.
func (r *run) sayTexts() {
	x := &r.extraction
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cut.count > 0 {
		r.deps.Log.Warn("texts are longer than extraction_service.max_text_size and were cut there", report.Docs, x.cut.count, "first", x.cut.first)
	}
	if x.mended.count > 0 {
		r.deps.Log.Warn("texts had bytes that are no characters, such as NUL; each is now U+FFFD", report.Docs, x.mended.count, "first", x.mended.first)
	}
}
