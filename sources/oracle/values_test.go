package oracle

import (
	"database/sql/driver"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	ora "github.com/sijms/go-ora/v2"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// declared is a type as the catalog has it: NUMBER(10,2) with the numbers in parentheses as precision and scale.
func declared(text string) declaration {
	d := declaration{name: text}
	if before, inside, ok := strings.Cut(text, "("); ok && before == "NUMBER" {
		d.name, d.scaled = before, true
		if n, err := fmt.Sscanf(inside, "%d,%d", &d.precision, &d.scale); n == 0 {
			_, _ = fmt.Sscanf(inside, "*,%d", &d.scale)
			_ = err
		}
	}
	return d
}

// encode writes the driver's value of a type as JSON.
func encode(typ columnType, v driver.Value) string {
	value, reason := typ.Value(v)
	text := string(value.AppendJSON(nil))
	if reason != "" {
		text += " (" + reason + ")"
	}
	return text
}

// number is digits in the form in which the driver returns them: it writes them from the bytes that the server sent.
func number(t *testing.T, digits string) driver.Value {
	t.Helper()
	n, err := ora.NewNumberFromString(scientific(digits))
	if err != nil {
		t.Fatal(err)
	}
	text, err := n.String()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestValues compares the JSON of every type with a golden file.
func TestValues(t *testing.T) {
	t.Parallel()
	at := func(year int, month time.Month, day, hour, minute, second, nanos int) time.Time {
		return time.Date(year, month, day, hour, minute, second, nanos, time.UTC)
	}
	n := func(digits string) driver.Value { return number(t, digits) }
	var b strings.Builder
	b.WriteString("# declared type: what is selected, and for each value of the driver: encoding exact, encoding compat, in an id\n")
	for _, tt := range []struct {
		typ    string
		values []driver.Value
	}{
		{"NUMBER(10,0)", []driver.Value{n("0"), n("42"), n("-42"), n("9999999999"), "x"}},
		{"NUMBER(18,0)", []driver.Value{n("999999999999999999"), n("9007199254740993")}},
		{"NUMBER(19,0)", []driver.Value{n("9223372036854775807"), n("-1")}},
		{"NUMBER(38,0)", []driver.Value{n("99999999999999999999999999999999999999")}},
		{"NUMBER(5,-2)", []driver.Value{n("1234500")}},
		{"NUMBER(18,-1)", []driver.Value{n("1234567890123456780")}},
		{"NUMBER(*,0)", []driver.Value{n("7")}},
		{"NUMBER(10,2)", []driver.Value{n("0"), n("12.5"), n("-0.05"), n("100")}},
		{"NUMBER", []driver.Value{n("7"), n("0.1"), n("-12345678901234567890.5"), n("1" + strings.Repeat("0", 125)), n("0." + strings.Repeat("0", 127) + "1"), "Infinity", "-Infinity", "12."}},
		{"FLOAT", []driver.Value{n("0"), n("1"), n("0.1"), n("123456789012345678901234567890")}},
		{"BINARY_FLOAT", []driver.Value{float64(float32(0.7)), float64(float32(16777216)), 0.0, math.Inf(1), math.NaN(), "x"}},
		{"BINARY_DOUBLE", []driver.Value{0.1, 1.0, 0.0, 1e300, math.Inf(-1), math.NaN()}},
		{"VARCHAR2", []driver.Value{"žluť😀", "a\x00b", "a\xffb", "0"}},
		{"CHAR", []driver.Value{"ab   "}},
		{"NVARCHAR2", []driver.Value{"žluť"}},
		{"CLOB", []driver.Value{"long"}},
		{"LONG", []driver.Value{"longer"}},
		{"RAW", []driver.Value{[]byte{0, 0xff, 0x80}, []byte("it's"), "x"}},
		{"BLOB", []driver.Value{[]byte("a\xffb")}},
		{"LONG RAW", []driver.Value{[]byte("a")}},
		{"BFILE", []driver.Value{ora.BFile{Valid: true}, "x"}},
		{"DATE", []driver.Value{at(2024, 2, 29, 23, 59, 59, 0), at(1, 1, 1, 0, 0, 0, 0), at(9999, 12, 31, 0, 0, 0, 0), at(-4712, 1, 1, 0, 0, 0, 0), at(-43, 3, 15, 0, 0, 0, 0), at(0, 1, 1, 0, 0, 0, 0), at(10000, 1, 1, 0, 0, 0, 0), "x"}},
		{"TIMESTAMP(9)", []driver.Value{at(2024, 1, 2, 3, 4, 5, 123456789), at(2024, 1, 2, 3, 4, 5, 120000000), at(2024, 1, 2, 3, 4, 5, 999), at(2024, 1, 2, 3, 4, 5, 0)}},
		{"TIMESTAMP(6) WITH TIME ZONE", []driver.Value{at(2024, 1, 2, 3, 4, 5, 123456000)}},
		{"TIMESTAMP(6) WITH LOCAL TIME ZONE", []driver.Value{at(2024, 1, 2, 3, 4, 5, 0)}},
		{"INTERVAL YEAR(2) TO MONTH", []driver.Value{"-01-02", "-00-03", "+12-11"}},
		{"INTERVAL DAY(2) TO SECOND(6)", []driver.Value{"-00 05:00:00.000000", "+10 00:00:00.000001"}},
		{"ROWID", []driver.Value{"AAAR3sAAEAAAACXAAA"}},
		{"BOOLEAN", []driver.Value{true, false, "x"}},
		{"JSON", []driver.Value{`{"a": 1.10, "b": 12345678901234567890}`, "{"}},
		{"VECTOR", []driver.Value{"[1.0E+000,-2.5E-001]", "x"}},
		{"XMLTYPE", []driver.Value{"<a/>"}},
		{"SDO_GEOMETRY", []driver.Value{`{ "type": "Point", "coordinates": [1, 2] }`}},
		{"a type of next year", []driver.Value{"unchanged", int64(5)}},
	} {
		exact := declaredType(declared(tt.typ))
		exact, compat := exact.Encoded(false), exact.Encoded(true)
		fmt.Fprintf(&b, "\n%s: %s", tt.typ, exact.Selected("c"))
		if compat.From != exact.From {
			b.WriteString("; compat " + compat.Selected("c"))
		}
		b.WriteString("\n")
		for _, v := range tt.values {
			fmt.Fprintf(&b, "  %q: %s | %s | %q", fmt.Sprint(v), encode(exact, v), encode(compat, v), inIDs.Key(nil, &exact, v))
			if exact.Zero != nil && exact.Zero(v) {
				b.WriteString(", left out")
			}
			b.WriteString("\n")
		}
	}
	golden(t, "testdata/values.golden", b.String())
}

// golden compares a text with that of a file, or writes the file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: %s", path, d)
	}
}

// TestEveryTypeOfTheDriver checks that each type has the catalog's name.
func TestEveryTypeOfTheDriver(t *testing.T) {
	t.Parallel()
	for typ, want := range map[ora.TNSType]string{
		ora.NCHAR: "VARCHAR2", ora.NUMBER: "NUMBER", ora.LONG: "LONG", ora.ROWID: "ROWID", ora.DATE: "DATE", ora.RAW: "RAW", ora.LongRaw: "LONG RAW",
		ora.CHAR: "CHAR", ora.IBFloat: "BINARY_FLOAT", ora.IBDouble: "BINARY_DOUBLE", ora.OCIClobLocator: "CLOB", ora.OCIBlobLocator: "BLOB",
		ora.OCIFileLocator: "BFILE", ora.JSON: "JSON", ora.TimeStampDTY: "TIMESTAMP", ora.TIMESTAMP: "TIMESTAMP", ora.TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE",
		ora.TimeStampTZ_DTY: "TIMESTAMP WITH TIME ZONE", ora.TimeStampLTZ_DTY: "TIMESTAMP WITH LOCAL TIME ZONE", ora.TimeStampeLTZ: "TIMESTAMP WITH LOCAL TIME ZONE",
		ora.IntervalYM_DTY: "INTERVAL YEAR TO MONTH", ora.IntervalDS_DTY: "INTERVAL DAY TO SECOND", ora.IntervalYM: "INTERVAL YEAR TO MONTH", ora.IntervalDS: "INTERVAL DAY TO SECOND",
		ora.UROWID: "UROWID", ora.Boolean: "BOOLEAN", ora.TNSType(127): "VECTOR", ora.XMLType: "an object type", ora.OCIRef: "REF",
	} {
		got := resultType(typ.String(), 38, 255)
		if got.Declared != want || got.Unknown != "" {
			t.Errorf("%s: got %q", typ, got.Declared)
		}
	}
	for name, omitted := range map[string]bool{"XMLType": true, "OCIRef": true, "NCHAR": false} {
		if got := resultType(name, 0, 0).Value == nil; got != omitted {
			t.Errorf("%s: omitted is %t", name, got)
		}
	}
	if typ := resultType("NUMBER", 5, 254); encode(typ, "700") != "700" { // of the scale -2
		t.Errorf("a scale below zero: %s", encode(typ, "700"))
	}
	if typ := resultType("NUMBER", 38, 255); encode(typ, "7") != `"7"` {
		t.Errorf("no scale: %s", encode(typ, "7"))
	}
}

// TestTheDriverLosesTheSmallest checks that the driver reads numbers between 1E-130 and 1E-128 as 0. Once this test
// fails, docs/sources/oracle.md no longer needs to mention it.
func TestTheDriverLosesTheSmallest(t *testing.T) {
	t.Parallel()
	if got := number(t, "0."+strings.Repeat("0", 129)+"1"); got != "0" {
		t.Errorf("1E-130 is %s", got)
	}
}

// TestObjectTypes checks that object types are skipped, except for the server's own types that it can convert to
// text.
func TestObjectTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, owner string
		omitted     bool
	}{
		{"ADDRESS", "SHOP", true}, {"ANYDATA", "SYS", true}, {"ANYDATA", "", true}, {"XMLTYPE", "SYS", false}, {"SDO_GEOMETRY", "MDSYS", false}, {"NUMBER", "SHOP", true},
	} {
		if got := declaredType(declaration{name: tt.name, owner: tt.owner}); (got.Value == nil) != tt.omitted {
			t.Errorf("%s of %q: omitted is %t", tt.name, tt.owner, got.Value == nil)
		}
	}
}

// rowOf is a row of a profile with columns of the types, which all belong to the key.
func rowOf(t *testing.T, p sqlread.Profile, types ...string) *sqlread.Row {
	t.Helper()
	tab := &table{}
	for i, name := range types {
		tab.Columns = append(tab.Columns, column{Name: string(rune('A' + i)), Type: declaredType(declared(name))})
		tab.Key = append(tab.Key, i)
	}
	r := newRun(t, nil, source.Env{})
	r.Profile = p
	row, _ := r.rowOf(r.Part(r.relation("SHOP", "T", sqlread.KindTable), nil), tab)
	return row
}

func TestKeysThatAreZero(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		typ    string
		in     driver.Value
		head   string
		native string
	}{
		"an integer":        {"NUMBER(10,0)", "0", "XE_T_", "oracle:XE:SHOP:T:0"},
		"a number":          {"NUMBER", "7", "XE_T_7_", "oracle:XE:SHOP:T:7"},
		"text that is zero": {"VARCHAR2", "0", "XE_T_0_", "oracle:XE:SHOP:T:0"},
		"false":             {"BOOLEAN", false, "XE_T_", "oracle:XE:SHOP:T:false"},
		"true":              {"BOOLEAN", true, "XE_T_True_", "oracle:XE:SHOP:T:true"},
		"bytes":             {"RAW", []byte{0}, `XE_T_b'\x00'_`, "oracle:XE:SHOP:T:\x00"},
		"a date":            {"DATE", time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC), "XE_T_2024-01-02 00:00:00_", "oracle:XE:SHOP:T:2024-01-02T00%3A00%3A00Z"},
		"NULL":              {"VARCHAR2", nil, "XE_T_", "oracle:XE:SHOP:T:%00"},
	} {
		for p, want := range map[sqlread.Profile]string{sqlread.Head: tt.head, sqlread.Seed87: tt.head, sqlread.Native: tt.native} {
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
	r := rowOf(t, sqlread.Native, "VARCHAR2", "VARCHAR2")
	sqltest.NativeIDsDiffer(t, func(a, b any) string { return r.Document([]driver.Value{a, b}).ID })
}

// TestDocuments has a row in each profile, of a table in the user's own schema and of one in another schema.
func TestDocuments(t *testing.T) {
	t.Parallel()
	tab := &table{Key: []int{0}}
	for _, name := range []string{"ID", "a.b", "A_B", "Id"} {
		tab.Columns = append(tab.Columns, column{Name: name, Type: declaredType(declared("VARCHAR2"))})
	}
	for _, tt := range []struct {
		profile sqlread.Profile
		owner   string
		want    string
	}{
		{sqlread.Head, "SHOP", `{"id":"XE_T_1_","Database":"XE","Table":"T","t_id":"1","t_a.b":"2","t_a_b":"3","t_id_2":"4"`},
		{sqlread.Head, "HR", `{"id":"XE_HR.T_1_","Database":"XE","Table":"HR.T","hr_t_id":"1","hr_t_a.b":"2","hr_t_a_b":"3","hr_t_id_2":"4"`},
		{sqlread.Native, "SHOP", `{"id":"oracle:XE:SHOP:T:1","database":"XE","schema":"SHOP","table":"T","key":{"ID":"1"},"row":{"ID":"1","a_b":"2","A_B":"3","Id":"4"}`},
		{sqlread.Native, "HR", `{"id":"oracle:XE:HR:T:1","database":"XE","schema":"HR","table":"T","key":{"ID":"1"},"row":{"ID":"1","a_b":"2","A_B":"3","Id":"4"}`},
	} {
		r := newRun(t, nil, source.Env{})
		r.Profile = tt.profile
		p := r.Part(r.relation(tt.owner, "T", sqlread.KindTable), nil)
		rows, _ := r.Documents(p, tab)
		doc := rows.Document([]driver.Value{"1", "2", "3", "4"})
		if got := string(document.AppendFields(nil, &doc)); got != tt.want {
			t.Errorf("%v of %s: got %s", tt.profile, tt.owner, got)
		}
	}
}
