package objects

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
	"unicode/utf8"
)

// XML reads the XML in which stores write the pages of a listing: elements and their text, in UTF-8. It exists because
// encoding/xml takes most of the time of a large listing (docs/benchmarks.md).
//
// It supports only what pages contain. Anything else, well-formed or not, stops it: then Done is false, and the store's
// library reads the page. What it reads, it reads as encoding/xml does: FuzzPage of s3 and azureblob.
type XML struct {
	b     []byte
	at    int
	empty bool // the current element is of the form <a/>
	odd   bool // something unsupported
}

// prologs are the first lines that stores write.
var prologs = []string{
	`<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version="1.0" encoding="utf-8"?>`, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`,
	`<?xml version="1.0"?>`, `<?xml version='1.0' encoding='UTF-8'?>`,
}

// NewXML starts within the root element of a page, which must have that name.
func NewXML(page []byte, root string) *XML {
	x := &XML{b: bytes.TrimPrefix(page, []byte("\uFEFF"))}
	for _, p := range prologs {
		if bytes.HasPrefix(x.b, []byte(p)) {
			x.at = len(p)
			break
		}
	}
	x.blank()
	if !x.skip("<" + root) {
		x.odd = true
		return x
	}
	for x.skip(" ") { // attributes: the namespace, and for Azure what was listed
		x.attribute()
	}
	if x.empty = x.skip("/"); !x.skip(">") {
		x.odd = true
	}
	return x
}

// Next moves to the next element within the current one, and reports whether there is one. Otherwise it leaves the
// current one, whose name is within.
func (x *XML) Next(within string) (name string, ok bool) {
	if x.odd {
		return "", false
	}
	if x.empty {
		x.empty = false
		return "", false
	}
	x.blank()
	if x.skip("</") {
		x.odd = x.odd || !x.skip(within) || !x.skip(">")
		return "", false
	}
	if !x.skip("<") {
		x.odd = true
		return "", false
	}
	if name = x.name(); name == "" {
		return "", false
	}
	x.skip(" ")
	if x.empty = x.skip("/"); !x.skip(">") {
		x.odd = true
	}
	return name, !x.odd
}

// Text is the text of an element, which it leaves.
func (x *XML) Text(of string) string {
	if x.odd || x.empty {
		x.empty = false
		return ""
	}
	rest := x.b[x.at:]
	end := bytes.IndexByte(rest, '<')
	if end < 0 {
		x.odd = true
		return ""
	}
	x.at += end
	text := x.decoded(rest[:end])
	if !x.skip("</") || !x.skip(of) || !x.skip(">") {
		x.odd = true
	}
	return text
}

// Root is the name of the root element of a response, "" if it is not XML. The libraries take a response of another
// kind, such as a proxy's login page, for a listing without objects.
func Root(answer []byte) string {
	d := xml.NewDecoder(bytes.NewReader(answer))
	for {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		if root, ok := t.(xml.StartElement); ok {
			return root.Name.Local
		}
	}
}

// Done reports whether everything was read and supported, to the end of the root element.
func (x *XML) Done() bool {
	x.blank()
	return !x.odd && x.at == len(x.b)
}

// Odd stops the reading: a value is unsupported.
func (x *XML) Odd() { x.odd = true }

func (x *XML) skip(text string) bool {
	if len(x.b)-x.at < len(text) || string(x.b[x.at:x.at+len(text)]) != text {
		return false
	}
	x.at += len(text)
	return true
}

func (x *XML) blank() {
	for x.at < len(x.b) && (x.b[x.at] == ' ' || x.b[x.at] == '\n' || x.b[x.at] == '\t') {
		x.at++
	}
}

// attribute skips an attribute of plain characters.
func (x *XML) attribute() {
	if x.name() == "" || !x.skip(`="`) {
		x.odd = true
		return
	}
	for ; x.at < len(x.b) && x.b[x.at] != '"'; x.at++ {
		if c := x.b[x.at]; c < ' ' || c > '~' || c == '<' || c == '&' {
			x.odd = true
			return
		}
	}
	x.odd = x.odd || !x.skip(`"`)
}

// name reads the name of an element or attribute.
func (x *XML) name() string {
	start := x.at
	for x.at < len(x.b) {
		c := x.b[x.at]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		further := '0' <= c && c <= '9' || c == '-' || c == '.'
		if !letter && (x.at == start || !further) {
			break
		}
		x.at++
	}
	x.odd = x.odd || x.at == start
	return string(x.b[start:x.at])
}

// decoded is text with its entities resolved. It is a copy, so that it does not keep the page in memory.
func (x *XML) decoded(raw []byte) string {
	plain := true
	for _, c := range raw {
		if c < ' ' && c != '\n' && c != '\t' || c == ']' { // line ends are changed, and "]]>" is refused
			x.odd = true
			return ""
		}
		plain = plain && c != '&' && c < utf8.RuneSelf
	}
	text := string(raw)
	if plain {
		return text
	}
	if strings.Contains(text, "&") {
		text = x.entities(text)
	}
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\uFFFE\uFFFF") {
		x.odd = true
	}
	return text
}

func (x *XML) entities(text string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "&")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, rest, found := strings.Cut(after, ";")
		r := entity(name)
		if !found || r == 0 {
			x.odd = true
			return ""
		}
		b.WriteRune(r)
		text = rest
	}
}

// entity is the character that an entity stands for, or 0.
func entity(name string) rune {
	switch name {
	case "amp":
		return '&'
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "quot":
		return '"'
	case "apos":
		return '\''
	}
	digits, found := strings.CutPrefix(name, "#")
	base := 10
	if hex, is := strings.CutPrefix(digits, "x"); is {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	r := rune(n) //nolint:gosec // what is no character is refused
	if !found || err != nil || n > utf8.MaxRune || !utf8.ValidRune(r) || r < ' ' && r != '\n' && r != '\t' && r != '\r' {
		return 0
	}
	return r
}
