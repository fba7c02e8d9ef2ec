package mssql

import (
	"database/sql/driver"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// declared creates the columns of a table.
func declared(compat bool, columns ...any) (t *table) {
	t = &table{}
	for i := 0; i < len(columns); i += 2 {
		name, _ := columns[i].(string)
		d, _ := columns[i+1].(declaration)
		t.Columns = append(t.Columns, column{Name: name, Type: d.columnType().Encoded(compat)})
	}
	return t
}

// latin is a type of characters that the driver decodes; other is one that the server must decode.
func latin(name string, length int64) declaration {
	return declaration{name: name, length: length, collation: "SQL_Latin1_General_CP1_CI_AS"}
}

func other(name string, length int64) declaration {
	return declaration{name: name, length: length, collation: "Latin1_General_100_CI_AS_SC_UTF8"}
}

func scaled(name string, precision, scale int64) declaration {
	return declaration{name: name, precision: precision, scale: scale}
}

func sized(name string, length int64) declaration { return declaration{name: name, length: length} }

// everyType is a table with a column of each type.
func everyType(compat, old bool) *table {
	return declared(compat,
		"id", sized("int", 4),
		"tinyint", sized("tinyint", 1), "smallint", sized("smallint", 2), "bigint", sized("bigint", 8), "bit", sized("bit", 1),
		"decimal", scaled("decimal", 38, 10), "numeric", scaled("numeric", 5, 0), "money", sized("money", 8), "smallmoney", sized("smallmoney", 4),
		"float", sized("float", 8), "real", sized("real", 4),
		"char", latin("char", 10), "varchar", latin("varchar", 20), "varchar(max)", latin("varchar", -1), "text", latin("text", 16),
		"utf8 char", other("char", 10), "utf8 varchar", other("varchar", 8000), "utf8 varchar(max)", other("varchar", -1), "utf8 text", other("text", 16),
		"nchar", sized("nchar", 20), "nvarchar", sized("nvarchar", 40), "nvarchar(max)", sized("nvarchar", -1), "ntext", sized("ntext", 16), "sysname", sized("sysname", 256),
		"xml", sized("xml", -1), "json", sized("json", -1), "vector", sized("vector", 20),
		"date", sized("date", 3), "time", scaled("time", 16, 7), "smalldatetime", sized("smalldatetime", 4), "datetime", sized("datetime", 8),
		"datetime2", scaled("datetime2", 27, 7), "datetimeoffset", scaled("datetimeoffset", 34, 7),
		"uniqueidentifier", sized("uniqueidentifier", 16), "binary", sized("binary", 8), "varbinary", sized("varbinary", 20), "varbinary(max)", sized("varbinary", -1), "image", sized("image", 16),
		"rowversion", sized("timestamp", 8), "hierarchyid", sized("hierarchyid", 892), "geometry", sized("geometry", -1), "geography", sized("geography", -1),
		"sql_variant", declaration{name: "sql_variant", length: 8016, old: old}, "of the user", sized("", 100),
		"encrypted", declaration{name: "varchar", length: 20, encrypted: true},
	)
}

// keyTypes are values of the types after which reading can resume.
func keyTypes() map[string]struct {
	d declaration
	v driver.Value
} {
	at := time.Date(2024, 1, 2, 3, 4, 5, 123456700, time.UTC)
	return map[string]struct {
		d declaration
		v driver.Value
	}{
		"tinyint":          {sized("tinyint", 1), int64(1)},
		"smallint":         {sized("smallint", 2), int64(1)},
		"int":              {sized("int", 4), int64(1)},
		"bigint":           {sized("bigint", 8), int64(1)},
		"bit":              {sized("bit", 1), true},
		"decimal":          {scaled("decimal", 38, 10), []byte("1.5000000000")},
		"numeric":          {scaled("numeric", 5, 0), []byte("1")},
		"money":            {sized("money", 8), []byte("1.5000")},
		"smallmoney":       {sized("smallmoney", 4), []byte("1.5000")},
		"char":             {latin("char", 10), "a         "},
		"varchar":          {latin("varchar", 20), "a"},
		"utf8 varchar":     {other("varchar", 20), "ž"},
		"nchar":            {sized("nchar", 20), "a         "},
		"nvarchar":         {sized("nvarchar", 40), "a"},
		"sysname":          {sized("sysname", 256), "a"},
		"date":             {sized("date", 3), at},
		"time":             {scaled("time", 16, 7), at},
		"smalldatetime":    {sized("smalldatetime", 4), at.Truncate(time.Minute)},
		"datetime":         {sized("datetime", 8), at.Truncate(time.Millisecond)},
		"datetime2":        {scaled("datetime2", 27, 7), at},
		"datetimeoffset":   {scaled("datetimeoffset", 34, 7), at.In(time.FixedZone("", 2*60*60))},
		"uniqueidentifier": {sized("uniqueidentifier", 16), []byte("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef")},
		"binary":           {sized("binary", 8), []byte("\x00\x01")},
		"varbinary":        {sized("varbinary", 20), []byte("\x00\x01")},
		"rowversion":       {sized("timestamp", 8), []byte("\x00\x00\x00\x00\x00\x00\x07\xd1")},
	}
}

// statementsFile is the file in which people look up the statements of any source.
const statementsFile = "../../testdata/sql/mssql.sql"

// TestStatements checks that the file has every statement that the source sends, so that they can be read and tried
// by hand. It has one statement of each form that reads tables.
func TestStatements(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	add := func(when, statement string, args ...driver.Value) {
		fmt.Fprintf(&b, "-- %s\n", when)
		for i, a := range args {
			fmt.Fprintf(&b, "-- @p%d: %T %q\n", i+1, a, fmt.Sprint(a))
		}
		b.WriteString(strings.TrimSpace(statement) + ";\nGO\n\n")
	}
	add("first on every connection", setUpStatement)
	add("next: who and where am I", introduceQuery)
	add("at a ping", pingQuery)
	add("at the beginning of a run, and to check advanced rules: what exists", ledgerRelationsQuery)
	add("the same if the previous one fails with error 207, before SQL Server 2022", relationsQuery)
	add("the same if that fails with error 207 as well, before SQL Server 2016", oldRelationsQuery)
	add("for each configured schema without visible objects: does it exist", schemaQuery, "dbo")
	add("if the database allows snapshot isolation, on each connection: before its transaction", snapshotStatement)
	add("next", beginStatement)
	add("next, when all connections have a transaction: take the snapshot, by reading one of the tables", pinStatement(quote.Table("dbo", "a]b")))
	add("if no table can be read in this way: end the transaction again", endStatement)
	add("before a table is described: outside the snapshot; afterwards the level is SNAPSHOT again", asideStatement)
	add("for each table: its columns", columnsQuery, int64(1))
	add("the same before SQL Server 2016", oldColumnsQuery, int64(1))
	add("for each table: its unique indexes", keysQuery, int64(1))
	add("the same before SQL Server 2016", oldKeysQuery, int64(1))
	add("for each advanced rule, before its query, and to check it: the columns of the result, and whether there is one", resultQuery, "SELECT id FROM dbo.orders")
	add("for each collation among them", codePageQuery, "Czech_CI_AS")
	add("after an error of the server: whether the transaction is still open", openQuery)

	p := &part{Subject: sqlread.Subject{Rel: relation{Schema: "x.y", Name: "a]b"}}}
	write := func(when string, tbl *table, at *sqlread.Position) {
		query, args := query(p, tbl, at)
		add(when, query, args...)
	}
	small := declared(false, "a", sized("int", 4), "b]", latin("varchar", 20), "c", sized("nvarchar", 40))
	write("a table without a key, or with one that the server cannot sort reliably", small, nil)
	small.Key, small.Sorted = []int{1, 0}, true
	write("a table with a key, from its beginning", small, small.Start())
	at := small.Start()
	at.Advance(small.Key, []driver.Value{int64(7), "é", nil})
	write("the same, after a row", small, at)
	write("columns of every type", everyType(false, false), nil)
	write("columns of every type in the encoding compat", everyType(true, false), nil)
	write("columns of every type before SQL Server 2016", everyType(false, true), nil)
	for _, name := range slices.Sorted(maps.Keys(keyTypes())) {
		k := keyTypes()[name]
		one := declared(false, "k", k.d)
		one.Key, one.Sorted = []int{0}, true
		at := one.Start()
		at.Advance(one.Key, []driver.Value{k.v})
		write("after a row whose key has the type "+name, one, at)
	}
	sqltest.Golden(t, *update, statementsFile, b.String())
}

// TestKeysWithoutAnOrder has types without a reliable equality, or without an order.
func TestKeysWithoutAnOrder(t *testing.T) {
	t.Parallel()
	ordered := keyTypes()
	for _, c := range everyType(false, false).Columns {
		_, known := ordered[c.Name]
		if c.Name == "id" || strings.Contains(c.Name, "(max)") || strings.HasPrefix(c.Name, "utf8") {
			continue
		}
		if known != (c.Type.Bind != "") {
			t.Errorf("%s: bound as %q", c.Name, c.Type.Bind)
		}
	}
}

// TestNoConditionBeforeTheFirstRow checks that the first statement has no condition.
func TestNoConditionBeforeTheFirstRow(t *testing.T) {
	t.Parallel()
	var none *sqlread.Position
	if got, args := rowsAfter(&table{}, none); got != "" || args != nil {
		t.Errorf("got %q %v", got, args)
	}
	if (&table{}).Start() != nil {
		t.Error("a table without an order has a position")
	}
}

// TestComparable checks that reading cannot resume after a key with an unknown character.
func TestComparable(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{"a": true, "": true, "ž😀": true, "a\ufffd": false} {
		at := &sqlread.Position{Key: []driver.Value{int64(1), key}}
		if got := canCompare(at); got != want {
			t.Errorf("%q: got %t", key, got)
		}
	}
}

// TestReduced checks that only the key is selected if ids are enough.
func TestReduced(t *testing.T) {
	t.Parallel()
	d := newTestDatabase(t, settings{}, source.Env{IDsOnly: true})
	p := d.Part(relationOf("s", "t"), nil)
	tbl := declared(false, "x", sized("int", 4), "b", sized("int", 4), "a", sized("int", 4))
	tbl.Key, tbl.Sorted = []int{1, 2}, true
	tbl.InID = orderOfIDs(sqlread.Head, tbl)
	small := sqlread.Reduced(&d.Config, tbl)
	query, _ := query(p, small, nil)
	if want := "SELECT [b], [a] FROM [s].[t] ORDER BY [b], [a]"; query != want {
		t.Errorf("got %s", query)
	}
	if diff := cmp.Diff([]int{1, 0}, small.InID); diff != "" {
		t.Error(diff)
	}
	d.IDsOnly = false
	if sqlread.Reduced(&d.Config, tbl) != tbl {
		t.Error("columns are left out of documents")
	}
}
