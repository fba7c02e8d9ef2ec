package elastic

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const onePage = `{"pit_id":"p\"2","took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},
"hits":{"max_score":null,"hits":[
 {"_index":"x","_id":"a\\\"b","_score":null,"_seq_no":7,"_primary_term":2,"_routing":"r","_source":{"id":"a","t":"}]\"{","n":[1,{"x":null}]},"sort":[12]},
 {"_index":"x","_id":"ü","_source":{ },"sort":[ 13 , "k" ]}]}}`

func TestDecodePage(t *testing.T) {
	t.Parallel()
	var got []Hit
	p, err := decodePage([]byte(onePage), func(h Hit) error { got = append(got, h); return nil })
	if err != nil {
		t.Fatal(err)
	}
	want := []Hit{
		{ID: `a\"b`, Source: []byte(`{"id":"a","t":"}]\"{","n":[1,{"x":null}]}`), Routing: "r", SeqNo: 7, PrimaryTerm: 2},
		{ID: "ü", Source: []byte("{ }")},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if p.pitID != `p"2` || string(p.sort) != `[ 13 , "k" ]` || p.hits != 2 {
		t.Errorf("%+v", p)
	}
}

// TestATruncatedResponseIsAnError: never a shorter list of documents.
func TestATruncatedResponseIsAnError(t *testing.T) {
	t.Parallel()
	nop := func(Hit) error { return nil }
	for i := range len(onePage) {
		if _, err := decodePage([]byte(onePage[:i]), nop); err == nil {
			t.Fatalf("cut after %d bytes: no error", i)
		}
	}
	for name, answer := range map[string]string{
		"no hits":              `{"took":1,"_shards":{"failed":0}}`,
		"hits without hits":    `{"_shards":{"failed":0},"hits":{"total":{"value":0}}}`,
		"hits that are null":   `{"_shards":{"failed":0},"hits":{"hits":null}}`,
		"no shards":            `{"hits":{"hits":[]}}`,
		"shards without count": `{"_shards":{},"hits":{"hits":[]}}`,
		"a count of nonsense":  `{"_shards":{"failed":nil},"hits":{"hits":[]}}`,
		"a null":               `null`,
		"a list":               `[]`,
		"hit nameless":         `{"_shards":{"failed":0},"hits":{"hits":[{"_source":{}}]}}`,
		"more after it":        `{"_shards":{"failed":0},"hits":{"hits":[]}}{}`,
	} {
		if _, err := decodePage([]byte(answer), nop); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, answer := range map[string]string{
		"a failed shard": strings.Replace(onePage, `"failed":0`, `"failed":1`, 1),
		"a timeout":      strings.Replace(onePage, `"timed_out":false`, `"timed_out":true`, 1),
	} {
		if _, err := decodePage([]byte(answer), nop); !errors.Is(err, ErrTemporary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecodePage compares with encoding/json wherever that accepts the answer.
func FuzzDecodePage(f *testing.F) {
	f.Add([]byte(onePage))
	f.Add([]byte(`{"_shards":{"failed":0},"hits":{"hits":[]}}`))
	f.Add([]byte(`{"_shards":{"failed":0},"hits":{"hits":[{"_id":"\u0061\ud800","sort":[1,]}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []string
		p, err := decodePage(b, func(h Hit) error { got = append(got, h.ID+string(h.Source)); return nil })
		if err == nil && p.leadsOn(&slice{size: 1 << 20}) == nil {
			asJSON(map[string]any{"search_after": json.RawMessage(p.sort)}) // as the next page is asked for
		}
		if err != nil || !json.Valid(b) {
			return
		}
		var want struct {
			Hits struct {
				Hits []struct {
					ID     string          `json:"_id"`
					Source json.RawMessage `json:"_source"`
				} `json:"hits"`
			} `json:"hits"`
		}
		if json.Unmarshal(b, &want) != nil || strings.Contains(strings.ToLower(string(b)), `"hits":{"hits":`) == false {
			return
		}
		if n := strings.Count(strings.ToLower(string(b)), `"hits"`); n != 2 { // repeated keys mean different things to the two
			return
		}
		var list []string
		for _, h := range want.Hits.Hits {
			list = append(list, h.ID+string(h.Source))
		}
		if d := cmp.Diff(list, got); d != "" && !repeats(b) {
			t.Fatal(d)
		}
	})
}

// repeats reports keys on which decoders may differ: repeated ones, and other letter cases.
func repeats(b []byte) bool {
	s := strings.ToLower(string(b))
	return strings.Count(s, "_id") != strings.Count(string(b), `"_id"`) || strings.Count(s, "_source") > strings.Count(s, `"_id"`) ||
		strings.Contains(s, `\u`) || strings.Count(s, "_id") > strings.Count(s, "{")
}

func TestStringField(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`{"_timestamp":"x"}`:                             "x",
		`{"a":{"_timestamp":"no"},"b":1}`:                "",
		`{"a":"\"_timestamp\":","_timestamp":"y\u0041"}`: "yA",
		`{"_timestamp":5}`:                               "",
		`{}`:                                             "",
		`nonsense`:                                       "",
	} {
		if got := StringField([]byte(source), "_timestamp"); got != want {
			t.Errorf("%s: %q, want %q", source, got, want)
		}
	}
}

// sentTo is a bulk request of operations by these ids on the index x.
func sentTo(ids ...string) *Bulk {
	return &Bulk{Index: "x", Count: len(ids), ID: func(i int) string { return ids[i] }}
}

func TestDecodeBulkNeedsEveryItem(t *testing.T) {
	t.Parallel()
	whole := `{"errors":true,"items":[{"index":{"_index":"x","_id":"a\u0062","status":201,"result":"created"}},` +
		`{"delete":{"_index":"x","_id":"c","status":409,"error":{"type":"version_conflict_engine_exception","reason":"r","caused_by":{"type":"t","reason":"deeper"}}}}]}`
	items, err := sentTo("ab", "c").decode([]byte(whole))
	want := []BulkItem{{Status: 200}, {Status: 409, Type: "version_conflict_engine_exception", Reason: "r: deeper"}}
	if d := cmp.Diff(want, items); d != "" || err != nil {
		t.Fatalf("%v %s", err, d)
	}
	for i := range len(whole) {
		if _, err := sentTo("ab", "c").decode([]byte(whole[:i])); !IsCut(err) {
			t.Fatalf("cut after %d: %v", i, err)
		}
	}
	for name, ids := range map[string][]string{"an item is missing": {"ab", "c", "d"}, "an item is too many": {"ab"}} {
		if _, err := sentTo(ids...).decode([]byte(whole)); !IsCut(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, lie := range []string{
		`{"errors":false,"items":[]}`, `{"errors":false}`, `{}`, `[]`, `null`, `"x"`,
		`{"items":[{"index":{"status":200}}]}`, `{"items":[{"index":{"_index":"x","status":200}}]}`, `{"items":[{"index":{"_id":"a","status":200}}]}`,
		`{"items":[{"index":{"_index":"x","_id":"a"}}]}`, `{"items":[{}]}`, `{"items":[{"index":{"_index":"x","_id":"a","status":200},"create":{"_index":"x","_id":"a","status":200}}]}`,
		`{"items":[{"index":{"_index":"x","_id":"a","status":"ok"}}]}`, `{"items":[{"index":{"_index":"x","_id":"a","status":200}}]} and more`,
	} {
		if items, err := sentTo("a").decode([]byte(lie)); !IsCut(err) {
			t.Errorf("%s: %+v, %v", lie, items, err)
		}
	}
}

// TestAnOperationThatWasDoneElsewhereSaysWhere: a pipeline may set id and index of a document.
func TestAnOperationThatWasDoneElsewhereSaysWhere(t *testing.T) {
	t.Parallel()
	items, err := sentTo("a", "b", "c").decode([]byte(`{"errors":false,"items":[{"index":{"_index":"x","_id":"a","status":200,"result":"updated"}},` +
		`{"index":{"_index":"x","_id":"x-b","status":201,"result":"created"}},{"index":{"_index":"y","_id":"c","status":201,"result":"created"}}]}`))
	want := []BulkItem{
		{Status: 200}, {Status: 201, Result: "created", Elsewhere: `by the id "x-b"`}, {Status: 201, Result: "created", Elsewhere: `in the index "y"`},
	}
	if d := cmp.Diff(want, items); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
}

// FuzzDecodeBulk: what is taken for a whole answer is one for encoding/json, too, wherever it is JSON,
// with as many items, each with its id.
func FuzzDecodeBulk(f *testing.F) {
	for _, seed := range []string{
		`{"errors":false,"items":[{"index":{"_index":"x","_id":"a","status":201,"result":"created"}}]}`,
		`{"errors":true,"items":[{"index":{"_index":"y","_id":"\u0061","status":400,"error":{"type":"t","reason":"r"}}}]}`,
		`{"items":[{"delete":{"_index":"x","_id":null,"status":404}}]}`, `{"errors":false,"items":[]}`, `{"items":[{"index":{"_id":"a`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		items, err := sentTo("a").decode(b)
		if err != nil {
			return
		}
		if len(items) > 1 || len(items) == 1 && items[0].Status == 0 {
			t.Fatalf("%+v", items)
		}
		var want struct {
			Items []map[string]struct {
				ID    string `json:"_id"`
				Index string `json:"_index"`
			} `json:"items"`
		}
		if json.Unmarshal(b, &want) != nil || strings.Count(strings.ToLower(string(b)), `"items"`) != 1 || repeats(b) {
			return // repeated keys mean different things to the two
		}
		for _, m := range want.Items {
			for _, one := range m {
				if items == nil && (one.ID != "a" || one.Index != "x") {
					t.Fatalf("%s was taken for an answer about a in x", b)
				}
			}
		}
	})
}

func BenchmarkDecodePage(b *testing.B) {
	var s strings.Builder
	s.WriteString(`{"pit_id":"x","timed_out":false,"_shards":{"failed":0},"hits":{"hits":[`)
	for i := range 1000 {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `{"_index":"x","_id":"shop_public_t_%d","_score":null,"_source":{"id":"%d","body":%q},"sort":[%d]}`, i, i, strings.Repeat("word ", 180), i)
	}
	s.WriteString(`]}}`)
	page := []byte(s.String())
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodePage(page, func(Hit) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
