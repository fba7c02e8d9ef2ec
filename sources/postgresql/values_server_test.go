package postgresql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestValuesFromServer reads one value of every kind from a server, in both encodings.
func TestValuesFromServer(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, typ string
		in        string // SQL
		want      string // JSON
		note      string
		compat    string // JSON in the encoding compat; "" if it is the same, with the same note
	}{
		{"smallint", "smallint", "-32768", "-32768", "", ""},
		{"integer beyond a double", "bigint", "9007199254740993", "9007199254740993", "", ""},
		{"bigint", "bigint", "'-9223372036854775808'", "-9223372036854775808", "", ""},
		{"oid", "oid", "4294967295", "4294967295", "", ""},
		{"boolean", "boolean", "true", "true", "", ""},
		{"real", "real", "0.1", "0.1", "", `0.10000000149011612`},
		{"double", "double precision", "1e300", "1e+300", "", ""},
		{"double, exact", "double precision", "0.1", "0.1", "", ""},
		{"double NaN", "double precision", "'NaN'", "null", "NaN is no JSON number", ""},
		{"double infinity", "double precision", "'-Infinity'", "null", "-Infinity is no JSON number", ""},
		{"numeric keeps zeros", "numeric(10,2)", "12.5", `"12.50"`, "", `12.5`},
		{"numeric NaN", "numeric", "'NaN'", "null", "NaN is no JSON number", ""},
		{"numeric infinity", "numeric", "'Infinity'", "null", "Infinity is no JSON number", ""},
		{"money", "money", "1234.5", `"1234.50"`, "", `"$1,234.50"`},
		{"money array", "money[]", "'{1.5,NULL}'", `["1.50",null]`, "", `["$1.50",null]`},
		{"text", "text", `E'a\n"b"\\ \u017elu\u0165 \U0001F600'`, `"a\n\"b\"\\ žluť 😀"`, "", ""},
		{"char is padded", "char(5)", "'ab'", `"ab   "`, "", ""},
		{"internal char", `"char"`, "'x'", `"x"`, "", ""},
		{"bytea", "bytea", `'\x00ff80'`, `"AP+A"`, "", `"\u0000"`},
		{"date", "date", "'2024-02-29'", `"2024-02-29"`, "", ""},
		{"date infinity", "date", "'infinity'", "null", "infinity is no date", `"9999-12-31"`},
		{"date BC", "date", "'0044-03-15 BC'", "null", "a year before 1", ""},
		{"far date", "date", "'10000-01-01'", "null", "a year after 9999", ""},
		{"timestamp", "timestamp", "'2024-01-02 03:04:05.678901'", `"2024-01-02T03:04:05.678901Z"`, "", `"2024-01-02T03:04:05.678901"`},
		{"timestamp, without a fraction", "timestamp", "'2024-01-02 03:04:05'", `"2024-01-02T03:04:05Z"`, "", `"2024-01-02T03:04:05"`},
		{"timestamptz", "timestamptz", "'2024-01-02 03:04:05.5+05:30'", `"2024-01-01T21:34:05.5Z"`, "", `"2024-01-01T21:34:05.500000+00:00"`},
		{"timestamptz infinity", "timestamptz", "'-infinity'", "null", "-infinity is no date", `"0001-01-01T00:00:00"`},
		{"timestamptz far", "timestamptz", "'294276-01-01'", "null", "a year after 9999", ""},
		{"timestamptz BC", "timestamptz", "'0044-03-15 12:00 BC'", "null", "a year before 1", ""},
		{"time", "time", "'24:00:00'", `"24:00:00"`, "", ""},
		{"timetz", "timetz", "'12:30:00.5+05:30'", `"12:30:00.5+05:30"`, "", `"12:30:00.500000+05:30"`},
		{"interval", "interval", "'1 year 2 mons 3 days 04:05:06.789'", `"P1Y2M3DT4H5M6.789S"`, "", ""},
		{"uuid", "uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", `"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`, "", ""},
		{"uuid array", "uuid[]", "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'", `["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]`, "", ""},
		{"json keeps its text", "json", `'{"a":1.10,  "b":12345678901234567890}'`, `"{\"a\":1.10,  \"b\":12345678901234567890}"`, "", `{"a":1.10,"b":12345678901234567890}`},
		{"jsonb", "jsonb", `'{"a":1.10,"b":12345678901234567890}'`, `"{\"a\": 1.10, \"b\": 12345678901234567890}"`, "", `{"a":1.10,"b":12345678901234567890}`},
		{"jsonb null", "jsonb", `'null'`, `"null"`, "", `null`},
		{"SQL NULL", "jsonb", "NULL", "null", "", ""},
		{"inet of a host", "inet", "'192.168.1.1'", `"192.168.1.1"`, "", ""},
		{"inet of a net", "inet", "'192.168.1.1/24'", `"192.168.1.1/24"`, "", ""},
		{"cidr", "cidr", "'10.0.0.0/8'", `"10.0.0.0/8"`, "", ""},
		{"macaddr", "macaddr", "'08:00:2B:01:02:03'", `"08:00:2b:01:02:03"`, "", ""},
		{"range", "int4range", "'[1,5)'", `"[1,5)"`, "", ""},
		{"multirange", "int4multirange", "'{[1,3),[5,8)}'", `"{[1,3),[5,8)}"`, "", ""},
		{"composite", "pair", "ROW(1,'x,y')", `"(1,\"x,y\")"`, "", ""},
		{"enum", "mood", "'sad'", `"sad"`, "", ""},
		{"enum array", "mood[]", "'{sad,NULL}'", `["sad",null]`, "", ""},
		{"domain", "percent", "42", `42`, "", ""},
		{"domain over money", "cash", "1.5", `"1.50"`, "", `"$1.50"`},
		{"array of a domain", "percent[]", "'{1,2}'", `[1,2]`, "", ""},
		{"xml", "xml", "'<a>1</a>'", `"<a>1</a>"`, "", ""},
		{"tsvector", "tsvector", "'b a'", `"'a' 'b'"`, "", ""},
		{"hstore", "hstore", `'a=>1,b=>NULL'`, `"\"a\"=>\"1\", \"b\"=>NULL"`, "", ""},
		{"bit", "bit(8)", "B'10101010'", `"10101010"`, "", `"1010 1010"`},
		{"point", "point", "'(1.5,2)'", `"(1.5,2)"`, "", `"(1.5, 2.0)"`},
		{"array of two dimensions", "int[]", "'{{1,2},{3,4}}'", `[[1,2],[3,4]]`, "", ""},
		{"array with bounds", "int[]", "'[0:1]={1,2}'", `[1,2]`, "", ""},
		{"array with NULL", "text[]", `'{a,NULL,"NULL","x,\"y\"",""}'`, `["a",null,"NULL","x,\"y\"",""]`, "", ""},
		{"empty array", "int[]", "'{}'", `[]`, "", ""},
		{"array of floats with NaN", "float8[]", "'{1.5,NaN}'", `[1.5,null]`, "NaN is no JSON number", ""},
		{"array of boxes", "box[]", "'{(1,1),(0,0);(2,2),(1,1)}'", `["(1,1),(0,0)","(2,2),(1,1)"]`, "", `["[(1.0, 1.0), (0.0, 0.0)]","[(2.0, 2.0), (1.0, 1.0)]"]`},
		{"array of timestamps", "timestamptz[]", "'{2024-01-02 03:04:05+00}'", `["2024-01-02T03:04:05Z"]`, "", `["2024-01-02T03:04:05+00:00"]`},
		{"int2vector", "int2vector", "'1 2'", `"1 2"`, "", ""},
		{"double, without a fraction", "double precision", "5", "5.0", "", "5.0"},
		{"numeric, without a fraction", "numeric", "10000", `"10000"`, "", "10000.0"},
		{"lossy bytea", "bytea", `'\x61ff80c5be62'`, `"Yf+Axb5i"`, "", `"ažb"`},
		{"date -infinity", "date", "'-infinity'", "null", "-infinity is no date", `"0001-01-01"`},
		{"timestamp infinity", "timestamp", "'infinity'", "null", "infinity is no date", `"9999-12-31T23:59:59.999999"`},
		{"time", "time", "'03:04:05.5'", `"03:04:05.5"`, "", `"03:04:05.500000"`},
		{"jsonb array", "jsonb[]", `array['{"a": [1]}', 'null']::jsonb[]`, `["{\"a\": [1]}","null"]`, "", `[{"a":[1]},null]`},
		{"json with a name twice", "json", `'{"a":1,"b":[{}],"a":"2"}'`, `"{\"a\":1,\"b\":[{}],\"a\":\"2\"}"`, "", `{"a":"2","b":[{}]}`},
		{"bits that are no groups", "varbit", "B'101010'", `"101010"`, "", `"1010 10"`},
		{"lseg", "lseg", "'[(0,0),(1,1)]'", `"[(0,0),(1,1)]"`, "", `"[(0.0, 0.0), (1.0, 1.0)]"`},
		{"box", "box", "'((0,0),(1,1))'", `"(1,1),(0,0)"`, "", `"[(1.0, 1.0), (0.0, 0.0)]"`},
		{"polygon", "polygon", "'((0,0),(1,1),(2,0))'", `"((0,0),(1,1),(2,0))"`, "", `"[(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)]"`},
		{"open path", "path", "'[(0,0),(1,1)]'", `"[(0,0),(1,1)]"`, "", `"open [(0.0, 0.0), (1.0, 1.0)]"`},
		{"closed path", "path", "'((0,0),(1,1))'", `"((0,0),(1,1))"`, "", `"closed [(0.0, 0.0), (1.0, 1.0)]"`},
		{"line", "line", "'{1,-1,0}'", `"{1,-1,0}"`, "", `"(1.0, -1.0, 0.0)"`},
		{"circle", "circle", "'<(0,0),5>'", `"<(0,0),5>"`, "", `"((0.0, 0.0), 5.0)"`},
	}
	db := newDB(t)
	adminExec(t, db.name, "CREATE EXTENSION hstore")
	db.exec(`CREATE TYPE pair AS (a int, b text); CREATE TYPE mood AS ENUM ('sad', 'ok');
		CREATE DOMAIN percent AS int CHECK (VALUE <= 100); CREATE DOMAIN cash AS money;
		ALTER DATABASE ` + db.name + ` SET lc_monetary = 'C'`)
	for i, tt := range cases {
		db.exec(fmt.Sprintf("CREATE TABLE t%d (id int PRIMARY KEY, v %s); INSERT INTO t%d VALUES (1, %s)", i, tt.typ, i, tt.in))
	}
	exact, compat := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{}), sqltest.ReadSource(t, &Type, db.values(nil), source.Env{Encoding: "compat"})
	for _, env := range []source.Env{{}, {Encoding: "compat"}, {Profile: "native"}, {Profile: "seed87"}} {
		if n := sqltest.CheckDescribed(t, &Type, openSource(t, db.values(nil), env)); n < len(cases) {
			t.Errorf("%+v: only %d documents were described", env, n)
		}
	}
	for i, tt := range cases {
		check := func(t *testing.T, got sqltest.Result, want, note string) {
			t.Helper()
			want = fmt.Sprintf(`{"public_t%d_id":1,"public_t%d_v":%s`, i, i, want)
			if note != "" {
				want += fmt.Sprintf(`,"_conversion_notes":["public_t%d_v: %s"]`, i, note)
			}
			if diff := cmp.Diff([]string{want + "}"}, got.Docs); diff != "" || got.Err != nil {
				t.Errorf("%v %s", got.Err, diff)
			}
		}
		scope := fmt.Sprintf("public.t%d", i)
		t.Run(tt.name, func(t *testing.T) { check(t, exact[scope], tt.want, tt.note) })
		if tt.compat == "" {
			tt.compat = tt.want
		} else {
			tt.note = ""
		}
		t.Run(tt.name+", compat", func(t *testing.T) { check(t, compat[scope], tt.compat, tt.note) })
	}
}

// TestHostileSettings checks that values do not depend on the settings of the database.
func TestHostileSettings(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE t (id int PRIMARY KEY, at timestamptz, d date, i interval, b bytea, f float8, m money);
		INSERT INTO t VALUES (1, '2024-01-02 03:04:05+00', '2024-01-02', '1 day', '\xff', 0.1::float8 + 0.2::float8, 12.5)`)
	want := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["public.t"]
	for _, set := range []string{
		"TimeZone = 'Asia/Tokyo'", "DateStyle = 'German, DMY'", "IntervalStyle = 'sql_standard'", "bytea_output = 'escape'",
		"extra_float_digits = -5", "client_encoding = 'LATIN1'", "default_transaction_isolation = 'serializable'",
		"search_path = ''", "default_transaction_read_only = on",
	} {
		db.exec("ALTER DATABASE " + db.name + " SET " + set)
	}
	got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["public.t"]
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	if diff := cmp.Diff(want.Docs, got.Docs); diff != "" {
		t.Error(diff)
	}
	const exact = `{"public_t_id":1,"public_t_at":"2024-01-02T03:04:05Z","public_t_d":"2024-01-02","public_t_i":"P1D",` +
		`"public_t_b":"/w==","public_t_f":0.30000000000000004,"public_t_m":"12.50"}`
	if diff := cmp.Diff([]string{exact}, got.Docs); diff != "" {
		t.Error(diff)
	}
}

// TestNumericKeepsAllDigits reads a value of 100,000 digits.
func TestNumericKeepsAllDigits(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v numeric); INSERT INTO t VALUES (1, ('1' || repeat('0', 99999))::numeric)")
	got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["public.t"]
	want := `{"public_t_id":1,"public_t_v":"1` + strings.Repeat("0", 99999) + `"}`
	if got.Err != nil || len(got.Docs) != 1 || got.Docs[0] != want {
		t.Errorf("digits are missing, or the read failed: %v", got.Err)
	}
}

// TestKeysFromServer compares the text of keys in ids with the server's text.
func TestKeysFromServer(t *testing.T) {
	t.Parallel()
	cases := []struct{ typ, in, want string }{
		{"int", "0", "0"},
		{"boolean", "true", "True"},
		{"numeric(10,2)", "12.5", "12.50"},
		{"numeric", "0.00000012", "1.2E-7"},
		{"numeric(20)", "12300000000", "1.23E+10"},
		{"real", "0.1", "0.10000000149011612"},
		{"float8", "1", "1.0"},
		{"float8", "1e16", "1e+16"},
		{"text", "'a_b'", "a_b"},
		{"text", "repeat('x', 600)", strings.Repeat("x", 600)}, // the engine shortens ids
		{"date", "'2024-01-02'", "2024-01-02"},
		{"date", "'infinity'", "9999-12-31"},
		{"timestamp", "'2024-01-02 03:04:05.5'", "2024-01-02 03:04:05.500000"},
		{"timestamptz", "'2024-01-02 03:04:05+00'", "2024-01-02 03:04:05+00:00"},
		{"timetz", "'03:04:05.25-03:30'", "03:04:05.250000-03:30"},
		{"interval", "'1 year 2 mons 3 days 04:05:06.789'", "428 days, 4:05:06.789000"},
		{"interval", "'-1 hour'", "-1 day, 23:00:00"},
		{"uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		{"bytea", `'\x00ff41'`, `b'\x00\xffA'`},
	}
	db := newDB(t)
	for i, tt := range cases {
		db.exec(fmt.Sprintf("CREATE TABLE t%d (v %s PRIMARY KEY); INSERT INTO t%d VALUES (%s)", i, tt.typ, i, tt.in))
	}
	all := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})
	for i, tt := range cases {
		got := all[fmt.Sprintf("public.t%d", i)]
		want := []string{fmt.Sprintf("%s_public_t%d_%s", db.name, i, tt.want)}
		if diff := cmp.Diff(want, got.IDs); diff != "" || got.Err != nil {
			t.Errorf("%s %s: %v %s", tt.typ, tt.in, got.Err, diff)
		}
	}
}

// TestInvalidUTF8CostsNoRow reads a database in SQL_ASCII, which accepts any bytes. The server would end a statement
// over a text that is not in the client's encoding.
func TestInvalidUTF8CostsNoRow(t *testing.T) {
	t.Parallel()
	db := newDBOf(t, "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
	db.exec(`SET client_encoding = 'SQL_ASCII'; CREATE TABLE letters (id text PRIMARY KEY, body text, list text[], j jsonb, "žluť" text);
		INSERT INTO letters VALUES ('1', 'plain žluť', '{a}', '1', 'ž'), (E'n\357', E'na\357ve', ARRAY[E'\356', 'b'], '2', ''), (E'n\356', E'na\356ve', '{}', '3', '')`)
	log := &sqltest.Logbook{}
	got := sqltest.ReadSource(t, &Type, db.values(nil), log.Env())["public.letters"]
	prefix := db.name + "_public_letters_"
	want := sqltest.Result{
		IDs: []string{prefix + "1", prefix + "n\xef", prefix + "n\xee"},
		Docs: []string{
			`{"public_letters_id":"1","public_letters_body":"plain žluť","public_letters_list":["a"],"public_letters_j":"1","public_letters_žluť":"ž"}`,
			`{"public_letters_id":"n\ufffd","public_letters_body":"na\ufffdve","public_letters_list":["\ufffd","b"],"public_letters_j":"2","public_letters_žluť":"",` +
				`"_conversion_notes":["public_letters_id: bytes that are no UTF-8 were replaced: ef","public_letters_body: bytes that are no UTF-8 were replaced: ef","public_letters_list: bytes that are no UTF-8 were replaced: ee"]}`,
			`{"public_letters_id":"n\ufffd","public_letters_body":"na\ufffdve","public_letters_list":[],"public_letters_j":"3","public_letters_žluť":"",` +
				`"_conversion_notes":["public_letters_id: bytes that are no UTF-8 were replaced: ee","public_letters_body: bytes that are no UTF-8 were replaced: ee"]}`,
		},
	}
	for i := range want.Docs {
		want.Docs[i] = strings.ReplaceAll(want.Docs[i], `\ufffd`, "\ufffd")
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, column := range []string{"id", "body", "list"} {
		if n := strings.Count(log.String(), "part=public.letters column="+column+"\n"); n != 1 {
			t.Errorf("the column %s is named %d times, want once:\n%s", column, n, log)
		}
	}
	rule := []any{map[string]any{"tables": []any{"letters"}, "query": "SELECT id, body FROM letters WHERE body LIKE '%žluť%'"}}
	if r := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{AdvancedRules: rule})["public.letters"]; r.Err != nil || len(r.IDs) != 1 {
		t.Errorf("a rule: %+v", r)
	}
}
