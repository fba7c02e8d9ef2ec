package postgresql

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestCompat has the values that no server writes, or only with effort; TestValuesFromServer has the others.
func TestCompat(t *testing.T) {
	t.Parallel()
	checkScalars(t, true, []scalarCase{
		{oidNumeric, "1" + strings.Repeat("0", 400), "null", "not a number of 64 bits"},
		{oidNumeric, "0." + strings.Repeat("0", 400) + "1", "0.0", ""},
		{oidNumeric, "12345678901234567890.12", "1.2345678901234567e+19", ""},
		{oidNumeric, "NaN", "null", "NaN is no JSON number"},
		{oidFloat8, "-0", "-0.0", ""},
		{oidFloat8, "1e-07", "1e-07", ""},
		{oidFloat8, "Infinity", "null", "Infinity is no JSON number"},
		{oidFloat4, "NaN", "null", "NaN is no JSON number"},
		{oidFloat4, "1.6777216e+07", "16777216.0", ""},
		{oidMoney, "-12,50 €", `"-12,50 €"`, ""},
		{oidBytea, `\x0`, "null", "unknown form"},
		{oidBytea, `\x`, `""`, ""},
		{oidBytea, `\xffe28241eda080`, `"A"`, ""},
		{oidDate, "0044-03-15 BC", "null", "before 1"},
		{oidTimestamp, "10000-01-01 00:00:00", "null", "after 9999"},
		{oidTimestampTZ, "0001-01-01 00:00:00+00", `"0001-01-01T00:00:00+00:00"`, ""},
		{oidTimestampTZ, "-infinity", `"0001-01-01T00:00:00"`, ""},
		{oidTime, "24:00:00", `"24:00:00"`, ""},
		{oidInterval, "P1D", `"P1D"`, ""},
		{oidBit, "", `""`, ""},
		{oidBit, "10101", `"1010 1"`, ""},
		{oidPoint, "(1e+300,-Infinity)", `"(1e+300, -inf)"`, ""},
		{oidPoint, "odd", `"odd"`, ""},
		{oidJSON, `{"a":[],"b":{},"c":null,"d":true,"e":"ž\u0000"}`, `{"a":[],"b":{},"c":null,"d":true,"e":"ž\u0000"}`, ""},
		{oidJSON, ` null `, "null", ""},
		{oidJSON, `{"a":{"x":1,"x":2},"a":{"y":1,"y":[3]}}`, `{"a":{"y":[3]}}`, ""},
		{oidJSON, `{`, "null", "unknown form"},
		{oidJSON, strings.Repeat("[", 1e6) + strings.Repeat("]", 1e6), "null", "unknown form"},
		{oidJSONB, `"null"`, `"null"`, ""},
		{oidJSONB, `1 2`, "null", "unknown form"},
	})
}

// FuzzCompat checks that every value becomes JSON.
func FuzzCompat(f *testing.F) {
	f.Add(uint32(oidNumeric), "1e400")
	f.Add(uint32(oidCircle), "<(0,0),5>")
	f.Add(uint32(oidLine), "{NaN,-Infinity}")
	f.Add(uint32(oidJSON), `{"a":[1,{"b":null}],"a":2}`)
	f.Add(uint32(oidJSONB), "[1.50]")
	f.Add(uint32(oidJSONB), `{"x":1,"x.y":[{"":null}]}`)
	f.Add(uint32(oidTimestampTZ), "2024-01-02 03:04:05.1+00")
	f.Add(uint32(oidBytea), `\xe282`)
	f.Fuzz(func(t *testing.T, oid uint32, text string) {
		typ, ok := scalar(oid)
		if !ok {
			return
		}
		v, reason := typ.Encoded(true).Value(text)
		if got := jsonOf(v); !json.Valid([]byte(got)) || reason != "" && !v.IsNull() {
			t.Errorf("%d %q: %s, %q", oid, text, got, reason)
		}
	})
}

// TestNamesInJSONAreWhatAnIndexTakes also covers objects within objects.
func TestNamesInJSONAreWhatAnIndexTakes(t *testing.T) {
	t.Parallel()
	for _, oid := range []uint32{oidJSON, oidJSONB} {
		typ, _ := scalar(oid)
		v, reason := typ.Encoded(true).Value(`{"x": 1, "x.y": [{"": 2.50, "a..b": {".": null}}], "p.q": "."}`)
		if got := jsonOf(v); got != `{"x":1,"x_y":[{"_":2.50,"a__b":{"_":null}}],"p.q":"."}` || reason != "" {
			t.Errorf("%d: got %s, %q", oid, got, reason)
		}
	}
}

// TestTheEncodingChangesNoID, except for keys of the type money, whose text differs.
func TestTheEncodingChangesNoID(t *testing.T) {
	t.Parallel()
	for _, oid := range []uint32{
		oidInt4, oidBool, oidFloat4, oidFloat8, oidNumeric, oidBytea, oidDate, oidTimestamp, oidTimestampTZ, oidTime, oidTimeTZ,
		oidInterval, oidJSONB, oidBit, oidPoint, 25,
	} {
		typ, _ := scalar(oid)
		compat := typ.Encoded(true)
		for _, text := range []string{"0", "t", "12.50", `\x00ff`, "infinity", "2024-01-02 03:04:05.5+00", "P1D", "(1,2)", "10101", "{}"} {
			exact, same := string(appendKey(nil, &typ, []byte(text))), string(appendKey(nil, &compat, []byte(text)))
			if exact != same || isZero(&typ, []byte(text)) != isZero(&compat, []byte(text)) || compat.From != "" {
				t.Errorf("%d %q: %s in exact, %s in compat", oid, text, exact, same)
			}
		}
	}
}
