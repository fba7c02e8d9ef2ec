package config

import "strconv"

// A kind is the kind of a node of the parsed file.
type kind uint8

const (
	null kind = iota
	text
	number
	boolean
	list
	section
)

// String names a kind in messages.
func (k kind) String() string {
	return [...]string{"nothing", "text", "a number", "true or false", "a list", "a section"}[k]
}

// A place is where a value was written: a line of the file, a line of the
// file that overrides it, or an environment variable.
type place struct {
	line, column int
	override     string // the name of the overriding file; empty for the file itself
	variable     string
}

func (p place) fromEnvironment() bool { return p.variable != "" }

// rank orders places by precedence: a value of a higher rank replaces
// one of a lower rank.
func (p place) rank() int {
	switch {
	case p.variable != "":
		return 2
	case p.override != "":
		return 1
	}
	return 0
}

// String is the place in messages about another one.
func (p place) String() string {
	if p.fromEnvironment() {
		return p.variable
	}
	if p.override != "" {
		return p.override + " line " + strconv.Itoa(p.line)
	}
	return "line " + strconv.Itoa(p.line)
}

// A node is one value of the file, in either format. Scalars keep their
// spelling, so that a password of digits keeps its leading zeros.
type node struct {
	kind    kind
	text    string // of a scalar: as written, or the content of a text
	list    []*node
	entries []entry // of a section; of a list: values for single members, by index
	at      place
	refers  []string // the variables and files that a scalar was found to refer to
}

// An entry is one key of a section. Keys may be dotted, and may occur twice:
// both are resolved when the section is read, by [object].
type entry struct {
	key    string
	at     place
	value  *node
	dotted bool // it was the tail of a dotted key
}
