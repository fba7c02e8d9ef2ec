package mssqltest

import (
	"maps"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// Changes do not check what no test does, such as adding a second row with the same key.

// insertion adds rows to a table.
type insertion struct {
	into    objectName
	columns []string // nil: all columns that are not computed
	rows    [][]expr
}

func (i *insertion) run(s *session, _ map[string]value) (tdstest.Result, error) {
	return tdstest.Result{Affected: int64(len(i.rows))}, s.alter(i.into, false, func(t *table, in *scope) {
		var places []int
		for _, name := range i.columns {
			places = append(places, t.place(name))
		}
		for at, c := range t.columns {
			if i.columns == nil && c.computed == nil && c.typ.base != "rowversion" && !c.hidden {
				places = append(places, at)
			}
		}
		for _, values := range i.rows {
			if len(values) != len(places) || slices.Contains(places, -1) {
				in.fail(213, "column name or number of supplied values does not match table definition")
				return
			}
			row := make([]any, len(t.columns))
			for n, at := range places {
				row[at] = in.assigned(&t.columns[at], values[n])
			}
			t.insert(row)
		}
	})
}

// assigned is the value assigned to a column, which must fit.
func (s *scope) assigned(c *column, e expr) any {
	v := e(s)
	if text, ok := v.v.(string); ok && c.typ.size > 0 && len([]rune(text)) > c.typ.size && c.typ.is(texts) {
		s.fail(2628, "string or binary data would be truncated in column '%s'", c.name)
	}
	return s.convert(v, c.typ, 0).v
}

// rowChange sets a column of rows, or deletes the rows.
type rowChange struct {
	of     objectName
	column string
	value  expr // nil: the rows are deleted
	where  expr
}

func (c *rowChange) run(s *session, _ map[string]value) (r tdstest.Result, err error) {
	err = s.alter(c.of, false, func(t *table, in *scope) {
		at, rows := t.place(c.column), t.rows
		if t.rows = nil; c.value != nil && at < 0 {
			in.fail(207, "invalid column name '%s'", c.column)
			return
		}
		for _, row := range rows {
			if c.where != nil && c.where(in.at(row)).v != true {
				t.rows = append(t.rows, row)
				continue
			}
			if r.Affected++; c.value != nil {
				row = slices.Clone(row)
				row[at] = in.at(row).assigned(&t.columns[at], c.value)
				t.insert(row)
			}
		}
	})
	return r, err
}

// create creates an object.
func (s *session) create(o *object) error {
	key, _, err := s.change(o.name, true)
	if err != nil {
		return err
	}
	created := *o // a batch runs again if it had to wait
	created.table = o.copied()
	in := &scope{columns: created.columns}
	for i := range created.columns {
		c := &created.columns[i]
		if c.computed != nil {
			c.typ = c.computed(in).typ
		}
		c.nullable = c.nullable && !slices.ContainsFunc(created.indexes, func(x index) bool { return x.primary && slices.Contains(x.columns, c.name) })
	}
	s.server.lastID++
	created.id = s.server.lastID
	s.put(key, &created, true)
	return in.err
}

// createView finds the columns of a view. The view keeps them even if the table below changes.
func (s *session) createView(name objectName, of *selection) error {
	owner := &session{server: s.server, user: ownerName, patience: -1}
	r, err := owner.query(of, nil, false)
	if err != nil {
		return err
	}
	return s.create(&object{name: name, view: of, table: &table{columns: r.columns}})
}

// drop drops a table, and the rights on it.
func (s *session) drop(name objectName) error {
	key, _, err := s.change(name, true)
	if err != nil {
		return err
	}
	s.put(key, nil, true)
	for _, u := range s.server.users {
		u.rights = slices.DeleteFunc(u.rights, func(r right) bool { return r.on.name != "" && r.covers(name) })
	}
	return nil
}

// alter changes a table, or only its rows.
func (s *session) alter(name objectName, structure bool, do func(t *table, in *scope)) error {
	key, o, err := s.change(name, structure)
	switch {
	case err != nil:
		return err
	case o == nil || o.view != nil:
		return noObject(name)
	}
	changed, in := *o, &scope{columns: o.columns}
	changed.table = o.copied()
	if do(changed.table, in); in.err == nil {
		s.put(key, &changed, structure)
	}
	return in.err
}

func (s *session) rename(from objectName, to string) error {
	key, o, err := s.change(from, true)
	switch {
	case err != nil:
		return err
	case o == nil:
		return noObject(from)
	}
	renamed := *o
	renamed.name.name = to
	newKey, _, err := s.change(renamed.name, true)
	if err == nil {
		s.put(key, nil, true)
		s.put(newKey, &renamed, true)
	}
	return err
}

// inOrder are the objects, sorted by schema and name.
func (d *Server) inOrder() []*object {
	return slices.SortedFunc(maps.Values(d.objects), func(a, b *object) int {
		return strings.Compare(a.name.schema+"\x00"+a.name.name, b.name.schema+"\x00"+b.name.name)
	})
}

// index adds an index; one without columns is a foreign key, which has no effect here.
func (t *table) index(x index) {
	if len(x.columns) > 0 {
		t.indexes = append(t.indexes, x)
	}
}

func (t *table) dropIndex(name string) {
	t.indexes = slices.DeleteFunc(t.indexes, func(x index) bool { return strings.EqualFold(x.name, name) })
}

func (t *table) add(c column) {
	t.columns = append(t.columns, c)
	for i, row := range t.rows {
		t.rows[i] = append(slices.Clone(row), nil)
	}
}

func (t *table) retype(c column, in *scope) {
	at := t.place(c.name)
	for i, row := range t.rows {
		t.rows[i] = slices.Clone(row)
		t.rows[i][at] = in.convert(value{t.columns[at].typ, row[at]}, c.typ, 0).v
	}
	t.columns[at] = c
}

func (t *table) drop(name string) {
	at := t.place(name)
	t.columns = slices.Delete(t.columns, at, at+1)
	for i, row := range t.rows {
		t.rows[i] = slices.Delete(slices.Clone(row), at, at+1)
	}
}
