package embedded_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
)

// request sends one request and returns the body of the answer, which must have the status.
func request(tb testing.TB, s *embedded.Server, method, path, body string, status int) []byte {
	tb.Helper()
	got, out := send(tb, s, method, path, strings.NewReader(body))
	if got != status {
		tb.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, out)
	}
	return out
}

func send(tb testing.TB, s *embedded.Server, method, path string, body io.Reader) (int, []byte) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, "http://embedded"+path, body)
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := s.Transport().RoundTrip(r)
	if err != nil {
		tb.Fatal(err)
	}
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		tb.Fatal(err)
	}
	return resp.StatusCode, out
}

// bulkBodies are requests of 500 documents of 1 KB, with ids in random order.
func bulkBodies(requests int) [][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("the of mirror index source table document written again no one knows where it came from")
	ids := random.Perm(requests * 500)
	bodies := make([][]byte, requests)
	for i := range bodies {
		var b bytes.Buffer
		for n := range 500 {
			fmt.Fprintf(&b, `{"index":{"_id":"public.items_%d"}}`+"\n", ids[i*500+n])
			fmt.Fprintf(&b, `{"id":%d,"price":"%d.50","active":true,"created":"2024-05-01T10:00:00Z","title":"`, n, n)
			for b.Len()%1100 < 1060 {
				b.WriteString(words[random.IntN(len(words))])
				b.WriteByte(' ')
			}
			b.WriteString(`","_timestamp":"2024-05-01T10:00:00Z"}` + "\n")
		}
		bodies[i] = b.Bytes()
	}
	return bodies
}

// checkedIndex is the body that creates an index whose documents are checked.
const checkedIndex = `{"settings":{"index.mapping.ignore_malformed":true,"index.mapping.total_fields.ignore_dynamic_beyond_limit":true},
	"mappings":{"date_detection":false,"dynamic_templates":[{"double":{"match_mapping_type":"double","mapping":{"type":"double"}}}],
	"properties":{"id":{"type":"long"},"price":{"type":"double"},"active":{"type":"boolean"},"created":{"type":"date"}}}}`

func BenchmarkBulk(b *testing.B) {
	bodies := bulkBodies(200)
	for _, where := range []string{"memory", "folder", "memory checked", "folder checked"} {
		b.Run(where, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				o := embedded.Options{}
				if strings.HasPrefix(where, "folder") {
					o.Dir = b.TempDir()
				}
				s, err := embedded.Open(o)
				if err != nil {
					b.Fatal(err)
				}
				if strings.HasSuffix(where, "checked") {
					request(b, s, http.MethodPut, "/bench", checkedIndex, http.StatusOK)
				}
				for _, body := range bodies {
					status, out := send(b, s, http.MethodPost, "/bench/_bulk?filter_path=errors,items.*.status,items.*.error", bytes.NewReader(body))
					if status != http.StatusOK || !bytes.HasPrefix(out, []byte(`{"errors":false`)) {
						b.Fatalf("status %d", status)
					}
					n += 500
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}

// BenchmarkScan reads an index by pages of a point in time, as a sync does.
func BenchmarkScan(b *testing.B) {
	s, err := embedded.Open(embedded.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	for _, body := range bulkBodies(200) {
		request(b, s, http.MethodPost, "/bench/_bulk", string(body), http.StatusOK)
	}
	request(b, s, http.MethodPost, "/bench/_refresh", "", http.StatusOK)
	for _, source := range []string{`false`, `["_timestamp"]`, `true`} {
		b.Run("source="+source, func(b *testing.B) {
			n := 0
			for b.Loop() {
				n += scanAll(b, s, source)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}

func scanAll(b *testing.B, s *embedded.Server, source string) int {
	var pit struct{ ID string }
	if err := json.Unmarshal(request(b, s, http.MethodPost, "/bench/_pit?keep_alive=1m", "", http.StatusOK), &pit); err != nil {
		b.Fatal(err)
	}
	total, after := 0, ""
	for {
		body := fmt.Sprintf(`{"size":5000,"pit":{"id":%q},"sort":["_shard_doc"],"track_total_hits":false,"seq_no_primary_term":true,"_source":%s%s}`, pit.ID, source, after)
		out := request(b, s, http.MethodPost, "/_search?filter_path=hits.hits._id,hits.hits._source,hits.hits.sort", body, http.StatusOK)
		n := bytes.Count(out, []byte(`"_id":`))
		if n == 0 {
			break
		}
		total += n
		last := out[bytes.LastIndex(out, []byte(`"sort":[`))+len(`"sort":[`):]
		after = fmt.Sprintf(`,"search_after":[%s]`, last[:bytes.IndexByte(last, ']')])
	}
	request(b, s, http.MethodDelete, "/_pit", fmt.Sprintf(`{"id":%q}`, pit.ID), http.StatusOK)
	return total
}
