package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// refers records what the value of a key refers to, for [Origin].
func (e *expander) refers(to string) {
	if !slices.Contains(e.n.refers, to) { // an alias is read more than once
		e.n.refers = append(e.n.refers, to)
	}
}

// sets names where a variable is set; the environment takes precedence.
func (l *loader) sets(variable string) string {
	if _, ok := l.env.lookup(variable); ok {
		return "the environment"
	}
	return ".env"
}

// provenance is where a value came from, and whether a file of the configuration
// holds the value itself.
func (l *loader) provenance(n *node) (from string, written bool) {
	if n.at.fromEnvironment() {
		if l.sets(n.at.variable) == ".env" {
			return "variable " + n.at.variable + " from .env", false
		}
		return l.where(n.at), false
	}
	var to []string
	n.references(&to)
	return strings.Join(append([]string{l.where(n.at)}, to...), ", "), len(to) == 0
}

// references collects what a node, and everything below it, refers to.
func (n *node) references(to *[]string) {
	*to = append(*to, n.refers...)
	for _, member := range n.list {
		member.references(to)
	}
	for _, e := range n.entries {
		e.value.references(to)
	}
}

// StateDirFrom names where [StateDir] is set.
func StateDirFrom(env func(string) string) string {
	switch {
	case env("ELASTIC_INGEST_STATE_DIR") != "":
		return "environment variable ELASTIC_INGEST_STATE_DIR"
	case filepath.IsAbs(env("XDG_STATE_HOME")):
		return "environment variable XDG_STATE_HOME"
	case filepath.IsAbs(env("HOME")):
		return "default, in the home folder"
	}
	return "default, beside the configuration file"
}
