package config

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// tomlLines returns the line of each key, table and array member, by path; see [tomlPath]. The
// decoder reports positions only in errors, so a second parser provides them. If that one
// stops, the decoder reports the error.
func tomlLines(data []byte) (map[string]int, *syntaxError) {
	f := &tomlFinder{data: data, line: 1, arrays: map[string]int{}, lines: map[string]int{}}
	var p unstable.Parser
	p.Reset(data)
	var table []string
	for p.NextExpression() && f.bad == nil {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = f.header(e)
		case unstable.KeyValue:
			f.keyValue(table, e)
		}
	}
	return f.lines, f.bad
}

// tomlFinder records lines. It visits the file from top to bottom.
type tomlFinder struct {
	data   []byte
	offset int // lines are counted up to here
	line   int // at offset
	arrays map[string]int
	lines  map[string]int
	bad    *syntaxError
}

// reach counts lines up to a node.
func (f *tomlFinder) reach(n *unstable.Node) {
	if at := min(int(n.Raw.Offset), len(f.data)); at > f.offset {
		f.line += bytes.Count(f.data[f.offset:at], []byte{'\n'})
		f.offset = at
	}
}

// key returns the parts of a dotted key below base, and reaches the first of them. It refuses keys that are nested
// too deeply.
func (f *tomlFinder) key(base []string, e *unstable.Node) (parts []string) {
	for it := e.Key(); it.Next(); {
		if len(parts) == 0 {
			f.reach(it.Node())
		}
		if parts = append(parts, string(it.Node().Data)); len(base)+len(parts) > maxDepth {
			f.bad = syntax(f.line, "is nested too deeply", "at most "+strconv.Itoa(maxDepth)+" levels are read")
			return nil
		}
	}
	return parts
}

// record records the line of a key, and of the tables that it implies, and returns its path.
func (f *tomlFinder) record(base, parts []string) (path []string) {
	path = slices.Clip(base)
	for _, part := range parts {
		path = append(path, part)
		if at := tomlPath(path); f.lines[at] == 0 {
			f.lines[at] = f.line
		}
	}
	return path
}

// header records [table] or [[array]], and returns the path of the keys below it.
func (f *tomlFinder) header(e *unstable.Node) (path []string) {
	parts := f.key(nil, e)
	for i, part := range parts {
		path = f.record(path, []string{part})
		at := tomlPath(path)
		count, repeated := f.arrays[at]
		if e.Kind == unstable.ArrayTable && i == len(parts)-1 {
			f.arrays[at] = count + 1
			path = f.record(path, []string{strconv.Itoa(count)})
		} else if repeated {
			path = append(path, strconv.Itoa(count-1))
		}
	}
	return path
}

func (f *tomlFinder) keyValue(base []string, e *unstable.Node) {
	if path := f.record(base, f.key(base, e)); f.bad == nil {
		f.value(path, e.Value())
	}
}

// value records the content of an inline table or an array.
func (f *tomlFinder) value(path []string, v *unstable.Node) {
	if len(path) > maxDepth { // the decoder's result is refused
		return
	}
	members := 0
	for it := v.Children(); it.Next() && f.bad == nil; {
		switch n := it.Node(); v.Kind {
		case unstable.InlineTable:
			f.keyValue(path, n)
		case unstable.Array:
			f.member(path, members, n)
			members++
		}
	}
}

// member records an array member that is a table, or an array of them: other values have no keys. A table
// without a name begins with its first key.
func (f *tomlFinder) member(path []string, i int, n *unstable.Node) {
	path = append(slices.Clip(path), strconv.Itoa(i))
	if first := n.Children(); n.Kind == unstable.InlineTable && first.Next() {
		if key := first.Node().Key(); key.Next() {
			f.reach(key.Node())
			f.lines[tomlPath(path)] = f.line
		}
	}
	f.value(path, n)
}

// tomlPath is the map key for a path.
func tomlPath(path []string) string { return strings.Join(path, "\x00") }
