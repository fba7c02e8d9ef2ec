package protocol

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Time is a time in a record. Its zero value is null. It is written in UTC with microseconds and an
// offset, and read in any form that other clients write: with Z, with milliseconds, without an offset
// (which means UTC), or as milliseconds since 1970.
type Time struct{ time.Time }

// TimeOf is a time as it is read back from a record: in UTC, truncated to microseconds.
func TimeOf(t time.Time) Time { return Time{t.UTC().Truncate(time.Microsecond)} }

const (
	timeLayout  = "2006-01-02T15:04:05.000000-07:00"
	wholeLayout = "2006-01-02T15:04:05-07:00"
)

// MarshalJSON implements [json.Marshaler].
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	u, layout := t.UTC(), timeLayout
	if u.Nanosecond()/1000 == 0 {
		layout = wholeLayout
	}
	return []byte(`"` + u.Format(layout) + `"`), nil
}

// UnmarshalJSON implements [json.Unmarshaler]. An invalid time is read as null: an odd date must not make
// the record of a connector unreadable.
func (t *Time) UnmarshalJSON(b []byte) error {
	*t = Time{}
	if millis, err := strconv.ParseInt(string(b), 10, 64); err == nil {
		*t = TimeOf(time.UnixMilli(millis))
		return nil
	}
	var s string
	if json.Unmarshal(b, &s) != nil {
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
		if parsed, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			*t = TimeOf(parsed)
			return nil
		}
	}
	return nil
}

// Text is a text in a record; an empty one is null.
type Text string

// MarshalJSON implements [json.Marshaler].
func (s Text) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(s))
}

// UnmarshalJSON implements [json.Unmarshaler]. Anything but text is empty.
func (s *Text) UnmarshalJSON(b []byte) error {
	var text string
	_ = json.Unmarshal(b, &text)
	*s = Text(text)
	return nil
}

// Flag is a boolean in a record; null and other types are false, "true" is true.
type Flag bool

// UnmarshalJSON implements [json.Unmarshaler].
func (f *Flag) UnmarshalJSON(b []byte) error {
	*f = Flag(string(b) == "true" || string(b) == `"true"`)
	return nil
}

// Count is a number in a record; anything else is 0.
type Count int64

// UnmarshalJSON implements [json.Unmarshaler].
func (c *Count) UnmarshalJSON(b []byte) error {
	*c = 0
	if f, err := strconv.ParseFloat(string(bytes.Trim(b, `"`)), 64); err == nil && f >= -1<<53 && f <= 1<<53 {
		*c = Count(f)
	}
	return nil
}

// Raw is a value that is kept unchanged; a missing one is null.
type Raw json.RawMessage

// MarshalJSON implements [json.Marshaler].
func (r Raw) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Raw) UnmarshalJSON(b []byte) error {
	*r = bytes.Clone(b)
	return nil
}

// IsNull reports whether there is no value.
func (r Raw) IsNull() bool { return len(r) == 0 || string(r) == "null" }

// MarshalJSON implements [json.Marshaler]: an empty status is null.
func (s JobStatus) MarshalJSON() ([]byte, error) { return Text(s).MarshalJSON() }
