package document

import (
	"slices"
	"strings"
)

// Shallow limits the nesting of objects in a value: deeper objects become a string
// of their JSON, because an index refuses documents with more levels of objects than its mapping allows. A
// value that is shallow enough, as most are, is returned unchanged; changed reports the others.
// https://www.elastic.co/docs/reference/elasticsearch/index-settings/mapping-limit
func Shallow(v Value, levels int) (shallow Value, changed bool) {
	switch v.kind {
	case KindList:
		list := v.ref.([]Value)
		for i := range list {
			if e, other := Shallow(list[i], levels); other {
				if !changed {
					list, changed = slices.Clone(list), true
				}
				list[i] = e
			}
		}
		if changed {
			return List(list), true
		}
	case KindObject:
		if levels <= 0 {
			return String(string(v.AppendJSON(nil))), true
		}
		members := v.ref.([]Field)
		for i := range members {
			if e, other := Shallow(members[i].Value, levels-1); other {
				if !changed {
					members, changed = slices.Clone(members), true
				}
				members[i].Value = e
			}
		}
		if changed {
			return Object(members), true
		}
	case KindRaw:
		if strings.Count(v.str, "{") <= levels {
			return v, false
		}
		parsed, err := ParseJSON([]byte(v.str))
		if err != nil {
			return v, false
		}
		if parsed, changed = Shallow(parsed, levels); changed {
			return parsed, true
		}
	}
	return v, false
}
