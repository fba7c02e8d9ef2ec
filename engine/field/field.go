// Package field describes the configurable fields of a connector and checks
// their values.
//
// A source lists its fields once, as a slice of [Spec]; help texts, the form
// that Kibana draws, the JSON Schema and the documentation are all generated from
// that list. [Parse] turns raw values, from a configuration file or from a
// connector record, into typed [Values].
//
// The package knows nothing about files, Elasticsearch or any particular source:
// where values come from, and how a secret is fetched, is its callers' concern.
//
// The invariant: a [Values] holds only values that have the type of their spec
// and passed its checks, and no way of printing one shows a sensitive
// value. Error messages name fields and never quote input.
package field

// A Type is the kind of value that a field holds.
type Type string

// The types of the connector protocol.
const (
	Str   Type = "str"
	Int   Type = "int"
	Float Type = "float"
	Bool  Type = "bool"
	List  Type = "list" // a list of text
)

// The ways in which a form may show a field.
const (
	Text     = "text"
	TextArea = "textarea"
	Numeric  = "numeric"
	Toggle   = "toggle"
	Dropdown = "dropdown"
)

// The checks of a [Validation].
const (
	LessThan    = "less_than"    // the number is below the constraint
	GreaterThan = "greater_than" // the number is above the constraint
	ListType    = "list_type"    // every member is "str" or "int"
	IncludedIn  = "included_in"  // the value, or every member, is one of the constraint's
	Regex       = "regex"        // the complete text matches
)

// A Spec describes one configurable field. Its zero values are the usual case:
// a required text field that is not sensitive.
type Spec struct {
	// Name is the key under which the value is stored.
	Name string
	// Label is the field's label in a form; unique within a source.
	Label string
	// Type is the type of the value; empty means [Str].
	Type Type
	// Display is how a form shows the field; empty means [Text].
	Display string
	// Order is the field's place in a form; unique within a source.
	Order int
	// Optional means that the field may be empty.
	Optional bool
	// Sensitive means that the value must never be shown.
	Sensitive bool
	// Value is the initial value: it is used if the key is absent.
	Value any
	// Default is used if an optional field is empty.
	Default any
	// Tooltip explains the field in a sentence or two.
	Tooltip string
	// Options are the choices of a [Dropdown].
	Options []Option
	// DependsOn names the fields that this one depends on: all of them must
	// have the given values, otherwise the field is not checked.
	DependsOn []Dependency
	// Validations are checked once the value has its type and is not empty.
	Validations []Validation
	// Advanced hides the field from the short form.
	Advanced bool
	// Path means that the value names a file or folder; a relative one starts
	// at the folder of the configuration file.
	Path bool
}

// An Option is one choice of a dropdown.
type Option struct {
	Label string
	Value string
}

// A Dependency holds when the effective value of another field equals Value.
type Dependency struct {
	Field string
	Value any
}

// A Validation is one check of a value.
type Validation struct {
	Type       string
	Constraint any
}

// kind is the type of the field, or the default type.
func (s *Spec) kind() Type {
	if s.Type == "" {
		return Str
	}
	return s.Type
}

// label is the field's label in messages, in addition to its name.
func (s *Spec) label() string {
	if s.Label == "" {
		return s.Name
	}
	return s.Label
}
