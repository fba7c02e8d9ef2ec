package commands_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// chinook is the sample database in one of its dialects.
type chinook struct {
	tables []string
	rows   func(t *testing.T, table string) int64
	exec   func(statements string)
	change string            // a few changes
	want   map[string]string // the changes, by id
}

// script is the SQL that creates and fills the tables of a dialect.
func chinookScript(t *testing.T, name string) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(testenv.Optional(t, "TEST_CHINOOK_DIR"), name))
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(script), "CREATE TABLE")
	return "CREATE TABLE" + tables
}

// mirror mirrors the complete database, changes a few rows, and checks every step.
func (c *chinook) mirror(t *testing.T, b *bench) {
	t.Helper()
	var rows int64
	for _, table := range c.tables {
		rows += c.rows(t, table)
	}
	if res := b.must(0, "sync"); res.Created != rows || rows < 15_000 {
		t.Fatalf("%+v, the database has %d rows", res, rows)
	}
	if res := b.must(0, "sync"); res != (result{Kept: rows}) {
		t.Fatalf("second sync: %+v", res)
	}
	if res := b.must(0, "diff"); res != (result{Kept: rows}) {
		t.Fatalf("diff: %+v", res)
	}
	c.exec(c.change)
	diff := b.run("diff", "-o", "ndjson", "--fields")
	if d := cmp.Diff(c.want, changes(t, diff.stdout)); d != "" || diff.code != 1 {
		t.Fatalf("diff exits with %d:\n%s\n%s", diff.code, d, diff.stderr)
	}
	if res := b.must(0, "sync"); res != (result{Created: 1, Updated: 3, Deleted: 2, Kept: rows - 5}) {
		t.Fatalf("sync: %+v", res)
	}
	if res := b.must(0, "diff"); res != (result{Kept: rows - 1}) {
		t.Fatalf("last diff: %+v", res)
	}
}

// TestChinook mirrors the sample database from PostgreSQL.
func TestChinook(t *testing.T) {
	t.Parallel()
	script := chinookScript(t, "Chinook_PostgreSql.sql")
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(script)
		b.grantAll()
		c := chinook{
			tables: []string{"album", "artist", "customer", "employee", "genre", "invoice", "invoice_line", "media_type", "playlist", "playlist_track", "track"},
			rows: func(t *testing.T, table string) (n int64) {
				if err := b.db.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n
			},
			exec: b.exec,
			change: `UPDATE track SET unit_price = 11.90 WHERE track_id = 1; UPDATE genre SET name = 'Räp' WHERE genre_id = 17;
				UPDATE employee SET title = NULL WHERE employee_id = 1;
				DELETE FROM playlist_track WHERE playlist_id = 1 AND track_id = 3402; DELETE FROM invoice_line WHERE invoice_line_id = 5;
				INSERT INTO genre VALUES (99, 'Polka')`,
			want: map[string]string{
				b.id("track_1"):               `update {"public_track_unit_price":["0.99","11.90"]}`,
				b.id("genre_17"):              `update {"public_genre_name":["Hip Hop/Rap","Räp"]}`,
				b.id("employee_1"):            `update {"public_employee_title":["General Manager",null]}`,
				b.id("playlist_track_1_3402"): "delete null",
				b.id("invoice_line_5"):        "delete null",
				b.id("genre_99"):              "create null",
			},
		}
		c.mirror(t, b.bench)
	})
}

// TestChinookOfSQLServer mirrors it from SQL Server, or from the database of mssqltest if TEST_MSSQL_DSN is
// not set, as a read-only user.
func TestChinookOfSQLServer(t *testing.T) {
	t.Parallel()
	script := chinookScript(t, "Chinook_SqlServer.sql")
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newMSSQLBench(t, elasticsearch)
		b.configure("tables: '*'", "")
		b.exec(script)
		id := func(key string) string { return b.database + "_dbo_" + key }
		c := chinook{
			tables: []string{"Album", "Artist", "Customer", "Employee", "Genre", "Invoice", "InvoiceLine", "MediaType", "Playlist", "PlaylistTrack", "Track"},
			rows: func(t *testing.T, table string) (n int64) {
				if err := b.pool.QueryRowContext(t.Context(), "SELECT COUNT_BIG(*) FROM "+table).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n
			},
			exec: b.exec,
			change: `UPDATE Track SET UnitPrice = 11.90 WHERE TrackId = 1; UPDATE Genre SET Name = N'Räp' WHERE GenreId = 17;
				UPDATE Employee SET Title = NULL WHERE EmployeeId = 1;
				DELETE FROM PlaylistTrack WHERE PlaylistId = 1 AND TrackId = 3402; DELETE FROM InvoiceLine WHERE InvoiceLineId = 5;
				INSERT INTO Genre VALUES (99, 'Polka')`,
			want: map[string]string{
				id("Track_1"):              `update {"dbo_track_unitprice":["0.99","11.90"]}`,
				id("Genre_17"):             `update {"dbo_genre_name":["Hip Hop/Rap","Räp"]}`,
				id("Employee_1"):           `update {"dbo_employee_title":["General Manager",null]}`,
				id("PlaylistTrack_1_3402"): "delete null",
				id("InvoiceLine_5"):        "delete null",
				id("Genre_99"):             "create null",
			},
		}
		c.mirror(t, b.bench)
	})
}

// TestChinookOfMySQL mirrors it from MySQL and MariaDB, as a read-only user.
func TestChinookOfMySQL(t *testing.T) {
	t.Parallel()
	script := chinookScript(t, "Chinook_MySql.sql")
	onMySQL(t, func(t *testing.T, dsn string) {
		destinations(t, func(t *testing.T, elasticsearch string) {
			b := newMySQLBench(t, dsn, elasticsearch)
			b.exec(script)
			c := chinook{
				tables: []string{"Album", "Artist", "Customer", "Employee", "Genre", "Invoice", "InvoiceLine", "MediaType", "Playlist", "PlaylistTrack", "Track"},
				rows: func(t *testing.T, table string) (n int64) {
					if err := b.pool.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
						t.Fatal(err)
					}
					return n
				},
				exec: b.exec,
				change: `UPDATE Track SET UnitPrice = 11.90 WHERE TrackId = 1; UPDATE Genre SET Name = 'Räp' WHERE GenreId = 17;
					UPDATE Employee SET Title = NULL WHERE EmployeeId = 1;
					DELETE FROM PlaylistTrack WHERE PlaylistId = 1 AND TrackId = 3402; DELETE FROM InvoiceLine WHERE InvoiceLineId = 5;
					INSERT INTO Genre VALUES (99, 'Polka')`,
				want: map[string]string{
					"Track_1":              `update {"UnitPrice":["0.99","11.90"]}`,
					"Genre_17":             `update {"Name":["Hip Hop/Rap","Räp"]}`,
					"Employee_1":           `update {"Title":["General Manager",null]}`,
					"PlaylistTrack_1_3402": "delete null",
					"InvoiceLine_5":        "delete null",
					"Genre_99":             "create null",
				},
			}
			c.mirror(t, b.bench)
		})
	})
}
