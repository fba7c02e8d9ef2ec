package mssqltest

import (
	"maps"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

func lower(name string) string { return strings.ToLower(name) }

// insertion adds rows to a table.
type insertion struct {
	into    objectName
	columns []string // nil: all columns that are not computed
	rows    [][]expr
}

func (i *insertion) run(s *session, _ map[string]value) (tdstest.Result, error) {
	key, t, err := s.writable(i.into)
	if err != nil {
		return tdstest.Result{}, err
	}
	var places []int
	for _, name := range i.columns {
		places = append(places, t.place(name))
	}
	for at, c := range t.columns {
		if i.columns == nil && c.computed == nil && c.typ.base != "rowversion" && !c.hidden {
			places = append(places, at)
		}
	}
	if slices.Contains(places, -1) {
		return tdstest.Result{}, failed(207, 16, "invalid column name in the list of '%s'", i.into.name)
	}
	for _, values := range i.rows {
		if len(values) != len(places) {
			return tdstest.Result{}, failed(213, 16, "column name or number of supplied values does not match table definition")
		}
		row := make([]any, len(t.columns))
		for n, e := range values {
			if row[places[n]], err = assigned(&t.columns[places[n]], e, &scope{}); err != nil {
				return tdstest.Result{}, err
			}
		}
		if err := t.insert(row); err != nil {
			return tdstest.Result{}, err
		}
	}
	return tdstest.Result{Affected: int64(len(i.rows))}, s.replace(key, t)
}

// writable is a copy of a table whose rows a session may change.
func (s *session) writable(n objectName) (key string, t *table, err error) {
	key, o, err := s.change(n, false)
	if err != nil {
		return key, nil, err
	}
	if o == nil || o.view != nil {
		return key, nil, noObject(n)
	}
	return key, o.copied(), nil
}

// replace replaces the rows of a table, unless two of the new rows have the same key.
func (s *session) replace(key string, t *table) error {
	if err := t.unique(); err != nil {
		return err
	}
	s.put(key, s.server.objects[key].with(t), false)
	return nil
}

// with is the object with other contents.
func (o *object) with(t *table) *object {
	c := *o
	c.table = t
	return &c
}

// assigned is the value assigned to a column, which must fit.
func assigned(c *column, e expr, s *scope) (any, error) {
	v, err := e(s)
	if err != nil {
		return nil, err
	}
	if text, ok := v.v.(string); ok && c.typ.size > 0 && len([]rune(text)) > c.typ.size && c.typ.isText() {
		return nil, failed(2628, 16, "string or binary data would be truncated in column '%s'", c.name)
	}
	v, err = convert(v, c.typ, 0)
	return v.v, err
}

// rowChange sets a column of rows, or deletes the rows.
type rowChange struct {
	of     objectName
	column string
	value  expr // nil: the rows are deleted
	where  expr
}

func (c *rowChange) run(s *session, _ map[string]value) (tdstest.Result, error) {
	key, t, err := s.writable(c.of)
	if err != nil {
		return tdstest.Result{}, err
	}
	rows, at, n := t.rows, t.place(c.column), int64(0)
	if t.rows = nil; c.value != nil && at < 0 {
		return tdstest.Result{}, failed(207, 16, "invalid column name '%s'", c.column)
	}
	for _, row := range rows {
		in := &scope{columns: t.columns, row: row}
		hit := truth(true)
		if c.where != nil {
			if hit, err = c.where(in); err != nil {
				return tdstest.Result{}, err
			}
		}
		if hit.v != true {
			t.rows = append(t.rows, row)
			continue
		}
		if n++; c.value == nil {
			continue
		}
		row = slices.Clone(row)
		if row[at], err = assigned(&t.columns[at], c.value, in); err != nil {
			return tdstest.Result{}, err
		}
		if err := t.insert(row); err != nil {
			return tdstest.Result{}, err
		}
	}
	return tdstest.Result{Affected: n}, s.replace(key, t)
}

// create creates an object, which must not exist.
func (s *session) create(o *object) error {
	key, before, err := s.change(o.name, true)
	switch {
	case err != nil:
		return err
	case before != nil:
		return failed(2714, 16, "there is already an object named '%s' in the database", o.name.name)
	case s.server.schemas[lower(o.name.schema)] == "":
		return failed(2760, 16, "the specified schema name \"%s\" does not exist", o.name.schema)
	}
	made := *o // a batch runs again if it had to wait
	made.table = o.copied()
	for _, x := range made.indexes {
		for _, name := range x.columns {
			at := made.place(name)
			if at < 0 {
				return failed(1911, 16, "column name '%s' does not exist in the target table", name)
			}
			made.columns[at].nullable = made.columns[at].nullable && !x.primary
		}
	}
	for i := range made.columns {
		if c := &made.columns[i]; c.computed != nil {
			v, err := c.computed(&scope{columns: made.columns})
			if err != nil {
				return err
			}
			c.typ = v.typ
		}
	}
	s.server.lastID++
	made.id = s.server.lastID
	s.put(key, &made, true)
	return nil
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
	key, o, err := s.change(name, true)
	switch {
	case err != nil:
		return err
	case o == nil:
		return failed(3701, 11, "cannot drop '%s', because it does not exist", name.name)
	}
	s.put(key, nil, true)
	for _, u := range s.server.users {
		u.rights = slices.DeleteFunc(u.rights, func(r right) bool { return r.on.name != "" && r.covers(name) })
	}
	return nil
}

// alter changes the structure of a table.
func (s *session) alter(name objectName, do func(t *table) error) error {
	key, o, err := s.change(name, true)
	switch {
	case err != nil:
		return err
	case o == nil || o.view != nil:
		return failed(4902, 16, "cannot find the object '%s'", name.name)
	}
	t := o.copied()
	if err := do(t); err != nil {
		return err
	}
	s.put(key, o.with(t), true)
	return nil
}

func (s *session) rename(from objectName, to string) error {
	key, o, err := s.change(from, true)
	if err != nil {
		return err
	}
	if o == nil {
		return noObject(from)
	}
	renamed := *o
	renamed.name.name = to
	newKey, _, err := s.change(renamed.name, true)
	if err != nil {
		return err
	}
	s.put(key, nil, true)
	s.put(newKey, &renamed, true)
	return nil
}

// inOrder are the objects, sorted by schema and name.
func (d *Server) inOrder() []*object {
	return slices.SortedFunc(maps.Values(d.objects), func(a, b *object) int {
		return strings.Compare(a.name.schema+"\x00"+a.name.name, b.name.schema+"\x00"+b.name.name)
	})
}

func (t *table) index(x index) error {
	if len(x.columns) > 0 {
		t.indexes = append(t.indexes, x)
	}
	return t.unique()
}

func (t *table) dropIndex(name string) error {
	before := len(t.indexes)
	t.indexes = slices.DeleteFunc(t.indexes, func(x index) bool { return strings.EqualFold(x.name, name) })
	if len(t.indexes) == before {
		return failed(3728, 16, "'%s' is not a constraint", name)
	}
	return nil
}

func (t *table) add(c column) error {
	if t.place(c.name) >= 0 {
		return failed(2705, 16, "column names in each table must be unique: '%s'", c.name)
	}
	t.columns = append(t.columns, c)
	for i, row := range t.rows {
		t.rows[i] = append(slices.Clone(row), nil)
	}
	return nil
}

func (t *table) retype(c column) error {
	at := t.place(c.name)
	if at < 0 {
		return failed(4924, 16, "column '%s' does not exist", c.name)
	}
	for i, row := range t.rows {
		v, err := convert(value{t.columns[at].typ, row[at]}, c.typ, 0)
		if err != nil {
			return err
		}
		t.rows[i] = slices.Clone(row)
		t.rows[i][at] = v.v
	}
	t.columns[at] = c
	return nil
}

func (t *table) drop(name string) error {
	at := t.place(name)
	if at < 0 {
		return failed(4924, 16, "column '%s' does not exist", name)
	}
	for _, x := range t.indexes {
		if slices.ContainsFunc(x.columns, func(c string) bool { return strings.EqualFold(c, name) }) {
			return failed(5074, 16, "the object '%s' is dependent on column '%s'", x.name, name)
		}
	}
	t.columns = slices.Delete(t.columns, at, at+1)
	for i, row := range t.rows {
		t.rows[i] = slices.Delete(slices.Clone(row), at, at+1)
	}
	return nil
}
