package elastic

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// made is the request for an index of owner o, read back.
func made(t testing.TB, c Creation) map[string]any {
	t.Helper()
	raw, err := json.Marshal(c.body(Marker{Owner: "o"}))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func object(t testing.TB, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// TestCreationWithAFile: the file wins key by key, but neither over the owner nor over the type of id.
func TestCreationWithAFile(t *testing.T) {
	t.Parallel()
	const ours = `"_meta":{"elastic_ingest":{"owner":"o"}}`
	const id = `"id":{"type":"keyword"}`
	language := Creation{
		settings: map[string]any{"analysis.filter.stop.type": "stop", "analysis.filter.stop.stopwords": "_german_"},
		mappings: map[string]any{"dynamic": true, "properties": map[string]any{"when": map[string]any{"type": "date"}}},
	}
	for _, tc := range []struct {
		name string
		base Creation
		file string
		want string
	}{
		{"nothing", Creation{}, `{}`, `{"mappings":{` + ours + `,"properties":{` + id + `}}}`},
		{"a mapping alone", Creation{}, `{"dynamic":false,"properties":{"a":{"type":"date"}}}`, `{"mappings":{` + ours + `,"dynamic":false,"properties":{"a":{"type":"date"},` + id + `}}}`},
		{
			"settings in all spellings",
			Creation{},
			"\ufeff" + `{"settings":{"index":{"hidden":true},"index.number_of_shards":2,"analysis.filter":{"f":{"type":"stop"}}}}`,
			`{"settings":{"hidden":true,"number_of_shards":2,"analysis.filter.f.type":"stop"},"mappings":{` + ours + `,"properties":{` + id + `}}}`,
		},
		{
			"over a language", language, `{"settings":{"index":{"analysis":{"filter":{"stop":{"stopwords":["der","die"]}}}}},"mappings":{"properties":{"when":{"format":"epoch_millis"}}}}`,
			`{"settings":{"analysis.filter.stop.type":"stop","analysis.filter.stop.stopwords":["der","die"]},"mappings":{` + ours + `,"dynamic":true,"properties":{"when":{"type":"date","format":"epoch_millis"},` + id + `}}}`,
		},
		{"null takes away", language, `{"settings":{"analysis":null},"mappings":{"dynamic":null,"properties":{"when":null}}}`, `{"mappings":{` + ours + `,"properties":{` + id + `}}}`},
		{
			"the mapping of another index",
			Creation{},
			`{"mappings":{"_meta":{"mine":1,"elastic_ingest":{"owner":"x","fingerprint":"f"}},"properties":{"id":{"type":"keyword","ignore_above":8}}}}`,
			`{"mappings":{"_meta":{"mine":1,"elastic_ingest":{"owner":"o"}},"properties":{"id":{"type":"keyword","ignore_above":8}}}}`,
		},
		{"large numbers stay as they are", Creation{}, `{"mappings":{"_meta":{"n":9007199254740993}}}`, `{"mappings":{"_meta":{"n":9007199254740993,"elastic_ingest":{"owner":"o"}},"properties":{` + id + `}}}`},
	} {
		before, err := json.Marshal(tc.base.body(Marker{Owner: "o"}))
		if err != nil {
			t.Fatal(err)
		}
		c, err := tc.base.With([]byte(tc.file))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if d := cmp.Diff(object(t, tc.want), made(t, c)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, d)
		}
		if after, err := json.Marshal(tc.base.body(Marker{Owner: "o"})); err != nil || !bytes.Equal(after, before) {
			t.Errorf("%s: what the file was put over has changed: %s, %v", tc.name, after, err)
		}
	}
	c, err := Creation{}.With([]byte(`{"mappings":{"_meta":{"n":9007199254740993}}}`))
	if raw, merr := json.Marshal(c.body(Marker{Owner: "o"})); err != nil || merr != nil || !strings.Contains(string(raw), "9007199254740993") {
		t.Errorf("a large number became another: %s, %v, %v", raw, err, merr)
	}
}

// TestFieldLimitLeavesOutWhatIsMappedAnyway: fields of a file with all that is below them, and id, whether the file has
// it or not.
func TestFieldLimitLeavesOutWhatIsMappedAnyway(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]int{
		`{}`: 999,
		`{"properties":{"id":{"type":"keyword"}}}`:                                                   999,
		`{"properties":{"a":null,"o":{"properties":{"x":{"type":"long"},"y":{"type":"long"}}}}}`:     996,
		`{"properties":{"t":{"type":"text","fields":{"a":{"type":"keyword"},"b":{"type":"text"}}}}}`: 996,
		`{"settings":{"index":{"mapping.total_fields.limit":20}}}`:                                   19,
		`{"settings":{"mapping":{"total_fields":{"limit":"1"}}},"mappings":{"dynamic":false}}`:       0,
	} {
		c, err := Creation{}.With([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.FieldLimit(); got != want {
			t.Errorf("%s: %d, want %d", file, got, want)
		}
	}
}

func TestInvalidIndexSettingsFiles(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ file, say string }{
		{"", "not a single JSON object"},
		{"null", "not a single JSON object"},
		{"[1]", "not a single JSON object"},
		{`{} {}`, "not a single JSON object"},
		{"{\"mappings\":\n{\"a\" 1}}", "line 2: invalid JSON"},
		{`{"mappings":{"properties":`, "not a single JSON object"},
		{`{"aliases":{}}`, `"aliases" is neither mappings nor settings`},
		{`{"settings":[]}`, "settings is not an object"},
		{`{"mappings":null}`, "mappings is not an object"},
		{`{"properties":[]}`, "mappings.properties is not an object"},
		{`{"mappings":{"_meta":"x"}}`, "mappings._meta is not an object"},
		{`{"properties":{"id":{"type":"text"}}}`, "mappings.properties.id must have the type keyword"},
		{`{"properties":{"id":"text"}}`, "mappings.properties.id must have the type keyword"},
		{`{"settings":{"index.hidden":true,"hidden":false}}`, "the setting hidden is given twice"},
	} {
		if _, err := (Creation{}).With([]byte(tc.file)); err == nil || !strings.Contains(err.Error(), tc.say) {
			t.Errorf("%q: %v, want %q", tc.file, err, tc.say)
		}
	}
}

// TestWhatAnIndexLacks: by names, and whatever the settings of the index look like.
func TestWhatAnIndexLacks(t *testing.T) {
	t.Parallel()
	c := Creation{settings: map[string]any{
		"analysis.filter.de-stop.type": "stop", "analysis.filter.de-stop.stopwords": "_german_", "analysis.filter.a.b.type": "stop",
		"analysis.analyzer.base.type": "custom", "number_of_shards": 3,
	}}
	for analysis, want := range map[string][]string{
		`{"filter":{"de-stop":{"type":"stop"},"a":{"b":{"type":"stop"}}},"analyzer":{"base":{}}}`: nil,
		`{"filter":{"en-stop":{"type":"stop"}},"analyzer":{"base":{}}}`:                           {"filter a", "filter de-stop"},
		`"odd"`:                                {"analyzer base", "filter a", "filter de-stop"},
		`{"filter":[],"analyzer":{"other":1}}`: {"analyzer base", "filter a", "filter de-stop"},
	} {
		var a indexAnswer
		if err := json.Unmarshal([]byte(`{"settings":{"index":{"analysis":`+analysis+`}}}`), &a); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, a.index("i").Lacks(c)); d != "" {
			t.Errorf("%s (-want +got):\n%s", analysis, d)
		}
	}
}

// FuzzCreation: whatever the file holds, the owner and the type of id are ours, or it is refused.
func FuzzCreation(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"properties":{"id":{"type":"keyword"}}}`, `{"mappings":{"_meta":{"elastic_ingest":null}}}`,
		`{"settings":{"index":{"index":{"index.a":[1,{"b":null}]}},"":{"":1}}}`, `{"mappings":{"_meta":null,"properties":null}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		base := Creation{settings: map[string]any{"a.b": 1}, mappings: map[string]any{"_meta": map[string]any{"m": 1}}}
		c, err := base.With(file)
		if err != nil {
			return
		}
		mappings, _ := made(t, c)["mappings"].(map[string]any)
		meta, _ := mappings["_meta"].(map[string]any)
		properties, _ := mappings["properties"].(map[string]any)
		id, _ := properties["id"].(map[string]any)
		if d := cmp.Diff(map[string]any{"owner": "o"}, meta[markerKey]); d != "" || id["type"] != "keyword" {
			t.Errorf("%s: %v", d, mappings)
		}
	})
}
