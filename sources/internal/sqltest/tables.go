package sqltest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Scopes are the scopes that were read or listed, in order.
func Scopes[V any](all map[string]V) []string { return slices.Sorted(maps.Keys(all)) }

// Listing is a value of the key tables, and the scopes that it selects.
type Listing struct {
	Tables any
	Want   []string
}

// Missing is what a connector reports for a name in the key tables that matches no table.
type Missing struct {
	Tables string // additional names that do not exist
	Scopes []string
	Words  []string // of the table bb, which does not exist
}

// TableList checks which of the tables a, b, log_1, log_2 and od.d/x a list selects, and that names that match no
// table fail alone. set is set in addition.
func TableList(t *testing.T, db *DB, set map[string]any, lists []Listing, missing Missing) {
	t.Helper()
	db.Create(IDs("a", 1), IDs("b"), IDs("log_1"), IDs("log_2"), IDs("od.d/x"))
	db.View("v", "a", "id")
	for _, tt := range lists {
		log, change := &Logbook{}, map[string]any{"tables": tt.Tables}
		maps.Copy(change, set)
		if d := cmp.Diff(tt.Want, Scopes(Listed(t, db.Open(change, log.Env())))); d != "" {
			t.Errorf("tables %v: %s", tt.Tables, d)
		}
		if strings.Contains(log.String(), "level=WARN") {
			t.Errorf("tables %v: logged %s", tt.Tables, log)
		}
	}
	log := &Logbook{}
	got := ReadAll(t, db.Open(map[string]any{"tables": "a,bb,v,-nosuch" + missing.Tables}, log.Env()))
	want := append([]string{db.Scope("a"), db.Scope("bb"), db.Scope("v")}, missing.Scopes...)
	slices.Sort(want)
	if d := cmp.Diff(want, Scopes(got)); d != "" {
		t.Fatal(d)
	}
	if r := got[db.Scope("a")]; r.Err != nil || len(r.IDs) != 1 {
		t.Errorf("the table that exists: %+v", r)
	}
	Refuse(t, got[db.Scope("bb")].Err, source.ErrConfig, missing.Words...)
	Refuse(t, got[db.Scope("v")].Err, source.ErrConfig, "a view has no key")
	if r, ok := got["x*"]; ok {
		Refuse(t, r.Err, source.ErrConfig, `pattern "x*" of the configuration matches no table`, `correct or remove "x*" in tables:`)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("got %d warnings, want one for the name to leave out:\n%s", n, log)
	}
}

// EmptyTable checks that an empty table is read, and has no documents.
func EmptyTable(t *testing.T, db *DB) {
	t.Helper()
	db.Create(IDs("t"))
	got := ReadAll(t, db.Open(nil, source.Env{}))
	if r := got[db.Scope("t")]; r.Err != nil || len(r.IDs) != 0 || len(got) != 1 {
		t.Errorf("got %+v", got)
	}
}

// Keys checks which columns identify the rows of a table: the shortest unique key of columns that cannot be NULL, or
// the columns that the connector names, for one table by its qualified name. ids are of tables that the test has
// created as well; keyless are those of them without a key.
func Keys(t *testing.T, db *DB, qualified func(table string) string, ids map[string][]string, keyless ...string) {
	t.Helper()
	nullable, a, b := []Column{{Name: "A", Type: Int}}, Column{Name: "a", Type: Int, NotNull: true}, Column{Name: "b", Type: Int, NotNull: true}
	db.Create(
		Table{Name: "uniq", Columns: []Column{{Name: "a", Type: Int}, b}, Unique: [][]string{{"b"}}, Rows: [][]any{{nil, 7}}},
		Table{Name: "nullable", Columns: nullable, Unique: [][]string{{"A"}}},
		Table{
			Name: "several", Columns: []Column{a, b, {Name: "c", Type: Int, NotNull: true}}, Unique: [][]string{{"a", "b"}, {"c"}},
			Rows: [][]any{{1, 2, 3}},
		},
		Table{Name: "named", Columns: append(slices.Clone(nullable), Column{Name: "b", Type: Text}), Rows: [][]any{{1, nil}, {1, "x"}, {2, "x"}}},
		Table{Name: "wrong", Columns: nullable},
	)
	env := source.Env{IDColumns: map[string][]string{db.Scope("named"): {"a", "b"}, qualified("wrong"): {"nosuch"}, db.Scope("uniq"): {"a"}}}
	got := ReadAll(t, db.Open(nil, env))
	want := map[string][]string{
		"uniq": {db.ID("uniq", "7")}, "several": {db.ID("several", "3")},
		"named": {db.ID("named", "1"), db.ID("named", "1", "x"), db.ID("named", "2", "x")},
	}
	maps.Copy(want, ids)
	for table, ids := range want {
		r := got[db.Scope(table)]
		slices.Sort(r.IDs)
		if d := cmp.Diff(ids, r.IDs); d != "" || r.Err != nil {
			t.Errorf("%s: %v %s", table, r.Err, d)
		}
	}
	for _, table := range append(keyless, "nullable") {
		scope := db.Scope(table)
		Refuse(t, got[scope].Err, source.ErrConfig, "neither a primary key", `tables: ["*", "-`+scope+`"]`, `id_columns: {"`+scope+`": [COLUMN]}`)
	}
	Refuse(t, got[db.Scope("wrong")].Err, source.ErrConfig, `no column "nosuch"`)

	// Following the hint excludes the table.
	without := Listed(t, db.Open(map[string]any{"tables": []any{"*", "-" + db.Scope("nullable")}}, source.Env{}))
	if _, there := without[db.Scope("nullable")]; there || len(without) != len(got)-1 {
		t.Errorf("the hint's line gives %v", Scopes(without))
	}
}

// ReadAs checks the documents of the named scopes.
func ReadAs(t *testing.T, s source.Source, want map[string]Result) {
	t.Helper()
	got := ReadAll(t, s)
	for scope, r := range want {
		if d := cmp.Diff(r, got[scope]); d != "" {
			t.Errorf("%s: %s", scope, d)
		}
	}
}

// Rights grants the user of the configuration rights on tables, and revokes them.
type Rights struct {
	Values map[string]any
	Open   func(values map[string]any, env source.Env) source.Source
	Grant  func(right, table string)
	Revoke func(table string) // the right to select
	Hide   func(table string) // revokes the last right
	Hint   func(table string) string
}

// Permissions checks that tables without the right to read fail alone, with a hint that helps. The user has no rights
// at first.
func Permissions(t *testing.T, db *DB, user Rights) {
	t.Helper()
	for _, table := range []string{"a", "b", "c", "d", "e"} {
		db.Create(Pairs(table, Int, []any{1, 1}))
	}
	for _, table := range []string{"a", "d", "e"} {
		user.Grant("SELECT", table)
	}
	user.Grant("INSERT", "b")
	user.Grant("SELECT (id)", "c")
	read := func() map[string]Result { return ReadAll(t, user.Open(user.Values, source.Env{})) }
	got := read()
	for _, table := range []string{"a", "d", "e"} {
		if r := got[db.Scope(table)]; r.Err != nil || len(r.IDs) != 1 {
			t.Errorf("%s: %+v", table, r)
		}
	}
	for _, table := range []string{"b", "c"} {
		Refuse(t, got[db.Scope(table)].Err, source.ErrAuth, "denied", user.Hint(table)+";", `tables: ["*", `, `"-`+db.Scope(table)+`"`)
	}
	if len(got) != 5 {
		t.Errorf("got %q", Scopes(got))
	}
	// Following the hint helps.
	hint, _, _ := strings.Cut(source.Hint(got[db.Scope("b")].Err), ";")
	db.Exec(hint)
	if r := read()[db.Scope("b")]; r.Err != nil || len(r.IDs) != 1 {
		t.Errorf("after %s: %+v", hint, r)
	}
	// A right that existed when the tables were listed may be revoked when one is read.
	parts := Listed(t, user.Open(user.Values, source.Env{}))
	user.Revoke("a")
	Refuse(t, Read(t.Context(), parts[db.Scope("a")]).Err, source.ErrAuth, db.Scope("a")+": ", "GRANT SELECT ON")
	// A table that is not visible to the user looks as if it did not exist.
	user.Hide("a")
	user.Values["tables"] = "a,d"
	Refuse(t, read()[db.Scope("a")].Err, source.ErrConfig, "or the user has no privilege on it", user.Hint("a"))
}

// Views checks that a view is read only if it is named and has a key, and that a broken one fails alone. broken are
// views that the test has created as well.
func Views(t *testing.T, db *DB, broken ...string) {
	t.Helper()
	db.Create(Pairs("a", Int, []any{1, 5}, []any{2, 7}))
	db.View("renamed", "a", "id", "v AS w")
	if got := ReadAll(t, db.Open(nil, source.Env{})); len(got) != 1 || got[db.Scope("a")].Err != nil {
		t.Errorf("got %v", got)
	}
	env, tables := source.Env{IDColumns: map[string][]string{}}, []any{"*"}
	for _, view := range append(broken, "renamed") {
		env.IDColumns[db.Scope(view)] = []string{"id"}
		tables = append(tables, db.Scope(view))
	}
	got := ReadAll(t, db.Open(map[string]any{"tables": tables}, env))
	r := got[db.Scope("renamed")]
	slices.Sort(r.Docs)
	if want := []string{db.Doc("renamed", "id", 1, "w", 5), db.Doc("renamed", "id", 2, "w", 7)}; r.Err != nil || !slices.Equal(r.Docs, want) {
		t.Errorf("the view: %+v", r)
	}
	for _, view := range broken {
		Refuse(t, got[db.Scope(view)].Err, source.ErrConfig, db.Scope(view), "repair the view", `"-`+db.Scope(view)+`"`)
	}
	if got[db.Scope("a")].Err != nil {
		t.Error(got[db.Scope("a")].Err)
	}
}
