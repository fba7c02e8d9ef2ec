package mssql

import (
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestLongTextInAVariant has a varchar in a variant that is too long for any nvarchar in one.
func TestLongTextInAVariant(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v sql_variant)", "INSERT INTO t VALUES (1, CONVERT(varchar(8000), REPLICATE('x', 5000))), (2, CONVERT(varchar(8000), REPLICATE('y', 3)))")
	r := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["dbo.t"]
	if r.Err != nil || len(r.Docs) != 2 || strings.Count(r.Docs[0], "x") != 5000 || strings.Count(r.Docs[1], "y") != 3 {
		t.Errorf("got %v and %d documents: %.200v", r.Err, len(r.Docs), r.Docs)
	}
}

// servedCases has every type that SQL Server has had since 2008. In compat, .NET types are bytes that only SQL
// Server's own programs understand, so compat is not compared for them.
var servedCases = []sqltest.ValueCase{
	{Name: "zero", Type: "int", In: "0", Key: true},
	{Name: "tinyint", Type: "tinyint", In: "255", Key: true},
	{Name: "smallint", Type: "smallint", In: "-32768", Key: true},
	{Name: "integer beyond a double", Type: "bigint", In: "9007199254740993", Key: true},
	{Name: "bigint", Type: "bigint", In: "-9223372036854775808", Key: true},
	{Name: "bit", Type: "bit", In: "1", Key: true},
	{Name: "real, exact", Type: "real", In: "0.1", Key: true},
	{Name: "real of eight digits", Type: "real", In: "16777216", Key: true},
	{Name: "float", Type: "float", In: "0.1", Key: true},
	{Name: "float, large", Type: "float", In: "1e300", Key: true},
	{Name: "decimal, 38 digits", Type: "decimal(38,0)", In: "-99999999999999999999999999999999999999", Key: true},
	{Name: "decimal, only a fraction", Type: "decimal(38,38)", In: "0.00000000000000000000000000000000000001", Key: true},
	{Name: "decimal keeps zeros", Type: "decimal(10,2)", In: "12.5", Key: true},
	{Name: "numeric", Type: "numeric(5,0)", In: "7", Key: true},
	{Name: "money", Type: "money", In: "-922337203685477.5808", Key: true},
	{Name: "smallmoney", Type: "smallmoney", In: "1.5", Key: true},
	{Name: "char is padded", Type: "char(5)", In: "'ab'", Key: true},
	{Name: "varchar, code page 1252", Type: "varchar(50)", In: "N'é€ž'", Key: true},
	{Name: "varchar, Czech", Type: "varchar(50) COLLATE Czech_CI_AS", In: "N'žluť'", Key: true},
	{Name: "varchar, UTF-8", Type: "varchar(50) COLLATE Latin1_General_100_CI_AS_SC_UTF8", In: "N'žluť😀'", Key: true},
	{Name: "char, UTF-8", Type: "char(9) COLLATE Latin1_General_100_CI_AS_SC_UTF8", In: "N'žluť'", Key: true},
	{Name: "varchar(max), UTF-8", Type: "varchar(max) COLLATE Latin1_General_100_CI_AS_SC_UTF8", In: "N'žluť😀'"},
	{Name: "nchar", Type: "nchar(4)", In: "N'ž'", Key: true},
	{Name: "nvarchar", Type: "nvarchar(50)", In: "N'a\n\"b\"\\ žluť 😀'", Key: true},
	{Name: "nvarchar(max)", Type: "nvarchar(max)", In: "N'ž'"},
	{Name: "text", Type: "text", In: "'é'"},
	{Name: "ntext", Type: "ntext", In: "N'ž'"},
	{Name: "xml", Type: "xml", In: "N'<a b=\"ž\">1</a>'"},
	{Name: "varbinary", Type: "varbinary(10)", In: "0x00FF80", Key: true},
	{Name: "binary is padded", Type: "binary(4)", In: "0x61", Key: true},
	{Name: "varbinary(max)", Type: "varbinary(max)", In: "0x61FF62"},
	{Name: "image", Type: "image", In: "0x00FF80"},
	{Name: "date", Type: "date", In: "'2024-02-29'", Key: true},
	{Name: "date, the first", Type: "date", In: "'0001-01-01'", Key: true},
	{Name: "time", Type: "time(7)", In: "'23:59:59.1234567'", Key: true},
	{Name: "time of no fraction", Type: "time(0)", In: "'01:02:03'", Key: true},
	{Name: "smalldatetime", Type: "smalldatetime", In: "'2024-01-02T03:04:00'", Key: true},
	{Name: "datetime", Type: "datetime", In: "'2024-01-02T03:04:05.007'", Key: true},
	{Name: "datetime, rounded", Type: "datetime", In: "'9999-12-31T23:59:59.997'", Key: true},
	{Name: "datetime2", Type: "datetime2(7)", In: "'2024-01-02T03:04:05.1234567'", Key: true},
	{Name: "datetime2(3)", Type: "datetime2(3)", In: "'2024-01-02T03:04:05.670'", Key: true},
	{Name: "datetimeoffset", Type: "datetimeoffset(7)", In: "'2024-01-02T03:04:05.1234567+14:00'", Key: true},
	{Name: "uniqueidentifier", Type: "uniqueidentifier", In: "'0E984725-C51C-4BF4-9960-E1C80E27ABA0'", Key: true},
	{Name: "sql_variant, int", Type: "sql_variant", In: "CAST(7 AS int)"},
	{Name: "sql_variant, text", Type: "sql_variant", In: "N'ž'"},
	{Name: "sql_variant, date", Type: "sql_variant", In: "CAST('2024-02-29' AS date)"},
	{Name: "sql_variant, datetime", Type: "sql_variant", In: "CAST('2024-01-02T03:04:05.007' AS datetime)"},
	{Name: "sql_variant, datetimeoffset", Type: "sql_variant", In: "CAST('2024-01-02T03:04:05+02:00' AS datetimeoffset(0))"},
	{Name: "sql_variant, float", Type: "sql_variant", In: "CAST(0.1 AS float)"},
	{Name: "sql_variant, real", Type: "sql_variant", In: "CAST(0.1 AS real)"},
	{Name: "sql_variant, decimal", Type: "sql_variant", In: "CAST(12.50 AS decimal(10,2))"},
	{Name: "sql_variant, money", Type: "sql_variant", In: "CAST(1.2345 AS money)"},
	{Name: "sql_variant, bit", Type: "sql_variant", In: "CAST(1 AS bit)"},
	{Name: "sql_variant, binary", Type: "sql_variant", In: "0x00FF80"},
	{Name: "sql_variant, uniqueidentifier", Type: "sql_variant", In: "CAST('0E984725-C51C-4BF4-9960-E1C80E27ABA0' AS uniqueidentifier)"},
	{Name: "hierarchyid", Type: "hierarchyid", In: "hierarchyid::Parse('/1/2/')"},
	{Name: "geography", Type: "geography", In: "geography::STGeomFromText('POINT (14.5 50.1)', 4326)"},
	{Name: "geometry", Type: "geometry", In: "geometry::STGeomFromText('LINESTRING (0 0, 1 1)', 0)"},
	{Name: "NULL", Type: "int", In: "NULL"},
	{Name: "NULL of a type of .NET", Type: "hierarchyid", In: "NULL"},
	{Name: "sparse", Type: "int SPARSE", In: "5"},
}

// TestValuesFromServer reads one value of every kind from a server, in both encodings, with its form in ids.
func TestValuesFromServer(t *testing.T) {
	t.Parallel()
	unchanged := func(source.Env) map[string]any { return nil }
	inCompat := func(tt *sqltest.ValueCase) bool { return !strings.Contains(tt.In, "::") }
	sqltest.Golden(t, *update, "testdata/values-server.golden", sqltest.Values(t, newDB(t).shared(), servedCases, unchanged, inCompat))
}

// TestComputedColumns checks that computed columns have the kind of their type, and that a row version is the
// server's.
func TestComputedColumns(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v AS (CONVERT(bigint, id)), w AS (CONVERT(nvarchar(9), id)) PERSISTED, version rowversion)", "INSERT INTO t (id) VALUES (1)")
	got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["dbo.t"]
	if got.Err != nil || len(got.Docs) != 1 {
		t.Fatalf("%+v", got)
	}
	version := strings.TrimSuffix(strings.TrimPrefix(got.Docs[0], `{"dbo_t_id":1,"dbo_t_v":1,"dbo_t_w":"1","dbo_t_version":"0x`), `"}`)
	if len(version) != 16 || strings.Trim(version, "0123456789ABCDEF") != "" {
		t.Errorf("got %s", got.Docs[0])
	}
}
