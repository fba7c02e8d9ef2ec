package mssql

import (
	"database/sql/driver"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// encode writes the driver's value of a type as JSON.
func encode(typ columnType, v driver.Value) (encoded, reason string) {
	value, reason := typ.Value(v)
	return string(value.AppendJSON(nil)), reason
}

// zone is a fixed time zone, in minutes east of UTC.
func zone(minutes int) *time.Location { return time.FixedZone("", minutes*60) }

// valueCases are values as the driver returns them.
var valueCases = []struct {
	name string
	typ  string // as [typeOf] takes it
	in   driver.Value
	key  bool // can be the type of a key
}{
	{"0", "tinyint", int64(0), true},
	{"255", "tinyint", int64(255), true},
	{"beyond a double", "bigint", int64(9007199254740993), true},
	{"the least", "bigint", int64(math.MinInt64), true},
	{"true", "bit", true, true},
	{"false", "bit", false, true},
	{"38 digits", "decimal", []byte("99999999999999999999999999999999999999"), true},
	{"38 of a fraction", "decimal", []byte("-0.00000000000000000000000000000000000001"), true},
	{"zeros at the end", "numeric", []byte("12.50"), true},
	{"zero", "decimal", []byte("0.00"), true},
	{"the least", "money", []byte("-922337203685477.5808"), true},
	{"money", "smallmoney", []byte("1.5000"), true},
	{"0.1", "float", 0.1, true},
	{"without a fraction", "float", 1.0, true},
	{"a large one", "float", 1e300, true},
	{"a small one", "float", 1e-5, true},
	{"0.1 of 32 bits", "real", float64(float32(0.1)), true},
	{"16777216", "real", 16777216.0, true},
	{"text", "nvarchar", "žluť😀", true},
	{"empty text", "varchar", "", true},
	{"NUL", "nvarchar", "a\x00b", true},
	{"padded", "char", "a  ", true},
	{"xml", "xml", "<a>ž</a>", false},
	{"json", "json", `{"a":1.10,"b":12345678901234567890}`, false},
	{"vector", "vector", "[1.0000000e+000,-1.0000000e-001,3.4028235e+038]", false},
	{"no vector", "vector", "x", false},
	{"date", "date", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), true},
	{"the first date", "date", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), true},
	{"the last date", "date", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), true},
	{"time", "time", time.Date(1, 1, 1, 23, 59, 59, 999999900, time.UTC), true},
	{"midnight", "time", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), true},
	{"less than a microsecond", "time", time.Date(1, 1, 1, 0, 0, 0, 100, time.UTC), true},
	{"minutes", "smalldatetime", time.Date(2024, 1, 2, 3, 4, 0, 0, time.UTC), true},
	{".003", "datetime", time.Date(2024, 1, 2, 3, 4, 5, 3000000, time.UTC), true},
	{".997", "datetime", time.Date(1753, 1, 1, 23, 59, 59, 997000000, time.UTC), true},
	{"seven digits", "datetime2", time.Date(2024, 1, 2, 3, 4, 5, 123456700, time.UTC), true},
	{"no fraction", "datetime2", time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), true},
	{"+14:00", "datetimeoffset", time.Date(2024, 1, 2, 3, 4, 5, 123456700, zone(14*60)), true},
	{"west", "datetimeoffset", time.Date(2024, 12, 31, 23, 0, 0, 0, zone(-90)), true},
	{"before the first year", "datetimeoffset", time.Date(1, 1, 1, 0, 0, 0, 0, zone(60)), true},
	{"after the last year", "datetimeoffset", time.Date(9999, 12, 31, 23, 0, 0, 0, zone(-120)), true},
	{"guid", "uniqueidentifier", []byte("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef"), true},
	{"no guid", "uniqueidentifier", []byte("x"), false},
	{"bytes", "varbinary", []byte("\x00\xff\x80"), true},
	{"no bytes", "varbinary", []byte{}, true},
	{"image", "image", []byte("a\xffb"), false},
	{"rowversion", "timestamp", []byte("\x00\x00\x00\x00\x00\x00\x07\xd1"), true},
	{"hierarchy", "hierarchyid", "/1/2/", false},
	{"place", "geography", "POINT (-122.349 47.651 10 2)", false},
	{"of the user", "point of mine", []byte("\x01\x02"), false},
	{"variant, int", "sql_variant", "int:7", false},
	{"variant, text with a colon", "sql_variant", "nvarchar:a:b", false},
	{"variant, date", "sql_variant", "date:2024-01-02", false},
	{"variant, time", "sql_variant", "time:03:04:05.1200000", false},
	{"variant, time without a fraction", "sql_variant", "time:03:04:05", false},
	{"variant, datetime", "sql_variant", "datetime:2024-01-02 03:04:05.120", false},
	{"variant, datetime2", "sql_variant", "datetime2:2024-01-02 03:04:05.1234567", false},
	{"variant, datetimeoffset", "sql_variant", "datetimeoffset:2024-01-02 03:04:05.1234567 +02:00", false},
	{"variant, no time", "sql_variant", "datetime:x", false},
	{"variant, bit", "sql_variant", "bit:1", false},
	{"variant, float", "sql_variant", "float:1.0000000000000001e-001", false},
	{"variant, real", "sql_variant", "real:1.0000000149011612e-001", false},
	{"variant, no float", "sql_variant", "float:x", false},
	{"variant, money", "sql_variant", "money:1.5000", false},
	{"variant, guid", "sql_variant", "uniqueidentifier:01234567-89AB-CDEF-0123-456789ABCDEF", false},
	{"variant, bytes", "sql_variant", "varbinary:00FF80", false},
	{"variant, no bytes", "sql_variant", "binary:x", false},
	{"variant, nothing", "sql_variant", "x", false},
}

// TestValues compares the driver's values with a golden file, in both encodings and in ids.
func TestValues(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, tt := range valueCases {
		fmt.Fprintf(&b, "%s: %s %s\n", tt.name, tt.typ, printed(tt.in))
		typ := typeOf(tt.typ)
		for _, compat := range []bool{false, true} {
			encoding := map[bool]string{false: "exact ", true: "compat"}[compat]
			in := tt.in
			if compat && typ.CompatFrom == "%" { // the driver's own bytes
				in = []byte("a\xff\x00")
			}
			got, reason := encode(typ.Encoded(compat), in)
			fmt.Fprintf(&b, "  %s %s", encoding, got)
			if reason != "" {
				fmt.Fprintf(&b, " (%s)", reason)
			}
			b.WriteString("\n")
		}
		if tt.key {
			left := ""
			if inIDs.IsZero(&typ, tt.in) {
				left = ", left out of those of seed87"
			}
			fmt.Fprintf(&b, "  id     %q%s\n  native %q\n", inIDs.Key(nil, &typ, tt.in), left, inIDs.Plain(nil, &typ, tt.in))
		}
	}
	sqltest.Golden(t, *update, "testdata/values.golden", b.String())
}

// printed is a driver's value as the golden file has it.
func printed(v driver.Value) string {
	switch v := v.(type) {
	case []byte, string:
		return fmt.Sprintf("%q", v)
	case time.Time:
		return v.Format("2006-01-02 15:04:05.0000000 -07:00")
	}
	return fmt.Sprint(v)
}

// TestBytesWithoutACharacterAreKeptApart checks the five unassigned bytes of code page 1252. The server decodes them,
// since the driver would turn all of them into the same character.
func TestBytesWithoutACharacterAreKeptApart(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, name := range []string{"char", "varchar", "text"} {
		d := declaration{name: name, length: 20, collation: "SQL_Latin1_General_CP1_CI_AS"}
		typ := d.columnType()
		if !strings.HasPrefix(typ.Selected("[c]"), "CONVERT(nvarchar(") {
			t.Errorf("%s: the driver decodes it", name)
		}
		for text, reason := range map[string]string{
			"é€": "", "a\u0081": "the byte 81 is no character of its code page", "a\u008d": "the byte 8d is no character of its code page",
			"a\u008f": "the byte 8f is no character of its code page", "a\u0090": "the byte 90 is no character of its code page", "a\u009d": "the byte 9d is no character of its code page",
		} {
			got, why := encode(typ, text)
			if why != reason {
				t.Errorf("%s %q: got %s and the reason %q, want %q", name, text, got, why, reason)
			}
			seen[got] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("six texts became %d", len(seen))
	}
	if _, why := encode(resultType("VARCHAR"), "a\ufffd"); !strings.Contains(why, "CONVERT(nvarchar(max)") {
		t.Errorf("the result of a rule: got the reason %q", why)
	}
}

// TestUnknownForms checks that a value of a Go type that the driver does not return today is null, with a note.
func TestUnknownForms(t *testing.T) {
	t.Parallel()
	for typ, in := range map[string]driver.Value{
		"int": "x", "bit": int64(1), "real": "x", "float": int64(1), "date": "2024-01-02", "time": "01:02", "datetime": "2024", "varbinary": "x", "timestamp": "x", "uniqueidentifier": "x",
	} {
		if got, reason := encode(typeOf(typ), in); got != "null" || !strings.HasSuffix(reason, " in an unknown form") {
			t.Errorf("%s: got %s, %q", typ, got, reason)
		}
	}
	for typ, in := range map[string]driver.Value{"float": "x", "decimal": []byte("x"), "datetime": "x", "time": "x", "datetimeoffset": "x"} {
		if got, reason := encode(typeOf(typ).Encoded(true), in); got != "null" || reason == "" {
			t.Errorf("compat: %s: got %s, %q", typ, got, reason)
		}
	}
}

// TestOneKindOfJSON checks that a column never changes its JSON type between rows.
func TestOneKindOfJSON(t *testing.T) {
	t.Parallel()
	for _, compat := range []bool{false, true} {
		kinds := map[string]document.Kind{}
		for _, tt := range valueCases {
			v, reason := typeOf(tt.typ).Encoded(compat).Value(tt.in)
			if v.IsNull() != (reason != "") {
				t.Errorf("%s %s: null %t, %q", tt.typ, tt.name, v.IsNull(), reason)
			}
			if v.IsNull() {
				continue
			}
			kind := v.Kind()
			if kind == document.KindBytes { // written as text
				kind = document.KindString
			}
			if before, ok := kinds[tt.typ]; ok && before != kind {
				t.Errorf("%s: %v and %v", tt.typ, before, kind)
			}
			kinds[tt.typ] = kind
		}
	}
}

// TestResultTypes checks that the driver names types as the catalog does, in capital letters.
func TestResultTypes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"TINYINT", "SMALLINT", "INT", "BIGINT", "BIT", "REAL", "FLOAT", "DECIMAL", "SMALLMONEY", "MONEY", "CHAR", "VARCHAR", "TEXT", "NCHAR", "NVARCHAR", "NTEXT", "XML",
		"DATE", "TIME", "SMALLDATETIME", "DATETIME", "DATETIME2", "DATETIMEOFFSET", "UNIQUEIDENTIFIER", "BINARY", "VARBINARY", "IMAGE",
	} {
		if typ := resultType(name); typ.Unknown != "" || typ.Declared != name || typ.From != "" {
			t.Errorf("%s is read as %+v", name, typ)
		}
	}
}
