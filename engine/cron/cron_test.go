package cron

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t testing.TB, expression string) Schedule {
	t.Helper()
	s, err := Parse(expression)
	if err != nil {
		t.Fatalf("Parse(%q): %v", expression, err)
	}
	return s
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestQuartz reads testdata/quartz.txt, which was not written by this program: it is the definition.
func TestQuartz(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/quartz.txt")
	if err != nil {
		t.Fatal(err)
	}
	var s Schedule
	var at time.Time
	cases := 0
	for i, line := range strings.Split(string(raw), "\n") {
		text := strings.TrimSpace(line)
		after, isAfter := strings.CutPrefix(text, "after ")
		switch {
		case text == "" || text[0] == '#':
		case line[0] != ' ':
			s = mustParse(t, line)
			if s.String() != line {
				t.Errorf("String() is %q, want %q", s, line)
			}
		case isAfter:
			at = instant(t, after)
			cases++
		default:
			next, ok := s.Next(at)
			if got := next.Format(time.RFC3339Nano); ok && got != text || ok == (text == "end") {
				t.Errorf("line %d: %q after %s: got %s, %t", i+1, s, at.Format(time.RFC3339), got, ok)
			}
			at = next
		}
	}
	if cases < 60 {
		t.Errorf("only %d cases were read", cases)
	}
}

func TestParseReadsTheSame(t *testing.T) {
	t.Parallel()
	tests := []struct{ rule, expression, same string }{
		{"blanks around and between do not count", " \t0  0\t12 * *\n? ", "0 0 12 * * ?"},
		{"the year may be left out", "0 0 12 * * ?", "0 0 12 * * ? *"},
		{"letter case does not count", "0 0 0 lw jan ? 2030", "0 0 0 LW JAN ? 2030"},
		{"nor in l-n and nw", "0 0 0 l-3w,15w * ?", "0 0 0 L-3W,15W * ?"},
		{"nor in the day of the week", "0 0 0 ? * fri-Mon", "0 0 0 ? * FRI-MON"},
		{"nor in nl", "0 0 0 ? * fril", "0 0 0 ? * 6L"},
		{"nor in l", "0 0 0 ? * l", "0 0 0 ? * SAT"},
		{"days of the week begin with Sunday as 1", "0 0 0 ? * 1,2,3,4,5,6,7", "0 0 0 ? * SUN,MON,TUE,WED,THU,FRI,SAT"},
		{"numeric ranges of them begin there, too", "0 0 0 ? * 2-6", "0 0 0 ? * MON-FRI"},
		{"and n#k", "0 0 0 ? * 6#3", "0 0 0 ? * FRI#3"},
		{"months begin with January as 1", "0 0 0 1 1,6,12 ?", "0 0 0 1 JAN,JUN,DEC ?"},
		{"a name and a number make a range", "0 0 0 1 JAN-3 ?", "0 0 0 1 1-3 ?"},
		{"order and repetition in a list do not count", "0 30,5,30,1-3,2 * * * ?", "0 1,2,3,5,30 * * * ?"},
		{"leading zeros do not count", "00 05 007 * * ?", "0 5 7 * * ?"},
		{"* in a list is every value", "0 5,* * * * ?", "0 * * * * ?"},
		{"a step from * begins with the first value", "*/20 0 0 */10 */4 ?", "0,20,40 0 0 1,11,21,31 1,5,9 ?"},
		{"a step from nothing is one from *", "/20 0 0 /10 /4 ?", "*/20 0 0 */10 */4 ?"},
		{"a step from a value continues to the end", "5/15 0 20/2 25/3 10/1 ?", "5,20,35,50 0 20,22 25,28,31 10,11,12 ?"},
		{"a step from a range ends with it", "10-40/10 0 0 1 1 ?", "10,20,30,40 0 0 1 1 ?"},
		{"a step may be longer than the range", "0 1-3/50 0 1 1 ?", "0 1 0 1 1 ?"},
		{"a step from a name", "0 0 0 ? JAN/6 MON/2", "0 0 0 ? 1,7 2,4,6"},
		{"a step may be as long as the field", "59/59 59/59 0/23 1/31 1/12 ? 1970/129", "59 59 0,23 1 1 ? 1970,2099"},
		{"days of the week, too", "0 0 0 ? * 1/7", "0 0 0 ? * 1"},
		{"steps in a list", "0 0/20,5-9/2 * * * ?", "0 0,5,7,9,20,40 * * * ?"},
		{"a range of one value", "0 7-7 * * * ?", "0 7 * * * ?"},
		{"a range that wraps: seconds and minutes", "58-1 59-0 * * * ?", "58,59,0,1 59,0 * * * ?"},
		{"a range that wraps: hours", "0 0 22-2 * * ?", "0 0 22,23,0,1,2 * * ?"},
		{"a range that wraps: days", "0 0 0 30-2 * ?", "0 0 0 30,31,1,2 * ?"},
		{"a range that wraps: months", "0 0 0 1 NOV-FEB ?", "0 0 0 1 11,12,1,2 ?"},
		{"a range that wraps: days of the week", "0 0 0 ? * FRI-MON", "0 0 0 ? * 6,7,1,2"},
		{"a step keeps its rhythm where the range wraps", "0 0 22-5/2 ? * 6-3/2", "0 0 22,0,2,4 ? * 6,1,3"},
		{"years as list, range and step", "0 0 0 1 1 ? 2030-2032,2040,2090/4", "0 0 0 1 1 ? 2030,2031,2032,2040,2090,2094,2098"},
		{"L-0 is L", "0 0 0 L-0 * ?", "0 0 0 L * ?"},
		{"* in both day fields is every day", "1 * * * * *", "1 * * * * ?"},
		{"? may be the day of the month", "0 0 0 ? * *", "0 0 0 * * ?"},
		{"* beside a day of the week is ?", "0 0 0 * * MON", "0 0 0 ? * MON"},
		{"* beside a day of the month is ?", "0 0 0 1 * *", "0 0 0 1 * ?"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, want := mustParse(t, tt.expression), mustParse(t, tt.same)
			got.text, want.text = "", ""
			if d := cmp.Diff(want, got, cmp.AllowUnexported(Schedule{}, days{})); d != "" {
				t.Errorf("%q is not %q:\n%s", tt.expression, tt.same, d)
			}
		})
	}
}

// Kibana shows these texts to people.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const both = "cannot both restrict the days; write ? in one of them"
	tests := []struct{ expression, want string }{
		{"", `"" has 0 fields, not 6 or 7: second minute hour day-of-month month day-of-week [year]`},
		{"0 0 12 * * ? * *", `"0 0 12 * * ? * *" has 8 fields, not 6 or 7: second minute hour day-of-month month day-of-week [year]`},
		{"0 12 * * *", `"0 12 * * *" has 5 fields, not 6 or 7: the first one is the second, write 0 there`},
		{"@daily", `"@daily" has 1 field, not 6 or 7: second minute hour day-of-month month day-of-week [year]`},
		{strings.Repeat(" ", 1001), "has 1001 bytes, more than 1000"},

		{"0 61 * * * ?", `minute: "61" is not between 0 and 59`},
		{"60 * * * * ?", `second: "60" is not between 0 and 59`},
		{"0 0 24 * * ?", `hour: "24" is not between 0 and 23`},
		{"0 0 0 0 * ?", `day-of-month: "0" is not between 1 and 31`},
		{"0 0 0 32,5 * ?", `day-of-month: "32" is not between 1 and 31`},
		{"0 0 0 1 13 ?", `month: "13" is not between 1 and 12, nor one of JAN, FEB, MAR, APR, MAY, JUN, JUL, AUG, SEP, OCT, NOV, DEC`},
		{"0 0 0 ? * 0", `day-of-week: "0" is not between 1 and 7, nor one of SUN, MON, TUE, WED, THU, FRI, SAT`},
		{"0 0 0 ? * 8", `day-of-week: "8" is not between 1 and 7, nor one of SUN, MON, TUE, WED, THU, FRI, SAT`},
		{"0 0 0 ? * MONDAY", `day-of-week: "MONDAY" is not between 1 and 7, nor one of SUN, MON, TUE, WED, THU, FRI, SAT`},
		{"0 0 0 1 1 ? 1969", `year: "1969" is not between 1970 and 2099`},
		{"0 0 0 1 1 ? 2100", `year: "2100" is not between 1970 and 2099`},
		{"0 0 0 1 1 ? 2030-2028", `year: "2030-2028" ends before it begins`},
		{"0 +5 * * * ?", `minute: "+5" is not between 0 and 59`},
		{"0 99999999999999999999 * * * ?", `minute: "99999999999999999999" is not between 0 and 59`},
		{"0 4294967301 * * * ?", `minute: "4294967301" is not between 0 and 59`},
		{"0 1.5 * * * ?", `minute: "1.5" is not between 0 and 59`},
		{"0 \xff * * * ?", `minute: "\xff" is not between 0 and 59`},
		{"0 " + strings.Repeat("7", 60) + " * * * ?", `minute: "` + strings.Repeat("7", 40) + `" is not between 0 and 59`},
		{"0 JAN * * * ?", `minute: "JAN" is not between 0 and 59`},
		{"0 L * * * ?", `minute: "L" is not between 0 and 59`},

		{"0 1,,2 * * * ?", "minute: an item of the list is empty"},
		{"0 1, 2 * * ?", "minute: an item of the list is empty"},
		{"0 1- * * * ?", `minute: "" is not between 0 and 59`},
		{"0 -5 * * * ?", `minute: "" is not between 0 and 59`},
		{"0 1-2-3 * * * ?", `minute: "2-3" is not between 0 and 59`},
		{"0 *-5 * * * ?", `minute: "*" is not between 0 and 59`},
		{"0 ** * * * ?", `minute: "**" is not between 0 and 59`},
		{"? * * * * ?", "second: ? is only for one of the day fields, and must be alone; write * for every value"},
		{"* * * * ? *", "month: ? is only for one of the day fields, and must be alone; write * for every value"},
		{"0 0 0 1,? * *", "day-of-month: ? is only for one of the day fields, and must be alone; write * for every value"},

		{"0 0/60 * * * ?", `minute: the step of "0/60": "60" is not between 1 and 59`},
		{"0/60 * * * * ?", `second: the step of "0/60": "60" is not between 1 and 59`},
		{"0 0 0/24 * * ?", `hour: the step of "0/24": "24" is not between 1 and 23`},
		{"0 0 0 1/32 * ?", `day-of-month: the step of "1/32": "32" is not between 1 and 31`},
		{"0 0 0 1 1/13 ?", `month: the step of "1/13": "13" is not between 1 and 12`},
		{"0 0 0 ? * 1/8", `day-of-week: the step of "1/8": "8" is not between 1 and 7`},
		{"0 0 0 1 1 ? 2000/130", `year: the step of "2000/130": "130" is not between 1 and 129`},
		{"0 */0 * * * ?", `minute: the step of "*/0": "0" is not between 1 and 59`},
		{"0 0/ * * * ?", `minute: the step of "0/": "" is not between 1 and 59`},
		{"0 0/5/5 * * * ?", `minute: the step of "0/5/5": "5/5" is not between 1 and 59`},
		{"0 ?/5 * * * ?", "minute: ? is only for one of the day fields, and must be alone; write * for every value"},

		{"0 0 0 L-31 * ?", `day-of-month: the number after L- of "L-31": "31" is not between 0 and 30`},
		{"0 0 0 L3 * ?", `day-of-month: "L3" is not a form of L; write L, L-3, LW or L-3W`},
		{"0 0 0 LW-3 * ?", `day-of-month: "LW-3" is not a form of L; write L, L-3, LW or L-3W`},
		{"0 0 0 L- * ?", `day-of-month: the number after L- of "L-": "" is not between 0 and 30`},
		{"0 0 0 6L * ?", `day-of-month: "6L" is not a form of L; write L, L-3, LW or L-3W`},
		{"0 0 0 32W * ?", `day-of-month: "32W" is not one day and W: "32" is not between 1 and 31`},
		{"0 0 0 1-5W * ?", `day-of-month: "1-5W" is not one day and W: "1-5" is not between 1 and 31`},
		{"0 0 0 W * ?", `day-of-month: "W" is not one day and W: "" is not between 1 and 31`},
		{"0 0 0 6#3 * ?", `day-of-month: "6#3" is not between 1 and 31`},

		{"0 0 0 ? * 6#6", `day-of-week: the number after # of "6#6": "6" is not between 1 and 5`},
		{"0 0 0 ? * 6#0", `day-of-week: the number after # of "6#0": "0" is not between 1 and 5`},
		{"0 0 0 ? * 6#", `day-of-week: the number after # of "6#": "" is not between 1 and 5`},
		{"0 0 0 ? * 3#1,6#3", `day-of-week: "3#1,6#3": L and # must be alone, not in a list`},
		{"0 0 0 ? * SAT,L", `day-of-week: "SAT,L": L and # must be alone, not in a list`},
		{"0 0 0 ? * 2-6L", `day-of-week: "2-6L" is not one day and L or #: "2-6" is not between 1 and 7, nor one of SUN, MON, TUE, WED, THU, FRI, SAT`},
		{"0 0 0 ? * 15W", `day-of-week: "15W" is not between 1 and 7, nor one of SUN, MON, TUE, WED, THU, FRI, SAT`},

		{"0 0 0 15 * MON", `day-of-month and day-of-week: "15" and "MON" ` + both},
		{"0 0 0 1-31 * MON", `day-of-month and day-of-week: "1-31" and "MON" ` + both},
		{"0 0 0 ? * ?", "day-of-month and day-of-week: both are ?; write * in one of them for every day"},
	}
	for _, tt := range tests {
		s, err := Parse(tt.expression)
		if got := fmt.Sprint(err); got != tt.want {
			t.Errorf("Parse(%q):\n got %s\nwant %s", tt.expression, got, tt.want)
		}
		if s != (Schedule{}) {
			t.Errorf("Parse(%q): a schedule comes with the error", tt.expression)
		}
	}
}

func TestParseRefusesDatesThatNeverCome(t *testing.T) {
	t.Parallel()
	for _, days := range []string{
		"31 2 ?", "30 2 ?", "30,31 FEB ?", "31 4 ?", "31 6,9,NOV ?", "30W 2 ?", "31W 4 ?", "L-29 2 ?", "L-30 2,4,6 ?",
		"29 2 ? 2027", "29 2 ? 2025-2027", "31 2/12 ?", "? 2 SUN#5 2027",
	} {
		expression := "0 0 0 " + days
		want := fmt.Sprintf("%q has no scheduled time: none of its months and years has such a day", expression)
		if _, err := Parse(expression); fmt.Sprint(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, days := range []string{"29 2 ?", "L-28 2 ?", "30,31 1-3 ?", "31 4,5 ?", "29 2 ? 2028", "? 2 SUN#5", "29W 2 ?"} {
		mustParse(t, "0 0 0 "+days)
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	tests := []struct{ rule, expression, after, want string }{
		{"an instant does not follow itself", "0 0 12 * * ?", "2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z"},
		{"a nanosecond before it is enough", "0 0 12 * * ?", "2026-01-01T11:59:59.999999999Z", "2026-01-01T12:00:00Z"},
		{"instants are whole seconds", "* * * * * ?", "2026-01-01T12:00:00.5Z", "2026-01-01T12:00:01Z"},
		{"expressions are in UTC, wherever the time was taken", "0 0 12 * * ?", "2026-01-01T13:59:00+02:00", "2026-01-01T12:00:00Z"},
		{"the day is that of UTC as well", "0 0 0 1 1 ?", "2026-01-01T01:00:00+02:00", "2026-01-01T00:00:00Z"},
		{"the first instant is in 1970", "* * * * * ?", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
		{"the last instant is in 2099", "* * * * * ?", "2099-12-31T23:59:58Z", "2099-12-31T23:59:59Z"},
		{"then there is none", "* * * * * ?", "2099-12-31T23:59:59Z", ""},
		{"nor later", "* * * * * ?", "9999-12-31T23:59:59Z", ""},
		{"nor after the years that are listed", "0 0 0 1 1 ? 2020-2025", "2026-01-01T00:00:00Z", ""},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			next, ok := mustParse(t, tt.expression).Next(instant(t, tt.after))
			if got := shown(next, ok); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLast(t *testing.T) {
	t.Parallel()
	tests := []struct{ rule, expression, after, until, want string }{
		{"the end of the window belongs to it", "0 0 12 * * ?", "2026-01-01T00:00:00Z", "2026-01-03T12:00:00Z", "2026-01-03T12:00:00Z"},
		{"the beginning does not", "0 0 12 * * ?", "2026-01-01T12:00:00Z", "2026-01-02T11:59:59.999999999Z", ""},
		{"the latest of many", "0 0/5 * * * ?", "2026-01-01T00:00:00Z", "2026-03-01T00:07:00Z", "2026-03-01T00:05:00Z"},
		{"of every second in a month", "* * * * * ?", "2026-01-01T00:00:00Z", "2026-01-31T17:03:21.9Z", "2026-01-31T17:03:21Z"},
		{"of one a year", "0 0 0 1 1 ?", "1970-01-01T00:00:00Z", "2026-12-31T00:00:00Z", "2026-01-01T00:00:00Z"},
		{"the only one", "0 0 0 29 2 ?", "2027-01-01T00:00:00Z", "2032-02-28T23:59:59Z", "2028-02-29T00:00:00Z"},
		{"none in the window", "0 0 0 29 2 ?", "2028-02-29T00:00:00Z", "2032-02-28T23:59:59Z", ""},
		{"an empty window", "* * * * * ?", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", ""},
		{"a window that ends before it begins", "* * * * * ?", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", ""},
		{"a window within a second", "* * * * * ?", "2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.9Z", ""},
		{"all times", "* * * * * ?", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "2099-12-31T23:59:59Z"},
		{"the years that are listed", "0 0 0 1 1 ? 2020-2025", "2019-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "2025-01-01T00:00:00Z"},
		{"a window in another zone", "0 0 12 * * ?", "2026-01-01T00:00:00Z", "2026-01-01T14:00:00+02:00", "2026-01-01T12:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			last, ok := mustParse(t, tt.expression).Last(instant(t, tt.after), instant(t, tt.until))
			if got := shown(last, ok); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// shown is "" for no instant, which then has to be the zero time.
func shown(at time.Time, ok bool) string {
	if !ok && at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339Nano)
}

func TestZeroScheduleHasNoInstant(t *testing.T) {
	t.Parallel()
	var s Schedule
	if next, ok := s.Next(time.Time{}); ok {
		t.Errorf("Next returned %s", next)
	}
	if last, ok := s.Last(time.Time{}, instant(t, "2100-01-01T00:00:00Z")); ok {
		t.Errorf("Last returned %s", last)
	}
}

// The ends of what a time can hold must neither panic nor wrap around.
func TestTimesOfAnyYear(t *testing.T) {
	t.Parallel()
	s := mustParse(t, "0 0 0 ? 2 7#5")
	latest := time.Unix(math.MaxInt64-62135596800, 999_999_999)
	earliest := time.Unix(math.MinInt64+62135596800, 0)
	if next, ok := s.Next(earliest); !ok || next.Year() != 1992 {
		t.Errorf("after the earliest time: got %s, %t", next, ok)
	}
	const year = 31_556_952                                                      // seconds
	for _, late := range []time.Time{latest, time.Unix(3_000_000_000*year, 0)} { // the second is negative in 32 bits
		if next, ok := s.Next(late); ok {
			t.Errorf("after a late time: got %s", next)
		}
	}
	if last, ok := s.Last(earliest, latest); !ok || last.Year() != 2076 {
		t.Errorf("of all times: got %s, %t", last, ok)
	}
}

// Where a search tries every second or every day, one of these takes minutes.
func TestNoScheduleTakesLong(t *testing.T) {
	t.Parallel()
	start := time.Now()
	begin, end := time.Unix(0, 0), instant(t, "2099-12-31T23:59:59Z")
	for _, expression := range []string{
		"* * * * * ?", "59 59 23 31 12 ? 2099", "0 0 0 29 2 ? 2096", "0 0 0 ? 2 7#5", "0 0 0 29 2 ? 1972",
		strings.Repeat("0/1,", 200) + "0 * * * * ?", "0 0 0 " + strings.Repeat("31W,", 200) + "L-30W * ?",
	} {
		s := mustParse(t, expression)
		for range 100 {
			if _, ok := s.Last(begin, end); !ok {
				t.Errorf("%.30q: no instant", expression)
			}
			s.Next(end.AddDate(-1, 0, 0))
		}
	}
	if took := time.Since(start); took > 2*time.Minute {
		t.Errorf("took %s", took)
	}
}

func BenchmarkNext(b *testing.B) {
	after := instant(b, "2026-01-01T12:00:00Z")
	for _, expression := range []string{"* * * * * ?", "0 0 0 * * ?", "0 0 0 LW * ?", "0 0 0 1 1 ?", "0 0 0 ? 2 7#5"} {
		b.Run(expression, func(b *testing.B) {
			s := mustParse(b, expression)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := s.Next(after); !ok {
					b.Fatal("no instant")
				}
			}
		})
	}
}

func BenchmarkLast(b *testing.B) {
	tests := []struct{ name, expression, after string }{
		{"every second in a month", "* * * * * ?", "2026-01-01T00:00:00Z"},
		{"yearly in all years", "0 0 0 1 1 ?", "1970-01-01T00:00:00Z"},
		{"rarely in all years", "0 0 0 ? 2 7#5", "1970-01-01T00:00:00Z"},
	}
	for _, tt := range tests {
		b.Run(tt.name, func(b *testing.B) {
			s := mustParse(b, tt.expression)
			after, until := instant(b, tt.after), instant(b, "2026-01-31T12:34:56Z")
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := s.Last(after, until); !ok {
					b.Fatal("no instant")
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		mustParse(b, "0 0/15 8-18 ? * MON-FRI")
	}
}
