package mysql

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// valueCases has every type that both servers have.
var valueCases = []sqltest.ValueCase{
	{Name: "zero", Type: "int", In: "0", Key: true},
	{Name: "tinyint", Type: "tinyint", In: "-128", Key: true},
	{Name: "tinyint(1)", Type: "tinyint(1)", In: "1", Key: true},
	{Name: "unsigned tinyint", Type: "tinyint unsigned", In: "255", Key: true},
	{Name: "smallint", Type: "smallint", In: "-32768", Key: true},
	{Name: "mediumint", Type: "mediumint", In: "-8388608", Key: true},
	{Name: "unsigned int", Type: "int unsigned", In: "4294967295", Key: true},
	{Name: "zerofill", Type: "int(10) zerofill", In: "7", Key: true},
	{Name: "integer beyond a double", Type: "bigint", In: "9007199254740993", Key: true},
	{Name: "bigint", Type: "bigint", In: "-9223372036854775808", Key: true},
	{Name: "unsigned bigint", Type: "bigint unsigned", In: "18446744073709551615", Key: true},
	{Name: "unsigned bigint, small", Type: "bigint unsigned", In: "5", Key: true},
	{Name: "year", Type: "year", In: "2024", Key: true},
	{Name: "float", Type: "float", In: "16777216", Key: true},
	{Name: "float, exact", Type: "float", In: "0.1", Key: true},
	{Name: "float of seven digits", Type: "float", In: "16777217", Key: true},
	{Name: "double", Type: "double", In: "0.1", Key: true},
	{Name: "double, without a fraction", Type: "double", In: "5", Key: true},
	{Name: "double, large", Type: "double", In: "1e300", Key: true},
	{Name: "double, small", Type: "double", In: "1e-5", Key: true},
	{Name: "decimal", Type: "decimal(65,30)", In: "99999999999999999999999999999999999.999999999999999999999999999999", Key: true},
	{Name: "decimal keeps zeros", Type: "decimal(10,2)", In: "12.5", Key: true},
	{Name: "decimal, negative", Type: "decimal(19,4)", In: "-922337203685477.5808", Key: true},
	{Name: "decimal, tiny", Type: "decimal(20,10)", In: "0.00000012", Key: true},
	{Name: "decimal, zero", Type: "decimal(10,8)", In: "0", Key: true},
	{Name: "bit(1)", Type: "bit(1)", In: "b'1'", Key: true},
	{Name: "bit(8)", Type: "bit(8)", In: "0xAA", Key: true},
	{Name: "bit(53)", Type: "bit(53)", In: "0x1FFFFFFFFFFFFF", Key: true},
	{Name: "bit(64)", Type: "bit(64)", In: "0xFFFFFFFFFFFFFFFF", Key: true},
	{Name: "bit(54), small", Type: "bit(54)", In: "1", Key: true},
	{Name: "char has no blanks at its end", Type: "char(5)", In: "'ab'", Key: true},
	{Name: "varchar", Type: "varchar(50)", In: "'a\\n\"b\"\\\\ žluť 😀'", Key: true},
	{Name: "latin1", Type: "varchar(50) CHARACTER SET latin1", In: "'é'", Key: true},
	{Name: "U+0000", Type: "varchar(50)", In: "'a\\0b'", Key: true},
	{Name: "tinytext", Type: "tinytext", In: "'x'"},
	{Name: "text", Type: "text", In: "'x'"},
	{Name: "mediumtext", Type: "mediumtext", In: "'x'"},
	{Name: "longtext", Type: "longtext", In: "'x'"},
	{Name: "enum", Type: "enum('b','a')", In: "'a'", Key: true},
	{Name: "set", Type: "set('x','y','z')", In: "'z,x'", Key: true},
	{Name: "set of nothing", Type: "set('x','y')", In: "''", Key: true},
	{Name: "binary", Type: "varbinary(10)", In: "0x00FF80", Key: true},
	{Name: "binary is padded", Type: "binary(4)", In: "'a'", Key: true},
	{Name: "tinyblob", Type: "tinyblob", In: "0x00FF80"},
	{Name: "blob that is text", Type: "blob", In: "'ažb'"},
	{Name: "mediumblob", Type: "mediumblob", In: "0x61FF62"},
	{Name: "longblob", Type: "longblob", In: "''"},
	{Name: "date", Type: "date", In: "'2024-02-29'", Key: true},
	{Name: "invalid date, zero", Type: "date", In: "'0000-00-00'", Key: true},
	{Name: "invalid date, without a month", Type: "date", In: "'2024-00-10'", Key: true},
	{Name: "invalid date, 30 February", Type: "date", In: "'2024-02-30'", Key: true},
	{Name: "datetime", Type: "datetime", In: "'2024-01-02 03:04:05'", Key: true},
	{Name: "datetime(3)", Type: "datetime(3)", In: "'2024-01-02 03:04:05.670'", Key: true},
	{Name: "datetime(6), without a fraction", Type: "datetime(6)", In: "'2024-01-02 03:04:05'", Key: true},
	{Name: "datetime(6)", Type: "datetime(6)", In: "'9999-12-31 23:59:59.000001'", Key: true},
	{Name: "invalid datetime, zero", Type: "datetime", In: "'0000-00-00 00:00:00'", Key: true},
	{Name: "timestamp", Type: "timestamp", In: "'2024-01-02 03:04:05'", Key: true},
	{Name: "timestamp(6)", Type: "timestamp(6)", In: "'2024-01-02 03:04:05.5'", Key: true},
	{Name: "time", Type: "time(6)", In: "'-838:59:58.123456'", Key: true},
	{Name: "time", Type: "time", In: "'01:02:03'", Key: true},
	{Name: "time of no length", Type: "time", In: "'0:0:0'", Key: true},
	{Name: "json", Type: "json", In: `'{"a":1.10,"b":12345678901234567890}'`},
	{Name: "json null", Type: "json", In: "'null'"},
	{Name: "NULL", Type: "int", In: "NULL"},
	{Name: "point", Type: "point", In: "ST_GeomFromText('POINT(1.5 2)')"},
	{Name: "linestring", Type: "linestring", In: "ST_GeomFromText('LINESTRING(0 0, 1 1)')"},
	{Name: "polygon with a hole", Type: "polygon", In: "ST_GeomFromText('POLYGON((0 0, 9 0, 9 9, 0 0), (1 1, 2 1, 2 2, 1 1))')"},
	{Name: "multipoint", Type: "multipoint", In: "ST_GeomFromText('MULTIPOINT(0 0, 1 1)')"},
	{Name: "multilinestring", Type: "multilinestring", In: "ST_GeomFromText('MULTILINESTRING((0 0, 1 1), (2 2, 3 3))')"},
	{Name: "multipolygon", Type: "multipolygon", In: "ST_GeomFromText('MULTIPOLYGON(((0 0, 9 0, 9 9, 0 0)))')"},
	{Name: "collection", Type: "geometrycollection", In: "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1))')"},
	{Name: "geometry", Type: "geometry", In: "ST_GeomFromText('POINT(1 2)', 4326)"},
	{Name: "generated", Type: "int AS (id + 1) STORED", In: "DEFAULT"},
}

// mariaDBCases has the types that only MariaDB has.
var mariaDBCases = []sqltest.ValueCase{
	{Name: "inet4", Type: "inet4", In: "'192.168.1.1'", Key: true},
	{Name: "inet6", Type: "inet6", In: "'2001:DB8::1'", Key: true},
	{Name: "uuid", Type: "uuid", In: "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", Key: true},
}

// TestValuesFromServer reads one value of every kind from a server, in both encodings, with its form in ids.
func TestValuesFromServer(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		cases, golden := valueCases, "values-mysql.golden"
		if db.mariaDB {
			cases, golden = slices.Concat(cases, mariaDBCases), "values-mariadb.golden"
		}
		noDates := "*" // compat keeps them unchanged, and the index does not index them
		for i, tt := range cases {
			if strings.HasPrefix(tt.Name, "invalid date") {
				noDates += fmt.Sprintf(", -t%d, -k%d", i, i)
			}
		}
		got := sqltest.Values(t, db.lenient(), cases, func(env source.Env) map[string]any {
			if env.Encoding == "compat" {
				return map[string]any{"tables": noDates}
			}
			return nil
		}, func(*sqltest.ValueCase) bool { return true })
		sqltest.Golden(t, *update, filepath.Join("testdata", golden), got)
	})
}

// lenient is the shared database in a mode that accepts invalid dates, and NULL in timestamps.
func (db *testDB) lenient() *sqltest.DB {
	shared := db.shared()
	shared.Exec = func(statements ...string) {
		for _, s := range statements {
			db.exec("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'; SET SESSION explicit_defaults_for_timestamp = 1; " + s)
		}
	}
	return shared
}
