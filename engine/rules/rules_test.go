package rules

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// excludes reports whether an exclude rule matches the value.
func excludes(t *testing.T, rule, value string, v document.Value) bool {
	t.Helper()
	set, err := New([]Rule{{ID: "r", Policy: "exclude", Field: "f", Rule: rule, Value: value}})
	if err != nil {
		t.Fatal(err)
	}
	return !set.Keep(&document.Document{ID: "a", Fields: []document.Field{{Name: "f", Value: v}}})
}

// TestComparisons: for each value, which of the rule values are less than, equal to and greater than
// it. Whatever is not listed must not match.
func TestComparisons(t *testing.T) {
	t.Parallel()
	noon := time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name               string
		value              document.Value
		above, same, below []string // rule values that the value is above, the same as, below
		incomparable       []string
	}{
		{"an int", document.Int(5), []string{"4", "4.9", "-1e9"}, []string{"5", "5.0", " 5 ", "5e0"}, []string{"5.1", "1e300"}, []string{"x", "5x", "true", "NaN", "2024-01-01"}},
		{"a uint", document.Uint(math.MaxUint64), []string{"18446744073709551614", "1"}, []string{"18446744073709551615"}, []string{"18446744073709551616"}, []string{"x"}},
		{"an int beyond 2^53 has all its digits", document.Int(9007199254740993), []string{"9007199254740992"}, []string{"9007199254740993"}, []string{"9007199254740994"}, nil},
		{"a float", document.Float(-0.5), []string{"-1", "-0.51"}, []string{"-0.5", "-0.50", "-5e-1"}, []string{"0", "-0.4"}, []string{"x", "NaN", "true"}},
		{"not a number", document.Float(math.NaN()), nil, nil, nil, []string{"0", "NaN", "null", "-1"}},
		{"infinity is null in the index", document.Float(math.Inf(1)), nil, nil, nil, []string{"0", "Infinity", "+Inf"}},
		{"a decimal", document.Decimal("12.50"), []string{"12.49", "9"}, []string{"12.50", "12.5"}, []string{"12.51", "100"}, []string{"x", "NaN"}},
		{"a decimal beyond 2^53", document.Decimal("9007199254740993"), []string{"9007199254740992"}, []string{"9007199254740993"}, []string{"9007199254740994"}, nil},
		{"a decimal that is not a number", document.Decimal("NaN"), nil, []string{"NaN"}, nil, []string{"5", "-5", "x"}},
		{"a decimal without end", document.Decimal("Infinity"), []string{"5", "1e300"}, []string{"Infinity", "inf"}, nil, []string{"x", "NaN"}},
		{"a number as text", document.Number("5.0"), []string{"4"}, []string{"5", "5.0"}, []string{"6", "10"}, []string{"x", "true"}},
		{"a JSON integer", document.Raw("9007199254740993"), []string{"9007199254740992", "5"}, []string{"9007199254740993"}, []string{"9007199254740994"}, []string{"x"}},
		{"a negative JSON number", document.Raw("-1.5e1"), []string{"-16"}, []string{"-15"}, []string{"5"}, []string{"x"}},
		{"a JSON string", document.Raw(`"m\u0065 \"x\""`), []string{"a"}, []string{`me "x"`}, []string{"z"}, nil},
		{"a JSON string of digits is text", document.Raw(`"10"`), []string{"1", "09"}, []string{"10"}, []string{"9"}, nil},
		{"JSON true", document.Raw("true"), nil, []string{"true", "TRUE", "1", "yes"}, nil, []string{"false", "0", "x"}},
		{"JSON false", document.Raw("false"), nil, []string{"false", "0", "no"}, nil, []string{"true", "x"}},
		{"JSON null", document.Raw("null"), nil, nil, nil, []string{"null", "a", "0"}},
		{"a JSON object", document.Raw(`{"a":1}`), nil, []string{`{"a":1}`}, nil, []string{"a", "0", "zzz", "{"}},
		{"a JSON list", document.Raw(`[1]`), nil, []string{`[1]`}, nil, []string{"1", "0", "zzz", "["}},
		{"an object", document.Object([]document.Field{{Name: "a", Value: document.Int(1)}}), nil, []string{`{"a":1}`}, nil, []string{"a", "0", "zzz", "{"}},
		{"a list", document.List([]document.Value{document.Int(1)}), nil, []string{`[1]`}, nil, []string{"1", "0", "zzz", "["}},
		{"true", document.Bool(true), nil, []string{"true", "True", " yes ", "y", "on", "1"}, nil, []string{"false", "0", "x", "2", "truee"}},
		{"false", document.Bool(false), nil, []string{"false", "FALSE", "no", "n", "off", "0"}, nil, []string{"true", "1", "x", ""}},
		{"text", document.String("mango"), []string{"apple", "Z"}, []string{"mango"}, []string{"mangos", "zebra"}, nil},
		{"text is compared unchanged", document.String("10"), []string{"1", " 9"}, []string{"10"}, []string{"9", "10 "}, nil},
		{"empty text", document.String(""), nil, nil, []string{"a", " "}, nil},
		{"a time", document.Time(noon), []string{"2024-05-06", "2024-05-06T11:59:59Z", "2024-05-06 11:59:59.999", "2024-05-06T13:00:00+02:00"}, []string{"2024-05-06T12:00:00Z", "2024-05-06T12:00:00", "2024-05-06 12:00:00", "2024-05-06T14:00:00+02:00"}, []string{"2024-05-07", "2024-05-06T12:00:00.000000001Z"}, []string{"x", "5", "2024", "06.05.2024"}},
		{"bytes are their base64", document.Bytes([]byte("abc")), []string{"A"}, []string{"YWJj"}, []string{"Z"}, nil},
		{"null", document.Null(), nil, nil, nil, []string{"null", "a", "0", "false"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all := slices.Concat(tt.above, tt.same, tt.below, tt.incomparable)
			for _, value := range all {
				if value == "" {
					continue // not a valid rule
				}
				for rule, want := range map[string]bool{
					">": slices.Contains(tt.above, value), "equals": slices.Contains(tt.same, value), "<": slices.Contains(tt.below, value),
				} {
					if got := excludes(t, rule, value, tt.value); got != want {
						t.Errorf("rule %s %q matches: %v, want %v", rule, value, got, want)
					}
				}
			}
		})
	}
}

// TestTextRules: starts_with, ends_with, contains and regex see every value as text.
func TestTextRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		value       document.Value
		rule, match string
		want        bool
	}{
		{"starts_with", document.String("report.pdf"), "starts_with", "rep", true},
		{"starts_with is case-sensitive", document.String("report.pdf"), "starts_with", "Rep", false},
		{"starts_with is not contains", document.String("report.pdf"), "starts_with", "port", false},
		{"ends_with", document.String("report.pdf"), "ends_with", ".pdf", true},
		{"ends_with is not contains", document.String("report.pdf"), "ends_with", "port", false},
		{"contains", document.String("report.pdf"), "contains", "ort.p", true},
		{"contains nothing of it", document.String("report.pdf"), "contains", "x", false},
		{"regex is anchored at the start", document.String("report.pdf"), "regex", "port", false},
		{"regex is not anchored at the end", document.String("report.pdf"), "regex", "rep", true},
		{"regex with alternatives is anchored as a whole", document.String("report.pdf"), "regex", "x|port", false},
		{"regex may say its own end", document.String("report.pdf"), "regex", `.*\.pdf$`, true},
		{"regex with flags", document.String("report.pdf"), "regex", "(?i)REP", true},
		{"a dot does not match a line break", document.String("a\nb"), "regex", "a.b", false},
		{"a rule name in capitals", document.String("report.pdf"), "Starts_With", "rep", true},
		{"the empty text", document.String(""), "regex", "^$", true},
		{"an int", document.Int(-1234), "starts_with", "-12", true},
		{"a float", document.Float(0.5), "ends_with", ".5", true},
		{"a uint", document.Uint(math.MaxUint64), "ends_with", "615", true},
		{"a decimal", document.Decimal("12.50"), "ends_with", ".50", true},
		{"a bool", document.Bool(true), "contains", "ru", true},
		{"a time as it is in the index", document.Time(time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)), "regex", `2024-05-06T.*Z$`, true},
		{"a list as JSON", document.List([]document.Value{document.String("a"), document.String("b")}), "contains", `"b"`, true},
		{"a list begins with its bracket", document.List([]document.Value{document.String("a")}), "starts_with", `["a"`, true},
		{"an object as JSON", document.Object([]document.Field{{Name: "k", Value: document.Int(1)}}), "contains", `"k":1`, true},
		{"a JSON string without its quotes", document.Raw(`"report.pdf"`), "starts_with", "rep", true},
		{"a JSON string without its quotes, at the end", document.Raw(`"report.pdf"`), "ends_with", "pdf", true},
		{"a JSON string unescaped", document.Raw(`"\u00e9\n\/"`), "regex", "é\\n/$", true},
		{"a JSON number", document.Raw("12.50"), "ends_with", ".50", true},
		{"JSON true", document.Raw("true"), "starts_with", "tr", true},
		{"a JSON object", document.Raw(`{"k":1}`), "contains", `"k":1`, true},
		{"null is no text", document.Null(), "contains", "u", false},
		{"null matches no pattern", document.Null(), "regex", "^.*$", false},
		{"JSON null is no text", document.Raw("null"), "contains", "u", false},
		{"NaN is null", document.Float(math.NaN()), "contains", "u", false},
		{"text that holds the word null", document.String("null"), "contains", "u", true},
		{"quotes of a text stay", document.String(`"a"`), "starts_with", `"a`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := excludes(t, tt.rule, tt.match, tt.value); got != tt.want {
				t.Errorf("%s %q matches: %v, want %v", tt.rule, tt.match, got, tt.want)
			}
		})
	}
}

func TestOrderDecides(t *testing.T) {
	t.Parallel()
	in := func(order float64, value string) Rule {
		return Rule{"in" + value, "include", "f", "starts_with", value, order}
	}
	out := func(order float64, value string) Rule {
		return Rule{"out" + value, "exclude", "f", "starts_with", value, order}
	}
	all := Rule{"DEFAULT", "include", "_", "regex", ".*", 0}
	tests := []struct {
		name  string
		rules []Rule
		kept  string // of a, ab and abc, and b
	}{
		{"no rules keep everything", nil, "a ab abc b"},
		{"the default rule keeps everything", []Rule{all}, "a ab abc b"},
		{"one exclude", []Rule{out(1, "ab")}, "a b"},
		{"one include excludes nothing", []Rule{in(1, "ab")}, "a ab abc b"},
		{"the first rule decides", []Rule{in(1, "abc"), out(2, "ab")}, "a abc b"},
		{"order and not place decides", []Rule{out(2, "ab"), in(1, "abc")}, "a abc b"},
		{"the later rule has no say", []Rule{out(1, "ab"), in(2, "abc")}, "a b"},
		{"fractions order too", []Rule{out(1.5, "ab"), in(1.25, "abc")}, "a abc b"},
		{"negative orders come first", []Rule{out(0, "ab"), in(-1, "abc")}, "a abc b"},
		{"the same order: the place decides", []Rule{in(1, "abc"), out(1, "ab")}, "a abc b"},
		{"the default rule is never asked, wherever it stands", []Rule{all, out(1, "ab")}, "a b"},
		{"three levels", []Rule{out(1, "abc"), in(2, "ab"), out(3, "a")}, "ab b"},
		{"policies in capitals", []Rule{{"x", "EXCLUDE", "f", "EQUALS", "a", 1}}, "ab abc b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			given := slices.Clone(tt.rules)
			set, err := New(tt.rules)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(given, tt.rules) {
				t.Error("the caller's rules were reordered")
			}
			var kept []string
			for _, v := range []string{"a", "ab", "abc", "b"} {
				if set.Keep(&document.Document{ID: "1", Fields: []document.Field{{Name: "f", Value: document.String(v)}}}) {
					kept = append(kept, v)
				}
			}
			if got := strings.Join(kept, " "); got != tt.kept {
				t.Errorf("kept %s, want %s", got, tt.kept)
			}
		})
	}
}

// TestFields: a rule finds the field that has that name in the index.
func TestFields(t *testing.T) {
	t.Parallel()
	doc := &document.Document{ID: "orders_5", Timestamp: "2024-05-06T00:00:00Z", Fields: []document.Field{
		{Name: "id", Value: document.Int(5)},
		{Name: "a", Value: document.Object([]document.Field{{Name: "b", Value: document.Object([]document.Field{{Name: "c", Value: document.Int(1)}})}})},
		{Name: "x.y", Value: document.Int(2)},
		{Name: "json", Value: document.Raw(`{"status":{"code":404}}`)},
	}}
	tests := []struct {
		name  string
		rule  Rule
		match bool
	}{
		{"the id of the document", Rule{Field: "id", Rule: "starts_with", Value: "orders_"}, true},
		{"the column that is called id", Rule{Field: "id_", Rule: "equals", Value: "5"}, true},
		{"the timestamp", Rule{Field: "_timestamp", Rule: ">", Value: "2024-01-01"}, true},
		{"a path", Rule{Field: "a.b.c", Rule: "equals", Value: "1"}, true},
		{"a name with a dot", Rule{Field: "x.y", Rule: "equals", Value: "2"}, true},
		{"a path into a JSON column", Rule{Field: "json.status.code", Rule: ">", Value: "399"}, true},
		{"a field that is absent", Rule{Field: "b", Rule: "regex", Value: "^.*$"}, false},
		{"a path that is absent", Rule{Field: "a.b.d", Rule: "regex", Value: "^.*$"}, false},
		{"letter case counts", Rule{Field: "A.b.c", Rule: "equals", Value: "1"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := tt.rule
			r.ID, r.Policy = "r", "exclude"
			set, err := New([]Rule{r})
			if err != nil {
				t.Fatal(err)
			}
			if got := !set.Keep(doc); got != tt.match {
				t.Errorf("matches: %v, want %v", got, tt.match)
			}
		})
	}
}

func TestInvalidRules(t *testing.T) {
	t.Parallel()
	good := Rule{"r1", "include", "f", "equals", "x", 1}
	with := func(change func(*Rule)) Rule { r := good; change(&r); return r }
	tests := []struct {
		name  string
		rules []Rule
		want  string // part of the error; "" is no error
	}{
		{"a good one", []Rule{good}, ""},
		{"no id", []Rule{with(func(r *Rule) { r.ID = "" })}, "must not be empty"},
		{"no field", []Rule{with(func(r *Rule) { r.Field = "" })}, "must not be empty"},
		{"no value", []Rule{with(func(r *Rule) { r.Value = "" })}, "must not be empty"},
		{"unknown policy", []Rule{with(func(r *Rule) { r.Policy = "keep" })}, `rule "r1": policy is "keep"`},
		{"unknown rule", []Rule{with(func(r *Rule) { r.Rule = "like" })}, `rule "r1": rule is "like"`},
		{"a regex that matches everything", []Rule{with(func(r *Rule) { r.Rule, r.Value = "regex", ".*" })}, "matches everything"},
		{"the same in parentheses", []Rule{with(func(r *Rule) { r.Rule, r.Value = "REGEX", "(.*)" })}, "matches everything"},
		{"the same text is fine for another rule", []Rule{with(func(r *Rule) { r.Value = ".*" })}, ""},
		{"a regex that does not compile", []Rule{with(func(r *Rule) { r.Rule, r.Value = "regex", "[" })}, "missing closing"},
		{"a regex whose parentheses only fit ours", []Rule{with(func(r *Rule) { r.Rule, r.Value = "regex", "a)|(?:b" })}, "unexpected )"},
		{"two of the same, whatever the policy", []Rule{good, with(func(r *Rule) { r.ID, r.Policy, r.Rule = "r2", "exclude", "Equals" })}, `rule "r2": has the same field, rule and value as rule "r1"`},
		{"two that differ in the value", []Rule{good, with(func(r *Rule) { r.ID, r.Value = "r2", "y" })}, ""},
		{"the default rule is not checked", []Rule{{ID: "DEFAULT"}}, ""},
		{"every wrong rule is named", []Rule{with(func(r *Rule) { r.ID, r.Policy = "p", "" }), with(func(r *Rule) { r.ID, r.Rule = "q", "" })}, "rule \"p\": policy is \"\", not include or exclude\nrule \"q\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set, err := New(tt.rules)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if err != nil && set != nil {
				t.Error("a set beside an error")
			}
		})
	}
}

// FuzzKeep: no rule panics or depends on anything else than its arguments, whatever it meets.
func FuzzKeep(f *testing.F) {
	f.Add("<", "5", "4.0", uint64(5))
	f.Add("equals", "true", "on", uint64(1))
	f.Add("regex", "(a|b)*c", "abc", uint64(0))
	f.Add("contains", "\xff", "\"\\u00e9\"", uint64(1<<63))
	f.Add(">", "1e999999999", "1e-999999999", uint64(1<<52))
	f.Add("equals", "NaN", "NaN", uint64(0x7ff8000000000001))
	f.Fuzz(func(t *testing.T, rule, value, text string, bits uint64) {
		set, err := New([]Rule{{ID: "r", Policy: "exclude", Field: "f", Rule: rule, Value: value}})
		if err != nil || set == nil {
			return
		}
		values := []document.Value{
			document.Null(), document.Bool(bits%2 == 0), document.Int(int64(bits)), document.Uint(bits), document.Float(math.Float64frombits(bits)),
			document.Decimal(text), document.String(text), document.Time(time.Unix(int64(bits), 0)), document.Bytes([]byte(text)),
			document.List([]document.Value{document.String(text)}), document.Object([]document.Field{{Name: text, Value: document.Int(1)}}),
		}
		if raw, err := document.CompactRaw([]byte(text)); err == nil {
			values = append(values, raw)
		}
		for _, v := range values {
			doc := &document.Document{ID: "a", Fields: []document.Field{{Name: "f", Value: v}}}
			first := set.Keep(doc)
			if set.Keep(doc) != first {
				t.Errorf("two answers for kind %d", v.Kind())
			}
			if v.IsNull() && !first {
				t.Error("null matched")
			}
		}
	})
}

// TestCheckIsWhatNewSaysOfOneRule: without the rule's name, which the caller adds.
func TestCheckIsWhatNewSaysOfOneRule(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Rule{
		"right":           {ID: "a", Policy: "exclude", Field: "f", Rule: "equals", Value: "x"},
		"unknown policy":  {ID: "a", Policy: "drop", Field: "f", Rule: "equals", Value: "x"},
		"no value":        {ID: "a", Policy: "exclude", Field: "f", Rule: "equals"},
		"broken pattern":  {ID: "a", Policy: "exclude", Field: "f", Rule: "regex", Value: "("},
		"matches all":     {ID: "a", Policy: "exclude", Field: "f", Rule: "regex", Value: ".*"},
		"default rule":    {ID: Default, Policy: "include", Field: "_", Rule: "regex", Value: ".*"},
		"default, broken": {ID: Default},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want string
			if _, err := New([]Rule{r}); err != nil {
				want = strings.TrimPrefix(err.Error(), `rule "a": `)
			}
			var got string
			if err := Check(r); err != nil {
				got = err.Error()
			}
			if got != want || (got == "") != (name == "right" || r.ID == Default) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func BenchmarkKeep(b *testing.B) {
	set, err := New([]Rule{
		{"a", "exclude", "status", "equals", "deleted", 1},
		{"b", "exclude", "number", "<", "1000", 2},
		{"c", "exclude", "changed", "<", "2020-01-01", 3},
		{"d", "exclude", "title", "regex", "(?i)draft", 4},
	})
	if err != nil {
		b.Fatal(err)
	}
	doc := &document.Document{ID: "a", Fields: []document.Field{
		{Name: "number", Value: document.Int(1042)},
		{Name: "status", Value: document.String("active")},
		{Name: "changed", Value: document.Time(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC))},
		{Name: "title", Value: document.String("Füllfederhalter")},
	}}
	b.ReportAllocs()
	for b.Loop() {
		if !set.Keep(doc) {
			b.Fatal("excluded")
		}
	}
}
