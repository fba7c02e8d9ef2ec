package mssqltest

import (
	"errors"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// selection is a query: expressions of the columns of one table and of parameters.
type selection struct {
	items   []item
	one     bool        // only the first row
	counts  bool        // COUNT_BIG(*) instead of items
	from    *objectName // nil: a single row without columns
	where   expr
	order   []ordering
	columns []string // the names of all columns that it refers to
}

type item struct {
	of   expr // nil is *
	name string
}

type ordering struct {
	of         expr
	descending bool
}

// relation is the result of a query.
type relation struct {
	columns []column
	rows    [][]any
}

// selection reads the text after SELECT.
func (p *parser) selection() *selection {
	q := &selection{}
	p.columns = nil
	if q.counts = p.take("COUNT_BIG", "(", "*", ")"); !q.counts {
		q.one = p.take("TOP", "(", "1", ")")
		q.items = series(p, p.item)
	}
	if p.take("FROM") {
		from := p.object()
		q.from = &from
		p.take("WITH", "(", "READCOMMITTEDLOCK", ")") // which locks the rows that it reads, as this server always does
	}
	q.where = p.where()
	if p.take("ORDER", "BY") {
		q.order = series(p, func() ordering { return ordering{of: p.operand(), descending: p.take("DESC")} })
	}
	q.columns = p.columns
	return q
}

func (p *parser) item() item {
	if p.take("*") {
		return item{}
	}
	t := p.peek()
	i := item{of: p.operand()}
	if t.kind == tokenName || t.kind == tokenWord {
		i.name = t.text // the name of the column; a conversion has one after AS, or needs none
	}
	if p.take("AS") {
		i.name = p.identifier()
	}
	return i
}

func (p *parser) where() expr {
	if !p.take("WHERE") {
		return nil
	}
	return p.condition()
}

// selectRows reads rows, and breaks off if a test wants that.
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
	if r.Fault, r.Error = b.Fault, b.Error; b.Rollback {
		s.rollback()
	}
	return r, nil
}

// result is the form in which rows are sent.
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

// query runs a query for a session. Without rows it only finds the columns.
func (s *session) query(q *selection, params map[string]value, rows bool) (relation, error) {
	source, used, err := s.source(q)
	if err != nil {
		return relation{}, err
	}
	items, err := q.expand(source.columns)
	if err != nil {
		return relation{}, err
	}
	if used != nil {
		if err := s.allowed(used, append(namesOf(items), q.columns...)); err != nil {
			return relation{}, err
		}
	}
	out, err := q.result(source.columns, items, params)
	if err == nil && rows {
		err = q.fill(&out, source, items, params)
	}
	return out, err
}

// result are the columns of the query, which refers to no others, or it fails.
func (q *selection) result(columns []column, items []item, params map[string]value) (out relation, err error) {
	types := &scope{columns: columns, params: params}
	if q.counts {
		out.columns = []column{{typ: named("bigint")}}
	}
	for _, i := range items {
		v, err := i.of(types)
		if err != nil {
			return relation{}, err
		}
		c := column{name: i.name, typ: v.typ, nullable: true}
		if at := (&table{columns: columns}).place(i.name); at >= 0 && columns[at].typ == v.typ {
			c.nullable = columns[at].nullable
		}
		out.columns = append(out.columns, c)
	}
	for _, o := range q.order {
		if _, err := o.of(types); err != nil {
			return relation{}, err
		}
	}
	if q.where != nil {
		_, err = q.where(types)
	}
	return out, err
}

// source is the object that FROM names, in the state that the session sees; used is nil if there is none.
func (s *session) source(q *selection) (relation, *object, error) {
	if q.from == nil {
		return relation{rows: [][]any{{}}}, nil, nil
	}
	o, err := s.find(*q.from)
	switch {
	case err != nil || o == nil:
		return relation{}, nil, err
	case o.view == nil:
		return relation{columns: o.columns, rows: o.rows}, o, nil
	}
	owner := &session{server: s.server, user: ownerName, state: s.state}
	of, err := owner.query(o.view, nil, true)
	if f, ok := errors.AsType[*failure](err); ok {
		err = &failure{number: f.number, class: f.class, text: f.text, after: &failure{
			number: 4413, class: 16, text: "could not use view or function '" + o.name.name + "' because of binding errors",
		}}
	}
	return of, o, err
}

// expand replaces * with the columns, except hidden ones.
func (q *selection) expand(columns []column) (items []item, err error) {
	for _, i := range q.items {
		if i.of != nil {
			items = append(items, i)
			continue
		}
		if q.from == nil {
			return nil, failed(263, 16, "must specify table to select from")
		}
		for _, c := range columns {
			if !c.hidden {
				items = append(items, item{of: columnOf(c.name), name: c.name})
			}
		}
	}
	return items, nil
}

// namesOf are the names of the columns that * stands for.
func namesOf(items []item) (names []string) {
	for _, i := range items {
		names = append(names, i.name)
	}
	return names
}

// fill finds the rows.
func (q *selection) fill(out *relation, source relation, items []item, params map[string]value) error {
	var kept [][]any
	for _, row := range source.rows {
		if q.where != nil {
			v, err := q.where(&scope{columns: source.columns, row: row, params: params})
			if err != nil {
				return err
			}
			if v.v != true {
				continue
			}
		}
		kept = append(kept, row)
	}
	if q.counts {
		out.rows = [][]any{{int64(len(kept))}}
		return nil
	}
	if err := q.sort(source.columns, kept); err != nil {
		return err
	}
	if q.one {
		kept = kept[:min(1, len(kept))]
	}
	for _, from := range kept {
		row := make([]any, len(items))
		for i, it := range items {
			v, err := it.of(&scope{columns: source.columns, row: from, params: params})
			if err != nil {
				return err
			}
			row[i] = v.v
		}
		out.rows = append(out.rows, row)
	}
	return nil
}

// sort is ORDER BY.
func (q *selection) sort(columns []column, rows [][]any) (err error) {
	slices.SortStableFunc(rows, func(a, b []any) int {
		for _, o := range q.order {
			x, _ := o.of(&scope{columns: columns, row: a}) // result has checked it
			y, _ := o.of(&scope{columns: columns, row: b})
			c, failed := compareNullable(x, y)
			if failed != nil {
				err = failed
			}
			if c != 0 && o.descending {
				return -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return err
}
