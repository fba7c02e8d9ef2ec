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
	// resultQuery returns the columns of a query's result without running it.
	resultQuery = "EXEC sys.sp_describe_first_result_set @tsql = @p1"

	codePageQuery = "SELECT CONVERT(int, COLLATIONPROPERTY(@p1, 'CodePage'))"
)

// openQuery runs the query of a rule unchanged. Its columns are those of the result.
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
		_ = r.Result.Close() // the first error matters
		return err
	}
	r.Row = p.RowOf(r.Table)
	return nil
}

// followed reports whether another result follows.
func followed(rows driver.Rows) bool {
	several, ok := rows.(driver.RowsNextResultSet)
	return ok && several.HasNextResultSet()
}

// columnsOf are the columns of a result.
func columnsOf(r driver.Rows) []column {
	return sqlread.ColumnsOf(r, func(_ int, name string) columnType { return resultType(name) })
}

// describeQuery reads, outside the snapshot, the columns of a rule's result and the columns that identify its rows,
// and checks that the result has those.
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

// resultColumns reads the columns of a rule's query. It refuses characters that the driver cannot
// decode; for columns of a table the server decodes them, but a query runs unchanged.
func (d *database) resultColumns(ctx context.Context, s *session, p *part) (*table, error) {
	t, collations := &table{}, map[string]string{}
	err := s.Each(ctx, resultQuery, []driver.Value{p.Rule.Query}, func(row []driver.Value) {
		if row[0] == true { // a column that only FOR BROWSE would return
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
			return nil, p.QueryError(fmt.Errorf("the text of column %q has the collation %s, which can be read only as nvarchar", name, collation),
				fmt.Sprintf("write CONVERT(nvarchar(max), …) AS %s in the query", quote.Ident(name)))
		}
	}
	return t, nil
}

// sentAs is the driver's name for a type in the result of a query. The server sends no name of a .NET type.
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
