package mssql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

const (
	// resultQuery tells what columns the result of a query has, and runs nothing.
	resultQuery = "EXEC sys.sp_describe_first_result_set @tsql = @p1"

	codePageQuery = "SELECT CONVERT(int, COLLATIONPROPERTY(@p1, 'CodePage'))"
)

// openQuery runs the query of a rule as it is written. Its columns are those that it answers with.
func (p *part) openQuery(ctx context.Context, r *reader) error {
	_, key, err := p.describeQuery(ctx, r.session)
	if err != nil {
		return err
	}
	if err := p.db.enter(ctx, r.session); err != nil {
		return err
	}
	if r.result, err = sqlread.Open(ctx, &r.session.Conn, p.rule.Query, nil); err != nil {
		return err
	}
	r.table = &table{Columns: columnsOf(r.result.Rows())}
	r.table.Encode(p.db.compat)
	if err := p.setKey(r.table, key); err != nil {
		_ = r.result.Close() // it is the error before that counts
		return err
	}
	r.row = p.newRow(r.table)
	return nil
}

// columnsOf are the columns of a result.
func columnsOf(r driver.Rows) (columns []column) {
	typed, _ := r.(driver.RowsColumnTypeDatabaseTypeName)
	for i, name := range r.Columns() {
		c := column{Name: name}
		if typed != nil {
			c.Type = resultType(typed.ColumnTypeDatabaseTypeName(i))
		}
		columns = append(columns, c)
	}
	return columns
}

// describeQuery asks, outside the snapshot, for the columns of a rule's result and what tells its rows apart,
// and checks that it has that.
func (p *part) describeQuery(ctx context.Context, s *session) (t *table, key []sqlread.KeyColumn, err error) {
	err = s.aside(ctx, func() error {
		if key, err = p.keyNames(ctx, s); err != nil {
			return err
		}
		if t, err = p.resultColumns(ctx, s); err != nil {
			return err
		}
		return p.setKey(t, key)
	})
	return t, key, err
}

// resultColumns asks what columns the query of a rule has. It refuses characters that the driver could not
// decode; of a table's columns the server is asked to, but a query is run as it is written.
func (p *part) resultColumns(ctx context.Context, s *session) (*table, error) {
	t, collations := &table{}, map[string]string{}
	err := s.Each(ctx, resultQuery, []driver.Value{p.rule.Query}, func(row []driver.Value) {
		if row[0] == true { // a column that only FOR BROWSE would give
			return
		}
		name, typ := sqlread.TextOf(row[2]), sqlread.TextOf(row[5])
		bare, _, _ := strings.Cut(typ, "(")
		t.Columns = append(t.Columns, column{Name: name, Type: resultType(sentAs(bare)).Encoded(p.db.compat)})
		if slices.Contains([]string{"char", "varchar", "text"}, bare) {
			collations[sqlread.TextOf(row[9])] = name
		}
	})
	if err != nil {
		return nil, err
	}
	for collation, name := range collations {
		decoded := false
		err := s.Each(ctx, codePageQuery, []driver.Value{collation}, func(row []driver.Value) { decoded = row[0] == int64(driverCodePage) })
		switch {
		case err != nil:
			return nil, err
		case !decoded:
			return nil, p.queryError(fmt.Errorf("the characters of its column %q are of the collation %s, which can be read as nvarchar only", name, collation),
				fmt.Sprintf("write CONVERT(nvarchar(max), …) AS %s in the query", quote.Ident(name)))
		}
	}
	return t, nil
}

// sentAs is what the driver calls a type in the result of a query. The server gives no name of a type of .NET.
func sentAs(name string) string {
	switch name {
	case "timestamp":
		return "binary"
	case "json", "vector":
		return "nvarchar"
	case "", "hierarchyid", "geometry", "geography":
		return "udt"
	}
	return name
}

// keyNames are the columns that tell the rows of a rule apart: those that it names, or else the keys of
// its tables; in ids as Elastic's connector writes them in the order of their names.
func (p *part) keyNames(ctx context.Context, s *session) (key []sqlread.KeyColumn, err error) {
	for _, name := range p.rule.IDColumns {
		key = append(key, sqlread.KeyColumn{Name: name})
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
			names = p.db.declaredKey(rel)
		}
		if len(names) == 0 {
			return nil, sqlread.NoKeyError(p.Name(), rel.what(), rel.scope())
		}
		for _, name := range names {
			key = append(key, sqlread.KeyColumn{Name: name, Table: rel.scope()})
		}
	}
	if p.db.profile != sqlread.Native {
		slices.SortStableFunc(key, func(a, b sqlread.KeyColumn) int { return compareNames(a.Name, b.Name) })
	}
	return key, nil
}

// setKey finds the columns of the key in a result.
func (p *part) setKey(t *table, key []sqlread.KeyColumn) (err error) {
	t.Key, err = sqlread.PlaceKey(p.Name(), t.Names(), key)
	return err
}

// queryError says that the query of a rule cannot work.
func (p *part) queryError(err error, hint string) error {
	return &source.Error{Kind: source.ErrConfig, Part: p.Name(), Err: fmt.Errorf("query: %w", told(err)), Hint: hint}
}
