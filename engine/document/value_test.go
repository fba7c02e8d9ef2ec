package document

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestEveryKindInJSON is the specification of how values look in Elasticsearch.
func TestEveryKindInJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		value Value
		kind  Kind
		want  string
	}{
		{"the zero value is null", Value{}, KindNull, `null`},
		{"null", Null(), KindNull, `null`},
		{"true", Bool(true), KindBool, `true`},
		{"false", Bool(false), KindBool, `false`},
		{"an integer has all its digits", Int(-9007199254740993), KindInt, `-9007199254740993`},
		{"the smallest integer", Int(math.MinInt64), KindInt, `-9223372036854775808`},
		{"the largest unsigned integer", Uint(math.MaxUint64), KindUint, `18446744073709551615`},
		{"a float", Float(12.5), KindFloat, `12.5`},
		{"a decimal is a string, so no digit is lost", Decimal("12.50"), KindDecimal, `"12.50"`},
		{"a number stands digit by digit", Number("12.50"), KindRaw, `12.50`},
		{"a string", String("a"), KindString, `"a"`},
		{"an empty string is not null", String(""), KindString, `""`},
		{"a time is UTC", Time(time.Date(2024, 2, 29, 1, 0, 0, 0, time.FixedZone("", 2*3600))), KindTime, `"2024-02-28T23:00:00Z"`},
		{"bytes are base64", Bytes([]byte{0, 0xff, 0xfe}), KindBytes, `"AP/+"`},
		{"no bytes", Bytes(nil), KindBytes, `""`},
		{"an empty list", List(nil), KindList, `[]`},
		{"a list of several kinds", List([]Value{Int(1), Null(), String("x"), List([]Value{Bool(true)})}), KindList, `[1,null,"x",[true]]`},
		{"an empty object", Object(nil), KindObject, `{}`},
		{"an object keeps the order of its fields", Object([]Field{{"b", Int(1)}, {`a"`, Object([]Field{{"c", Null()}})}}), KindObject, `{"b":1,"a\"":{"c":null}}`},
		{"an inner object may have reserved names", Object([]Field{{"id", Int(1)}, {"_id", Int(2)}}), KindObject, `{"id":1,"_id":2}`},
		{"raw JSON is unchanged", Raw(`{"b":1.0,"a":[]}`), KindRaw, `{"b":1.0,"a":[]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.value.Kind() != tt.kind || tt.value.IsNull() != (tt.kind == KindNull) {
				t.Errorf("Kind() = %d, IsNull() = %v, want kind %d", tt.value.Kind(), tt.value.IsNull(), tt.kind)
			}
			if got := string(tt.value.AppendJSON([]byte("x:"))); got != "x:"+tt.want {
				t.Errorf("AppendJSON = %s, want x:%s", got, tt.want)
			}
		})
	}
}

func TestGetters(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 1, 2, 3, 4, 5, 6, time.UTC)
	if !Bool(true).Bool() || Bool(false).Bool() {
		t.Error("Bool")
	}
	if got := Int(-7).Int(); got != -7 {
		t.Errorf("Int() = %d", got)
	}
	if got := Float(-0.5).Float(); got != -0.5 {
		t.Errorf("Float() = %v", got)
	}
	for _, v := range []Value{String("a\xff"), Decimal("a\xff"), Raw("a\xff"), Bytes([]byte("a\xff"))} {
		if got := v.Text(); got != "a\xff" {
			t.Errorf("Text() of kind %d = %q", v.Kind(), got)
		}
	}
	if got := Time(now).Time(); !got.Equal(now) {
		t.Errorf("Time() = %v", got)
	}
	if got := String("x").Time(); !got.IsZero() {
		t.Errorf("Time() of a string = %v", got)
	}
}

// TestBytesAreCopied: a driver may reuse its buffer at once.
func TestBytesAreCopied(t *testing.T) {
	t.Parallel()
	b := []byte("abc")
	v := Bytes(b)
	b[0] = 'x'
	if got := v.Text(); got != "abc" {
		t.Errorf("Text() = %q, want abc", got)
	}
}

func TestAppendString(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"plain ASCII", "abc 123 ~/<>&'", `"abc 123 ~/<>&'"`},
		{"empty", "", `""`},
		{"quote and backslash", `a"b\c`, `"a\"b\\c"`},
		{"short escapes", "\n\r\t", `"\n\r\t"`},
		{"other control characters", "\x00\x01\x1f\b\f", `"\u0000\u0001\u001f\u0008\u000c"`},
		{"delete is no control character of JSON", "\x7f", "\"\x7f\""},
		{"multi-byte runes stand as they are", "é€😀", `"é€😀"`},
		{"line separators of JavaScript stand as they are", "\u2028\u2029", "\"\u2028\u2029\""},
		{"a real replacement character stays", "a\uFFFDb", "\"a\uFFFDb\""},
		{"a stray byte", "a\xffb", "\"a\uFFFDb\""},
		{"every stray byte is replaced alone", "\xff\xfe", "\"\uFFFD\uFFFD\""},
		{"a rune that is cut off", "a\xe2\x82", "\"a\uFFFD\uFFFD\""},
		{"an overlong slash", "\xc0\xaf", "\"\uFFFD\uFFFD\""},
		{"a surrogate written in UTF-8", "\xed\xa0\x80", "\"\uFFFD\uFFFD\uFFFD\""},
		{"beyond U+10FFFF", "\xf4\x90\x80\x80", "\"\uFFFD\uFFFD\uFFFD\uFFFD\""},
		{"escapes between runes", "é\"\xff\n€", "\"é\\\"\uFFFD\\n€\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := string(AppendString(nil, tt.in))
			if got != tt.want {
				t.Errorf("AppendString(%q) = %s, want %s", tt.in, got, tt.want)
			}
			checkLine(t, []byte(got))
		})
	}
}

// TestAppendStringAtEveryPlace: plain text is looked at in words of eight bytes; a byte that needs
// care is found wherever it stands in a word, also beside another one.
func TestAppendStringAtEveryPlace(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for place := range 20 {
			for _, next := range []byte{'a', ' ', '!', '#', '[', ']', '\x7f', '"', '\\', 0, 0x1f, 0x80, 0xff} {
				b := []byte("abcdefghijklmnopqrstu")
				b[place], b[place+1] = byte(c), next
				want, err := json.Marshal(string([]rune(string(b)))) // as U+FFFD, where it is none
				if err != nil {
					t.Fatal(err)
				}
				var text, got string
				if err := json.Unmarshal(want, &text); err != nil {
					t.Fatal(err)
				}
				out := AppendString(nil, string(b))
				if err := json.Unmarshal(out, &got); err != nil || got != text {
					t.Fatalf("AppendString(%q) = %s: %v", b, out, err)
				}
			}
		}
	}
}

func TestFloatsAreShortest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   float64
		want string
	}{
		{0, "0.0"},
		{1, "1.0"},
		{-1.5, "-1.5"},
		{0.1, "0.1"},
		{1.0 / 3, "0.3333333333333333"},
		{12.50, "12.5"},
		{1e20, "100000000000000000000.0"},
		{1e21, "1e+21"},
		{1e-6, "0.000001"},
		{1e-7, "1e-07"},
		{math.MaxFloat64, "1.7976931348623157e+308"},
		{math.SmallestNonzeroFloat64, "5e-324"},
		{9007199254740993, "9007199254740992.0"},
		{math.NaN(), "null"},
		{math.Inf(1), "null"},
		{math.Inf(-1), "null"},
	}
	for _, tt := range tests {
		if got := string(Float(tt.in).AppendJSON(nil)); got != tt.want {
			t.Errorf("Float(%v) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestTimeBounds(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("east", 3600)
	tests := []struct {
		name string
		in   time.Time
		want string
	}{
		{"nine digits", time.Date(2024, 1, 1, 0, 0, 0, 123456789, time.UTC), `"2024-01-01T00:00:00.123456789Z"`},
		{"no trailing zeros", time.Date(2024, 1, 1, 0, 0, 0, 120_000_000, time.UTC), `"2024-01-01T00:00:00.12Z"`},
		{"Go's zero time", time.Time{}, `"0001-01-01T00:00:00Z"`},
		{"year 0", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), `"0000-01-01T00:00:00Z"`},
		{"before year 0", time.Date(-1, 12, 31, 23, 59, 59, 0, time.UTC), `null`},
		{"before year 0 only in UTC", time.Date(0, 1, 1, 0, 30, 0, 0, east), `null`},
		{"the last instant", time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), `"9999-12-31T23:59:59.999999999Z"`},
		{"year 10000", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), `null`},
		{"year 10000 only where it was written", time.Date(10000, 1, 1, 0, 30, 0, 0, east), `"9999-12-31T23:30:00Z"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(Time(tt.in).AppendJSON(nil)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCompactRaw(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
	tests := []struct{ name, in, want string }{ // want "" is an error
		{"space goes", " { \"a\" :\t[ 1 ,\r\n2 ] } ", `{"a":[1,2]}`},
		{"space in strings stays", `{"a b":" c  d "}`, `{"a b":" c  d "}`},
		{"numbers and key order stay", `{"b": 1.50, "a": 1E+2, "c": -0}`, `{"b":1.50,"a":1E+2,"c":-0}`},
		{"escapes stay", `"\u0041\n\"\\ \/"`, `"\u0041\n\"\\ \/"`},
		{"an escaped backslash ends before the quote", `["\\", " x "]`, `["\\"," x "]`},
		{"scalars", ` true `, `true`},
		{"duplicate keys are not our business", `{"a":1,"a":2}`, `{"a":1,"a":2}`},
		{"big numbers", `123456789012345678901234567890.10`, `123456789012345678901234567890.10`},
		{"invalid UTF-8 in a string", "\"a\xffb\"", "\"a\uFFFDb\""},
		{"a lone surrogate as an escape stays", `"\ud800"`, `"\ud800"`},
		{"deep nesting", deep, deep},
		{"too deep nesting is an error, not a crash", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), ""},
		{"empty", "", ""},
		{"two values", "1 2", ""},
		{"cut off", `{"a":`, ""},
		{"a bare word", "nul", ""},
		{"a line break in a string", "\"a\nb\"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := CompactRaw([]byte(tt.in))
			if (err != nil) != (tt.want == "") {
				t.Fatalf("error %v, want one: %v", err, tt.want == "")
			}
			if got := v.Text(); got != tt.want {
				t.Errorf("got %.200s, want %.200s", got, tt.want)
			}
			if err == nil && v.Kind() != KindRaw {
				t.Errorf("kind %d, want KindRaw", v.Kind())
			}
		})
	}
}

// TestDeepValues: nesting that no JSON parser takes is still written without a crash.
func TestDeepValues(t *testing.T) {
	t.Parallel()
	v := Null()
	for range 10_000 {
		v = Object([]Field{{"a", List([]Value{v})}})
	}
	got := string(v.AppendJSON(nil))
	if want := strings.Repeat(`{"a":[`, 10_000) + "null" + strings.Repeat("]}", 10_000); got != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}

// checkLine fails unless b is valid JSON in valid UTF-8 on one line.
func checkLine(t *testing.T, b []byte) {
	t.Helper()
	switch {
	case !json.Valid(b):
		t.Errorf("not valid JSON: %.300q", b)
	case !utf8.Valid(b):
		t.Errorf("not valid UTF-8: %.300q", b)
	case strings.ContainsAny(string(b), "\n\r"):
		t.Errorf("more than one line: %.300q", b)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\x00", "é\xff€", "\xed\xa0\x80", "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := AppendString(nil, s)
		checkLine(t, b)
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		// Ranging over a string yields U+FFFD for every stray byte, as we write it.
		if want := string([]rune(s)); got != want {
			t.Errorf("AppendString(%q) reads back as %q", s, got)
		}
	})
}

func FuzzCompactRaw(f *testing.F) {
	for _, s := range []string{`{"a": [1, 2.50, "x y\"\\", null]}`, " 1 ", "\"\xff\"", `{"a":1} x`, "[[[]]]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := CompactRaw(text)
		if (err == nil) != json.Valid(text) {
			t.Fatalf("error %v, valid %v", err, json.Valid(text))
		}
		if err != nil {
			return
		}
		b := v.AppendJSON(nil)
		checkLine(t, b)
		var got, want any
		if json.Unmarshal(b, &got) != nil || json.Unmarshal(text, &want) != nil {
			return // a number beyond float64
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the value changed (-want +got):\n%s", diff)
		}
		again, err := CompactRaw(b)
		if err != nil || again.Text() != v.Text() {
			t.Errorf("compacting again: %q, %v, want %q", again.Text(), err, v.Text())
		}
	})
}
