package mirror

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/glob"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// namesKept is the number of names kept to suggest a similar one.
const namesKept = 10_000

// partFilter is --part. It records which of its patterns matched a listed part, or a document in the index
// whose part no longer exists.
type partFilter struct {
	globs    []string
	patterns []*glob.Pattern
	bare     bool // schemas may be omitted from table names

	mu      sync.Mutex
	matched map[int]bool
	names   map[string]bool // the first existing names
}

// newPartFilter creates the filter, nil without patterns.
func newPartFilter(globs []string, typ *source.Type) (*partFilter, error) {
	if len(globs) == 0 {
		return nil, nil
	}
	f := &partFilter{globs: globs, matched: map[int]bool{}, names: map[string]bool{}}
	f.bare = slices.ContainsFunc(typ.Fields, func(s field.Spec) bool { return s.Name == "tables" })
	for _, g := range globs {
		p, err := glob.Compile(g, glob.Options{DotFiles: true})
		if err != nil {
			return nil, &usage.Error{Problem: "--part: " + err.Error()}
		}
		f.patterns = append(f.patterns, p)
	}
	return f, nil
}

// wants reports whether a part is read.
func (f *partFilter) wants(scope string) (wanted bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.names) < namesKept {
		f.names[scope] = true
	}
	for i, p := range f.patterns {
		if p.Match(scope) || f.bare && !strings.Contains(f.globs[i], ".") && p.Match(bareName(scope)) {
			f.matched[i], wanted = true, true
		}
	}
	return wanted
}

// bareName is the name of a table without its schema. A quoted name may contain dots.
func bareName(scope string) string {
	const opening, closing = "\"`[", "\"`]"
	if scope == "" {
		return ""
	}
	if q := strings.IndexByte(closing, scope[len(scope)-1]); q >= 0 {
		if i := strings.LastIndex(scope, "."+opening[q:q+1]); i >= 0 {
			return scope[i+1:]
		}
		return scope
	}
	return scope[strings.LastIndexByte(scope, '.')+1:]
}

// unmatched is the error of patterns that matched nothing, or nil.
func (f *partFilter) unmatched() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var e *usage.Error
	for i, g := range f.globs {
		if f.matched[i] {
			continue
		}
		if e == nil {
			e = &usage.Error{Problem: "--part: nothing matches " + term.Quoted(g)}
		} else {
			e.Problem += ", nor " + term.Quoted(g)
		}
		var names []string
		for name := range f.names {
			names = append(names, name)
			if f.bare {
				names = append(names, bareName(name))
			}
		}
		if near := field.Nearest(g, names); near != "" && e.Hint == "" {
			e.Hint = fmt.Sprintf("did you mean %s?", term.Quoted(near))
		}
	}
	if e == nil {
		return nil
	}
	return e
}
