package commands_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// mysqlExtremes has every kind of type that MySQL and MariaDB share.
func mysqlExtremes() []column { return slices.Concat(mysqlNumbers(), mysqlTimes(), mysqlTexts()) }

func mysqlNumbers() []column {
	nines := strings.Repeat("9", 35) + "." + strings.Repeat("9", 30)
	return []column{
		col("tinyint", "long", "-128", "", "127", "", "NULL", "null"),
		col("tinyint unsigned", "long", "0", "", "255", ""),
		col("boolean", "long", "false", "0", "true", "1"),
		col("mediumint", "long", "-8388608", "", "8388607", ""),
		col("int unsigned", "long", "0", "", "4294967295", ""),
		col("year", "long", "'0000'", "0", "1901", "", "2155", ""),
		col("bigint", "long", "-9223372036854775808", "", "-9223372036854775807", "", "9007199254740992", "", "9007199254740993", "",
			"9223372036854775806", "", "9223372036854775807", ""),
		col("bigint unsigned", unsigned, "0", `"0"`, "9", `"9"`, "10", `"10"`, "9223372036854775807", `"9223372036854775807"`, "18446744073709551615", `"18446744073709551615"`),
		col("float", "double", "-3.4028234663852886e38", "-3.4028235e+38", "1.1754944e-38", "1.1754944e-38", "0.1", "", "16777215", "16777215.0", "16777216", "16777216.0",
			"3.4028234663852886e38", "3.4028235e+38"),
		col("double", "double", "-1.7976931348623157e308", "-1.7976931348623157e+308", "-1e39", "-1e+39", "-0.1", "", "2.2250738585072014e-308", "", "0.1", "", "16777216", "16777216.0", "16777217", "16777217.0",
			"1700000000", "1700000000.0", "1700000001", "1700000001.0", "9007199254740991", "9007199254740991.0", "9007199254740992", "9007199254740992.0", "1e39", "1e+39", "1e308", "1e+308",
			"1.7976931348623157e308", "1.7976931348623157e+308"),
		col("decimal(65,30)", "double", "-"+nines, `"-`+nines+`"`, "0", `"0.`+strings.Repeat("0", 30)+`"`, nines, `"`+nines+`"`),
		col("decimal(12,2)", "double", "9.5", `"9.50"`, "10", `"10.00"`, "100", `"100.00"`, "9999999999.98", `"9999999999.98"`, "9999999999.99", `"9999999999.99"`),
		col("bit(1)", "boolean", "b'0'", "false", "b'1'", "true"),
		col("bit(53)", "long", "0", "", "9007199254740990", "", "9007199254740991", ""),
		col("bit(64)", unsigned, "0", `"0"`, "0xFFFFFFFFFFFFFFFF", `"18446744073709551615"`),
	}
}

func mysqlTimes() []column {
	return []column{
		col("date", "date", "'0001-01-01'", `"0001-01-01"`, "'1582-10-04'", `"1582-10-04"`, "'2024-02-29'", `"2024-02-29"`, "'9999-12-31'", `"9999-12-31"`,
			"'0000-00-00'", "null", "'2024-00-10'", "null", "'2024-02-30'", "null"),
		col("datetime(6)", "date", "'0001-01-01 00:00:00'", `"0001-01-01T00:00:00Z"`, "'2024-01-02 03:04:05.001'", `"2024-01-02T03:04:05.001Z"`, "'2024-01-02 03:04:05.002'", `"2024-01-02T03:04:05.002Z"`,
			"'9999-12-31 23:59:59.999999'", `"9999-12-31T23:59:59.999999Z"`, "'0000-00-00 00:00:00'", "null"),
		col("timestamp(6)", "date", "'1970-01-01 00:00:01'", `"1970-01-01T00:00:01Z"`, "'2038-01-19 03:14:07.999999'", `"2038-01-19T03:14:07.999999Z"`, "'0000-00-00 00:00:00'", "null"),
		col("time(6)", "text", "'24:00:00'", `"24:00:00.000000"`, "'-838:59:58.999999'", `"-838:59:58.999999"`, "'838:59:58'", `"838:59:58.000000"`),
	}
}

func mysqlTexts() []column {
	word := `"` + strings.Repeat("ž", 20000) + `"`
	return []column{
		col("text", "text", "'2024-01-15'", `"2024-01-15"`, "'hello'", `"hello"`, "''", `""`, "' '", `" "`, "repeat('ž', 20000)", word,
			`'a\0b\tc\n'`, `"a\u0000b\tc\n"`, "X'011F7F'", "\"\\u0001\\u001f\x7f\"", "'true'", `"true"`, "'12'", `"12"`),
		col("text", "text", "'1234-12'", `"1234-12"`, "'x'", `"x"`),
		col("longtext", "text", "'2024/01/01'", `"2024/01/01"`, "repeat('ž', 20000)", word),
		col("varchar(16000)", "text", "'2024-01-15'", `"2024-01-15"`, "repeat('😀', 10000)", `"`+strings.Repeat("😀", 10000)+`"`),
		col("varchar(50) CHARACTER SET latin1", "text", "'é€'", `"é€"`, "''", `""`),
		col("char(3)", "text", "''", `""`, "'žž'", `"žž"`),
		col("enum('2024-01-15', 'ž')", "keyword", "'2024-01-15'", `"2024-01-15"`, "'ž'", `"ž"`, "'neither'", `""`),
		col("set('2024-01-15', 'y')", "keyword", "'y,2024-01-15'", `["2024-01-15","y"]`, "''", "[]"),
		col("varbinary(10)", "binary", "''", `""`, "0x00FF80", `"AP+A"`),
		col("binary(4)", "binary", "'a'", `"YQAAAA=="`),
		col("blob", "binary", "''", `""`, "repeat(0x00FF80, 21845)", `"`+strings.Repeat("AP+A", 21845)+`"`),
		col("json", "text", "'\"2024-01-15\"'", `"\"2024-01-15\""`, "'null'", `"null"`, "'[1, \"x\", {\"a\": []}]'", `"[1, \"x\", {\"a\": []}]"`, "'{}'", `"{}"`, "'true'", `"true"`,
			"concat(repeat('[', 30), repeat(']', 30))", `"`+strings.Repeat("[", 30)+strings.Repeat("]", 30)+`"`, "NULL", "null"),
		col("geometry", "", "ST_GeomFromText('POINT(1e300 -1e300)')", `{"type":"Point","coordinates":[1e+300,-1e+300]}`,
			"ST_GeomFromText('LINESTRING(0 0, 1 1)')", `{"type":"LineString","coordinates":[[0.0,0.0],[1.0,1.0]]}`),
	}
}

// mariaDBExtremes has the types that only MariaDB has.
func mariaDBExtremes() []column {
	return []column{
		col("inet4", "ip", "'0.0.0.0'", `"0.0.0.0"`, "'255.255.255.255'", `"255.255.255.255"`),
		col("inet6", "ip", "'::'", `"::"`, "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'", `"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"`, "'::ffff:1.2.3.4'", `"::ffff:1.2.3.4"`),
		col("uuid", "keyword", "'00000000-0000-0000-0000-000000000000'", `"00000000-0000-0000-0000-000000000000"`, "'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'", `"ffffffff-ffff-ffff-ffff-ffffffffffff"`),
	}
}

func TestExtremesOfMySQL(t *testing.T) {
	t.Parallel()
	onMySQL(t, func(t *testing.T, dsn string) {
		destinations(t, func(t *testing.T, elasticsearch string) {
			b := newMySQLBench(t, dsn, elasticsearch)
			e := &extremes{bench: b.bench, columns: mysqlExtremes(), field: func(_ int, column string) string { return column }}
			var version string
			if err := b.pool.QueryRowContext(t.Context(), "SELECT version()").Scan(&version); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(version, "MariaDB") {
				e.columns = slices.Concat(e.columns, mariaDBExtremes())
			}
			b.exec("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00', explicit_defaults_for_timestamp = 1; " + strings.Join(e.tables(), "; "))
			e.mirror(t)
			b.ask(http.MethodDelete, "/"+b.index, "")
			b.configure("tables: '*'", "    encoding: compat\n")
			e.settle(t)
		})
	})
}
