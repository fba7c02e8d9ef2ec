package config

import (
	"fmt"
	"strings"
)

// A syntaxOf defines which dollar signs have a meaning.
type syntaxOf uint8

const (
	// wholeSyntax: ${…} is replaced and $$ is a dollar sign.
	wholeSyntax syntaxOf = iota
	// bracesOnly: ${…} is replaced, $${ is ${, and other dollar signs are
	// literal. It is for queries, which use dollar signs themselves.
	bracesOnly
)

// maxNested is how deep variables may be nested in defaults.
const maxNested = 8

// expand replaces the variables in a scalar. It works on parsed values, so
// the content of a variable cannot change the structure of the file. Values
// from the environment are used unchanged.
func (l *loader) expand(n *node, key string, form syntaxOf) (string, bool) {
	if n.kind != text || n.at.fromEnvironment() || !strings.Contains(n.text, "$") {
		return n.text, true
	}
	e := expander{l: l, n: n, key: key, form: form}
	s, ok := e.expand(n.text, 0)
	if e.bare {
		l.warn(n.at, key, "a $ without braces was kept; write ${NAME} for a variable, $$ for a dollar sign")
	}
	return s, ok
}

type expander struct {
	l    *loader
	n    *node
	key  string
	form syntaxOf
	bare bool
}

func (e *expander) fail(problem, hint string) { e.l.fail(e.n.at, e.key, problem, hint) }

func (e *expander) expand(s string, depth int) (string, bool) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "$")
		out.WriteString(before)
		switch {
		case !found:
			return out.String(), true
		case strings.HasPrefix(rest, "${") && e.form == bracesOnly:
			out.WriteString("${")
			s = rest[2:]
		case strings.HasPrefix(rest, "$") && e.form == wholeSyntax:
			out.WriteByte('$')
			s = rest[1:]
		case strings.HasPrefix(rest, "{"):
			inner, after, closed := cutBrace(rest[1:])
			if !closed {
				e.fail("has ${ without the } that ends it", "write $$ for a dollar sign")
				return "", false
			}
			value, ok := e.reference(inner, depth)
			if !ok {
				return "", false
			}
			out.WriteString(value)
			s = after
		default:
			e.bare = e.bare || e.form == wholeSyntax && rest != "" && nameByte(rest[0], true)
			out.WriteByte('$')
			s = rest
		}
	}
}

// cutBrace cuts s at the } that closes the ${ before it.
func cutBrace(s string) (inner, after string, closed bool) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '{' && i > 0 && s[i-1] == '$':
			depth++
		case s[i] == '}' && depth > 0:
			depth--
		case s[i] == '}':
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}

// reference returns the replacement of ${inner}.
func (e *expander) reference(inner string, depth int) (string, bool) {
	if depth == maxNested {
		e.fail(fmt.Sprintf("has defaults inside defaults more than %d deep", maxNested), "")
		return "", false
	}
	if file, ok := strings.CutPrefix(inner, "file:"); ok {
		e.refers("the file " + file)
		s, err := e.l.secretFile(file)
		if err != nil {
			e.fail("reads a file: "+err.Error(), "the file must contain only the value")
		}
		return s, err == nil
	}
	end := 0
	for end < len(inner) && nameByte(inner[end], end == 0) {
		end++
	}
	name, tail := inner[:end], inner[end:]
	value, set := e.l.lookup(name)
	shell, hasShell := strings.CutPrefix(tail, ":-")
	bar, hasBar := strings.CutPrefix(tail, "|")
	switch {
	case name == "" || tail != "" && !hasShell && !hasBar:
		e.fail("has a ${…} other than ${NAME}, ${NAME:-default} and ${file:PATH}", "write $$ for a dollar sign")
		return "", false
	case hasShell && value == "": // as in a shell, empty counts as unset
		e.refers("${" + name + "} is not set")
		return e.expand(shell, depth+1)
	case set:
		e.refers("${" + name + "} from " + e.l.sets(name))
		return value, true
	case hasBar:
		e.refers("${" + name + "} is not set")
		return e.expand(bar, depth+1)
	}
	e.fail("the environment variable "+name+" is not set", "set it, in a .env beside this file for example, or give a default: ${"+name+":-default}")
	return "", false
}

// nameByte reports whether c may occur in the name of a variable.
func nameByte(c byte, first bool) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || !first && '0' <= c && c <= '9'
}
