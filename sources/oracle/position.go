package oracle

import (
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"
	"time"

	ora "github.com/sijms/go-ora/v2"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// canCompare reports whether the server can compare with the key of a position: not with a date before the year 1,
// whose text it would misread.
func canCompare(at *sqlread.Position) bool {
	return !slices.ContainsFunc(at.Key, func(v driver.Value) bool {
		t, ok := v.(time.Time)
		return ok && noDate(t) != ""
	})
}

// rowsAfter is the condition for all rows after a position, "" before the first one.
func rowsAfter(t *table, at *sqlread.Position) (condition string, args []driver.Value) {
	condition = at.Condition(func(i int, operator string) string {
		c := &t.Columns[t.Key[i]]
		args = append(args, c.Type.Given(at.Key[i]))
		return quote.Ident(c.Name) + " " + operator + " " + strings.ReplaceAll(c.Type.Bind, "%", ":"+strconv.Itoa(len(args)))
	})
	return condition, args
}

// numberArgument is a number in a form that the driver parses: it needs exactly one nonzero digit
// before the point, and then an exponent.
func numberArgument(v driver.Value) driver.Value {
	digits := digitsOf(v)
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return n
	}
	number, err := ora.NewNumberFromString(scientific(digits))
	if err != nil {
		return digits // the server converts it to a number
	}
	return number
}

// scientific writes digits as 1.25e1.
func scientific(digits string) string {
	magnitude, negative := strings.CutPrefix(digits, "-")
	integer, fraction, _ := strings.Cut(magnitude, ".")
	all := strings.TrimLeft(integer+fraction, "0")
	exponent := len(all) - len(fraction) - 1
	all = strings.TrimRight(all, "0")
	if all == "" {
		return "0"
	}
	text := string(sqlread.AppendMantissa(nil, all)) + "e" + strconv.Itoa(exponent)
	if negative {
		return "-" + text
	}
	return text
}

// nationalArgument is a text in the national character set.
func nationalArgument(v driver.Value) driver.Value { return ora.NVarChar(sqlread.TextOf(v)) }

// timeArgument writes times as texts of a layout, which lose nothing.
func timeArgument(layout string) func(v driver.Value) driver.Value {
	return func(v driver.Value) driver.Value {
		t, ok := v.(time.Time)
		if !ok {
			return v
		}
		return t.Format(layout)
	}
}
