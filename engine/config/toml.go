package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// parseTOML reads TOML.
func parseTOML(data []byte) (root *node, problem *syntaxError) {
	defer func() { // as in parseYAML
		if recover() != nil {
			root, problem = nil, syntax(0, "is not valid TOML", "the parser gave up on it")
		}
	}()
	lines, bad := tomlLines(data)
	if bad != nil {
		return nil, bad
	}
	var decoded map[string]any
	if _, err := toml.Decode(string(data), &decoded); err != nil {
		return nil, tomlProblem(err)
	}
	r := tomlReader{lines: lines}
	root = r.node(decoded, nil, place{line: 1})
	return root, r.bad
}

func tomlProblem(err error) *syntaxError {
	bad, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return syntax(0, "is not valid TOML", "")
	}
	problem := "is not valid TOML"
	if m := safeMessage(bad.Message); m != "" {
		problem += ": " + m
	}
	return &syntaxError{line: bad.Position.Line, key: bad.LastKey, problem: problem}
}

// safeMessage cuts a message of the decoder before its first quotation,
// which may be a piece of a secret. Keys may stay.
func safeMessage(m string) string {
	if strings.HasPrefix(m, "Key '") {
		return strings.TrimSuffix("k"+m[1:], ".")
	}
	if strings.Contains(m, "is out of range") { // begins with the number itself
		return "a number is out of range"
	}
	m, _, _ = strings.Cut(m, `"`)
	m, _, _ = strings.Cut(m, `'`)
	m, _, _ = strings.Cut(m, " but ")
	m = strings.TrimRight(m, " :;,(")
	return strings.ToLower(m[:min(1, len(m))]) + m[min(1, len(m)):]
}

// A tomlReader turns decoded TOML into nodes.
type tomlReader struct {
	lines map[string]int
	made  int
	bad   *syntaxError
}

func (r *tomlReader) node(v any, path []string, above place) *node {
	out := &node{at: r.place(path, above)}
	if r.made++; r.made > maxEntries || len(path) > maxDepth {
		r.bad = syntax(out.at.line, "has too many entries or is nested too deeply", "")
		return out
	}
	switch v := v.(type) {
	case map[string]any:
		out.kind = section
		for _, key := range slices.Sorted(maps.Keys(v)) {
			child := r.node(v[key], append(slices.Clip(path), key), out.at)
			out.entries = append(out.entries, entry{key: key, at: child.at, value: child})
		}
		slices.SortStableFunc(out.entries, func(a, b entry) int { return a.at.line - b.at.line })
	case []map[string]any:
		out.kind = list
		for i, member := range v {
			out.list = append(out.list, r.node(member, append(slices.Clip(path), strconv.Itoa(i)), out.at))
		}
	case []any:
		out.kind = list
		for i, member := range v {
			out.list = append(out.list, r.node(member, append(slices.Clip(path), strconv.Itoa(i)), out.at))
		}
	case string:
		out.kind, out.text = text, v
	case bool:
		out.kind, out.text = boolean, strconv.FormatBool(v)
	case int64:
		out.kind, out.text = number, strconv.FormatInt(v, 10)
	case float64:
		out.kind, out.text = number, strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		out.kind, out.text = text, v.Format(time.RFC3339Nano)
	default:
		out.kind, out.text = text, fmt.Sprint(v)
	}
	return out
}

// place is the line of path, or of the node that contains it.
func (r *tomlReader) place(path []string, above place) place {
	if line, ok := r.lines[tomlPath(path)]; ok {
		return place{line: line}
	}
	return above
}
