package mssqltest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// question answers a query that is recognized by its text.
type question func(s *session, params map[string]value) (relation, error)

// SessionsQuestion is the query with which tests list the sessions of the login @p1: all of them, or if @p2 is not 0
// those that run a statement.
const SessionsQuestion = "SELECT session_id FROM sys.dm_exec_sessions WHERE login_name = @p1 AND (@p2 = 0 OR status = 'running')"

// questions are the queries of the source and of its tests. Each is recognized by words that none of the following
// ones contain: the golden file of the source has the texts, and its tests check that each is known.
var questions = []struct {
	words  string
	answer question
	column string // if not "", one that older servers do not have
}{
	{"t.ledger_type = 1", (*session).relations, "ledger_type"},
	{"COALESCE(t.temporal_type, 0) <> 1", (*session).relations, "temporal_type"},
	{"FROM sys.objects o WHERE o.type IN ('U', 'V')", (*session).relations, ""},
	{"c.is_hidden = 1 THEN 1 ELSE 0 END FROM sys.indexes i", (*session).keys, "is_hidden"},
	{"FROM sys.indexes i", (*session).keys, ""},
	{"WHERE c.object_id = @p1 AND c.is_hidden = 0 AND c.is_column_set = 0 ORDER BY c.column_id", (*session).columns, "is_hidden"},
	{"WHERE c.object_id = @p1 AND c.is_column_set = 0 ORDER BY c.column_id", (*session).columns, ""},
	{"SELECT SCHEMA_ID(@p1)", (*session).schema, ""},
	{"EXEC sys.sp_describe_first_result_set @tsql = @p1", (*session).describe, ""},
	{"SELECT CONVERT(int, COLLATIONPROPERTY(@p1, 'CodePage'))", (*session).codePage, ""},
	{"FROM sys.databases d WHERE d.name = DB_NAME()", (*session).introduce, ""},
	{SessionsQuestion, (*session).sessions, ""},
}

// questionOf answers a statement that is a question.
func questionOf(sql string) (answer action, ok bool) {
	text := normal(sql)
	for _, q := range questions {
		if strings.Contains(text, q.words) {
			return func(s *session, params map[string]value) (tdstest.Result, error) {
				if s.server.cfg.lacks(q.column) {
					return tdstest.Result{}, failed(207, 16, "invalid column name '%s'", q.column)
				}
				r, err := q.answer(s, params)
				return result(r), err
			}, true
		}
	}
	return nil, false
}

// lacks reports whether the server is too old to have a column.
func (c Config) lacks(column string) bool {
	return column != "" && c.Old || column == "ledger_type" && c.NoLedger
}

// answering are the columns of an answer.
func answering(types ...typ) (r relation) {
	for _, t := range types {
		r.columns = append(r.columns, column{typ: t, nullable: true})
	}
	return r
}

func nameType() typ { return typ{base: "nvarchar", size: 128} }

// visible are the objects that are visible to the user of the session, sorted by name.
func (s *session) visible() (all []*object) {
	u := s.server.users[strings.ToLower(s.user)]
	for _, o := range s.server.inOrder() {
		if s.user == ownerName || u != nil && u.sees(o.name) {
			all = append(all, o)
		}
	}
	return all
}

func (s *session) relations(map[string]value) (relation, error) {
	r := answering(named("int"), nameType(), nameType(), typ{base: "varchar", size: 20}, named("int"), named("int"), named("bigint"))
	u := s.server.users[strings.ToLower(s.user)]
	for key := range s.server.locks {
		if s.altering(key) {
			return r, lockedError{}
		}
	}
	for _, o := range s.visible() {
		kind, readable, rows := "table", s.user == ownerName, any(int64(len(o.rows)))
		if o.view != nil {
			kind, rows = "view", nil
		}
		if mark := s.server.marks[keyOf(o.name)]; mark != "" {
			kind = mark
		}
		if u != nil {
			readable, _ = u.may("SELECT", o.name)
		}
		r.rows = append(r.rows, []any{o.id, o.name.schema, o.name.name, kind, int64(0), bit(readable), rows})
	}
	return r, nil
}

// altering reports whether another session is changing the structure of an object, which then cannot be described.
func (s *session) altering(key string) bool {
	l := s.server.locks[key]
	return l != nil && l.by != s && l.structure
}

// about finds the object whose id is the parameter, if it is visible to the user.
func (s *session) about(params map[string]value) *object {
	id, _ := params["@p1"].v.(int64)
	all := s.visible()
	if at := slices.IndexFunc(all, func(o *object) bool { return o.id == id }); at >= 0 {
		return all[at]
	}
	return nil
}

func (s *session) columns(params map[string]value) (relation, error) {
	r := answering(nameType(), nameType(), named("smallint"), named("tinyint"), named("tinyint"), nameType(), named("int"), named("int"))
	o := s.about(params)
	masks := s.user != ownerName
	switch {
	case o == nil:
		return r, nil
	case s.altering(keyOf(o.name)):
		return r, lockedError{}
	}
	if err := s.unaltered(o); err != nil {
		return r, err
	}
	for _, c := range o.columns {
		if c.hidden {
			continue
		}
		name := c.typ.base
		if name == "rowversion" {
			name = "timestamp"
		}
		r.rows = append(r.rows, []any{c.name, name, c.typ.maxLength(), c.typ.precisionOf(), int64(c.typ.scale), c.typ.collationName(), int64(0), bit(masks && c.masked)})
	}
	return r, nil
}

// codePage is the code page of single-byte characters.
func (t typ) codePage() int64 {
	switch {
	case strings.HasSuffix(t.collation, "_UTF8"):
		return 65001
	case strings.HasPrefix(t.collation, "Czech_"):
		return 1250
	}
	return 1252
}

func (s *session) keys(params map[string]value) (relation, error) {
	r := answering(nameType(), named("bit"), nameType(), named("int"))
	o := s.about(params)
	if o == nil {
		return r, nil
	}
	if err := s.unaltered(o); err != nil {
		return r, err
	}
	indexes := slices.Clone(o.indexes)
	slices.SortStableFunc(indexes, func(a, b index) int { return int(bit(b.primary) - bit(a.primary)) })
	for i, x := range indexes {
		if !x.unique || x.filtered {
			continue
		}
		name := x.name
		if name == "" {
			name = "UQ__" + o.name.name + "__" + string(rune('A'+i)) // the server generates a name as well
		}
		for _, c := range x.columns {
			at := o.place(c)
			r.rows = append(r.rows, []any{name, x.primary, o.columns[at].name, bit(o.columns[at].nullable || o.columns[at].hidden)})
		}
	}
	return r, nil
}

func (s *session) schema(params map[string]value) (relation, error) {
	r := answering(named("int"))
	text, _ := params["@p1"].v.(string)
	id := any(nil)
	if s.server.schemas[strings.ToLower(text)] {
		id = int64(5)
	}
	r.rows = [][]any{{id}}
	return r, nil
}

func (s *session) introduce(map[string]value) (relation, error) {
	r := answering(nameType(), named("int"), named("int"), named("int"))
	if s.server.cfg.NoDatabaseRow {
		return r, nil
	}
	name := s.user
	if name == ownerName {
		name = "dbo"
	}
	r.rows = [][]any{{name, int64(1), bit(s.server.snapshots), bit(s.server.versions)}}
	return r, nil
}

// sessions are the sessions of a login, all or only those that run a statement.
func (s *session) sessions(params map[string]value) (relation, error) {
	r := answering(named("smallint"))
	login, _ := params["@p1"].v.(string)
	busy, _ := params["@p2"].v.(int64)
	for number, user := range s.server.tds.Sessions() {
		of := s.server.sessions[number]
		if user == login && (busy == 0 || of != nil && of.running != "") {
			r.rows = append(r.rows, []any{int64(number)})
		}
	}
	return r, nil
}

// describe returns the columns of a query.
func (s *session) describe(params map[string]value) (relation, error) {
	text := typ{base: "nvarchar", size: 256}
	r := answering(named("bit"), named("int"), nameType(), named("bit"), named("int"), text, named("smallint"), named("tinyint"), named("tinyint"), nameType())
	query, _ := params["@p1"].v.(string)
	of, err := s.result(query)
	if err != nil {
		f, ok := errors.AsType[*failure](err)
		if !ok {
			return r, err
		}
		return r, &failure{number: 11501, class: 16, text: "the batch could not be analyzed because of compile errors", before: f}
	}
	for i, c := range of.columns {
		r.rows = append(r.rows, []any{
			false, int64(i + 1), c.name, c.nullable, int64(0), c.typ.written(), c.typ.maxLength(), c.typ.precisionOf(), int64(c.typ.scale), c.typ.collationName(),
		})
	}
	return r, nil
}

// result are the columns of a query.
func (s *session) result(query string) (relation, error) {
	if of, ok := s.server.fixtures[normal(query)]; ok {
		return of, nil
	}
	p := &parser{tokens: lex(query)}
	p.expect("SELECT")
	q := p.selection()
	if p.take(";"); p.err == nil && p.peek().kind != tokenEnd {
		p.fail()
	}
	if p.err != nil {
		return relation{}, failed(102, 15, "%v", p.err)
	}
	return s.query(q, nil, false)
}

// written is the type in the form of a description.
func (t typ) written() string {
	switch {
	case t.base == "decimal" || t.base == "numeric":
		return fmt.Sprintf("%s(%d,%d)", t.base, t.precision, t.scale)
	case t.base == "time" || t.base == "datetime2" || t.base == "datetimeoffset":
		return fmt.Sprintf("%s(%d)", t.base, t.scale)
	case t.size == unlimited:
		return t.base + "(max)"
	case t.size > 0:
		return fmt.Sprintf("%s(%d)", t.base, t.size)
	case t.base == "rowversion":
		return "timestamp"
	}
	return t.base
}

func (s *session) codePage(params map[string]value) (relation, error) {
	r := answering(named("int"))
	name, _ := params["@p1"].v.(string)
	r.rows = [][]any{{typ{collation: name}.codePage()}}
	return r, nil
}
