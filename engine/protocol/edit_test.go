package protocol

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

func editedSpecs() []field.Spec {
	return []field.Spec{
		{Name: "host", Label: "Host", Order: 1},
		{Name: "port", Label: "Port", Order: 2, Type: field.Int, Value: 5432},
		{Name: "ratio", Label: "Ratio", Order: 3, Type: field.Float, Optional: true},
		{Name: "ssl", Label: "SSL", Order: 4, Type: field.Bool, Value: false},
		{Name: "tables", Label: "Tables", Order: 5, Type: field.List, Value: "*"},
		{Name: "ca", Label: "CA", Order: 6, DependsOn: []field.Dependency{{Field: "ssl", Value: true}}},
		{Name: "level", Label: "Level", Order: 7, Optional: true, Validations: []field.Validation{{Type: field.IncludedIn, Constraint: []string{"low", "high"}}}},
		{Name: "password", Label: "Password", Order: 8, Sensitive: true},
	}
}

func TestConfigurationWith(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		stored string
		set    map[string]any
		want   string // the values; or what the error says
	}{
		{"nothing is set", `{"host": {"value": "a"}}`, nil, `{"host":"a"}`},
		{"a value in place of another", `{"host": {"value": "a"}}`, map[string]any{"host": "b"}, `{"host":"b"}`},
		{"text in the type of its field", `{}`, map[string]any{"port": "5", "ratio": "0.5", "ssl": "yes"}, `{"port":5,"ratio":0.5,"ssl":true}`},
		{"a list as a form has it", `{}`, map[string]any{"tables": []any{"a", "b"}}, `{"tables":"a, b"}`},
		{"a list whose text would be read otherwise stays one", `{}`, map[string]any{"tables": []any{"a,b", "c"}}, `{"tables":["a,b","c"]}`},
		{"nil empties", `{"host": {"value": "a"}, "port": {"value": 1}}`, map[string]any{"host": nil, "port": nil}, `{"host":"","port":""}`},
		{"others stay, also those that are not the source's", `{"port": {"value": "x"}, "odd": 1}`, map[string]any{"host": "a"}, `{"host":"a","odd":1,"port":"x"}`},
		{"a field that another one turns off may be set", `{"ssl": {"value": false}}`, map[string]any{"ca": "pem"}, `{"ca":"pem","ssl":false}`},
		{"a bare value becomes a field", `{"host": "a"}`, map[string]any{"host": "b"}, `{"host":"b"}`},
		{"a number that is none", `{}`, map[string]any{"port": "s3cret"}, `"port" (Port) must be an integer`},
		{"a value that is not allowed", `{}`, map[string]any{"level": "s3cret"}, `"level" (Level) must be one of: low, high`},
		{"a field that there is not", `{}`, map[string]any{"hots": "s3cret"}, `"hots" is not a field of this connector; did you mean "host"?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var stored Configuration
			if err := json.Unmarshal([]byte(tt.stored), &stored); err != nil {
				t.Fatal(err)
			}
			before := mustEncode(stored)
			edited, err := stored.With(editedSpecs(), tt.set)
			got := ""
			if err != nil {
				if _, ok := errors.AsType[field.Errors](err); !ok {
					t.Errorf("error of type %T", err)
				}
				got = err.Error()
			} else {
				values := map[string]json.RawMessage{}
				for name, raw := range edited {
					values[name] = fieldValue(raw)
				}
				got = string(mustEncode(values))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(string(before), string(mustEncode(stored))); d != "" {
				t.Errorf("the stored one changed: %s", d)
			}
		})
	}
}

// TestAFieldThatIsAddedHasItsProperties: Kibana draws its form from them.
func TestAFieldThatIsAddedHasItsProperties(t *testing.T) {
	t.Parallel()
	edited, err := Configuration{}.With(editedSpecs(), map[string]any{"password": "x"})
	if err != nil {
		t.Fatal(err)
	}
	want, _, _ := Published(editedSpecs()[7:], Configuration{"password": json.RawMessage(`"x"`)})
	if !equalJSON(want["password"], edited["password"]) || len(edited) != 1 {
		t.Errorf("got %s, want %s", mustEncode(map[string]json.RawMessage(edited)), want["password"])
	}
}

func TestRuledBy(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	basic := []rules.Rule{{ID: "a", Policy: "exclude", Field: "x", Rule: "equals", Value: "1", Order: 1}}
	got, err := RuledBy(basic, map[string]any{"tables": []any{"a"}}, now)
	if err != nil {
		t.Fatal(err)
	}
	for which, r := range map[string]Rules{"active": got[0].Active, "draft": got[0].Draft} {
		want := append(slices.Clone(basic), rules.Rule{ID: rules.Default, Policy: "include", Field: "_", Rule: "regex", Value: ".*"})
		if d := cmp.Diff(want, r.Basic()); d != "" {
			t.Errorf("%s: %s", which, d)
		}
		if !equalJSON(r.AdvancedSnippet.Value, []byte(`{"tables": ["a"]}`)) || r.Validation.State != ValidationValid {
			t.Errorf("%s: snippet %s, %s", which, r.AdvancedSnippet.Value, r.Validation.State)
		}
		if v := r.Validate(func(any) error { return nil }); v.State != ValidationValid {
			t.Errorf("%s: %v", which, v.Errors)
		}
	}
	none, err := RuledBy(nil, nil, now)
	if err != nil || string(mustEncode(none)) != string(mustEncode(DefaultFiltering(now))) {
		t.Errorf("without rules it is not what new connectors have: %s (%v)", mustEncode(none), err)
	}
	if _, err := RuledBy(nil, func() {}, now); err == nil {
		t.Error("what is no JSON is taken for an advanced rule")
	}
}

func TestSchedulingSet(t *testing.T) {
	t.Parallel()
	on := Schedule{Enabled: true, Interval: "0 0 1 * * ?"}
	for _, kind := range []JobType{JobFull, JobIncremental, JobAccessControl, JobDeletion} {
		s := NewScheduling()
		s.Set(kind, on)
		for _, other := range []JobType{JobFull, JobIncremental, JobAccessControl} {
			if got := s.Of(other) == on; got != (other == kind) {
				t.Errorf("set %s: %s is on: %v", kind, other, got)
			}
		}
	}
	var old Scheduling
	if err := json.Unmarshal([]byte(`{"enabled": false, "interval": "x"}`), &old); err != nil {
		t.Fatal(err)
	}
	old.Set(JobFull, on)
	if d := cmp.Diff(`{"enabled":true,"interval":"0 0 1 * * ?"}`, string(mustEncode(old))); d != "" {
		t.Errorf("the shape with one schedule is not kept: %s", d)
	}
}
