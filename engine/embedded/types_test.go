package embedded

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTypesReadValues has what engine/elastictest cannot ask a server: what a value is read as, and the
// type that needs a module.
func TestTypesReadValues(t *testing.T) {
	t.Parallel()
	whole := func(n int64) value { return value{kind: kindWhole, whole: n} }
	real := func(n float64) value { return value{kind: kindReal, real: n} }
	date := func(text string) value {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return value{kind: kindDate, whole: at.UnixMilli()}
	}
	text := func(s string) value { return value{kind: kindText, text: s} }
	for _, tc := range []struct {
		typ, raw string
		want     value
		judged   verdict
	}{
		{"long", `7`, whole(7), fits},
		{"long", `"-7.9"`, whole(-7), fits},
		{"long", `1.5e3`, whole(1500), fits},
		{"long", `"٣.٥"`, whole(3), fits},
		{"long", `"-9223372036854775808.9"`, whole(-1 << 63), fits},
		{"long", `9223372036854775807.9`, whole(1<<63 - 1), fits},
		{"long", `"0e18"`, whole(0), fits},
		{"long", `"0e19"`, whole(0), malformed},
		{"long", `""`, whole(0), nothing},
		{"long", `"1e99999999999"`, whole(0), malformed},
		{"long", `"1e+"`, whole(0), malformed},
		{"double", `"0x1.8p1"`, real(3), fits},
		{"double", `"\t 1.5d\n"`, real(1.5), fits},
		{"double", `""`, real(0), nothing},
		{"float", `0.5`, real(0.5), fits},
		{"integer", `"2.9"`, whole(2), fits},
		{"integer", `"NaN"`, whole(0), fits},
		{"boolean", `""`, value{kind: kindBool}, fits},
		{"boolean", `"true"`, value{kind: kindBool, whole: 1}, fits},
		{"date", `"2024"`, date("2024-01-01T00:00:00Z"), fits},
		{"date", `2024`, date("2024-01-01T00:00:00Z"), fits},
		{"date", `"20240"`, value{kind: kindDate, whole: 20240}, fits},
		{"date", `2024.9`, value{kind: kindDate, whole: 2024}, fits},
		{"date", `-9223372036854775808`, value{kind: kindDate, whole: -1 << 63}, fits},
		{"date", `"2024-02"`, date("2024-02-01T00:00:00Z"), fits},
		{"date", `"2024-02-29T"`, date("2024-02-29T00:00:00Z"), fits},
		{"date", `"2024-02-29T10"`, date("2024-02-29T10:00:00Z"), fits},
		{"date", `"2024-02-29T10:11:12,5+01:30"`, date("2024-02-29T10:11:12.5+01:30"), fits},
		{"date", `"2024-02-29T10:11-0130"`, date("2024-02-29T10:11:00-01:30"), fits},
		{"date", `"2024-02-29T10:11:12.123456789Z"`, date("2024-02-29T10:11:12.123Z"), fits},
		{"date", `"0000-01-01"`, date("0000-01-01T00:00:00Z"), fits},
		{"date", `"-0001-12-31"`, value{kind: kindDate, whole: -62198755200000 + 364*24*3600*1000}, fits},
		{"date", `"-0044"`, value{kind: kindDate, whole: -63555753600000}, fits},
		{"date", `"-044"`, value{kind: kindDate, whole: -44}, fits},
		{"date", `"2024-01-15T10:11:12Europe/Berlin"`, value{kind: kindDate, whole: 1705313472000}, unsure},
		{"ip", `"00001::"`, text("00001::"), fits},
		{"ip", `"1.2.3.4%eth0"`, text("1.2.3.4%eth0"), fits},
		{"ip", `"000001.2.3.4"`, text("000001.2.3.4"), malformed},

		{"unsigned_long", `18446744073709551615`, text("18446744073709551615"), fits},
		{"unsigned_long", `"18446744073709551615"`, text("18446744073709551615"), fits},
		{"unsigned_long", `18446744073709551616`, text("18446744073709551616"), malformed},
		{"unsigned_long", `"18446744073709551616"`, text("18446744073709551616"), malformed},
		{"unsigned_long", `0`, text("0"), fits},
		{"unsigned_long", `-1`, text("-1"), malformed},
		{"unsigned_long", `"-1"`, text("-1"), malformed},
		{"unsigned_long", `"-0"`, text("-0"), fits},
		{"unsigned_long", `"1.0"`, text("1.0"), fits},
		{"unsigned_long", `"1.5"`, text("1.5"), malformed},
		{"unsigned_long", `"15e-1"`, text("15e-1"), malformed},
		{"unsigned_long", `"1.5e1"`, text("1.5e1"), fits},
		{"unsigned_long", `1.0`, text("1.0"), fits},
		{"unsigned_long", `1.5`, text("1.5"), malformed},
		{"unsigned_long", `1e2`, text("1e2"), fits},
		{"unsigned_long", `""`, text(""), nothing},
		{"unsigned_long", `" 1"`, text(" 1"), malformed},
		{"unsigned_long", `true`, text("true"), malformed},
		{"unsigned_long", `"abc"`, text("abc"), malformed},
	} {
		got, judged := checkedType(tc.typ).read([]byte(tc.raw))
		if judged != tc.judged || judged != malformed && got != tc.want {
			t.Errorf("%s %s: %+v, %d, want %+v, %d", tc.typ, tc.raw, got, judged, tc.want, tc.judged)
		}
	}
}

func TestCheckedTypesAreTypes(t *testing.T) {
	t.Parallel()
	known := strings.Join(fieldTypes(), " ")
	for _, typ := range checkedTypes() {
		if !strings.Contains(" "+known+" ", " "+typ.name+" ") {
			t.Errorf("Elasticsearch has no type %s", typ.name)
		}
		if got := checkedType(typ.name); got == nil || got.name != typ.name {
			t.Errorf("checkedType(%s) is %v", typ.name, got)
		}
	}
}

// FuzzTypes reads every text as every type: what was read reads the same when it is written plainly, and
// types that hold more take what types that hold less take.
func FuzzTypes(f *testing.F) {
	for _, s := range []string{
		"", " ", "1", "-1.5", "1e400", "0x1p3", "1f", "9223372036854775808", "18446744073709551615", "٣", "NaN", "true", "2024-01-15T10:11:12,5+01:30", "-0044", "1.5",
		"24:00:00", "1.2.3.4%a", "::ffff:01.2.3.4", "2024-01-15T10Europe/Berlin", "0e20", ".", "-", "+.e1", "1e-99999999999", "\x00", "00001::", "2024-02-30",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raws := [][]byte{mustMarshal(s)}
		if c := newChecker(); len(s) > 0 && s[0] != '{' && s[0] != '[' && s[0] != 'n' && s[0] != '"' {
			if end, p := c.check([]byte(s)); p == nil && end == len(s) && skipSpace([]byte(s), 0) == 0 && endOfScalar([]byte(s+","), 0) == len(s) {
				raws = append(raws, []byte(s))
			}
		}
		for _, raw := range raws {
			read := map[string]value{}
			for _, typ := range checkedTypes() {
				if v, judged := typ.read(raw); judged == fits {
					read[typ.name] = v
				}
			}
			checkReads(t, raw, read)
		}
	})
}

func checkReads(t *testing.T, raw []byte, read map[string]value) {
	again := func(typ, plain string) {
		v, judged := checkedType(typ).read([]byte(plain))
		if judged != fits || v != read[typ] {
			t.Fatalf("%s %s was read as %+v, and that as %s is read as %+v (%d)", typ, raw, read[typ], plain, v, judged)
		}
	}
	if v, ok := read["long"]; ok {
		again("long", strconv.FormatInt(v.whole, 10))
		again("long", `"`+strconv.FormatInt(v.whole, 10)+`"`)
	}
	if v, ok := read["double"]; ok {
		again("double", string(mustMarshal(v.real)))
	}
	if v, ok := read["date"]; ok && (v.whole < -9999 || v.whole > 9999) {
		again("date", strconv.FormatInt(v.whole, 10))
	}
	if v, ok := read["float"]; ok {
		if _, double := read["double"]; !double {
			t.Fatalf("%s is the float %v and no double", raw, v.real)
		}
	}
	if _, ok := read["unsigned_long"]; ok && raw[0] == '"' {
		whole, exact := json.Number(read["unsigned_long"].text), false
		if d, ok := parseDecimal([]byte(whole)); ok {
			_, exact, _ = d.whole()
		}
		if !exact {
			t.Fatalf("%s is an unsigned_long with a fraction", raw)
		}
	}
	for _, typ := range []string{"text", "keyword", "binary"} {
		if _, ok := read[typ]; !ok {
			t.Fatalf("%s is no %s", raw, typ)
		}
	}
}
