package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const checkedSettings = `"settings":{"index.mapping.ignore_malformed":true,"index.mapping.total_fields.ignore_dynamic_beyond_limit":true,"index.mapping.total_fields.limit":20}`

// fuzzShape is a shape with a field of each kind.
func fuzzShape(t testing.TB, change func(settings map[string]any)) *shape {
	t.Helper()
	m, err := parseMapping([]byte(`{"date_detection":false,"dynamic_templates":[{"double":{"match_mapping_type":"double","mapping":{"type":"double"}}}],"properties":{
		"l":{"type":"long"},"d":{"type":"date"},"k":{"type":"keyword","ignore_above":5},"t":{"type":"text","fields":{"n":{"type":"double"}}},"b":{"type":"binary"},"f":{"type":"flattened"},
		"o":{"properties":{"p":{"type":"ip"}}},"off":{"enabled":false},"closed":{"dynamic":false,"type":"object"},"g":{"type":"geo_point"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]any{
		"mapping.ignore_malformed": "true", "mapping.total_fields.ignore_dynamic_beyond_limit": "true",
		"mapping.total_fields.limit": "20", "mapping.depth.limit": "4",
	}
	change(settings)
	if err := m.derive(settings); err != nil {
		t.Fatal(err)
	}
	return m.shape
}

// FuzzFit holds any document against a shape, with and without limits and leniency. Once its fields are
// added it has no new ones, and is judged the same again.
func FuzzFit(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"l":"x","d":{},"k":"123456","t":"1","o":{"p":"1.2.3.4/8"}}`, `{"a":[null,[1,"x"],{"b":2}],"a.b":1}`, `{"x.y":{"z":[]},"x":{"y.z":1}}`, `{" ":1}`, `{"l":{"a":[1,{"b":null}]}}`,
		`{"o":[{"p":1},2]}`, `{"f":{"a":{"b":[1,"\u0000"]}},"f.c":1}`, `{"_id":null}`, `{"off":{"":1},"off.x":[1],"closed":{"y":{"":1}},"g":{"lat":1}}`, `{"b":{"x":1}}`, `{"b":[{"x":[1]}]}`,
		`{"m1":1,"m2":1,"m3":"x","m4":{"a":1},"m5":[],"m6":[[]],"m7":[{"x":1}],"m8.y":1,"m9":1}`, `{"deep":{"er":{"and":{"deeper":1}}}}`, `{"d":"2024-01-01T00Europe/Berlin"}`, `{"a.":1,"b..c":2}`,
	} {
		f.Add([]byte(s))
	}
	shapes := []*shape{
		fuzzShape(f, func(map[string]any) {}),
		fuzzShape(f, func(s map[string]any) { clear(s) }),
	}
	c := newChecker()
	f.Fuzz(func(t *testing.T, doc []byte) {
		if e := checkSource(c, doc); e != nil {
			return
		}
		for _, sh := range shapes {
			checkFit(t, sh, doc)
		}
	})
}

func checkFit(t *testing.T, sh *shape, doc []byte) {
	before := mustMarshal(sh.root.properties())
	f := fit(sh, doc, []byte("1"), false)
	if after := mustMarshal(sh.root.properties()); !bytes.Equal(before, after) || f.grew {
		t.Fatalf("%q changed a shape that it may not change: %s", doc, after)
	}
	if f.needs {
		f = fit(sh.clone(), doc, []byte("1"), true)
	}
	for tries := 0; f.err == nil && f.grew; tries++ {
		if tries > 100 {
			t.Fatalf("%q always adds fields", doc)
		}
		f = fit(f.sh, doc, []byte("1"), true)
	}
	if after := mustMarshal(sh.root.properties()); !bytes.Equal(before, after) {
		t.Fatalf("%q changed what it was cloned from: %s", doc, after)
	}
	if f.err != nil {
		if !json.Valid(f.err.body()) {
			t.Fatalf("%q: error %q", doc, f.err.body())
		}
		return
	}
	if sh.beyond && f.sh.size > sh.limit {
		t.Fatalf("%q: %d fields of %d", doc, f.sh.size, sh.limit)
	}
	if list := encodeIgnored(f.ignored); list != nil && !json.Valid(list) {
		t.Fatalf("%q: ignored %q", doc, list)
	}
	m := &mapping{root: map[string]any{}, shape: f.sh}
	m.show()
	if again := mustMarshal(m.root); !json.Valid(again) {
		t.Fatalf("%q: mapping %q", doc, again)
	}
	if last := fit(f.sh, doc, []byte("1"), true); last.grew || last.err != nil || !slices.Equal(last.ignored, f.ignored) {
		t.Fatalf("%q: ignored %q, then %q (%v)", doc, f.ignored, last.ignored, last.err)
	}
}

// TestUnknownFieldSettingsAreErrors asks an index that checks its documents for what only Elasticsearch has.
func TestUnknownFieldSettingsAreErrors(t *testing.T) {
	t.Parallel()
	s := memory(t, Options{})
	if status, body := do(t, s, http.MethodPut, "/i", `{`+checkedSettings+`,"mappings":{"date_detection":false,"properties":{"d":{"type":"date"},"b":{"type":"binary"}}}}`); status != http.StatusOK {
		t.Fatal(body)
	}
	vector := "[" + strings.Repeat("0.5,", 127) + "0.5]"
	for _, tc := range []struct{ method, path, body, names string }{
		{"PUT", "/i/_doc/1", `{"d":"2024-01-15T10:11:12Europe/Berlin"}`, "time zone"},
		{"PUT", "/i/_doc/1", `{"v":` + vector + `}`, "128 numbers"},
		{"PUT", "/i/_doc/1", `{"b":[{"a":1}]}`, "[b]"},
		{"PUT", "/i/_mapping", `{"date_detection":true}`, "date_detection"},
		{"PUT", "/i/_mapping", `{"numeric_detection":true}`, "numeric_detection"},
		{"PUT", "/k", `{"mappings":{"date_detection":false,"numeric_detection":true}}`, "numeric_detection"},
		{"PUT", "/k", `{"mappings":{"date_detection":false,"properties":{"n":{"type":"long","coerce":false}}}}`, "coerce"},
		{"PUT", "/k", `{"mappings":{"date_detection":false,"properties":{"o":{"type":"object","subobjects":false}}}}`, "subobjects"},
		{"PUT", "/k", `{"mappings":{"date_detection":false,"properties":{"o":{"type":"object","dynamic":"strict"}}}}`, "strict"},
		{"PUT", "/k", `{"mappings":{"date_detection":false,"dynamic_templates":[{"t":{"match_pattern":"regex","match":"^a","match_mapping_type":"long","mapping":{"type":"long"}}}]}}`, "match_pattern"},
		{"PUT", "/k", `{"mappings":{"date_detection":false,"dynamic_templates":[{"t":{"match_mapping_type":"object","mapping":{"type":"flattened"}}}]}}`, "objects"},
		{"PUT", "/k", `{"settings":{"index.mapping.coerce":false}}`, "mapping.coerce"},
		{"PUT", "/k", `{"settings":{"index.mapping.field_name_length.limit":5}}`, "field_name_length"},
	} {
		status, body := do(t, s, tc.method, tc.path, tc.body)
		if status != http.StatusNotImplemented || !strings.Contains(body, `"type":"not_implemented_in_embedded"`) || !strings.Contains(body, tc.names) {
			t.Errorf("%s %s %s: status %d, want 501 naming %q: %s", tc.method, tc.path, tc.body, status, tc.names, body)
		}
	}
	if status, body := do(t, s, http.MethodGet, "/i/_mapping", ""); status != http.StatusOK || strings.Contains(body, `"v"`) {
		t.Errorf("the mapping has a field of a refused document: %s", body)
	}
}

// TestUncheckedTypesAcceptAnyValue names the limit that the package's description names.
func TestUncheckedTypesAcceptAnyValue(t *testing.T) {
	t.Parallel()
	s := memory(t, Options{})
	do(t, s, http.MethodPut, "/i", `{`+checkedSettings+`,"mappings":{"date_detection":false,"properties":{"g":{"type":"geo_point"},"d":{"type":"date","format":"yyyy"}}}}`)
	for _, body := range []string{`{"g":{"lat":"no"}}`, `{"g":[1,2]}`, `{"g":"x","d":"2024-01-01"}`} {
		if status, out := do(t, s, http.MethodPut, "/i/_doc/1?refresh=true", body); status >= http.StatusMultipleChoices {
			t.Errorf("%s: status %d: %s", body, status, out)
		}
	}
	if _, out := do(t, s, http.MethodPost, "/i/_search?filter_path=hits.hits._ignored", `{}`); out != `{}` {
		t.Errorf("ignored is %s", out)
	}
}

// TestFieldsThatWritersAddAtOnce lets writers add fields of their own; none may lose another's.
func TestFieldsThatWritersAddAtOnce(t *testing.T) {
	t.Parallel()
	s := memory(t, Options{})
	do(t, s, http.MethodPut, "/i", `{"settings":{"index.mapping.ignore_malformed":true},"mappings":{"date_detection":false}}`)
	const writers, rounds = 4, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range rounds {
				body := fmt.Sprintf("{\"index\":{}}\n{\"all\":%d,\"w%d_%d\":{\"x\":1}}\n{\"index\":{}}\n{\"all\":\"x\",\"r%d\":1}\n", n, w, n, n)
				if status, out := do(t, s, http.MethodPost, "/i/_bulk", body); status != http.StatusOK || strings.Contains(out, `"errors":true`) {
					t.Errorf("writer %d: status %d: %s", w, status, out)
				}
				do(t, s, http.MethodPut, "/i/_mapping", fmt.Sprintf(`{"properties":{"m%d_%d":{"type":"date"}}}`, w, n))
			}
		})
	}
	wg.Wait()
	_, body := do(t, s, http.MethodGet, "/i/_mapping", "")
	for w := range writers {
		for n := range rounds {
			for _, want := range []string{fmt.Sprintf(`"w%d_%d":{"properties":{"x":{"type":"long"}}}`, w, n), fmt.Sprintf(`"r%d":{"type":"long"}`, n), fmt.Sprintf(`"m%d_%d":{"type":"date"}`, w, n)} {
				if !strings.Contains(body, want) {
					t.Errorf("the mapping lacks %s", want)
				}
			}
		}
	}
	do(t, s, http.MethodPost, "/i/_refresh", "")
	_, got := do(t, s, http.MethodPost, "/i/_search?filter_path=hits.total.value,aggregations.n.buckets", `{"size":0,"aggs":{"n":{"terms":{"field":"_ignored"}}}}`)
	_, all := do(t, s, http.MethodGet, "/i/_count?filter_path=count", "")
	if want := fmt.Sprintf(`{"count":%d}`, 2*writers*rounds); all != want {
		t.Errorf("%s, want %s", all, want)
	}
	// Whichever document came first decided what all is: long, or text, which takes numbers.
	if long := strings.Contains(body, `"all":{"type":"long"}`); long != strings.Contains(got, fmt.Sprintf(`"doc_count":%d`, writers*rounds)) {
		t.Errorf("all is a long: %v, and %s was ignored", long, got)
	}
}

// olderFolder is a store as the version before checked documents wrote it.
func olderFolder(t *testing.T, dir string) {
	t.Helper()
	st, err := openStore(storeOptions{dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	b := st.batch()
	b.set([]byte{spaceFormat}, []byte("1"))
	b.set(indexKey("old"), []byte(`{"number":1,"uuid":"u","created":1,"settings":{"mapping.ignore_malformed":"true","mapping.foo":"1"},
		"mapping":{"date_detection":false,"numeric_detection":true,"dynamic_templates":[{"t":{"match_pattern":"regex","match":"^a","mapping":{"type":"long"}}}],"properties":{"n":{"type":"long","coerce":false},"a.b":{"type":"date"}}}}`))
	b.set(counterKey(1), counters{next: 1, docs: 1}.encode())
	at := place{seq: 0, version: 3}
	b.set(idKey(nil, 1, []byte("1")), at.append(nil))
	r := record{place: at, id: []byte("1"), routing: []byte("r"), source: []byte(`{"n":"x","a.b":"y","ü":{}}`)}
	b.set(docKey(nil, 1, 0), r.append(nil))
	if err := st.commit(b, true); err != nil {
		t.Fatal(err)
	}
	if err := st.close(); err != nil {
		t.Fatal(err)
	}
}

// TestAFolderOfAnEarlierVersionKeepsItsWays opens one twice and writes into it: nothing is checked, nothing
// added to the mapping, and a new index in it is one of this version.
func TestAFolderOfAnEarlierVersionKeepsItsWays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	olderFolder(t, dir)
	var mapping string
	for round, format := range []string{"1", "2", "2"} {
		s, err := Open(Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if round > 0 {
			do(t, s, http.MethodPut, fmt.Sprintf("/new%d", round), `{`+checkedSettings+`,"mappings":{"date_detection":false,"properties":{"n":{"type":"long"}}}}`)
			do(t, s, http.MethodPut, fmt.Sprintf("/new%d/_doc/1?refresh=true", round), `{"n":"x","s":{"t":1}}`)
		}
		if status, body := do(t, s, http.MethodPut, fmt.Sprintf("/old/_doc/w%d?refresh=true", round), `{"n":{"not":"a number"},"new":1}`); status >= http.StatusMultipleChoices {
			t.Errorf("round %d: status %d: %s", round, status, body)
		}
		_, body := do(t, s, http.MethodPost, "/old/_search?filter_path=hits.hits._id,hits.hits._source,hits.hits._routing,hits.hits._ignored", `{"query":{"ids":{"values":["1"]}}}`)
		if want := `{"hits":{"hits":[{"_id":"1","_routing":"r","_source":{"n":"x","a.b":"y","ü":{}}}]}}`; body != want {
			t.Errorf("round %d: %s, want %s", round, body, want)
		}
		if _, body := do(t, s, http.MethodPost, "/old/_search?filter_path=aggregations.n.buckets", `{"aggs":{"n":{"terms":{"field":"_ignored"}}}}`); body != `{"aggregations":{"n":{"buckets":[]}}}` {
			t.Errorf("round %d: %s", round, body)
		}
		_, shown := do(t, s, http.MethodGet, "/old/_mapping", "")
		if mapping == "" {
			mapping = shown
		}
		if diff := cmp.Diff(mapping, shown); diff != "" || !strings.Contains(shown, `"a.b"`) {
			t.Errorf("round %d: the mapping changed (-before +after):\n%s", round, diff)
		}
		if got, err := s.store.get([]byte{spaceFormat}); err != nil || string(got) != format {
			t.Errorf("round %d: format %q, %v, want %q", round, got, err, format)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAddedFieldsAndIgnoredOnesOutliveTheProcess opens a folder again.
func TestAddedFieldsAndIgnoredOnesOutliveTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	do(t, s, http.MethodPut, "/i", `{`+checkedSettings+`,"mappings":{"date_detection":false,"properties":{"n":{"type":"long"},"a.b":{"type":"text","fields":{"k":{"type":"keyword","ignore_above":2}}}}}}`)
	do(t, s, http.MethodPut, "/i/_doc/1?routing=r&refresh=true", `{"n":"x","o":{"p":1},"a.b":"long"}`)
	ask := func() string {
		_, mapping := do(t, s, http.MethodGet, "/i", "")
		_, hits := do(t, s, http.MethodPost, "/i/_search?filter_path=hits", `{}`)
		return mapping + hits
	}
	before := ask()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if diff := cmp.Diff(before, ask()); diff != "" {
		t.Errorf("it changed (-before +after):\n%s", diff)
	}
	for _, want := range []string{`"_ignored":["a.b.k","n"]`, `"o":{"properties":{"p":{"type":"long"}}}`, `"_routing":"r"`} {
		if !strings.Contains(before, want) {
			t.Errorf("%s has no %s", before, want)
		}
	}
	if status, body := do(t, s, http.MethodPut, "/i/_doc/2", `{"o":{"p":{}}}`); status != http.StatusBadRequest {
		t.Errorf("an added field is not what it was: status %d: %s", status, body)
	}
}

// TestAFieldIsAddedWithItsDocumentOrNotAtAll breaks the store under a document that adds a field.
func TestAFieldIsAddedWithItsDocumentOrNotAtAll(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if s.Close() == nil {
			t.Error("a broken store closes without a word")
		}
	}()
	do(t, s, http.MethodPut, "/i", `{`+checkedSettings+`,"mappings":{"date_detection":false}}`)
	s.store.breakOff(context.Canceled)
	if status, body := do(t, s, http.MethodPut, "/i/_doc/1", `{"new":1}`); status != http.StatusInternalServerError {
		t.Errorf("status %d: %s", status, body)
	}
	if _, body := do(t, s, http.MethodGet, "/i/_mapping", ""); strings.Contains(body, "new") {
		t.Errorf("the mapping is %s", body)
	}
}

func BenchmarkFit(b *testing.B) {
	doc := []byte(`{"id":17,"price":"12.50","active":true,"created":"2024-05-01T10:00:00Z","title":"` + strings.Repeat("the mirror of a table ", 40) + `"}`)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	m, err := parseMapping([]byte(`{"date_detection":false,"properties":{"id":{"type":"long"},"price":{"type":"double"},"active":{"type":"boolean"},"created":{"type":"date"},"title":{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}}}`))
	if err != nil {
		b.Fatal(err)
	}
	if err := m.derive(map[string]any{"mapping.ignore_malformed": "true"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if f := fit(m.shape, doc, nil, false); f.err != nil || len(f.ignored) != 1 {
			b.Fatal(f.err, f.ignored)
		}
	}
}
