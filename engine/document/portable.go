package document

import (
	"encoding/json"
	"slices"
	"strings"
)

// Portable gives the members of all objects of a value names that every index accepts, see [PortableNames]. It is for data
// from outside with arbitrary names; a value without invalid names, as most are, is returned unchanged.
func Portable(v Value) Value {
	v, _ = portableValue(v)
	return v
}

// portableValue reports whether anything changed.
func portableValue(v Value) (Value, bool) {
	switch v.kind {
	case KindList:
		list, changed := v.ref.([]Value), false
		for i := range list {
			member, other := portableValue(list[i])
			if other && !changed {
				list, changed = slices.Clone(list), true
			}
			if other {
				list[i] = member
			}
		}
		if changed {
			return List(list), true
		}
	case KindObject:
		return portableObject(v)
	case KindRaw:
		if !hasOddNames(v.str) {
			return v, false
		}
		parsed, err := ParseJSON([]byte(v.str))
		if err != nil {
			return v, false
		}
		if named, changed := portableValue(parsed); changed {
			return named, true
		}
	}
	return v, false
}

func portableObject(v Value) (Value, bool) {
	fields, changed, odd := v.ref.([]Field), false, false
	for i := range fields {
		odd = odd || OddName(fields[i].Name)
		member, other := portableValue(fields[i].Value)
		if other && !changed {
			fields, changed = slices.Clone(fields), true
		}
		if other {
			fields[i].Value = member
		}
	}
	var names []string
	for i := 0; odd && i < len(fields); i++ {
		names = append(names, fields[i].Name)
	}
	for i, name := range PortableNames(names) {
		if name == names[i] {
			continue
		}
		if !changed {
			fields, changed = slices.Clone(fields), true
		}
		fields[i].Name = name
	}
	if !changed {
		return v, false
	}
	return Object(fields), true
}

// OddName reports whether a name may have to change: if the names of an object conflict, one of them has a dot.
func OddName(name string) bool { return strings.Contains(name, ".") || !standsAlone(name) }

// hasOddNames reports whether JSON text may contain an odd name.
func hasOddNames(text string) bool {
	for {
		start := strings.IndexByte(text, '"')
		if start < 0 {
			return false
		}
		text = text[start+1:]
		end := 0
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(text) {
			return false // it is not JSON
		}
		name := text[:end]
		text = strings.TrimLeft(text[end+1:], " \t\r\n")
		if strings.HasPrefix(text, ":") && (strings.Contains(name, `\`) || OddName(name)) {
			return true
		}
	}
}

// ParseJSON reads one JSON value. Numbers keep their digits; if a name occurs twice in an object, which
// Elasticsearch refuses, the last value wins.
func ParseJSON(text []byte) (Value, error) {
	if !json.Valid(text) { // or nested too deeply for that package, so the recursion below ends
		var v any
		return Value{}, json.Unmarshal(text, &v) // its error names the position
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return parsed(d), nil
}

// parsed reads the next value of valid text.
func parsed(d *json.Decoder) Value {
	token, _ := d.Token()
	switch token := token.(type) {
	case bool:
		return Bool(token)
	case json.Number:
		return Number(token.String())
	case string:
		return String(token)
	case json.Delim:
		if token == '[' {
			return parsedList(d)
		}
		return parsedObject(d)
	}
	return Null()
}

func parsedList(d *json.Decoder) Value {
	list := []Value{}
	for d.More() {
		list = append(list, parsed(d))
	}
	_, _ = d.Token() // the bracket
	return List(list)
}

func parsedObject(d *json.Decoder) Value {
	fields, places := []Field{}, map[string]int{}
	for d.More() {
		name, _ := d.Token()
		text, _ := name.(string)
		at, again := places[text]
		if !again {
			at = len(fields)
			places[text] = at
			fields = append(fields, Field{Name: text})
		}
		fields[at].Value = parsed(d)
	}
	_, _ = d.Token() // the brace
	return Object(fields)
}
