package postgresql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// rowOf makes rows of a table with the columns a, b, … of the types; key lists the key columns.
func rowOf(p sqlread.Profile, key []int, oids ...uint32) *row {
	t := &table{Key: key}
	for i, oid := range oids {
		typ, _ := scalar(oid)
		t.Columns = append(t.Columns, column{Name: string(rune('a' + i)), Type: typ})
	}
	part := &part{db: &database{Config: sqlread.Config{Log: discard(), Profile: p}, set: settings{database: "shop"}}, Subject: sqlread.Subject{Rel: relation{Schema: "public", Name: "t"}}}
	return part.newRow(t)
}

// texts are the raw values of a row; "NULL" is NULL.
func texts(values ...string) (raw [][]byte) {
	for _, v := range values {
		if v == "NULL" {
			raw = append(raw, nil)
			continue
		}
		raw = append(raw, []byte(v))
	}
	return raw
}

// TestKeysThatAreZero checks that seed87 omits zero and empty values, and the other profiles only NULL, which has its
// own form in native.
func TestKeysThatAreZero(t *testing.T) {
	t.Parallel()
	const uuid = "00000000-0000-0000-0000-000000000000"
	for _, tt := range []struct {
		oid                    uint32
		in, seed, head, native string
	}{
		{oidInt4, "0", "", "_0", "0"},
		{oidInt4, "10", "10_", "_10", "10"},
		{oidInt8, "-1", "-1_", "_-1", "-1"},
		{oidFloat8, "0", "", "_0.0", "0"},
		{oidFloat8, "-0", "", "_-0.0", "-0"},
		{oidFloat4, "0.5", "0.5_", "_0.5", "0.5"},
		{oidFloat8, "NaN", "nan_", "_nan", "NaN"},
		{oidNumeric, "0.00", "", "_0.00", "0.00"},
		{oidNumeric, "10000", "1E+4_", "_1E+4", "10000"},
		{oidBool, "f", "", "_False", "f"},
		{oidBool, "t", "True_", "_True", "t"},
		{25, "", "", "_", ""},
		{25, "0", "0_", "_0", "0"},
		{25, "f", "f_", "_f", "f"},
		{25, " ", " _", "_ ", " "},
		{oidBytea, `\x`, "", "_b''", `\x`},
		{oidBytea, `\x00`, `b'\x00'_`, `_b'\x00'`, `\x00`},
		{oidInterval, "PT0S", "", "_0:00:00", "PT0S"},
		{oidInterval, "P1M-30D", "", "_0:00:00", "P1M-30D"},
		{oidInterval, "odd", "odd_", "_odd", "odd"},
		{oidInterval, "PT1S", "0:00:01_", "_0:00:01", "PT1S"},
		{oidTime, "00:00:00", "00:00:00_", "_00:00:00", "00%3A00%3A00"},
		{oidDate, "2024-01-02", "2024-01-02_", "_2024-01-02", "2024-01-02"},
		{2950, uuid, uuid + "_", "_" + uuid, uuid},
		{25, "NULL", "", "", "%00"},
		{25, "%00", "%00_", "_%00", "%2500"},
	} {
		want := []string{"shop_public_t_" + tt.seed, "shop_public_t" + tt.head, "postgresql:shop:public:t:" + tt.native}
		var got []string
		for _, p := range []sqlread.Profile{sqlread.Seed87, sqlread.Head, sqlread.Native} {
			got = append(got, rowOf(p, []int{0}, tt.oid).document(texts(tt.in)).ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d %q: %s", tt.oid, tt.in, diff)
		}
	}
}

// TestNativeIDsAreUnique has pairs of keys that would share an id if their values were only joined.
func TestNativeIDsAreUnique(t *testing.T) {
	t.Parallel()
	value := func(text any) []byte {
		if text, ok := text.(string); ok {
			return []byte(text)
		}
		return nil
	}
	sqltest.NativeIDsDiffer(t, func(a, b any) string {
		return rowOf(sqlread.Native, []int{0, 1}, 25, 25).document([][]byte{value(a), value(b)}).ID
	})
	prefixes := map[string]bool{}
	for _, names := range [][3]string{{"a:b", "c", "d"}, {"a", "b:c", "d"}, {"a", "b", "c:d"}, {"a%3Ab", "c", "d"}, {"a", "b", "c+d"}} {
		prefixes[prefixOf(names[0], names[1:2], names[2:])] = true
	}
	prefixes[prefixOf("a", []string{"b"}, []string{"c", "d"})] = true // a query over several tables
	if !prefixes["postgresql:a%3Ab:c:d:"] || !prefixes["postgresql:a:b:c+d:"] || !prefixes["postgresql:a:b:c%2Bd:"] || len(prefixes) != 6 {
		t.Errorf("got %v", prefixes)
	}
}

// TestLongIDsAreReplaced checks that an id at the limit stays and a longer one is replaced. An id that is not UTF-8,
// which a database without an encoding can hold, is replaced as well.
func TestLongIDsAreReplaced(t *testing.T) {
	t.Parallel()
	const prefix = "postgresql:shop:public:t:"
	long := strings.Repeat("x", sqlread.MaxID-len(prefix))
	r := rowOf(sqlread.Native, []int{0}, 25)
	for _, tt := range []struct{ in, want string }{
		{long, prefix + long},
		{long + "x", "h:1a931b83f5596b32e4db89eb6b0c8b4f76079c554c5c21acd20884fc9c2ca018"},
		{"\xff", "h:f2b207a5b380f5d1ab4a9bda8e1e4ae23f55dc0b7c7020cac214503dcfce54bf"},
	} {
		if got := r.document(texts(tt.in)).ID; got != tt.want {
			t.Errorf("%.10q…: got %s", tt.in, got)
		}
	}
}

// TestNativeDocument checks that the objects are created once and refilled for each row.
func TestNativeDocument(t *testing.T) {
	t.Parallel()
	r := rowOf(sqlread.Native, []int{1, 0, 1}, oidNumeric, 25, oidInt4)
	encode := func(raw ...string) string {
		doc := r.document(texts(raw...))
		out, end := document.AppendSource(nil, &doc, document.Trailer{})
		return string(out[:end])
	}
	for range 2 {
		for _, tt := range []struct {
			in   []string
			want string
		}{
			{[]string{"NaN", "k", "7"}, `{"id":"postgresql:shop:public:t:k:NaN:k","database":"shop","schema":"public","table":"t",` +
				`"key":{"b":"k","a":null},"row":{"a":null,"b":"k","c":7},"_conversion_notes":["row.a: NaN is no JSON number"]`},
			{[]string{"1.50", "ž", "NULL"}, `{"id":"postgresql:shop:public:t:ž:1.50:ž","database":"shop","schema":"public","table":"t",` +
				`"key":{"b":"ž","a":"1.50"},"row":{"a":"1.50","b":"ž","c":null}`},
		} {
			if diff := cmp.Diff(tt.want, encode(tt.in...)); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// TestNativeNamesAreUnique checks that every column has its own name, and one that Elasticsearch accepts.
func TestNativeNamesAreUnique(t *testing.T) {
	t.Parallel()
	columns := []column{
		{Name: "Name", Number: 1},
		{Name: "name", Number: 2},
		{Name: "a.b", Number: 4},
		{Name: "a_b", Number: 5},
		{Name: "a.b.", Number: 6},
		{Name: " ", Number: 7},
		{Name: "\u2003\t", Number: 9},
		{Name: "_col9", Number: 10},
		{Name: "\x1c", Number: 11},
		{Name: ".", Number: 12},
		{Name: "_id", Number: 13},
		{Name: " x ", Number: 14},
	}
	names, renamed := fieldNames(sqlread.Native, "s", "t", columns)
	want := []string{"Name", "name", "a_b", "a_b_2", "a_b_", "_col7", "_col9", "_col9_2", "_col11", "_", "_id", " x "}
	if diff := cmp.Diff(want, names); diff != "" || len(renamed) != 2 || renamed[1].Field != "_col9_2" {
		t.Errorf("renamed %v %s", renamed, diff)
	}
	if names, renamed := fieldNames(sqlread.Native, "s", "t", columns[:3]); len(renamed) > 0 {
		t.Errorf("%q: nothing needed a number, but %v has one", names, renamed)
	}
}

// prefixOf is the start of the ids of the profile native.
func prefixOf(database string, schemas, tables []string) string {
	from := sqlread.Origin{Database: database, Schemas: schemas, Tables: tables}
	return from.Prefix("postgresql", sqlread.Native)
}

// fieldNames names the fields of columns.
func fieldNames(p sqlread.Profile, schema, name string, columns []column) ([]string, []sqlread.Renamed) {
	metadata := sqlread.OriginNames(p)
	t := &table{Columns: columns}
	return t.FieldNames(p, schema+"_"+name+"_", metadata[:]...)
}

// TestNativeRules checks that rules find a column by its path.
func TestNativeRules(t *testing.T) {
	t.Parallel()
	doc := rowOf(sqlread.Native, []int{0}, oidInt4, 25).document(texts("1", "x"))
	for path, want := range map[string]string{"row.b": `"x"`, "key.a": "1", "table": `"t"`} {
		if v, ok := doc.Lookup(path); !ok || jsonOf(v) != want {
			t.Errorf("%s: got %s, %t", path, jsonOf(v), ok)
		}
	}
}
