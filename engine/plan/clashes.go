package plan

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/ids"
)

// Clashes knows which scopes may contain the same id: the table user with the key role_1, and the table user_role
// with the key 1. Their parts are read in a fixed order ([Ordered]), so that the same document is kept whatever is
// read concurrently. A document never replaces that of another scope ([Planner.Begin]), so the next run keeps the
// same one. The zero Clashes has none.
type Clashes struct {
	spaces []idSpace
	known  map[idSpace]bool
	group  map[string]int // of scopes that may clash; one group is read one after the other
	inner  []idSpace      // scopes whose ids may also occur in another scope, longest prefix first

	mu      sync.Mutex
	holders map[ids.Key]string // scopes of documents in the index that do not belong to the inner id space
}

// idSpace describes how the ids of a scope begin.
type idSpace struct {
	scope, prefix string
	numeric       bool // only digits and the like follow
}

// Add records the prefix of a scope's ids, "" if it is unknown, and whether only digits and the like follow.
func (c *Clashes) Add(scope, prefix string, numeric bool) {
	s := idSpace{scope, prefix, numeric}
	if prefix == "" || c.known[s] {
		return
	}
	if c.known == nil {
		c.known = map[idSpace]bool{}
	}
	c.known[s] = true
	c.spaces = append(c.spaces, s)
}

// Settle finds the clashes once all scopes are known.
func (c *Clashes) Settle() {
	slices.SortFunc(c.spaces, func(a, b idSpace) int {
		return cmp.Or(strings.Compare(a.prefix, b.prefix), strings.Compare(a.scope, b.scope))
	})
	c.group, c.holders = map[string]int{}, map[ids.Key]string{}
	for i, outer := range c.spaces {
		for _, inner := range c.spaces[i+1:] {
			rest, within := strings.CutPrefix(inner.prefix, outer.prefix)
			if !within {
				break // sorted: no later prefix matches either
			}
			if inner.scope == outer.scope || outer.numeric && strings.Trim(rest, "0123456789+-._E") != "" {
				continue
			}
			c.join(outer.scope, inner.scope)
			if !slices.Contains(c.inner, inner) {
				c.inner = append(c.inner, inner)
			}
		}
	}
	slices.SortFunc(c.inner, func(a, b idSpace) int {
		return cmp.Or(len(b.prefix)-len(a.prefix), strings.Compare(a.scope, b.scope))
	})
}

// join merges two scopes into one group.
func (c *Clashes) join(a, b string) {
	to, from := c.groupOf(a), c.groupOf(b)
	for scope, g := range c.group {
		if g == from {
			c.group[scope] = to
		}
	}
}

func (c *Clashes) groupOf(scope string) int {
	g, ok := c.group[scope]
	if !ok {
		g = len(c.group) + 1
		c.group[scope] = g
	}
	return g
}

// Possible reports whether clashes are possible at all.
func (c *Clashes) Possible() bool { return len(c.inner) > 0 }

// Concern reports whether several scopes may have the id.
func (c *Clashes) Concern(id string) bool { return c.region(id) != "" }

// of reports whether documents of a scope may have the ids of another scope.
func (c *Clashes) of(scope string) bool {
	_, clashing := c.group[scope]
	return clashing
}

// region is the innermost of the clashing scopes whose own ids have this form; "" for none.
func (c *Clashes) region(id string) string {
	for i := range c.inner {
		if strings.HasPrefix(id, c.inner[i].prefix) {
			return c.inner[i].scope
		}
	}
	return ""
}

// Hold records the scope of the destination's document with an id; "" if it is unknown.
func (c *Clashes) Hold(id, scope string) {
	if region := c.region(id); region != "" && region != scope {
		c.mu.Lock()
		c.holders[ids.KeyOf(id)] = scope
		c.mu.Unlock()
	}
}

// holder is the scope of the destination's document with an id, if there is one; "" if the id cannot clash, or the
// scope is unknown.
func (c *Clashes) holder(id string) string {
	region := c.region(id)
	if region == "" {
		return ""
	}
	if noted, ok := c.holders[ids.KeyOf(id)]; ok {
		return noted
	}
	return region
}

// Ordered groups the parts of scopes that may clash into units, each for one reader, sorted by prefix. A unit
// takes the place of its first part.
func Ordered[P interface{ Scope() string }](c *Clashes, parts []P) [][]P {
	rank := map[string]int{}
	for i, s := range c.spaces {
		if _, ok := rank[s.scope]; !ok {
			rank[s.scope] = i
		}
	}
	var units [][]P
	at := map[int]int{} // group -> its unit
	for _, part := range parts {
		g, clashing := c.group[part.Scope()]
		if i, ok := at[g]; clashing && ok {
			units[i] = append(units[i], part)
			continue
		}
		if clashing {
			at[g] = len(units)
		}
		units = append(units, []P{part})
	}
	for _, u := range units {
		slices.SortStableFunc(u, func(a, b P) int { return rank[a.Scope()] - rank[b.Scope()] })
	}
	return units
}
