package commands_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// postgresqlExtremes has every kind of type of PostgreSQL.
func postgresqlExtremes() []column {
	return slices.Concat(postgresqlNumbers(), postgresqlTimes(), postgresqlTexts(), postgresqlLists())
}

func postgresqlNumbers() []column {
	return []column{
		col("smallint", "long", "-32768", "", "32767", "", "NULL", "null"),
		col("int", "long", "-2147483648", "", "0", "", "2147483647", ""),
		col("bigint", "long", "-9223372036854775808", "", "-9223372036854775807", "", "-1", "", "9007199254740992", "", "9007199254740993", "",
			"9223372036854775806", "", "9223372036854775807", ""),
		col("oid", "long", "0", "", "4294967295", ""),
		col("percent", "long", "-5", "", "100", ""),
		col("real", "double", "'-3.4028235e38'", "-3.4028235e+38", "'-0'", "-0.0", "'1e-45'", "1e-45", "0.1", "", "16777215", "16777215.0",
			"16777216", "16777216.0", "'3.4028235e38'", "3.4028235e+38", "'NaN'", "null", "'-Infinity'", "null", "'Infinity'", "null"),
		col("double precision", "double", "'-1.7976931348623157e308'", "-1.7976931348623157e+308", "'-1e39'", "-1e+39", "'-0'", "-0.0",
			"'5e-324'", "5e-324", "0.1", "", "16777216", "16777216.0", "16777217", "16777217.0", "1700000000", "1700000000.0", "1700000001", "1700000001.0",
			"9007199254740991", "9007199254740991.0", "9007199254740992", "9007199254740992.0", "9007199254740994", "9007199254740994.0",
			"1e39", "1e+39", "1e308", "1e+308", "'1.7976931348623157e308'", "1.7976931348623157e+308",
			"'NaN'", "null", "'-Infinity'", "null", "'Infinity'", "null"),
		col("numeric", "double", "-1e308::numeric", `"-1`+strings.Repeat("0", 308)+`"`, "-9.5", `"-9.5"`, "-0.0", `"0.0"`, "9.99", `"9.99"`, "10", `"10"`, "100.00", `"100.00"`,
			"16777216", `"16777216"`, "16777217", `"16777217"`, "9007199254740992", `"9007199254740992"`, "9007199254740994", `"9007199254740994"`,
			"1e308::numeric", `"1`+strings.Repeat("0", 308)+`"`, "'NaN'", "null", "'Infinity'", "null").
			beyond("1e309::numeric", `"1`+strings.Repeat("0", 309)+`"`, "repeat('9', 400)::numeric", `"`+strings.Repeat("9", 400)+`"`),
		col("numeric", "double", "('0.' || repeat('0', 400) || '1')::numeric", `"0.`+strings.Repeat("0", 400)+`1"`),
		col("numeric(12,2)", "double", "-9999999999.99", `"-9999999999.99"`, "9.5", `"9.50"`, "10", `"10.00"`, "9999999999.98", `"9999999999.98"`, "9999999999.99", `"9999999999.99"`),
		col("money", "double", "'-92233720368547758.08'::numeric::money", `"-92233720368547758.08"`, "9.5", `"9.50"`, "10", `"10.00"`),
		col("boolean", "boolean", "false", "", "true", "", "NULL", "null"),
	}
}

func postgresqlTimes() []column {
	columns := []column{
		col("date", "date", "'0001-01-01'", `"0001-01-01"`, "'1582-10-04'", `"1582-10-04"`, "'2024-02-29'", `"2024-02-29"`, "'9999-12-31'", `"9999-12-31"`,
			"'infinity'", "null", "'-infinity'", "null", "'0044-03-15 BC'", "null", "'10000-01-01'", "null", "'5874897-12-31'", "null"),
		col("time", "text", "'24:00:00'", `"24:00:00"`, "'00:00:00'", `"00:00:00"`, "'23:59:59.999999'", `"23:59:59.999999"`),
		col("timetz", "text", "'24:00:00+15:59'", `"24:00:00+15:59"`, "'12:30:00.5-05:30'", `"12:30:00.5-05:30"`),
		col("interval", "text", "'0'", `"PT0S"`, "'178000000 years'", `"P178000000Y"`, "'-178000000 years'", `"P-178000000Y"`, "'1 mon -1 day 00:00:00.000001'", `"P1M-1DT0.000001S"`),
	}
	for _, typ := range []string{"timestamp", "timestamptz"} {
		columns = append(columns, col(typ, "date", "'0001-01-01 00:00:00+00'", `"0001-01-01T00:00:00Z"`, "'1969-12-31 23:59:59.999+00'", `"1969-12-31T23:59:59.999Z"`,
			"'2024-01-02 03:04:05.001+00'", `"2024-01-02T03:04:05.001Z"`, "'2024-01-02 03:04:05.002+00'", `"2024-01-02T03:04:05.002Z"`,
			"'2024-12-31 24:00:00+00'", `"2025-01-01T00:00:00Z"`, "'9999-12-31 23:59:59.999999+00'", `"9999-12-31T23:59:59.999999Z"`,
			"'infinity'", "null", "'-infinity'", "null", "'0044-03-15 12:00:00+00 BC'", "null", "'294276-12-31 23:59:59+00'", "null", "'4713-01-01 00:00:00+00 BC'", "null"))
	}
	return columns
}

func postgresqlTexts() []column {
	word := `"` + strings.Repeat("ž", 20000) + `"`
	return []column{
		col("text", "text", "'2024-01-15'", `"2024-01-15"`, "'hello'", `"hello"`, "''", `""`, "' '", `" "`, "repeat('ž', 20000)", word,
			`E'\x01\x1f\x7f\t\n\u2028\uffff'`, `"\u0001\u001f`+"\x7f"+`\t\n`+"\u2028\uffff"+`"`, "'true'", `"true"`, "'12'", `"12"`, "'null'", `"null"`, "'{\"a\":1}'", `"{\"a\":1}"`),
		col("text", "text", "'1234-12'", `"1234-12"`, "'x'", `"x"`),
		col("text", "text", "'2024/01/01'", `"2024/01/01"`, "'x'", `"x"`),
		col("varchar(40000)", "text", "repeat('ž', 20000)", word, "'9'", `"9"`),
		col("char(3)", "text", "''", `"   "`, "'žž'", `"žž "`),
		col(`"char"`, "text", "'1'", `"1"`),
		col("name", "text", "'2024-01-15'", `"2024-01-15"`, "repeat('x', 63)", `"`+strings.Repeat("x", 63)+`"`),
		col("mood", "keyword", "'2024-01-15'", `"2024-01-15"`, "repeat('ž', 31)::mood", `"`+strings.Repeat("ž", 31)+`"`),
		col("uuid", "keyword", "'00000000-0000-0000-0000-000000000000'", `"00000000-0000-0000-0000-000000000000"`, "'ffffffff-ffff-ffff-ffff-ffffffffffff'", `"ffffffff-ffff-ffff-ffff-ffffffffffff"`),
		col("inet", "keyword", "'10.0.0.1'", `"10.0.0.1"`, "'10.0.0.0/8'", `"10.0.0.0/8"`, "'::/0'", `"::/0"`, "'::ffff:1.2.3.4'", `"::ffff:1.2.3.4"`),
		col("cidr", "keyword", "'0.0.0.0/0'", `"0.0.0.0/0"`, "'2001:db8::/32'", `"2001:db8::/32"`),
		col("macaddr", "keyword", "'ff:ff:ff:ff:ff:ff'", `"ff:ff:ff:ff:ff:ff"`),
		col("macaddr8", "keyword", "'00:00:00:00:00:00:00:00'", `"00:00:00:00:00:00:00:00"`),
		col("bytea", "binary", "''", `""`, `'\x00ff80'`, `"AP+A"`, "decode(repeat('00ff80', 21845), 'hex')", `"`+strings.Repeat("AP+A", 21845)+`"`),
		col("json", "text", "'\"2024-01-15\"'", `"\"2024-01-15\""`, "'null'", `"null"`, "'1e400'", `"1e400"`, "'[1, \"x\", {\"a\": [[]]}]'", `"[1, \"x\", {\"a\": [[]]}]"`, "'{}'", `"{}"`,
			"NULL", "null"),
		col("jsonb", "text", "'2024'", `"2024"`, "(repeat('[', 100) || repeat(']', 100))::jsonb", `"`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`"`, "'{\"\": {\".\": true}}'", `"{\"\": {\".\": true}}"`),
		col("xml", "text", "'<a>2024-01-15</a>'", `"<a>2024-01-15</a>"`),
		col("bit(3)", "text", "B'101'", `"101"`),
		col("varbit", "text", "B''", `""`, "repeat('1', 400)::varbit", `"`+strings.Repeat("1", 400)+`"`),
		col("int8range", "text", "'empty'", `"empty"`, "'(,)'", `"(,)"`, "'[-9223372036854775808,9223372036854775807)'", `"[-9223372036854775808,9223372036854775807)"`),
		col("daterange", "text", "'[2024-01-01,infinity]'", `"[2024-01-01,infinity]"`),
		col("pair", "text", "ROW(NULL,'2024-01-15')", `"(,2024-01-15)"`),
		col("point", "text", "'(1e308,-1e308)'", `"(1e+308,-1e+308)"`, "'(NaN,Infinity)'", `"(NaN,Infinity)"`),
		col("tsvector", "text", "''", `""`, "'2024-01-15'", `"'2024-01-15'"`),
	}
}

// postgresqlLists are arrays; those with 128 or more numbers look like vectors.
func postgresqlLists() []column {
	var lists []string
	for _, n := range []int{128, 127, 256, 4096, 4097} {
		numbers := make([]string, n)
		for i := range numbers {
			numbers[i] = fmt.Sprint(i) + ".5"
		}
		lists = append(lists, fmt.Sprintf("ARRAY(SELECT n + 0.5 FROM generate_series(0, %d) n)", n-1), "["+strings.Join(numbers, ",")+"]")
	}
	zeros := "[" + strings.TrimSuffix(strings.Repeat("0.0,", 256), ",") + "]"
	return []column{
		col("float8[]", "double", append(lists, "array_fill(0::float8, ARRAY[256])", zeros, "'{}'", "[]", "'{NULL}'", "[null]",
			"'{{1.5,2},{3,-1e308}}'", "[[1.5,2.0],[3.0,-1e+308]]", "'{1.5,NaN}'", "[1.5,null]", "NULL", "null")...),
		col("real[]", "double", lists...),
		col("int[]", "long", "ARRAY(SELECT 7 FROM generate_series(1, 256))", "["+strings.TrimSuffix(strings.Repeat("7,", 256), ",")+"]", "'{{1,2},{3,NULL}}'", "[[1,2],[3,null]]", "'[0:1]={1,2}'", "[1,2]"),
		col("bigint[]", "long", "'{9223372036854775807,-9223372036854775808}'", "[9223372036854775807,-9223372036854775808]"),
		col("numeric[]", "double", "'{1.50,NaN,1e3}'", `["1.50",null,"1000"]`).beyond("ARRAY[1e309::numeric]", `["1`+strings.Repeat("0", 309)+`"]`),
		col("text[]", "text", "'{2024-01-15}'", `["2024-01-15"]`, `'{hello,NULL,""}'`, `["hello",null,""]`, "ARRAY[repeat('x', 40000)]", `["`+strings.Repeat("x", 40000)+`"]`),
		col("timestamptz[]", "date", "'{2024-01-02 03:04:05+00,infinity}'", `["2024-01-02T03:04:05Z",null]`),
		col("boolean[]", "boolean", "'{t,NULL,f}'", "[true,null,false]"),
		col("uuid[]", "keyword", "'{00000000-0000-0000-0000-000000000000,NULL}'", `["00000000-0000-0000-0000-000000000000",null]`),
		col("mood[]", "keyword", "'{2024-01-15}'", `["2024-01-15"]`),
		col("bytea[]", "binary", `ARRAY['\x00ff80'::bytea, '']`, `["AP+A",""]`),
		col("jsonb[]", "text", `ARRAY['{"a": 1}', 'null']::jsonb[]`, `["{\"a\": 1}","null"]`),
		col("inet[]", "keyword", "'{10.0.0.0/8,::1}'", `["10.0.0.0/8","::1"]`),
	}
}

// newPostgreSQLExtremes creates a table for each column.
func newPostgreSQLExtremes(t *testing.T, elasticsearch string, columns []column) (*pgBench, *extremes) {
	t.Helper()
	b := newBench(t, elasticsearch)
	e := &extremes{bench: b.bench, columns: columns, field: func(table int, column string) string {
		return fmt.Sprintf("public_t%d_%s", table, column)
	}}
	b.exec(`CREATE TYPE pair AS (a int, b text); CREATE TYPE mood AS ENUM ('2024-01-15', '` + strings.Repeat("ž", 31) + `');
		CREATE DOMAIN percent AS int CHECK (VALUE <= 100); SET TimeZone = 'UTC';` + strings.Join(e.tables(), ";"))
	b.grantAll()
	return b, e
}

func TestExtremesOfPostgreSQL(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		_, e := newPostgreSQLExtremes(t, elasticsearch, postgresqlExtremes())
		e.mirror(t)
	})
}

// TestExtremesInOtherForms: no value is refused in other profiles and encodings either. JSON is left out: in
// compat it becomes an object or a value, and both do not fit into one field.
func TestExtremesInOtherForms(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"encoding: compat", "profile: native", "profile: seed87"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			destinations(t, func(t *testing.T, elasticsearch string) {
				columns := slices.DeleteFunc(postgresqlExtremes(), func(c column) bool { return strings.HasPrefix(c.typ, "json") })
				b, e := newPostgreSQLExtremes(t, elasticsearch, columns)
				b.configure("    " + form + "\n")
				e.settle(t)
			})
		})
	}
}

// TestTextThatIsNotUTF8: a database without an encoding stores any bytes.
func TestTextThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		if err := b.db.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.adminExec("DROP DATABASE " + b.database)
		b.adminExec("CREATE DATABASE " + b.database + " ENCODING SQL_ASCII TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
		b.db = b.connect(b.database)
		e := &extremes{bench: b.bench, field: func(table int, column string) string { return fmt.Sprintf("public_t%d_%s", table, column) }}
		e.columns = []column{
			col("text", "text", "'2024-01-15'", `"2024-01-15"`, `E'a\xffb'`, "\"a\ufffdb\"", `E'\xc5\xbe'`, `"ž"`),
			col("text[]", "text", `ARRAY[E'\xff']`, "[\"\ufffd\"]"),
		}
		b.exec(strings.Join(e.tables(), ";"))
		b.grantAll()
		e.mirror(t)
	})
}
