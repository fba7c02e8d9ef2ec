package postgresql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

func jsonOf(v document.Value) string { return string(v.AppendJSON(nil)) }

// TestScalar covers the built-in types; TestValuesFromServer has the server's own texts.
func TestScalar(t *testing.T) {
	t.Parallel()
	checkScalars(t, false, []scalarCase{
		{oidInt8, "9007199254740993", "9007199254740993", ""},
		{oidInt8, "x", "null", "not an integer"},
		{oidBool, "t", "true", ""},
		{oidBool, "f", "false", ""},
		{oidFloat8, "16777216", "16777216.0", ""},
		{oidFloat8, "1e-07", "1e-07", ""},
		{oidFloat4, "NaN", "null", "NaN"},
		{oidFloat8, "", "null", "not a number"},
		{oidNumeric, "-0.00", `"-0.00"`, ""},
		{oidNumeric, "-Infinity", "null", "-Infinity"},
		{oidBytea, `\x`, `""`, ""},
		{oidBytea, `\x0`, "null", "unknown form"},
		{oidBytea, "ab", "null", "unknown form"},
		{oidDate, "2024-01-02", `"2024-01-02"`, ""},
		{oidDate, "", "null", "after 9999"},
		{oidDate, "0044-03-15 BC", "null", "before 1"},
		{oidTimestamp, "2024-01-02 03:04:05.1", `"2024-01-02T03:04:05.1Z"`, ""},
		{oidTimestamp, "2024-01-02", "null", "unknown form"},
		{oidTimestampTZ, "2024-01-02 03:04:05+00", `"2024-01-02T03:04:05Z"`, ""},
		{oidTimestampTZ, "2024-01-02 03:04:05+01", "null", "not in UTC"},
		{oidTime, "24:00:00", `"24:00:00"`, ""},
		{25, "\x00\xff", `"\u0000` + "\uFFFD" + `"`, "no UTF-8"},
	})
}

// scalarCase is a value of a built-in type in the server's text; reason is what is lost.
type scalarCase struct {
	oid              uint32
	in, want, reason string
}

// checkScalars checks the conversion of values in one encoding.
func checkScalars(t *testing.T, compat bool, cases []scalarCase) {
	t.Helper()
	for _, tt := range cases {
		typ, ok := scalar(tt.oid)
		if !ok {
			t.Fatalf("%d is not known", tt.oid)
		}
		v, reason := typ.Encoded(compat).Value(tt.in)
		if got := jsonOf(v); got != tt.want || !strings.Contains(reason, tt.reason) || (reason == "") != (tt.reason == "") {
			t.Errorf("%d %.40q: got %s, %q; want %s, %q", tt.oid, tt.in, got, reason, tt.want, tt.reason)
		}
	}
}

func TestToNumbers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"[1,2.5,-3e-05]": "[1.0,2.5,-0.00003]", "[]": "[]", "1,2": "null", "[1,x]": "null",
	} {
		if v, _ := toNumbers(in); jsonOf(v) != want {
			t.Errorf("%s: got %s, want %s", in, jsonOf(v), want)
		}
	}
}

func TestTypesAreResolved(t *testing.T) {
	t.Parallel()
	known := types{
		50000: {name: "d", kind: "d", base: 50001},
		50001: {name: "_d2", kind: "b", category: "A", element: 50002, delimiter: ","},
		50002: {name: "d2", kind: "d", base: oidMoney},
		50003: {name: "vector", kind: "b", category: "U"},
		50004: {name: "geometry", kind: "b", category: "U"},
		50005: {name: "_geometry", kind: "b", category: "A", element: 50004, delimiter: ":"},
		50006: {name: "mood", kind: "e"},
	}
	for _, tt := range []struct {
		oid                     uint32
		in, want, from, unknown string
	}{
		{50000, "{1.50,NULL}", `["1.50",null]`, "%::numeric[]", ""},
		{50003, "[1,2]", "[1.0,2.0]", "", ""},
		{50004, "0101", `"0101"`, "", "geometry"},
		{50005, "{01:02}", `["01","02"]`, "", "geometry"},
		{50006, "sad", `"sad"`, "", ""},
		{59999, "x", `"x"`, "", ""}, // no longer in the catalog
	} {
		c := known.column(tt.oid)
		v, _ := c.Value(tt.in)
		got := []string{jsonOf(v), c.From, c.Unknown}
		if diff := cmp.Diff([]string{tt.want, tt.from, tt.unknown}, got); diff != "" {
			t.Errorf("%d: %s", tt.oid, diff)
		}
	}
}

func TestParseArray(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"{}":                       "[]",
		"{a}":                      `["a"]`,
		"{NULL,null,\"NULL\"}":     `[null,null,"NULL"]`,
		`{"","a b","{","\"","\\"}`: `["","a b","{","\"","\\"]`,
		`{"x\"y\\z,}"}`:            `["x\"y\\z,}"]`,
		"{{1,2},{3,4}}":            `[["1","2"],["3","4"]]`,
		"[2:3]={1,2}":              `["1","2"]`,
		"[0:0][-1:0]={{1,2}}":      `[["1","2"]]`,
		"{ž}":                      `["ž"]`,
		"":                         "null",
		"{":                        "null",
		"{a":                       "null",
		"{a,}":                     "null",
		"{,a}":                     "null",
		`{"a`:                      "null",
		`{"a\`:                     "null",
		"{a}b":                     "null",
		"{a{b}}":                   `null`,
		"[1:2]{a}":                 "null",
		strings.Repeat("{", 1e5):   "null",
	} {
		v, reason := parseArray(in, ',', toText)
		if got := jsonOf(v); got != want || (want == "null") != (reason == badArray) {
			t.Errorf("%.20s: got %s, %q; want %s", in, got, reason, want)
		}
	}
}

func FuzzParseArray(f *testing.F) {
	f.Add(`{1,NULL,"a \"b\""}`)
	f.Add("[0:1]={{1},{2}}")
	f.Fuzz(func(t *testing.T, text string) {
		v, reason := parseArray(text, ',', toText)
		if v.IsNull() != (reason == badArray) {
			t.Errorf("%q: got %s with the reason %q", text, jsonOf(v), reason)
		}
	})
}

func TestKeyText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		oid      uint32
		in, want string
	}{
		{oidInt4, "0", "0"},
		{oidBool, "t", "True"},
		{oidBool, "f", "False"},
		{oidFloat8, "1", "1.0"},
		{oidFloat8, "0", "0.0"},
		{oidFloat8, "-0", "-0.0"},
		{oidFloat8, "1e+15", "1000000000000000.0"},
		{oidFloat8, "1e+16", "1e+16"},
		{oidFloat8, "0.0001", "0.0001"},
		{oidFloat8, "1e-05", "1e-05"},
		{oidFloat8, "1.5e+300", "1.5e+300"},
		{oidFloat8, "Infinity", "inf"},
		{oidFloat8, "-Infinity", "-inf"},
		{oidFloat8, "NaN", "nan"},
		{oidNumeric, "12.50", "12.50"},
		{oidFloat4, "0.1", "0.10000000149011612"},
		{oidFloat4, "1.6777216e+07", "16777216.0"},
		{oidNumeric, "9990", "9990"},
		{oidNumeric, "10000", "1E+4"},
		{oidNumeric, "10000.00", "10000.00"},
		{oidNumeric, "-12300000000", "-1.23E+10"},
		{oidNumeric, "1000000000000000000", "1.00E+18"},
		{oidNumeric, "100000000000000000000", "1E+20"},
		{oidNumeric, "0", "0"},
		{oidNumeric, "0.000001", "0.000001"},
		{oidNumeric, "0.0000001", "1E-7"},
		{oidNumeric, "-0.00000120", "-0.00000120"},
		{oidNumeric, "-0.00000012", "-1.2E-7"},
		{oidNumeric, "0.000000", "0.000000"},
		{oidNumeric, "0.0000000", "0E-7"},
		{oidTimestamp, "2024-01-02 03:04:05", "2024-01-02 03:04:05"},
		{oidTimestamp, "2024-01-02 03:04:05.1", "2024-01-02 03:04:05.100000"},
		{oidTimestamp, "2024-01-02 03:04:05.123456", "2024-01-02 03:04:05.123456"},
		{oidDate, "2024-01-02", "2024-01-02"},
		{oidDate, "infinity", "9999-12-31"},
		{oidDate, "-infinity", "0001-01-01"},
		{oidTimestamp, "infinity", "9999-12-31 23:59:59.999999"},
		{oidTimestamp, "-infinity", "0001-01-01 00:00:00"},
		{oidTimestamp, "0044-03-15 12:00:00.5 BC", "0044-03-15 12:00:00.5 BC"},
		{oidTimestampTZ, "2024-01-02 03:04:05.1+00", "2024-01-02 03:04:05.100000+00:00"},
		{oidTimestampTZ, "infinity", "9999-12-31 23:59:59.999999"},
		{oidTimeTZ, "03:04:05+05:30", "03:04:05+05:30"},
		{oidTime, "03:04:05.5", "03:04:05.500000"},
		{oidBytea, `\x`, "b''"},
		{oidBytea, `\x27`, `b"'"`},
		{oidBytea, `\x2722`, `b'\'"'`},
		{oidBytea, `\x090a0d5c7fff41`, `b'\t\n\r\\\x7f\xffA'`},
		{oidBytea, "odd", "odd"},
		{oidInterval, "PT0S", "0:00:00"},
		{oidInterval, "P1D", "1 day, 0:00:00"},
		{oidInterval, "P-2DT1H", "-2 days, 1:00:00"},
		{oidInterval, "PT-1.5S", "-1 day, 23:59:58.500000"},
		{oidInterval, "PT-0.5S", "-1 day, 23:59:59.500000"},
		{oidInterval, "P1Y2M3DT4H5M6.789S", "428 days, 4:05:06.789000"},
		{oidInterval, "odd", "odd"},
		{oidInterval, "PxD", "PxD"},
	} {
		typ, _ := scalar(tt.oid)
		if got := string(appendKey(nil, &typ, []byte(tt.in))); got != tt.want {
			t.Errorf("%d %q: got %q, want %q", tt.oid, tt.in, got, tt.want)
		}
	}
}

func FuzzKeyText(f *testing.F) {
	f.Add(uint32(oidInterval), "P1Y2M3DT4H5M6.789S")
	f.Add(uint32(oidNumeric), "-0.00000012")
	f.Add(uint32(oidTimestampTZ), "2024-01-02 03:04:05.1+00")
	f.Fuzz(func(t *testing.T, oid uint32, text string) {
		typ, _ := scalar(oid)
		if got := appendKey([]byte("id_"), &typ, []byte(text)); !strings.HasPrefix(string(got), "id_") {
			t.Errorf("%q lost what was before it", text)
		}
	})
}

func TestRowNotesAreCapped(t *testing.T) {
	t.Parallel()
	numeric, _ := scalar(oidNumeric)
	tab := &table{}
	raw := [][]byte{}
	for range 30 {
		tab.Columns = append(tab.Columns, column{Name: "c", Type: numeric})
		raw = append(raw, []byte("NaN"))
	}
	p := &part{db: &database{Config: sqlread.Config{Log: discard()}}, Subject: sqlread.Subject{Rel: relation{Schema: "s", Name: "t"}}}
	r := p.newRow(tab)
	for range 2 { // the fields are used again
		doc := r.document(raw)
		last := doc.Fields[len(doc.Fields)-1]
		if n := strings.Count(jsonOf(last.Value), "NaN"); last.Name != sqlread.NotesField || n != 20 {
			t.Errorf("got %d notes in %q", n, last.Name)
		}
	}
	for i := range raw {
		raw[i] = []byte("1")
	}
	if doc := r.document(raw); len(doc.Fields) != 3+30 {
		t.Errorf("notes of another row remain: %d fields", len(doc.Fields))
	}
}
