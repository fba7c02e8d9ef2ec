package engine

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// clashes knows which scopes may bring the same id: user with the key role_1, and user_role with the key
// 1. Their parts are read in a fixed order, so that the same document is kept whatever runs at the same
// time, and a document never replaces that of another scope, so that it is the same in the next run.
type clashes struct {
	spaces []idSpace
	known  map[idSpace]bool
	group  map[string]int // of scopes that may clash; those of one group are read one after the other
	inner  []idSpace      // those whose ids may come from another scope as well, longest prefix first

	mu      sync.Mutex
	holders map[ids.Key]string // scopes of documents in the index that another than the inner space holds
}

// idSpace is what the ids of a scope begin with.
type idSpace struct {
	scope, prefix string
	numeric       bool // digits and the like follow
}

func (c *clashes) add(scope string, d source.Description) {
	s := idSpace{scope, d.IDPrefix, d.NumericIDs}
	if d.IDPrefix == "" || c.known[s] {
		return
	}
	if c.known == nil {
		c.known = map[idSpace]bool{}
	}
	c.known[s] = true
	c.spaces = append(c.spaces, s)
}

// settle finds the clashes once all scopes are known.
func (c *clashes) settle() {
	slices.SortFunc(c.spaces, func(a, b idSpace) int {
		return cmp.Or(strings.Compare(a.prefix, b.prefix), strings.Compare(a.scope, b.scope))
	})
	c.group, c.holders = map[string]int{}, map[ids.Key]string{}
	for i, outer := range c.spaces {
		for _, inner := range c.spaces[i+1:] {
			rest, within := strings.CutPrefix(inner.prefix, outer.prefix)
			if !within {
				break // sorted: no later one begins like it either
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

// join puts two scopes into one group.
func (c *clashes) join(a, b string) {
	to, from := c.groupOf(a), c.groupOf(b)
	for scope, g := range c.group {
		if g == from {
			c.group[scope] = to
		}
	}
}

func (c *clashes) groupOf(scope string) int {
	g, ok := c.group[scope]
	if !ok {
		g = len(c.group) + 1
		c.group[scope] = g
	}
	return g
}

// possible reports whether there may be clashes at all.
func (c *clashes) possible() bool { return len(c.inner) > 0 }

// region is the scope whose own ids look like this one, of those that may clash; "" for none.
func (c *clashes) region(id string) string {
	for i := range c.inner {
		if strings.HasPrefix(id, c.inner[i].prefix) {
			return c.inner[i].scope
		}
	}
	return ""
}

// hold notes whose document stands in the index under an id that may clash; "" is one whose scope cannot
// be told.
func (c *clashes) hold(id, scope string) {
	if region := c.region(id); region != "" && region != scope {
		c.mu.Lock()
		c.holders[ids.KeyOf(id)] = scope
		c.mu.Unlock()
	}
}

// holder tells for the documents of a scope which other one's document the index holds under an id, if
// it holds any; "" where there is no clash, or it cannot be told.
func (c *clashes) holder(scope string) func(id string) string {
	if _, clashing := c.group[scope]; !clashing {
		return nil
	}
	return func(id string) string {
		other := c.region(id)
		if other == "" {
			return ""
		}
		if noted, ok := c.holders[ids.KeyOf(id)]; ok {
			other = noted
		}
		if other == scope {
			return ""
		}
		return other
	}
}

// ordered puts the parts of one group into units that are read by one reader, in the order of their
// prefixes, where the first of the group stood.
func (c *clashes) ordered(parts []source.Part) [][]source.Part {
	rank := map[string]int{}
	for i, s := range c.spaces {
		if _, ok := rank[s.scope]; !ok {
			rank[s.scope] = i
		}
	}
	var units [][]source.Part
	at := map[int]int{} // the unit of a group
	for _, part := range parts {
		g, clashing := c.group[part.Scope()]
		if i, ok := at[g]; clashing && ok {
			units[i] = append(units[i], part)
			continue
		}
		if clashing {
			at[g] = len(units)
		}
		units = append(units, []source.Part{part})
	}
	for _, u := range units {
		slices.SortStableFunc(u, func(a, b source.Part) int { return rank[a.Scope()] - rank[b.Scope()] })
	}
	return units
}

// noteHolder tells clashes whose document a hit is, where that may matter.
func (r *run) noteHolder(h elastic.Hit) {
	c := &r.described.clash
	if !c.possible() || c.region(h.ID) == "" {
		return
	}
	fields := map[string]any{}
	for _, name := range r.job.Type.ScopeFields {
		if raw := elastic.Member(h.Source, name); raw != nil {
			var v any
			if json.Unmarshal(raw, &v) == nil {
				fields[name] = v
			}
		}
	}
	scope, _ := r.job.Type.ScopeOf(r.job.Values, fields)
	c.hold(h.ID, scope)
}
