package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An Error is one error in the configuration. It never holds a value of the
// file.
type Error struct {
	File     string // as it was given to Load
	Line     int    // 0 if it is about the file as a whole
	Column   int    // 0 if unknown
	Variable string // the environment variable that is wrong, instead of a line
	Key      string // "elasticsearch.host", "connectors[0].index_name"
	Problem  string // what is wrong
	Hint     string // what to do; may be empty
}

// Error writes place, key, problem and hint.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Variable != "":
		b.WriteString("environment variable " + e.Variable)
	case e.Line > 0:
		fmt.Fprintf(&b, "%s:%d", e.File, e.Line)
	default:
		b.WriteString(e.File)
	}
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	b.WriteString(": " + e.Problem)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Errors are all errors of a configuration, in the order of the file; [Load] returns
// them instead of stopping at the first.
type Errors []*Error

// Error writes one error a line.
func (e Errors) Error() string {
	lines := make([]string, 0, len(e))
	for i, one := range e {
		if i == maxReported {
			lines = append(lines, fmt.Sprintf("and %d more errors", len(e)-i))
			break
		}
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find each one.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, one := range e {
		out[i] = one
	}
	return out
}

func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Variable, b.Variable), strings.Compare(a.Key, b.Key))
	})
	return e
}
