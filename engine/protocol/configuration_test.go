package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/dir"
	"github.com/elastic-ingest/elastic-ingest/sources/postgresql"
)

// someFields has one field of each kind.
func someFields() []field.Spec {
	return []field.Spec{
		{Name: "host", Label: "Host", Order: 1, Tooltip: "Where it is."},
		{Name: "password", Order: 2, Sensitive: true},
		{
			Name: "port", Label: "Port", Order: 3, Type: field.Int, Value: 5432, Optional: true, Default: 1,
			Validations: []field.Validation{{Type: field.GreaterThan, Constraint: 0}},
		},
		{Name: "share", Label: "Share", Order: 4, Type: field.Float, Optional: true, Default: 1.0, Advanced: true},
		{Name: "tls", Label: "TLS", Order: 5, Type: field.Bool},
		{Name: "tables", Label: "Tables", Order: 6, Type: field.List, Display: field.TextArea, Value: []string{"a", "b"}, Optional: true, Default: []any{"*"}},
		{
			Name: "mode", Label: "Mode", Order: 7, Value: "all", Options: []field.Option{{Label: "All", Value: "all"}},
			DependsOn: []field.Dependency{{Field: "tls", Value: true}},
		},
		{Name: "exotic", Label: "Exotic", Order: 8, Type: field.List, Value: []string{"a,b", "c"}},
	}
}

func readConfiguration(t *testing.T, raw []byte) Configuration {
	t.Helper()
	var c Configuration
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func indent(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, encode(t, v), "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), '\n')
}

// TestConfigurationOfANewConnector: the configuration of each source in a new record. It is not changed by
// publishing it again, by Elasticsearch's way to store it, or by one that leaves out what is null.
func TestConfigurationOfANewConnector(t *testing.T) {
	t.Parallel()
	types := map[string][]field.Spec{"some_fields": someFields()}
	for _, one := range []*source.Type{&dir.Type, &postgresql.Type} {
		types[one.Name] = one.Fields
	}
	for name, specs := range types {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, added, changed := Published(specs, nil)
			golden.Compare(t, filepath.Join("testdata", "configuration_"+name+".json"), string(indent(t, out)))
			if !changed || !slices.IsSorted(added) || len(added) != len(specs) {
				t.Errorf("changed %v, added %v", changed, added)
			}
			var decoded map[string]map[string]any
			if err := json.Unmarshal(encode(t, out), &decoded); err != nil {
				t.Fatal(err)
			}
			returned := encode(t, decoded)
			for _, properties := range decoded {
				maps.DeleteFunc(properties, func(_ string, v any) bool { return v == nil })
			}
			for what, raw := range map[string][]byte{"the same": encode(t, out), "decoded": returned, "without null": encode(t, decoded)} {
				stored := readConfiguration(t, raw)
				again, added, changed := Published(specs, stored)
				if diff := cmp.Diff(map[string]json.RawMessage(stored), map[string]json.RawMessage(again)); diff != "" || changed || added != nil {
					t.Errorf("%s: changed %v, added %v (-stored +published):\n%s", what, changed, added, diff)
				}
				if missing := stored.Missing(specs); missing != nil {
					t.Errorf("%s: missing %v", what, missing)
				}
			}
		})
	}
}

func TestPublished(t *testing.T) {
	t.Parallel()
	specs := []field.Spec{{Name: "n", Label: "N", Order: 1, Type: field.Int, Value: 5}}
	const whole = `{"label":"N","value":%s,"type":"int","display":"numeric","order":1,"required":true,"sensitive":false,"tooltip":null,
		"options":[],"default_value":null,"depends_on":[],"validations":[],"ui_restrictions":[]}`
	with := func(value string) string { return `{"n":` + fmt.Sprintf(whole, value) + `}` }
	lean := func(c string) string { // what is null is not added to a field that has properties
		return strings.NewReplacer(`"tooltip":null,`, ``, `"default_value":null,`, ``).Replace(c)
	}
	tests := []struct {
		name, stored, want string
		added              []string
	}{
		{"nothing stored", `null`, with("5"), []string{"n"}},
		{"no object", `["n"]`, with("5"), []string{"n"}},
		{"a field that is null is missing", `{"n":null}`, with("5"), []string{"n"}},
		{"a value stays, of whatever type", `{"n":{"value":{"a":[null]}}}`, lean(with(`{"a":[null]}`)), nil},
		{"an empty value stays", strings.Replace(with(`""`), `"order":1`, `"order":2`, 1), with(`""`), nil},
		{"a value that is null stays", strings.Replace(with(`null`), `"order":1`, `"order":2`, 1), with(`null`), nil},
		{"a field without value gets its initial value", `{"n":{"tooltip":null,"default_value":null}}`, with("5"), nil},
		{"a field without properties keeps its value", `{"n":"7"}`, with(`"7"`), nil},
		{"a list without properties as well", `{"n":[7]}`, with(`[7]`), nil},
		{
			"what is not the source's stays",
			`{"other":{"x":1},"odd":7,"n":{"value":1,"placeholder":"p","tooltip":null,"default_value":null}}`,
			`{"other":{"x":1},"odd":7,` + strings.Replace(with("1"), `{"label"`, `{"placeholder":"p","label"`, 1)[1:], nil,
		},
		{
			"properties of another value or type are set",
			`{"n":{"label":5,"value":1,"type":["int"],"display":"text","order":"1","required":"true","sensitive":null,"tooltip":"old",
			  "options":{},"default_value":1,"depends_on":null,"validations":"x","ui_restrictions":["advanced"]}}`,
			with("1"), nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stored := readConfiguration(t, []byte(tt.stored))
			before := encode(t, stored)
			out, added, changed := Published(specs, stored)
			sameJSON(t, []byte(tt.want), encode(t, out))
			if diff := cmp.Diff(tt.added, added); diff != "" || !changed {
				t.Errorf("changed %v, added (-want +got):\n%s", changed, diff)
			}
			if after := encode(t, stored); !bytes.Equal(before, after) {
				t.Errorf("stored was changed:\n%s\nto\n%s", before, after)
			}
			if missing := stored.Missing(specs); !slices.Equal(missing, tt.added) {
				t.Errorf("missing %v, added %v", missing, tt.added)
			}
		})
	}
}

func TestPublishedComparesByValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want bool
	}{
		{`1`, `1.0`, true},
		{`100`, `1e2`, true},
		{`0.5`, `5E-1`, true},
		{`-0`, `0`, true},
		{`1`, `2`, false},
		{`9007199254740993`, `9007199254740992`, false},
		{`18446744073709551616`, `18446744073709551616.0`, true},
		{`1e999`, `1e999`, true},
		{`1e999`, `2e999`, false},
		{`1`, `"1"`, false},
		{`"a"`, `"\u0061"`, true},
		{`{"a":1,"b":[{}]}`, ` { "b" : [{ }], "a":1.0}`, true},
		{`{"a":1}`, `{"a":1,"b":null}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`[]`, `{}`, false},
		{`null`, `false`, false},
		{`null`, `[]`, false},
		{`"a"`, `["a"]`, false},
		{`true`, `true`, true},
		{``, ``, false},
		{`{`, `{`, false},
	}
	for _, tt := range tests {
		for _, pair := range [][2]string{{tt.a, tt.b}, {tt.b, tt.a}} {
			if got := equalJSON([]byte(pair[0]), []byte(pair[1])); got != tt.want {
				t.Errorf("%s is %s: %v", pair[0], pair[1], got)
			}
		}
	}
}

// TestValues: what field.Parse makes of the stored values.
func TestValues(t *testing.T) {
	t.Parallel()
	// Where nothing else is said, host and the others that are required are given.
	given := map[string]string{
		"host": `{"value":"h"}`, "password": `{"value":"p"}`, "tls": `{"value":"true"}`, "exotic": `{"value":"x"}`, "mode": `{"value":"all"}`,
	}
	tests := []struct {
		name, field, stored string
		want                any // nil is an error
	}{
		{"text", "host", `{"value":"h","label":"x"}`, "h"},
		{"a number for text keeps its digits", "host", `{"value":1.10}`, "1.10"},
		{"legacy", "host", `"h"`, "h"},
		{"legacy number", "port", `7`, 7},
		{"legacy list", "tables", `["x","y"]`, []string{"x", "y"}},
		{"not stored", "port", ``, 5432},
		{"null as a whole", "port", `null`, 5432},
		{"without its value", "port", `{"label":"x"}`, 5432},
		{"optional and emptied", "port", `{"value":""}`, 1},
		{"optional and null", "port", `{"value":null}`, 1},
		{"optional list of nothing", "tables", `{"value":["",null]}`, []string{"*"}},
		{"optional text of commas", "tables", `{"value":" , "}`, []string{"*"}},
		{"required and emptied", "host", `{"value":""}`, nil},
		{"required and null", "host", `{"value":null}`, nil},
		{"required and not stored, with an initial value", "mode", ``, "all"},
		{"required and emptied, with an initial value", "mode", `{"value":""}`, nil},
		{"a float", "share", `{"value":0.5}`, 0.5},
		{"a number as text", "port", `{"value":"7"}`, 7},
		{"of another type", "port", `{"value":{"a":1}}`, nil},
		{"a truth value in words", "tls", `{"value":"false"}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stored := Configuration{"extra": json.RawMessage(`{"value":1}`), "also extra": json.RawMessage("7")}
			for name, raw := range given {
				stored[name] = json.RawMessage(raw)
			}
			stored[tt.field] = json.RawMessage(tt.stored)
			if tt.stored == "" {
				delete(stored, tt.field)
			}
			v, err := field.Parse(someFields(), stored.Values(someFields()))
			if tt.want == nil {
				if err == nil || !strings.Contains(err.Error(), tt.field) {
					t.Errorf("error is %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, valueOf(v, someFields(), tt.field)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func valueOf(v field.Values, specs []field.Spec, name string) any {
	switch specs[slices.IndexFunc(specs, func(s field.Spec) bool { return s.Name == name })].Type {
	case field.Int:
		return v.Int(name)
	case field.Float:
		return v.Float(name)
	case field.Bool:
		return v.Bool(name)
	case field.List:
		return v.List(name)
	}
	return v.String(name)
}

// TestInitialValuesSurviveTheForm: what is published and not touched means the same as a file without the
// keys, lists that became text among it.
func TestInitialValuesSurviveTheForm(t *testing.T) {
	t.Parallel()
	out, _, _ := Published(someFields(), nil)
	for name, value := range map[string]string{"host": "h", "password": "p", "tls": "no"} {
		var properties map[string]any
		if err := json.Unmarshal(out[name], &properties); err != nil {
			t.Fatal(err)
		}
		properties["value"] = value
		out[name] = encode(t, properties)
	}
	stored, err := field.Parse(someFields(), out.Values(someFields()))
	if err != nil {
		t.Fatal(err)
	}
	file, err := field.Parse(someFields(), map[string]any{"host": "h", "password": "p", "tls": false})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range someFields() {
		if diff := cmp.Diff(valueOf(file, someFields(), s.Name), valueOf(stored, someFields(), s.Name)); diff != "" {
			t.Errorf("%s (-file +stored):\n%s", s.Name, diff)
		}
	}
}

func TestNoSecretIsPrinted(t *testing.T) {
	t.Parallel()
	c := Configuration{"password": json.RawMessage(`{"value":"s3cret"}`), "host": json.RawMessage(`"s3cret"`)}
	raw := fmt.Sprintf("%d", []byte("s3cret")) // as %v and %d show raw JSON
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "c", c)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "c", c)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&log, format, c)
		fmt.Fprintf(&log, format, struct{ C Configuration }{c})
	}
	for _, secret := range []string{"s3cret", strings.Trim(raw, "[]"), "733363726574"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the secret is shown:\n%s", log.String())
		}
	}
	if !strings.Contains(log.String(), "configuration of host, password") {
		t.Errorf("the fields are not named:\n%s", log.String())
	}
}

// FuzzConfiguration: any JSON that is stored is repaired once and for all, values of people stay, and what
// comes out can be parsed or is refused.
func FuzzConfiguration(f *testing.F) {
	f.Add([]byte(`{"host":{"value":"h","label":1},"port":"7","tls":null,"extra":{"value":[]},"tables":{"value":[1,{}],"order":6.0}}`))
	f.Add([]byte(`{"host":[],"password":{"value":null,"validations":{}},"mode":{"options":[{"value":"all","label":"All"}],"tooltip":5}}`))
	f.Add([]byte(`{"share":{"default_value":1e0,"value":1e999},"exotic":true,"\ud800":1}`))
	f.Add([]byte(`[]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var stored Configuration
		if json.Unmarshal(raw, &stored) != nil {
			return
		}
		specs := someFields()
		out, added, changed := Published(specs, stored)
		if len(stored) == 0 && !changed || len(added) > 0 && !changed || !slices.Equal(added, stored.Missing(specs)) {
			t.Errorf("changed %v, added %v, missing %v", changed, added, stored.Missing(specs))
		}
		if missing := out.Missing(specs); missing != nil {
			t.Errorf("still missing: %v", missing)
		}
		again, added, changed := Published(specs, readConfiguration(t, encode(t, out)))
		if changed || added != nil {
			t.Errorf("published twice: added %v\n%s\n%s", added, encode(t, out), encode(t, again))
		}
		before, after := stored.Values(specs), out.Values(specs)
		for name, value := range before {
			if diff := cmp.Diff(value, after[name]); diff != "" {
				t.Errorf("the value of %s changed (-before +after):\n%s", name, diff)
			}
		}
		_, _ = field.Parse(specs, after) // does not panic
	})
}
