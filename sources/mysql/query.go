package mysql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// openQuery runs the query of a rule as it is written. Its columns are those that it answers with.
func (p *part) openQuery(ctx context.Context, r *reader) error {
	key, err := p.keyNames(ctx, r.session)
	if err != nil {
		return err
	}
	err = r.run(ctx, p.rule.Query, nil)
	if wrong, ok := errors.AsType[*parameterError](err); ok {
		return p.queryError(wrong, "write the value into the query")
	}
	if err != nil {
		return err
	}
	r.table = &table{columns: columnsOf(r.result.Rows)}
	for i := range r.table.columns {
		r.table.columns[i].typ = r.table.columns[i].typ.encoded(p.db.compat)
	}
	if err := p.setKey(r.table, key); err != nil {
		return err
	}
	r.row = p.newRow(r.table)
	return nil
}

// keyColumn is a column that the result of a rule must have.
type keyColumn struct{ name, table string }

// keyNames are the columns that tell the rows of a rule apart: those that it names, or else the keys of
// its tables; in ids as Elastic's connector writes them in the order of their names.
func (p *part) keyNames(ctx context.Context, s *session) (key []keyColumn, err error) {
	for _, name := range p.rule.IDColumns {
		key = append(key, keyColumn{name: name})
	}
	if key != nil {
		return key, nil
	}
	for i := range p.rule.tables {
		rel := &p.rule.tables[i]
		names, err := p.db.keyOf(ctx, s, rel)
		if err != nil {
			return nil, err
		}
		if names == nil {
			names = p.db.declaredKey(rel.name)
		}
		if len(names) == 0 {
			return nil, &source.Error{
				Kind: source.ErrConfig, Part: p.Name(), Err: fmt.Errorf("the %s %s has no key", rel.what(), rel.name),
				Hint: "name what tells the rows of the query apart with id_columns: in the rule",
			}
		}
		for _, name := range names {
			key = append(key, keyColumn{name: name, table: rel.name})
		}
	}
	if p.db.profile != native {
		slices.SortStableFunc(key, func(a, b keyColumn) int { return cmp.Compare(a.name, b.name) })
	}
	return key, nil
}

// setKey finds the columns of the key in a result.
func (p *part) setKey(t *table, key []keyColumn) error {
	for _, k := range key {
		i := t.place(k.name)
		switch {
		case i >= 0:
			t.addKey(i)
		case k.table == "":
			return &source.Error{
				Kind: source.ErrConfig, Part: p.Name(), Err: fmt.Errorf("id_columns: the result of the query has no column %q", k.name),
				Hint: "it has " + strings.Join(t.names(), ", "),
			}
		default:
			return &source.Error{
				Kind: source.ErrConfig, Part: p.Name(),
				Err:  fmt.Errorf("query: its result has no column %q, which the key of %s has", k.name, k.table),
				Hint: "add it to the SELECT, or name what tells the rows apart with id_columns: in the rule",
			}
		}
	}
	t.inID = t.key
	return nil
}
