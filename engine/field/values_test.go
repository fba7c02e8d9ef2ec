package field

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
)

// canary is a secret that must not come out anywhere.
const canary = "canary-7f3a"

func secretSpecs() []Spec {
	return []Spec{
		{Name: "user", Label: "User"},
		{Name: "password", Label: "Password", Sensitive: true},
		{Name: "keys", Label: "Keys", Type: List, Sensitive: true},
		{Name: "pin", Label: "PIN", Type: Int, Sensitive: true},
		{Name: "token", Label: "Token", Sensitive: true, Optional: true},
		{Name: "note", Label: "Note", Optional: true},
	}
}

func secretValues(t *testing.T) Values {
	t.Helper()
	return mustParse(t, secretSpecs(), map[string]any{
		"user": "etl", "password": canary, "keys": []any{canary, "x" + canary}, "pin": 73510246,
	})
}

// TestNoPrintingShowsASecret tries every way by which values get into logs, errors and output.
func TestNoPrintingShowsASecret(t *testing.T) {
	t.Parallel()
	v := secretValues(t)
	type open struct {
		V Values
		P *Values
	}
	type closed struct {
		v Values
		p *Values
	}
	shapes := map[string]any{
		"values": v, "pointer": &v, "struct": open{v, &v}, "pointer to struct": &open{v, &v},
		"unexported": closed{v, &v}, "pointer to unexported": &closed{v, &v}, "slice": []Values{v}, "array": [1]Values{v},
		"map": map[string]Values{"a": v}, "any": []any{v, &v}, "error": fmt.Errorf("open: %v", v), "joined": errors.Join(fmt.Errorf("%+v", open{v, &v})),
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t", "%T", "%10.3v", "%!", "%z"} {
				noSecret(t, verb, fmt.Sprintf(verb, shape))
			}
			noSecret(t, "Sprint", fmt.Sprint(shape))
			noSecret(t, "Sprintln", fmt.Sprintln(shape))
			if b, err := json.Marshal(shape); err == nil {
				noSecret(t, "JSON", string(b))
			}
			for format, handler := range map[string]func(*bytes.Buffer) slog.Handler{
				"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
				"slog JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
			} {
				var b bytes.Buffer
				log := slog.New(handler(&b)).With("with", shape)
				log.Info("x", "values", shape, slog.Group("g", slog.Any("inner", shape)))
				noSecret(t, format, b.String())
			}
			var b bytes.Buffer
			if err := template.Must(template.New("").Parse("{{.}} {{printf `%v` .}}")).Execute(&b, shape); err == nil {
				noSecret(t, "template", b.String())
			}
		})
	}
	for _, name := range v.Names() {
		noSecret(t, "Shown", v.Shown(name))
	}
}

func noSecret(t *testing.T, how, text string) {
	t.Helper()
	for _, secret := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), "73510246"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
}

// TestNoErrorShowsAValue: what was typed into any field, by mistake even a secret into the wrong
// one, is not repeated.
func TestNoErrorShowsAValue(t *testing.T) {
	t.Parallel()
	specs := shop()
	for i := range specs {
		specs[i].Validations = append(specs[i].Validations,
			Validation{Regex, "y"}, Validation{IncludedIn, "y"}, Validation{LessThan, -1e9}, Validation{ListType, "int"}, Validation{"unknown", 1})
	}
	for _, value := range []any{canary, []any{canary, true}, []any{canary}, map[string]any{"a": canary}, 73510246, 73510246.5, json.Number("73510246.5")} {
		raw := map[string]any{"unknown": value}
		for i := range specs {
			raw[specs[i].Name] = value
		}
		_, err := Parse(specs, raw)
		if err == nil {
			t.Fatalf("%v is accepted everywhere", value)
		}
		noSecret(t, "the error", err.Error())
		noSecret(t, "the error in Go syntax", fmt.Sprintf("%#v %+v", err, err))
	}
}

func TestPrinting(t *testing.T) {
	t.Parallel()
	v := secretValues(t)
	const text = `{user="etl" password="•••" keys="•••" pin="•••" token="" note=""}`
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, v); got != text {
			t.Errorf("%s prints %s, want %s", verb, got, text)
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"keys":"•••","note":null,"password":"•••","pin":"•••","token":null,"user":"etl"}`, string(b)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if got, want := v.LogValue().String(), "[user=etl password=••• keys=••• pin=•••]"; got != want {
		t.Errorf("LogValue = %s, want %s", got, want)
	}
	var none Values
	if got := fmt.Sprintf("%v %#v", none, none); got != "{} {}" {
		t.Errorf("no values print %s", got)
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	v := mustParse(t, shop(), map[string]any{"host": "db", "port": 5, "ratio": 0.25, "tables": "a,b", "password": "p"})
	for name, want := range map[string]string{
		"host": "db", "port": "5", "ratio": "0.25", "ssl": "false", "tables": "a, b", "password": Hidden, "ca": "", "nope": "",
	} {
		if got := v.Shown(name); got != want {
			t.Errorf("Shown(%q) = %q, want %q", name, got, want)
		}
	}
}

// TestGettersPanic: a misspelt name must not read as false or 0.
func TestGettersPanic(t *testing.T) {
	t.Parallel()
	v := mustParse(t, shop(), map[string]any{"host": "db"})
	for name, get := range map[string]func(Values){
		"unknown":       func(v Values) { v.Bool("sll") },
		"another type":  func(v Values) { v.Int("host") },
		"text of a num": func(v Values) { v.String("port") },
		"float of int":  func(v Values) { v.Float("port") },
		"list of text":  func(v Values) { v.List("host") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, values := range []Values{v, {}} {
				func() {
					defer func() {
						if recover() == nil {
							t.Error("no panic")
						}
					}()
					get(values)
				}()
			}
		})
	}
	if v.Has("sll") || (Values{}).Has("host") {
		t.Error("Has finds what is not there")
	}
}

func TestValuesCannotBeChanged(t *testing.T) {
	t.Parallel()
	raw := map[string]any{"host": "db", "tables": []string{"a", "b"}}
	v := mustParse(t, shop(), raw)
	v.List("tables")[0] = "x"
	v.Names()[0] = "x"
	raw["tables"].([]string)[0] = "x"
	raw["host"] = "x"
	if got := fmt.Sprintln(v.List("tables"), v.String("host"), v.Names()[0]); got != "[a b] db host\n" {
		t.Errorf("got %s", got)
	}
}

// TestDefaultsAreNotShared: two connectors of one source do not share the list of a default.
func TestDefaultsAreNotShared(t *testing.T) {
	t.Parallel()
	specs := shop()
	a := mustParse(t, specs, map[string]any{"host": "db"})
	specs[4].Default.([]string)[0] = "x"
	if got := a.List("tables"); got[0] != "*" {
		t.Errorf("got %v", got)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := Spec{Name: "a", Label: "A", Order: 1}
	with := func(change func(*Spec)) []Spec { s := good; change(&s); return []Spec{s} }
	two := func(change func(*Spec)) []Spec {
		s := Spec{Name: "b", Label: "B", Order: 2}
		change(&s)
		return []Spec{good, s}
	}
	tests := []struct {
		name  string
		specs []Spec
		want  string // "" is no error
	}{
		{"the shop", shop(), ""},
		{"nothing", nil, ""},
		{"no name", with(func(s *Spec) { s.Name = "" }), `field "" has no name`},
		{"no label", with(func(s *Spec) { s.Label = "" }), `field "a" has no label`},
		{"a label twice", two(func(s *Spec) { s.Label = "A" }), `field "b" has the label "A", as "a" has`},
		{"an order twice", two(func(s *Spec) { s.Order = 1 }), `field "b" has the order 1, as "a" has`},
		{"a name twice", two(func(s *Spec) { s.Name = "a" }), `field "a" is listed twice`},
		{"an unknown type", with(func(s *Spec) { s.Type = "date" }), `has the unknown type "date"`},
		{"an unknown display", with(func(s *Spec) { s.Display = "slider" }), `has the unknown display "slider"`},
		{"a dropdown without options", with(func(s *Spec) { s.Display = Dropdown }), "is a dropdown without options"},
		{"a default that is never used", with(func(s *Spec) { s.Default = "x" }), "is required, so its default is never used"},
		{"a path that is no text", with(func(s *Spec) { s.Path, s.Type = true, List }), "is a path, but not text"},
		{"a secret in the code", with(func(s *Spec) { s.Sensitive, s.Value = true, canary }), "is sensitive and has an initial value"},
		{"an empty initial value is none", with(func(s *Spec) { s.Sensitive, s.Value = true, "" }), ""},
		{"an initial value of another type", with(func(s *Spec) { s.Type, s.Value = Int, "x" }), "has a value that must be an integer"},
		{"a default of another type", with(func(s *Spec) { s.Type, s.Optional, s.Default = Int, true, "x" }), "has a default that must be an integer"},
		{"an invalid initial value", with(func(s *Spec) { s.Value, s.Validations = "x", []Validation{{Regex, "y"}} }), "has a value that must match y"},
		{"an initial value that is not an option", with(func(s *Spec) { s.Value, s.Display, s.Options = "x", Dropdown, []Option{{"Y", "y"}} }), "has a value that must be one of: y"},
		{"a pattern that does not compile", with(func(s *Spec) { s.Validations = []Validation{{Regex, "("}} }), "has a pattern that does not compile"},
		{"a pattern that is no text", with(func(s *Spec) { s.Validations = []Validation{{Regex, 5}} }), "the pattern is a int, not text"},
		{"depends on itself", with(func(s *Spec) { s.DependsOn = []Dependency{{"a", "x"}} }), "depends on itself"},
		{"depends on nothing", with(func(s *Spec) { s.DependsOn = []Dependency{{"z", "x"}} }), `depends on "z", which is not a field`},
		{"depends on a value that cannot be", two(func(s *Spec) { s.Type, s.DependsOn = Int, []Dependency{{"a", []any{}}} }), `depends on a value of "a" that must be text`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := Check(tt.specs)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %s", err, tt.want)
			}
		})
	}
}

// TestCheckIsDeterministic: the same specs give the same text, so that it can be compared in CI.
func TestCheckIsDeterministic(t *testing.T) {
	t.Parallel()
	specs := []Spec{{Name: "a", Label: "A", Type: Int, Optional: true, Value: "x", Default: "y"}}
	want := Check(specs).Error()
	for range 50 {
		if got := Check(specs).Error(); got != want {
			t.Fatalf("got %s, then %s", want, got)
		}
	}
}
