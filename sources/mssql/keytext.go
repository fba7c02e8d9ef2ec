package mssql

import (
	"database/sql/driver"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The form of key values in ids. It is the form of Elastic's own connector: an index is compared by ids,
// so they must equal the ids in an index that it filled.

// appendPlain appends a value so that no two values of a type are the same: with all digits of a number or a
// time, or unchanged.
func appendPlain(dst []byte, v driver.Value) []byte {
	switch v := v.(type) {
	case string:
		return append(dst, v...)
	case []byte:
		return append(dst, v...)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	case bool:
		return strconv.AppendBool(dst, v)
	case time.Time:
		return v.UTC().AppendFormat(dst, "2006-01-02T15:04:05.9999999Z")
	}
	return dst
}

// isEmpty reports whether the profile seed87 omits a value from ids if its type does not say.
func isEmpty(v driver.Value) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []byte:
		return len(v) == 0
	}
	return false
}

func zeroNumber(v driver.Value) bool {
	switch v := v.(type) {
	case int64:
		return v == 0
	case float64:
		return v == 0
	case bool:
		return !v
	}
	return strings.Trim(sqlread.TextOf(v), "-0.") == ""
}

func keyFlag(dst []byte, v driver.Value) []byte {
	if v == true {
		return append(dst, "True"...)
	}
	return append(dst, "False"...)
}

// keyFloat writes a double; a 32-bit float has the digits of the equal double.
func keyFloat(dst []byte, v driver.Value) []byte {
	f, _ := v.(float64)
	return sqlread.AppendFloat(dst, f)
}

func keyDecimal(dst []byte, v driver.Value) []byte {
	return sqlread.AppendDecimal(dst, sqlread.TextOf(v))
}

func keyBytes(dst []byte, v driver.Value) []byte {
	return sqlread.AppendBytes(dst, sqlread.TextOf(v))
}

func keyGUID(dst []byte, v driver.Value) []byte {
	text, _ := guidText(v)
	return append(dst, text...)
}

func keyDate(dst []byte, v driver.Value) []byte { return appendTime(dst, v, time.DateOnly, "", false) }

func keyClock(dst []byte, v driver.Value) []byte { return appendTime(dst, v, time.TimeOnly, "", true) }

func keyTime(dst []byte, v driver.Value) []byte { return appendTime(dst, v, time.DateTime, "", true) }

func keyZoned(dst []byte, v driver.Value) []byte {
	return appendTime(dst, v, time.DateTime, "-07:00", true)
}

// plainClock writes a time of day with all its digits.
func plainClock(dst []byte, v driver.Value) []byte {
	return appendTime(dst, v, "15:04:05.9999999", "", false)
}

// plainBytes writes bytes as SQL does: unchanged they might not be text.
func plainBytes(dst []byte, v driver.Value) []byte {
	return hex.AppendEncode(append(dst, "0x"...), []byte(sqlread.TextOf(v)))
}

// appendTime writes a time: a fraction has six digits, and is omitted if they are zero.
func appendTime(dst []byte, v driver.Value, form, zone string, fraction bool) []byte {
	t, _ := v.(time.Time)
	if fraction {
		form += micros(t)
	}
	return t.AppendFormat(dst, form+zone)
}

// The arguments of parameters, in forms that the server reads as a value of the column's type.

func givenText(v driver.Value) driver.Value { return sqlread.TextOf(v) }

func givenGUID(v driver.Value) driver.Value {
	text, _ := guidText(v)
	return text
}

func givenDate(v driver.Value) driver.Value { return givenAs(v, time.DateOnly) }

func givenClock(v driver.Value) driver.Value { return givenAs(v, "15:04:05.0000000") }

// givenMillis: the server stores three hundredths of a second, writes them with three digits, and reads those as the
// same value again.
func givenMillis(v driver.Value) driver.Value { return givenAs(v, "2006-01-02 15:04:05.000") }

func givenTime(v driver.Value) driver.Value { return givenAs(v, "2006-01-02 15:04:05.0000000") }

func givenZoned(v driver.Value) driver.Value { return givenAs(v, "2006-01-02 15:04:05.0000000 -07:00") }

func givenAs(v driver.Value, form string) driver.Value {
	t, _ := v.(time.Time)
	return t.Format(form)
}
