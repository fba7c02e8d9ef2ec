package mongodb

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// The collection key, in short:
//
//	orders         one collection; its documents keep the ids that they have in MongoDB
//	a, b           several collections
//	*              all collections of the database but system.*
//	log_*          a pattern: * any text, ? one character, [a-z] one of them
//	-log_*         excludes collections; a list of exclusions only means all others
//	odd\,na\*me    a backslash makes the next character literal

// name is one member of the list.
type name struct {
	text    string // the literal name, or the pattern
	exact   bool
	exclude bool
}

// names are the configured collections.
type names []name

func parseNames(text string) (list names, err error) {
	for _, member := range splitNames(text) {
		n := name{text: strings.TrimSpace(member)}
		n.text, n.exclude = strings.CutPrefix(n.text, "-")
		if n.text == "" {
			continue
		}
		if n.exact = !hasMeta(n.text); n.exact {
			n.text = unescape(n.text)
		} else if _, err := path.Match(n.text, ""); err != nil {
			return nil, fmt.Errorf("the pattern %q is not complete", n.text)
		}
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("it names no collection")
	}
	return list, nil
}

// splitNames splits at commas that are not escaped by a backslash.
func splitNames(text string) (members []string) {
	start := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case ',':
			members = append(members, text[start:i])
			start = i + 1
		}
	}
	return append(members, text[start:])
}

// hasMeta reports whether a name is a pattern.
func hasMeta(text string) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '*', '?', '[':
			return true
		}
	}
	return false
}

func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// single reports whether exactly one collection is named.
func (l names) single() bool { return len(l) == 1 && l[0].exact && !l[0].exclude }

// match reports whether it names or matches the collection. A pattern never matches a system
// collection.
func (n name) match(collection string) bool {
	if n.exact {
		return n.text == collection
	}
	// A slash is an ordinary character here, and no name contains a NUL.
	ok, err := path.Match(strings.ReplaceAll(n.text, "/", "\x00"), strings.ReplaceAll(collection, "/", "\x00"))
	return err == nil && ok && !strings.HasPrefix(collection, "system.")
}

// wants reports whether the list includes the collection.
func (l names) wants(collection string) bool {
	wanted := !slices.ContainsFunc(l, func(n name) bool { return !n.exclude }) && !strings.HasPrefix(collection, "system.")
	for _, n := range l {
		if !n.match(collection) {
			continue
		}
		if n.exclude {
			return false
		}
		wanted = true
	}
	return wanted
}

// exact are the names that must exist.
func (l names) exact() (all []string) {
	for _, n := range l {
		if n.exact && !n.exclude {
			all = append(all, n.text)
		}
	}
	return all
}

// parseProjection reads fields:; nil means everything.
func parseProjection(members []string) (fields []string, exclude bool, err error) {
	for i, m := range members {
		f, minus := strings.CutPrefix(strings.TrimSpace(m), "-")
		switch {
		case f == "" || strings.HasPrefix(f, "$") || strings.HasPrefix(f, ".") || strings.HasSuffix(f, "."):
			return nil, false, fmt.Errorf("%q is not the name of a field", m)
		case f == "_id":
			return nil, false, errors.New("_id is always read, because it identifies documents")
		case i > 0 && minus != exclude:
			return nil, false, errors.New("some names have a leading - and others do not")
		}
		fields, exclude = append(fields, f), minus
	}
	return fields, exclude, nil
}

// near is the nearest collection name; "" for none.
func near(name string, known []collection) string {
	var all []string
	for _, c := range known {
		all = append(all, c.name)
	}
	return field.Nearest(name, all)
}
