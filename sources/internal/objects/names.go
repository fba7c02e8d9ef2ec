package objects

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/glob"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Names are the buckets that are configured.
type Names struct {
	exact    []string
	patterns []*glob.Pattern
}

// ParseNames reads a list of buckets; option is the key that configures it. If an entry is a pattern, such as logs-* or
// * for all, the names of all buckets are listed, and those that match any entry are read.
func ParseNames(option string, entries []string) (Names, error) {
	var n Names
	var patterns []*glob.Pattern
	for _, entry := range entries {
		entry = strings.TrimSpace(entry)
		p, err := glob.Compile(entry, glob.Options{DotFiles: true})
		if err == nil && strings.Contains(entry, "/") {
			err = errors.New("is a path, not a name")
		}
		if err != nil {
			return Names{}, &source.Error{Kind: source.ErrConfig, Err: fmt.Errorf("%s: %q: %w", option, entry, err)}
		}
		if strings.ContainsAny(entry, "*?[") {
			patterns = append(patterns, p)
		} else if !slices.Contains(n.exact, entry) {
			n.exact = append(n.exact, entry)
		}
	}
	if slices.Contains(entries, "*") {
		n.exact = nil // all buckets: one that does not exist is not among them
	}
	n.patterns = patterns
	return n, nil
}

// matches reports whether a listed bucket is wanted and is not named exactly.
func (n Names) matches(name string) bool {
	if slices.Contains(n.exact, name) {
		return false
	}
	return slices.ContainsFunc(n.patterns, func(p *glob.Pattern) bool { return p.Match(name) })
}
