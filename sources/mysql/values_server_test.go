package mysql

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// valueCase is a value of a type; the numbers in the names are those of the acceptance cases of the SQL
// sources.
type valueCase struct {
	name, typ, in string // in is SQL
	key           bool   // the type can be that of a primary key
}

// valueCases has every type that both servers know.
var valueCases = []valueCase{
	{"6 zero", "int", "0", true},
	{"tinyint", "tinyint", "-128", true},
	{"tinyint(1)", "tinyint(1)", "1", true},
	{"unsigned tinyint", "tinyint unsigned", "255", true},
	{"smallint", "smallint", "-32768", true},
	{"mediumint", "mediumint", "-8388608", true},
	{"unsigned int", "int unsigned", "4294967295", true},
	{"zerofill", "int(10) zerofill", "7", true},
	{"18 integer beyond a double", "bigint", "9007199254740993", true},
	{"bigint", "bigint", "-9223372036854775808", true},
	{"17 unsigned bigint", "bigint unsigned", "18446744073709551615", true},
	{"17 unsigned bigint, small", "bigint unsigned", "5", true},
	{"year", "year", "2024", true},
	{"22 float", "float", "16777216", true},
	{"float, exact", "float", "0.1", true},
	{"float of seven digits", "float", "16777217", true},
	{"22 double", "double", "0.1", true},
	{"double, whole", "double", "5", true},
	{"double, large", "double", "1e300", true},
	{"double, small", "double", "1e-5", true},
	{"19 decimal", "decimal(65,30)", "99999999999999999999999999999999999.999999999999999999999999999999", true},
	{"19 decimal keeps zeros", "decimal(10,2)", "12.5", true},
	{"decimal, negative", "decimal(19,4)", "-922337203685477.5808", true},
	{"decimal, tiny", "decimal(20,10)", "0.00000012", true},
	{"decimal, zero", "decimal(10,8)", "0", true},
	{"34 bit(1)", "bit(1)", "b'1'", true},
	{"34 bit(8)", "bit(8)", "0xAA", true},
	{"bit(53)", "bit(53)", "0x1FFFFFFFFFFFFF", true},
	{"34 bit(64)", "bit(64)", "0xFFFFFFFFFFFFFFFF", true},
	{"bit(54), small", "bit(54)", "1", true},
	{"char has no blanks at its end", "char(5)", "'ab'", true},
	{"15 varchar", "varchar(50)", "'a\\n\"b\"\\\\ žluť 😀'", true},
	{"15 latin1", "varchar(50) CHARACTER SET latin1", "'é'", true},
	{"16 U+0000", "varchar(50)", "'a\\0b'", true},
	{"tinytext", "tinytext", "'x'", false},
	{"text", "text", "'x'", false},
	{"mediumtext", "mediumtext", "'x'", false},
	{"longtext", "longtext", "'x'", false},
	{"enum", "enum('b','a')", "'a'", true},
	{"set", "set('x','y','z')", "'z,x'", true},
	{"set of nothing", "set('x','y')", "''", true},
	{"33 binary", "varbinary(10)", "0x00FF80", true},
	{"binary is padded", "binary(4)", "'a'", true},
	{"tinyblob", "tinyblob", "0x00FF80", false},
	{"blob that is text", "blob", "'ažb'", false},
	{"mediumblob", "mediumblob", "0x61FF62", false},
	{"longblob", "longblob", "''", false},
	{"date", "date", "'2024-02-29'", true},
	{"23 zero date", "date", "'0000-00-00'", true},
	{"23 date without a month", "date", "'2024-00-10'", true},
	{"23 date that is none", "date", "'2024-02-30'", true},
	{"datetime", "datetime", "'2024-01-02 03:04:05'", true},
	{"datetime(3)", "datetime(3)", "'2024-01-02 03:04:05.670'", true},
	{"datetime(6), whole", "datetime(6)", "'2024-01-02 03:04:05'", true},
	{"datetime(6)", "datetime(6)", "'9999-12-31 23:59:59.000001'", true},
	{"23 zero datetime", "datetime", "'0000-00-00 00:00:00'", true},
	{"timestamp", "timestamp", "'2024-01-02 03:04:05'", true},
	{"timestamp(6)", "timestamp(6)", "'2024-01-02 03:04:05.5'", true},
	{"24 time", "time(6)", "'-838:59:58.123456'", true},
	{"time", "time", "'01:02:03'", true},
	{"time of no length", "time", "'0:0:0'", true},
	{"36 json", "json", `'{"a":1.10,"b":12345678901234567890}'`, false},
	{"37 json null", "json", "'null'", false},
	{"37 NULL", "int", "NULL", false},
	{"point", "point", "ST_GeomFromText('POINT(1.5 2)')", false},
	{"linestring", "linestring", "ST_GeomFromText('LINESTRING(0 0, 1 1)')", false},
	{"polygon with a hole", "polygon", "ST_GeomFromText('POLYGON((0 0, 9 0, 9 9, 0 0), (1 1, 2 1, 2 2, 1 1))')", false},
	{"multipoint", "multipoint", "ST_GeomFromText('MULTIPOINT(0 0, 1 1)')", false},
	{"multilinestring", "multilinestring", "ST_GeomFromText('MULTILINESTRING((0 0, 1 1), (2 2, 3 3))')", false},
	{"multipolygon", "multipolygon", "ST_GeomFromText('MULTIPOLYGON(((0 0, 9 0, 9 9, 0 0)))')", false},
	{"collection", "geometrycollection", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1))')", false},
	{"geometry", "geometry", "ST_GeomFromText('POINT(1 2)', 4326)", false},
	{"generated", "int AS (id + 1) STORED", "DEFAULT", false},
}

// mariaDBCases has the types that MariaDB alone knows.
var mariaDBCases = []valueCase{
	{"inet4", "inet4", "'192.168.1.1'", true},
	{"inet6", "inet6", "'2001:DB8::1'", true},
	{"uuid", "uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", true},
}

// TestValuesFromServer reads one value of every kind from a server, in both encodings, and its form in
// ids.
func TestValuesFromServer(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		cases, golden := valueCases, "values-mysql.golden"
		if db.mariaDB {
			cases, golden = slices.Concat(cases, mariaDBCases), "values-mariadb.golden"
		}
		const lenient = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'; "
		for i, tt := range cases {
			db.exec(fmt.Sprintf("%sSET SESSION explicit_defaults_for_timestamp = 1; CREATE TABLE t%d (id int PRIMARY KEY, v %s); INSERT INTO t%d VALUES (1, %s)", lenient, i, tt.typ, i, tt.in))
			if tt.key {
				db.exec(fmt.Sprintf("%sCREATE TABLE k%d (v %s PRIMARY KEY); INSERT INTO k%d VALUES (%s)", lenient, i, tt.typ, i, tt.in))
			}
		}
		exact, compat := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{}), sqltest.ReadSource(t, &Type, db.values(nil), source.Env{Encoding: "compat"})
		noDates := "*" // in compat they stay as they are, and the index leaves them out of the field
		for i, tt := range cases {
			if strings.HasPrefix(tt.name, "23 ") {
				noDates += fmt.Sprintf(", -t%d, -k%d", i, i)
			}
		}
		for _, env := range []source.Env{{}, {Encoding: "compat"}, {Profile: "native"}, {Profile: "seed87"}} {
			values := db.values(nil)
			if env.Encoding == "compat" {
				values["tables"] = noDates
			}
			if n := sqltest.CheckDescribed(t, &Type, openSource(t, values, env)); n < len(cases) {
				t.Errorf("%+v: only %d documents were described", env, n)
			}
		}
		var b strings.Builder
		for i, tt := range cases {
			fmt.Fprintf(&b, "%s: %s %s\n", tt.name, tt.typ, tt.in)
			scope, key := fmt.Sprintf("t%d", i), fmt.Sprintf("k%d", i)
			for _, r := range []sqltest.Result{exact[scope], compat[scope], exact[key], compat[key]} {
				if r.Err != nil {
					t.Errorf("%s: %v", tt.name, r.Err)
				}
			}
			fmt.Fprintf(&b, "  exact  %s\n", valueOf(t, exact[scope]))
			fmt.Fprintf(&b, "  compat %s\n", valueOf(t, compat[scope]))
			if tt.key && len(exact[key].IDs) == 1 {
				fmt.Fprintf(&b, "  id     %q\n", strings.TrimPrefix(exact[key].IDs[0], key+"_"))
				if d := cmp.Diff(exact[key].IDs, compat[key].IDs); d != "" {
					t.Errorf("%s: the encodings differ in the id: %s", tt.name, d)
				}
			}
		}
		compareGolden(t, golden, b.String())
	})
}

// valueOf is the value and the notes of the only document.
func valueOf(t *testing.T, r sqltest.Result) string {
	t.Helper()
	if len(r.Docs) != 1 {
		t.Errorf("got the documents %q", r.Docs)
		return ""
	}
	const before = `"v":`
	_, value, ok := strings.Cut(r.Docs[0], before)
	if !ok {
		t.Errorf("no value in %s", r.Docs[0])
	}
	return strings.TrimSuffix(value, "}")
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // a golden file
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}
