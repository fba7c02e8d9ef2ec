package cron

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzSchedule holds [Schedule.Next] and [Schedule.Last] against a matcher that looks at one instant
// only and shares no code with the package.
func FuzzSchedule(f *testing.F) {
	raw, err := os.ReadFile("testdata/quartz.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if line[0] != '#' && line[0] != ' ' && line[0] != '\n' {
			f.Add(strings.TrimSpace(line), int64(1_767_268_800), uint32(90_000))
		}
	}
	for _, expression := range []string{
		"0 0 0 31 2 ?", "0 0 0 30,31 2,4/2 ?", "0 0 0 ? 2 1#5 2000-2048/4", "58-3/2 59-0 23-1 28-3 12-2 ?", "* * * * * ? 2099",
		"0 0 0 L-28,31W 2 ?", "0 0 0 ? * 7-1/7", "/59 */59 0/23 1/31 1/12 ? 1970/129", "0 0 0 ſ * ?", "0 0 0 LWL * ?", "0 0 0 ? * #",
		"0 0 0 ? * L#1", "-- // ,, WW LL ##", strings.Repeat("*,", 400) + "* * * * * ?",
	} {
		f.Add(expression, int64(951_782_400), uint32(1))
		f.Add(expression, int64(4_102_444_799), uint32(4_000_000))
	}
	f.Fuzz(func(t *testing.T, expression string, second int64, window uint32) {
		s, err := Parse(expression)
		if err != nil {
			if s != (Schedule{}) || err.Error() == "" {
				t.Errorf("Parse(%q): a schedule, or no text, comes with the error %v", expression, err)
			}
			return
		}
		if again := mustParse(t, s.String()); again != s {
			t.Errorf("%q is another schedule when it is read again", expression)
		}
		if len(expression) > 200 {
			s.Next(time.Time{})
			return // the plain matcher is slow
		}
		after := time.Unix(second%4_200_000_000, second%1_000_000_000).UTC()
		checkNext(t, s, after)
		checkMonotone(t, s, after, time.Duration(window)*time.Second)
		checkLast(t, s, after, time.Duration(window%200_000)*time.Second)
	})
}

// checkNext looks for an instant that was passed over, and at the one that was returned.
func checkNext(t *testing.T, s Schedule, after time.Time) {
	t.Helper()
	words := strings.Fields(s.String())
	next, ok := s.Next(after)
	end := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	if ok {
		end = next
		if !next.After(after) || next.Location() != time.UTC || !matchesDay(words, next) || !matchesClock(words, next) {
			t.Errorf("%q: %s does not follow %s", s, next, after)
		}
	}
	at := after.Truncate(time.Second).Add(time.Second)
	for range 500 { // second by second
		if at.Before(end) && matchesDay(words, at) && matchesClock(words, at) {
			t.Fatalf("%q after %s: %s is passed over for %s, %t", s, after, at, next, ok)
		}
		at = at.Add(time.Second)
	}
	day := time.Date(after.Year(), after.Month(), after.Day()+1, 0, 0, 0, 0, time.UTC)
	for range 800 { // day by day: every schedule has an instant on each of its days
		if day.AddDate(0, 0, 1).Before(end) && matchesDay(words, day) {
			t.Fatalf("%q after %s: the day %s is passed over for %s, %t", s, after, day, next, ok)
		}
		day = day.AddDate(0, 0, 1)
	}
}

func checkMonotone(t *testing.T, s Schedule, after time.Time, window time.Duration) {
	t.Helper()
	next, ok := s.Next(after)
	later, okLater := s.Next(after.Add(window))
	if okLater && (!ok || later.Before(next)) {
		t.Errorf("%q: %s, %t follows %s, but %s follows %s later", s, next, ok, after, later, window)
	}
}

// checkLast steps through a window, which is made smaller where it has many instants.
func checkLast(t *testing.T, s Schedule, after time.Time, window time.Duration) {
	t.Helper()
	until := after.Add(window)
	var want time.Time
	at, found := after, false
	for n := 0; ; n++ {
		next, ok := s.Next(at)
		if !ok || next.After(until) {
			break
		}
		if n == 200 {
			until = next.Add(-time.Nanosecond)
			break
		}
		want, at, found = next, next, true
	}
	if got, ok := s.Last(after, until); ok != found || !got.Equal(want) {
		t.Errorf("%q in (%s, %s]: got %s, %t, want %s, %t", s, after, until, got, ok, want, found)
	}
}

// The plain matcher, for expressions that are known to be valid.

func matchesClock(words []string, at time.Time) bool {
	return matches(words[0], at.Second(), 0, 59, "") && matches(words[1], at.Minute(), 0, 59, "") && matches(words[2], at.Hour(), 0, 23, "")
}

func matchesDay(words []string, at time.Time) bool {
	if at.Year() < 1970 || at.Year() > 2099 || len(words) > 6 && !matches(words[6], at.Year(), 1970, 2099, "") {
		return false
	}
	return matches(words[4], int(at.Month()), 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC") &&
		matchesDate(words[3], at) && matchesWeekday(words[5], at)
}

// matches compares distances on the circle of values.
func matches(list string, v, low, high int, names string) bool {
	size := high - low + 1
	return slices.ContainsFunc(strings.Split(list, ","), func(item string) bool {
		span, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			step = plainValue(stepText, "", 0)
		}
		from, to, ranged := strings.Cut(span, "-")
		first, last := low, high
		if span != "*" && span != "?" && span != "" {
			first = plainValue(from, names, low)
			switch {
			case ranged:
				last = plainValue(to, names, low)
			case !stepped:
				last = first
			}
		}
		distance := (v - first + size) % size
		return distance <= (last-first+size)%size && distance%step == 0
	})
}

func plainValue(text, names string, low int) int {
	if i := strings.Index(names, strings.ToUpper(text)); i >= 0 && text != "" {
		return i/3 + low
	}
	n, _ := strconv.Atoi(text)
	return n
}

func matchesDate(list string, at time.Time) bool {
	return slices.ContainsFunc(strings.Split(strings.ToUpper(list), ","), func(item string) bool {
		text, near := strings.CutSuffix(item, "W")
		back, last := strings.CutPrefix(text, "L")
		if !near && !last {
			return matches(item, at.Day(), 1, 31, "")
		}
		target := time.Date(at.Year(), at.Month(), plainValue(text, "", 0), 0, 0, 0, 0, time.UTC)
		if last {
			target = time.Date(at.Year(), at.Month()+1, -plainValue(strings.TrimPrefix(back, "-"), "", 0), 0, 0, 0, 0, time.UTC)
		}
		switch {
		case target.Month() != at.Month():
			return false
		case near:
			return at.Day() == plainNearest(target)
		}
		return at.Day() == target.Day()
	})
}

// plainNearest tries the days around, nearer ones first: no two are equally near.
func plainNearest(target time.Time) int {
	for _, by := range []int{0, -1, 1, -2, 2} {
		day := target.AddDate(0, 0, by)
		if day.Month() == target.Month() && day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
			return day.Day()
		}
	}
	return 0
}

func matchesWeekday(list string, at time.Time) bool {
	const names = "SUNMONTUEWEDTHUFRISAT"
	day := int(at.Weekday()) + 1
	upper := strings.ToUpper(list)
	if upper == "L" {
		return at.Weekday() == time.Saturday
	}
	if name, ok := strings.CutSuffix(upper, "L"); ok {
		return plainValue(name, names, 1) == day && at.AddDate(0, 0, 7).Month() != at.Month()
	}
	if name, k, ok := strings.Cut(upper, "#"); ok {
		before := 7 * plainValue(k, "", 0) // this many days before is the month before, a week less is not
		return plainValue(name, names, 1) == day &&
			at.AddDate(0, 0, -before).Month() != at.Month() && at.AddDate(0, 0, 7-before).Month() == at.Month()
	}
	return matches(list, day, 1, 7, names)
}
