package field

import (
	"slices"
	"strconv"
	"strings"
)

// An Error is an error in one field. Its text never contains the value.
type Error struct {
	Field   string // the key
	Label   string // the field's label; empty for an unknown key
	Problem string // "must be an integer"
}

// Error names the field and the problem.
func (e *Error) Error() string {
	if e.Label == "" || e.Label == e.Field {
		return strconv.Quote(e.Field) + " " + e.Problem
	}
	return strconv.Quote(e.Field) + " (" + e.Label + ") " + e.Problem
}

// Errors are all errors in one set of values; [Parse] returns them
// instead of stopping at the first.
type Errors []*Error

// Error joins the texts with "; ".
func (e Errors) Error() string {
	texts := make([]string, len(e))
	for i, one := range e {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap lets errors.As find each one.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, one := range e {
		out[i] = one
	}
	return out
}

// Parse checks raw against specs. It accepts the types that YAML, TOML and
// JSON produce, and text in place of any of them, because values from the
// environment and from old connector records are text: a list is split at
// commas, booleans are the words of [ParseBool], integers are decimal.
//
// An absent key gets the spec's Value; an empty optional one its Default. The
// error is of type [Errors] and contains every failure.
func Parse(specs []Spec, raw map[string]any) (Values, error) {
	p := &parser{specs: make(map[string]*Spec, len(specs)), raw: raw, parsed: map[string]result{}}
	out := &values{by: make(map[string]entry, len(specs))}
	for i := range specs {
		p.specs[specs[i].Name] = &specs[i]
		out.names = append(out.names, specs[i].Name)
	}
	p.unknownKeys(out.names)
	for i := range specs {
		s := &specs[i]
		value := p.checked(s)
		out.by[s.Name] = entry{kind: s.kind(), sensitive: s.Sensitive, value: func() any { return value }}
	}
	if len(p.errs) > 0 {
		return Values{}, p.errs
	}
	return Values{out}, nil
}

// A result is the effective value of a field, or why it has none.
type result struct {
	value     any
	complaint string
}

type parser struct {
	specs  map[string]*Spec
	raw    map[string]any
	parsed map[string]result
	errs   Errors
}

func (p *parser) fail(s *Spec, problem string) {
	p.errs = append(p.errs, &Error{Field: s.Name, Label: s.label(), Problem: problem})
}

func (p *parser) unknownKeys(known []string) {
	for _, key := range sortedKeys(p.raw) {
		if p.specs[key] != nil {
			continue
		}
		problem := "is not a field of this connector"
		if near := Nearest(key, known); near != "" {
			problem += "; did you mean " + strconv.Quote(near) + "?"
		} else if len(known) > 0 {
			problem += ", which has: " + strings.Join(known, ", ")
		}
		p.errs = append(p.errs, &Error{Field: key, Problem: problem})
	}
}

// checked returns the effective value of s, and records its errors.
// A field whose dependencies do not hold is not checked, and has a value
// only if that happens to be valid.
func (p *parser) checked(s *Spec) any {
	r := p.effective(s)
	for _, d := range s.DependsOn {
		other := p.specs[d.Field]
		if other == nil {
			p.fail(s, "depends on "+strconv.Quote(d.Field)+", which is not a field of this connector")
			return nil
		}
		if !equal(other, p.effective(other), d.Value) {
			return r.value
		}
	}
	switch {
	case r.complaint != "":
		p.fail(s, r.complaint)
	case empty(r.value) && !s.Optional:
		p.fail(s, "cannot be empty")
	case !empty(r.value):
		for _, problem := range validate(s, r.value) {
			p.fail(s, problem)
		}
	}
	return r.value
}

// effective is the typed value after initial values and defaults.
func (p *parser) effective(s *Spec) result {
	if r, done := p.parsed[s.Name]; done {
		return r
	}
	raw, present := p.raw[s.Name]
	if !present {
		raw = s.Value
	}
	var r result
	r.value, r.complaint = convert(s.kind(), raw)
	if r.complaint == "" && s.Optional && empty(r.value) {
		r.value, r.complaint = convert(s.kind(), s.Default)
	}
	p.parsed[s.Name] = r
	return r
}

// equal reports whether the value of the field s is want, after want was
// converted to the type of s.
func equal(s *Spec, got result, want any) bool {
	wanted, complaint := convert(s.kind(), want)
	if complaint != "" || got.complaint != "" {
		return false
	}
	if l, ok := wanted.([]string); ok {
		g, _ := got.value.([]string)
		return slices.Equal(g, l)
	}
	if _, ok := got.value.([]string); ok {
		return false
	}
	return got.value == wanted || empty(got.value) && empty(wanted)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
