// Package glob is the pattern language for paths and for dotted names: the files of a folder, the
// parts of a run, lists of tables.
//
// A pattern is a slash-separated path whose segments may hold wildcards:
//
//   - any characters but /
//     ?       one character but /
//     [a-z_]  one character of the class; [!a-z] or [^a-z] one that is not; a ] comes first
//     **      as a complete segment any number of segments; as the last one at least one
//
// So a/**/b matches a/b and a/x/y/b, and a/** matches everything below a but not a itself. Two stars within
// a longer segment count as one. Patterns are case-sensitive. There is no escape character; a class of one character
// is that character: [*]. Braces and exclamation marks outside a class are ordinary characters.
// Unless [Options] say otherwise no wildcard matches the dot at the beginning of a segment, so
// hidden files must be named. Repeated slashes, and slashes at an end, are ignored.
//
// The package does not access files, and does not use the language of Go's path.Match, which has
// no ** and treats a backslash as an escape.
//
// Its invariant: matching takes at most time proportional to the pattern times the path, for any
// input.
package glob

import (
	"errors"
	"fmt"
	"strings"
)

// Options change what wildcards match.
type Options struct {
	DotFiles bool // wildcards match a leading dot too
}

// Pattern is a compiled pattern. It is safe for concurrent use.
type Pattern struct {
	text     string
	segments []segment
	options  Options
}

// Compile reads a pattern. A pattern that can never match, or is not part of the language, is an error.
func Compile(pattern string, o Options) (*Pattern, error) {
	p := &Pattern{text: pattern, options: o}
	if strings.HasPrefix(pattern, "/") {
		return nil, fmt.Errorf("pattern %q: begins with /, but paths are relative to the root", pattern)
	}
	for text := range strings.SplitSeq(pattern, "/") {
		switch text {
		case "":
			continue
		case ".", "..":
			return nil, fmt.Errorf("pattern %q: the segment %q never matches", pattern, text)
		}
		s, err := compileSegment(text)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", pattern, err)
		}
		if n := len(p.segments); s.deep && n > 0 && p.segments[n-1].deep {
			continue // **/** is **
		}
		p.segments = append(p.segments, s)
	}
	if len(p.segments) == 0 {
		return nil, errors.New("the pattern is empty")
	}
	return p, nil
}

// String returns the pattern as it was written.
func (p *Pattern) String() string { return p.text }

// Match reports whether the complete path matches.
func (p *Pattern) Match(path string) bool {
	var buf [2][stateBuffer]bool
	states := p.follow(path, &buf)
	return states[len(p.segments)]
}

// CouldMatchBelow reports whether a path below dir could match; the root is "". It may return true
// although nothing there matches, but never false although something does, so a walk may skip a
// folder for which it is false.
func (p *Pattern) CouldMatchBelow(dir string) bool {
	var buf [2][stateBuffer]bool
	states := p.follow(dir, &buf)
	for _, on := range states[:len(p.segments)] {
		if on {
			return true
		}
	}
	return false
}

// stateBuffer is how many segments a pattern may have before matching allocates.
const stateBuffer = 32

// follow consumes all segments of path. The pattern is an automaton: state i is before segment
// i of the pattern, and the last state is its end. All reachable states are followed
// together, so nothing is ever tried twice.
func (p *Pattern) follow(path string, buf *[2][stateBuffer]bool) []bool {
	n := len(p.segments) + 1
	now, next := buf[0][:], buf[1][:]
	if n > stateBuffer {
		now, next = make([]bool, n), make([]bool, n)
	}
	now, next = now[:n], next[:n]
	p.enter(now, 0)
	for len(path) > 0 {
		name, rest, _ := strings.Cut(path, "/")
		path = rest
		if name == "" {
			continue
		}
		clear(next)
		for i, on := range now[:n-1] {
			if on {
				p.step(next, i, name)
			}
		}
		now, next = next, now
	}
	return now
}

// enter reaches state i, and those that follow without consuming anything: a ** that is not the last
// segment may match nothing.
func (p *Pattern) enter(states []bool, i int) {
	states[i] = true
	if i < len(p.segments)-1 && p.segments[i].deep {
		states[i+1] = true
	}
}

// step consumes name in state i.
func (p *Pattern) step(next []bool, i int, name string) {
	s := &p.segments[i]
	switch {
	case !s.matches(name, p.options.DotFiles):
	case s.deep:
		p.enter(next, i)
		if i == len(p.segments)-1 {
			next[i+1] = true
		}
	default:
		p.enter(next, i+1)
	}
}
