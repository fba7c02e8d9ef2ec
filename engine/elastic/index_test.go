package elastic

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestOneConcreteIndex: a name is one index, or an error that says which there are.
func TestOneConcreteIndex(t *testing.T) {
	t.Parallel()
	const settings = `"settings":{"index":{"uuid":"u","number_of_shards":"3","max_result_window":"500"}}`
	for _, tc := range []struct {
		name, answer string
		status       int
		kind         error
		say          string
	}{
		{"an index", `{"a":{"mappings":{},` + settings + `}}`, 200, nil, ""},
		{"an alias of one", `{"concrete":{"aliases":{"a":{}},"mappings":{},` + settings + `}}`, 200, nil, ""},
		{"an alias with a filter", `{"concrete":{"aliases":{"a":{"filter":{"term":{"t":1}}}},"mappings":{},` + settings + `}}`, 200, ErrConfig, "filter"},
		{"an alias with a routing", `{"concrete":{"aliases":{"a":{"index_routing":"1","search_routing":"1"}},"mappings":{},` + settings + `}}`, 200, ErrConfig, "routing"},
		{"an alias to search by", `{"concrete":{"aliases":{"a":{"search_routing":"1"}},"mappings":{},` + settings + `}}`, 200, ErrConfig, "routing"},
		{"another alias with a filter", `{"concrete":{"aliases":{"a":{},"b":{"filter":{"term":{"t":1}}}},"mappings":{},` + settings + `}}`, 200, nil, ""},
		{"an alias over two", `{"one":{"mappings":{}},"two":{"mappings":{}}}`, 200, ErrConfig, "one, two"},
		{"a data stream", `{".ds-a-2026":{"data_stream":"a","mappings":{}}}`, 200, ErrConfig, "data stream"},
		{"nothing", `{"error":{"type":"index_not_found_exception","reason":"no such index [a]"},"status":404}`, 404, ErrNotFound, ""},
	} {
		url, _ := serve(t, tc.status, tc.answer, elasticHeader)
		ix, err := newClient(t, Config{URL: url}).Index(t.Context(), "a")
		if tc.kind != nil {
			if !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.say) {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		if err != nil || ix.UUID != "u" || ix.Shards != 3 || ix.ResultWindow != 500 {
			t.Errorf("%s: %+v, %v", tc.name, ix, err)
		}
	}
}

// TestBlocksOfAnIndex: Elasticsearch returns settings as text, whatever type they were set as.
func TestBlocksOfAnIndex(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string][]string{
		`{}`:                              nil,
		`{"blocks":{"write":"false"}}`:    nil,
		`{"blocks":{"metadata":"true"}}`:  nil,
		`{"blocks":{"read_only":"true"}}`: {"index.blocks.read_only"},
		`{"blocks":{"write":true}}`:       {"index.blocks.write"},
		`{"blocks":{"write":"true","read_only_allow_delete":"true"}}`: {"index.blocks.read_only_allow_delete", "index.blocks.write"},
	} {
		url, _ := serve(t, 200, `{"a":{"mappings":{},"settings":{"index":{"uuid":"u"},"index":`+settings+`}}}`, elasticHeader)
		ix, err := newClient(t, Config{URL: url}).Index(t.Context(), "a")
		if err != nil || !slices.Equal(ix.Blocks, want) {
			t.Errorf("%s: %+v, %v", settings, ix, err)
		}
	}
}

// TestWhatTheIndexSaysOfItself: whether contents can be compared, who owns it, what rewrites documents.
func TestWhatTheIndexSaysOfItself(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, mappings, settings, trouble, pipeline, owner string }{
		{name: "plain", mappings: `{}`, settings: `{}`},
		{name: "source disabled", mappings: `{"_source":{"enabled":false}}`, settings: `{}`, trouble: "disabled"},
		{name: "source synthetic", mappings: `{"_source":{"mode":"synthetic"}}`, settings: `{}`, trouble: "synthetic"},
		{name: "source synthetic by setting", mappings: `{}`, settings: `{"mapping":{"source":{"mode":"synthetic"}}}`, trouble: "synthetic"},
		{name: "source filtered", mappings: `{"_source":{"excludes":["secret"]}}`, settings: `{}`, trouble: "filtered"},
		{name: "default pipeline", mappings: `{}`, settings: `{"default_pipeline":"p"}`, pipeline: "p"},
		{name: "no pipeline by name", mappings: `{}`, settings: `{"final_pipeline":"_none"}`},
		{name: "owned", mappings: `{"_meta":{"other":1,"elastic_ingest":{"owner":"dir/docs","fingerprint":"f"}}}`, settings: `{}`, owner: "dir/docs"},
		{name: "another's meta", mappings: `{"_meta":{"elastic_ingest":"text"}}`, settings: `{}`},
	} {
		url, _ := serve(t, 200, `{"a":{"mappings":`+tc.mappings+`,"settings":{"index":{"uuid":"u"},"index":`+tc.settings+`}}}`, elasticHeader)
		ix, err := newClient(t, Config{URL: url}).Index(t.Context(), "a")
		if err != nil || !strings.Contains(ix.SourceTrouble, tc.trouble) || (ix.SourceTrouble == "") != (tc.trouble == "") ||
			ix.Pipeline != tc.pipeline || ix.Marker.Owner != tc.owner {
			t.Errorf("%s: %+v, %v", tc.name, ix, err)
		}
	}
}
