package field

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
)

// Hidden replaces a sensitive value wherever values are
// printed.
const Hidden = "•••"

// Values are the checked values of one connector's fields. They cannot be
// changed and may be shared between goroutines.
//
// The getters panic if the name is not one of the parsed fields,
// or if the field has another type: a misspelled name must not read as
// "false". A field that is empty, or was not checked because its dependencies
// do not hold, has its zero value; [Values.Has] reports the difference.
//
// Every way of printing Values hides the sensitive ones. (Each value is a
// function, because fmt follows pointers if it meets Values in an unexported
// field, whose methods it cannot call, and the verb is not %v; for a
// function it prints the address.)
// function it prints the address.)
type Values struct {
	p *values
}

type values struct {
	names []string // in the order of the specs
	by    map[string]entry
}

type entry struct {
	kind      Type
	sensitive bool
	value     func() any // returns nil if empty
}

// get returns the value of the field name, which must be of type t.
func (v Values) get(name string, t Type) any {
	e, ok := v.lookup(name)
	switch {
	case !ok:
		panic(fmt.Sprintf("field: %q is not a field of this connector", name))
	case e.kind != t:
		panic(fmt.Sprintf("field: %q has the type %s, but was read as %s", name, e.kind, t))
	}
	return e.value()
}

func (v Values) lookup(name string) (entry, bool) {
	if v.p == nil {
		return entry{}, false
	}
	e, ok := v.p.by[name]
	return e, ok
}

// String returns the value of a text field. Because it takes a name, it is not
// [fmt.Stringer]; printing is done by [Values.Format].
func (v Values) String(name string) string {
	s, _ := v.get(name, Str).(string)
	return s
}

// Int returns the value of an integer field.
func (v Values) Int(name string) int {
	n, _ := v.get(name, Int).(int)
	return n
}

// Float returns the value of a numeric field.
func (v Values) Float(name string) float64 {
	f, _ := v.get(name, Float).(float64)
	return f
}

// Bool returns the value of a boolean field.
func (v Values) Bool(name string) bool {
	b, _ := v.get(name, Bool).(bool)
	return b
}

// List returns a copy of the members of a list.
func (v Values) List(name string) []string {
	l, _ := v.get(name, List).([]string)
	return slices.Clone(l)
}

// Has reports whether the field exists and is not empty.
func (v Values) Has(name string) bool {
	e, ok := v.lookup(name)
	return ok && !empty(e.value())
}

// Names returns the names of all fields, in the order of their specs.
func (v Values) Names() []string {
	if v.p == nil {
		return nil
	}
	return slices.Clone(v.p.names)
}

// Shown returns the value of a field as text for people: [Hidden] for a
// sensitive value, "" for an empty one.
func (v Values) Shown(name string) string {
	e, ok := v.lookup(name)
	switch {
	case !ok || empty(e.value()):
		return ""
	case e.sensitive:
		return Hidden
	}
	switch value := e.value().(type) {
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64)
	case []string:
		return strings.Join(value, ", ")
	default:
		return fmt.Sprint(value)
	}
}

// Format writes all fields as name=value, sensitive ones hidden, for any
// verb.
func (v Values) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, v.text())
}

// GoString is what the verb %#v writes; it hides what [Values.Format] hides.
func (v Values) GoString() string { return v.text() }

func (v Values) text() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range v.Names() {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s=%q", name, v.Shown(name))
	}
	b.WriteByte('}')
	return b.String()
}

// MarshalJSON writes an object of all fields, sensitive ones hidden and empty
// ones null.
func (v Values) MarshalJSON() ([]byte, error) {
	out := make(map[string]any, len(v.Names()))
	for _, name := range v.Names() {
		switch e, _ := v.lookup(name); {
		case empty(e.value()):
			out[name] = nil
		case e.sensitive:
			out[name] = Hidden
		default:
			out[name] = e.value()
		}
	}
	return json.Marshal(out)
}

// LogValue is a group of all fields that are not empty, sensitive ones hidden.
func (v Values) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, name := range v.Names() {
		if v.Has(name) {
			attrs = append(attrs, slog.String(name, v.Shown(name)))
		}
	}
	return slog.GroupValue(attrs...)
}
