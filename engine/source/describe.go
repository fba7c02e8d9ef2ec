package source

import "context"

// FieldKind is the kind of the values of one field. It names the type in the source, not the spelling of values in
// JSON: a decimal is a string there. docs/index-settings.md has the type that a new index gives each kind.
type FieldKind string

// Kinds of fields.
const (
	Text         FieldKind = "text" // also JSON, XML, and other values written as text: it is not mapped
	Keyword      FieldKind = "keyword"
	Long         FieldKind = "long"
	UnsignedLong FieldKind = "unsigned_long"
	Double       FieldKind = "double"
	Decimal      FieldKind = "decimal"
	Boolean      FieldKind = "boolean"
	Date         FieldKind = "date"
	Binary       FieldKind = "binary"
	IP           FieldKind = "ip"
	Object       FieldKind = "object"
)

// DescribedField is a field that the documents of a part may have. The kind of a list is the kind of its elements.
// A member of an object has a name with dots, such as "row.price".
type DescribedField struct {
	Name string // as in [document.Document]
	Kind FieldKind
}

// Description is what is known about the documents of a part before they are read.
type Description struct {
	// Fields are the fields that its documents may have, each once, in an order that is the same in every run. A
	// field that is missing here is mapped by its first value.
	Fields []DescribedField
	// IDPrefix is how every id of the part begins. It is "" if no id of the part can occur in another part.
	IDPrefix string
	// NumericIDs reports that only digits and "+-._E" follow IDPrefix.
	NumericIDs bool
}

// Describer is a part that can describe its documents, as a table does by its columns. A type whose parts are
// Describers sets Type.Describes: then all parts are listed and described before the index is created and the
// first part is read.
type Describer interface {
	Part
	// Describe is called at most once, before Documents; parts may be described concurrently. It may query the
	// data source. A part that cannot be read is described as far as the user's privileges allow. An error means
	// that the part cannot be described, and is not a failure of the part.
	Describe(context.Context) (Description, error)
}
