package schema

import (
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// definitions are the configurations of all source types.
func (w *writer) definitions(types []source.Type) object {
	out := object{}
	for i := range types {
		out[types[i].Name] = fields(types[i].Fields)
	}
	return out
}

// requireDestination requires an address, in either of its two keys, unless one stands in its dotted form.
func requireDestination() object {
	return object{
		"if": object{"propertyNames": object{"not": matching(`^elasticsearch\.`)}},
		"then": object{
			"required": []any{"elasticsearch"},
			"properties": object{"elasticsearch": object{
				"type":  "object",
				"anyOf": []any{object{"required": []any{"host"}}, object{"required": []any{"cloud_id"}}},
			}},
		},
	}
}

// connectorRules are what an entry of connectors must have: a name or an id; with a name what a run needs; and
// the configuration of its service type.
func connectorRules(types []source.Type) []any {
	ofFile := object{"required": []any{"name"}, "not": object{"required": []any{"connector_id"}}}
	rules := []any{
		object{"anyOf": []any{object{"required": []any{"name"}}, object{"required": []any{"connector_id"}}}},
		object{"if": ofFile, "then": object{"required": []any{"service_type", "index_name"}}},
	}
	for i := range types {
		t := &types[i]
		isType := object{"required": []any{"service_type"}, "properties": object{"service_type": object{"const": t.Name}}}
		rules = append(rules, object{
			"if":   isType,
			"then": object{"properties": object{"configuration": object{"$ref": "#/definitions/" + t.Name}}},
		})
		needed := required(t.Fields)
		if len(needed) == 0 {
			continue
		}
		nested := object{"propertyNames": object{"not": matching(`^configuration\.`)}}
		rules = append(rules, object{
			"if": object{"allOf": []any{isType, ofFile, nested}},
			"then": object{
				"required":   []any{"configuration"},
				"properties": object{"configuration": object{"type": "object", "allOf": needed}},
			},
		})
	}
	return rules
}

// fields is the schema of the fields of a source, without what is required.
func fields(specs []field.Spec) object {
	properties := object{}
	for i := range specs {
		s := &specs[i]
		p := fieldValue(s)
		if s.Tooltip != "" {
			p["description"] = s.Label + ". " + s.Tooltip
		} else {
			p["description"] = s.Label + "."
		}
		if initial := field.Initial(s); initial != nil {
			p["default"] = initial
		}
		properties[s.Name] = p
		if s.Sensitive {
			secretForms(properties, s, specs)
		}
	}
	return object{"type": []any{"object", "null"}, "properties": properties, "additionalProperties": false}
}

// secretForms adds the keys that give a secret in a file or by a program.
func secretForms(properties object, s *field.Spec, specs []field.Spec) {
	for suffix, form := range map[string]object{
		"_file":    {"type": []any{"string", "null"}, "description": s.Label + ": the file that holds it."},
		"_command": {"type": []any{"array", "null"}, "items": object{"type": []any{"string", "integer"}}, "description": s.Label + ": the program that prints it, and its arguments."},
	} {
		name := s.Name + suffix
		if !slices.ContainsFunc(specs, func(other field.Spec) bool { return other.Name == name }) {
			properties[name] = form
		}
	}
}

// fieldValue is the schema of the value of a field.
func fieldValue(s *field.Spec) object {
	switch s.Type {
	case field.Int, field.Float:
		number := object{"type": "number"}
		pattern := `^\s*([-+]?[0-9.]+([eE][-+]?[0-9]+)?)?\s*$`
		if s.Type == field.Int {
			number["type"], pattern = "integer", `^\s*([-+]?[0-9]+)?\s*$`
		}
		for _, v := range s.Validations {
			switch v.Type {
			case field.LessThan:
				number["exclusiveMaximum"] = v.Constraint
			case field.GreaterThan:
				number["exclusiveMinimum"] = v.Constraint
			}
		}
		return anyOf(number, matching(pattern))
	case field.Bool:
		return anyOf(object{"type": "boolean"}, matching(`^\s*(`+anyCase([]string{"true", "false", "yes", "no", "y", "n", "1", "0"})+`)?\s*$`))
	case field.List:
		member := object{"type": []any{"string", "number", "null"}}
		return object{"type": []any{"array", "string", "number", "null"}, "items": member}
	}
	if len(s.Options) == 0 {
		return object{"type": []any{"string", "number", "null"}}
	}
	words := []any{""}
	for _, o := range s.Options {
		words = append(words, o.Value)
	}
	return anyOf(object{"enum": words[1:]}, object{"enum": words[:1]})
}

// required are the conditions under which the fields of a source are required.
func required(specs []field.Spec) []any {
	var rules []any
	for i := range specs {
		s := &specs[i]
		if s.Optional || field.Initial(s) != nil {
			continue
		}
		rule := object{"required": []any{s.Name}}
		if s.Sensitive {
			rule = object{"anyOf": []any{rule, object{"required": []any{s.Name + "_file"}}, object{"required": []any{s.Name + "_command"}}}}
		}
		if len(s.DependsOn) > 0 {
			rule = object{"if": holds(s, specs), "then": rule}
		}
		rules = append(rules, rule)
	}
	return rules
}

// holds is whether the dependencies of a field hold. A value in another spelling, such as "yes", counts as
// unknown, and then nothing is required.
func holds(s *field.Spec, specs []field.Spec) object {
	var all []any
	for _, d := range s.DependsOn {
		condition := object{"properties": object{d.Field: object{"enum": []any{d.Value}}}}
		at := slices.IndexFunc(specs, func(other field.Spec) bool { return other.Name == d.Field })
		if at < 0 || field.Initial(&specs[at]) != d.Value {
			condition["required"] = []any{d.Field}
		}
		all = append(all, condition)
	}
	return object{"allOf": all}
}
