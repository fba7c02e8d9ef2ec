package sqltest

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// DB is the database of one test, for the shared cases. They declare what they need as [Table] values; the functions
// write them in the SQL of the dialect.
type DB struct {
	Type  *source.Type
	Open  func(change map[string]any, env source.Env) source.Source // reads it as the user with all privileges
	Exec  func(statements ...string)
	Ident func(name string) string // a column, in SQL
	Table func(name string) string // a table or view, in SQL
	Types map[string]string        // of [Int] and [Text], in SQL
	Text  func(text string) string // in SQL; nil puts it in single quotes

	Scope func(table string) string                // of the part
	Field func(table, column string) string        // in a document of the profile head
	ID    func(table string, key ...string) string // of a document of the profile head
}

// Types of columns in the shared tables. Any other type is written unchanged.
const (
	Int  = "int"
	Text = "text" // of 20 characters
)

// SQL is a value in SQL, written unchanged.
type SQL string

// Column is a column of a table.
type Column struct {
	Name, Type string
	NotNull    bool
}

// Table is a table and its rows.
type Table struct {
	Name    string
	Columns []Column
	Key     []string // the constraint is named like the table, with _key; none if empty
	Unique  [][]string
	Rows    [][]any // of int, string, [SQL], and nil for NULL
}

// IDs is a table with one column, the key id.
func IDs(name string, ids ...int) Table {
	t := Table{Name: name, Columns: []Column{{Name: "id", Type: Int}}, Key: []string{"id"}}
	for _, id := range ids {
		t.Rows = append(t.Rows, []any{id})
	}
	return t
}

// Pairs is a table with the key id and a column v.
func Pairs(name, typ string, rows ...[]any) Table {
	return Table{Name: name, Columns: []Column{{Name: "id", Type: Int}, {Name: "v", Type: typ}}, Key: []string{"id"}, Rows: rows}
}

// Create creates tables and fills them.
func (db *DB) Create(tables ...Table) {
	for i := range tables {
		t := &tables[i]
		db.Exec(db.create(t))
		db.Insert(t.Name, t.Rows...)
	}
}

func (db *DB) create(t *Table) string {
	var members []string
	for _, c := range t.Columns {
		member := db.Ident(c.Name) + " " + cmp.Or(db.Types[c.Type], c.Type)
		if c.NotNull {
			member += " NOT NULL"
		}
		members = append(members, member)
	}
	if len(t.Key) > 0 {
		members = append(members, fmt.Sprintf("CONSTRAINT %s PRIMARY KEY (%s)", db.Ident(t.Name+"_key"), db.list(t.Key)))
	}
	for i, columns := range t.Unique {
		members = append(members, fmt.Sprintf("CONSTRAINT %s UNIQUE (%s)", db.Ident(fmt.Sprintf("%s_u%d", t.Name, i)), db.list(columns)))
	}
	return fmt.Sprintf("CREATE TABLE %s (%s)", db.Table(t.Name), strings.Join(members, ", "))
}

func (db *DB) list(columns []string) string {
	var names []string
	for _, c := range columns {
		names = append(names, db.Ident(c))
	}
	return strings.Join(names, ", ")
}

// Insert inserts rows, one per statement, which every dialect supports.
func (db *DB) Insert(table string, rows ...[]any) {
	for _, row := range rows {
		var values []string
		for _, v := range row {
			values = append(values, db.literal(v))
		}
		db.Exec(fmt.Sprintf("INSERT INTO %s VALUES (%s)", db.Table(table), strings.Join(values, ", ")))
	}
}

func (db *DB) literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		if db.Text != nil {
			return db.Text(v)
		}
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	}
	return fmt.Sprint(v)
}

// View creates a view of columns of a table, each written by its name or as "column AS name".
func (db *DB) View(name, table string, columns ...string) {
	var items []string
	for _, c := range columns {
		of, as, ok := strings.Cut(c, " AS ")
		item := db.Ident(of)
		if ok {
			item += " AS " + db.Ident(as)
		}
		items = append(items, item)
	}
	db.Exec(fmt.Sprintf("CREATE VIEW %s AS SELECT %s FROM %s", db.Table(name), strings.Join(items, ", "), db.Table(table)))
}

// Doc is the fields of columns in a document of the profile head, encoded as by [Body]: names, each with its value as
// JSON.
func (db *DB) Doc(table string, pairs ...any) string {
	var fields []string
	for i := 0; i+1 < len(pairs); i += 2 {
		fields = append(fields, fmt.Sprintf("%q:%v", db.Field(table, fmt.Sprint(pairs[i])), pairs[i+1]))
	}
	return "{" + strings.Join(fields, ",") + "}"
}
