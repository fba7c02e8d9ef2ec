// Package cron reads Quartz cron expressions, the schedules that Kibana writes into a connector, and
// finds the scheduled times.
//
// It is not a scheduler: nothing here waits, reads a clock or remembers what has run. Everything is
// in UTC, so no hours are skipped or repeated by a change of the clocks.
//
// The invariant: for any text and any times, the result is immediate, and a [Schedule]
// that [Parse] returns has at least one scheduled time.
//
// # The language
//
// An expression has six or seven fields separated by blanks:
//
//	second  minute  hour  day-of-month  month         day-of-week  [year]
//	0-59    0-59    0-23  1-31          1-12 JAN-DEC  1-7 SUN-SAT  1970-2099
//
// A field is * or a list of values, ranges and steps: 5, 10-12, 0/15, 10-40/10, */2 or /2. A step that
// follows a single value continues to the end of the field. A range whose end is smaller than its start wraps,
// except for years: 22-2 are the hours 22, 23, 0, 1 and 2. Case does not matter.
//
// The days of the month may also be L, the last one; L-3, the third before it; 15W, the weekday
// (Monday to Friday) nearest to the 15th within its month; LW and L-3W. All these may be in a list.
// A month without such a day, as February for 30W, is skipped.
//
// The days of the week may also be 6L, the last Friday of the month; 6#3, the third Friday; L alone,
// which is Saturday. None of these may be in a list.
//
// One of the two day fields must be ?, "not this one". Quartz refuses a * in both; here a * in one of
// them is read as ?, because older configurations write * in every field and because it can only mean
// one thing. A restriction in both fields is an error, and so is ? in both.
//
// The language is that of https://www.quartz-scheduler.org/documentation/quartz-2.5.x/tutorials/crontrigger.html
// and of the class CronExpression of Quartz 2.5, whose lists with L and W are not in its manual.
//
// # No library
//
// github.com/reugn/go-quartz v0.15.2 was tried. It returns scheduled times but not the parsed expression, and some
// times are wrong: for 0 0 0 29 2 ? it returns 1 March in three of four years, and for 0 0 0 ? 4 2#5
// after September 2027 it skips 2029. It accepts minute 61 in a list, and refuses ranges that wrap,
// lower-case letters in L and W, and L-3W. So nothing is left for it to do.
package cron

import (
	"fmt"
	"strings"
	"time"
)

// maxLength is the maximum number of bytes of an expression. Listing every second takes 170.
const maxLength = 1000

// Schedule is a set of scheduled times, each a full second in UTC. The zero Schedule is empty. It is safe
// for concurrent use, and two from the same text are equal.
type Schedule struct {
	text                    string
	seconds, minutes, hours set
	days                    days
	months                  set
	years                   set // counted from firstYear
}

// Parse reads an expression. An error names the invalid field and its valid values, or says that the
// fields together have no scheduled time, such as 31 February.
func Parse(expression string) (Schedule, error) {
	if len(expression) > maxLength {
		return Schedule{}, fmt.Errorf("has %d bytes, more than %d", len(expression), maxLength)
	}
	words := strings.Fields(expression)
	switch len(words) {
	case 6:
		words = append(words, "*")
	case 7:
	default:
		return Schedule{}, wrongCount(expression, len(words))
	}
	s := Schedule{text: expression}
	for i, to := range []*set{&s.seconds, &s.minutes, &s.hours, nil, &s.months, nil, &s.years} {
		if to == nil {
			continue // both day fields together
		}
		if err := fields[i].parse(to, words[i]); err != nil {
			return Schedule{}, fmt.Errorf("%s: %w", fields[i].name, err)
		}
	}
	var err error
	if s.days, err = parseDays(words[dayOfMonth], words[dayOfWeek]); err != nil {
		return Schedule{}, err
	}
	if _, ok := s.Next(time.Time{}); !ok {
		return Schedule{}, fmt.Errorf("%.100q has no scheduled time: none of its months and years has such a day", expression)
	}
	return s, nil
}

func wrongCount(expression string, n int) error {
	const want = "6 or 7: second minute hour day-of-month month day-of-week [year]"
	switch n {
	case 1:
		return fmt.Errorf("%.100q has 1 field, not %s", expression, want)
	case 5: // that of Unix
		return fmt.Errorf("%.100q has 5 fields, not 6 or 7: the first one is the second, write 0 there", expression)
	}
	return fmt.Errorf("%.100q has %d fields, not %s", expression, n, want)
}

// String returns the expression as it was written.
func (s Schedule) String() string { return s.text }

// Next returns the first scheduled time later than after, in UTC; false if there is none.
// The last year is 2099, as in Quartz's manual.
func (s Schedule) Next(after time.Time) (time.Time, bool) {
	if before := time.Unix(firstSecond-1, 0); after.Before(before) {
		after = before
	}
	if !after.Before(time.Unix(lastSecond, 0)) {
		return time.Time{}, false
	}
	from := time.Unix(after.Unix()+1, 0).UTC()
	today := date{from.Year(), int(from.Month()), from.Day()}
	day, ok := s.dayFrom(today)
	if !ok {
		return time.Time{}, false
	}
	var at clock
	if day == today {
		at.hour, at.minute, at.second = from.Clock()
	}
	if at, ok = s.clockFrom(at); !ok { // no more today, and so the first time of another day
		if day, ok = s.dayFrom(date{day.year, day.month, day.day + 1}); !ok {
			return time.Time{}, false
		}
		at, _ = s.clockFrom(clock{})
	}
	return time.Date(day.year, time.Month(day.month), day.day, at.hour, at.minute, at.second, 0, time.UTC), true
}

// Last returns the latest scheduled time later than after and not later than until, in UTC; false
// if there is none.
//
// It bisects the interval that contains that time: some 32 calls of
// [Schedule.Next] for the complete range of years, 10 µs, or 0.2 ms for a day that occurs every 28 years; see
// BenchmarkLast.
func (s Schedule) Last(after, until time.Time) (time.Time, bool) {
	last, ok := s.Next(after)
	if !ok || last.After(until) {
		return time.Time{}, false
	}
	low, high := last.Unix(), int64(lastSecond) // low is a scheduled time, and after high there is none
	if until.Before(time.Unix(high, 0)) {
		high = until.Unix()
	}
	for low < high {
		middle := low + (high-low)/2
		if next, ok := s.Next(time.Unix(middle, 0)); ok && next.Unix() <= high {
			low = next.Unix()
		} else {
			high = middle
		}
	}
	return time.Unix(low, 0).UTC(), true
}

// date is a day; past the end of its month or year, it means the next one.
type date struct{ year, month, day int }

// dayFrom returns the first day of the schedule that is d or later.
func (s *Schedule) dayFrom(d date) (date, bool) {
	for {
		year, ok := s.years.from(d.year - firstYear)
		if !ok {
			return date{}, false
		}
		if year += firstYear; year != d.year {
			d = date{year, 1, 1}
		}
		month, ok := s.months.from(d.month)
		if !ok {
			d = date{year + 1, 1, 1}
			continue
		}
		if month != d.month {
			d = date{year, month, 1}
		}
		days := s.days.in(year, time.Month(month))
		if day, ok := days.from(d.day); ok {
			return date{year, month, day}, true
		}
		d = date{year, month + 1, 1}
	}
}

// clock is a time of day.
type clock struct{ hour, minute, second int }

// clockFrom returns the first time of day of the schedule that is c or later.
func (s *Schedule) clockFrom(c clock) (clock, bool) {
	minute0, _ := s.minutes.from(0)
	second0, _ := s.seconds.from(0)
	if s.hours.has(c.hour) {
		if second, ok := s.seconds.from(c.second); ok && s.minutes.has(c.minute) {
			return clock{c.hour, c.minute, second}, true
		}
		if minute, ok := s.minutes.from(c.minute + 1); ok {
			return clock{c.hour, minute, second0}, true
		}
	}
	hour, ok := s.hours.from(c.hour + 1)
	return clock{hour, minute0, second0}, ok
}
