package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Index is one concrete index, as of the time of the request.
type Index struct {
	Name           string // concrete, even if an alias was requested
	UUID           string
	Shards         int // primaries
	ResultWindow   int // the maximum number of hits of one page
	Pipeline       string
	Hidden         bool
	Blocks         []string // settings that refuse writes, such as index.blocks.read_only
	SourceTrouble  string   // why _source cannot be compared, "" if it can
	SourceDisabled bool     // there is none
	Marker         Marker
	Mapping        Mapping
	replicas       string
	refresh        string                     // refresh interval, "" for the default
	meta           map[string]json.RawMessage // the complete _meta, to be written back with the marker
	analysis       map[string]map[string]bool // names of the definitions in its settings, by kind: analyzer, filter…
}

// Marker is what a run stores about itself in the index, in the mapping's _meta.elastic_ingest.
type Marker struct {
	Owner    string `json:"owner,omitempty"`    // the connector that mirrors into the index
	Identity string `json:"identity,omitempty"` // the source, such as host, port and database; "" if unknown
	// Fingerprint describes how all documents were made, after a run that was complete.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Pending describes how the documents were made whose sequence number is From or higher. It replaces
	// Fingerprint from the moment a run begins to make documents differently.
	Pending string `json:"pending,omitempty"`
	From    int64  `json:"from,omitempty"`
	// Cursor is the position up to which the index has all changes of its source, for incremental runs.
	Cursor Cursor `json:"cursor,omitzero"`
}

// Cursor is a position in the history of a source, and the state of the index there.
type Cursor struct {
	Print    string `json:"print,omitempty"`    // how the documents were made, see Marker.Fingerprint
	At       string `json:"at,omitempty"`       // in the source's own form
	Rejected int64  `json:"rejected,omitempty"` // documents that were rejected since the last full run
}

// Carries reports whether a document with the sequence number was made according to a fingerprint.
func (m *Marker) Carries(fingerprint string, seqNo int64) bool {
	return m.Fingerprint == fingerprint || m.Pending == fingerprint && seqNo >= m.From
}

const markerKey = "elastic_ingest"

// indexAnswer is one entry of GET /index.
type indexAnswer struct {
	DataStream string                 `json:"data_stream"`
	Aliases    map[string]aliasAnswer `json:"aliases"`
	Mappings   struct {
		Meta          map[string]json.RawMessage `json:"_meta"`
		Properties    map[string]mappedField     `json:"properties"`
		DateDetection any                        `json:"date_detection"`
		Source        struct {
			Enabled  any      `json:"enabled"`
			Mode     string   `json:"mode"`
			Includes []string `json:"includes"`
			Excludes []string `json:"excludes"`
		} `json:"_source"`
	} `json:"mappings"`
	Settings struct {
		Index struct {
			UUID     string          `json:"uuid"`
			Hidden   any             `json:"hidden"`
			Shards   string          `json:"number_of_shards"`
			Replicas string          `json:"number_of_replicas"`
			Refresh  string          `json:"refresh_interval"`
			Window   string          `json:"max_result_window"`
			Default  string          `json:"default_pipeline"`
			Final    string          `json:"final_pipeline"`
			Mode     string          `json:"mode"`
			Analysis json.RawMessage `json:"analysis"`
			Blocks   map[string]any  `json:"blocks"`
			Mapping  struct {
				Source struct {
					Mode string `json:"mode"`
				} `json:"source"`
				IgnoreMalformed string `json:"ignore_malformed"`
				ExcludeVectors  string `json:"exclude_source_vectors"`
				TotalFields     struct {
					Limit string `json:"limit"`
				} `json:"total_fields"`
				Depth struct {
					Limit string `json:"limit"`
				} `json:"depth"`
			} `json:"mapping"`
		} `json:"index"`
	} `json:"settings"`
}

type indexAnswers map[string]indexAnswer

func (a *indexAnswers) check() error {
	for name, ix := range *a {
		if len(*a) == 1 && ix.DataStream == "" && ix.Settings.Index.UUID == "" {
			return lacks(name+".settings.index.uuid", false)
		}
	}
	return lacks("an index", len(*a) > 0)
}

// Index looks up the one concrete index that a name stands for. The error is of kind ErrNotFound if there is
// none, and ErrConfig if the name stands for several.
func (c *Client) Index(ctx context.Context, name string) (*Index, error) {
	answer := indexAnswers{}
	r := esapi.IndicesGetRequest{Index: []string{url.PathEscape(name)}}
	if err := c.call(ctx, fmt.Sprintf("look up index %q", name), r, &answer); err != nil {
		return nil, err
	}
	if len(answer) != 1 {
		names := slices.Sorted(maps.Keys(answer))
		return nil, fmt.Errorf("%w: %q stands for %d indices (%s); name one of them", ErrConfig, name, len(answer), strings.Join(names, ", "))
	}
	for concrete, a := range answer {
		if a.DataStream != "" {
			return nil, fmt.Errorf("%w: %q is a data stream, whose documents cannot be replaced; name an index", ErrConfig, name)
		}
		if trouble := a.Aliases[name].trouble(); trouble != "" {
			return nil, fmt.Errorf("%w: %q is an alias of %q, and %s; name the index, or an alias without filter and routing", ErrConfig, name, concrete, trouble)
		}
		return a.index(concrete), nil
	}
	return nil, nil
}

func (a *indexAnswer) index(name string) *Index {
	s := &a.Settings.Index
	ix := &Index{
		Name: name, UUID: s.UUID, Shards: number(s.Shards, 1), ResultWindow: number(s.Window, 10_000),
		replicas: s.Replicas, refresh: s.Refresh, meta: a.Mappings.Meta, analysis: analysisNames(s.Analysis), Mapping: a.mapping(),
	}
	ix.Hidden = s.Hidden == true || s.Hidden == "true" || strings.HasPrefix(name, ".")
	for _, p := range []string{s.Default, s.Final} {
		if p != "" && p != "_none" {
			ix.Pipeline = p
		}
	}
	for _, name := range []string{"read_only", "read_only_allow_delete", "write"} {
		if v := s.Blocks[name]; v == true || v == "true" {
			ix.Blocks = append(ix.Blocks, "index.blocks."+name)
		}
	}
	src := &a.Mappings.Source
	switch {
	case src.Enabled == false || src.Enabled == "false":
		ix.SourceTrouble, ix.SourceDisabled = "its _source is disabled", true
	case src.Mode == "synthetic" || s.Mapping.Source.Mode == "synthetic":
		ix.SourceTrouble = "its _source is synthetic"
	case (s.Mode == "logsdb" || s.Mode == "time_series") && src.Mode != "stored" && s.Mapping.Source.Mode != "stored":
		ix.SourceTrouble = fmt.Sprintf("its _source is synthetic, because of index.mode %s", s.Mode)
	case len(src.Includes)+len(src.Excludes) > 0:
		ix.SourceTrouble = "its _source is filtered"
	}
	if raw, ok := ix.meta[markerKey]; ok {
		_ = json.Unmarshal(raw, &ix.Marker) // other content is not a marker
	}
	return ix
}

func number(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// CreateIndex creates an index that has its marker from the beginning. If it exists by now, that index
// is returned, and its marker names its owner. Settings and mapping are sent in one request: an
// index never has one without the other. left are the optional settings that the server does not
// have.
func (c *Client) CreateIndex(ctx context.Context, name string, m Marker, with Creation) (ix *Index, left []string, err error) {
	for {
		r := esapi.IndicesCreateRequest{Index: url.PathEscape(name), Body: asJSON(with.body(m))}
		err := c.call(ctx, fmt.Sprintf("create index %q", name), r, nil)
		e, answered := errors.AsType[*Error](err)
		if answered && e.Type == "resource_already_exists_exception" {
			err = nil
		}
		if err == nil {
			ix, err = c.Index(ctx, name)
			return ix, left, err
		}
		if !answered {
			return nil, left, err
		}
		less, setting := with.without(e.Reason)
		if setting == "" {
			return nil, left, with.refused(err)
		}
		with, left = less, append(left, setting)
	}
}

// SetMarker writes the marker and leaves the rest of _meta unchanged.
func (c *Client) SetMarker(ctx context.Context, ix *Index, m Marker) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	meta := maps.Clone(ix.meta)
	if meta == nil {
		meta = map[string]json.RawMessage{}
	}
	meta[markerKey] = raw
	r := esapi.IndicesPutMappingRequest{Index: []string{url.PathEscape(ix.Name)}, Body: asJSON(map[string]any{"_meta": meta})}
	if err := c.call(ctx, fmt.Sprintf("write the marker of index %q", ix.Name), r, nil); err != nil {
		return err
	}
	ix.Marker, ix.meta = m, meta
	return nil
}

// Refresh makes all previous writes visible to scans.
func (c *Client) Refresh(ctx context.Context, index string) error {
	r := esapi.IndicesRefreshRequest{Index: []string{url.PathEscape(index)}}
	return c.call(ctx, fmt.Sprintf("refresh index %q", index), r, nil)
}

// Pipeline is the definition of an ingest pipeline, only for comparison.
func (c *Client) Pipeline(ctx context.Context, name string) (json.RawMessage, error) {
	a := pipelineAnswer{name: name}
	r := esapi.IngestGetPipelineRequest{PipelineID: url.PathEscape(name)}
	err := c.call(ctx, fmt.Sprintf("look up the ingest pipeline %q", name), r, &a)
	return a.RawMessage, err
}

// CreatePipeline creates an ingest pipeline. It would replace one of that name.
func (c *Client) CreatePipeline(ctx context.Context, name string, definition json.RawMessage) error {
	r := esapi.IngestPutPipelineRequest{PipelineID: url.PathEscape(name), Body: asJSON(definition)}
	return c.call(ctx, fmt.Sprintf("create the ingest pipeline %q", name), r, nil)
}

// CreateFrom creates an index with the request body of a file. It may exist by now.
func (c *Client) CreateFrom(ctx context.Context, name string, body []byte) error {
	r := esapi.IndicesCreateRequest{Index: url.PathEscape(name), Body: shared(body, compatibleJSON)}
	err := c.call(ctx, fmt.Sprintf("create index %q", name), r, nil)
	if e, ok := errors.AsType[*Error](err); ok && e.Type == "resource_already_exists_exception" {
		return nil
	}
	return err
}
