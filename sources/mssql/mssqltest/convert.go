package mssqltest

import (
	"encoding/hex"
	"fmt"
	"math"
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

// convert converts a value to another type, as CAST and CONVERT do.
func convert(v value, to typ, style int) (value, error) {
	if v.null() {
		return value{typ: to}, nil
	}
	if to.base == "sql_variant" {
		return value{typ: to, v: v}, nil
	}
	out, err := value{typ: to}, error(nil)
	switch {
	case to.isText() || to.isCLR():
		out.v, err = toText(v, to, style)
	case to.isBinary():
		out.v, err = toBinary(v, to)
	case to.isTime():
		out.v, err = toTime(v, to)
	case to.base == "uniqueidentifier":
		out.v, err = toGUID(v)
	default:
		out.v, err = toNumber(v, to)
	}
	return out, err
}

func cannot(v value, to typ) error {
	return failed(529, 16, "explicit conversion from data type %s to %s is not allowed", v.typ.base, to.base)
}

func toText(v value, to typ, style int) (string, error) {
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
			return "", cannot(v, to)
		}
		text = strings.ToUpper(hex.EncodeToString(x))
	}
	return cutText(text, to), nil
}

func (t typ) isMoney() bool { return t.base == "money" || t.base == "smallmoney" }

// cutText cuts a text to the size of the type, and pads char and nchar with blanks.
func cutText(text string, to typ) string {
	if to.size <= 0 || to.isOld() || to.isCLR() {
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
	}
	if t.base == "datetimeoffset" {
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

func toBinary(v value, to typ) (any, error) {
	raw, ok := v.v.([]byte)
	if !ok {
		return nil, cannot(v, to)
	}
	if to.base == "binary" {
		raw = append(slices.Clip(raw), make([]byte, max(0, to.size-len(raw)))...)
	}
	return raw, nil
}

var guidForm = regexp.MustCompile(`^\{?[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}?$`)

func toGUID(v value) (any, error) {
	text, _ := v.v.(string)
	if !guidForm.MatchString(text) {
		return nil, failed(8169, 16, "conversion failed when converting from a character string to uniqueidentifier")
	}
	return strings.ToLower(strings.Trim(text, "{}")), nil
}

// toNumber converts to bit, integers, decimals and floats.
func toNumber(v value, to typ) (any, error) {
	rat, f := new(big.Rat), 0.0
	switch x := v.v.(type) {
	case int64:
		rat.SetInt64(x)
	case bool:
		rat.SetInt64(bit(x))
	case *big.Rat:
		rat = x
	case float64:
		if rat.SetFloat64(x) == nil {
			return nil, failed(8115, 16, "arithmetic overflow error converting float to data type %s", to.base)
		}
		f = x
	case string:
		if _, ok := rat.SetString(strings.TrimSpace(x)); !ok {
			return nil, failed(245, 16, "conversion failed when converting the %s value '%s' to data type %s", v.typ.base, x, to.base)
		}
	default:
		return nil, cannot(v, to)
	}
	switch {
	case to.base == "bit":
		return rat.Sign() != 0, nil
	case to.isInteger():
		return toInteger(rat, to)
	case to.isDecimal():
		return rounded(rat, to)
	}
	if _, exact := v.v.(float64); !exact {
		f, _ = rat.Float64() // the nearest
	}
	if to.base == "real" {
		f = float64(float32(f))
	}
	return f, nil
}

// toInteger cuts off the fraction.
func toInteger(rat *big.Rat, to typ) (any, error) {
	whole := new(big.Int).Quo(rat.Num(), rat.Denom())
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch to.base {
	case "int":
		low, high = math.MinInt32, math.MaxInt32
	case "smallint":
		low, high = math.MinInt16, math.MaxInt16
	case "tinyint":
		low, high = 0, math.MaxUint8
	}
	if !whole.IsInt64() || whole.Int64() < low || whole.Int64() > high {
		return nil, failed(8115, 16, "arithmetic overflow error converting expression to data type %s", to.base)
	}
	return whole.Int64(), nil
}

// rounded keeps as many digits after the point as the type has.
func rounded(rat *big.Rat, to typ) (any, error) {
	text := rat.FloatString(to.scale)
	digits := strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(text), "0")
	if to.precision > 0 && len(digits) > to.precision {
		return nil, failed(8115, 16, "arithmetic overflow error converting expression to data type %s", to.base)
	}
	out, _ := new(big.Rat).SetString(text) // FloatString wrote it
	return out, nil
}

func toTime(v value, to typ) (any, error) {
	var t time.Time
	switch x := v.v.(type) {
	case time.Time:
		t = x
	case string:
		var ok bool
		_, fraction, _ := strings.Cut(x, ".")
		if t, ok = parseTime(x); !ok || strings.HasSuffix(to.base, "datetime") && len(fraction) > 3 {
			return nil, failed(241, 16, "conversion failed when converting date and/or time from character string")
		}
	default:
		return nil, cannot(v, to)
	}
	return fitTime(t, to), nil
}

func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{
		"2006-01-02 15:04:05.999999999 -07:00", "2006-01-02 15:04:05.999999999-07:00", "2006-01-02T15:04:05.999999999-07:00",
		"2006-01-02T15:04:05.999999999Z", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04",
		"2006-01-02", "2006/1/2", "15:04:05.999999999", "15:04", "20060102",
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
	switch to.base {
	case "date":
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	case "time":
		clock := wall.Sub(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)).Round(tick(to.scale))
		return time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Add(clock % (24 * time.Hour))
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
