package mssqltest

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Styles of CONVERT that the source uses. The style for times, 121, is also their default.
const (
	styleHexBare = 2  // binary; also all digits of money
	styleFloat   = 3  // 17 digits, of floats
	styleDay     = 23 // yyyy-mm-dd
)

// convert converts a value to another type, as CAST and CONVERT do. It does not check limits: a value that does not
// fit fails the test when it is sent.
func (s *scope) convert(v value, to typ, style int) value {
	out := value{typ: to}
	switch {
	case v.null():
		return out
	case to.base == "sql_variant":
		out.v = v
	case to.is(texts) || to.is(clr):
		out.v = toText(v, to, style)
	case to.is(binaries):
		out.v = toBinary(v, to)
	case to.is(times):
		out.v = toTime(v, to)
	case to.base == "uniqueidentifier":
		out.v = toGUID(v)
	default:
		out.v = toNumber(v, to)
	}
	if out.v == nil {
		s.fail(245, "conversion failed when converting the %s value '%v' to data type %s", v.typ.base, v.v, to.base)
	}
	return out
}

// The functions below return nil for a value that cannot be converted.

func toText(v value, to typ, style int) any {
	text := ""
	switch x := v.v.(type) {
	case string:
		if text = x; v.typ.base == "uniqueidentifier" {
			text = strings.ToUpper(x)
		}
	case int64:
		text = strconv.FormatInt(x, 10)
	case bool:
		text = strconv.FormatInt(bit(x), 10)
	case *big.Rat:
		text = x.FloatString(v.typ.scale)
	case float64:
		text = floatText(x, style)
	case time.Time:
		text = timeText(v.typ, x, style)
	case []byte:
		if style != styleHexBare {
			return nil
		}
		text = strings.ToUpper(hex.EncodeToString(x))
	}
	return cutText(text, to)
}

// cutText cuts a text to the size of the type, and pads char and nchar with blanks.
func cutText(text string, to typ) string {
	if to.size <= 0 {
		return text
	}
	units := utf16.Encode([]rune(text))
	if len(units) > to.size {
		text = string(utf16.Decode(units[:to.size]))
	}
	if to.base == "char" || to.base == "nchar" {
		text += strings.Repeat(" ", max(0, to.size-len(units)))
	}
	return text
}

// floatText is a float in the style of 17 digits, or in the one of 16.
func floatText(f float64, style int) string {
	digits := 15 // after the point, in the form with an exponent
	if style == styleFloat {
		digits = 16
	}
	text := strconv.FormatFloat(f, 'e', digits, 64)
	if at := strings.IndexByte(text, 'e') + 2; len(text)-at < 3 { // the server writes an exponent of three digits
		text = text[:at] + "0" + text[at:]
	}
	return text
}

// timeText writes a time in the ODBC format.
func timeText(t typ, x time.Time, style int) string {
	fraction := ""
	if t.base == "datetime" {
		x = x.Round(time.Millisecond)
	}
	if digits := t.fraction(); digits > 0 {
		fraction = "." + fmt.Sprintf("%09d", x.Nanosecond())[:digits]
	}
	day, clock := x.Format(time.DateOnly), x.Format(time.TimeOnly)+fraction
	switch {
	case style == styleDay || t.base == "date":
		return day
	case t.base == "time":
		return clock
	case t.base == "datetimeoffset":
		clock += x.Format(" -07:00")
	}
	return day + " " + clock
}

// fraction is how many digits the seconds of a type have after the point.
func (t typ) fraction() int {
	switch t.base {
	case "datetime":
		return 3
	case "time", "datetime2", "datetimeoffset":
		return t.scale
	}
	return 0
}

func toBinary(v value, to typ) any {
	raw, ok := v.v.([]byte)
	if !ok {
		return nil
	}
	if to.base == "binary" {
		raw = append(slices.Clip(raw), make([]byte, max(0, to.size-len(raw)))...)
	}
	return raw
}

var guidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$`)

func toGUID(v value) any {
	if text, _ := v.v.(string); guidForm.MatchString(text) {
		return strings.ToLower(text)
	}
	return nil
}

// toNumber converts to bit, integers, decimals and floats.
func toNumber(v value, to typ) any {
	rat := new(big.Rat)
	switch x := v.v.(type) {
	case int64:
		rat.SetInt64(x)
	case bool:
		rat.SetInt64(bit(x))
	case *big.Rat:
		rat = x
	case float64:
		rat.SetFloat64(x)
	case string:
		if _, ok := rat.SetString(strings.TrimSpace(x)); !ok {
			return nil
		}
	default:
		return nil
	}
	switch {
	case to.base == "bit":
		return rat.Sign() != 0
	case to.is(integers):
		return new(big.Int).Quo(rat.Num(), rat.Denom()).Int64() // cuts off the fraction
	case to.is(decimals):
		rounded, _ := new(big.Rat).SetString(rat.FloatString(to.scale))
		return rounded
	}
	f, _ := rat.Float64() // the nearest
	if to.base == "real" {
		f = float64(float32(f))
	}
	return f
}

func toTime(v value, to typ) any {
	switch x := v.v.(type) {
	case time.Time:
		return fitTime(x, to)
	case string:
		_, fraction, _ := strings.Cut(x, ".")
		if t, ok := parseTime(x); ok && (!strings.HasSuffix(to.base, "datetime") || len(fraction) <= 3) {
			return fitTime(t, to)
		}
	}
	return nil
}

func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{
		"2006-01-02 15:04:05.999999999 -07:00", "2006-01-02T15:04:05.999999999-07:00", "2006-01-02 15:04:05.999999999",
		"2006-01-02T15:04:05.999999999", "2006-01-02", "2006/1/2", "15:04:05.999999999",
	} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if strings.HasPrefix(layout, "15") {
			t = t.AddDate(1900, 0, 0) // from year 0
		}
		return t, true
	}
	return time.Time{}, false
}

// fitTime reduces a time to the parts that the type holds, rounded to its digits.
func fitTime(t time.Time, to typ) time.Time {
	wall := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch to.base {
	case "date":
		return day
	case "time":
		return time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Add(wall.Sub(day).Round(tick(to.scale)) % (24 * time.Hour))
	case "datetime":
		ticks := (int64(wall.Nanosecond())*300 + 5e8) / 1e9
		return wall.Truncate(time.Second).Add(time.Duration(ticks * 1e9 / 300))
	case "smalldatetime":
		return wall.Round(time.Minute)
	case "datetimeoffset":
		return t.Round(tick(to.scale))
	}
	return wall.Round(tick(to.scale))
}

// tick is the smallest difference between times with so many digits after the point.
func tick(scale int) time.Duration {
	d := time.Second
	for range scale {
		d /= 10
	}
	return d
}
