package cron

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// The years of Quartz's manual, and their first and last second in Unix time.
const (
	firstYear   = 1970
	lastYear    = 2099
	firstSecond = 0
	lastSecond  = 4102444800 - 1
)

// field is one of the fields of an expression, with its name and its values.
type field struct {
	name     string
	min, max int
	maxStep  int // as in Quartz, so that 0/90, which is not every 90 minutes, is refused
	origin   int // the value that is 0 in the set
	names    []string
}

// The positions of the day fields, which are read together.
const (
	dayOfMonth = 3
	dayOfWeek  = 5
)

var fields = [...]field{
	{name: "second", max: 59, maxStep: 59},
	{name: "minute", max: 59, maxStep: 59},
	{name: "hour", max: 23, maxStep: 23},
	{name: "day-of-month", min: 1, max: 31, maxStep: 31},
	{name: "month", min: 1, max: 12, maxStep: 12, names: []string{
		"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
	}},
	{name: "day-of-week", min: 1, max: 7, maxStep: 7, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
	{name: "year", min: firstYear, max: lastYear, maxStep: lastYear - firstYear, origin: firstYear},
}

// parse adds the values of a list.
func (f *field) parse(to *set, list string) error {
	for item := range strings.SplitSeq(list, ",") {
		if err := f.add(to, item); err != nil {
			return err
		}
	}
	return nil
}

// add adds the values of one item of a list.
func (f *field) add(to *set, item string) error {
	text, step, stepped := strings.Cut(item, "/")
	first, last, err := f.span(text, stepped)
	if err != nil {
		return err
	}
	by := 1
	if stepped {
		if by, err = number(step, 1, f.maxStep); err != nil {
			return fmt.Errorf("the step of %.40q: %w", item, err)
		}
	}
	size := f.max - f.min + 1
	if last < first {
		if f.origin != 0 {
			return fmt.Errorf("%.40q ends before it begins", item)
		}
		last += size
	}
	for v := first; v <= last; v += by {
		to.add((v-f.min)%size + f.min - f.origin)
	}
	return nil
}

// span reads a value, a range or *, and returns its first and its last value; the last one is smaller
// if the range wraps.
func (f *field) span(text string, stepped bool) (first, last int, err error) {
	from, to, ranged := strings.Cut(text, "-")
	switch {
	case text == "*", text == "" && stepped:
		return f.min, f.max, nil
	case text == "":
		return 0, 0, errors.New("an item of the list is empty")
	case text == "?":
		return 0, 0, errors.New("? is only for one of the day fields, and must be alone; write * for every value")
	}
	if first, err = f.value(from); err != nil || !ranged && !stepped {
		return first, first, err
	}
	if !ranged {
		return first, f.max, nil
	}
	last, err = f.value(to)
	return first, last, err
}

// value reads one value: a number or a name.
func (f *field) value(text string) (int, error) {
	if i := slices.Index(f.names, strings.ToUpper(text)); i >= 0 {
		return f.min + i, nil
	}
	v, err := number(text, f.min, f.max)
	if err != nil && f.names != nil {
		return 0, fmt.Errorf("%w, nor one of %s", err, strings.Join(f.names, ", "))
	}
	return v, err
}

// number reads digits; there is no sign.
func number(text string, low, high int) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if v := int(n); err == nil && v >= low && v <= high {
		return v, nil
	}
	return 0, fmt.Errorf("%.40q is not between %d and %d", text, low, high)
}

// set is a set of small numbers, up to 191: enough for the years.
type set [3]uint64

func (s *set) add(n int) { s[n/64] |= 1 << (n % 64) }

func (s *set) has(n int) bool { return s[n/64]>>(n%64)&1 != 0 }

// from returns the smallest number of the set that is n or greater.
func (s *set) from(n int) (int, bool) {
	for n < len(s)*64 {
		if rest := s[n/64] >> (n % 64); rest != 0 {
			return n + bits.TrailingZeros64(rest), true
		}
		n = (n/64 + 1) * 64
	}
	return 0, false
}
