package mssqltest

import (
	"maps"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// one runs a statement.
func (s *session) one(st statement, params map[string]value) (tdstest.Result, error) {
	switch st := st.(type) {
	case *selection:
		return s.selectRows(st, params)
	case *insertion:
		return s.insert(st)
	case *deletion:
		return s.update(&change{of: st.from, where: st.where}, true)
	case *change:
		return s.update(st, false)
	case *setting:
		return tdstest.Result{}, s.set(st)
	case *transaction:
		return tdstest.Result{}, s.transact(st.word)
	case *execute:
		return s.execute(st, params)
	case *conditional:
		yes, _, err := (&scope{params: params}).test(st.when)
		if err != nil || !yes {
			return tdstest.Result{}, err
		}
		return s.one(st.then, params)
	}
	if s.user != ownerName {
		return tdstest.Result{}, failed(262, 14, "permission denied in database '%s'", s.server.cfg.Database)
	}
	return tdstest.Result{}, s.administer(st)
}

func (s *session) transact(word string) error {
	switch word {
	case "BEGIN":
		s.begin()
	case "COMMIT", "ROLLBACK":
		if !s.open {
			return failed(3902, 16, "the %s TRANSACTION request has no corresponding BEGIN TRANSACTION", word)
		}
		if word == "COMMIT" {
			s.commit()
			return nil
		}
		s.rollback()
	}
	return nil // a savepoint holds nothing that could be left
}

// selectRows reads, and breaks where a test wants that.
func (s *session) selectRows(q *selection, params map[string]value) (tdstest.Result, error) {
	out, err := s.query(q, params, true)
	if err != nil {
		return tdstest.Result{}, err
	}
	r := s.server.result(out)
	if q.from == nil || s.user == ownerName {
		return r, nil
	}
	at := slices.IndexFunc(s.server.breaks, func(b Break) bool { return strings.EqualFold(b.Table, q.from.name) })
	if at < 0 || len(r.Rows) == 0 {
		return r, nil
	}
	b := s.server.breaks[at]
	s.server.breaks = slices.Delete(s.server.breaks, at, at+1)
	r.Rows = r.Rows[:min(b.After, len(r.Rows))]
	if r.Fault, r.Error, r.Rollback = b.Fault, b.Error, b.Rollback; b.Rollback {
		s.rollback()
	}
	return r, nil
}

// result is how rows are sent.
func (d *Server) result(of relation) tdstest.Result {
	r := tdstest.Result{}
	for _, c := range of.columns {
		r.Columns = append(r.Columns, c.typ.column(c.name, c.nullable))
	}
	for _, row := range of.rows {
		sent := make([]any, len(row))
		for i, v := range row {
			sent[i] = wire(value{of.columns[i].typ, v})
		}
		r.Rows = append(r.Rows, sent)
	}
	return r
}

func (s *session) insert(st *insertion) (tdstest.Result, error) {
	key, o, err := s.change(st.into, false)
	switch {
	case err != nil:
		return tdstest.Result{}, err
	case o == nil || o.view != nil:
		return tdstest.Result{}, noObject(st.into)
	}
	t := o.copied()
	var places []int
	for _, name := range st.columns {
		places = append(places, t.place(name))
	}
	for i, c := range t.columns {
		if st.columns == nil && c.computed == nil && c.typ.base != "rowversion" && !c.hidden {
			places = append(places, i)
		}
	}
	if slices.Contains(places, -1) {
		return tdstest.Result{}, failed(207, 16, "invalid column name in the list of '%s'", st.into.name)
	}
	for _, values := range st.rows {
		if len(values) != len(places) {
			return tdstest.Result{}, failed(213, 16, "column name or number of supplied values does not match table definition")
		}
		row := make([]any, len(t.columns))
		for i, e := range values {
			if row[places[i]], err = assigned(&t.columns[places[i]], e, &scope{}); err != nil {
				return tdstest.Result{}, err
			}
		}
		if err := t.insert(row); err != nil {
			return tdstest.Result{}, err
		}
	}
	if err := t.unique(); err != nil {
		return tdstest.Result{}, err
	}
	s.put(key, o.with(t), false)
	return tdstest.Result{Affected: int64(len(st.rows))}, nil
}

// with is the object with other contents.
func (o *object) with(t *table) *object {
	c := *o
	c.table = t
	return &c
}

// assigned is the value that a column gets, which must fit.
func assigned(c *column, e expression, s *scope) (any, error) {
	v, err := s.eval(e)
	if err != nil {
		return nil, err
	}
	if text, ok := v.v.(string); ok && c.typ.size > 0 && len([]rune(text)) > c.typ.size && c.typ.isText() {
		return nil, failed(2628, 16, "string or binary data would be truncated in column '%s'", c.name)
	}
	v, err = convert(v, c.typ, 0)
	return v.v, err
}

// update changes or deletes rows.
func (s *session) update(st *change, remove bool) (tdstest.Result, error) {
	key, o, err := s.change(st.of, false)
	switch {
	case err != nil:
		return tdstest.Result{}, err
	case o == nil || o.view != nil:
		return tdstest.Result{}, noObject(st.of)
	}
	t := o.copied()
	t.rows = nil
	n := int64(0)
	for _, row := range o.rows {
		in := &scope{columns: o.columns, row: row}
		hit := true
		if st.where != nil {
			if hit, _, err = in.test(st.where); err != nil {
				return tdstest.Result{}, err
			}
		}
		switch {
		case hit && remove:
			n++
			continue
		case hit:
			n++
			row = slices.Clone(row)
			for _, a := range st.set {
				at := t.place(a.column)
				if at < 0 {
					return tdstest.Result{}, failed(207, 16, "invalid column name '%s'", a.column)
				}
				if row[at], err = assigned(&t.columns[at], a.value, in); err != nil {
					return tdstest.Result{}, err
				}
			}
			if err := t.insert(row); err != nil {
				return tdstest.Result{}, err
			}
			continue
		}
		t.rows = append(t.rows, row)
	}
	if err := t.unique(); err != nil {
		return tdstest.Result{}, err
	}
	s.put(key, o.with(t), false)
	return tdstest.Result{Affected: n}, nil
}

// administer runs what changes structure, rights and sessions.
func (s *session) administer(st statement) error {
	d := s.server
	switch st := st.(type) {
	case *createLogin:
		d.tds.AddLogin(st.name, st.password)
	case *createUser:
		d.users[strings.ToLower(st.name)] = &user{}
	case *dropUser:
		delete(d.users, strings.ToLower(st.name))
	case *grant:
		u := d.users[strings.ToLower(st.user)]
		if u == nil {
			return failed(15151, 16, "cannot find the user '%s'", st.user)
		}
		if st.on.name != "" && d.objects[keyOf(st.on)] == nil {
			return failed(15151, 16, "cannot find the object '%s'", st.on.name)
		}
		u.change(st)
	case *createSchema:
		d.schemas[strings.ToLower(st.name)] = st.name
	case *killSession:
		d.tds.Kill(st.session)
	case *alterDatabase:
		switch on := st.value == "ON"; st.setting {
		case "ALLOW_SNAPSHOT_ISOLATION":
			d.snapshots = on
		case "READ_COMMITTED_SNAPSHOT":
			d.versions = on
		default:
			return failed(102, 15, "incorrect syntax near '%s'", st.setting)
		}
	default:
		return s.restructure(st)
	}
	return nil
}

// restructure runs what changes the structure of one object.
func (s *session) restructure(st statement) error {
	name, do := structural(st)
	key, o, err := s.change(name, true)
	if err != nil {
		return err
	}
	switch st := st.(type) {
	case *createTable:
		return s.create(key, o, &object{name: st.name, table: st.table})
	case *createView:
		return s.createView(key, o, st)
	case *dropObject:
		if o == nil {
			return failed(3701, 11, "cannot drop '%s', because it does not exist", name.name)
		}
		s.put(key, nil, true)
		for _, u := range s.server.users { // rights are those of the object
			u.rights = slices.DeleteFunc(u.rights, func(r right) bool { return r.on.name != "" && r.covers(name) })
		}
		return nil
	}
	if o == nil || o.view != nil {
		return failed(4902, 16, "cannot find the object '%s'", name.name)
	}
	t := o.copied()
	if err := do(t); err != nil {
		return err
	}
	s.put(key, o.with(t), true)
	return nil
}

// structural is what a statement changes, and how, where that is a table.
func structural(st statement) (name objectName, do func(t *table) error) {
	switch st := st.(type) {
	case *createTable:
		return st.name, nil
	case *createView:
		return st.name, nil
	case *dropObject:
		return st.name, nil
	case *truncate:
		return st.name, func(t *table) error { t.rows = nil; return nil }
	case *addColumn:
		return st.to, func(t *table) error { return t.add(st.column) }
	case *changeColumn:
		return st.of, func(t *table) error { return t.retype(st.column) }
	case *dropColumn:
		return st.of, func(t *table) error { return t.drop(st.column) }
	case *addIndex:
		return st.to, func(t *table) error { t.indexes = append(t.indexes, st.index); return t.unique() }
	case *dropIndex:
		return st.of, func(t *table) error {
			before := len(t.indexes)
			t.indexes = slices.DeleteFunc(t.indexes, func(x index) bool { return strings.EqualFold(x.name, st.name) })
			if len(t.indexes) == before {
				return failed(3728, 16, "'%s' is not a constraint", st.name)
			}
			return nil
		}
	}
	return objectName{}, nil
}

func (s *session) create(key string, before, o *object) error {
	if before != nil {
		return failed(2714, 16, "there is already an object named '%s' in the database", o.name.name)
	}
	if s.server.schemas[strings.ToLower(o.name.schema)] == "" {
		return failed(2760, 16, "the specified schema name \"%s\" does not exist", o.name.schema)
	}
	for i := range o.indexes {
		x := &o.indexes[i]
		for _, name := range x.columns {
			at := o.place(name)
			if at < 0 {
				return failed(1911, 16, "column name '%s' does not exist in the target table", name)
			}
			if x.primary {
				o.columns[at].nullable = false
			}
		}
	}
	for i := range o.columns {
		if c := &o.columns[i]; c.computed != nil {
			v, err := (&scope{columns: o.columns}).eval(c.computed)
			if err != nil {
				return err
			}
			c.typ = v.typ
		}
	}
	s.server.lastID++
	o.id = s.server.lastID
	s.put(key, o, true)
	return nil
}

// createView finds the columns of a view, which it keeps, though what it reads may change.
func (s *session) createView(key string, before *object, st *createView) error {
	owner := &session{server: s.server, user: ownerName, patience: -1}
	of, err := owner.query(st.of, nil, false)
	if err != nil {
		return err
	}
	return s.create(key, before, &object{name: st.name, view: st.of, table: &table{columns: of.columns}})
}

func (t *table) add(c column) error {
	if t.place(c.name) >= 0 {
		return failed(2705, 16, "column names in each table must be unique: '%s'", c.name)
	}
	if !c.nullable && len(t.rows) > 0 {
		return failed(4901, 16, "ALTER TABLE only allows columns to be added that can contain nulls")
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

// execute runs a procedure; there are few.
func (s *session) execute(st *execute, params map[string]value) (tdstest.Result, error) {
	var args []string
	for _, a := range st.args {
		v, err := (&scope{params: params}).eval(a)
		if err != nil {
			return tdstest.Result{}, err
		}
		text, _ := v.v.(string)
		args = append(args, text)
	}
	if st.procedure == "sp_rename" && len(args) == 2 {
		return tdstest.Result{}, s.rename(objectName{"dbo", args[0]}, args[1])
	}
	return tdstest.Result{}, failed(2812, 16, "could not find stored procedure '%s'", st.procedure)
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

// inOrder are the objects by schema and name.
func (d *Server) inOrder() []*object {
	return slices.SortedFunc(maps.Values(d.objects), func(a, b *object) int {
		return strings.Compare(a.name.schema+"\x00"+a.name.name, b.name.schema+"\x00"+b.name.name)
	})
}
