package mssql

import (
	"cmp"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// orderOfIDs is the order of the key's columns in an id: Elastic's connector sorts
// them by name.
func orderOfIDs(p sqlread.Profile, t *table) []int {
	order := slices.Clone(t.Key)
	if p != sqlread.Native {
		slices.SortStableFunc(order, func(a, b int) int { return compareNames(t.Columns[a].Name, t.Columns[b].Name) })
	}
	return order
}

func compareNames(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) }

// inIDs defines how values are written into ids if their type has no form of its own.
var inIDs = sqlread.Values[driver.Value]{Null: sqlread.Null, Append: appendPlain, Zero: isEmpty}

// Documents implements [sqlread.Dialect].
func (d *database) Documents(p *part, t *table) (sqlread.Documents, []sqlread.Renamed) {
	return d.rowOf(p, t)
}

// rowOf prepares the documents of a table. renamed are the columns whose fields differ from the profile's names.
func (d *database) rowOf(p *part, t *table) (r *sqlread.Row, renamed []sqlread.Renamed) {
	from := p.Origin(d.set.database)
	names, renamed := sqlread.FieldNames(&from, d.Profile, t)
	return &sqlread.Row{
		Table: t, Record: sqlread.NewRecord(from.Fields(d.Profile), names, t.Key, d.Profile == sqlread.Native),
		ID: sqlread.ID[driver.Value]{Profile: d.Profile, Prefix: from.Prefix("mssql", d.Profile), Values: inIDs},
	}, renamed
}
