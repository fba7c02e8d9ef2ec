package engine_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// BenchmarkEngine: synthetic documents of 1 KB from four parts to a destination that acknowledges at once, so the
// benchmark measures almost only our own work.
func BenchmarkEngine(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				client, err := elastic.New(elastic.Config{URL: "http://ack", Transport: acknowledging{}})
				if err != nil {
					b.Fatal(err)
				}
				res, err := engine.Run(b.Context(), engine.Job{
					Connector: "bench", Owner: "bench/bench", Index: "bench", Compare: engine.Auto,
					Type:  source.Type{Name: "bench", Open: func(context.Context, field.Values, source.Env) (source.Source, error) { return synthetic{n}, nil }},
					Guard: engine.Guard{Deletes: 10, Percent: 10, Confirmed: -1},
				}, engine.Deps{
					Settings: engine.Settings{Readers: 4, Writers: 4, Operations: 500, RequestBytes: 5 << 20, Budget: 64 << 20, ContentLimit: 10 << 20, IDsMemory: 256 << 20},
					Client:   client, Log: slog.New(slog.DiscardHandler), Observer: report.Unobserved{}, Counters: &report.Counters{},
					Lock: func(context.Context, string, string) (func(), bool, error) { return func() {}, false, nil }, Cut: context.Background(), Now: time.Now,
				})
				if err != nil || res.Counts.Created != int64(n) {
					b.Fatalf("%v %+v", err, res.Counts)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}

// acknowledging answers the requests of a run to an empty index.
type acknowledging struct{}

func (acknowledging) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	answer := `{"acknowledged":true}`
	switch path := r.URL.Path; {
	case path == "/":
		answer = `{"version":{"number":"9.5.3"}}`
	case strings.HasSuffix(path, "_bulk"):
		return fault.Done(r)
	case strings.HasSuffix(path, "_pit"):
		answer = `{"id":"p"}`
	case strings.HasSuffix(path, "_search"):
		answer = `{"pit_id":"p","timed_out":false,"_shards":{"failed":0},"hits":{"hits":[]}}`
	case r.Method == http.MethodGet:
		answer = `{"bench":{"mappings":{"_meta":{"elastic_ingest":{"owner":"bench/bench"}}},"settings":{"index":{"uuid":"u"}}}}`
	}
	return fault.JSON(http.StatusOK, answer)(r, nil), nil
}

// synthetic yields n documents in four parts.
type synthetic struct{ n int }

func (synthetic) Validate(context.Context) error { return nil }
func (synthetic) Ping(context.Context) error     { return nil }
func (synthetic) Close() error                   { return nil }

func (s synthetic) Parts(context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		for i := range 4 {
			if !yield(syntheticPart{i, s.n / 4}, nil) {
				return
			}
		}
	}
}

type syntheticPart struct{ part, n int }

func (syntheticPart) Ended() bool { return true }

func (p syntheticPart) Scope() string { return fmt.Sprint("part", p.part) }
func (p syntheticPart) Name() string  { return p.Scope() }

func (p syntheticPart) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		text := strings.Repeat("lorem ipsum dolor ", 12)
		fields := []document.Field{
			{Name: "database", Value: document.String("shop")},
			{Name: "table", Value: document.String("orders")},
			{Name: "customer"},
			{Name: "a", Value: document.String(text)},
			{Name: "b", Value: document.String(text)},
			{Name: "c", Value: document.String(text)},
			{Name: "d", Value: document.String(text)},
			{Name: "price", Value: document.Decimal("12.50")},
			{Name: "active", Value: document.Bool(true)},
		}
		for i := range p.n {
			fields[2].Value = document.Int(int64(i))
			if !yield(document.Document{ID: "shop_orders_" + strconv.Itoa(p.part) + "_" + strconv.Itoa(i), Fields: fields}, nil) {
				return
			}
		}
	}
}
