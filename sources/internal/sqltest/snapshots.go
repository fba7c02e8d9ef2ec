package sqltest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Numbered are tables t0, t1 and so on, with the keys 1 and 2, and the value 1 in both rows.
func Numbered(n int) (tables []Table) {
	for i := range n {
		tables = append(tables, Pairs(fmt.Sprintf("t%d", i), Int, []any{1, 1}, []any{2, 1}))
	}
	return tables
}

// OneSnapshot checks that no session sees rows written after the tables were listed. says is the expected log
// message, "" for none.
func OneSnapshot(t *testing.T, db *DB, tables int, says string) {
	t.Helper()
	db.Create(Numbered(tables)...)
	log := &Logbook{}
	parts := Listed(t, db.Open(nil, log.Env()))
	id, v := db.Ident("id"), db.Ident("v")
	for i := range tables {
		name := fmt.Sprintf("t%d", i)
		db.Insert(name, []any{3, 1})
		db.Exec(fmt.Sprintf("UPDATE %s SET %s = 2 WHERE %s = 1", db.Table(name), v, id), fmt.Sprintf("DELETE FROM %s WHERE %s = 2", db.Table(name), id))
	}
	for i := range tables {
		name := fmt.Sprintf("t%d", i)
		r := Read(t.Context(), parts[db.Scope(name)])
		slices.Sort(r.Docs)
		if d := cmp.Diff([]string{db.Doc(name, "id", 1, "v", 1), db.Doc(name, "id", 2, "v", 1)}, r.Docs); d != "" || r.Err != nil {
			t.Errorf("%s: %v %s", name, r.Err, d)
		}
	}
	if strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), says) {
		t.Errorf("logged %s", log)
	}
}

// TablesAlreadyReadCanBeAltered checks that a table can be altered once it was read, while another is still to be
// read. alter changes the structure of t0, and must fail rather than wait forever.
func TablesAlreadyReadCanBeAltered(t *testing.T, db *DB, alter string) {
	t.Helper()
	db.Create(Numbered(2)...)
	parts := Listed(t, db.Open(nil, source.Env{}))
	if r := Read(t.Context(), parts[db.Scope("t0")]); r.Err != nil || len(r.IDs) != 2 {
		t.Fatalf("%+v", r)
	}
	db.Exec(alter)
	db.Insert("t1", []any{3, 1})
	if r := Read(t.Context(), parts[db.Scope("t1")]); r.Err != nil || len(r.IDs) != 2 {
		t.Errorf("%+v", r)
	}
}

// MoreReadersThanSnapshots checks that additional readers take their own snapshot, which is logged once. idle counts
// the unused sessions of the source.
func MoreReadersThanSnapshots(t *testing.T, db *DB, idle func(source.Source) int) {
	t.Helper()
	db.Create(Numbered(6)...)
	log := &Logbook{}
	s := db.Open(nil, log.Env())
	total := Nested(t, List(t, s))
	if total != 12 || strings.Count(log.String(), "from a later snapshot") != 1 {
		t.Errorf("%d rows came, logged %s", total, log)
	}
	if n := idle(s); n != 6 {
		t.Errorf("%d sessions are idle", n)
	}
}

// Concurrently reads all parts of a source, each of so many rows, concurrently.
func Concurrently(t *testing.T, s source.Source, rows int) {
	t.Helper()
	var wg sync.WaitGroup
	for _, p := range List(t, s) {
		wg.Go(func() { // ends with the part
			if r := Read(t.Context(), p); r.Err != nil || len(r.IDs) != rows {
				t.Errorf("%s: %+v", p.Scope(), r)
			}
		})
	}
	wg.Wait()
}

// Change is a change of the table t, of id and v, after it was listed, and the expected result.
type Change struct {
	Do    []string
	Rows  int
	Doc   string // document of the first row
	Fails string // the error, if nothing is read
}

// TablesThatChange checks that a changed table is read in its current state, or fails alone. each runs a check on its
// own database, or on several.
func TablesThatChange(t *testing.T, each func(t *testing.T, check func(t *testing.T, db *DB)), changes map[string]Change) {
	t.Helper()
	for name, tt := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, db *DB) {
				db.Create(Pairs("t", Text, []any{1, "x"}, []any{2, "x"}, []any{3, "x"}), IDs("o", 1))
				parts := Listed(t, db.Open(nil, source.Env{}))
				db.Exec(tt.Do...)
				tt.check(t, db, Read(t.Context(), parts[db.Scope("t")]))
				if r := Read(t.Context(), parts[db.Scope("o")]); r.Err != nil || len(r.IDs) != 1 {
					t.Errorf("another table: %+v", r)
				}
			})
		})
	}
}

func (c *Change) check(t *testing.T, db *DB, got Result) {
	t.Helper()
	if c.Fails == "" {
		if got.Err != nil || len(got.Docs) != c.Rows || got.Docs[0] != c.Doc {
			t.Errorf("got %v, %v; want %d like %s", got.Docs, got.Err, c.Rows, c.Doc)
		}
		return
	}
	Refuse(t, got.Err, nil, db.Scope("t")+": ", c.Fails)
	if errors.Is(got.Err, source.ErrTemporary) {
		t.Error("a dropped table is not a temporary error")
	}
}

// IDsOnly checks that only the key columns are read.
func IDsOnly(t *testing.T, db *DB) {
	t.Helper()
	db.Create(
		Table{Name: "t", Columns: []Column{{Name: "v", Type: Text}, {Name: "b", Type: Int}, {Name: "a", Type: Int}}, Key: []string{"b", "a"}, Rows: [][]any{{"x", 1, 2}}},
		Table{Name: "named", Columns: []Column{{Name: "v", Type: Text}, {Name: "k", Type: Int}}, Rows: [][]any{{"x", 7}}},
	)
	for _, profile := range []string{"head", "seed87", "native"} {
		env := source.Env{Profile: profile, IDColumns: map[string][]string{db.Scope("named"): {"k", "k"}}}
		complete := ReadAll(t, db.Open(nil, env))
		env.IDsOnly = true
		ids := ReadAll(t, db.Open(nil, env))
		for _, table := range []string{"t", "named"} {
			got, full := ids[db.Scope(table)], complete[db.Scope(table)]
			if d := cmp.Diff(full.IDs, got.IDs); d != "" || got.Err != nil || len(got.IDs) != 1 {
				t.Errorf("%s %s: %v %s", profile, table, got.Err, d)
				continue
			}
			if strings.Contains(got.Docs[0], `"x"`) || !strings.Contains(full.Docs[0], `"x"`) {
				t.Errorf("%s %s: got %s", profile, table, got.Docs[0])
			}
		}
	}
}

// RowsThatAreLarge reads a text of so many characters, of a type that can hold it and written by repeat, and a table
// of 1,000 columns.
func RowsThatAreLarge(t *testing.T, db *DB, size int, typ string, repeat SQL) {
	t.Helper()
	wide := IDs("wide")
	row := []any{1}
	for i := range 999 {
		wide.Columns = append(wide.Columns, Column{Name: fmt.Sprintf("c%d", i), Type: Int})
		row = append(row, nil)
	}
	row[999] = 5
	wide.Rows = [][]any{row}
	db.Create(Pairs("large", typ, []any{1, repeat}, []any{2, "y"}), wide)
	got := ReadAll(t, db.Open(nil, source.Env{}))
	if r := got[db.Scope("large")]; r.Err != nil || len(r.Docs) != 2 || len(r.Docs[0]) != size+len(db.Doc("large", "id", 1, "v", `""`)) {
		t.Errorf("%v: %d rows", r.Err, len(r.Docs))
	}
	end := fmt.Sprintf("%q:null,%q:5}", db.Field("wide", "c997"), db.Field("wide", "c998"))
	if r := got[db.Scope("wide")]; r.Err != nil || len(r.Docs) != 1 || !strings.HasSuffix(r.Docs[0], end) {
		t.Errorf("%+v", r)
	}
}
