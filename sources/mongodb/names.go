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
//	-log_*         leaves collections out; a list of nothing else stands for all others
//	odd\,na\*me    a backslash takes the meaning away from the character after it

// name is one member of the list.
type name struct {
	text    string // what an exact name stands for; of a pattern the pattern
	exact   bool
	exclude bool
}

// names are the collections that are configured.
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

// splitNames cuts at commas that no backslash stands before.
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

// match reports whether it is, or stands for, the collection. A pattern never stands for a collection of
// the server's own.
func (n name) match(collection string) bool {
	if n.exact {
		return n.text == collection
	}
	// A slash is an ordinary character here, and no name holds a NUL.
	ok, err := path.Match(strings.ReplaceAll(n.text, "/", "\x00"), strings.ReplaceAll(collection, "/", "\x00"))
	return err == nil && ok && !strings.HasPrefix(collection, "system.")
}

// wants reports whether the list asks for the collection.
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

// projection is what fields: asks for; nil is everything.
func parseProjection(members []string) (fields []string, exclude bool, err error) {
	for i, m := range members {
		f, minus := strings.CutPrefix(strings.TrimSpace(m), "-")
		switch {
		case f == "" || strings.HasPrefix(f, "$") || strings.HasPrefix(f, ".") || strings.HasSuffix(f, "."):
			return nil, false, fmt.Errorf("%q is not the name of a field", m)
		case f == "_id":
			return nil, false, errors.New("_id is always read, because it tells documents apart")
		case i > 0 && minus != exclude:
			return nil, false, errors.New("some names have a leading - and others have none")
		}
		fields, exclude = append(fields, f), minus
	}
	return fields, exclude, nil
}

// near is the collection that may have been meant by a name; "" for none.
func near(name string, known []collection) string {
	var all []string
	for _, c := range known {
		all = append(all, c.name)
	}
	return field.Nearest(name, all)
}
