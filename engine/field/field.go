// Package field describes the configurable fields of a connector and checks
// the values that people give them.
//
// A source lists its fields once, as a slice of [Spec]; help texts, the form
// that Kibana draws, the JSON Schema and the documentation are all read from
// that list. [Parse] turns raw values, from a configuration file or from a
// connector record, into typed [Values].
//
// The package knows nothing of files, of Elasticsearch or of any one source:
// where values come from, and how a secret is fetched, is its callers' concern.
//
// The invariant: a [Values] holds only values that have the type of their spec
// and that passed its checks, and no way of printing one shows a sensitive
// value. Error messages name fields and never quote what was typed into them.
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

// The checks that a [Validation] may ask for.
const (
	LessThan    = "less_than"    // the number is below the constraint
	GreaterThan = "greater_than" // the number is above the constraint
	ListType    = "list_type"    // every member is "str" or "int"
	IncludedIn  = "included_in"  // the value, or every member, is one of the constraint's
	Regex       = "regex"        // the whole text matches
)

// A Spec describes one configurable field. Its zero values are the usual case:
// a required text field that may be shown.
type Spec struct {
	// Name is the key under which the value is stored.
	Name string
	// Label is what a person reads beside the field; unique within a source.
	Label string
	// Type is what the value must be; empty means [Str].
	Type Type
	// Display is how a form shows the field; empty means [Text].
	Display string
	// Order is the field's place in a form; unique within a source.
	Order int
	// Optional says that the field may be left empty.
	Optional bool
	// Sensitive says that the value must never be shown.
	Sensitive bool
	// Value is the preset: it is used when the key is absent.
	Value any
	// Default is used when an optional field is empty.
	Default any
	// Tooltip explains the field in a sentence or two.
	Tooltip string
	// Options are the choices of a [Dropdown].
	Options []Option
	// DependsOn names the fields that make this one matter: all of them must
	// hold, otherwise the field is not checked.
	DependsOn []Dependency
	// Validations are checked once the value has its type and is not empty.
	Validations []Validation
	// Advanced hides the field from the short form.
	Advanced bool
	// Path says that the value names a file or folder; a relative one is meant
	// from the folder of the configuration file.
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

// kind is the type of the field, with the default applied.
func (s *Spec) kind() Type {
	if s.Type == "" {
		return Str
	}
	return s.Type
}

// label is what messages call the field beside its name.
func (s *Spec) label() string {
	if s.Label == "" {
		return s.Name
	}
	return s.Label
}
