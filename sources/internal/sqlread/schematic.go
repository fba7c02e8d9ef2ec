package sqlread

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Shared by PostgreSQL and SQL Server: documents, ids and scopes of tables in the schemas of one database.

// Origin is where the documents of a part come from: tables, of which a rule may have several, and their schemas.
type Origin struct {
	Database        string
	Schemas, Tables []string
	Rule            bool // documents name the tables as lists
}

// Origin is the source of the documents.
func (s *Subject) Origin(database string) Origin {
	if s.Rule != nil {
		return Origin{Database: database, Schemas: s.Rule.Schemas(), Tables: s.Rule.Names(), Rule: true}
	}
	return Origin{Database: database, Schemas: []string{s.Rel.Schema}, Tables: []string{s.Rel.Name}}
}

const schematic = 3 // the fields for database, schema and table

// OriginNames are the names of the fields for database, schema and table.
func OriginNames(p Profile) [schematic]string {
	if p == Seed87 {
		return [schematic]string{"Database", "schema", "Table"}
	}
	return [schematic]string{"database", "schema", "table"}
}

// Fields are the fields for the origin of a document.
func (o *Origin) Fields(p Profile) (fields []document.Field) {
	names := OriginNames(p)
	for i, v := range [schematic]string{o.Database, strings.Join(o.Schemas, "_"), strings.Join(o.Tables, "_")} {
		fields = append(fields, document.Field{Name: names[i], Value: document.String(v)})
	}
	if o.Rule {
		Label(fields, o.Schemas, o.Tables)
	}
	return fields
}

// FieldNames names the fields of the columns, see [Table.FieldNames].
func FieldNames[V any](o *Origin, p Profile, t *Table[V]) (names []string, renamed []Renamed) {
	metadata := OriginNames(p)
	return t.FieldNames(p, strings.Join(o.Schemas, "_")+"_"+strings.Join(o.Tables, "_")+"_", metadata[:]...)
}

// Prefix is the prefix of the documents' ids.
func (o *Origin) Prefix(service string, p Profile) string {
	if p == Native {
		return NativePrefix(service, []string{o.Database}, o.Schemas, o.Tables)
	}
	prefix := o.Database + "_" + strings.Join(o.Schemas, "_") + "_" + strings.Join(o.Tables, "_")
	if p == Seed87 {
		prefix += "_"
	}
	return prefix
}

// MissingSchemas adds failing parts for configured schemas that do not exist. If none is left to
// read, the configuration is wrong; otherwise the others are read. say describes a missing schema.
func (c *Catalogue) MissingSchemas(q Quote, missing []string, of SchemaList, say func(name string) (hint string, err error)) {
	for _, name := range missing {
		hint, err := say(name)
		e := &source.Error{Kind: source.ErrConfig, Part: q.Dotted(name, "*"), Err: err, Hint: hint}
		if len(missing) == len(of) {
			e.Part, c.Err = "", e
			return
		}
		c.Missing = append(c.Missing, &Missing{Of: e.Part, Err: e})
	}
}

// SchemaScope is the unit of deletes: schema and table. The result of a query may belong to several, which
// are joined by +.
func (q Quote) SchemaScope(schemas, tables []string) string {
	return q.Joined("+", schemas) + "." + q.Joined("+", tables)
}

// WithSchemas adds to a type the scopes of tables in the schemas of one database, which the field database names.
func (q Quote) WithSchemas(t source.Type) source.Type {
	t.ScopeFields = []string{"database", "schema", "table", "Database", "Table"}
	t.ScopeOf = func(v field.Values, fields map[string]any) (string, bool) {
		return q.ScopeOfFields(v.String("database"), fields)
	}
	return t
}

// ScopeOfFields derives the table from fields that every document has, whatever its profile: a document of
// a profile that is no longer configured belongs to its table, and counts as deleted. A document of another database
// than the configured one, which a changed configuration leaves behind, has a scope without a part: its table counts as
// vanished, and nothing in it is deleted without confirmation.
func (q Quote) ScopeOfFields(configured string, fields map[string]any) (string, bool) {
	for _, p := range []Profile{Head, Seed87} { // native has the metadata of head
		names := OriginNames(p)
		database, ok := fields[names[0]].(string)
		schemas, tables := Texts(fields[names[1]]), Texts(fields[names[2]])
		if !ok || schemas == nil || tables == nil {
			continue
		}
		scope := q.SchemaScope(schemas, tables)
		if database != configured {
			scope = q.Dotted(database) + "." + scope
		}
		return scope, true
	}
	return "", false
}
