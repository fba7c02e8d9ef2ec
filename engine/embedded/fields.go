package embedded

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shape is an index's fields, for checking documents: those of its mapping and those
// that documents added. It is never changed once an index has it; a document that adds fields adds them
// to a clone.
type shape struct {
	root      *field
	templates []template
	size      int // fields, objects and sub-fields: as Elasticsearch's limit counts them
	limit     int
	depth     int
	beyond    bool // a field over the limit is not indexed; otherwise its document is rejected
	lenient   bool // ignore_malformed
}

// field is one field, or one object with its fields.
type field struct {
	path     string
	def      map[string]any // as the mapping shows it, without properties
	typ      *fieldType     // nil for an object and for a type that is not checked
	object   bool
	dynamic  bool // of an object: unknown names become fields
	skip     bool // its content is not checked
	flat     bool // flattened
	never    bool // accepts no value, not even null
	lenient  bool
	above    int // ignore_above; 0: none
	subs     []*field
	children map[string]*field
}

// shaped reports whether documents add fields to an index with this mapping and are checked against them:
// only if dates are not detected. All other guesses are few and simple.
func (m *mapping) shaped() bool {
	detection := m.root["date_detection"]
	return detection == false || detection == "false"
}

const (
	defaultFields = 1000
	defaultDepth  = 20
)

// derive makes the mapping one that documents add fields to, in the form that Elasticsearch gives
// it: dotted names are objects.
func (m *mapping) derive(settings map[string]any) error {
	sh := &shape{
		limit: settingNumber(settings, "mapping.total_fields.limit", defaultFields), depth: settingNumber(settings, "mapping.depth.limit", defaultDepth),
		beyond: settings["mapping.total_fields.ignore_dynamic_beyond_limit"] == "true", lenient: settings["mapping.ignore_malformed"] == "true",
	}
	if numeric := m.root["numeric_detection"]; numeric == true || numeric == "true" {
		return unknown("numeric_detection")
	}
	var err error
	if sh.templates, err = parseTemplates(m.root["dynamic_templates"]); err != nil {
		return err
	}
	properties, _ := m.root["properties"].(map[string]any)
	sh.root = &field{object: true, dynamic: !m.closed}
	if err := sh.fill(sh.root, expand(properties)); err != nil {
		return err
	}
	m.shape = sh
	m.show()
	return nil
}

// checkLimits refuses a mapping that is larger than the index allows.
func (sh *shape) checkLimits() error {
	if sh.size > sh.limit {
		return illegal("Limit of total fields [%d] has been exceeded", sh.limit)
	}
	return sh.root.checkDepth(sh.depth)
}

func (f *field) checkDepth(limit int) error {
	if f.path != "" && strings.Count(f.path, ".")+1 >= limit {
		return illegal("Limit of mapping depth [%d] has been exceeded due to object field [%s]", limit, f.path)
	}
	for _, child := range f.children {
		if child.object {
			if err := child.checkDepth(limit); err != nil {
				return err
			}
		}
	}
	return nil
}

// show puts the fields into the response to GET of the mapping.
func (m *mapping) show() {
	delete(m.root, "properties")
	if properties := m.shape.root.properties(); len(properties) > 0 {
		m.root["properties"] = properties
	}
}

func (f *field) properties() map[string]any {
	out := make(map[string]any, len(f.children))
	for name, child := range f.children {
		def := child.def
		if len(child.children) > 0 {
			def = maps.Clone(def)
			if def["type"] == "object" {
				delete(def, "type")
			}
			def["properties"] = child.properties()
		}
		out[name] = def
	}
	return out
}

// expand makes objects of dotted names.
func expand(properties map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		def, ok := properties[name].(map[string]any)
		if !ok {
			continue // parseMapping refuses it
		}
		if inner, ok := def["properties"].(map[string]any); ok {
			def = maps.Clone(def)
			def["properties"] = expand(inner)
		}
		first, rest, dotted := strings.Cut(name, ".")
		if dotted {
			def = map[string]any{"properties": expand(map[string]any{rest: def})}
		}
		if old, ok := out[first].(map[string]any); ok {
			def = join(old, def)
		}
		out[first] = def
	}
	return out
}

// join merges two definitions of one object.
func join(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	maps.Copy(out, b)
	was, _ := a["properties"].(map[string]any)
	added, _ := b["properties"].(map[string]any)
	if was == nil || added == nil {
		return out
	}
	all := maps.Clone(was)
	for name, def := range added {
		old, ok := all[name].(map[string]any)
		if ok {
			def = join(old, def.(map[string]any))
		}
		all[name] = def
	}
	out["properties"] = all
	return out
}

// fill compiles the fields of an object.
func (sh *shape) fill(parent *field, properties map[string]any) error {
	for name, def := range properties {
		f, err := sh.compile(under(parent.path, name), def.(map[string]any), parent)
		if err != nil {
			return err
		}
		parent.add(name, f)
		sh.size += f.size()
		if inner, ok := def.(map[string]any)["properties"].(map[string]any); ok && f.object {
			if err := sh.fill(f, inner); err != nil {
				return err
			}
		}
	}
	return nil
}

func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (f *field) add(name string, child *field) {
	if f.children == nil {
		f.children = map[string]*field{}
	}
	f.children[name] = child
}

// size is the field's own count for the limit.
func (f *field) size() int { return 1 + len(f.subs) }

// compile reads the definition of one field.
func (sh *shape) compile(path string, def map[string]any, parent *field) (*field, error) {
	f := &field{path: path, def: maps.Clone(def), lenient: sh.lenient}
	delete(f.def, "properties")
	if malformed, ok := def["ignore_malformed"]; ok {
		f.lenient = fmt.Sprint(malformed) == "true"
	}
	if n, ok := def["ignore_above"]; ok {
		f.above = settingNumber(map[string]any{"": fmt.Sprint(n)}, "", 0)
	}
	switch typ := typeOf(def); typ {
	case "object", "nested":
		f.object, f.dynamic = true, parent.dynamic
		if enabled, ok := def["enabled"]; ok {
			f.skip = fmt.Sprint(enabled) == "false"
			f.def["enabled"] = !f.skip
		}
		if dynamic, ok := def["dynamic"]; ok {
			f.def["dynamic"] = fmt.Sprint(dynamic)
			if f.dynamic = f.def["dynamic"] == "true"; !f.dynamic && f.def["dynamic"] != "false" {
				return nil, unknown("the object [%s] with dynamic [%v]", path, dynamic)
			}
		}
		if def["subobjects"] != nil {
			return nil, unknown("the object [%s] with [subobjects]", path)
		}
		f.def["type"] = typ
		return f, nil
	case "flattened":
		f.flat = true
		return f, nil
	default:
		f.typ = checkedType(typ)
	}
	switch {
	case is(def, "coerce", "false"):
		return nil, unknown("the field [%s] with [coerce]", path)
	case typeOf(def) == "date" && def["format"] != nil && !is(def, "format", dateFormat),
		is(def, "index", "false") && is(def, "doc_values", "false") && !is(def, "store", "true") && typeOf(def) == "keyword":
		f.typ = nil // other date formats, and text that is not indexed
	}
	f.skip = f.typ == nil
	subs, _ := def["fields"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(subs)) {
		sub, ok := subs[name].(map[string]any)
		if !ok {
			continue
		}
		compiled, err := sh.compile(under(path, name), sub, parent)
		if err != nil {
			return nil, err
		}
		f.subs = append(f.subs, compiled)
	}
	return f, nil
}

// find looks up a path; nil if there is no such field.
func (sh *shape) find(path string) *field {
	at := sh.root
	for name := range strings.SplitSeq(path, ".") {
		if at = at.children[name]; at == nil {
			return nil
		}
	}
	return at
}

// is reports whether an entry of a definition has a value.
func is(def map[string]any, key, value string) bool {
	v, ok := def[key]
	return ok && fmt.Sprint(v) == value
}

// clone copies the tree, so that fields can be added.
func (sh *shape) clone() *shape {
	out := *sh
	out.root = sh.root.clone()
	return &out
}

func (f *field) clone() *field {
	if !f.object {
		return f
	}
	out := *f
	out.children = make(map[string]*field, len(f.children)+1)
	for name, child := range f.children {
		out.children[name] = child.clone()
	}
	return &out
}
