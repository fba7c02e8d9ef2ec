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

// attachmentField is the field that the attachment processor of Elastic's own pipelines reads.
const attachmentField = "_attachment"

// indexedCharsField limits the number of characters that this processor reads; its default is 100,000.
// https://www.elastic.co/docs/reference/enrich-processor/attachment
const indexedCharsField = "_attachment_indexed_chars"

// elasticsOwn are the pipelines for connectors that are part of Elasticsearch, see
// https://www.elastic.co/docs/reference/search-connectors/es-ingest-pipelines.
var elasticsOwn = []string{"ent-search-generic-ingestion", "search-default-ingestion"}

// pipelines are the ingest pipelines that documents go through.
type pipelines struct {
	*destination

	definitions map[string]json.RawMessage // by name; nil for one that this user cannot read
	called      []string                   // by the pipelines examined so far
	attaches    bool                       // one of them reads the attachment
	fullText    bool                       // and reads indexedCharsField, so that it can read all of it
	unread      bool                       // one cannot be read by this user
}

// lookUpPipelines reads the definitions of the connector's pipeline, of the index's own pipelines, and of those
// that they call.
func (d *destination) lookUpPipelines(ctx context.Context) (*pipelines, error) {
	p := &pipelines{destination: d, definitions: map[string]json.RawMessage{}}
	for _, name := range []string{d.job.Pipeline, d.index.Pipeline} {
		if name == "" {
			continue
		}
		err := p.lookUp(ctx, name)
		switch absent := errors.Is(err, elastic.ErrNotFound); {
		case absent && name == d.job.Pipeline && d.job.CreatePipeline:
			err = p.create(ctx, name)
		case absent && name == d.job.Pipeline:
			return nil, fmt.Errorf("%w: index %q: the ingest pipeline %q does not exist: create it, or run sync --create-pipeline", ErrConfig, d.index.Name, name)
		case absent:
			return nil, fmt.Errorf("%w: index %q: the ingest pipeline %q in the settings of the index does not exist: create it, or change the settings", ErrConfig, d.index.Name, name)
		}
		if err != nil {
			return nil, err
		}
	}
	for len(p.called) > 0 {
		name := p.called[0]
		p.called = p.called[1:]
		if err := p.lookUp(ctx, name); err != nil && !errors.Is(err, elastic.ErrNotFound) {
			return nil, err // the caller decides about one that does not exist: the call may ignore that
		}
	}
	return p, nil
}

// newPipeline does the same for connectors as the pipelines that are part of Elasticsearch: it writes the text of
// an attachment into the field body, reduces white space if requested, and removes the fields that request all
// this. Errors are recorded in the document, which is indexed anyway.
const newPipeline = `{
	"description": "Text of files for elastic-ingest: the attachment becomes the field body",
	"processors": [
		{"attachment": {
			"if": "ctx?._extract_binary_content == true", "field": "_attachment", "target_field": "_extracted_attachment",
			"indexed_chars_field": "_attachment_indexed_chars", "properties": ["content"], "ignore_missing": true,
			"on_failure": [{"append": {"field": "_ingestion_errors", "value": "attachment: {{{_ingest.on_failure_message}}}"}}]}},
		{"set": {
			"if": "ctx?._extract_binary_content == true", "field": "body", "copy_from": "_extracted_attachment.content", "ignore_empty_value": true,
			"on_failure": [{"append": {"field": "_ingestion_errors", "value": "body: {{{_ingest.on_failure_message}}}"}}]}},
		{"gsub": {
			"if": "ctx?._extract_binary_content == true", "field": "body", "pattern": "\ufffd", "replacement": "", "ignore_missing": true,
			"on_failure": [{"append": {"field": "_ingestion_errors", "value": "body: {{{_ingest.on_failure_message}}}"}}]}},
		{"gsub": {
			"if": "ctx?._reduce_whitespace == true", "field": "body", "pattern": "\\s+", "replacement": " ", "ignore_missing": true,
			"on_failure": [{"append": {"field": "_ingestion_errors", "value": "body: {{{_ingest.on_failure_message}}}"}}]}},
		{"trim": {
			"if": "ctx?._reduce_whitespace == true", "field": "body", "ignore_missing": true,
			"on_failure": [{"append": {"field": "_ingestion_errors", "value": "body: {{{_ingest.on_failure_message}}}"}}]}},
		{"remove": {
			"field": ["_attachment", "_attachment_indexed_chars", "_extracted_attachment", "_extract_binary_content", "_reduce_whitespace", "_run_ml_inference"],
			"ignore_missing": true}}
	]
}`

// create creates the connector's missing pipeline; a dry run continues as if it existed.
func (p *pipelines) create(ctx context.Context, name string) error {
	if p.job.DryRun {
		p.deps.Log.Warn("the ingest pipeline does not exist; sync creates it", "pipeline", name)
		return p.define(name, []byte(newPipeline))
	}
	err := p.deps.Client.CreatePipeline(ctx, name, []byte(newPipeline))
	if errors.Is(err, elastic.ErrAuth) {
		err = fmt.Errorf("%w: grant the cluster privilege manage_ingest_pipelines, or create the pipeline as a user who has it", err)
	}
	if err != nil {
		return err
	}
	p.deps.Log.Info("the ingest pipeline was created", "pipeline", name)
	delete(p.definitions, name) // read again as the server stores it
	return p.lookUp(ctx, name)
}

func (p *pipelines) lookUp(ctx context.Context, name string) error {
	if _, known := p.definitions[name]; known {
		return nil
	}
	p.definitions[name] = nil
	def, err := p.deps.Client.Pipeline(ctx, name)
	switch {
	case errors.Is(err, elastic.ErrAuth):
		if slices.Contains(elasticsOwn, name) {
			p.attaches, p.fullText = true, true
			return nil
		}
		p.unread = true
		p.deps.Log.Warn("cannot read the ingest pipeline, so it may not extract content: extracting text locally; grant the privilege read_pipeline",
			"pipeline", name, report.Err, err.Error())
		return nil
	case err != nil:
		return err
	}
	return p.define(name, def)
}

// define records a definition and what it does.
func (p *pipelines) define(name string, def json.RawMessage) error {
	p.definitions[name] = def
	var any any
	if err := json.Unmarshal(def, &any); err != nil {
		return fmt.Errorf("ingest pipeline %q: %w", name, err)
	}
	p.look(any)
	return nil
}

// look finds attachment processors and calls of other pipelines at any depth of a definition.
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
				p.fullText = p.fullText || processor["indexed_chars_field"] == indexedCharsField
			case key == "pipeline" && name != "":
				p.called = append(p.called, name)
			}
			p.look(v)
		}
	}
}
