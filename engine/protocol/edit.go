package protocol

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

// With returns c with the values of some fields, in the types of their specs; a nil or empty value
// empties its field. Fields that are not stored yet are added with their properties; everything else stays
// unchanged. The error is of type [field.Errors], and names unknown fields and invalid values. Whether the
// configuration is complete is checked by [field.Parse], given [Configuration.Values].
func (c Configuration) With(specs []field.Spec, values map[string]any) (Configuration, error) {
	alone := slices.Clone(specs) // each field by itself: neither required nor dependent on others
	for i := range alone {
		s := &alone[i]
		s.Optional, s.DependsOn, s.Value, s.Default = true, nil, nil, nil
	}
	parsed, err := field.Parse(alone, values)
	if err != nil {
		return nil, err
	}
	out := maps.Clone(c)
	if out == nil {
		out = Configuration{}
	}
	for i := range specs {
		s := &specs[i]
		if _, given := values[s.Name]; !given {
			continue
		}
		properties := readObject(out[s.Name])
		if properties == nil {
			properties, _ = repaired(s, nil)
		}
		properties["value"] = mustEncode(typed(parsed, s))
		out[s.Name] = mustEncode(properties)
	}
	return out, nil
}

// typed is a parsed value in the form of a record.
func typed(v field.Values, s *field.Spec) any {
	if !v.Has(s.Name) {
		return "" // empty, whatever the type
	}
	switch s.Type {
	case field.Int:
		return v.Int(s.Name)
	case field.Float:
		return v.Float(s.Name)
	case field.Bool:
		return v.Bool(s.Name)
	case field.List:
		return scalar(v.List(s.Name))
	case field.Str:
	}
	return v.String(s.Name)
}

// RuledBy returns the filtering of a connector with these basic rules and this advanced rule, active and
// as the draft, created now. advanced is any argument of [json.Marshal]; nil means none.
func RuledBy(basic []rules.Rule, advanced any, now time.Time) (Filterings, error) {
	out := DefaultFiltering(now)
	snippet := json.RawMessage("{}")
	if advanced != nil {
		raw, err := json.Marshal(advanced)
		if err != nil {
			return nil, err
		}
		snippet = raw
	}
	for _, r := range []*Rules{&out[0].Active, &out[0].Draft} {
		at := r.AdvancedSnippet.CreatedAt
		var own []Rule
		for _, b := range basic {
			own = append(own, Rule{
				ID: b.ID, Policy: b.Policy, Field: b.Field, Rule: b.Rule, Value: b.Value, Order: b.Order, CreatedAt: at, UpdatedAt: at,
			})
		}
		r.Rules = append(own, r.Rules...)
		r.AdvancedSnippet.Value = snippet
	}
	return out, nil
}

// Set sets the schedule of a type of jobs; deletions have none.
func (s *Scheduling) Set(t JobType, to Schedule) {
	switch t {
	case JobFull:
		s.Full = to
	case JobIncremental:
		s.Incremental = to
	case JobAccessControl:
		s.AccessControl = to
	case JobDeletion:
	}
}
