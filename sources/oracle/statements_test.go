package oracle

import (
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// everyType is a column of each type that a table can have.
func everyType() (columns [][]driver.Value) {
	for i, typ := range []string{
		"NUMBER", "FLOAT", "BINARY_FLOAT", "BINARY_DOUBLE", "VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR", "CLOB", "NCLOB", "BLOB", "BFILE", "RAW", "LONG",
		"DATE", "TIMESTAMP(6)", "TIMESTAMP(6) WITH TIME ZONE", "TIMESTAMP(6) WITH LOCAL TIME ZONE",
		"INTERVAL YEAR(2) TO MONTH", "INTERVAL DAY(2) TO SECOND(6)", "ROWID", "UROWID", "BOOLEAN", "JSON", "VECTOR", "XMLTYPE", "SDO_GEOMETRY",
	} {
		columns = append(columns, []driver.Value{fmt.Sprintf("C%d", i+1), typ, nil, nil, nil, nil, "NO"})
	}
	return columns
}

// TestStatements writes a list of every statement that the source may send, and when, to be tried by hand.
func TestStatements(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("-- Every statement that the source oracle sends, here about a table SHOP.ORDERS.\n")
	var known []string
	write := func(when string, asked []string) {
		first := true
		for _, s := range asked {
			if slices.Contains(known, s) {
				continue
			}
			known = append(known, s)
			if first {
				b.WriteString("\n-- " + when + "\n")
				first = false
			}
			text, args, _ := strings.Cut(strings.TrimSpace(s), "\n-- :")
			b.WriteString(text + ";\n")
			for arg := range strings.SplitSeq(args, "\n-- :") {
				if arg != "" {
					b.WriteString("--   :" + arg + "\n")
				}
			}
		}
	}
	lost := rowsOf("5")
	lost.once, lost.after = true, oraError(1555)
	pair := catalogueOf([]driver.Value{"LINE", "VARCHAR2", nil, nil, nil, nil, "NO"}, []driver.Value{"DAY", "DATE", nil, nil, nil, nil, "NO"}, []driver.Value{"NOTE", "CLOB", nil, nil, nil, nil, "NO"})
	pair[4].rows = append(pair[4].rows, []driver.Value{"PK", "P", "LINE", "Y"})
	lostPair := answer{to: `FROM "SHOP"."ORDERS"`, columns: make([]string, 4), rows: [][]driver.Value{{"5", "a", nil, nil}}, once: true, after: oraError(3113)}
	noSCN := []answer{{to: "DBMS_FLASHBACK", err: oraError(904)}, {to: "V$DATABASE", err: oraError(942)}}
	query := described([]string{"ID", "SPAN"}, []string{"NUMBER", "IntervalDS_DTY"})
	query[0].once = true
	for _, scene := range []struct {
		when    string
		env     source.Env
		answers []answer
	}{
		{"when a run begins, and for each table: its columns, its key, its rows", source.Env{}, append(catalogueOf(), rowsOf())},
		{"for a table with columns of all types", source.Env{}, append(catalogueOf(everyType()...), rowsOf())},
		{"for the same in the encoding compat", source.Env{Encoding: "compat"}, append(catalogueOf(everyType()...), rowsOf())},
		{"if ids are enough", source.Env{IDsOnly: true}, append(catalogueOf(everyType()...), rowsOf())},
		{"if the user may not execute DBMS_FLASHBACK, nor select from V$DATABASE", source.Env{}, slices.Concat(noSCN, catalogueOf(), []answer{rowsOf()})},
		{"if the server no longer has the row versions: a new change number, after the last row", source.Env{}, append(catalogueOf(), lost, rowsOf())},
		{"if a table was altered since the run began", source.Env{}, append([]answer{{to: "AS OF SCN", err: oraError(1466)}}, append(catalogueOf(), rowsOf())...)},
		{"if the connection was lost, after the last row of a key of two columns", source.Env{}, append(pair, lostPair, rowsOf())},
		{"if the server lacks a column or a view of the catalogue", source.Env{}, slices.Concat(oldServer(), catalogueOf(), []answer{rowsOf()})},
		{"for an advanced rule: the columns of its query, and the query, here one with a column that is converted in the SELECT", ruled("SELECT id, span FROM orders"), append(catalogueOf(), query...)},
	} {
		r := newRun(t, nil, scene.env, scene.answers...)
		if known == nil {
			if err := r.SetUp(t.Context(), r.first); err != nil {
				t.Fatal(err)
			}
			if err := r.first.Each(t.Context(), pingQuery, nil, func([]driver.Value) {}); err != nil {
				t.Fatal(err)
			}
			write("when a connection is opened, and when it is checked", r.server.asked)
		}
		parts := r.parts(t)
		if err := readWith(t, r, parts[0]); err != nil {
			t.Errorf("%s: %v", scene.when, err)
		}
		write(scene.when, r.server.asked)
	}
	golden(t, filepath.Join("..", "..", "testdata", "sql", "oracle.sql"), b.String())
}

// readWith reads a part; after a loss, in another session of the same server.
func readWith(t *testing.T, r *run, p *part) error {
	t.Helper()
	other := &session{Conn: sqlread.Conn{DriverConn: r.server, Answered: answered}, begun: true}
	r.Snapshots.Add()
	r.Snapshots.Put(other)
	return sqltest.Read(t.Context(), p).Err
}
