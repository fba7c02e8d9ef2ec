package embedded

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"
)

// mapping is an index's given mapping, and the fields that documents added. It is never changed
// after it was created.
type mapping struct {
	root map[string]any
	// closed means that unmapped fields are not indexed (dynamic is false).
	closed bool
	// shape is for checking documents. Without it they are not checked, and add no fields, although
	// Elasticsearch would derive types for them.
	shape *shape
}

// complete reports whether unmapped fields are not indexed, at present.
func (m *mapping) complete() bool { return m.closed || m.shape != nil }

func emptyMapping() *mapping { return &mapping{root: map[string]any{}} }

func mappingProblem(format string, args ...any) *apiError {
	e := fail(http.StatusBadRequest, "mapper_parsing_exception", "Failed to parse mapping: "+format, args...)
	e.inner = &cause{Type: e.cause.Type, Reason: fmt.Sprintf(format, args...)}
	return e
}

// parseMapping checks a mapping in a request.
func parseMapping(body json.RawMessage) (*mapping, error) {
	m := emptyMapping()
	var in map[string]any
	if err := unmarshal(body, &in); err != nil {
		return nil, mappingProblem("it is not an object")
	}
	for key, value := range in {
		if value == nil {
			continue
		}
		if err := m.set(key, value); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *mapping) set(key string, value any) error {
	switch key {
	case "properties":
		fields, ok := value.(map[string]any)
		if !ok {
			return mappingProblem("Expected map for property [properties] but got a %T", value)
		}
		if err := checkFields(fields); err != nil {
			return err
		}
	case "_meta":
		if _, ok := value.(map[string]any); !ok {
			return mappingProblem("[_meta] is not an object")
		}
	case "dynamic":
		value = fmt.Sprint(value)
		switch value {
		case "true":
		case "false":
			m.closed = true
		default:
			return unknown("a mapping with dynamic [%v]", value)
		}
	case "_source":
		source, ok := value.(map[string]any)
		if !ok || len(source) > 0 && (len(source) > 1 || source["enabled"] != true && source["enabled"] != "true") {
			return unknown("a mapping that changes _source")
		}
		return nil // it is the default, and Elasticsearch does not show it
	case "dynamic_templates", "date_detection", "numeric_detection", "dynamic_date_formats":
	default:
		return mappingProblem("Root mapping definition has unsupported parameters:  [%s : %v]", key, value)
	}
	m.root[key] = value
	return nil
}

// fieldTypes are Elasticsearch's field types.
func fieldTypes() []string {
	return strings.Fields(`aggregate_metric_double alias binary boolean byte completion constant_keyword
		counted_keyword date date_nanos date_range dense_vector double double_range flattened float
		float_range geo_point geo_shape half_float histogram integer integer_range ip ip_range join keyword
		long long_range match_only_text murmur3 nested object passthrough percolator point rank_feature
		rank_features rank_vectors scaled_float search_as_you_type semantic_text shape short sparse_vector
		text token_count unsigned_long version wildcard`)
}

func checkFields(fields map[string]any) error {
	known := map[string]bool{}
	for _, t := range fieldTypes() {
		known[t] = true
	}
	return checkFieldsOf(known, fields)
}

func checkFieldsOf(known map[string]bool, fields map[string]any) error {
	for name, value := range fields {
		field, ok := value.(map[string]any)
		if !ok {
			return mappingProblem("Expected map for property [fields] on field [%s] but got a class", name)
		}
		typ, typed := field["type"].(string)
		_, parent := field["properties"].(map[string]any)
		onlyOff := len(field) == 1 && field["enabled"] != nil
		if !typed && !parent && !onlyOff && len(field) > 0 {
			return mappingProblem("No type specified for field [%s]", name)
		}
		if typed && !known[typ] {
			return mappingProblem("The mapper type [%s] declared on field [%s] does not exist. It might have been created within a future version or requires a plugin to be installed. Check the documentation.", typ, name)
		}
		for _, below := range []string{"properties", "fields"} {
			if inner, ok := field[below].(map[string]any); ok {
				if err := checkFieldsOf(known, inner); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// merge returns the mapping with another one merged over it: fields are added, _meta and the other
// root entries are replaced as a whole.
func (m *mapping) merge(change *mapping) (*mapping, error) {
	out := &mapping{root: map[string]any{}, closed: m.closed}
	maps.Copy(out.root, m.root)
	for key, value := range change.root {
		switch key {
		case "properties":
			old, _ := out.root[key].(map[string]any)
			added := value.(map[string]any)
			if m.shape != nil {
				added = expand(added)
			}
			fields, err := mergeFields("", old, added)
			if err != nil {
				return nil, err
			}
			value = fields
		case "dynamic":
			out.closed = change.closed
		}
		out.root[key] = value
	}
	return out, nil
}

func mergeFields(prefix string, old, change map[string]any) (map[string]any, error) {
	out := map[string]any{}
	maps.Copy(out, old)
	for name, value := range change {
		field := value.(map[string]any)
		was, ok := out[name].(map[string]any)
		if !ok {
			out[name] = field
			continue
		}
		merged, err := mergeField(prefix+name, was, field)
		if err != nil {
			return nil, err
		}
		out[name] = merged
	}
	return out, nil
}

func mergeField(path string, was, field map[string]any) (map[string]any, error) {
	before, after := typeOf(was), typeOf(field)
	switch {
	case before == after:
	case before == "object" || after == "object":
		return nil, illegal("can't merge a non object mapping [%s] with an object mapping", path)
	default:
		return nil, illegal("mapper [%s] cannot be changed from type [%s] to [%s]", path, before, after)
	}
	out := map[string]any{}
	maps.Copy(out, was)
	for key, value := range field {
		inner, ok := value.(map[string]any)
		switch {
		case ok && (key == "properties" || key == "fields"):
			old, _ := was[key].(map[string]any)
			merged, err := mergeFields(path+".", old, inner)
			if err != nil {
				return nil, err
			}
			value = merged
		case key == "ignore_above" || key == "dynamic" || reflect.DeepEqual(was[key], value):
		default:
			return nil, unknown("changing [%s] of the mapped field [%s]", key, path)
		}
		out[key] = value
	}
	return out, nil
}

func typeOf(field map[string]any) string {
	if t, ok := field["type"].(string); ok {
		return t
	}
	return "object"
}

// field finds the mapping of a dotted path. path is the path of its value in the document, which
// differs for a sub-field such as title.keyword.
func (m *mapping) field(name string) (field map[string]any, path string) {
	path = name
	fields, _ := m.root["properties"].(map[string]any)
	for rest := name; fields != nil; {
		field, after := longest(fields, rest)
		if field == nil {
			return nil, name
		}
		if after == "" {
			return field, path
		}
		rest = after
		if below, ok := field["properties"].(map[string]any); ok {
			fields = below
			continue
		}
		fields, _ = field["fields"].(map[string]any)
		path = strings.TrimSuffix(name, "."+rest)
	}
	return nil, name
}

// longest finds the field at the start of the path, because names may contain dots.
func longest(fields map[string]any, path string) (field map[string]any, rest string) {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		if field, ok := fields[path[:end]].(map[string]any); ok {
			return field, strings.TrimPrefix(path[end:], ".")
		}
	}
	return nil, ""
}

func (s *Server) getMapping(r *request) (*answer, error) {
	ix, err := s.find(r.index)
	if err != nil {
		return nil, err
	}
	return ok(map[string]any{ix.name: map[string]any{"mappings": ix.mapping.root}}), nil
}

// deriveAgain compiles a changed mapping of an index whose documents are checked.
func (m *mapping) deriveAgain(settings map[string]any) error {
	if !m.shaped() {
		return unknown("a mapping that turns date_detection on")
	}
	if err := m.derive(settings); err != nil {
		return err
	}
	return m.shape.checkLimits()
}

func (s *Server) putMapping(r *request) (*answer, error) {
	if len(r.body) == 0 {
		return nil, fail(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	if _, err := parseObject(r.body); err != nil {
		return nil, err
	}
	change, err := parseMapping(r.body)
	if err != nil {
		return nil, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	old, err := s.find(r.index)
	if err != nil {
		return nil, err
	}
	merged, err := old.mapping.merge(change)
	if err == nil && old.mapping.shape != nil {
		err = merged.deriveAgain(old.settings)
	}
	if err != nil {
		return nil, err
	}
	ix := *old
	ix.mapping = merged
	b := s.store.batch()
	b.set(indexKey(ix.name), ix.encode())
	if err := s.store.commit(b, true); err != nil {
		return nil, storeFailed(err)
	}
	s.mu.Lock()
	s.indices[ix.name] = &ix
	s.mu.Unlock()
	return ok(map[string]any{"acknowledged": true}), nil
}
