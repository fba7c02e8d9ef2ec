package protocol

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func readFeatures(t *testing.T, raw string) Features {
	t.Helper()
	var f Features
	if err := json.Unmarshal([]byte(raw), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// flags are what a record's features say.
type flags struct{ Basic, Advanced, Rules, Access, Incremental bool }

func flagsOf(f Features) flags {
	return flags{f.BasicRules(), f.AdvancedRules(), f.Rules(), f.DocumentLevelSecurity(), f.IncrementalSync()}
}

func TestFeaturesOfASourceType(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		typ  source.Type
		json string
		want flags
	}{
		{
			"every type has basic rules and incremental jobs",
			source.Type{},
			`{"sync_rules":{"basic":{"enabled":true},"advanced":{"enabled":false}},"document_level_security":{"enabled":false},
			  "incremental_sync":{"enabled":true},"native_connector_api_keys":{"enabled":false}}`,
			flags{Basic: true, Rules: true, Incremental: true},
		},
		{
			"advanced rules and access control are the type's",
			source.Type{AdvancedRules: true, AccessControl: true},
			`{"sync_rules":{"basic":{"enabled":true},"advanced":{"enabled":true}},"document_level_security":{"enabled":true},
			  "incremental_sync":{"enabled":true},"native_connector_api_keys":{"enabled":false}}`,
			flags{true, true, true, true, true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := FeaturesOf(&tt.typ)
			sameJSON(t, []byte(tt.json), encode(t, f))
			if diff := cmp.Diff(tt.want, flagsOf(f)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !f.Equal(readFeatures(t, tt.json)) {
				t.Error("it is not what was read")
			}
		})
	}
}

func TestFeaturesOfARecord(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, stored string
		want         flags
	}{
		{"null", `null`, flags{}},
		{"nothing", `{}`, flags{}},
		{"null at each level", `{"sync_rules":null,"document_level_security":null,"incremental_sync":{"enabled":null},"filtering_rules":null}`, flags{}},
		{"null one level down", `{"sync_rules":{"basic":null,"advanced":{"enabled":null}}}`, flags{}},
		{"all on", `{"sync_rules":{"basic":{"enabled":true},"advanced":{"enabled":true}},"document_level_security":{"enabled":true},"incremental_sync":{"enabled":true}}`, flags{true, true, true, true, true}},
		{"all off", `{"sync_rules":{"basic":{"enabled":false},"advanced":{"enabled":false}},"document_level_security":{"enabled":false},"incremental_sync":{"enabled":false}}`, flags{}},
		{"basic rules alone are rules", `{"sync_rules":{"basic":{"enabled":true}}}`, flags{Basic: true, Rules: true}},
		{"advanced rules alone are rules", `{"sync_rules":{"advanced":{"enabled":true}}}`, flags{Advanced: true, Rules: true}},
		{"the old flag of basic rules", `{"filtering_rules":true}`, flags{Basic: true, Rules: true}},
		{"the old flag of advanced rules", `{"filtering_advanced_config":true}`, flags{Advanced: true, Rules: true}},
		{"the old flags beside today's that are off", `{"filtering_rules":true,"sync_rules":{"basic":{"enabled":false}}}`, flags{Basic: true, Rules: true}},
		{"a flag that is no truth value is off", `{"sync_rules":{"basic":{"enabled":"true"},"advanced":true},"incremental_sync":[{"enabled":true}],"document_level_security":1,"filtering_rules":{"enabled":true}}`, flags{}},
		{"no object", `[true]`, flags{}},
		{"letter case counts", `{"Filtering_Rules":true}`, flags{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, flagsOf(readFeatures(t, tt.stored))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPublishingFeatures: what is stored keeps what the source does not know, and is changed once.
func TestPublishingFeatures(t *testing.T) {
	t.Parallel()
	const whole = `{"sync_rules":{"basic":{"enabled":true},"advanced":{"enabled":false}},"document_level_security":{"enabled":false},
		"incremental_sync":{"enabled":true},"native_connector_api_keys":{"enabled":false}}`
	tests := []struct {
		name, stored, want string
		changed            bool
	}{
		{"nothing stored", `null`, whole, true},
		{"an empty object", `{}`, whole, true},
		{"no object", `[1]`, whole, true},
		{"the same, in another order", `{"incremental_sync": {"enabled":true},` + whole[1:], whole, false},
		{"a flag that differs, and unknown ones on each level", `{"new":1,"sync_rules":{"new":{"enabled":true},"basic":{"enabled":false,"new":2}}}`, `{"new":1,"sync_rules":{"new":{"enabled":true},"basic":{"enabled":true,"new":2},"advanced":{"enabled":false}},` + whole[len(`{"sync_rules":{"basic":{"enabled":true},"advanced":{"enabled":false}},`):], true},
		{"unknown ones alone", `{"new":{"enabled":true},` + whole[1:], `{"new":{"enabled":true},` + whole[1:], false},
		{"what is of another type", `{"sync_rules":[1],"incremental_sync":true}`, whole, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stored := readFeatures(t, tt.stored)
			before := string(encode(t, stored))
			out := stored.With(FeaturesOf(&source.Type{}))
			sameJSON(t, []byte(tt.want), encode(t, out))
			if changed := !out.Equal(stored); changed != tt.changed || stored.Equal(out) == tt.changed {
				t.Errorf("changed is %v", changed)
			}
			if again := out.With(FeaturesOf(&source.Type{})); !again.Equal(out) {
				t.Errorf("changed twice: %s", encode(t, again))
			}
			if after := string(encode(t, stored)); before != after {
				t.Errorf("stored was changed: %s to %s", before, after)
			}
		})
	}
}

func TestFeaturesAreWrittenAsTheyWereRead(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]string{
		`{"new":{"a":[1.50]},"sync_rules":[7]}`: ``, `{}`: ``, `null`: ``, `"x"`: `null`, `[]`: `null`,
	} {
		sameJSON(t, []byte(orElse(want, stored)), encode(t, readFeatures(t, stored)))
	}
	if readFeatures(t, `{}`).Equal(Features{}) {
		t.Error("an empty object equals null")
	}
}

// FuzzFeatures: any JSON is read, repaired once, and then says what was published.
func FuzzFeatures(f *testing.F) {
	f.Add([]byte(`{"sync_rules":{"basic":{"enabled":"x"},"advanced":null},"filtering_rules":1}`))
	f.Add([]byte(`{"incremental_sync":[],"document_level_security":{"enabled":{}},"new":[{}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var stored Features
		if json.Unmarshal(raw, &stored) != nil {
			return
		}
		want := FeaturesOf(&source.Type{AccessControl: true})
		out := stored.With(want)
		if !out.With(want).Equal(out) || !readFeatures(t, string(encode(t, out))).Equal(out) {
			t.Errorf("not stable: %s", encode(t, out))
		}
		if !out.BasicRules() || !out.DocumentLevelSecurity() || !out.IncrementalSync() {
			t.Errorf("not on: %s", encode(t, out))
		}
	})
}
