package mssqltest

import (
	"errors"
	"slices"
	"strings"
)

// relation is what a query yields.
type relation struct {
	columns []column
	rows    [][]any
}

// query runs a SELECT for a session. Without rows it only tells the columns.
func (s *session) query(q *selection, params map[string]value, rows bool) (relation, error) {
	source, used, err := s.source(q)
	if err != nil {
		return relation{}, err
	}
	if used != nil {
		if err := s.allowed(used, q); err != nil {
			return relation{}, err
		}
	}
	items, err := q.expand(source.columns)
	if err != nil {
		return relation{}, err
	}
	types := &scope{columns: source.columns, params: params}
	out := relation{}
	for _, i := range items {
		v, err := types.eval(i.of)
		if err != nil {
			return relation{}, err
		}
		c := column{name: i.name, typ: v.typ, nullable: true}
		if at := (&table{columns: source.columns}).place(i.name); at >= 0 {
			if direct, ok := i.of.(columnOf); ok && strings.EqualFold(direct.name, i.name) {
				c.nullable = source.columns[at].nullable
			}
		}
		out.columns = append(out.columns, c)
	}
	if q.where != nil {
		if _, err := types.eval(q.where); err != nil {
			return relation{}, err
		}
	}
	for _, o := range q.order {
		if _, err := types.eval(o.of); err != nil {
			return relation{}, err
		}
	}
	if !rows {
		return out, nil
	}
	err = q.fill(&out, source, items, params)
	return out, err
}

// source is what FROM names, in the state that the session sees; used is nil where that is nothing.
func (s *session) source(q *selection) (relation, *object, error) {
	if q.from == nil {
		return relation{rows: [][]any{nil}}, nil, nil
	}
	o, err := s.find(*q.from)
	if err != nil || o.view == nil {
		return sourceOf(o), o, err
	}
	owner := &session{server: s.server, user: ownerName, state: s.state}
	of, err := owner.query(o.view, nil, true)
	if f, ok := errors.AsType[*failure](err); ok {
		err = &failure{number: f.number, class: f.class, text: f.text, behind: &failure{
			number: 4413, class: 16, text: "could not use view or function '" + o.name.name + "' because of binding errors",
		}}
	}
	return of, o, err
}

func sourceOf(o *object) relation {
	if o == nil {
		return relation{}
	}
	return relation{columns: o.columns, rows: o.rows}
}

// expand puts the columns in the place of *, without those that are hidden.
func (q *selection) expand(columns []column) (items []item, err error) {
	for _, i := range q.items {
		if !i.star {
			items = append(items, i)
			continue
		}
		if q.from == nil {
			return nil, failed(263, 16, "must specify table to select from")
		}
		for _, c := range columns {
			if !c.hidden {
				items = append(items, item{of: columnOf{c.name}, name: c.name})
			}
		}
	}
	return items, nil
}

// fill finds the rows.
func (q *selection) fill(out *relation, source relation, items []item, params map[string]value) error {
	if aggregated(items) {
		n := int64(0)
		for _, row := range source.rows {
			if ok, err := q.keeps(source, row, params); err != nil {
				return err
			} else if ok {
				n++
			}
		}
		out.rows = [][]any{{n}}
		return nil
	}
	kept, keys := [][]any{}, [][]value{}
	for _, row := range source.rows {
		ok, err := q.keeps(source, row, params)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		var key []value
		for _, o := range q.order {
			v, err := (&scope{columns: source.columns, row: row, params: params}).eval(o.of)
			if err != nil {
				return err
			}
			key = append(key, v)
		}
		kept, keys = append(kept, row), append(keys, key)
	}
	order, err := q.sort(keys)
	if err != nil {
		return err
	}
	if order, err = q.limit(order, params); err != nil {
		return err
	}
	for _, at := range order {
		row := make([]any, len(items))
		for i, it := range items {
			v, err := (&scope{columns: source.columns, row: rowOf(kept[at]), params: params}).eval(it.of)
			if err != nil {
				return err
			}
			row[i] = v.v
		}
		out.rows = append(out.rows, row)
	}
	return nil
}

// rowOf is a row that is there, though it may have no columns.
func rowOf(row []any) []any {
	if row == nil {
		return []any{}
	}
	return row
}

// aggregated reports whether the query counts rows.
func aggregated(items []item) bool {
	c, ok := items[0].of.(call)
	return ok && c.on == nil && c.name == "COUNT_BIG"
}

func (q *selection) keeps(source relation, row []any, params map[string]value) (bool, error) {
	if q.where == nil {
		return true, nil
	}
	yes, _, err := (&scope{columns: source.columns, row: rowOf(row), params: params}).test(q.where)
	return yes, err
}

// sort is the order of rows that have such keys.
func (q *selection) sort(keys [][]value) (order []int, err error) {
	for i := range keys {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		for i, o := range q.order {
			c, failed := compareNullable(keys[a][i], keys[b][i])
			if failed != nil {
				err = failed
			}
			if o.descending {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return order, err
}

// limit is TOP.
func (q *selection) limit(order []int, params map[string]value) ([]int, error) {
	if q.top == nil {
		return order, nil
	}
	v, err := (&scope{params: params}).eval(q.top)
	if err != nil {
		return nil, err
	}
	n, ok := v.v.(int64)
	if !ok || n < 0 {
		return nil, failed(1060, 15, "the number of rows provided for a TOP clause must be an integer")
	}
	return order[:min(len(order), int(n))], nil
}

// columnsUsed are the names of all columns that the query refers to.
func (q *selection) columnsUsed(columns []column) (names []string) {
	var walk func(e expression)
	walk = func(e expression) {
		switch e := e.(type) {
		case columnOf:
			names = append(names, e.name)
		case conversion:
			walk(e.of)
		case call:
			walk(e.on)
			for _, a := range e.args {
				walk(a)
			}
		case choice:
			walk(e.of)
			walk(e.otherwise)
			for _, c := range e.cases {
				walk(c.left)
				walk(c.right)
			}
		case collated:
			walk(e.of)
		case operation:
			walk(e.left)
			walk(e.right)
		case negation:
			walk(e.of)
		case nullTest:
			walk(e.of)
		}
	}
	items, _ := q.expand(columns) // an error comes before
	for _, i := range items {
		walk(i.of)
	}
	walk(q.where)
	for _, o := range q.order {
		walk(o.of)
	}
	return names
}
