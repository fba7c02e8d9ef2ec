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

// Styles of CONVERT.
const (
	styleHex      = 1  // 0x…, of binary
	styleHexBare  = 2  // the same without 0x
	styleFloat    = 3  // 17 digits, of floats
	styleDay      = 23 // yyyy-mm-dd
	styleISO      = 126
	styleISOZoned = 127
)

// convert makes a value of another type, as CAST and CONVERT do.
func convert(v value, to typ, style int) (value, error) {
	if v.null() {
		return value{typ: to}, nil
	}
	if to.base == "sql_variant" {
		if v.typ.base == "sql_variant" {
			return v, nil
		}
		return value{typ: to, v: v}, nil
	}
	if inner, ok := v.v.(value); ok {
		return convert(inner, to, style)
	}
	out, err := value{typ: to}, error(nil)
	switch {
	case to.isText() || to.isCLR():
		out.v = toText(v, to, style)
	case to.isBinary():
		out.v, err = toBinary(v, to, style)
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

func toText(v value, to typ, style int) string {
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
		if text = x.FloatString(v.typ.scale); v.typ.isMoney() && style != styleHexBare {
			text = x.FloatString(2)
		}
	case float64:
		text = floatText(v.typ, x, style)
	case time.Time:
		text = timeText(v.typ, x, style)
	case []byte:
		switch {
		case style == styleHex:
			text = "0x" + strings.ToUpper(hex.EncodeToString(x))
		case style == styleHexBare:
			text = strings.ToUpper(hex.EncodeToString(x))
		case to.isWide():
			units := make([]uint16, (len(x)+1)/2)
			for i, b := range x {
				units[i/2] |= uint16(b) << (8 * (i % 2))
			}
			text = string(utf16.Decode(units))
		default:
			text = latin1Text(x)
		}
	}
	return cutText(text, to)
}

func (t typ) isMoney() bool { return t.base == "money" || t.base == "smallmoney" }

// cutText leaves so much of a text as fits, and fills char and nchar with blanks.
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

func latin1Text(raw []byte) string {
	var b strings.Builder
	for _, c := range raw {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// floatText is a float with six digits, or in style 3 with all of them.
func floatText(t typ, f float64, style int) string {
	if style == styleFloat {
		digits := 16 // behind the point, in the form with an exponent
		if t.base == "real" {
			digits = 8
		}
		text := strconv.FormatFloat(f, 'e', digits, 64)
		if at := strings.IndexByte(text, 'e') + 2; len(text)-at < 3 { // the server writes an exponent of three digits
			text = text[:at] + "0" + text[at:]
		}
		return text
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}

// timeText writes a time in the form of ODBC, or in that of ISO 8601.
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
	date, zone := " ", " " // what stands before
	if style == styleISO || style == styleISOZoned {
		date, zone = "T", ""
	}
	if t.base == "datetimeoffset" {
		clock += zone + x.Format("-07:00")
	}
	return day + date + clock
}

// fraction is how many digits the seconds of a type have behind the point.
func (t typ) fraction() int {
	switch t.base {
	case "datetime":
		return 3
	case "time", "datetime2", "datetimeoffset":
		return t.scale
	}
	return 0
}

func toBinary(v value, to typ, style int) (any, error) {
	var raw []byte
	switch x := v.v.(type) {
	case []byte:
		raw = x
	case int64:
		size := map[string]int{"bigint": 8, "int": 4, "smallint": 2, "tinyint": 1}[v.typ.base]
		for i := range size {
			raw = append(raw, byte(x>>(8*(size-1-i))))
		}
		if over := len(raw) - to.size; to.size > 0 && over > 0 {
			raw = raw[over:]
		}
	case string:
		var err error
		if raw, err = textBytes(v.typ, x, style); err != nil {
			return nil, err
		}
	default:
		return nil, cannot(v, to)
	}
	if to.size > 0 && len(raw) > to.size {
		raw = raw[:to.size]
	}
	if to.base == "binary" {
		raw = append(slices.Clip(raw), make([]byte, max(0, to.size-len(raw)))...)
	}
	return raw, nil
}

func textBytes(t typ, text string, style int) ([]byte, error) {
	switch {
	case style == styleHex || style == styleHexBare:
		raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
		if err != nil {
			return nil, failed(8114, 16, "error converting data type %s to varbinary", t.base)
		}
		return raw, nil
	case t.isWide():
		var raw []byte
		for _, u := range utf16.Encode([]rune(text)) {
			raw = append(raw, byte(u), byte(u>>8))
		}
		return raw, nil
	}
	return []byte(text), nil
}

var guidForm = regexp.MustCompile(`^\{?[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}?$`)

func toGUID(v value) (any, error) {
	switch x := v.v.(type) {
	case string:
		if !guidForm.MatchString(x) {
			return nil, failed(8169, 16, "conversion failed when converting from a character string to uniqueidentifier")
		}
		return strings.ToLower(strings.Trim(x, "{}")), nil
	case []byte:
		var b [16]byte
		copy(b[:], x)
		b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7] = b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
	}
	return nil, cannot(v, named("uniqueidentifier"))
}

// toNumber is for bit, whole numbers, decimals and floats.
func toNumber(v value, to typ) (any, error) {
	if v.typ.isTime() {
		return nil, cannot(v, to)
	}
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

// rounded keeps as many digits behind the point as the type has.
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

// fitTime leaves what the type holds of a time, rounded to its digits.
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

// tick is the smallest difference of times with so many digits behind the point.
func tick(scale int) time.Duration {
	d := time.Second
	for range scale {
		d /= 10
	}
	return d
}
