package field

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConvert(t *testing.T) {
	t.Parallel()
	const text, whole, number, truth, list = "must be text", "must be an integer", "must be a number", "must be true or false", "must be a list of text"
	tests := []struct {
		name      string
		kind      Type
		raw       any
		want      any
		complaint string
	}{
		{"text", Str, "a", "a", ""},
		{"text keeps its blanks", Str, " a ", " a ", ""},
		{"nothing", Str, nil, nil, ""},
		{"a number as text", Str, 5, "5", ""},
		{"a long number as text", Str, uint64(math.MaxUint64), "18446744073709551615", ""},
		{"a whole float as text", Str, 5.0, "5", ""},
		{"a fraction as text", Str, 0.25, "0.25", ""},
		{"a JSON number as text has its digits", Str, json.Number("1.10"), "1.10", ""},
		{"a bool is no text", Str, true, nil, text},
		{"a list is no text", Str, []any{"a"}, nil, text},

		{"whole", Int, 5, 5, ""},
		{"whole of every size", Int, int32(-5), -5, ""},
		{"whole, 64 bits", Int, int64(1 << 30), 1 << 30, ""},
		{"whole, unsigned", Int, uint(7), 7, ""},
		{"whole, unsigned, 32 bits", Int, uint32(7), 7, ""},
		{"whole, unsigned, 64 bits", Int, uint64(7), 7, ""},
		{"whole, too long", Int, uint64(math.MaxUint64), nil, whole},
		{"whole, of a float", Int, -5.0, -5, ""},
		{"whole, of a float beyond 2^53", Int, float64(1 << 53), nil, whole},
		{"whole, of text", Int, " -5 ", -5, ""},
		{"whole, of empty text", Int, " ", nil, ""},
		{"whole, of a JSON number", Int, json.Number("5"), 5, ""},
		{"whole, of a JSON number with a fraction of 0, as of a float", Int, json.Number("5.0"), 5, ""},
		{"whole, of a JSON number with an exponent, as of a float", Int, json.Number("1e3"), 1000, ""},
		{"whole, of a JSON fraction", Int, json.Number("5.5"), nil, whole},
		{"whole, of a huge JSON number", Int, json.Number("1e400"), nil, whole},
		{"whole, of a fraction in text", Int, "5.0", nil, whole},
		{"whole, of hexadecimal text", Int, "0x10", nil, whole},
		{"whole, of a bool", Int, true, nil, whole},
		{"whole, of NaN", Int, math.NaN(), nil, whole},

		{"a number", Float, 0.5, 0.5, ""},
		{"a number of an int", Float, 5, 5.0, ""},
		{"a number of text", Float, " -1e3 ", -1000.0, ""},
		{"a number of empty text", Float, "", nil, ""},
		{"a number of a JSON number", Float, json.Number("0.5"), 0.5, ""},
		{"a number without end", Float, math.Inf(1), nil, number},
		{"a number without end in text", Float, "inf", nil, number},
		{"not a number", Float, "x", nil, number},
		{"a bool as a number", Float, true, nil, number},
		{"a list as a number", Float, []any{1}, nil, number},

		{"true", Bool, true, true, ""},
		{"false", Bool, false, false, ""},
		{"true in words", Bool, " YES ", true, ""},
		{"false in words", Bool, "n", false, ""},
		{"the text false is false", Bool, "false", false, ""},
		{"empty text is nothing", Bool, "", nil, ""},
		{"other words", Bool, "on", nil, truth},
		{"numbers are neither", Bool, 1, nil, truth},
		{"a JSON number is read as its text", Bool, json.Number("1"), true, ""},

		{"a list", List, []any{"a", 5, json.Number("1.10"), 2.0}, []string{"a", "5", "1.10", "2"}, ""},
		{"a list of Go", List, []string{"a", "", "b"}, []string{"a", "b"}, ""},
		{"a list drops what is empty", List, []any{"", nil, "a"}, []string{"a"}, ""},
		{"a list keeps blanks", List, []any{" a "}, []string{" a "}, ""},
		{"a list in text", List, "a, b,,c ", []string{"a", "b", "c"}, ""},
		{"an empty list in text", List, " , ", []string{}, ""},
		{"a list of one number", List, 5, []string{"5"}, ""},
		{"a list of a bool", List, []any{true}, nil, list},
		{"a map as a list", List, map[string]any{"a": 1}, nil, list},

		{"an unknown type", "date", "x", nil, `has the unknown type "date"`},
		{"an unknown type of nothing", "date", nil, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, complaint := convert(tt.kind, tt.raw)
			if diff := cmp.Diff(tt.want, got); diff != "" || complaint != tt.complaint {
				t.Errorf("complaint %q, want %q; value (-want +got):\n%s", complaint, tt.complaint, diff)
			}
		})
	}
}

func TestParseBool(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"y": true, "Yes": true, "TRUE": true, "1": true, "n": false, "No": false, "False": false, "0": false,
	} {
		if got, ok := ParseBool(text); !ok || got != want {
			t.Errorf("ParseBool(%q) = %v, %v", text, got, ok)
		}
	}
	if got, ok := ParseBool(" true\n"); !ok || !got {
		t.Error("blanks count")
	}
	for _, text := range []string{"", "on", "off", "t", "f", "2", "yess", "tru e"} {
		if _, ok := ParseBool(text); ok {
			t.Errorf("ParseBool(%q) is accepted", text)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"password", "host", "port", "ssl_enabled", "ssl_ca"}
	for name, want := range map[string]string{
		"pasword": "password", "passwrod": "password", "PASSWORD": "password", "ssl-enabled": "ssl_enabled", "sslenabled": "ssl_enabled",
		"hots": "host", "prot": "port", "ssl_c": "ssl_ca", "ssl_cert": "", "": "", "certificate": "", "x": "", "pwd": "",
		"pass_wörd": "password",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	// Of two that are equally near, the order of the list does not decide.
	if a, b := Nearest("ab", []string{"ac", "ad"}), Nearest("ab", []string{"ad", "ac"}); a != "ac" || b != "ac" {
		t.Errorf("got %q and %q, want ac", a, b)
	}
	if got := Nearest("host", nil); got != "" {
		t.Errorf("nothing is near to %q", got)
	}
	if got := Nearest(string(make([]byte, 10_000)), known); got != "" {
		t.Errorf("a huge name is near to %q", got)
	}
}
