package sqlread

import (
	"context"
	"iter"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Part is a table, a range of the keys of one, a view that is read like a table, or a query.
type Part[S Session, V any] struct {
	source.Ending
	Subject
	Range *Range

	db    *Database[S, V]
	about *Described // shared by the ranges of a table
}

// Subject is the content of a part: a table or a view, or a rule, whose query is read instead. The relation of a rule
// has only its names.
type Subject struct {
	Rel  Relation
	Rule *Selection
}

// Scope is the table; for a query, its tables.
func (s *Subject) Scope() string { return s.Rel.Scope }

// Name is the scope, followed by the query if it is one of several.
func (s *Subject) Name() string {
	if s.Rule != nil {
		return s.Rel.Scope + ", " + s.Rule.Path
	}
	return s.Rel.Scope
}

// Estimate is the number of rows that the server has counted or estimated.
func (s *Subject) Estimate() (int64, bool) { return s.Rel.Estimate, s.Rel.Estimate > 0 }

// Tables are the named tables: itself, or those of the rule.
func (s *Subject) Tables() []Relation {
	if s.Rule != nil {
		return s.Rule.Tables
	}
	return []Relation{s.Rel}
}

// LeaveOut is the alternative in a hint. list is the table list.
func (s *Subject) LeaveOut(list *TableList) string {
	if s.Rule != nil {
		return "or remove " + s.Rule.Path
	}
	return "or exclude it with " + list.Without(s.Rel.Entry)
}

// Range is a subset of the rows of a table that is read in several parts.
type Range struct {
	Name      string
	Condition string // of its rows
	First     bool   // no range precedes it
}

func _[S Session, V any]() {
	var p *Part[S, V]
	var _ source.Part = p
	var _ source.Estimator = p
	var _ source.Describer = p
}

// Part returns a part for a table, or for a rule whose tables together are the relation.
func (d *Database[S, V]) Part(r Relation, rule *Selection) *Part[S, V] {
	return &Part[S, V]{db: d, Subject: Subject{r, rule}, about: &Described{}}
}

// Cut returns a part for each range of the rows of a table.
func (p *Part[S, V]) Cut(ranges []Range) (parts []*Part[S, V]) {
	for i := range ranges {
		share := *p
		share.Range = &ranges[i]
		share.Rel.Estimate = p.Rel.Estimate / int64(len(ranges))
		parts = append(parts, &share)
	}
	return parts
}

// First reports whether no other part of the table precedes it.
func (p *Part[S, V]) First() bool { return p.Range == nil || p.Range.First }

// Name is the scope, followed by the keys or the query unless the table is one part.
func (p *Part[S, V]) Name() string {
	if p.Range != nil {
		return p.Rel.Scope + " " + p.Range.Name
	}
	return p.Subject.Name()
}

// Describe implements [source.Describer]. The server is queried once for all parts of a table, on one of the
// sessions that parts are read from.
func (p *Part[S, V]) Describe(ctx context.Context) (source.Description, error) {
	d := p.db
	return p.about.Once(func() (source.Description, error) {
		for {
			s, used, err := d.Snapshots.AcquireExisting(ctx, d.dialect.Late, d.Verdicts.TooMany)
			if err != nil {
				return source.Description{}, p.Failed("connect", err)
			}
			t, err := d.dialect.LookUp(ctx, s, p)
			if t != nil { // an error with a table is about its key: the table is not read until that is configured
				d.Release(ctx, s)
				documents, _ := d.dialect.Documents(p, t)
				return documents.Description(), nil
			}
			d.ReleaseAfter(ctx, s, err)
			if !used || !d.Verdicts.HungUp(err) || ctx.Err() != nil {
				return source.Description{}, p.Failed("describe the table", err)
			}
		}
	})
}

// KeyNames are the columns that identify the rows of a rule: those that it names, or else the keys of its tables. If
// compare is given, they are sorted by name, as in ids of Elastic's connector.
func (p *Part[S, V]) KeyNames(ctx context.Context, s S, compare func(a, b string) int) (key []KeyColumn, err error) {
	for _, name := range p.Rule.IDColumns {
		key = append(key, KeyColumn{Name: name})
	}
	if key != nil {
		return key, nil
	}
	for i := range p.Rule.Tables {
		r := &p.Rule.Tables[i]
		names, err := p.db.dialect.KeyOf(ctx, s, r)
		if err != nil {
			return nil, err
		}
		if names == nil {
			names = p.db.dialect.DeclaredKey(r)
		}
		if len(names) == 0 {
			return nil, NoKeyError(p.Name(), r.Kind, r.Shown)
		}
		for _, name := range names {
			key = append(key, KeyColumn{Name: name, Table: r.Shown})
		}
	}
	if compare != nil && p.db.Profile != Native {
		slices.SortStableFunc(key, func(a, b KeyColumn) int { return compare(a.Name, b.Name) })
	}
	return key, nil
}

// SetKey finds the columns of a rule's key in a result.
func (p *Part[S, V]) SetKey(t *Table[V], key []KeyColumn) (err error) {
	t.Key, err = PlaceKey(p.Name(), t.Names(), key)
	return err
}

// WithKey sets the key of a described table, or if it has none the columns that the configuration names, and removes the
// columns that ids do not need if only ids are read. list is the table list, order the order of a key in ids, nil for
// that of the key. An error with a table is about the configuration.
func (p *Part[S, V]) WithKey(t *Table[V], key []string, list *TableList, order func(*Table[V]) []int) (*Table[V], error) {
	if key == nil {
		err := t.SetDeclaredKey(p.Name(), &p.Rel, list, p.db.dialect.DeclaredKey(&p.Rel))
		return Reduced(&p.db.Config, t), err
	}
	if err := t.SetKey(key); err != nil {
		return nil, err
	}
	if order != nil {
		t.InID = order(t)
	}
	return Reduced(&p.db.Config, t), nil
}

// Documents streams the table. The server sends rows no faster than they are read, and tolerates any pause, so one
// statement is enough for a table of any size.
func (p *Part[S, V]) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if err := p.read(ctx, yield); err != nil {
			yield(document.Document{}, err)
		}
	}
}

// read yields all rows. A lost connection is replaced if that is possible, as often in a row as
// the configuration allows.
func (p *Part[S, V]) read(ctx context.Context, yield func(document.Document, error) bool) error {
	r, err := p.db.dialect.Open(ctx, p)
	for err == nil {
		left, lost := r.rows(ctx, yield)
		if !left && lost == nil {
			p.End()
			p.db.Release(ctx, r.Session)
			return KeylessError(p.Name(), r.keyless)
		}
		p.db.ReleaseAfter(ctx, r.Session, p.db.dialect.Abandon(r, left, lost))
		if left {
			return nil
		}
		r, err = p.resume(ctx, r, lost)
	}
	return err
}
