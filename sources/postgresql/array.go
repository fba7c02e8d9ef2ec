package postgresql

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// maxDepth is how many dimensions the server's arrays can have, including those of nested arrays.
const maxDepth = 12

const badArray = "an array in an unknown form"

// parseArray reads an array's text, such as {1,NULL,"a \"b\""} or [0:1]={{1},{2}}, see
// https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO. The bounds are dropped. An element
// without a form in JSON is null; the first such reason is returned.
func parseArray(text string, delimiter byte, element convert) (document.Value, string) {
	if strings.HasPrefix(text, "[") {
		_, after, ok := strings.Cut(text, "=")
		if !ok {
			return document.Null(), badArray
		}
		text = after
	}
	p := arrayParser{rest: text, delimiter: delimiter, element: element}
	v, ok := p.list(1)
	if !ok || p.rest != "" {
		return document.Null(), badArray
	}
	return v, p.reason
}

type arrayParser struct {
	rest      string
	delimiter byte
	element   convert
	reason    string
}

// list reads from a brace to its closing brace.
func (p *arrayParser) list(depth int) (document.Value, bool) {
	if depth > maxDepth || !p.take('{') {
		return document.Value{}, false
	}
	list := []document.Value{}
	if p.take('}') {
		return document.List(list), true
	}
	for {
		v, ok := p.member(depth)
		if !ok {
			return document.Value{}, false
		}
		list = append(list, v)
		if p.take('}') {
			return document.List(list), true
		}
		if !p.take(p.delimiter) {
			return document.Value{}, false
		}
	}
}

func (p *arrayParser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *arrayParser) member(depth int) (document.Value, bool) {
	if strings.HasPrefix(p.rest, "{") {
		return p.list(depth + 1)
	}
	var text string
	if p.take('"') {
		quoted, ok := p.quoted()
		if !ok {
			return document.Value{}, false
		}
		text = quoted
	} else {
		end := strings.IndexFunc(p.rest, func(r rune) bool { return r == rune(p.delimiter) || r == '}' })
		if end <= 0 {
			return document.Value{}, false
		}
		text, p.rest = p.rest[:end], p.rest[end:]
		if strings.EqualFold(text, "NULL") {
			return document.Null(), true
		}
	}
	v, reason := p.element(text)
	if p.reason == "" {
		p.reason = reason
	}
	return v, true
}

// quoted reads to the closing quote; a backslash escapes the byte after it.
func (p *arrayParser) quoted() (string, bool) {
	var b strings.Builder
	for {
		i := strings.IndexAny(p.rest, `"\`)
		if i < 0 {
			return "", false
		}
		before := p.rest[:i]
		if p.rest[i] == '"' {
			p.rest = p.rest[i+1:]
			if b.Len() == 0 {
				return before, true // nothing was escaped, so no copy is needed
			}
			b.WriteString(before)
			return b.String(), true
		}
		if i+1 == len(p.rest) {
			return "", false
		}
		b.WriteString(before)
		b.WriteByte(p.rest[i+1])
		p.rest = p.rest[i+2:]
	}
}
