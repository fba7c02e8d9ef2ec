package mssqltest

import (
	"errors"
	"math/big"
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
	r := result(out)
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
func result(of relation) tdstest.Result {
	r := tdstest.Result{}
	for _, c := range of.columns {
		r.Columns = append(r.Columns, c.typ.column(c.name, c.nullable))
	}
	for _, row := range of.rows {
		sent := make([]any, len(row))
		for i, v := range row {
			switch x := v.(type) {
			case *big.Rat:
				v = x.FloatString(of.columns[i].typ.scale)
			case string:
				if of.columns[i].typ.is(clr) {
					v = []byte(x) // a client cannot decode it without the library of the type
				}
			}
			sent[i] = v
		}
		r.Rows = append(r.Rows, sent)
	}
	return r
}

// query runs a query for a session. Without rows it only finds the columns.
func (s *session) query(q *selection, params map[string]value, rows bool) (out relation, err error) {
	source, used, err := s.source(q)
	if err != nil {
		return out, err
	}
	items := q.expand(source.columns)
	if used != nil {
		if err := s.allowed(used, append(namesOf(items), q.columns...)); err != nil {
			return out, err
		}
	}
	in := &scope{columns: source.columns, params: params}
	out.columns = q.result(items, in)
	if in.err == nil && rows {
		out.rows = q.fill(source.rows, items, in)
	}
	return out, in.err
}

// result are the columns of the query, which must refer to no others than those of the scope.
func (q *selection) result(items []item, in *scope) (columns []column) {
	if q.counts {
		columns = []column{{typ: named("bigint")}}
	}
	for _, i := range items {
		c := column{name: i.name, typ: i.of(in).typ, nullable: true}
		if at := (&table{columns: in.columns}).place(i.name); at >= 0 && in.columns[at].typ == c.typ {
			c.nullable = in.columns[at].nullable
		}
		columns = append(columns, c)
	}
	for _, o := range q.order {
		o.of(in)
	}
	if q.where != nil {
		q.where(in)
	}
	return columns
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
		err = &failure{number: 4413, class: 16, text: "could not use view or function '" + o.name.name + "' because of binding errors", before: f}
	}
	return of, o, err
}

// expand replaces * with the columns, except hidden ones.
func (q *selection) expand(columns []column) (items []item) {
	for _, i := range q.items {
		if i.of != nil {
			items = append(items, i)
			continue
		}
		for _, c := range columns {
			if !c.hidden {
				items = append(items, item{of: columnOf(c.name), name: c.name})
			}
		}
	}
	return items
}

// namesOf are the names of the columns that * stands for.
func namesOf(items []item) (names []string) {
	for _, i := range items {
		names = append(names, i.name)
	}
	return names
}

// fill finds the rows.
func (q *selection) fill(source [][]any, items []item, in *scope) (rows [][]any) {
	var kept [][]any
	for _, row := range source {
		if q.where == nil || q.where(in.at(row)).v == true {
			kept = append(kept, row)
		}
	}
	if q.counts {
		return [][]any{{int64(len(kept))}}
	}
	slices.SortStableFunc(kept, func(a, b []any) int { // ORDER BY
		for _, o := range q.order {
			c := in.compare(o.of(in.at(a)), o.of(in.at(b)))
			if o.descending {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	if q.one {
		kept = kept[:min(1, len(kept))]
	}
	for _, from := range kept {
		row := make([]any, len(items))
		for i, it := range items {
			row[i] = it.of(in.at(from)).v
		}
		rows = append(rows, row)
	}
	return rows
}
