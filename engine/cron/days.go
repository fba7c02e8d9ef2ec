package cron

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// days are the scheduled days of a month: those in both day fields, one of which contains
// every day.
type days struct {
	dates   set // days, counted from the first, which is 1
	ends    set // days, counted from the last, which is 0
	near    set // dates whose nearest weekday is scheduled
	nearEnd set // ends whose nearest weekday is scheduled

	weekdays set // 1 is Sunday
	nth      int // which of these weekdays in the month: the first is 1; 0: all of them
}

// lastInMonth as nth is the last one, whether the fourth or the fifth.
const lastInMonth = 6

// maxBack is the greatest n of L-n: in a month of 31 days it is the first.
const maxBack = 30

func parseDays(ofMonth, ofWeek string) (days, error) {
	switch {
	case ofMonth == "?" && ofWeek == "?":
		return days{}, errors.New("day-of-month and day-of-week: both are ?; write * in one of them for every day")
	case !everyDay(ofMonth) && !everyDay(ofWeek):
		return days{}, fmt.Errorf("day-of-month and day-of-week: %.40q and %.40q cannot both restrict the days; write ? in one of them",
			ofMonth, ofWeek)
	}
	if ofMonth == "?" {
		ofMonth = "*"
	}
	if ofWeek == "?" {
		ofWeek = "*"
	}
	var d days
	for item := range strings.SplitSeq(ofMonth, ",") {
		if err := d.addOfMonth(item); err != nil {
			return days{}, fmt.Errorf("day-of-month: %w", err)
		}
	}
	if err := d.setOfWeek(ofWeek); err != nil {
		return days{}, fmt.Errorf("day-of-week: %w", err)
	}
	return d, nil
}

func everyDay(text string) bool { return text == "*" || text == "?" }

// addOfMonth adds one item of the list of days of the month.
func (d *days) addOfMonth(item string) error {
	text, near := strings.CutSuffix(strings.ToUpper(item), "W")
	dates, ends := &d.dates, &d.ends
	if near {
		dates, ends = &d.near, &d.nearEnd
	}
	if text == "L" {
		ends.add(0)
		return nil
	}
	if back, ok := strings.CutPrefix(text, "L-"); ok {
		n, err := number(back, 0, maxBack)
		if err != nil {
			return fmt.Errorf("the number after L- of %.40q: %w", item, err)
		}
		ends.add(n)
		return nil
	}
	if !near {
		err := fields[dayOfMonth].add(dates, item)
		if err != nil && strings.Contains(text, "L") {
			return fmt.Errorf("%.40q is not a form of L; write L, L-3, LW or L-3W", item)
		}
		return err
	}
	n, err := fields[dayOfMonth].value(text)
	if err != nil {
		return fmt.Errorf("%.40q is not one day and W: %w", item, err)
	}
	dates.add(n)
	return nil
}

// setOfWeek reads the complete field of days of the week.
func (d *days) setOfWeek(list string) error {
	f := &fields[dayOfWeek]
	upper := strings.ToUpper(list)
	name, nth, numbered := strings.Cut(upper, "#")
	switch {
	case strings.Contains(upper, ",") && strings.ContainsAny(upper, "#L"):
		return fmt.Errorf("%.40q: L and # must be alone, not in a list", list)
	case upper == "L":
		name = "SAT"
	case strings.HasSuffix(upper, "L"):
		name = strings.TrimSuffix(upper, "L")
		d.nth = lastInMonth
	case numbered:
		var err error
		if d.nth, err = number(nth, 1, 5); err != nil {
			return fmt.Errorf("the number after # of %.40q: %w", list, err)
		}
	default:
		return f.parse(&d.weekdays, list)
	}
	day, err := f.value(name)
	if err != nil {
		return fmt.Errorf("%.40q is not one day and L or #: %w", list, err)
	}
	d.weekdays.add(day)
	return nil
}

// in returns the days of a month.
func (d *days) in(year int, month time.Month) set {
	first := int(time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Weekday())
	length := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	weekday := func(date int) time.Weekday { return time.Weekday((first + date - 1) % 7) }
	var dates set
	for date := 1; date <= length; date++ {
		if d.dates.has(date) || d.ends.has(length-date) {
			dates.add(date)
		}
		if d.near.has(date) || d.nearEnd.has(length-date) {
			dates.add(nearest(date, length, weekday(date)))
		}
	}
	var both set
	for date, ok := dates.from(1); ok; date, ok = dates.from(date + 1) {
		if d.weekdays.has(int(weekday(date))+1) && d.isNth(date, length) {
			both.add(date)
		}
	}
	return both
}

// isNth reports whether a date is the nth of its weekday in a month of that length.
func (d *days) isNth(date, length int) bool {
	switch d.nth {
	case 0:
		return true
	case lastInMonth:
		return date+7 > length
	}
	return (date-1)/7+1 == d.nth
}

// nearest returns the date of the nearest day from Monday to Friday in the same month.
func nearest(date, length int, weekday time.Weekday) int {
	switch {
	case weekday == time.Saturday && date == 1:
		return date + 2
	case weekday == time.Saturday:
		return date - 1
	case weekday == time.Sunday && date == length:
		return date - 2
	case weekday == time.Sunday:
		return date + 1
	}
	return date
}
