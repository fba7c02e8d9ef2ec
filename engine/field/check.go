package field

import (
	"errors"
	"fmt"
	"slices"
)

// Check reports every mistake in the specs of a source: names, labels and
// orders that are missing or repeated, invalid initial values and defaults,
// and dependencies or validations that cannot work. It is for the
// contract suite that every source runs.
func Check(specs []Spec) error {
	c := checker{names: map[string]string{}, labels: map[string]string{}, orders: map[int]string{}, specs: map[string]*Spec{}}
	for i := range specs {
		c.specs[specs[i].Name] = &specs[i]
	}
	for i := range specs {
		s := &specs[i]
		c.identity(s)
		c.shape(s)
		c.values(s)
		c.dependencies(s)
	}
	return errors.Join(c.errs...)
}

type checker struct {
	names, labels map[string]string
	orders        map[int]string
	specs         map[string]*Spec
	errs          []error
}

func (c *checker) fail(s *Spec, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("field %q %s", s.Name, fmt.Sprintf(format, args...)))
}

// identity checks required and unique properties.
func (c *checker) identity(s *Spec) {
	if s.Name == "" {
		c.fail(s, "has no name")
	}
	if s.Label == "" {
		c.fail(s, "has no label")
	}
	if other, taken := c.labels[s.Label]; taken && s.Label != "" {
		c.fail(s, "has the label %q, as %q has", s.Label, other)
	}
	if other, taken := c.orders[s.Order]; taken {
		c.fail(s, "has the order %d, as %q has", s.Order, other)
	}
	if _, taken := c.names[s.Name]; taken {
		c.fail(s, "is listed twice")
	}
	c.names[s.Name], c.labels[s.Label], c.orders[s.Order] = s.Name, s.Name, s.Name
}

// shape checks the type, the display and related properties.
func (c *checker) shape(s *Spec) {
	if !slices.Contains([]Type{Str, Int, Float, Bool, List}, s.kind()) {
		c.fail(s, "has the unknown type %q", s.Type)
	}
	if !slices.Contains([]string{"", Text, TextArea, Numeric, Toggle, Dropdown}, s.Display) {
		c.fail(s, "has the unknown display %q", s.Display)
	}
	if s.Display == Dropdown && len(s.Options) == 0 {
		c.fail(s, "is a dropdown without options")
	}
	if s.Default != nil && !s.Optional {
		c.fail(s, "is required, so its default is never used; use Value for an initial value")
	}
	if s.Path && s.kind() != Str {
		c.fail(s, "is a path, but not text")
	}
	if s.Sensitive && s.Value != nil && s.Value != "" {
		c.fail(s, "is sensitive and has an initial value, which would be a shared secret")
	}
}

// values checks initial values, defaults and the constraints themselves.
func (c *checker) values(s *Spec) {
	c.given(s, "value", s.Value)
	c.given(s, "default", s.Default)
	for _, v := range s.Validations {
		if v.Type != Regex {
			continue
		}
		if _, err := compile(v.Constraint); err != nil {
			c.fail(s, "has a pattern that does not compile: %v", err)
		}
	}
}

// given checks an initial value or default like input from a person.
func (c *checker) given(s *Spec, what string, raw any) {
	value, complaint := convert(s.kind(), raw)
	if complaint != "" {
		c.fail(s, "has a %s that %s", what, complaint)
		return
	}
	if empty(value) {
		return
	}
	for _, problem := range validate(s, value) {
		c.fail(s, "has a %s that %s", what, problem)
	}
}

func (c *checker) dependencies(s *Spec) {
	for _, d := range s.DependsOn {
		other := c.specs[d.Field]
		switch {
		case d.Field == s.Name:
			c.fail(s, "depends on itself")
		case other == nil:
			c.fail(s, "depends on %q, which is not a field", d.Field)
		default:
			if _, complaint := convert(other.kind(), d.Value); complaint != "" {
				c.fail(s, "depends on a value of %q that %s", d.Field, complaint)
			}
		}
	}
}
