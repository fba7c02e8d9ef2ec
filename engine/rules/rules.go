// Package rules decides by the basic sync rules of the connector protocol which documents are kept.
//
// It is pure: a rule never fails while documents flow. A comparison that makes no sense for a value,
// such as less-than between a text and a number, is no match.
package rules

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// Rule is one basic sync rule, in the protocol's words.
type Rule struct {
	ID     string
	Policy string // include or exclude
	Field  string // a top-level field, or a path into objects with dots
	Rule   string // equals, starts_with, ends_with, contains, regex, < or >
	Value  string
	Order  float64
}

// Set is a checked list of rules; the nil Set keeps everything.
type Set struct{ rules []compiled }

type compiled struct {
	include bool
	field   string
	match   func(document.Value) bool
}

// New checks and compiles rules; it reports every rule that is wrong. The protocol's DEFAULT rule,
// which includes everything, may be among them.
func New(list []Rule) (*Set, error) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Rule) int { return cmp.Compare(a.Order, b.Order) })
	var errs []error
	set := &Set{}
	seen := map[[2]string]string{}
	for _, r := range list {
		if r.ID == "DEFAULT" {
			continue
		}
		c, err := compile(r)
		if err == nil {
			pair := [2]string{r.Field + "\x00" + strings.ToLower(r.Rule), r.Value}
			if other, ok := seen[pair]; ok {
				err = fmt.Errorf("has the same field, rule and value as rule %q", other)
			}
			seen[pair] = r.ID
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %q: %w", r.ID, err))
			continue
		}
		set.rules = append(set.rules, c)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if len(set.rules) == 0 {
		return nil, nil
	}
	return set, nil
}

func compile(r Rule) (compiled, error) {
	c := compiled{field: r.Field}
	switch strings.ToLower(r.Policy) {
	case "include":
		c.include = true
	case "exclude":
	default:
		return c, fmt.Errorf("policy is %q, not include or exclude", r.Policy)
	}
	if r.ID == "" || r.Field == "" || r.Value == "" {
		return c, errors.New("id, field and value must not be empty")
	}
	v := r.Value
	switch strings.ToLower(r.Rule) {
	case "equals":
		c.match = func(d document.Value) bool { return compare(d, v) == equal }
	case "<":
		c.match = func(d document.Value) bool { return compare(d, v) == less }
	case ">":
		c.match = func(d document.Value) bool { return compare(d, v) == greater }
	case "starts_with":
		c.match = func(d document.Value) bool { return strings.HasPrefix(text(d), v) }
	case "ends_with":
		c.match = func(d document.Value) bool { return strings.HasSuffix(text(d), v) }
	case "contains":
		c.match = func(d document.Value) bool { return strings.Contains(text(d), v) }
	case "regex":
		if v == ".*" || v == "(.*)" {
			return c, errors.New("a regex that matches everything is not allowed")
		}
		re, err := regexp.Compile("^(?:" + v + ")") // the protocol anchors at the start only
		if err != nil {
			return c, fmt.Errorf("value: %w", err)
		}
		c.match = func(d document.Value) bool { return re.MatchString(text(d)) }
	default:
		return c, fmt.Errorf("rule is %q, not one of equals, starts_with, ends_with, contains, regex, < and >", r.Rule)
	}
	return c, nil
}

// Keep reports whether the document is kept: the first rule that matches decides, and a document
// that none matches is kept.
func (s *Set) Keep(doc *document.Document) bool {
	if s == nil {
		return true
	}
	for i := range s.rules {
		r := &s.rules[i]
		if v, ok := doc.Lookup(r.field); ok && r.match(v) {
			return r.include
		}
	}
	return true
}

type order uint8

const (
	incomparable order = iota
	less
	equal
	greater
)

// compare compares a document's value with a rule's text, read as the kind that the value has.
func compare(d document.Value, rule string) order {
	switch d.Kind() {
	case document.KindBool:
		b, ok := parseBool(rule)
		if !ok || b != d.Bool() {
			return incomparable
		}
		return equal
	case document.KindInt, document.KindUint, document.KindFloat, document.KindDecimal:
		a, err1 := strconv.ParseFloat(text(d), 64)
		b, err2 := strconv.ParseFloat(strings.TrimSpace(rule), 64)
		if err1 != nil || err2 != nil {
			return incomparable
		}
		return ordered(cmp.Compare(a, b))
	case document.KindTime:
		t, ok := parseTime(rule)
		if !ok {
			return incomparable
		}
		return ordered(d.Time().Compare(t))
	case document.KindNull, document.KindList, document.KindObject:
		return incomparable
	}
	return ordered(strings.Compare(text(d), rule))
}

func ordered(c int) order { return order(c + 2) }

func parseBool(s string) (v, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes", "y", "1", "on":
		return true, true
	case "false", "no", "n", "0", "off":
		return false, true
	}
	return false, false
}

func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// text is the value as the rules of text see it: strings as they are, everything else as in JSON.
func text(d document.Value) string {
	switch d.Kind() {
	case document.KindString, document.KindDecimal, document.KindRaw:
		return d.Text()
	}
	return strings.Trim(string(d.AppendJSON(nil)), `"`)
}
