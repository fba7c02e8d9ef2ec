package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAppendSource(t *testing.T) {
	t.Parallel()
	run := Trailer{Timestamp: "2024-05-06T07:08:09Z"}
	flags := Trailer{Timestamp: "run", Flags: &Flags{ExtractBinaryContent: true, RunMLInference: true}}
	tests := []struct {
		name    string
		doc     Document
		trailer Trailer
		content string // up to contentEnd
		rest    string
	}{
		{
			"no fields",
			Document{ID: "a"},
			run,
			`{"id":"a"`, `,"_timestamp":"2024-05-06T07:08:09Z"}`,
		},
		{
			"fields in their order",
			Document{ID: "shop_1", Fields: []Field{{"price", Decimal("12.50")}, {"name", String("Stift")}, {"at", Time(time.Unix(0, 0))}}},
			run,
			`{"id":"shop_1","price":"12.50","name":"Stift","at":"1970-01-01T00:00:00Z"`, `,"_timestamp":"2024-05-06T07:08:09Z"}`,
		},
		{
			"the document's own timestamp wins",
			Document{ID: "a", Timestamp: "2001"},
			run,
			`{"id":"a"`, `,"_timestamp":"2001"}`,
		},
		{
			"flags come last and are all written",
			Document{ID: "a", Fields: []Field{{"x", Null()}}},
			flags,
			`{"id":"a","x":null`,
			`,"_timestamp":"run","_extract_binary_content":true,"_reduce_whitespace":false,"_run_ml_inference":true}`,
		},
		{
			"reserved names get an underscore, at the top only",
			Document{ID: "a", Fields: []Field{
				{"id", Int(5)},
				{"_id", Int(6)},
				{"_timestamp", Int(7)},
				{"_source", Int(8)},
				{"_other", Int(9)},
				{"o", Object([]Field{{"id", Int(1)}, {"_timestamp", Int(2)}})},
			}},
			run,
			`{"id":"a","id_":5,"_id_":6,"_timestamp_":7,"_source_":8,"_other":9,"o":{"id":1,"_timestamp":2}`,
			`,"_timestamp":"2024-05-06T07:08:09Z"}`,
		},
		{
			"a name that is taken gets one more underscore",
			Document{ID: "a", Fields: []Field{{"id", Int(1)}, {"id_", Int(2)}, {"id__", Int(3)}}},
			run,
			`{"id":"a","id___":1,"id_":2,"id__":3`, `,"_timestamp":"2024-05-06T07:08:09Z"}`,
		},
		{
			"everything is escaped",
			Document{ID: "a\"\n", Timestamp: `t"`, Fields: []Field{{"k\"", String("v\"")}}},
			run,
			`{"id":"a\"\n","k\"":"v\""`, `,"_timestamp":"t\""}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const before = "{\"index\":{}}\n"
			out, end := AppendSource([]byte(before), &tt.doc, tt.trailer)
			if diff := cmp.Diff(before+tt.content+"|"+tt.rest, string(out[:end])+"|"+string(out[end:])); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			checkLine(t, out[len(before):])
		})
	}
}

// TestReserved: each of these top-level fields is written by the engine, or refused by Elasticsearch
// 9.5 as a metadata field.
func TestReserved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"id", "_timestamp", "_extract_binary_content", "_reduce_whitespace", "_run_ml_inference",
		"_id", "_index", "_source", "_routing", "_seq_no", "_version", "_ignored", "_field_names",
		"_nested_path", "_doc_count", "_primary_term", "_data_stream_timestamp", "_ignored_source", "_index_mode",
	} {
		if !Reserved(name) {
			t.Errorf("Reserved(%q) = false", name)
		}
		if Reserved(name + "_") {
			t.Errorf("Reserved(%q) = true", name+"_")
		}
	}
	for _, name := range []string{"", "i", "ID", "Id", "ids", "_", "_ID", "_foo", "timestamp", "_attachment", "body"} {
		if Reserved(name) {
			t.Errorf("Reserved(%q) = true", name)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	inner := Object([]Field{{"b", Int(1)}, {"c", Object([]Field{{"d.e", Int(2)}, {"d", Object([]Field{{"e", Int(3)}})}})}, {"_id", Int(4)}})
	doc := Document{ID: "the-id", Timestamp: "2024", Fields: []Field{
		{"a", inner},
		{"a.b", Int(10)},
		{"id", Int(11)},
		{"_source", Int(12)},
		{"n", Null()},
		{"l", List([]Value{Object([]Field{{"x", Int(1)}})})},
		{"j", Raw(`{"k":{"m":5,"x.y":6,"s":"t","u":null},"k.m":7}`)},
		{"ja", Raw(`[{"k":1}]`)},
		{"js", Raw(`"{\"k\":1}"`)},
	}}
	tests := []struct{ name, path, want string }{ // want "" is not found
		{"a field", "n", "null"},
		{"an exact name before a path, in whatever order", "a.b", "10"},
		{"a path", "a.c.d", `{"e":3}`},
		{"an exact name inside", "a.c.d.e", "2"},
		{"reserved names are free inside", "a._id", "4"},
		{"a whole object", "a.c", `{"d.e":2,"d":{"e":3}}`},
		{"no such field", "z", ""},
		{"no such inner field", "a.z", ""},
		{"a path through a scalar", "a.b.c", ""},
		{"a path through null", "n.x", ""},
		{"a path through a list", "l.x", ""},
		{"the empty path", "", ""},
		{"only a dot", ".", ""},
		{"a dot too many", "a.", ""},
		{"id is the document's id, as in the index", "id", `"the-id"`},
		{"the source's own id has the name it is written under", "id_", "11"},
		{"a reserved name is not found under its own name", "_source", ""},
		{"but under the one it is written under", "_source_", "12"},
		{"the timestamp", "_timestamp", `"2024"`},
		{"into a JSON column", "j.k", `{"m":5,"x.y":6,"s":"t","u":null}`},
		{"deeper into a JSON column, the exact name first", "j.k.m", "7"},
		{"a name with a dot in a JSON column", "j.k.x.y", "6"},
		{"text in a JSON column", "j.k.s", `"t"`},
		{"null in a JSON column", "j.k.u", "null"},
		{"no such field in a JSON column", "j.k.z", ""},
		{"a path through a scalar of a JSON column", "j.k.s.x", ""},
		{"a path through a JSON list", "ja.k", ""},
		{"a path through JSON text", "js.k", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if v, ok := doc.Lookup(tt.path); ok {
				got = string(v.AppendJSON(nil))
			}
			if got != tt.want {
				t.Errorf("Lookup(%q) = %s, want %s", tt.path, got, tt.want)
			}
		})
	}
	if v, ok := (&Document{ID: "a"}).Lookup("_timestamp"); ok {
		t.Errorf("Lookup(_timestamp) = %s for a document without one", v.AppendJSON(nil))
	}
}

// FuzzAppendSource: whatever a document holds, its _source is one line of valid JSON, is the same
// every time, and reads back as the same fields.
func FuzzAppendSource(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(fmt.Appendf(nil, "%d,\"_timestamp\":\"x\"}%d", seed*0x9e3779b97f4a7c15, seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		g := generator{in: in}
		doc := g.document()
		out, end := AppendSource(nil, &doc, Trailer{Timestamp: "run"})
		checkLine(t, out)
		again, _ := AppendSource(nil, &doc, Trailer{Timestamp: "run"})
		if !bytes.Equal(again, out) {
			t.Fatalf("encoded twice:\n%s\n%s", out, again)
		}
		if end <= 0 || end > len(out) || !json.Valid(append(append([]byte{}, out[:end]...), '}')) {
			t.Fatalf("contentEnd %d is not the end of a field in %s", end, out)
		}
		var got map[string]json.RawMessage
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if want := len(doc.Fields) + 2; len(got) != want {
			t.Fatalf("%d distinct fields, want %d: %s", len(got), want, out)
		}
		for _, field := range doc.Fields {
			if Reserved(field.Name) {
				continue
			}
			want := string(field.Value.AppendJSON(nil))
			if name := string([]rune(field.Name)); string(got[name]) != want {
				t.Errorf("field %q reads back as %s, want %s", name, got[name], want)
			}
		}
	})
}
