package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzCheck compares the checker with encoding/json, which knows the same grammar but allows keys
// twice and bytes that are no UTF-8.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":[1,-0.5e+3,"x\u00e9\n",true,false,null,{}]}`, ` {"a" : "long enough for eight bytes" } `, `{"a":01}`, `{"a":1.}`,
		`[`, `{"a"`, `"\x"`, `"\ud800"`, `-`, `1e`, `{"a":1,}`, `[1,]`, `tru`, "\"\x01\"", "\"\xff\"", `nullx`, `{"a":1}}`, "\"12345678\x1f\"", `{"":{"":1}}`,
	} {
		f.Add([]byte(s))
	}
	c := newChecker()
	f.Fuzz(func(t *testing.T, b []byte) {
		end, p := c.check(b)
		valid := p == nil && end == len(b)
		if standard := json.Valid(b); valid != standard {
			twice := p != nil && (strings.HasPrefix(p.what, "Duplicate") || strings.HasPrefix(p.what, "Document nesting"))
			if !standard || !twice && utf8.Valid(b) {
				t.Fatalf("%q: valid is %v, encoding/json says %v (%v)", b, valid, standard, p)
			}
		}
		if !valid {
			return
		}
		start := skipSpace(b, 0)
		if got := skipSpace(b, skipValue(b, start)); got != len(b) {
			t.Fatalf("%q: skipValue ends at %d of %d", b, got, len(b))
		}
		checkWalks(t, b[start:skipValue(b, start)])
	})
}

// checkWalks compares what fields and elements find with encoding/json, and a filter of everything
// with its input.
func checkWalks(t *testing.T, b []byte) {
	switch b[0] {
	case '{':
		var want map[string]json.RawMessage
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		n := 0
		fields(b, func(key, value []byte) bool {
			n++
			if got, ok := want[string(key)]; utf8.Valid(b) && (!ok || !bytes.Equal(bytes.TrimSpace(got), value)) {
				t.Fatalf("%q: field %q is %q, want %q", b, key, value, got)
			}
			return true
		})
		if n < len(want) {
			t.Fatalf("%q: %d fields, want %d", b, n, len(want))
		}
		if all := newPathFilter([]string{"**"}, false).apply(b); !json.Valid(all) {
			t.Fatalf("%q: filtered to %q", b, all)
		}
		if rest := newPathFilter([]string{"a.b", "*.c", "-a.d"}, true).apply(b); !json.Valid(rest) {
			t.Fatalf("%q: filtered to %q", b, rest)
		}
	case '[':
		var want []json.RawMessage
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		n := 0
		elements(b, func([]byte) bool { n++; return true })
		if n != len(want) {
			t.Fatalf("%q: %d elements, want %d", b, n, len(want))
		}
	}
}

func FuzzBulk(f *testing.F) {
	for _, s := range []string{
		"{\"index\":{\"_id\":\"1\"}}\n{\"a\":1}\n", "{\"delete\":{\"_id\":\"1\",\"if_seq_no\":1,\"if_primary_term\":1}}\n", "\n\n", "{\"create\":{}}\n",
		"{\"index\":{\"_id\":null,\"routing\":7}}\r\n{}\r\n", "{\"index\":[]}\n{}\n", "{}\n", "{\"index\":{\"_id\":{}}}\n{}\n", "null\n", "[]\n",
	} {
		f.Add([]byte(s))
	}
	s := fuzzed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := s.bulk(&request{ctx: t.Context(), index: "fuzz", query: url.Values{}, body: body})
		valid(t, body, a, err)
	})
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"query":{"bool":{"must":[{"term":{"k":"x"}},{"range":{"n":{"gte":1,"lt":"7"}}}],"should":{"exists":{"field":"o.p"}},"must_not":[]}},"size":3,"from":1}`,
		`{"sort":[{"n":{"order":"desc","missing":"_first"}},"_doc"],"search_after":[null,1]}`, `{"_source":{"includes":["a.*"],"excludes":["b"]},"track_total_hits":5}`,
		`{"query":{"ids":{"values":["1"]}},"_source":["k","o"]}`, `{"query":{"terms":{"d":["2024-01-01"]}}}`, `{"pit":{"id":"embedded1x"},"slice":{"id":0,"max":2}}`,
		`{"query":{"term":{"k":null}}}`, `{"sort":"k","search_after":["x"]}`, `{"query":{"range":{"f":{"gt":null}}}}`, `{"query":null}`, `{"sort":null}`, `{"search_after":null}`, `{"_source":null}`,
	} {
		f.Add([]byte(s))
	}
	s := fuzzed(f)
	seed(f, s)
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := s.search(&request{ctx: t.Context(), index: "fuzz", query: url.Values{}, body: body})
		valid(t, body, a, err)
	})
}

// fuzzed opens a store in memory.
func fuzzed(f *testing.F) *Server {
	f.Helper()
	s, err := Open(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.Error(err)
		}
	})
	return s
}

// valid wants an answer, or an error's answer, that is JSON.
func valid(t *testing.T, body []byte, a *answer, err error) {
	t.Helper()
	if err != nil {
		if b := errorAnswer(err).body; !json.Valid(b) {
			t.Fatalf("%q: error %q", body, b)
		}
		return
	}
	if !json.Valid(a.body) {
		t.Fatalf("%q: answer %q", body, a.body)
	}
}

func seed(f *testing.F, s *Server) {
	f.Helper()
	mapping := `{"mappings":{"properties":{"k":{"type":"keyword"},"n":{"type":"long"},"f":{"type":"double"},"d":{"type":"date"},"b":{"type":"boolean"},"o":{"properties":{"p":{"type":"keyword"}}}}}}`
	if _, err := s.createIndex(&request{ctx: context.Background(), index: "fuzz", body: []byte(mapping)}); err != nil {
		f.Fatal(err)
	}
	docs := "{\"index\":{\"_id\":\"1\"}}\n{\"k\":\"x\",\"n\":1,\"f\":1.5,\"d\":\"2024-01-01\",\"b\":true,\"o\":{\"p\":\"q\"}}\n{\"index\":{\"_id\":\"2\"}}\n{\"k\":[\"y\",null],\"z\":{\"a\":[]}}\n"
	if _, err := s.bulk(&request{ctx: context.Background(), index: "fuzz", query: url.Values{"refresh": {"true"}}, body: []byte(docs)}); err != nil {
		f.Fatal(err)
	}
}
