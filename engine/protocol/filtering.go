package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

// Sync rules in records. A person edits the draft; once it is found valid it becomes active,
// and the active rules are copied into each job.
//
// Reading never fails. A property whose type differs from the protocol's is kept in Other under its name,
// so that it is written back unchanged, and Validate reports those that matter.

// Filtering is the sync rules of one domain. Only the domain [DefaultDomain] is used.
type Filtering struct {
	Domain        string
	Active, Draft Rules
	Other         map[string]json.RawMessage // properties that we do not use
}

// DefaultDomain is the name of the only domain in use.
const DefaultDomain = "DEFAULT"

// Rules are basic rules, an advanced snippet, and whether they are valid.
type Rules struct {
	Rules           []Rule
	AdvancedSnippet Snippet
	Validation      Validation
	Other           map[string]json.RawMessage
}

// Rule is one basic rule. A number or a boolean in place of text is taken as written.
type Rule struct {
	ID, Policy, Field, Rule, Value string
	Order                          float64
	CreatedAt, UpdatedAt           json.RawMessage // as written
	Other                          map[string]json.RawMessage
}

// Snippet is an advanced rule: JSON that only the source understands.
type Snippet struct {
	Value                json.RawMessage
	CreatedAt, UpdatedAt json.RawMessage // as written
	Other                map[string]json.RawMessage
}

// Validation is the last validation of rules.
type Validation struct {
	State  string // edited, valid, invalid, or "" before the first validation
	Errors []ValidationError
	Other  map[string]json.RawMessage
}

// The states of a [Validation]. Edited requests a new validation.
const (
	ValidationEdited  = "edited"
	ValidationValid   = "valid"
	ValidationInvalid = "invalid"
)

// ValidationError is a message about rules, named by their ids; [SnippetID] is the snippet's.
type ValidationError struct {
	IDs      []string `json:"ids"`
	Messages []string `json:"messages"`
}

// SnippetID stands for the advanced snippet in lists of rule ids.
const SnippetID = "advanced_snippet"

// DefaultFiltering is the filtering of a new connector: one domain that includes everything, created now.
func DefaultFiltering(now time.Time) []Filtering {
	at := json.RawMessage(now.UTC().Format(`"2006-01-02T15:04:05.000Z07:00"`))
	all := func() Rules {
		return Rules{
			Rules: []Rule{{
				ID: rules.Default, Policy: "include", Field: "_", Rule: "regex", Value: ".*", CreatedAt: at, UpdatedAt: at,
			}},
			AdvancedSnippet: Snippet{Value: json.RawMessage("{}"), CreatedAt: at, UpdatedAt: at},
			Validation:      Validation{State: ValidationValid},
		}
	}
	return []Filtering{{Domain: DefaultDomain, Active: all(), Draft: all()}}
}

// ReadFiltering reads the filtering of a connector: a list of domains, or a single one. Anything else
// counts as none.
func ReadFiltering(raw []byte) []Filtering {
	var out []Filtering
	for _, member := range readList(raw) {
		if readObject(member) == nil {
			continue
		}
		var f Filtering
		_ = f.UnmarshalJSON(member) // never fails
		out = append(out, f)
	}
	return out
}

// Default returns the index of the domain in use, or -1.
func Default(fs []Filtering) (at int) {
	return slices.IndexFunc(fs, func(f Filtering) bool { return f.Domain == DefaultDomain })
}

// Empty reports whether there is no advanced rule: null, {}, [], "" or nothing at all.
func (s Snippet) Empty() bool {
	if len(bytes.TrimSpace(s.Value)) == 0 {
		return true
	}
	v, err := readAny(s.Value)
	if err != nil {
		return false
	}
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// Basic returns the basic rules for [rules.New].
func (r Rules) Basic() []rules.Rule {
	var out []rules.Rule
	for _, b := range r.Rules {
		out = append(out, b.basic())
	}
	return out
}

func (r Rule) basic() rules.Rule {
	return rules.Rule{ID: r.ID, Policy: r.Policy, Field: r.Field, Rule: r.Rule, Value: r.Value, Order: r.Order}
}

// Advanced returns the decoded snippet, with each number as a [json.Number]; nil when it is empty.
func (r Rules) Advanced() (any, error) {
	if r.AdvancedSnippet.Empty() {
		return nil, nil
	}
	v, err := readAny(r.AdvancedSnippet.Value)
	if err != nil {
		return nil, errors.New("the advanced rules are not JSON; write them again")
	}
	return v, nil
}

// Validate validates rules: each basic rule by itself, then those that contradict or repeat
// each other, then the snippet with advanced, unless it is empty. A nil advanced means that the source has no
// advanced rules. Errors is never nil.
func (r Rules) Validate(advanced func(value any) error) Validation {
	v := Validation{State: ValidationValid, Errors: []ValidationError{}}
	fail := func(message string, ids ...string) {
		v.State = ValidationInvalid
		v.Errors = append(v.Errors, ValidationError{IDs: ids, Messages: []string{message}})
	}
	if _, unread := r.Other["rules"]; unread {
		fail("the basic rules are not a list; write them again", "rules")
	}
	var right []Rule
	for _, b := range r.Rules {
		if err := b.check(); err != nil {
			fail(fmt.Sprintf("rule on field %q: %v", b.Field, err), b.ID)
			continue
		}
		right = append(right, b)
	}
	type condition struct{ field, rule, value string }
	first := map[condition]string{}
	for _, b := range right {
		if b.ID == rules.Default {
			continue
		}
		c := condition{b.Field, strings.ToLower(b.Rule), b.Value}
		if other, taken := first[c]; taken {
			fail(fmt.Sprintf("two rules are %s %s %q; remove one of them", b.Field, b.Rule, b.Value), other, b.ID)
			continue
		}
		first[c] = b.ID
	}
	if err := r.checkSnippet(advanced); err != nil {
		fail(err.Error(), SnippetID)
	}
	return v
}

// check reports an error in the rule itself.
func (r Rule) check() error {
	if r.ID == rules.Default {
		return nil
	}
	for _, name := range []string{"id", "policy", "field", "rule", "value"} {
		if _, unread := r.Other[name]; unread {
			return fmt.Errorf("%s must be text", name)
		}
	}
	if _, unread := r.Other["order"]; unread {
		return errors.New("order must be a number")
	}
	return rules.Check(r.basic())
}

func (r Rules) checkSnippet(advanced func(value any) error) error {
	value, err := r.Advanced()
	switch {
	case err != nil || value == nil:
		return err
	case advanced == nil:
		return errors.New("this type of source has no advanced rules; leave them empty")
	}
	return advanced(value)
}

// Snapshot is the rules that a job was created with. Some releases write them as an object, some as a
// list of one, with or without the domain around them; null means no rules.
type Snapshot struct{ Rules }

// UnmarshalJSON reads any of the forms. It never fails.
func (s *Snapshot) UnmarshalJSON(raw []byte) error {
	*s = Snapshot{}
	domains := readList(raw)
	at := max(0, slices.IndexFunc(domains, func(d json.RawMessage) bool { return readObject(d).text("domain") == DefaultDomain }))
	if at >= len(domains) {
		return nil
	}
	o := readObject(domains[at])
	if _, bare := o["rules"]; !bare && len(o["active"]) > 0 {
		return s.Rules.UnmarshalJSON(o["active"])
	}
	return s.Rules.UnmarshalJSON(domains[at])
}

// UnmarshalJSON reads a domain. It never fails.
func (f *Filtering) UnmarshalJSON(raw []byte) error {
	o := readObject(raw)
	*f = Filtering{Domain: o.text("domain")}
	for name, to := range map[string]*Rules{"active": &f.Active, "draft": &f.Draft} {
		if readObject(o[name]) != nil || o.isNull(name) {
			_ = to.UnmarshalJSON(o.take(name)) // never fails
		}
	}
	f.Other = o.rest()
	return nil
}

// MarshalJSON writes a domain.
func (f Filtering) MarshalJSON() ([]byte, error) {
	return writeObject(f.Other, map[string]any{"domain": f.Domain, "active": f.Active, "draft": f.Draft})
}

// UnmarshalJSON reads rules. It never fails.
func (r *Rules) UnmarshalJSON(raw []byte) error {
	o := readObject(raw)
	*r = Rules{}
	if list := readList(o["rules"]); list != nil || o.isNull("rules") {
		r.Rules = make([]Rule, len(list))
		for i := range list {
			_ = r.Rules[i].UnmarshalJSON(list[i]) // never fails
		}
		o.take("rules")
	}
	_ = r.AdvancedSnippet.UnmarshalJSON(o.take(SnippetID)) // never fails
	if readObject(o["validation"]) != nil || o.isNull("validation") {
		_ = r.Validation.UnmarshalJSON(o.take("validation")) // never fails
	}
	r.Other = o.rest()
	return nil
}

// MarshalJSON writes rules, and their validation if there is one.
func (r Rules) MarshalJSON() ([]byte, error) {
	known := map[string]any{"rules": append([]Rule{}, r.Rules...), SnippetID: r.AdvancedSnippet}
	if v := r.Validation; v.State != "" || len(v.Errors) > 0 || len(v.Other) > 0 {
		known["validation"] = v
	}
	return writeObject(r.Other, known)
}

// UnmarshalJSON reads a rule. It never fails.
func (r *Rule) UnmarshalJSON(raw []byte) error {
	o := readObject(raw)
	*r = Rule{
		ID: o.text("id"), Policy: o.text("policy"), Field: o.text("field"), Rule: o.text("rule"), Value: o.text("value"),
		CreatedAt: o.take("created_at"), UpdatedAt: o.take("updated_at"),
	}
	if order, ok := readNumber(o["order"]); ok {
		r.Order = order
		o.take("order")
	} else if o != nil && len(o["order"]) == 0 {
		o["order"] = json.RawMessage("null") // missing; as null it is reported
	}
	r.Other = o.rest()
	return nil
}

// MarshalJSON writes a rule.
func (r Rule) MarshalJSON() ([]byte, error) {
	return writeObject(r.Other, map[string]any{
		"id": r.ID, "policy": r.Policy, "field": r.Field, "rule": r.Rule, "value": r.Value, "order": r.Order,
		"created_at": r.CreatedAt, "updated_at": r.UpdatedAt,
	})
}

// UnmarshalJSON reads a snippet. Anything that is not its object is taken as its value. It never fails.
func (s *Snippet) UnmarshalJSON(raw []byte) error {
	o := readObject(raw)
	*s = Snippet{Value: o.take("value"), CreatedAt: o.take("created_at"), UpdatedAt: o.take("updated_at"), Other: o.rest()}
	if o == nil && !isNull(raw) {
		s.Value = slices.Clone(raw)
	}
	return nil
}

// MarshalJSON writes a snippet.
func (s Snippet) MarshalJSON() ([]byte, error) {
	return writeObject(s.Other, map[string]any{"value": s.Value, "created_at": s.CreatedAt, "updated_at": s.UpdatedAt})
}

// UnmarshalJSON reads a validation. It never fails.
func (v *Validation) UnmarshalJSON(raw []byte) error {
	o := readObject(raw)
	*v = Validation{State: o.text("state")}
	for _, member := range readList(o.take("errors")) {
		e := readObject(member)
		v.Errors = append(v.Errors, ValidationError{IDs: readTexts(e["ids"]), Messages: readTexts(e["messages"])})
	}
	v.Other = o.rest()
	return nil
}

// MarshalJSON writes a validation.
func (v Validation) MarshalJSON() ([]byte, error) {
	return writeObject(v.Other, map[string]any{"state": v.State, "errors": append([]ValidationError{}, v.Errors...)})
}
