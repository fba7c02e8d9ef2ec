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

// TestAnAnswerThatIsNotWholeIsAnError: never a shorter list of documents.
func TestAnAnswerThatIsNotWholeIsAnError(t *testing.T) {
	t.Parallel()
	nop := func(Hit) error { return nil }
	for i := range len(onePage) {
		if _, err := decodePage([]byte(onePage[:i]), nop); err == nil {
			t.Fatalf("cut after %d bytes: no error", i)
		}
	}
	for name, answer := range map[string]string{
		"no hits":      `{"took":1}`,
		"a null":       `null`,
		"hit nameless": `{"hits":{"hits":[{"_source":{}}]}}`,
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
	f.Add([]byte(`{"hits":{"hits":[]}}`))
	f.Add([]byte(`{"hits":{"hits":[{"_id":"\u0061\ud800"}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []string
		_, err := decodePage(b, func(h Hit) error { got = append(got, h.ID+string(h.Source)); return nil })
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

func TestDecodeBulkNeedsEveryItem(t *testing.T) {
	t.Parallel()
	whole := `{"errors":true,"items":[{"index":{"status":201,"result":"created"}},{"delete":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"r","caused_by":{"type":"t","reason":"deeper"}}}}]}`
	items, err := decodeBulk([]byte(whole), 2)
	want := []BulkItem{{Status: 201, Result: "created"}, {Status: 409, Type: "version_conflict_engine_exception", Reason: "r: deeper"}}
	if d := cmp.Diff(want, items); d != "" || err != nil {
		t.Fatalf("%v %s", err, d)
	}
	for i := range len(whole) {
		if _, err := decodeBulk([]byte(whole[:i]), 2); !IsCut(err) {
			t.Fatalf("cut after %d: %v", i, err)
		}
	}
	if _, err := decodeBulk([]byte(whole), 3); !IsCut(err) {
		t.Fatalf("an item is missing: %v", err)
	}
}

func FuzzDecodeBulk(f *testing.F) {
	f.Add([]byte(`{"errors":false,"items":[{"index":{"status":201}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		items, err := decodeBulk(b, 1)
		if err == nil && (len(items) != 1 || items[0].Status == 0) {
			t.Fatalf("%+v", items)
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
