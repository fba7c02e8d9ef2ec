package protocol

import (
	"encoding/json"
	"maps"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Features are what a connector supports; Kibana reads them before it shows a form. A feature that is
// missing or null at any level, or of another type, is off. Unknown features are kept.
type Features struct{ properties object }

// FeaturesOf returns the published features of a source type. Basic rules belong to the engine, and every
// type supports incremental jobs: if a source cannot report its changes, it is read completely, and
// unchanged documents are skipped.
func FeaturesOf(t *source.Type) Features {
	type flag struct {
		Enabled bool `json:"enabled"`
	}
	f := Features{properties: object{}}
	for name, v := range map[string]any{
		"sync_rules":                map[string]flag{"basic": {true}, "advanced": {t.AdvancedRules}},
		"document_level_security":   flag{t.AccessControl},
		"incremental_sync":          flag{true},
		"native_connector_api_keys": flag{false}, // keys are configured here, not kept by Elasticsearch
	} {
		f.properties[name] = mustEncode(v)
	}
	return f
}

// UnmarshalJSON reads features. It never fails.
func (f *Features) UnmarshalJSON(raw []byte) error {
	f.properties = readObject(raw)
	return nil
}

// MarshalJSON writes features as they were read; null if they were no object.
func (f Features) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]json.RawMessage(f.properties))
}

// BasicRules reports whether basic sync rules are supported, by the current flag or by the older one.
func (f Features) BasicRules() bool {
	return f.enabled("sync_rules", "basic", "enabled") || f.enabled("filtering_rules")
}

// AdvancedRules reports whether advanced sync rules are supported, by the current flag or by the older one.
func (f Features) AdvancedRules() bool {
	return f.enabled("sync_rules", "advanced", "enabled") || f.enabled("filtering_advanced_config")
}

// Rules reports whether any sync rules are supported.
func (f Features) Rules() bool { return f.BasicRules() || f.AdvancedRules() }

// DocumentLevelSecurity reports whether there are access control jobs.
func (f Features) DocumentLevelSecurity() bool {
	return f.enabled("document_level_security", "enabled")
}

// IncrementalSync reports whether there are incremental jobs.
func (f Features) IncrementalSync() bool { return f.enabled("incremental_sync", "enabled") }

// enabled reports whether the value at the path is true.
func (f Features) enabled(path ...string) bool {
	o := f.properties
	last := len(path) - 1
	for _, name := range path[:last] {
		o = readObject(o[name])
	}
	v, err := readAny(o[path[last]])
	return err == nil && v == true
}

// Equal compares as JSON values.
func (f Features) Equal(g Features) bool {
	return (f.properties == nil) == (g.properties == nil) && maps.EqualFunc(f.properties, g.properties, func(a, b json.RawMessage) bool {
		return equalJSON(a, b)
	})
}

// With returns f with the features of want set, and all others unchanged, as a partial update of a record
// would. f itself is not changed.
func (f Features) With(want Features) Features {
	return Features{properties: merged(f.properties, want.properties)}
}

// merged overlays the properties of over on those of under, level by level. It shares neither.
func merged(under, over object) object {
	out := object{}
	maps.Copy(out, under)
	for name, raw := range over {
		inner, below := readObject(raw), readObject(out[name])
		if inner != nil && below != nil {
			raw = mustEncode(merged(below, inner))
		}
		out[name] = raw
	}
	return out
}
