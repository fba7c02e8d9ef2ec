package oracle

import (
	"database/sql/driver"
	"strconv"
	"strings"
	"time"

	ora "github.com/sijms/go-ora/v2"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// position is how far a table was read, so that reading can go on behind it on another connection: the
// key of the last row, as rows come in the order of the key. The server compares it, never this program.
type position struct {
	key    []driver.Value // nil before the first row
	losses int            // of connections, or of the moment that is read, since the last row
}

// start is the position before the first row, nil where it is not possible to go on after a loss.
func (t *table) start() *position {
	if !t.sorted {
		return nil
	}
	return &position{}
}

// advance takes the next row. The driver does not use its values again.
func (a *position) advance(t *table, row []driver.Value) {
	if a.key == nil {
		a.key = make([]driver.Value, len(t.key))
	}
	a.losses = 0
	for i, k := range t.key {
		a.key[i] = row[k]
	}
}

// comparable reports whether the server can compare with the key: not with a date before the year 1, whose
// text it would take for another.
func (a *position) comparable() bool {
	for _, v := range a.key {
		if t, ok := v.(time.Time); ok && noDate(t) != "" {
			return false
		}
	}
	return true
}

// condition is that of all rows behind the position, "" before the first one.
func (a *position) condition(t *table) (condition string, args []driver.Value) {
	if a == nil || a.key == nil {
		return "", nil
	}
	return sqlread.Behind(len(a.key), func(i int, operator string) string {
		c := &t.columns[t.key[i]]
		arg := a.key[i]
		if c.typ.argument != nil {
			arg = c.typ.argument(arg)
		}
		args = append(args, arg)
		return quote.Ident(c.name) + " " + operator + " " + c.typ.compared(":"+strconv.Itoa(len(args)))
	}), args
}

// numberArgument is a number as the driver sends it. Digits it understands only where one of them, which is not 0,
// stands before the point, and an exponent behind them.
func numberArgument(v driver.Value) driver.Value {
	digits := digitsOf(v)
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return n
	}
	number, err := ora.NewNumberFromString(scientific(digits))
	if err != nil {
		return digits // the server makes a number of it
	}
	return number
}

// scientific writes digits as 1.25e1.
func scientific(digits string) string {
	magnitude, negative := strings.CutPrefix(digits, "-")
	whole, fraction, _ := strings.Cut(magnitude, ".")
	all := strings.TrimLeft(whole+fraction, "0")
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
