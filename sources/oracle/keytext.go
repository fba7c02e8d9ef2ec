package oracle

import (
	"database/sql/driver"
	"strconv"
	"strings"
	"time"

	ora "github.com/sijms/go-ora/v2"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The form of key values in ids. It is the form of Elastic's own connector: an index is compared by ids,
// so they must equal the ids in an index that it filled.

// appendPlain appends a value unchanged. Two values of a column never have the same text.
func appendPlain(dst []byte, v driver.Value) []byte {
	switch v := v.(type) {
	case float64:
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	case time.Time:
		return append(dst, instantText(v)...)
	case []byte:
		return append(dst, v...)
	case ora.BFile:
		return append(dst, v.GetDirName()+"/"+v.GetFileName()...)
	}
	return append(dst, sqlread.TextOf(v)...)
}

func zeroNumber(v driver.Value) bool {
	if f, ok := v.(float64); ok {
		return f == 0
	}
	return strings.Trim(sqlread.TextOf(v), "-0.") == ""
}

func zeroBool(v driver.Value) bool { return v == false }

func keyNumber(dst []byte, v driver.Value) []byte { return sqlread.AppendDecimal(dst, digitsOf(v)) }

// keyFloat writes a double, even if the digits of a double were sent.
func keyFloat(dst []byte, v driver.Value) []byte {
	f, ok := v.(float64)
	if !ok {
		var err error
		if f, err = strconv.ParseFloat(digitsOf(v), 64); err != nil {
			return appendPlain(dst, v)
		}
	}
	return sqlread.AppendFloat(dst, f)
}

func keyBytes(dst []byte, v driver.Value) []byte {
	b, ok := v.([]byte)
	if !ok {
		return appendPlain(dst, v)
	}
	return sqlread.AppendBytes(dst, string(b))
}

func keyBool(dst []byte, v driver.Value) []byte {
	if v == true {
		return append(dst, "True"...)
	}
	return append(dst, "False"...)
}

// keyTime writes a date with a time of day: a fraction has six digits, and is omitted if it is zero.
func keyTime(dst []byte, v driver.Value) []byte {
	t, ok := v.(time.Time)
	if !ok {
		return appendPlain(dst, v)
	}
	layout := time.DateTime
	if t.Nanosecond() >= 1000 {
		layout += ".000000"
	}
	return t.AppendFormat(dst, layout)
}
