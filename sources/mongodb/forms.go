package mongodb

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// How to handle dates outside of the years 1 to 9999.
const (
	datesDefault = "DATETIME"       // as DATETIME_CLAMP
	datesClamp   = "DATETIME_CLAMP" // the first or the last instant of those years
	datesAuto    = "DATETIME_AUTO"  // milliseconds since 1970, as a number
	datesMillis  = "DATETIME_MS"    // milliseconds since 1970, as a number, for every date
)

func dateOptions() []field.Option {
	return []field.Option{
		{Label: "First or last date that is in range", Value: datesDefault},
		{Label: "First or last date that is in range (explicitly)", Value: datesClamp},
		{Label: "Milliseconds for those out of range", Value: datesAuto},
		{Label: "Milliseconds for all dates", Value: datesMillis},
	}
}

// The byte orders in which drivers once wrote UUIDs, by the option uuidRepresentation of the address.
var uuidOrders = map[string][]int{
	"":             nil,
	"unspecified":  nil,
	"standard":     nil, // only subtype 4, which needs no option; subtype 3 stays unknown
	"pythonlegacy": {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	"javalegacy":   {7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8},
	"csharplegacy": {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15},
}

// valueForms define how values with a choice of form are written.
type valueForms struct {
	dates  string
	uuid   []int // the byte order of a UUID of subtype 3; nil if unknown
	compat bool  // dates without a time zone and decimals as floats, as Elastic's own connector writes them
}

func newValueForms(dates, uuid, encoding string) (f valueForms, err error) {
	f.dates = dates
	if f.dates == "" {
		f.dates = datesDefault
	}
	var known []string
	for _, o := range dateOptions() {
		known = append(known, o.Value)
	}
	if !slices.Contains(known, f.dates) {
		return f, form.ConfigError(fmt.Errorf("unknown datetime_conversion %q", dates), "choose one of "+strings.Join(known, ", "))
	}
	order, ok := uuidOrders[strings.ToLower(uuid)]
	if !ok {
		return f, form.ConfigError(fmt.Errorf("host: unknown uuidRepresentation=%s", uuid), "choose one of standard, javaLegacy, csharpLegacy, pythonLegacy, unspecified")
	}
	f.uuid = order
	switch encoding {
	case "", "exact":
	case "compat":
		f.compat = true
	default:
		return f, form.ConfigError(fmt.Errorf("unknown encoding %q", encoding), "choose one of exact, compat")
	}
	return f, nil
}

// The first and the last millisecond of the years 1 to 9999.
var (
	firstMillis = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	lastMillis  = time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC).UnixMilli()
)

// date is the value of a date. reason says what was lost; "" for nothing.
func (f *valueForms) date(millis int64) (v document.Value, reason string) {
	in := millis >= firstMillis && millis <= lastMillis
	if f.dates == datesMillis || !in && f.dates == datesAuto {
		return document.Int(millis), ""
	}
	if !in {
		reason = fmt.Sprintf("a date out of range: %d ms", millis)
		millis = min(max(millis, firstMillis), lastMillis)
	}
	t := time.UnixMilli(millis).UTC()
	if f.compat {
		return document.String(isoNaive(t)), reason
	}
	return document.Time(t), reason
}

// isoNaive writes an instant without its time zone, with six fractional digits or none.
func isoNaive(t time.Time) string {
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format("2006-01-02T15:04:05.000000")
}

// uuidText writes 16 bytes in a byte order as a UUID.
func uuidText(b string, order []int) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 36)
	for i, at := range order {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, digits[b[at]>>4], digits[b[at]&0xF])
	}
	return string(out)
}

// straight is the byte order of a UUID of subtype 4.
var straight = uuidOrders["pythonlegacy"]
