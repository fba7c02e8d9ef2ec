package source

import (
	"fmt"
	"slices"
)

// Registry is the list of source types in the program. It does not change.
type Registry struct{ types []Type }

// MustRegistry returns a registry. It panics if a name is empty or appears twice.
func MustRegistry(types ...Type) Registry {
	seen := map[string]bool{}
	for _, t := range types {
		if t.Name == "" || seen[t.Name] || t.Open == nil {
			panic(fmt.Sprintf("source: type %q is empty, without Open, or registered twice", t.Name))
		}
		seen[t.Name] = true
	}
	return Registry{types: slices.Clone(types)}
}

// Lookup finds a type by its name.
func (r Registry) Lookup(name string) (Type, bool) {
	for _, t := range r.types {
		if t.Name == name {
			return t, true
		}
	}
	return Type{}, false
}

// Types returns all types, sorted by name.
func (r Registry) Types() []Type {
	types := slices.Clone(r.types)
	slices.SortFunc(types, func(a, b Type) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return types
}

// Names returns the names of all types, sorted.
func (r Registry) Names() []string {
	var names []string
	for _, t := range r.Types() {
		names = append(names, t.Name)
	}
	return names
}
