package oracle

import (
	"database/sql/driver"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// BenchmarkDocument measures one row, from the driver's values to JSON.
func BenchmarkDocument(b *testing.B) {
	tab := &table{Key: []int{0}}
	for _, typ := range []string{"NUMBER(10,0)", "VARCHAR2", "NUMBER(10,2)", "DATE", "TIMESTAMP(6)", "BINARY_DOUBLE", "RAW", "CLOB"} {
		tab.Columns = append(tab.Columns, column{Name: "C" + typ, Type: declaredType(declared(typ))})
	}
	d := newTestDatabase(b, settings{owner: "SHOP", database: "XE"})
	rows, _ := d.Documents(d.Part(d.relation("SHOP", "T", sqlread.KindTable), nil), tab)
	at := time.Date(2024, 1, 2, 3, 4, 5, 123456000, time.UTC)
	values := []driver.Value{"1234567", "a text of some length", "12345.67", at, at, 0.1, []byte("0123456789abcdef"), "a longer text, which in real tables may be much longer"}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		doc := rows.Document(values)
		out = document.AppendFields(out[:0], &doc)
	}
	b.SetBytes(int64(len(out)))
}
