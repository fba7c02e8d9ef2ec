// Package rules decides by the basic sync rules of the connector protocol which documents are kept.
//
// It is pure: a rule never fails while documents flow. A comparison of incompatible values,
// such as less-than between a text and a number, does not match, and null matches nothing, like a
// missing field.
package rules

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// Rule is one basic sync rule, in the protocol's words.
type Rule struct {
	ID     string
	Policy string // include or exclude
	Field  string // a top-level field, or a dotted path into objects, see [document.Document.Lookup]
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

// Default is the id of the protocol's rule that includes everything. It decides nothing.
const Default = "DEFAULT"

// Check reports an error in a single rule; the default rule is always valid. The text does
// not name the rule.
func Check(r Rule) error {
	if r.ID == Default {
		return nil
	}
	_, err := compile(r)
	return err
}

// New checks and compiles rules; it reports every invalid rule, and rules that differ only
// in their policy. The default rule may be among them.
func New(list []Rule) (*Set, error) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Rule) int { return cmp.Compare(a.Order, b.Order) })
	var errs []error
	set := &Set{}
	seen := map[[2]string]string{}
	for _, r := range list {
		if r.ID == Default {
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
	v, o := r.Value, newOperand(r.Value)
	switch strings.ToLower(r.Rule) {
	case "equals":
		c.match = func(d document.Value) bool { return compare(d, &o) == equal }
	case "<":
		c.match = func(d document.Value) bool { return compare(d, &o) == less }
	case ">":
		c.match = func(d document.Value) bool { return compare(d, &o) == greater }
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
		if _, err := regexp.Compile(v); err != nil { // as typed: a|b)( must not fit into our parentheses
			return c, fmt.Errorf("value: %w", err)
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
// that matches none is kept. Fields have the names and the kinds that they have in the index.
func (s *Set) Keep(doc *document.Document) bool {
	if s == nil {
		return true
	}
	for i := range s.rules {
		r := &s.rules[i]
		v, ok := doc.Lookup(r.field)
		if !ok {
			continue
		}
		if v = plain(v); !v.IsNull() && r.match(v) {
			return r.include
		}
	}
	return true
}
