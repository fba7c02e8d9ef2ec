package embedded

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// dateFormat is the default format of a date.
const dateFormat = "strict_date_optional_time||epoch_millis"

// readDate reads strict_date_optional_time, then epoch_millis. Checking a named time zone would need the
// list of all names, so it is unsure, except for UTC.
func readDate(raw []byte) (value, verdict) {
	v := value{kind: kindDate}
	if isBoolean(raw) {
		return v, malformed
	}
	text := scalar(raw)
	var judged verdict
	if v.whole, judged = strictDate(text); judged == malformed {
		v.whole, judged = epochMillis(text)
	}
	if judged == malformed && raw[0] != '"' { // the least of all numbers is no text of milliseconds
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			v.whole, judged = n, fits
		}
	}
	return v, judged
}

// epochMillis reads milliseconds of up to 19 digits with up to 6 digits of a fraction, which is cut off.
func epochMillis(text []byte) (int64, verdict) {
	rest, negative := bytes.CutPrefix(text, []byte{'-'})
	end := digits(rest, 0)
	if end == 0 || end > 19 {
		return 0, malformed
	}
	n, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	if err != nil {
		return 0, malformed
	}
	if rest = rest[end:]; len(rest) > 0 && (rest[0] != '.' || len(rest) > 7 || digits(rest, 1) < len(rest)) {
		return 0, malformed
	}
	if negative {
		n = -n
	}
	return n, fits
}

// dateReader parses a date from its start.
type dateReader struct{ rest []byte }

// number reads exactly this many digits.
func (r *dateReader) number(width int) (int, bool) {
	if len(r.rest) < width || digits(r.rest[:width], 0) < width {
		return 0, false
	}
	n := 0
	for _, ch := range r.rest[:width] {
		n = 10*n + int(ch-'0')
	}
	r.rest = r.rest[width:]
	return n, true
}

// after reads a mark and a number of two digits, at most most, that must follow it. Without the mark
// there is no number.
func (r *dateReader) after(mark byte, most int) (n int, there, ok bool) {
	if len(r.rest) == 0 || r.rest[0] != mark {
		return 0, false, true
	}
	r.rest = r.rest[1:]
	n, ok = r.number(2)
	return n, true, ok && n <= most
}

// strictDate reads a year of four digits and all optional parts after it.
func strictDate(text []byte) (millis int64, judged verdict) {
	r := dateReader{text}
	rest, negative := bytes.CutPrefix(r.rest, []byte{'-'})
	r.rest = rest
	year, ok := r.number(4)
	if !ok {
		return 0, malformed
	}
	if negative {
		year = -year
	}
	month, there, ok := r.after('-', 12)
	day, dayThere := 1, false
	switch {
	case !ok || there && month == 0:
		return 0, malformed
	case there:
		if day, dayThere, ok = r.after('-', daysIn(year, month)); !ok || dayThere && day == 0 {
			return 0, malformed
		}
	}
	date := time.Date(year, time.Month(max(month, 1)), max(day, 1), 0, 0, 0, 0, time.UTC).UnixMilli()
	if len(r.rest) == 0 {
		return date, fits
	}
	if !dayThere || r.rest[0] != 'T' {
		return 0, malformed
	}
	r.rest = r.rest[1:]
	clock, judged := r.clock()
	return date + clock, judged
}

// clock reads the time of day after T, which may be absent, with its offset.
func (r *dateReader) clock() (millis int64, judged verdict) {
	if len(r.rest) == 0 {
		return 0, fits
	}
	hour, ok := r.number(2)
	if !ok || hour > 23 {
		return 0, malformed
	}
	minute, there, ok := r.after(':', 59)
	if !ok {
		return 0, malformed
	}
	second, nanos := 0, 0
	if there {
		if second, there, ok = r.after(':', 59); !ok {
			return 0, malformed
		}
		if there {
			if nanos, ok = r.fraction(); !ok {
				return 0, malformed
			}
		}
	}
	millis = int64((hour*60+minute)*60+second)*1000 + int64(nanos/1_000_000)
	offset, judged := r.offset()
	return millis - offset*1000, judged
}

// fraction reads 1 to 9 digits after a point or a comma.
func (r *dateReader) fraction() (nanos int, ok bool) {
	if len(r.rest) == 0 || r.rest[0] != '.' && r.rest[0] != ',' {
		return 0, true
	}
	n := digits(r.rest, 1) - 1
	if n < 1 || n > 9 {
		return 0, false
	}
	r.rest = r.rest[1:]
	nanos, ok = r.number(n)
	return nanos * int(math.Pow10(9-n)), ok
}

const maxOffset = 18 * 3600

// offset reads the offset in seconds to the end: none, Z, a name, or +01, +0100, +010000 with or
// without colons.
func (r *dateReader) offset() (seconds int64, judged verdict) {
	switch text := string(r.rest); {
	case text == "", text == "Z", text == "UTC", text == "GMT", text == "UT":
		return 0, fits
	case text[0] >= 'A' && text[0] < 'Z':
		return 0, unsure
	case text[0] != '+' && text[0] != '-':
		return 0, malformed
	}
	negative := r.rest[0] == '-'
	r.rest = r.rest[1:]
	colons := len(r.rest) > 2 && r.rest[2] == ':'
	for i, unit := range []int64{3600, 60, 1} {
		if i > 0 && colons {
			if len(r.rest) == 0 || r.rest[0] != ':' {
				return 0, malformed
			}
			r.rest = r.rest[1:]
		}
		n, ok := r.number(2)
		if !ok || i > 0 && n > 59 {
			return 0, malformed
		}
		seconds += int64(n) * unit
		if len(r.rest) == 0 {
			break
		}
	}
	if len(r.rest) > 0 || seconds > maxOffset {
		return 0, malformed
	}
	if negative {
		seconds = -seconds
	}
	return seconds, fits
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
