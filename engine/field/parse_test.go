package field

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shop is a source with a field of every type.
func shop() []Spec {
	return []Spec{
		{Name: "host", Label: "Host", Order: 1},
		{Name: "port", Label: "Port", Type: Int, Order: 2, Value: 5432, Validations: []Validation{{GreaterThan, 0}, {LessThan, 65536}}},
		{Name: "ratio", Label: "Ratio", Type: Float, Order: 3, Optional: true, Default: 0.5},
		{Name: "ssl", Label: "SSL", Type: Bool, Order: 4, Value: false, Display: Toggle},
		{Name: "tables", Label: "Tables", Type: List, Order: 5, Optional: true, Default: []string{"*"}},
		{Name: "password", Label: "Password", Order: 6, Sensitive: true, Optional: true},
		{Name: "ca", Label: "Certificate", Order: 7, DependsOn: []Dependency{{"ssl", true}}},
		{Name: "mode", Label: "Mode", Order: 8, Value: "fast", Display: Dropdown, Options: []Option{{"Fast", "fast"}, {"Safe", "safe"}}},
	}
}

func mustParse(t *testing.T, specs []Spec, raw map[string]any) Values {
	t.Helper()
	v, err := Parse(specs, raw)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParseTakesTheTypesOfConfigurationFiles(t *testing.T) {
	t.Parallel()
	tests := map[string]map[string]any{
		"typed, as of YAML": {
			"host": "db", "port": uint64(1234), "ratio": 0.25, "ssl": true, "tables": []any{"a", "b"}, "password": "p", "ca": "C", "mode": "safe",
		},
		"typed, as of TOML": {
			"host": "db", "port": int64(1234), "ratio": 0.25, "ssl": true, "tables": []any{"a", "b"}, "password": "p", "ca": "C", "mode": "safe",
		},
		"typed, as of JSON": {
			"host": "db", "port": float64(1234), "ratio": json.Number("0.25"), "ssl": true, "tables": []any{"a", "b"}, "password": "p", "ca": "C", "mode": "safe",
		},
		"all text, as of the environment": {
			"host": "db", "port": " 1234 ", "ratio": "0.25", "ssl": "Yes", "tables": " a , ,b,", "password": "p", "ca": "C", "mode": "safe",
		},
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := mustParse(t, shop(), raw)
			if v.String("host") != "db" || v.Int("port") != 1234 || v.Float("ratio") != 0.25 || !v.Bool("ssl") ||
				v.String("password") != "p" || v.String("ca") != "C" || v.String("mode") != "safe" {
				t.Errorf("%v", v)
			}
			if diff := cmp.Diff([]string{"a", "b"}, v.List("tables")); diff != "" {
				t.Errorf("tables (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPresetsAndDefaults(t *testing.T) {
	t.Parallel()
	v := mustParse(t, shop(), map[string]any{"host": "db"})
	if v.Int("port") != 5432 || v.Float("ratio") != 0.5 || v.Bool("ssl") || v.String("mode") != "fast" || !slices.Equal(v.List("tables"), []string{"*"}) {
		t.Errorf("absent keys: %v", v)
	}
	if v.String("password") != "" || v.Has("password") || v.Has("ca") {
		t.Errorf("empty fields: %v", v)
	}
	if !v.Has("ssl") || !v.Has("port") {
		t.Error("false and initial values are values")
	}
	v = mustParse(t, shop(), map[string]any{"host": "db", "ratio": "", "tables": nil, "password": nil})
	if v.Float("ratio") != 0.5 || !slices.Equal(v.List("tables"), []string{"*"}) || v.Has("password") {
		t.Errorf("empty optional fields take their default: %v", v)
	}
	v = mustParse(t, shop(), map[string]any{"host": "db", "ratio": 0, "tables": []any{}})
	if v.Float("ratio") != 0 || !slices.Equal(v.List("tables"), []string{"*"}) {
		t.Errorf("0 is a value, an empty list is none: %v", v)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		raw  map[string]any
		want string
	}{
		{"a required field that is absent", map[string]any{}, `"host" (Host) cannot be empty`},
		{"a required field that is empty", map[string]any{"host": ""}, `"host" (Host) cannot be empty`},
		{"a required initial value that is emptied", map[string]any{"host": "h", "port": ""}, `"port" (Port) cannot be empty`},
		{"not a whole number", map[string]any{"host": "h", "port": "12x"}, `"port" (Port) must be an integer`},
		{"a fraction", map[string]any{"host": "h", "port": 1.5}, `"port" (Port) must be an integer`},
		{"true is no number", map[string]any{"host": "h", "port": true}, `"port" (Port) must be an integer`},
		{"not a number", map[string]any{"host": "h", "ratio": "NaN"}, `"ratio" (Ratio) must be a number`},
		{"neither true nor false", map[string]any{"host": "h", "ssl": "maybe"}, `"ssl" (SSL) must be true or false`},
		{"text is no map", map[string]any{"host": map[string]any{"a": 1}}, `"host" (Host) must be text`},
		{"text is no list", map[string]any{"host": []any{"a"}}, `"host" (Host) must be text`},
		{"text is not true", map[string]any{"host": true}, `"host" (Host) must be text`},
		{"a list of lists", map[string]any{"host": "h", "tables": []any{[]any{"a"}}}, `"tables" (Tables) must be a list of text`},
		{"a list that is a map", map[string]any{"host": "h", "tables": map[string]any{}}, `"tables" (Tables) must be a list of text`},
		{"below its range", map[string]any{"host": "h", "port": 0}, `"port" (Port) must be greater than 0`},
		{"above its range", map[string]any{"host": "h", "port": 65536}, `"port" (Port) must be less than 65536`},
		{"none of the options", map[string]any{"host": "h", "mode": "x"}, `"mode" (Mode) must be one of: fast, safe`},
		{"a dependent field that matters now", map[string]any{"host": "h", "ssl": "1"}, `"ca" (Certificate) cannot be empty`},
		{"an unknown key like a known one", map[string]any{"host": "h", "Pass-word": "x"}, `"Pass-word" is not a field of this connector; did you mean "password"?`},
		{"an unknown key", map[string]any{"host": "h", "zzzzzzzzzz": "x"}, `"zzzzzzzzzz" is not a field of this connector, which has: host, port, ratio, ssl, tables, password, ca, mode`},
		{"everything at once, in the order of the fields", map[string]any{"b": 1, "a": 1, "port": "x", "ssl": "y"}, `"a" is not a field of this connector; did you mean "ca"?; "b" is not`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := Parse(shop(), tt.raw)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %s", err, tt.want)
			}
			if v.Names() != nil {
				t.Errorf("values beside an error: %v", v)
			}
			if _, ok := errors.AsType[Errors](err); !ok {
				t.Errorf("the error is a %T", err)
			}
			if one, ok := errors.AsType[*Error](err); !ok || one.Problem == "" {
				t.Errorf("no single error is found in %v", err)
			}
		})
	}
	_, err := Parse(shop(), map[string]any{"port": "x", "ratio": "y", "nope": 1})
	if all, _ := errors.AsType[Errors](err); len(all) != 4 {
		t.Errorf("%d errors, want 4: %v", len(all), err)
	}
}

func TestDependsOn(t *testing.T) {
	t.Parallel()
	specs := []Spec{
		{Name: "auth", Type: Str, Value: "none"},
		{Name: "on", Type: Bool, Value: true},
		{Name: "level", Type: Int, Optional: true},
		{Name: "kinds", Type: List, Optional: true},
		{Name: "needs_both", DependsOn: []Dependency{{"auth", "basic"}, {"on", "true"}}},
		{Name: "needs_level", DependsOn: []Dependency{{"level", "5"}}},
		{Name: "needs_no_level", Optional: true, DependsOn: []Dependency{{"level", nil}}, Validations: []Validation{{Regex, "x"}}},
		{Name: "needs_kinds", DependsOn: []Dependency{{"kinds", "a,b"}}},
	}
	tests := []struct {
		name  string
		raw   map[string]any
		wrong string // the fields that are wrong
	}{
		{"nothing holds", map[string]any{}, ""},
		{"one of two holds", map[string]any{"auth": "basic", "on": false}, ""},
		{"both hold", map[string]any{"auth": "basic"}, "needs_both"},
		{"the values have the type of the other field", map[string]any{"level": 5.0}, "needs_level"},
		{"another level", map[string]any{"level": 6}, ""},
		{"the other field must be empty", map[string]any{"needs_no_level": "y"}, "needs_no_level"},
		{"and is not", map[string]any{"needs_no_level": "y", "level": 7}, ""},
		{"a list", map[string]any{"kinds": []any{"a", "b"}}, "needs_kinds"},
		{"another list", map[string]any{"kinds": []any{"a"}}, ""},
		{"an irrelevant field is not checked", map[string]any{"needs_both": []any{1}, "on": "no"}, ""},
		{"a wrong value holds for nothing", map[string]any{"level": "x"}, "level"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(specs, tt.raw)
			var wrong []string
			if all, ok := errors.AsType[Errors](err); ok {
				for _, e := range all {
					wrong = append(wrong, e.Field)
				}
			}
			if got := strings.Join(wrong, " "); got != tt.wrong {
				t.Errorf("wrong are %q, want %q (%v)", got, tt.wrong, err)
			}
		})
	}
	_, err := Parse([]Spec{{Name: "a", Optional: true, DependsOn: []Dependency{{"gone", 1}}}}, nil)
	if err == nil || !strings.Contains(err.Error(), `"a" depends on "gone", which is not a field of this connector`) {
		t.Errorf("a dependency on nothing: %v", err)
	}
}

func TestValidations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		spec Spec
		raw  any
		want string // "" is fine
	}{
		{"less_than", Spec{Type: Int, Validations: []Validation{{LessThan, 5}}}, 4, ""},
		{"less_than is strict", Spec{Type: Int, Validations: []Validation{{LessThan, 5}}}, 5, "must be less than 5"},
		{"greater_than", Spec{Type: Float, Validations: []Validation{{GreaterThan, "0.5"}}}, 0.6, ""},
		{"greater_than is strict", Spec{Type: Float, Validations: []Validation{{GreaterThan, "0.5"}}}, "0.5", "must be greater than 0.5"},
		{"a limit of a number in text", Spec{Validations: []Validation{{LessThan, 5}}}, "4", ""},
		{"a limit of what is no number", Spec{Validations: []Validation{{LessThan, 5}}}, "x", "must be a number"},
		{"a limit that is no number", Spec{Type: Int, Validations: []Validation{{LessThan, "x"}}}, 4, "has a limit that is not a number"},
		{"list_type int", Spec{Type: List, Validations: []Validation{{ListType, "int"}}}, "1, -2", ""},
		{"list_type int refuses text", Spec{Type: List, Validations: []Validation{{ListType, "int"}}}, "1, x", "must be a list of integers"},
		{"list_type str", Spec{Type: List, Validations: []Validation{{ListType, "str"}}}, []any{"a", 1}, ""},
		{"list_type of another kind", Spec{Type: List, Validations: []Validation{{ListType, "map"}}}, "a", `has the unknown member type "map"`},
		{"list_type of text", Spec{Validations: []Validation{{ListType, "str"}}}, "a", "must be a list"},
		{"included_in", Spec{Validations: []Validation{{IncludedIn, []any{"a", "b"}}}}, "b", ""},
		{"included_in refuses", Spec{Validations: []Validation{{IncludedIn, []any{"a", "b"}}}}, "c", "must be one of: a, b"},
		{"included_in of a list", Spec{Type: List, Validations: []Validation{{IncludedIn, "a,b"}}}, "b,a", ""},
		{"included_in refuses one of a list", Spec{Type: List, Validations: []Validation{{IncludedIn, "a,b"}}}, "b,c", "may hold only: a, b"},
		{"included_in of a number", Spec{Type: Int, Validations: []Validation{{IncludedIn, []any{1, 2}}}}, "2", ""},
		{"included_in of a bool", Spec{Type: Bool, Validations: []Validation{{IncludedIn, []any{"true"}}}}, "y", ""},
		{"included_in of no list", Spec{Validations: []Validation{{IncludedIn, map[string]any{}}}}, "c", "has a list of choices that is not a list"},
		{"regex", Spec{Validations: []Validation{{Regex, "[a-z]+"}}}, "abc", ""},
		{"regex is anchored at the end", Spec{Validations: []Validation{{Regex, "[a-z]+"}}}, "abc1", "must match [a-z]+ from beginning to end"},
		{"regex is anchored at the start", Spec{Validations: []Validation{{Regex, "[a-z]+"}}}, "1abc", "must match [a-z]+ from beginning to end"},
		{"regex with alternatives is anchored as a whole", Spec{Validations: []Validation{{Regex, "a|b"}}}, "ab", "must match a|b from beginning to end"},
		{"regex of a line break at the end", Spec{Validations: []Validation{{Regex, "a$"}}}, "a\n", "must match a$ from beginning to end"},
		{"regex of a number", Spec{Type: Int, Validations: []Validation{{Regex, "5"}}}, 5, "must be text"},
		{"regex that does not compile", Spec{Validations: []Validation{{Regex, "("}}}, "a", "has a pattern that does not compile"},
		{"an unknown validation", Spec{Validations: []Validation{{"luck", 7}}}, "a", `has the unknown validation "luck"`},
		{"an empty optional value is not validated", Spec{Optional: true, Validations: []Validation{{Regex, "x"}}}, "", ""},
		{"options bind a dropdown only", Spec{Options: []Option{{"A", "a"}}}, "b", ""},
		{"all failures are reported", Spec{Validations: []Validation{{Regex, "x"}, {IncludedIn, "y"}}}, "a", `must match x from beginning to end; "f" must be one of: y`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.spec.Name = "f"
			_, err := Parse([]Spec{tt.spec}, map[string]any{"f": tt.raw})
			got := ""
			if err != nil {
				got = strings.TrimPrefix(err.Error(), `"f" `)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzParse: whatever JSON a connector record holds, Parse gives values of the right types or names
// a field, and never repeats what it was given.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"host":"db","port":"5432","ratio":0.5,"ssl":"yes","tables":["a",1,null],"ca":"C"}`))
	f.Add([]byte(`{"host":{"a":[1]},"port":1e400,"ratio":"Infinity","ssl":2,"tables":{"a":1},"password":["canary-7f3a"]}`))
	f.Add([]byte(`{"port":-0.0,"ratio":"0x10p-2","mode":"","nope":"canary-7f3a"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, number := range []bool{false, true} {
			dec := json.NewDecoder(strings.NewReader(string(text)))
			if number {
				dec.UseNumber()
			}
			var raw map[string]any
			if dec.Decode(&raw) != nil {
				return
			}
			v, err := Parse(shop(), raw)
			if err != nil {
				if all, ok := errors.AsType[Errors](err); !ok || len(all) == 0 {
					t.Fatalf("an error without a field: %v", err)
				}
				continue
			}
			if port := v.Int("port"); port <= 0 || port >= 65536 || v.String("host") == "" {
				t.Errorf("unchecked values: %v", v)
			}
			_, _, _, _ = v.Float("ratio"), v.Bool("ssl"), v.List("tables"), v.String("ca")
			if secret := v.String("password"); len(secret) > 8 && strings.Contains(v.GoString(), secret) && !strings.Contains(withoutSecret(t, raw), secret) {
				t.Errorf("the secret shows: %v", v)
			}
		}
	})
}

// withoutSecret is how the values would print if there was no secret.
func withoutSecret(t *testing.T, raw map[string]any) string {
	t.Helper()
	delete(raw, "password")
	v, err := Parse(shop(), raw)
	if err != nil {
		t.Fatal(err)
	}
	return v.GoString()
}
