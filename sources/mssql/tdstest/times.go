package tdstest

import (
	"fmt"
	"time"
)

// dayZero is the day from which date, datetime2 and datetimeoffset count days; day1900 is that of datetime and
// smalldatetime.
func dayZero() time.Time { return time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC) }
func day1900() time.Time { return time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC) }

const (
	secondsOfDay = 24 * 60 * 60
	largestDay   = 3652058 // 9999-12-31
)

// clockSize is the number of bytes for a time of day with so many fractional digits.
func clockSize(scale byte) int {
	switch {
	case scale <= 2:
		return 3
	case scale <= 4:
		return 4
	default:
		return 5
	}
}

// tick is the unit that a time of day counts.
func tick(scale byte) time.Duration {
	d := time.Second
	for range scale {
		d /= 10
	}
	return d
}

// encodeTime writes the wall clock of t, and for datetimeoffset its instant and offset. Fractional digits beyond the
// type are cut; datetime uses the nearest of its ticks, 300 a second.
func encodeTime(c column, t time.Time) ([]byte, error) {
	_, offset := t.Zone()
	wall := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	if c.Type == DateTimeOffset {
		wall = t.UTC()
	}
	scale := byte(c.Scale)
	clock := time.Duration(wall.Hour())*time.Hour + time.Duration(wall.Minute())*time.Minute +
		time.Duration(wall.Second())*time.Second + time.Duration(wall.Nanosecond())
	day := daysSince(dayZero(), wall)
	if day < 0 || day > largestDay {
		return nil, fmt.Errorf("the year %d: a date has a year from 1 to 9999", wall.Year())
	}
	var raw []byte
	switch c.Type {
	case DateTime:
		ticks := (int64(clock)*300 + int64(time.Second)/2) / int64(time.Second)
		day := daysSince(day1900(), wall) + ticks/(300*secondsOfDay)
		raw = appendUint(nil, uint64(day), 4)
		return appendUint(raw, uint64(ticks%(300*secondsOfDay)), 4), nil
	case SmallDateTime:
		day := daysSince(day1900(), wall)
		if day < 0 || day > 0xffff {
			return nil, fmt.Errorf("the year %d: a smalldatetime has a year from 1900 to 2079", wall.Year())
		}
		raw = appendUint(nil, uint64(day), 2)
		return appendUint(raw, uint64(clock/time.Minute), 2), nil
	}
	if c.Type != Date {
		raw = appendUint(raw, uint64(clock/tick(scale)), clockSize(scale))
	}
	if c.Type != Time {
		raw = appendUint(raw, uint64(day), 3)
	}
	if c.Type == DateTimeOffset {
		raw = appendUint(raw, uint64(offset/60), 2)
	}
	return raw, nil
}

// daysSince counts full days from seconds, because a Duration ends after 292 years.
func daysSince(zero, t time.Time) int64 {
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return (midnight.Unix() - zero.Unix()) / secondsOfDay
}
