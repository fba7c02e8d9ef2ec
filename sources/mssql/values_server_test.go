package mssql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestLongTextInAVariant: there is no nvarchar that holds all that a varchar in a variant may.
func TestLongTextInAVariant(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v sql_variant)", "INSERT INTO t VALUES (1, CONVERT(varchar(8000), REPLICATE('x', 5000))), (2, CONVERT(varchar(8000), REPLICATE('y', 3)))")
	r := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["dbo.t"]
	if r.Err != nil || len(r.Docs) != 2 || strings.Count(r.Docs[0], "x") != 5000 || strings.Count(r.Docs[1], "y") != 3 {
		t.Errorf("got %v and %d documents: %.200v", r.Err, len(r.Docs), r.Docs)
	}
}

// servedCase is a value of a type; the numbers in the names are those of the acceptance cases of the SQL sources.
type servedCase struct {
	name, typ, in string // in is SQL
	key           bool   // the type can be that of a primary key
}

// servedCases has every type that SQL Server has had since 2008. In compat the types of .NET are bytes that only its
// own programs understand, so that nothing is said of them here.
var servedCases = []servedCase{
	{"6 zero", "int", "0", true},
	{"tinyint", "tinyint", "255", true},
	{"smallint", "smallint", "-32768", true},
	{"18 integer beyond a double", "bigint", "9007199254740993", true},
	{"bigint", "bigint", "-9223372036854775808", true},
	{"bit", "bit", "1", true},
	{"real, exact", "real", "0.1", true},
	{"real of eight digits", "real", "16777216", true},
	{"float", "float", "0.1", true},
	{"float, large", "float", "1e300", true},
	{"19 decimal, 38 digits", "decimal(38,0)", "-99999999999999999999999999999999999999", true},
	{"19 decimal, all behind the point", "decimal(38,38)", "0.00000000000000000000000000000000000001", true},
	{"decimal keeps zeros", "decimal(10,2)", "12.5", true},
	{"numeric", "numeric(5,0)", "7", true},
	{"19 money", "money", "-922337203685477.5808", true},
	{"smallmoney", "smallmoney", "1.5", true},
	{"char is padded", "char(5)", "'ab'", true},
	{"15 varchar, code page 1252", "varchar(50)", "N'é€ž'", true},
	{"15 varchar, Czech", "varchar(50) COLLATE Czech_CI_AS", "N'žluť'", true},
	{"15 varchar, UTF-8", "varchar(50) COLLATE Latin1_General_100_CI_AS_SC_UTF8", "N'žluť😀'", true},
	{"char, UTF-8", "char(9) COLLATE Latin1_General_100_CI_AS_SC_UTF8", "N'žluť'", true},
	{"varchar(max), UTF-8", "varchar(max) COLLATE Latin1_General_100_CI_AS_SC_UTF8", "N'žluť😀'", false},
	{"nchar", "nchar(4)", "N'ž'", true},
	{"15 nvarchar", "nvarchar(50)", "N'a\n\"b\"\\ žluť 😀'", true},
	{"nvarchar(max)", "nvarchar(max)", "N'ž'", false},
	{"text", "text", "'é'", false},
	{"ntext", "ntext", "N'ž'", false},
	{"46 xml", "xml", "N'<a b=\"ž\">1</a>'", false},
	{"33 varbinary", "varbinary(10)", "0x00FF80", true},
	{"binary is padded", "binary(4)", "0x61", true},
	{"varbinary(max)", "varbinary(max)", "0x61FF62", false},
	{"image", "image", "0x00FF80", false},
	{"date", "date", "'2024-02-29'", true},
	{"date, the first", "date", "'0001-01-01'", true},
	{"29 time", "time(7)", "'23:59:59.1234567'", true},
	{"time of no fraction", "time(0)", "'01:02:03'", true},
	{"smalldatetime", "smalldatetime", "'2024-01-02T03:04:00'", true},
	{"30 datetime", "datetime", "'2024-01-02T03:04:05.007'", true},
	{"datetime, rounded", "datetime", "'9999-12-31T23:59:59.997'", true},
	{"29 datetime2", "datetime2(7)", "'2024-01-02T03:04:05.1234567'", true},
	{"datetime2(3)", "datetime2(3)", "'2024-01-02T03:04:05.670'", true},
	{"29 datetimeoffset", "datetimeoffset(7)", "'2024-01-02T03:04:05.1234567+14:00'", true},
	{"44 uniqueidentifier", "uniqueidentifier", "'0E984725-C51C-4BF4-9960-E1C80E27ABA0'", true},
	{"45 sql_variant, int", "sql_variant", "CAST(7 AS int)", false},
	{"45 sql_variant, text", "sql_variant", "N'ž'", false},
	{"45 sql_variant, date", "sql_variant", "CAST('2024-02-29' AS date)", false},
	{"sql_variant, datetime", "sql_variant", "CAST('2024-01-02T03:04:05.007' AS datetime)", false},
	{"sql_variant, datetimeoffset", "sql_variant", "CAST('2024-01-02T03:04:05+02:00' AS datetimeoffset(0))", false},
	{"sql_variant, float", "sql_variant", "CAST(0.1 AS float)", false},
	{"sql_variant, real", "sql_variant", "CAST(0.1 AS real)", false},
	{"sql_variant, decimal", "sql_variant", "CAST(12.50 AS decimal(10,2))", false},
	{"sql_variant, money", "sql_variant", "CAST(1.2345 AS money)", false},
	{"sql_variant, bit", "sql_variant", "CAST(1 AS bit)", false},
	{"sql_variant, binary", "sql_variant", "0x00FF80", false},
	{"sql_variant, uniqueidentifier", "sql_variant", "CAST('0E984725-C51C-4BF4-9960-E1C80E27ABA0' AS uniqueidentifier)", false},
	{"46 hierarchyid", "hierarchyid", "hierarchyid::Parse('/1/2/')", false},
	{"46 geography", "geography", "geography::STGeomFromText('POINT (14.5 50.1)', 4326)", false},
	{"geometry", "geometry", "geometry::STGeomFromText('LINESTRING (0 0, 1 1)', 0)", false},
	{"37 NULL", "int", "NULL", false},
	{"NULL of a type of .NET", "hierarchyid", "NULL", false},
	{"sparse", "int SPARSE", "5", false},
}

// TestValuesFromServer reads one value of every kind from a server, in both encodings, and its form in ids.
func TestValuesFromServer(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	for i, tt := range servedCases {
		db.exec(fmt.Sprintf("CREATE TABLE t%d (id int PRIMARY KEY, v %s)", i, tt.typ), fmt.Sprintf("INSERT INTO t%d VALUES (1, %s)", i, tt.in))
		if tt.key {
			db.exec(fmt.Sprintf("CREATE TABLE k%d (v %s PRIMARY KEY)", i, tt.typ), fmt.Sprintf("INSERT INTO k%d VALUES (%s)", i, tt.in))
		}
	}
	exact, compat := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{}), sqltest.ReadSource(t, &Type, db.values(nil), source.Env{Encoding: "compat"})
	for _, env := range []source.Env{{}, {Encoding: "compat"}, {Profile: "native"}, {Profile: "seed87"}} {
		if n := sqltest.CheckDescribed(t, &Type, openSource(t, db.values(nil), env)); n < len(servedCases) {
			t.Errorf("%+v: only %d documents were described", env, n)
		}
	}
	var b strings.Builder
	for i, tt := range servedCases {
		fmt.Fprintf(&b, "%s: %s %s\n", tt.name, tt.typ, tt.in)
		scope, key := fmt.Sprintf("dbo.t%d", i), fmt.Sprintf("dbo.k%d", i)
		for _, r := range []sqltest.Result{exact[scope], compat[scope], exact[key], compat[key]} {
			if r.Err != nil {
				t.Errorf("%s: %v", tt.name, r.Err)
			}
		}
		fmt.Fprintf(&b, "  exact  %s\n", servedValue(t, exact[scope]))
		if !strings.Contains(tt.in, "::") {
			fmt.Fprintf(&b, "  compat %s\n", servedValue(t, compat[scope]))
		}
		if tt.key && len(exact[key].IDs) == 1 {
			fmt.Fprintf(&b, "  id     %q\n", strings.TrimPrefix(exact[key].IDs[0], db.name+"_dbo_"+strings.TrimPrefix(key, "dbo.")+"_"))
			if d := cmp.Diff(exact[key].IDs, compat[key].IDs); d != "" {
				t.Errorf("%s: the encodings differ in the id: %s", tt.name, d)
			}
		}
	}
	compareGolden(t, "testdata/values-server.golden", b.String())
}

// servedValue is the value and the notes of the only document.
func servedValue(t *testing.T, r sqltest.Result) string {
	t.Helper()
	if len(r.Docs) != 1 {
		t.Errorf("got the documents %q", r.Docs)
		return ""
	}
	_, value, ok := strings.Cut(r.Docs[0], `_v":`)
	if !ok {
		t.Errorf("no value in %s", r.Docs[0])
	}
	return strings.TrimSuffix(value, "}")
}

// TestColumnsThatAreMade: computed columns follow the type that they have, and a row version is one of the server's.
func TestColumnsThatAreMade(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v AS (id + 1), w AS (CONVERT(nvarchar(9), id)) PERSISTED, version rowversion)", "INSERT INTO t (id) VALUES (1)")
	got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["dbo.t"]
	if got.Err != nil || len(got.Docs) != 1 {
		t.Fatalf("%+v", got)
	}
	version := strings.TrimSuffix(strings.TrimPrefix(got.Docs[0], `{"dbo_t_id":1,"dbo_t_v":2,"dbo_t_w":"1","dbo_t_version":"0x`), `"}`)
	if len(version) != 16 || strings.Trim(version, "0123456789ABCDEF") != "" {
		t.Errorf("got %s", got.Docs[0])
	}
}
