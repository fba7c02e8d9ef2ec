package extract

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// visible returns the visible text of the page: the title, then the text, a line for each block.
// Scripts, styles and templates are left out; text that style sheets or scripts hide is not recognized.
func visible(page string) string {
	v := visitor{z: html.NewTokenizer(strings.NewReader(page))}
	for v.next() {
	}
	title, body := v.title.String(), v.body.String()
	if title == "" || body == "" {
		return title + body
	}
	return title + "\n" + body
}

// visitor walks over the tokens of a page. It builds no tree, so it needs memory only for the text,
// and no nesting is too deep for it.
type visitor struct {
	z           *html.Tokenizer
	title, body lines
	raw         rawText // how the tokenizer reads the next text
	templates   int     // how deep in template elements
	foreign     int     // how deep in svg and math, which have other rules
	pre         int     // how deep in pre, which keeps line breaks
}

// rawText is the kind of element whose content is one token of text.
type rawText uint8

const (
	none    rawText = iota
	hidden          // script, style and so on
	heading         // title
)

func (v *visitor) next() bool {
	switch v.z.Next() {
	case html.ErrorToken: // the end; a string has no other error
		return false
	case html.TextToken:
		v.text(string(v.z.Text()))
		v.raw = none
	case html.StartTagToken:
		v.start(false)
	case html.SelfClosingTagToken:
		v.start(true)
	case html.EndTagToken:
		v.end()
	}
	return true
}

func (v *visitor) text(s string) {
	switch {
	case v.raw == hidden || v.templates > 0:
	case v.raw == heading:
		if v.title.String() == "" {
			v.title.write(s, false)
		}
	default:
		v.body.write(s, v.pre > 0)
	}
}

func (v *visitor) start(selfClosing bool) {
	b, _ := v.z.TagName()
	name := string(b)
	v.raw = none
	switch name {
	case "script", "style", "noscript", "iframe", "noembed", "noframes":
		v.raw = hidden
	case "title":
		v.raw = heading
	case "svg", "math":
		if !selfClosing {
			v.foreign++
		}
	case "template":
		v.templates++
	case "pre":
		v.pre++
	}
	if v.foreign > 0 && v.raw != none {
		if selfClosing { // only there it closes the element, and no text follows
			v.z.NextIsNotRawText()
			v.raw = none
		} else {
			v.raw = hidden // the title of a drawing is not that of the page
		}
	}
	v.separate(name)
}

func (v *visitor) end() {
	b, _ := v.z.TagName()
	name := string(b)
	v.raw = none
	switch name {
	case "svg", "math":
		v.foreign = max(0, v.foreign-1)
	case "template":
		v.templates = max(0, v.templates-1)
	case "pre":
		v.pre = max(0, v.pre-1)
	}
	v.separate(name)
}

// separate ends a line at the edges of blocks, and a word at the edges of cells.
func (v *visitor) separate(name string) {
	switch name {
	case "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details",
		"dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1",
		"h2", "h3", "h4", "h5", "h6", "head", "header", "hgroup", "hr", "html", "legend", "li", "main",
		"menu", "nav", "ol", "optgroup", "option", "p", "pre", "search", "section", "select", "summary",
		"table", "tbody", "tfoot", "thead", "tr", "ul":
		v.body.gap = '\n'
	case "td", "th", "img", "button", "input", "textarea":
		v.body.space()
	}
}

// lines is text with collapsed white space: no line break or space is written twice, or at either
// end.
type lines struct {
	b   strings.Builder
	gap byte // written before the next character: 0, ' ' or '\n'
}

func (l *lines) String() string { return l.b.String() }

func (l *lines) space() {
	if l.gap == 0 {
		l.gap = ' '
	}
}

func (l *lines) write(s string, breaks bool) {
	for _, r := range s {
		switch {
		case breaks && r == '\n':
			l.gap = '\n'
		case unicode.IsSpace(r):
			l.space()
		default:
			if l.gap != 0 && l.b.Len() > 0 {
				l.b.WriteByte(l.gap)
			}
			l.gap = 0
			l.b.WriteRune(r)
		}
	}
}
