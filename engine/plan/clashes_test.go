package plan

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// scopePart is the only part of its scope.
type scopePart string

func (s scopePart) Scope() string { return string(s) }

// TestWhichTablesMayClash: tables with overlapping id spaces form one unit, sorted by prefix, whatever the order
// of the list; others are read in parallel.
func TestWhichTablesMayClash(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		spaces string // scope=prefix, ending with # if numbers follow
		want   string // units
	}{
		{"one table", "a=db_a_", "a"},
		{"nothing in common", "a=db_a_ b=db_b_", "a|b"},
		{"a text key may continue into another's name", "user=db_user_ role=db_user_role_#", "user role"},
		{"a number cannot", "user=db_user_# role=db_user_role_", "role|user"},
		{"unless the other name is numeric", "a=db_a_# a_1=db_a_1_#", "a a_1"},
		{"two names with the same prefix", "x=db_a_b_c_# y=db_a_b_c_", "x y"},
		{"three in a row", "o=db_o_ oi=db_o_item_ oid=db_o_item_detail_ z=db_z_", "o oi oid|z"},
		{"no prefix, no clash", "a= b=", "a|b"},
	} {
		var c Clashes
		var parts []scopePart
		for field := range strings.FieldsSeq(tc.spaces) {
			scope, prefix, _ := strings.Cut(field, "=")
			text, numeric := strings.CutSuffix(prefix, "#")
			c.Add(scope, text, numeric)
			parts = append(parts, scopePart(scope))
		}
		c.Settle()
		for range 5 {
			rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			got := map[string]bool{}
			for _, unit := range Ordered(&c, parts) {
				var names []string
				for _, p := range unit {
					names = append(names, p.Scope())
				}
				got[strings.Join(names, " ")] = true
			}
			for unit := range strings.SplitSeq(tc.want, "|") {
				if !got[unit] || len(got) != strings.Count(tc.want, "|")+1 {
					t.Errorf("%s: units %v, want %s", tc.name, got, tc.want)
				}
			}
		}
	}
}

// TestManyTablesAreSettledQuickly: ten thousand tables without a clash.
func TestManyTablesAreSettledQuickly(t *testing.T) {
	t.Parallel()
	var c Clashes
	for i := range 10_000 {
		c.Add(fmt.Sprint("t", i), fmt.Sprintf("db_t%05d_", i), false)
	}
	c.Settle()
	if c.Possible() {
		t.Errorf("clashes of %v", c.inner)
	}
}

// TestADocumentReplacesNoneOfAnotherScope: user with the key role_1 and user_role with the key 1 share an id. The
// scope whose document the index holds keeps it, until this run has seen that document.
func TestADocumentReplacesNoneOfAnotherScope(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		holder string // recorded by the scan; "-" for no record
		held   bool
		seen   bool
		scope  string
		kind   Kind
		first  string
	}{
		{"the index holds it for the inner scope", "-", true, false, "user", Duplicate, "user_role"},
		{"the inner scope replaces its own", "-", true, false, "user_role", Update, ""},
		{"the index holds it for the outer scope", "user", true, false, "user_role", Duplicate, "user"},
		{"the outer scope replaces its own", "user", true, false, "user", Update, ""},
		{"a document of unknown scope is replaced", "", true, false, "user", Update, ""},
		{"the index does not hold it", "-", false, false, "user", Create, ""},
		{"this run has seen it", "-", true, true, "user", Duplicate, "before"},
		{"a scope that clashes with none", "-", true, false, "other", Update, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c Clashes
			c.Add("user", "user_", false)
			c.Add("user_role", "user_role_", true)
			c.Add("other", "other_", false)
			c.Settle()
			const id = "user_role_1"
			if tt.holder != "-" {
				c.Hold(id, tt.holder)
			}
			var copies []held
			if tt.held {
				copies = []held{{id, `{"id":"x"}`, ""}}
			}
			o := Options{}
			tab := table(o, copies...)
			var parts Parts
			if tt.seen {
				decide(NewPlanner(o, tab, nil, &parts), parts.Add("before"), document.Document{ID: id})
			}
			p := NewPlanner(o, tab, nil, &parts)
			p.Begin(parts.Add("p"), tt.scope, &c)
			if got := decide(p, p.part, document.Document{ID: id}); got.Kind != tt.kind || got.First != tt.first {
				t.Errorf("got %s, %q, want %s, %q", got.Kind, got.First, tt.kind, tt.first)
			}
		})
	}
}
