package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

// sameJSON compares by value, numbers as they are spelled.
func sameJSON(t *testing.T, want, got []byte) {
	t.Helper()
	w, err := readAny(want)
	if err != nil {
		t.Fatalf("want: %v", err)
	}
	g, err := readAny(got)
	if err != nil {
		t.Fatalf("got: %v\n%s", err, got)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestANewConnectorIncludesEverything(t *testing.T) {
	t.Parallel()
	fs := DefaultFiltering(time.Date(2026, 2, 3, 5, 5, 6, 7_000_000, time.FixedZone("", 3600)))
	var indented bytes.Buffer
	if err := json.Indent(&indented, encode(t, fs), "", "  "); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, filepath.Join("testdata", "filtering_default.json"), indented.String()+"\n")
	f := fs[Default(fs)]
	if v := f.Draft.Validate(nil); v.State != ValidationValid {
		t.Errorf("it is not valid: %v", v)
	}
	if set, err := rules.New(f.Active.Basic()); set != nil || err != nil {
		t.Errorf("its rules decide something: %v, %v", set, err)
	}
	f.Draft.Rules[0].Value = "x"
	if f.Active.Rules[0].Value != ".*" {
		t.Error("draft and active share their rules")
	}
}

// TestFilteringIsWrittenBackAsItWasRead: what is not ours, what is of another type, and how times and
// numbers are spelled.
func TestFilteringIsWrittenBackAsItWasRead(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, stored, want string }{
		{
			"a full record, properties of a release to come among it",
			`[{"domain":"DEFAULT","new":1,
			  "active":{"new":[2],"rules":[{"id":"a","policy":"include","field":"f","rule":"<","value":"5","order":1,"new":{"x":3},
			      "created_at":"2024-01-01T00:00:00.123456+00:00","updated_at":1700000000000}],
			    "advanced_snippet":{"value":[{"tables":["t"],"limit":12345678901234567890}],"created_at":null,"new":4},
			    "validation":{"state":"invalid","errors":[{"ids":["a"],"messages":["m"]}],"new":5}},
			  "draft":{"rules":[],"advanced_snippet":{"value":{}},"validation":{"state":"edited","errors":[]}}}]`,
			"",
		},
		{"other domains", `[{"domain":"a","active":{"rules":[],"advanced_snippet":{}},"draft":{"rules":[],"advanced_snippet":{}}}]`, ""},
		{"null", `null`, `[]`},
		{"no list and no object", `"x"`, `[]`},
		{"members that are no domains", `[5,null,"x",[]]`, `[]`},
		{
			"a domain alone, and empty",
			`{}`, `[{"domain":"","active":{"rules":[],"advanced_snippet":{}},"draft":{"rules":[],"advanced_snippet":{}}}]`,
		},
		{
			"rules that are null are none",
			`[{"domain":"DEFAULT","active":null,"draft":{"rules":null,"advanced_snippet":null,"validation":null}}]`,
			`[{"domain":"DEFAULT","active":{"rules":[],"advanced_snippet":{}},"draft":{"rules":[],"advanced_snippet":{}}}]`,
		},
		{
			"what is of another type stays",
			`[{"domain":["d"],"active":"x","draft":{"rules":"x","advanced_snippet":{},"validation":[7]}}]`, "",
		},
		{
			"properties of a rule of another type stay, and a missing order becomes null",
			`[{"domain":"DEFAULT","active":{"rules":[{"id":{},"policy":[],"field":{"a":1},"rule":[[]],"value":{"b":2},"order":"first"},
			   {"id":"a","policy":"include","field":"f","rule":"<","value":"5"}],"advanced_snippet":{}},"draft":{"rules":[],"advanced_snippet":{}}}]`,
			`[{"domain":"DEFAULT","active":{"rules":[{"id":{},"policy":[],"field":{"a":1},"rule":[[]],"value":{"b":2},"order":"first"},
			   {"id":"a","policy":"include","field":"f","rule":"<","value":"5","order":null}],"advanced_snippet":{}},"draft":{"rules":[],"advanced_snippet":{}}}]`,
		},
		{
			"numbers and truth values become text, and a rule alone a list",
			`[{"domain":1.0,"active":{"rules":{"id":12345678901234567890,"policy":"include","field":true,"rule":"<","value":1.50,"order":"2"},"advanced_snippet":{}},"draft":null}]`,
			`[{"domain":"1.0","active":{"rules":[{"id":"12345678901234567890","policy":"include","field":"true","rule":"<","value":"1.50","order":2}],"advanced_snippet":{}},
			   "draft":{"rules":[],"advanced_snippet":{}}}]`,
		},
		{
			"a snippet without an object around it is the value",
			`[{"domain":"DEFAULT","active":{"rules":[],"advanced_snippet":[{"a":1}]},"draft":{"rules":[],"advanced_snippet":"x"}}]`,
			`[{"domain":"DEFAULT","active":{"rules":[],"advanced_snippet":{"value":[{"a":1}]}},"draft":{"rules":[],"advanced_snippet":{"value":"x"}}}]`,
		},
		{
			"errors are lists of text",
			`[{"domain":"DEFAULT","active":{"rules":[],"advanced_snippet":{},"validation":{"state":1,"errors":[{"ids":"a","messages":[1,"m",null]},5]}},"draft":null}]`,
			`[{"domain":"DEFAULT","active":{"rules":[],"advanced_snippet":{},"validation":{"state":"1","errors":[{"ids":["a"],"messages":["m"]},{"ids":[],"messages":[]}]}},
			   "draft":{"rules":[],"advanced_snippet":{}}}]`,
		},
		{"not JSON", `[{`, `[]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := encode(t, append([]Filtering{}, ReadFiltering([]byte(tt.stored))...))
			sameJSON(t, []byte(orElse(tt.want, tt.stored)), got)
		})
	}
}

func TestDefaultIsTheDomainOfThatName(t *testing.T) {
	t.Parallel()
	for want, fs := range map[int][]Filtering{
		-1: {{Domain: "default"}, {}},
		1:  {{Domain: "x"}, {Domain: "DEFAULT"}, {Domain: "DEFAULT"}},
	} {
		if got := Default(fs); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

func TestEmptySnippetsAreNone(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", " ", "null", "{}", "[]", `""`, " [ ] ", "{\n}"} {
		r := Rules{AdvancedSnippet: Snippet{Value: json.RawMessage(raw)}}
		if v, err := r.Advanced(); !r.AdvancedSnippet.Empty() || v != nil || err != nil {
			t.Errorf("%q: empty is %v; value %v, %v", raw, r.AdvancedSnippet.Empty(), v, err)
		}
	}
	for raw, want := range map[string]any{
		`[{"query":"a"}]`: []any{map[string]any{"query": "a"}},
		`{"limit":1.50}`:  map[string]any{"limit": json.Number("1.50")},
		"[null]":          []any{nil},
		"0":               json.Number("0"),
		"false":           false,
		`" "`:             " ",
	} {
		r := Rules{AdvancedSnippet: Snippet{Value: json.RawMessage(raw)}}
		v, err := r.Advanced()
		if diff := cmp.Diff(want, v); diff != "" || err != nil || r.AdvancedSnippet.Empty() {
			t.Errorf("%s: empty is %v, %v (-want +got):\n%s", raw, r.AdvancedSnippet.Empty(), err, diff)
		}
	}
	broken := Rules{AdvancedSnippet: Snippet{Value: json.RawMessage("{} {}")}}
	if v, err := broken.Advanced(); err == nil || v != nil {
		t.Errorf("two values are %v, %v", v, err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	refuse := func(any) error { return errors.New("query must not be empty") }
	accept := func(any) error { return nil }
	const rule = `{"id":"a","policy":"include","field":"f","rule":"equals","value":"x","order":1}`
	tests := []struct {
		name, stored string
		advanced     func(any) error
		want         []ValidationError
	}{
		{"nothing is valid", `{}`, nil, nil},
		{"one rule", `{"rules":[` + rule + `]}`, nil, nil},
		{"the default rule may be repeated, and be wrong", `{"rules":[{"id":"DEFAULT"},{"id":"DEFAULT","order":"x"}]}`, nil, nil},
		{
			"letter case does not count for policy and rule",
			`{"rules":[{"id":"a","policy":"INCLUDE","field":"f","rule":"Equals","value":"x","order":-1.5}]}`, nil, nil,
		},
		{
			"each invalid rule is reported by its id",
			`{"rules":[{"id":"a","policy":"drop","field":"f","rule":"equals","value":"x","order":1},` + strings.ReplaceAll(rule, `"a"`, `"b"`) + `,
			  {"id":"c","policy":"include","field":"f","rule":"is","value":"x","order":1},
			  {"id":"","policy":"include","field":"g","rule":"equals","value":"x","order":1}]}`,
			nil,
			[]ValidationError{
				{[]string{"a"}, []string{`rule on field "f": policy is "drop", not include or exclude`}},
				{[]string{"c"}, []string{`rule on field "f": rule is "is", not one of equals, starts_with, ends_with, contains, regex, < and >`}},
				{[]string{""}, []string{`rule on field "g": id, field and value must not be empty`}},
			},
		},
		{
			"an order that is missing, or no number",
			`{"rules":[` + strings.ReplaceAll(rule, `,"order":1`, ``) + `,{"id":"b","policy":"include","field":"f","rule":"equals","value":"y","order":"x"}]}`,
			nil,
			[]ValidationError{
				{[]string{"a"}, []string{`rule on field "f": order must be a number`}},
				{[]string{"b"}, []string{`rule on field "f": order must be a number`}},
			},
		},
		{
			"a property that is no text",
			`{"rules":[` + strings.ReplaceAll(rule, `"x"`, `["x"]`) + `]}`, nil,
			[]ValidationError{{[]string{"a"}, []string{`rule on field "f": value must be text`}}},
		},
		{
			"a pattern that matches everything, or is none",
			`{"rules":[` + strings.ReplaceAll(rule, `"equals","value":"x"`, `"regex","value":"(.*)"`) + `,` +
				strings.ReplaceAll(rule, `"a","policy":"include","field":"f","rule":"equals","value":"x"`, `"b","policy":"include","field":"f","rule":"regex","value":"a)("`) + `]}`,
			nil,
			[]ValidationError{
				{[]string{"a"}, []string{`rule on field "f": a regex that matches everything is not allowed`}},
				{[]string{"b"}, []string{`rule on field "f": value: error parsing regexp: unexpected ): ` + "`a)(`"}},
			},
		},
		{
			"two rules for the same, whatever their policies, are reported together and after rules that are invalid on their own",
			`{"rules":[` + rule + `,{"id":"b","policy":"exclude","field":"f","rule":"EQUALS","value":"x","order":2},{"id":"c","policy":"x","order":3}]}`,
			nil,
			[]ValidationError{
				{[]string{"c"}, []string{`rule on field "": policy is "x", not include or exclude`}},
				{[]string{"a", "b"}, []string{`two rules are f EQUALS "x"; remove one of them`}},
			},
		},
		{
			"a member that is no rule",
			`{"rules":[7]}`, nil,
			[]ValidationError{{[]string{""}, []string{`rule on field "": policy is "", not include or exclude`}}},
		},
		{"rules that are no list", `{"rules":"x"}`, nil, []ValidationError{{[]string{"rules"}, []string{"the basic rules are not a list; write them again"}}}},
		{"an empty snippet is not looked at", `{"advanced_snippet":{"value":{}}}`, refuse, nil},
		{"a snippet that the source accepts", `{"advanced_snippet":{"value":[{"a":1}]}}`, accept, nil},
		{
			"a snippet that the source refuses, after the basic rules",
			`{"rules":[{"id":"a","policy":"x","order":0}],"advanced_snippet":{"value":[{"a":1}]}}`, refuse,
			[]ValidationError{
				{[]string{"a"}, []string{`rule on field "": policy is "x", not include or exclude`}},
				{[]string{"advanced_snippet"}, []string{"query must not be empty"}},
			},
		},
		{
			"a snippet of a source that has none", `{"advanced_snippet":{"value":[1]}}`, nil,
			[]ValidationError{{[]string{"advanced_snippet"}, []string{"this type of source has no advanced rules; leave them empty"}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var r Rules
			if err := json.Unmarshal([]byte(tt.stored), &r); err != nil {
				t.Fatal(err)
			}
			want := Validation{State: ValidationValid, Errors: []ValidationError{}}
			if len(tt.want) > 0 {
				want = Validation{State: ValidationInvalid, Errors: tt.want}
			}
			if diff := cmp.Diff(want, r.Validate(tt.advanced)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestASourceSeesTheDecodedSnippet(t *testing.T) {
	t.Parallel()
	var seen any
	r := Rules{AdvancedSnippet: Snippet{Value: json.RawMessage(`[{"a":1}]`)}}
	r.Validate(func(v any) error { seen = v; return nil })
	if diff := cmp.Diff(any([]any{map[string]any{"a": json.Number("1")}}), seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSnapshotOfAJobHasManyForms(t *testing.T) {
	t.Parallel()
	const object = `{"rules":[{"id":"a","policy":"include","field":"f","rule":"<","value":"5","order":1}],"advanced_snippet":{"value":{"q":1}},"validation":{"state":"valid","errors":[]}}`
	const none = `{"rules":[],"advanced_snippet":{}}`
	tests := []struct{ name, stored, want string }{
		{"an object", object, object},
		{"a list of one", `[` + object + `]`, object},
		{"a list of one domain", `[{"domain":"DEFAULT","active":` + object + `,"draft":{"rules":[]}}]`, object},
		{"the default domain of several", `[{"domain":"x","active":{}},{"domain":"DEFAULT","active":` + object + `}]`, object},
		{"a domain alone", `{"active":` + object + `}`, object},
		{"a domain without rules", `[{"domain":"DEFAULT","active":null}]`, none},
		{"null", `null`, none},
		{"an empty list", `[]`, none},
		{"an empty object", `{}`, none},
		{"neither", `"x"`, none},
		{"a list of neither", `[5]`, none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := Snapshot{Rules{Rules: []Rule{{ID: "of before"}}}}
			if err := json.Unmarshal([]byte(tt.stored), &s); err != nil {
				t.Fatal(err)
			}
			sameJSON(t, []byte(tt.want), encode(t, s))
		})
	}
}

// FuzzFiltering: any JSON is read and written without a failure; what was written is read as the same;
// and rules that are found valid compile, as they do when a job begins.
func FuzzFiltering(f *testing.F) {
	f.Add([]byte(`[{"domain":"DEFAULT","active":{"rules":[{"id":"a","policy":"include","field":"f","rule":"<","value":"5","order":1}],"advanced_snippet":{"value":[1]}},"draft":null}]`))
	f.Add([]byte(`{"active":[{"rules":{"id":1,"order":"0x1p-2"}}],"rules":[[]],"advanced_snippet":"x","validation":{"errors":{}}}`))
	f.Add([]byte(`[{"domain":"DEFAULT","draft":{"rules":[{"id":"a","policy":"include","field":"f","rule":"regex","value":".*","order":1},{"id":"DEFAULT"}]}}]`))
	f.Add([]byte(`{"draft":{"rules":[{"id":"1","policy":"exclude","field":"f","rule":"equals","value":"x","order":1},{"id":"1","policy":"include","field":"f","rule":"EQUALS","value":"x","order":"1"}]}}`))
	f.Add([]byte(`{"Domain":"x","active":{"RULES":[1]}}`))
	f.Add([]byte("{\"domain\":\"\xff\",\"x\":\"\xff\"}"))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		fs := ReadFiltering(raw)
		written := encode(t, fs)
		if again := encode(t, ReadFiltering(written)); !bytes.Equal(written, again) {
			t.Errorf("written first:\n%s\nthen:\n%s", written, again)
		}
		for _, one := range fs {
			v := one.Draft.Validate(func(any) error { return nil })
			if _, err := rules.New(one.Draft.Basic()); err != nil && v.State == ValidationValid {
				t.Errorf("valid, but %v", err)
			}
			if (v.State == ValidationValid) != (len(v.Errors) == 0) {
				t.Errorf("%s with %d errors", v.State, len(v.Errors))
			}
		}
		var s, again Snapshot
		if json.Unmarshal(raw, &s) != nil {
			return
		}
		if err := json.Unmarshal(encode(t, s), &again); err != nil || !bytes.Equal(encode(t, s), encode(t, again)) {
			t.Errorf("snapshot differs, %v", err)
		}
	})
}
