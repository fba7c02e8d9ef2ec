package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// An object reads one section of the file. Each call of a reading method makes
// its key known; [object.done] then reports the unknown keys.
//
// Nested and dotted keys are equivalent: for "bulk", an object combines the
// section bulk and every key that begins with "bulk.". A section with arbitrary
// keys, such as headers, takes the rest of such a key as a whole.
type object struct {
	l       *loader
	path    string
	at      place
	entries []entry
	known   []string
	shape   *Key // records the keys that are read, see [Describe]; nil while a file is loaded
}

func (l *loader) object(path string, n *node) *object {
	return &object{l: l, path: path, at: n.at, entries: n.entries}
}

// key is the full name of a key of this section.
func (o *object) key(name string) string {
	if name == "" {
		name = `""`
	}
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

func (o *object) fail(at place, name, problem, hint string) {
	o.l.fail(at, o.key(name), problem, hint)
}

// take returns the value of a key, wherever its parts are: nil if there is
// none. The environment overrides the file.
func (o *object) take(name string) *node {
	o.known = append(o.known, name)
	o.describe(Key{Name: name})
	var whole, parts []entry
	for _, e := range o.entries {
		if e.key == name {
			whole = append(whole, e)
		} else if rest, ok := strings.CutPrefix(e.key, name+"."); ok {
			parts = append(parts, entry{key: rest, at: e.at, value: e.value, dotted: true})
		}
	}
	e, ok := o.only(name, whole)
	switch {
	case !ok && len(parts) == 0:
		return nil
	case !ok:
		return &node{kind: section, entries: parts, at: parts[0].at}
	case e.at.fromEnvironment():
		return e.value
	case len(parts) == 0:
		return e.value
	}
	return o.join(name, e, parts)
}

// only returns the valid entry among those with the same key.
func (o *object) only(name string, whole []entry) (entry, bool) {
	if len(whole) == 0 {
		return entry{}, false
	}
	chosen := whole[0]
	for _, e := range whole[1:] {
		switch {
		case e.at.rank() > chosen.at.rank():
			chosen = e
		case e.at.rank() < chosen.at.rank():
		case chosen.dotted != e.dotted && chosen.value.kind == section && e.value.kind == section:
			// One section in two forms, "a.b: {…}" and "a: {b: {…}}".
			both := *chosen.value
			both.entries = slices.Concat(both.entries, e.value.entries)
			chosen.value = &both
		default:
			first, second := chosen.at, e.at
			if second.line < first.line { // dotted and nested keys are collected separately
				first, second = second, first
			}
			o.fail(second, name, "is given twice, first in "+first.String(), "keep one")
		}
	}
	return chosen, true
}

// join adds the values of dotted keys to the section or list with the plain
// key.
func (o *object) join(name string, e entry, parts []entry) *node {
	n := *e.value
	if n.kind == null {
		n.kind = section
	}
	if n.kind != section && n.kind != list {
		o.fail(parts[0].at, name+"."+parts[0].key,
			fmt.Sprintf("cannot be set, because %s is %s in %s", o.key(name), n.kind, e.at), "keep one of the two")
		return nil
	}
	n.entries = append(slices.Clip(n.entries), parts...)
	return &n
}

// section returns the section under a key, empty if there is none.
func (o *object) section(name string) *object {
	shape := o.describe(Key{Name: name, Kind: Section})
	n := o.take(name)
	empty := &object{l: o.l, path: o.key(name), at: o.at, shape: shape}
	switch {
	case n == nil || n.kind == null:
		return empty
	case n.kind != section:
		o.fail(n.at, name, "must be a section of keys, not "+n.kind.String(), "")
		return empty
	}
	return o.l.object(o.key(name), n)
}

// sections returns the members of a list of sections.
func (o *object) sections(name string) []*object {
	shape := o.describe(Key{Name: name, Kind: Sections})
	n := o.take(name)
	switch {
	case shape != nil:
		return []*object{{l: o.l, path: o.key(name) + "[0]", shape: shape}}
	case n == nil || n.kind == null:
		return nil
	case n.kind != list:
		o.fail(n.at, name, "must be a list of sections, not "+n.kind.String(), `begin each member with "- "`)
		return nil
	}
	var out []*object
	for i, member := range n.list {
		if member.kind != section {
			o.l.fail(member.at, fmt.Sprintf("%s[%d]", o.key(name), i), "must be a section of keys, not "+member.kind.String(), "")
			continue
		}
		child := o.l.object(fmt.Sprintf("%s[%d]", o.key(name), i), member)
		child.entries = append(slices.Clip(child.entries), below(n.entries, strconv.Itoa(i))...)
		out = append(out, child)
	}
	for _, e := range n.entries {
		index, _, dotted := strings.Cut(e.key, ".")
		if i, err := strconv.Atoi(index); err != nil || !dotted || i < 0 || i >= len(n.list) {
			o.fail(e.at, name, "has no member "+strconv.Quote(index), fmt.Sprintf("it has %d, counted from 0", len(n.list)))
		}
	}
	return out
}

// below returns the entries whose keys begin with first, without it.
func below(entries []entry, first string) []entry {
	var out []entry
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.key, first+"."); ok {
			out = append(out, entry{key: rest, at: e.at, value: e.value, dotted: true})
		}
	}
	return out
}

// pairs returns the entries of a section with arbitrary keys, each key once.
func (o *object) pairs() []entry {
	same := map[string][]entry{}
	var keys []string
	for _, e := range o.entries {
		if same[e.key] == nil {
			keys = append(keys, e.key)
		}
		same[e.key] = append(same[e.key], e)
	}
	var out []entry
	for _, key := range keys {
		if e, ok := o.only(key, same[key]); ok {
			out = append(out, e)
		}
	}
	return out
}

// ignore marks keys without effect as known.
func (o *object) ignore(names ...string) {
	o.known = append(o.known, names...)
	for _, name := range names {
		o.describe(Key{Name: name, Kind: NoEffect})
	}
}

// done reports unknown keys.
func (o *object) done() {
	for _, e := range o.entries {
		first, _, dotted := strings.Cut(e.key, ".")
		if slices.Contains(o.known, e.key) || dotted && slices.Contains(o.known, first) {
			continue
		}
		problem, hint := "unknown key", ""
		near := field.Nearest(first, o.known)
		if near == "" && dotted {
			near = field.Nearest(e.key, o.known)
		}
		if near != "" {
			hint = "did you mean " + strconv.Quote(near) + "?"
			o.l.forgive(o.key(near))
		} else {
			known := slices.Sorted(slices.Values(o.known))
			hint = "known here: " + strings.Join(slices.Compact(known), ", ")
		}
		o.fail(e.at, e.key, problem, hint)
	}
}
