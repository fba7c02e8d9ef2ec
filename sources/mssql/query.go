package mssql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

const (
	// resultQuery tells what columns the result of a query has, and runs nothing.
	resultQuery = "EXEC sys.sp_describe_first_result_set @tsql = @p1"

	codePageQuery = "SELECT CONVERT(int, COLLATIONPROPERTY(@p1, 'CodePage'))"
)

// openQuery runs the query of a rule as it is written. Its columns are those that it answers with.
func (d *database) openQuery(ctx context.Context, r *reader) error {
	p := r.Part
	_, key, err := d.describeQuery(ctx, r.Session, p)
	if err != nil {
		return err
	}
	if err := d.enter(ctx, r.Session); err != nil {
		return err
	}
	if err := r.Run(ctx, p.Rule.Query, nil); err != nil {
		return err
	}
	r.Result.End = func() error {
		if followed(r.Result.Rows()) {
			return form.ConfigError(fmt.Errorf("query: %w", errSeveral), oneSelectHint)
		}
		return nil
	}
	r.Table = &table{Columns: columnsOf(r.Result.Rows())}
	r.Table.Encode(d.Compat)
	if err := p.SetKey(r.Table, key); err != nil {
		_ = r.Result.Close() // it is the error before that counts
		return err
	}
	r.Row = d.Documents(p, r.Table)
	return nil
}

// followed reports whether there is another result behind one.
func followed(rows driver.Rows) bool {
	several, ok := rows.(driver.RowsNextResultSet)
	return ok && several.HasNextResultSet()
}

// columnsOf are the columns of a result.
func columnsOf(r driver.Rows) []column {
	return sqlread.ColumnsOf(r, func(_ int, name string) columnType { return resultType(name) })
}

// describeQuery asks, outside the snapshot, for the columns of a rule's result and what tells its rows apart,
// and checks that it has that.
func (d *database) describeQuery(ctx context.Context, s *session, p *part) (t *table, key []sqlread.KeyColumn, err error) {
	err = s.aside(ctx, func() error {
		if key, err = p.KeyNames(ctx, s, compareNames); err != nil {
			return err
		}
		if t, err = d.resultColumns(ctx, s, p); err != nil {
			return err
		}
		return p.SetKey(t, key)
	})
	return t, key, err
}

// resultColumns asks what columns the query of a rule has. It refuses characters that the driver could not
// decode; of a table's columns the server is asked to, but a query is run as it is written.
func (d *database) resultColumns(ctx context.Context, s *session, p *part) (*table, error) {
	t, collations := &table{}, map[string]string{}
	err := s.Each(ctx, resultQuery, []driver.Value{p.Rule.Query}, func(row []driver.Value) {
		if row[0] == true { // a column that only FOR BROWSE would give
			return
		}
		name, typ := sqlread.TextOf(row[2]), sqlread.TextOf(row[5])
		bare, _, _ := strings.Cut(typ, "(")
		t.Columns = append(t.Columns, column{Name: name, Type: resultType(sentAs(bare)).Encoded(d.Compat)})
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
			return nil, p.QueryError(fmt.Errorf("the characters of its column %q are of the collation %s, which can be read as nvarchar only", name, collation),
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
