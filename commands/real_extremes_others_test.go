package commands_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// mssqlExtremes has every kind of type of SQL Server that mssqltest supports.
func mssqlExtremes() []column {
	word := strings.Repeat("ž", 20000)
	return []column{
		col("tinyint", "long", "0", "", "255", "", "NULL", "null"),
		col("smallint", "long", "-32768", "", "32767", ""),
		col("bigint", "long", "-9223372036854775808", "", "-9223372036854775807", "", "9007199254740992", "", "9007199254740993", "",
			"9223372036854775806", "", "9223372036854775807", ""),
		col("bit", "boolean", "0", "false", "1", "true"),
		col("real", "double", "-3.4028235e38", "-3.4028235e+38", "0.1", "", "16777215", "16777215.0", "16777216", "16777216.0", "3.4028235e38", "3.4028235e+38"),
		col("float", "double", "-1.7976931348623157e308", "-1.7976931348623157e+308", "2.2250738585072014e-308", "", "0.1", "", "16777216", "16777216.0", "16777217", "16777217.0",
			"9007199254740991", "9007199254740991.0", "9007199254740992", "9007199254740992.0", "1e39", "1e+39", "1e308", "1e+308", "1.7976931348623157e308", "1.7976931348623157e+308"),
		col("decimal(38,0)", "double", "-"+strings.Repeat("9", 38), `"-`+strings.Repeat("9", 38)+`"`, "9", `"9"`, "10", `"10"`, strings.Repeat("9", 38), `"`+strings.Repeat("9", 38)+`"`),
		col("decimal(38,38)", "double", "0", `"0.`+strings.Repeat("0", 38)+`"`, "0."+strings.Repeat("0", 37)+"1", `"0.`+strings.Repeat("0", 37)+`1"`),
		col("money", "double", "-922337203685477.5808", `"-922337203685477.5808"`, "9.5", `"9.5000"`, "10", `"10.0000"`, "922337203685477.5807", `"922337203685477.5807"`),
		col("date", "date", "'0001-01-01'", `"0001-01-01"`, "'1582-10-04'", `"1582-10-04"`, "'9999-12-31'", `"9999-12-31"`),
		col("smalldatetime", "date", "'1900-01-01T00:00:00'", `"1900-01-01T00:00:00Z"`, "'2079-06-06T23:59:00'", `"2079-06-06T23:59:00Z"`),
		col("datetime", "date", "'1753-01-01T00:00:00'", `"1753-01-01T00:00:00Z"`, "'2024-01-02T03:04:05.003'", `"2024-01-02T03:04:05.003Z"`, "'2024-01-02T03:04:05.007'", `"2024-01-02T03:04:05.007Z"`,
			"'9999-12-31T23:59:59.997'", `"9999-12-31T23:59:59.997Z"`),
		col("datetime2(7)", "date", "'0001-01-01T00:00:00'", `"0001-01-01T00:00:00Z"`, "'9999-12-31T23:59:59.9999999'", `"9999-12-31T23:59:59.9999999Z"`),
		col("datetimeoffset(7)", "date", "'0001-01-01T00:00:00+00:00'", `"0001-01-01T00:00:00Z"`, "'2024-01-02T03:04:05.1234567+14:00'", `"2024-01-01T13:04:05.1234567Z"`,
			"'9999-12-31T23:59:59.9999999+00:00'", `"9999-12-31T23:59:59.9999999Z"`),
		col("time(7)", "text", "'23:59:59.9999999'", `"23:59:59.9999999"`, "'00:00:00'", `"00:00:00"`),
		col("nvarchar(max)", "text", "N'2024-01-15'", `"2024-01-15"`, "N'hello'", `"hello"`, "N''", `""`, "N' '", `" "`, "N'"+word+"'", `"`+word+`"`, "N'\x01\x1f\x7f\t'", `"\u0001\u001f`+"\x7f"+`\t"`, "N'12'", `"12"`),
		col("nvarchar(50)", "text", "N'1234-12'", `"1234-12"`, "N'ž😀'", `"ž😀"`),
		col("varchar(50)", "text", "'2024/01/01'", `"2024/01/01"`, "'x'", `"x"`),
		col("nchar(3)", "text", "N''", `"   "`, "N'žž'", `"žž "`),
		col("xml", "text", "N'<a>2024-01-15</a>'", `"<a>2024-01-15</a>"`),
		col("uniqueidentifier", "keyword", "'00000000-0000-0000-0000-000000000000'", `"00000000-0000-0000-0000-000000000000"`, "'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'", `"ffffffff-ffff-ffff-ffff-ffffffffffff"`),
		col("varbinary(max)", "binary", "0x", `""`, "0x"+strings.Repeat("00FF80", 21845), `"`+strings.Repeat("AP+A", 21845)+`"`),
		col("binary(4)", "binary", "0x61", `"YQAAAA=="`),
		col("sql_variant", "text", "CAST('2024-02-29' AS date)", `"2024-02-29"`, "CAST(7 AS int)", `"7"`, "CAST(1 AS bit)", `"true"`, "N'ž'", `"ž"`),
		col("hierarchyid", "text", "hierarchyid::Parse('/1/2/')", `"/1/2/"`),
		col("geography", "text", "geography::STGeomFromText('POINT (14.5 50.1)', 4326)", `"POINT (14.5 50.1)"`),
	}
}

// TestExtremesOfSQLServer runs on the database of mssqltest unless TEST_MSSQL_DSN names a server.
func TestExtremesOfSQLServer(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newMSSQLBench(t, elasticsearch)
		b.configure("tables: '*'", "")
		e := &extremes{bench: b.bench, columns: mssqlExtremes(), field: func(table int, column string) string { return fmt.Sprintf("dbo_t%d_%s", table, column) }}
		b.exec(strings.Join(e.tables(), "\nGO\n"))
		e.mirror(t)
	})
}

// oracleExtremes has the types of Oracle that its stand-in supports.
func oracleExtremes() []column {
	return []column{
		col("NUMBER(18)", "long", "-999999999999999999", "", "0", "", "9007199254740992", "", "9007199254740993", "", "999999999999999999", "", "NULL", "null"),
		col("NUMBER(38)", "double", "-"+strings.Repeat("9", 38), `"-`+strings.Repeat("9", 38)+`"`, "9", `"9"`, "10", `"10"`, strings.Repeat("9", 38), `"`+strings.Repeat("9", 38)+`"`),
		col("NUMBER(12,2)", "double", "-9999999999.99", `"-9999999999.99"`, "9.5", `"9.5"`, "10", `"10"`, "100", `"100"`, "9999999999.99", `"9999999999.99"`),
		col("NUMBER", "double", "-1E125", `"-1`+strings.Repeat("0", 125)+`"`, "1E-120", `"0.`+strings.Repeat("0", 119)+`1"`, "16777216", `"16777216"`, "16777217", `"16777217"`, "1E125", `"1`+strings.Repeat("0", 125)+`"`),
		col("BINARY_DOUBLE", "double", "-1E300", "-1e+300", "0.1", "", "16777216", "16777216.0", "16777217", "16777217.0", "1E39", "1e+39", "1E308", "1e+308",
			"BINARY_DOUBLE_INFINITY", "null", "BINARY_DOUBLE_NAN", "null"),
		col("BINARY_FLOAT", "double", "-1.5", "", "16777215", "16777215.0", "16777216", "16777216.0"),
		col("DATE", "date", "TO_DATE('0001-01-01', 'YYYY-MM-DD')", `"0001-01-01T00:00:00Z"`, "TO_DATE('9999-12-31 23:59:59', 'YYYY-MM-DD HH24:MI:SS')", `"9999-12-31T23:59:59Z"`,
			"TO_DATE('-0044-03-15', 'SYYYY-MM-DD')", "null"),
		col("TIMESTAMP(6)", "date", "TIMESTAMP '0001-01-01 00:00:00'", `"0001-01-01T00:00:00Z"`, "TIMESTAMP '2024-01-02 03:04:05.001'", `"2024-01-02T03:04:05.001Z"`,
			"TIMESTAMP '2024-01-02 03:04:05.002'", `"2024-01-02T03:04:05.002Z"`, "TIMESTAMP '9999-12-31 23:59:59.999999'", `"9999-12-31T23:59:59.999999Z"`),
		col("VARCHAR2(4000)", "text", "'2024-01-15'", `"2024-01-15"`, "'hello'", `"hello"`, "''", "null", "' '", `" "`, "'"+strings.Repeat("x", 4000)+"'", `"`+strings.Repeat("x", 4000)+`"`),
		col("VARCHAR2(100)", "text", "'1234-12'", `"1234-12"`, "'žluť 😀'", `"žluť 😀"`),
		col("NVARCHAR2(100)", "text", "N'2024/01/01'", `"2024/01/01"`, "N'žluť'", `"žluť"`),
		col("CHAR(5)", "text", "'ab'", `"ab   "`),
		col("LONG", "text", "'2024-01-15'", `"2024-01-15"`, "'x'", `"x"`),
		col("RAW(2000)", "binary", "HEXTORAW('00FF80')", `"AP+A"`, "HEXTORAW('"+strings.Repeat("00FF80", 600)+"')", `"`+strings.Repeat("AP+A", 600)+`"`),
	}
}

// TestExtremesOfOracle runs on the stand-in for Oracle, too.
func TestExtremesOfOracle(t *testing.T) {
	t.Parallel()
	dsn := testenv.Required(t, "TEST_ORACLE_DSN")
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newOracleBench(t, dsn, elasticsearch)
		b.configure("tables: '*'", "")
		e := &extremes{
			bench: b.bench, columns: oracleExtremes(),
			field:  func(table int, column string) string { return fmt.Sprintf("t%d_%s", table, column) },
			create: "CREATE TABLE " + strconv.Quote(b.owner) + `."T%[1]d" ("N" NUMBER(10) PRIMARY KEY, "V%[1]d" %[2]s)`,
			insert: "INSERT INTO " + strconv.Quote(b.owner) + `."T%d" VALUES (%d, %s)`,
		}
		for _, statement := range e.tables() {
			if _, err := b.pool.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
				t.Fatalf("%v in: %.200s", err, statement)
			}
		}
		e.mirror(t)
	})
}
