package embedded

import (
	"bytes"
	"strings"
)

// pathFilter keeps the named parts of a JSON text, as filter_path and _source do. A
// path is a dotted name; * is any text in a name, ** any names, and arrays are passed
// through. A path that starts with - excludes.
type pathFilter struct {
	include, exclude []path
	dotted           bool // a dot in a key separates names too, as in documents
}

type path []string

func newPathFilter(paths []string, dotted bool) *pathFilter {
	f := &pathFilter{dotted: dotted}
	for _, p := range paths {
		p = strings.TrimSpace(p)
		if rest, minus := strings.CutPrefix(p, "-"); minus && !dotted {
			f.exclude = append(f.exclude, strings.Split(rest, "."))
		} else if p != "" {
			f.include = append(f.include, strings.Split(p, "."))
		}
	}
	return f
}

// apply filters a valid JSON object.
func (f *pathFilter) apply(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	if len(f.include) > 0 {
		b = f.value(nil, b, f.include, true)
	}
	if len(f.exclude) > 0 && len(b) > 0 {
		b = f.value(nil, b, f.exclude, false)
	}
	if len(b) == 0 {
		return []byte("{}")
	}
	return b
}

// value appends the rest of an object or array, nothing if it is empty.
func (f *pathFilter) value(dst, b []byte, paths []path, keep bool) []byte {
	start := len(dst)
	n, full := 0, 0
	if b[0] == '{' {
		dst = append(dst, '{')
		fields(b, func(key, value []byte) bool {
			full++
			before := len(dst)
			if n > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, key), ':')
			head := len(dst)
			if dst = f.field(dst, key, value, paths, keep); len(dst) == head {
				dst = dst[:before]
			} else {
				n++
			}
			return true
		})
		dst = append(dst, '}')
	} else {
		dst = append(dst, '[')
		elements(b, func(value []byte) bool {
			full++
			before := len(dst)
			if n > 0 {
				dst = append(dst, ',')
			}
			head := len(dst)
			if value[0] == '{' || value[0] == '[' {
				dst = f.value(dst, value, paths, keep)
			} else if !keep {
				dst = append(dst, value...)
			}
			if len(dst) == head {
				dst = dst[:before]
			} else {
				n++
			}
			return true
		})
		dst = append(dst, ']')
	}
	if n == 0 && (keep || full > 0) {
		return dst[:start]
	}
	return dst
}

// field appends the value of a key, the rest of it, or nothing.
func (f *pathFilter) field(dst, key, value []byte, paths []path, keep bool) []byte {
	rest, whole := f.advance(key, paths)
	if whole {
		if keep {
			return append(dst, value...)
		}
		return dst
	}
	if len(rest) > 0 && (value[0] == '{' || value[0] == '[') {
		return f.value(dst, value, rest, keep)
	}
	if keep {
		return dst
	}
	return append(dst, value...)
}

// advance returns the rest of the paths after a key, and whether one of them ends there.
func (f *pathFilter) advance(key []byte, paths []path) (rest []path, whole bool) {
	if !f.dotted || bytes.IndexByte(key, '.') < 0 {
		return step(string(key), paths)
	}
	for name := range strings.SplitSeq(string(key), ".") {
		if paths, whole = step(name, paths); whole {
			return nil, true
		}
	}
	return paths, false
}

func step(name string, paths []path) (rest []path, whole bool) {
	for _, p := range paths {
		if p[0] == "**" {
			rest = append(rest, p)
			if len(p) == 1 {
				return nil, true
			}
			p = p[1:]
		}
		if !glob(p[0], name) {
			continue
		}
		if len(p) == 1 {
			return nil, true
		}
		rest = append(rest, p[1:])
	}
	return rest, false
}
