package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parseYAML reads YAML through the syntax tree, because only that has
// lines and the spelling of numbers.
func parseYAML(data []byte) (root *node, problem *syntaxError) {
	// The parser is third-party code that reads untrusted text: a panic in it means a
	// broken file, not a broken program.
	defer func() {
		if recover() != nil {
			root, problem = nil, syntax(0, "is not valid YAML", "the parser gave up on it")
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, yamlProblem(err)
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); directive || doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, syntax(line(doc.Body), "holds more than one YAML document", "keep one; remove the line with ---")
		}
		body = doc.Body
	}
	if body == nil {
		return &node{kind: section, at: place{line: 1}}, nil
	}
	r := yamlReader{anchors: map[string]ast.Node{}}
	root, err = r.node(body, 0)
	if bad, ok := errors.AsType[*syntaxError](err); ok {
		return nil, bad
	}
	return root, nil
}

func yamlProblem(err error) *syntaxError {
	bad, ok := errors.AsType[*yaml.SyntaxError](err)
	if !ok || bad.Token == nil || bad.Token.Position == nil {
		return syntax(0, "is not valid YAML", "")
	}
	// The parser's messages are constants, except for single characters and the
	// version of a %YAML line; its Error method would print the surrounding lines.
	p := bad.Token.Position
	return &syntaxError{line: p.Line, column: p.Column, problem: "is not valid YAML: " + bad.Message}
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// A yamlReader converts the syntax tree to nodes. Aliases are replaced by their
// targets, so it counts the nodes that it creates.
type yamlReader struct {
	anchors map[string]ast.Node
	made    int
}

func (r *yamlReader) node(n ast.Node, depth int) (*node, error) {
	if r.made++; r.made > maxEntries {
		return nil, syntax(line(n), "has too many entries", "aliases count each time they are used")
	}
	if depth > maxDepth {
		return nil, syntax(line(n), "is nested too deeply", fmt.Sprintf("at most %d levels are read; does an alias contain itself?", maxDepth))
	}
	out := &node{}
	if t := n.GetToken(); t != nil && t.Position != nil {
		out.at = place{line: t.Position.Line, column: t.Position.Column}
	}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		out.kind, out.text = boolean, n.Token.Value
	case *ast.IntegerNode:
		out.kind, out.text = number, n.Token.Value
	case *ast.FloatNode:
		out.kind, out.text = number, n.Token.Value
	case *ast.InfinityNode:
		out.kind, out.text = number, n.Token.Value
	case *ast.NanNode:
		out.kind, out.text = number, n.Token.Value
	case *ast.StringNode:
		out.kind, out.text = text, n.Value
	case *ast.LiteralNode:
		out.kind, out.text = text, n.Value.Value
	case *ast.SequenceNode:
		return r.sequence(out, n, depth)
	case *ast.MappingNode:
		return r.mapping(out, n.Values, depth)
	case *ast.MappingValueNode:
		return r.mapping(out, []*ast.MappingValueNode{n}, depth)
	default:
		return r.indirect(n, depth)
	}
	return out, nil
}

// indirect reads a node that refers to or wraps another node.
func (r *yamlReader) indirect(n ast.Node, depth int) (*node, error) {
	switch n := n.(type) {
	case *ast.AnchorNode:
		r.anchors[name(n.Name)] = n.Value
		return r.node(n.Value, depth+1)
	case *ast.AliasNode:
		target, ok := r.anchors[name(n.Value)]
		if !ok {
			return nil, syntax(line(n), "uses an alias without an anchor above it", "a text that begins with * needs quotes")
		}
		out, err := r.node(target, depth+1)
		if err != nil {
			return nil, err
		}
		out.at.line = line(n)
		return out, nil
	case *ast.TagNode:
		return r.tagged(n, depth)
	}
	return nil, syntax(line(n), "uses a YAML feature that is not supported", "use plain values, lists and sections")
}

func name(n ast.Node) string {
	if n == nil || n.GetToken() == nil {
		return ""
	}
	return n.GetToken().Value
}

// tagged reads tags that state the obvious type, and text.
func (r *yamlReader) tagged(n *ast.TagNode, depth int) (*node, error) {
	if n.Value == nil {
		return &node{at: place{line: line(n)}}, nil
	}
	out, err := r.node(n.Value, depth+1)
	if err != nil {
		return nil, err
	}
	switch n.Start.Value {
	case "!!str":
		if out.kind != list && out.kind != section {
			out.kind = text
		}
		return out, nil
	case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
		return out, nil
	}
	return nil, syntax(line(n), "has a YAML tag that is not supported", "a text that begins with ! needs quotes")
}

func (r *yamlReader) sequence(out *node, n *ast.SequenceNode, depth int) (*node, error) {
	out.kind = list
	for _, member := range n.Values {
		child, err := r.node(member, depth+1)
		if err != nil {
			return nil, err
		}
		out.list = append(out.list, child)
	}
	return out, nil
}

func (r *yamlReader) mapping(out *node, pairs []*ast.MappingValueNode, depth int) (*node, error) {
	out.kind = section
	var merged []entry
	for _, pair := range pairs {
		value, err := r.node(pair.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if _, merge := pair.Key.(*ast.MergeKeyNode); merge {
			from, err := mergeable(value)
			if err != nil {
				return nil, err
			}
			merged = append(merged, from...)
			continue
		}
		key, at, err := yamlKey(pair.Key)
		if err != nil {
			return nil, err
		}
		if len(out.entries) == 0 {
			out.at = at
		}
		out.entries = append(out.entries, entry{key: key, at: at, value: value})
	}
	own := map[string]bool{}
	for _, e := range out.entries {
		own[e.key] = true
	}
	for _, e := range merged { // the section's own keys win, then the first
		if !own[e.key] {
			own[e.key] = true
			out.entries = append(out.entries, e)
		}
	}
	r.made += len(merged)
	return out, nil
}

// mergeable returns the entries that the value of a << key adds.
func mergeable(value *node) ([]entry, error) {
	switch value.kind {
	case section:
		return value.entries, nil
	case list:
		var all []entry
		for _, member := range value.list {
			if member.kind != section {
				return nil, syntax(value.at.line, "merges something that is not a section", "<< takes an alias of a section")
			}
			all = append(all, member.entries...)
		}
		return all, nil
	}
	return nil, syntax(value.at.line, "merges something that is not a section", "<< takes an alias of a section")
}

func yamlKey(n ast.MapKeyNode) (string, place, error) {
	at := place{line: line(n)}
	if t := n.GetToken(); t != nil && t.Position != nil {
		at.column = t.Position.Column
	}
	var inner ast.Node = n
	if wrapped, ok := n.(*ast.MappingKeyNode); ok {
		inner = wrapped.Value
	}
	switch k := inner.(type) {
	case *ast.StringNode:
		return k.Value, at, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return strings.TrimSpace(name(k)), at, nil
	}
	return "", at, syntax(at.line, "has a key that is not plain text", "write the key in quotes")
}
