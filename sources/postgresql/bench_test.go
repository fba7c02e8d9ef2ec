package postgresql

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// benchRows are read by every benchmark; each is about 1 KB.
const benchRows = 100_000

func benchDB(b *testing.B) *testDB {
	b.Helper()
	db := newDB(b)
	db.exec(fmt.Sprintf(`CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, price numeric(10,2), made timestamptz, ok boolean, body text);
		INSERT INTO t SELECT g, 'name ' || g, g / 100.0, '2024-01-01'::timestamptz + g * interval '1 second', g %% 2 = 0, repeat(md5(g::text), 30)
		FROM generate_series(1, %d) g;
		ANALYZE t`, benchRows))
	return db
}

// BenchmarkRead reads documents without encoding them: it measures the driver and the source.
func BenchmarkRead(b *testing.B) {
	db := benchDB(b)
	part := sqltest.Listed(b, openSource(b, db.values(nil), source.Env{StallTimeout: sqltest.Patience}))["public.t"]
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		for _, err := range part.Documents(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			rows++
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "docs/s")
}

// BenchmarkDocument turns one row into a document.
func BenchmarkDocument(b *testing.B) {
	t := &table{Key: []int{0}}
	raw := [][]byte{}
	for _, c := range []struct {
		oid  uint32
		text string
	}{
		{oidInt8, "123456"},
		{25, "name 123456"},
		{oidNumeric, "1234.56"},
		{oidTimestampTZ, "2024-01-02 03:04:05.678+00"},
		{oidBool, "t"},
		{25, string(make([]byte, 960))},
	} {
		typ, _ := scalar(c.oid)
		t.Columns = append(t.Columns, column{Name: fmt.Sprint("c", len(raw)), Type: typ})
		raw = append(raw, []byte(c.text))
	}
	p := &part{db: &database{Config: sqlread.Config{Log: discard()}, set: settings{database: "shop"}}, Subject: sqlread.Subject{Rel: relation{Schema: "public", Name: "t"}}}
	r := p.newRow(t)
	b.ReportAllocs()
	for b.Loop() {
		r.document(raw)
	}
}

// BenchmarkWays compares the ways to get rows out of the server, without making documents: one statement, with the
// positions of the rows, in key order (rows written in that order, or not), pages by key, a cursor.
func BenchmarkWays(b *testing.B) {
	db := benchDB(b)
	conn := db.session()
	drain := func(b *testing.B, r *pgconn.ResultReader) (n int, last string) {
		b.Helper()
		for r.NextRow() {
			last = string(r.Values()[0])
			n++
		}
		if _, err := r.Close(); err != nil {
			b.Fatal(err)
		}
		return n, last
	}
	ask := func(b *testing.B, sql string) (int, string) {
		b.Helper()
		return drain(b, conn.PgConn().ExecParams(b.Context(), sql, nil, nil, nil, nil))
	}
	reading := func(query string) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				ask(b, query)
			}
		}
	}
	pages := func(size int) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				n, last := 1, "0"
				for n > 0 {
					n, last = ask(b, fmt.Sprintf("SELECT * FROM t WHERE id > %s ORDER BY id LIMIT %d", last, size))
				}
			}
		}
	}
	cursor := func(size int) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				benchExec(b, conn, "BEGIN; DECLARE c NO SCROLL CURSOR FOR SELECT * FROM t")
				for n := 1; n > 0; {
					n, _ = ask(b, fmt.Sprintf("FETCH FORWARD %d FROM c", size))
				}
				benchExec(b, conn, "COMMIT")
			}
		}
	}
	db.exec(`CREATE TABLE scattered (LIKE t INCLUDING ALL); INSERT INTO scattered SELECT * FROM t ORDER BY md5(id::text); ANALYZE scattered`)
	b.Run("stream", reading("SELECT * FROM t"))
	b.Run("stream with positions", reading("SELECT *, ctid FROM t"))
	b.Run("stream with positions in several tables", reading("SELECT *, ctid, tableoid FROM t"))
	b.Run("stream in order", reading("SELECT * FROM t ORDER BY id"))
	b.Run("stream of scattered rows in order", reading("SELECT * FROM scattered ORDER BY id"))
	for _, size := range []int{50, 5000} {
		b.Run(fmt.Sprintf("pages of %d", size), pages(size))
		b.Run(fmt.Sprintf("cursor, %d at a time", size), cursor(size))
	}
}

func benchExec(b *testing.B, conn *pgx.Conn, sql string) {
	b.Helper()
	if _, err := conn.PgConn().Exec(b.Context(), sql).ReadAll(); err != nil {
		b.Fatal(err)
	}
}
