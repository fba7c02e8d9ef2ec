package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// attachmentField is what the attachment processor of Elastic's own pipelines reads.
const attachmentField = "_attachment"

// indexedCharsField tells that processor up to which character it reads; 100,000 is what it does otherwise.
// https://www.elastic.co/docs/reference/enrich-processor/attachment
const indexedCharsField = "_attachment_indexed_chars"

// elasticsOwn are the pipelines that Elasticsearch brings along for connectors, see
// https://www.elastic.co/docs/reference/search-connectors/es-ingest-pipelines.
var elasticsOwn = []string{"ent-search-generic-ingestion", "search-default-ingestion"}

// pipelines are the ingest pipelines that documents go through.
type pipelines struct {
	definitions map[string]json.RawMessage // by name; nil for one that may not be read
	called      []string                   // by those that were looked at
	attaches    bool                       // one of them reads the attachment
	wholeText   bool                       // and can be told to read it to its end
	unread      bool                       // one may not be read
}

// lookUpPipelines reads the definitions of the connector's pipeline and of the index's own, and of those
// that they call.
func (r *run) lookUpPipelines(ctx context.Context) (*pipelines, error) {
	p := &pipelines{definitions: map[string]json.RawMessage{}}
	for _, name := range []string{r.job.Pipeline, r.index.Pipeline} {
		if name == "" {
			continue
		}
		err := r.lookUpPipeline(ctx, p, name)
		if errors.Is(err, elastic.ErrNotFound) {
			return nil, fmt.Errorf("%w: index %q: the ingest pipeline %q does not exist", ErrConfig, r.index.Name, name)
		}
		if err != nil {
			return nil, err
		}
	}
	for len(p.called) > 0 {
		name := p.called[0]
		p.called = p.called[1:]
		if err := r.lookUpPipeline(ctx, p, name); err != nil && !errors.Is(err, elastic.ErrNotFound) {
			return nil, err // one that does not exist is the caller's affair: it may ignore that
		}
	}
	return p, nil
}

func (r *run) lookUpPipeline(ctx context.Context, p *pipelines, name string) error {
	if _, known := p.definitions[name]; known {
		return nil
	}
	p.definitions[name] = nil
	def, err := r.deps.Client.Pipeline(ctx, name)
	switch {
	case errors.Is(err, elastic.ErrAuth):
		if slices.Contains(elasticsOwn, name) {
			p.attaches, p.wholeText = true, true
			return nil
		}
		p.unread = true
		r.deps.Log.Warn("the ingest pipeline may not be read, so it is not known to extract content: text is extracted here; grant the privilege read_pipeline",
			"pipeline", name, report.Err, err.Error())
		return nil
	case err != nil:
		return err
	}
	p.definitions[name] = def
	var any any
	if err := json.Unmarshal(def, &any); err != nil {
		return fmt.Errorf("ingest pipeline %q: %w", name, err)
	}
	p.look(any)
	return nil
}

// look finds, wherever they stand in a definition, attachment processors and calls of other pipelines.
func (p *pipelines) look(at any) {
	switch at := at.(type) {
	case []any:
		for _, v := range at {
			p.look(v)
		}
	case map[string]any:
		for key, v := range at {
			processor, _ := v.(map[string]any)
			switch name, _ := processor["name"].(string); {
			case key == "attachment" && processor["field"] == attachmentField:
				p.attaches = true
				p.wholeText = p.wholeText || processor["indexed_chars_field"] == indexedCharsField
			case key == "pipeline" && name != "":
				p.called = append(p.called, name)
			}
			p.look(v)
		}
	}
}
