package config

import "strconv"

// A kind is what a node of the parsed file is.
type kind uint8

const (
	null kind = iota
	text
	number
	boolean
	list
	section
)

// expected names what a person wrote, for messages.
func (k kind) String() string {
	return [...]string{"nothing", "text", "a number", "true or false", "a list", "a section"}[k]
}

// A place is where something was written: a line of the file, a line of the
// file that overrides it, or a variable of the environment.
type place struct {
	line, column int
	override     string // the name of the overriding file; empty for the file itself
	variable     string
}

func (p place) fromEnvironment() bool { return p.variable != "" }

// rank orders places by precedence: what is written at a higher rank replaces
// what is written at a lower one.
func (p place) rank() int {
	switch {
	case p.variable != "":
		return 2
	case p.override != "":
		return 1
	}
	return 0
}

// String names the place inside messages about another one.
func (p place) String() string {
	if p.fromEnvironment() {
		return p.variable
	}
	if p.override != "" {
		return p.override + " line " + strconv.Itoa(p.line)
	}
	return "line " + strconv.Itoa(p.line)
}

// A node is one value of the file, whichever the format. Scalars keep their
// spelling, so that a password of digits keeps its leading zeros.
type node struct {
	kind    kind
	text    string // of a scalar: as it was written, or the content of a text
	list    []*node
	entries []entry // of a section; of a list: values for single members, by index
	at      place
}

// An entry is one key of a section. Keys may be dotted, and may appear twice:
// both are resolved when the section is read, by [object].
type entry struct {
	key    string
	at     place
	value  *node
	dotted bool // it was the tail of a dotted key
}
