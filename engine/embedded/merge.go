package embedded

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// merge appends the object old with the fields of change merged over it: objects field by field,
// everything else as a whole. Fields keep their place, new ones come last. changed is false if the
// result equals old.
func merge(dst, old, change []byte) (_ []byte, changed bool) {
	type entry struct {
		value []byte
		used  bool
	}
	patch := map[string]*entry{}
	var order [][]byte
	fields(change, func(key, value []byte) bool {
		if e := patch[string(key)]; e != nil {
			e.value = value
			return true
		}
		patch[string(key)] = &entry{value: value}
		order = append(order, key)
		return true
	})
	n := 0
	field := func(key []byte) {
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, key), ':')
	}
	dst = append(dst, '{')
	fields(old, func(key, value []byte) bool {
		field(key)
		e := patch[string(key)]
		if e == nil {
			dst = append(dst, value...)
			return true
		}
		e.used = true
		if value[0] == '{' && e.value[0] == '{' {
			var inner bool
			dst, inner = merge(dst, value, e.value)
			changed = changed || inner
			return true
		}
		changed = changed || !sameJSON(value, e.value)
		dst = append(dst, e.value...)
		return true
	})
	for _, key := range order {
		if e := patch[string(key)]; !e.used {
			field(key)
			dst = append(dst, e.value...)
			changed = true
		}
	}
	return append(dst, '}'), changed
}

// sameJSON reports whether two values are equal, 1.5 and 1.50 included; 1 and 1.0 are not, because an
// integer and a fraction are of different kinds to Elasticsearch.
func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	if unmarshal(a, &x) != nil || unmarshal(b, &y) != nil {
		return false
	}
	return sameValue(x, y)
}

func sameValue(x, y any) bool {
	switch x := x.(type) {
	case map[string]any:
		y, ok := y.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for key, value := range x {
			if other, ok := y[key]; !ok || !sameValue(value, other) {
				return false
			}
		}
		return true
	case []any:
		y, ok := y.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !sameValue(x[i], y[i]) {
				return false
			}
		}
		return true
	case json.Number:
		y, ok := y.(json.Number)
		return ok && sameNumber(string(x), string(y))
	default:
		return x == y
	}
}

func sameNumber(x, y string) bool {
	if !strings.ContainsAny(x, ".eE") || !strings.ContainsAny(y, ".eE") {
		return x == y
	}
	a, errA := strconv.ParseFloat(x, 64)
	b, errB := strconv.ParseFloat(y, 64)
	return errA == nil && errB == nil && a == b
}
