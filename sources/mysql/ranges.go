package mysql

import (
	"context"
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// A large table is read in several parts, ranges of the first column of its key, which several readers
// share. Nothing depends on exact numbers: the first range has no beginning, the last one no
// end, and a row leaves its range only if its key changes, which makes it another row.

const (
	rangeBytes = 32 << 20 // in a range, at least
	mostRanges = 16       // of a table
)

// cutting defines how tables are cut.
type cutting struct {
	bytes, most int64 // in a range, at least; ranges of a table
}

// span is a range of keys.
type span struct {
	column    string
	from, end string // digits: its first key, and the first key after it; "" for none
	last      string // its last key, for its name
}

func (s *span) String() string { return s.column + " " + s.from + ".." + s.last }

// condition is the condition for all rows of the range.
func (s *span) condition() string {
	column := quote.Ident(s.column)
	switch {
	case s.from == "":
		return column + " < " + s.end
	case s.end == "":
		return column + " >= " + s.from
	}
	return column + " >= " + s.from + " AND " + column + " < " + s.end
}

// cut replaces the parts of large tables by their ranges. A table that cannot be read as
// configured stays one part, so that this is reported once.
func (d *database) cut(ctx context.Context, s *session, tables []*part) []*part {
	var all []*part
	for _, p := range tables {
		n := d.shares(p)
		if n < 2 {
			all = append(all, p)
			continue
		}
		spans, err := d.spans(ctx, s, p, n)
		if err != nil || len(spans) < 2 {
			all = append(all, p)
			continue
		}
		var ranges []sqlread.Range
		for _, s := range spans {
			ranges = append(ranges, sqlread.Range{Name: s.String(), Condition: s.condition(), First: s.from == ""})
		}
		all = append(all, p.Cut(ranges)...)
	}
	return all
}

// shares is the number of ranges that a table may be cut into: one for tables that are not cut.
func (d *database) shares(p *part) int64 {
	if p.Rule != nil || !p.Rel.IsTable() || p.Rel.Unversioned {
		return 1
	}
	return max(1, min(d.cutting.most, p.Rel.Size/d.cutting.bytes))
}

// spans are at most n ranges that together hold all rows.
func (d *database) spans(ctx context.Context, s *session, p *part, n int64) (spans []span, err error) {
	t, err := d.Describe(ctx, s, p)
	if err != nil || !t.Sorted || !isInteger(&t.Columns[t.Key[0]].Type) {
		return nil, err
	}
	c := &t.Columns[t.Key[0]]
	name := quote.Ident(c.Name)
	err = s.Each(ctx, "SELECT MIN("+name+"), MAX("+name+") FROM "+d.from(&p.Rel), nil, func(row []driver.Value) {
		least, ok := integer(row[0])
		most, ok2 := integer(row[1])
		if ok && ok2 {
			spans = spansOf(c.Name, least, most, uint64(n), c.Type.Kind == source.UnsignedLong)
		}
	})
	return spans, err
}

// isInteger reports whether the values of a type can be cut into ranges.
func isInteger(t *columnType) bool {
	return (t.Kind == source.Long || t.Kind == source.UnsignedLong) && !strings.HasPrefix(t.Declared, "year")
}

// integer is a 64-bit integer, a signed one in two's complement.
func integer(v driver.Value) (uint64, bool) {
	switch v := v.(type) {
	case int64:
		return uint64(v), true
	case []byte:
		n, err := strconv.ParseUint(string(v), 10, 64)
		return n, err == nil
	}
	return 0, false
}

// spansOf cuts the keys from least to most into n ranges of the same size, or fewer if there are not enough
// keys. Sizes are also right for signed keys, because differences do not overflow.
func spansOf(column string, least, most, n uint64, unsigned bool) (spans []span) {
	digits := func(key uint64) string {
		if unsigned {
			return strconv.FormatUint(key, 10)
		}
		return strconv.FormatInt(int64(key), 10)
	}
	step := (most-least)/n + 1
	for from := least; ; from += step {
		s := span{column: column}
		if from != least {
			s.from = digits(from)
		}
		if most-from < step {
			return append(spans, s)
		}
		s.last, s.end = digits(from+step-1), digits(from+step)
		spans = append(spans, s)
	}
}
