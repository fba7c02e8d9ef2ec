package oracle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestValuesFromServer reads a value of every type from a server, in both encodings, with its form in ids: one row
// has all of them, and one has them as its key.
func TestValuesFromServer(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	var columns, values, key, keyColumns, keyValues, ids, exact, compat []string
	for i, tt := range valueCases {
		if db.standIn && tt.elsewhere != "" {
			t.Logf("the stand-in for Oracle cannot show %s: %s", tt.name, tt.elsewhere)
			continue
		}
		name := fmt.Sprintf("V%d", i)
		columns, values = append(columns, fmt.Sprintf("%q %s", name, tt.typ)), append(values, tt.in)
		exact, compat = append(exact, fmt.Sprintf(`"t_v%d":%s`, i, tt.exact)), append(compat, fmt.Sprintf(`"t_v%d":%s`, i, pick(tt.compat != "", tt.compat, tt.exact)))
		if tt.id != "" {
			key, ids = append(key, fmt.Sprintf("%q", name)), append(ids, tt.id)
			keyColumns, keyValues = append(keyColumns, fmt.Sprintf("%q %s", name, tt.typ)), append(keyValues, tt.in)
		}
	}
	list := func(texts []string) string { return strings.Join(texts, ", ") }
	db.exec(
		fmt.Sprintf(`CREATE TABLE @."T" ("ID" NUMBER(10) PRIMARY KEY, %s)`, list(columns)), fmt.Sprintf(`INSERT INTO @."T" VALUES (1, %s)`, list(values)),
		fmt.Sprintf(`CREATE TABLE @."K" (%s, PRIMARY KEY (%s))`, list(keyColumns), list(key)), fmt.Sprintf(`INSERT INTO @."K" VALUES (%s)`, list(keyValues)),
	)
	for _, env := range []source.Env{{}, {Encoding: "compat"}, {Profile: "native"}} {
		if n := sqltest.CheckDescribed(t, &Type, openSource(t, db.values(nil), env)); n != 2 {
			t.Errorf("%+v: %d documents were described", env, n)
		}
	}
	for encoding, want := range map[string][]string{"exact": exact, "compat": compat} {
		got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{Encoding: encoding})
		r := got["T"]
		if r.Err != nil || len(r.Docs) != 1 {
			t.Fatalf("%s: %+v", encoding, r)
		}
		for _, field := range want {
			if !strings.Contains(r.Docs[0], field+",") && !strings.Contains(r.Docs[0], field+"}") {
				t.Errorf("%s: %s is not in %s", encoding, field, r.Docs[0])
			}
		}
		for i, tt := range valueCases {
			if tt.note != "" && encoding == "exact" && !strings.Contains(r.Docs[0], fmt.Sprintf(`"t_v%d: %s"`, i, tt.note)) {
				t.Errorf("no note %q in %s", tt.note, r.Docs[0])
			}
		}
		r = got["K"]
		if d := cmp.Diff([]string{db.config.ServiceName + "_K_" + strings.Join(ids, "_") + "_"}, r.IDs); d != "" || r.Err != nil {
			t.Errorf("%s: %v %s", encoding, r.Err, d)
		}
	}
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// valueCase is a value of a type.
type valueCase struct {
	name, typ, in string // in is written in SQL
	exact, compat string // JSON; compat is "" if it is the same
	note          string // next to the value, if it is lost
	id            string // "" if the type cannot be that of a key, or its ids are tested elsewhere
	elsewhere     string // why the stand-in cannot show it
}

var valueCases = []valueCase{
	{name: "zero", typ: "NUMBER(10)", in: "0", exact: "0"},
	{name: "integer", typ: "NUMBER(18)", in: "-999999999999999999", exact: "-999999999999999999", id: "-999999999999999999"},
	{name: "integer beyond a double", typ: "NUMBER(18)", in: "9007199254740993", exact: "9007199254740993", id: "9007199254740993"},
	{name: "19 digits are a text", typ: "NUMBER(19)", in: "9007199254740993", exact: `"9007199254740993"`, compat: "9007199254740993", id: "9007199254740993"},
	{name: "38 digits", typ: "NUMBER(38)", in: "99999999999999999999999999999999999999", exact: `"99999999999999999999999999999999999999"`, compat: "99999999999999999999999999999999999999", id: "99999999999999999999999999999999999999"},
	{name: "INTEGER", typ: "INTEGER", in: "7", exact: `"7"`, compat: "7", id: "7"},
	{name: "decimal", typ: "NUMBER(12,2)", in: "-12.5", exact: `"-12.5"`, compat: "-12.5", id: "-12.5"},
	{name: "large", typ: "NUMBER", in: "1E125", exact: `"1` + strings.Repeat("0", 125) + `"`, compat: "1" + strings.Repeat("0", 125)},
	{name: "smallest that the driver does not lose", typ: "NUMBER", in: "1E-128", exact: `"0.` + strings.Repeat("0", 127) + `1"`, compat: "1e-128", elsewhere: "it turns it into 0"},
	{name: "FLOAT", typ: "FLOAT", in: "0.5", exact: `"0.5"`, compat: "0.5", id: "0.5"},
	{name: "BINARY_FLOAT", typ: "BINARY_FLOAT", in: "1.5", exact: "1.5", id: "1.5"},
	{name: "BINARY_DOUBLE", typ: "BINARY_DOUBLE", in: "0.1", exact: "0.1", id: "0.1"},
	{name: "infinity", typ: "BINARY_DOUBLE", in: "BINARY_DOUBLE_INFINITY", exact: "null", note: "infinity"},
	{name: "text", typ: "VARCHAR2(100)", in: `'a"b\ žluť 😀'`, exact: `"a\"b\\ žluť 😀"`, id: `a"b\ žluť 😀`},
	{name: "an empty text is NULL", typ: "VARCHAR2(100)", in: `''`, exact: "null"},
	{name: "NULL", typ: "NUMBER(10)", in: "NULL", exact: "null"},
	{name: "CHAR is padded", typ: "CHAR(5)", in: `'ab'`, exact: `"ab   "`, id: "ab   "},
	{name: "NVARCHAR2", typ: "NVARCHAR2(100)", in: `N'žluť'`, exact: `"žluť"`, id: "žluť"},
	{name: "RAW", typ: "RAW(10)", in: "HEXTORAW('00FF80')", exact: `"AP+A"`, compat: `"\u0000"`, id: `b'\x00\xff\x80'`},
	{name: "CLOB", typ: "CLOB", in: "'žluť'", exact: `"žluť"`, elsewhere: "the driver does not understand how it sends them"},
	{name: "BLOB", typ: "BLOB", in: "HEXTORAW('00FF80')", exact: `"AP+A"`, compat: `"\u0000"`, elsewhere: "the driver does not understand how it sends them"},
	{name: "LONG", typ: "LONG", in: "'x'", exact: `"x"`},
	{name: "DATE", typ: "DATE", in: "TO_DATE('2024-02-29 13:14:15', 'YYYY-MM-DD HH24:MI:SS')", exact: `"2024-02-29T13:14:15Z"`, compat: `"2024-02-29T13:14:15"`, id: "2024-02-29 13:14:15"},
	{name: "TIMESTAMP", typ: "TIMESTAMP(6)", in: "TIMESTAMP '2024-01-02 03:04:05.123400'", exact: `"2024-01-02T03:04:05.1234Z"`, compat: `"2024-01-02T03:04:05.123400"`, id: "2024-01-02 03:04:05.123400"},
	{name: "TIMESTAMP(9)", typ: "TIMESTAMP(9)", in: "TIMESTAMP '2024-01-02 03:04:05.123456789'", exact: `"2024-01-02T03:04:05.123456789Z"`, compat: `"2024-01-02T03:04:05.123456"`, elsewhere: "it keeps six digits of a second"},
	{name: "BC", typ: "DATE", in: "TO_DATE('-0044-03-15', 'SYYYY-MM-DD')", exact: "null", note: "a date in the year 44 BC"},
	{name: "WITH TIME ZONE", typ: "TIMESTAMP WITH TIME ZONE", in: "TIMESTAMP '2024-01-02 03:04:05.5 +09:00'", exact: `"2024-01-01T18:04:05.5Z"`, compat: `"2024-01-02T03:04:05.500000"`, elsewhere: "it has no SYS_EXTRACT_UTC"},
	{name: "years and months", typ: "INTERVAL YEAR TO MONTH", in: "INTERVAL '-1-2' YEAR TO MONTH", exact: `"-01-02"`, elsewhere: "it has no TO_CHAR of them"},
	{name: "months", typ: "INTERVAL YEAR TO MONTH", in: "INTERVAL '-3' MONTH", exact: `"-00-03"`, elsewhere: "it has no TO_CHAR of them"},
	{name: "hours", typ: "INTERVAL DAY TO SECOND", in: "INTERVAL '-5' HOUR", exact: `"-00 05:00:00.000000"`, elsewhere: "it has no TO_CHAR of them"},
	{name: "XMLTYPE", typ: "XMLTYPE", in: "XMLTYPE('<a/>')", exact: `"<a/>"`, elsewhere: "it turns it into NULL"},
}
