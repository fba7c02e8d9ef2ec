package document

import (
	"strings"
	"testing"
	"time"
)

// benchDocument is about 1 KB in 8 fields, like a row of a table with a text.
func benchDocument() Document {
	return Document{ID: "shop_public_products_00001042", Fields: []Field{
		{"number", Int(1042)},
		{"price", Decimal("12.50")},
		{"weight", Float(0.375)},
		{"active", Bool(true)},
		{"changed", Time(time.Date(2024, 5, 6, 7, 8, 9, 123000000, time.UTC))},
		{"title", String("Füllfederhalter, blau, \"M\"")},
		{"tags", List([]Value{String("pen"), String("blue"), String("office")})},
		{"text", String(strings.Repeat("The quick brown fox jumps over the lazy dog. ", 17))},
	}}
}

func BenchmarkAppendSource(b *testing.B) {
	doc := benchDocument()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = AppendSource(buf[:0], &doc, Trailer{Timestamp: "2024-05-06T07:08:09Z"})
	}
	b.SetBytes(int64(len(buf)))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
}

func BenchmarkStoredVersion(b *testing.B) {
	doc := benchDocument()
	source, _ := AppendSource(nil, &doc, Trailer{Timestamp: "2024-05-06T07:08:09Z"})
	b.ReportAllocs()
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		if _, ok := StoredVersion(source); !ok {
			b.Fatal("not recognised")
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
}

func BenchmarkCanonical(b *testing.B) {
	doc := benchDocument()
	source, _ := AppendSource(nil, &doc, Trailer{Timestamp: "2024-05-06T07:08:09Z"})
	var buf []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		var err error
		if buf, err = Canonical(buf[:0], source, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
}
