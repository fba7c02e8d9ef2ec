package engine

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// scope is a part of its own.
type scopePart string

func (s scopePart) Scope() string { return string(s) }

func (scopePart) Ended() bool { return true }

func (s scopePart) Name() string { return string(s) }

func (scopePart) Documents(context.Context) iter.Seq2[document.Document, error] { return nil }

// TestWhichTablesMayClash: two whose ids may read the same are in one unit, in the order of their
// prefixes, whatever the order of the list; others are read side by side.
func TestWhichTablesMayClash(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		spaces string // scope=prefix, ending with # where numbers follow
		want   string // units
	}{
		{"one table", "a=db_a_", "a"},
		{"nothing in common", "a=db_a_ b=db_b_", "a|b"},
		{"a text key may continue into another's name", "user=db_user_ role=db_user_role_#", "user role"},
		{"a number cannot", "user=db_user_# role=db_user_role_", "role|user"},
		{"unless the name is of digits", "a=db_a_# a_1=db_a_1_#", "a a_1"},
		{"two names that are one", "x=db_a_b_c_# y=db_a_b_c_", "x y"},
		{"three in a row", "o=db_o_ oi=db_o_item_ oid=db_o_item_detail_ z=db_z_", "o oi oid|z"},
		{"no prefix, no clash", "a= b=", "a|b"},
	} {
		var c clashes
		var parts []source.Part
		for field := range strings.FieldsSeq(tc.spaces) {
			scope, prefix, _ := strings.Cut(field, "=")
			text, numeric := strings.CutSuffix(prefix, "#")
			c.add(scope, source.Description{IDPrefix: text, NumericIDs: numeric})
			parts = append(parts, scopePart(scope))
		}
		c.settle()
		for range 5 {
			rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			got := map[string]bool{}
			for _, unit := range c.ordered(parts) {
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

// TestManyTablesAreSettledQuickly: ten thousand tables, none of which may clash.
func TestManyTablesAreSettledQuickly(t *testing.T) {
	t.Parallel()
	var c clashes
	for i := range 10_000 {
		c.add(fmt.Sprint("t", i), source.Description{IDPrefix: fmt.Sprintf("db_t%05d_", i)})
	}
	c.settle()
	if c.possible() {
		t.Errorf("clashes of %v", c.inner)
	}
}
