package mysql

import (
	"database/sql/driver"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// encode writes the driver's value of a type as JSON.
func encode(typ columnType, v driver.Value) (encoded, reason string) {
	c := cellOf(v)
	if c.text == "" {
		c.text = string(c.raw)
	}
	value, reason := typ.Value(&c)
	return string(value.AppendJSON(nil)), reason
}

// TestValues has values that no server returned in the tests with a server.
func TestValues(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		typ    columnType
		in     driver.Value
		want   string
		reason string
	}{
		"text that is not UTF-8": {typeOf("text", false), []byte("a\xffb"), "\"a\ufffdb\"", "bytes that are no UTF-8 were replaced: ff"},
		"digits as a number":     {typeOf("bigint", true), uint64(1<<64 - 1), `"18446744073709551615"`, ""},
		"an unknown type":        {typeOf("xml", false), []byte("<a/>"), `"<a/>"`, ""},
		"not a date":             {typeOf("date", false), []byte("x"), "null", "a date in an unknown form"},
		"no time after the date": {typeOf("datetime", false), []byte("2024-01-02"), "null", "a time in an unknown form"},
		"a vector":               {typeOf("vector", false), []byte("\x00\x00\x80\x3f\xcd\xcc\xcc\x3d"), "[1.0,0.1]", ""},
		"an empty vector":        {typeOf("vector", false), []byte{}, "[]", ""},
		"a vector cut off":       {typeOf("vector", false), []byte("abc"), "null", "a vector in an unknown form"},
		"bits in a query":        {resultType("BIT"), []byte("\x01\x02"), "258", ""},
		"many bits in a query":   {resultType("BIT"), []byte("\x00\x00\x00\x00\x00\x00\x01"), `"1"`, ""},
		"unsigned in a query":    {resultType("UNSIGNED BIGINT"), int64(7), `"7"`, ""},
		"a set in a query":       {resultType("SET"), []byte("a,b"), `["a","b"]`, ""},
		"compat: digits":         {typeOf("bigint", true).Encoded(true), []byte("18446744073709551615"), "18446744073709551615", ""},
		"compat: no integer":     {typeOf("bigint", true).Encoded(true), []byte("x"), "null", "not an integer of 64 bits"},
		"compat: no number":      {typeOf("decimal", false).Encoded(true), []byte("x"), "null", "not a number of 64 bits"},
		"compat: bytes":          {typeOf("blob", false).Encoded(true), []byte("a\xffb"), `"ab"`, ""},
	} {
		if got, reason := encode(tt.typ, tt.in); got != tt.want || reason != tt.reason {
			t.Errorf("%s: got %s, %q", name, got, reason)
		}
	}
	if typeOf("xml", false).Unknown != "xml" || typeOf("text", false).Unknown != "" {
		t.Error("an unknown type is not reported")
	}
}

func TestNoDate(t *testing.T) {
	t.Parallel()
	for date, want := range map[string]string{
		"2024-02-29": "", "2023-02-29": "2023-02-29 is no date", "2024-02-30 01:02:03": "2024-02-30 is no date", "1900-02-29": "1900-02-29 is no date",
		"2024-04-31": "2024-04-31 is no date", "2024-12-31": "", "0000-01-01": "0000-01-01 is no date", "2024-00-01": "2024-00-01 is no date", "2024-01-00": "2024-01-00 is no date",
		"": "a date in an unknown form", "2024/01/02": "a date in an unknown form", "0001-01-01": "", "9999-12-31": "",
	} {
		if got := noDate(date); got != want {
			t.Errorf("%q: got %q", date, got)
		}
	}
}

// place is a point as the server stores it, without the header: 1, 2.
const place = "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x40"

func TestInvalidGeometry(t *testing.T) {
	t.Parallel()
	point := "\x00\x00\x00\x00\x01\x01\x00\x00\x00" + place
	collection := "\x01\x07\x00\x00\x00\x01\x00\x00\x00"
	for name, in := range map[string]string{
		"empty":                 "",
		"cut off in the header": point[:7],
		"cut off in a number":   point[:len(point)-1],
		"bytes after it":        point + "x",
		"high byte first":       "\x00\x00\x00\x00\x00\x00\x00\x00\x01" + place,
		"unknown kind":          "\x00\x00\x00\x00\x01\x09\x00\x00\x00" + place,
		"kind of three axes":    "\x00\x00\x00\x00\x01\xe9\x03\x00\x00" + place,
		"a count too large":     "\x00\x00\x00\x00\x01\x02\x00\x00\x00\xff\xff\xff\xff" + place,
		"a NaN":                 "\x00\x00\x00\x00\x01\x01\x00\x00\x00" + place[:8] + "\x00\x00\x00\x00\x00\x00\xf8\x7f",
		"a line among points":   "\x00\x00\x00\x00\x01\x04\x00\x00\x00\x01\x00\x00\x00\x01\x02\x00\x00\x00" + place,
		"nested too deep":       "\x00\x00\x00\x00" + strings.Repeat(collection, 40) + point[4:],
	} {
		if got, reason := encode(typeOf("geometry", false), []byte(in)); got != "null" || reason != badGeometry {
			t.Errorf("%s: got %s, %q", name, got, reason)
		}
	}
	deep := "\x00\x00\x00\x00" + strings.Repeat(collection, 30) + point[4:]
	if got, reason := encode(typeOf("geometry", false), []byte(deep)); reason != "" || strings.Count(got, "GeometryCollection") != 30 {
		t.Errorf("nested: %q", reason)
	}
}

func FuzzGeometry(f *testing.F) {
	point := "\x01\x01\x00\x00\x00" + place
	for _, seed := range []string{
		"\x00\x00\x00\x00" + point,
		"\x10\xe6\x00\x00" + point,
		"\x00\x00\x00\x00\x01\x02\x00\x00\x00\x02\x00\x00\x00" + place + place,
		"\x00\x00\x00\x00\x01\x03\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00" + place,
		"\x00\x00\x00\x00\x01\x04\x00\x00\x00\x01\x00\x00\x00" + point,
		"\x00\x00\x00\x00\x01\x07\x00\x00\x00\x02\x00\x00\x00" + point + point,
		"\x00\x00\x00\x00\x01\x07\x00\x00\x00\xff\xff\xff\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, reason := encode(typeOf("geometry", false), in)
		if (got == "null") != (reason != "") {
			t.Errorf("got %s, %q", got, reason)
		}
		if _, err := document.CompactRaw([]byte(got)); err != nil {
			t.Errorf("got %s: %v", got, err)
		}
	})
}

func TestParseSpan(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int64{
		"00:00:01": 1e6, "-00:00:00.5": -5e5, "838:59:59": 3020399e6, "01:02:03.000004": 3723000004, "100:00:00.1": 360000100000,
	} {
		if got, ok := parseSpan(in); !ok || got != want {
			t.Errorf("%s: got %d, %t", in, got, ok)
		}
	}
	for _, in := range []string{"", "1", "1:2", "a:b:c", "1:2:3:4", "--1:00:00"} {
		if _, ok := parseSpan(in); ok {
			t.Errorf("%q is taken for a time", in)
		}
	}
}

// rowsOf is a row of a profile with columns of the types, which all belong to the key.
func rowOf(t *testing.T, p sqlread.Profile, types ...string) *row {
	tab := &table{}
	for i, name := range types {
		tab.Columns = append(tab.Columns, column{Name: string(rune('a' + i)), Type: typeOf(name, false)})
		tab.Key = append(tab.Key, i)
	}
	d := newTestDatabase(t, settings{database: "d"}, source.Env{})
	d.Profile = p
	r, _ := d.rowOf(d.Part(relationOf("t"), nil), tab)
	return r
}

func TestKeysThatAreZero(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		typ    string
		in     driver.Value
		head   string
		seed87 string
	}{
		"int":               {"int", int64(0), "t_0", "d_t_"},
		"decimal":           {"decimal", []byte("-0.00"), "t_-0.00", "d_t_"},
		"float":             {"float", float32(0), "t_0.0", "d_t_"},
		"text":              {"varchar", []byte(""), "t_", "d_t_"},
		"text that is zero": {"varchar", []byte("0"), "t_0", "d_t_0_"},
		"bytes":             {"varbinary", []byte(""), "t_b''", "d_t_"},
		"a bit":             {"bit", []byte{0}, `t_b'\x00'`, `d_t_b'\x00'_`},
		"no time":           {"time", []byte("-00:00:00.000000"), "t_0:00:00", "d_t_"},
		"a date of zeros":   {"date", []byte("0000-00-00"), "t_0000-00-00", "d_t_0000-00-00_"},
		"NULL":              {"int", nil, "t", "d_t_"},
	} {
		for p, want := range map[sqlread.Profile]string{sqlread.Head: tt.head, sqlread.Seed87: tt.seed87} {
			doc := rowOf(t, p, tt.typ).Document([]driver.Value{tt.in})
			if doc.ID != want {
				t.Errorf("%s: got %s, want %s", name, doc.ID, want)
			}
		}
	}
}

// TestNativeIDsAreUnique has keys that the other profiles write in the same way.
func TestNativeIDsAreUnique(t *testing.T) {
	t.Parallel()
	r := rowOf(t, sqlread.Native, "varchar", "varchar")
	value := func(text any) driver.Value {
		if text, ok := text.(string); ok {
			return []byte(text)
		}
		return nil
	}
	sqltest.NativeIDsDiffer(t, func(a, b any) string { return r.Document([]driver.Value{value(a), value(b)}).ID })
	if a, b := idPrefix(sqlread.Native, "d", []string{"a+b"}), idPrefix(sqlread.Native, "d", []string{"a", "b"}); a == b || b != "mysql:d:a+b:" {
		t.Errorf("got %s and %s", a, b)
	}
}

// TestDocumentOwnsItsBytes checks that a document keeps its values, although the driver reuses the bytes of a row.
func TestDocumentOwnsItsBytes(t *testing.T) {
	t.Parallel()
	r := rowOf(t, sqlread.Head, "varchar", "varbinary")
	reused := []byte("abc")
	doc := r.Document([]driver.Value{reused, reused[:2]})
	before := string(document.AppendFields(nil, &doc))
	copy(reused, "xyz")
	if after := string(document.AppendFields(nil, &doc)); after != before || !strings.Contains(after, `"id":"t_abc_b'ab'"`) {
		t.Errorf("got %s, then %s", before, after)
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	tab := &table{Sorted: true, Key: []int{1, 0, 2}}
	for _, name := range []string{"int", "varchar", "date"} {
		tab.Columns = append(tab.Columns, column{Name: name, Type: typeOf(name, false)})
	}
	at := tab.Start()
	if c, args := rowsAfter(tab, at); c != "" || args != nil {
		t.Errorf("before the first row: %s %v", c, args)
	}
	reused := []byte("b")
	at.Losses = 2
	at.Advance(tab.Key, []driver.Value{int64(1), reused, []byte("2024-01-02")})
	reused[0] = 'x'
	const want = "`varchar` >= ? AND (`varchar` > ? OR (`varchar` = ? AND `int` >= ? AND (`int` > ? OR (`int` = ? AND `date` > CAST(? AS DATE)))))"
	got, args := rowsAfter(tab, at)
	if d := cmp.Diff([]driver.Value{[]byte("b"), []byte("b"), []byte("b"), int64(1), int64(1), int64(1), []byte("2024-01-02")}, args); got != want || d != "" || at.Losses != 0 {
		t.Errorf("got %s %s", got, d)
	}
	if !canCompare(tab, at) {
		t.Error("a date cannot be compared")
	}
	at.Advance(tab.Key, []driver.Value{int64(1), reused, []byte("2024-00-02")})
	if canCompare(tab, at) {
		t.Error("an invalid date can be compared")
	}
	tab.Sorted = false
	if tab.Start() != nil {
		t.Error("rows without an order have a position")
	}
}

// TestOrderOfIDs checks that key columns are in the order of the server's list, as in Elastic's connector.
func TestOrderOfIDs(t *testing.T) {
	t.Parallel()
	tab := &table{Columns: []column{{Name: "Zeta"}, {Name: "alpha"}, {Name: "Mid"}}, Key: []int{2, 0, 1}}
	for want, got := range map[string][]int{
		"native": orderOfIDs(sqlread.Native, tab, false), "mysql": orderOfIDs(sqlread.Head, tab, false), "mariadb": orderOfIDs(sqlread.Seed87, tab, true),
	} {
		if !slices.Equal(got, map[string][]int{"native": {2, 0, 1}, "mysql": {1, 2, 0}, "mariadb": {0, 1, 2}}[want]) {
			t.Errorf("%s: got %v", want, got)
		}
	}
}

func TestHeadNames(t *testing.T) {
	t.Parallel()
	columns := []column{{Name: "x"}, {Name: "x.y"}, {Name: "Table"}, {Name: "Table.x"}, {Name: "id.x"}, {Name: "."}, {Name: " "}, {Name: "p.q"}}
	names := fieldNames(sqlread.Head, "d", "t", columns, false)
	want := []string{"x", "x_y", "Table_", "Table_x", "id_x", "_", "_col7", "p.q"}
	if d := cmp.Diff(want, names.of); d != "" || len(names.renamed) != 5 {
		t.Errorf("%v %s", names.renamed, d)
	}
}

func TestNativeNames(t *testing.T) {
	t.Parallel()
	names := fieldNames(sqlread.Native, "d", "t", []column{{Name: "a.b"}, {Name: "a_b"}, {Name: " "}, {Name: "id"}, {Name: "Table"}}, false)
	if d := cmp.Diff([]string{"a_b", "a_b_2", "_col3", "id", "Table"}, names.of); d != "" || len(names.renamed) != 1 || names.renamed[0] != (sqlread.Renamed{Column: "a_b", Field: "a_b_2"}) {
		t.Errorf("%v %s", names.renamed, d)
	}
}
