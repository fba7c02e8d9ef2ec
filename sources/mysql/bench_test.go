package mysql

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// BenchmarkRead reads a table of 100,000 rows of 1 KB, and encodes its documents; it needs a server.
func BenchmarkRead(b *testing.B) {
	for name, variable := range map[string]string{"mysql": onMySQL, "mariadb": onMariaDB} {
		b.Run(name, func(b *testing.B) {
			const rows = 100_000
			db := newDB(b, variable)
			db.exec("CREATE TABLE t (id bigint PRIMARY KEY, name varchar(100), price decimal(10,2), at datetime(3), n int, v text)")
			db.fill("t", rows, "CONCAT('customer ', n), n / 100, DATE_ADD('2024-01-01', INTERVAL n SECOND), n % 1000, REPEAT(MD5(n), 28)")
			var encoded []byte
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				d := openSource(b, db.values(nil), source.Env{})
				for _, p := range sqltest.Listed(b, d) {
					for doc, err := range p.Documents(b.Context()) {
						if err != nil {
							b.Fatal(err)
						}
						encoded, _ = document.AppendSource(encoded[:0], &doc, document.Trailer{})
						n++
					}
				}
				if n != rows {
					b.Fatalf("%d rows", n)
				}
				_ = d.Close()
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}
