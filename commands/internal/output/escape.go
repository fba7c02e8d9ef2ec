package output

import (
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
)

// markdownSafe are the ASCII characters, besides letters and digits, that mean nothing in Markdown or HTML.
const markdownSafe = ` -,/()=;+%'".?`

// markdownText makes untrusted text safe within a line of Markdown, in a table as well. Characters with a meaning
// become character references, which cannot begin a structure, see https://spec.commonmark.org/0.31.2/#entity-references.
// A reference does not stop GitHub from linking @name and #1, so an invisible space follows these characters.
func markdownText(s string) string { return markdownEscaped(s, "\u200b") }

// markdownCode is the same, set as code. Nothing is linked there, so no space is necessary.
func markdownCode(s string) string { return "<code>" + markdownEscaped(s, "") + "</code>" }

func markdownStrong(s string) string { return "**" + s + "**" }

func markdownEscaped(s, afterLink string) string {
	var b strings.Builder
	text := []rune(term.Plain(s))
	for i, r := range text {
		before, after := rune(0), rune(0)
		if i > 0 {
			before = text[i-1]
		}
		if i+1 < len(text) {
			after = text[i+1]
		}
		safe := r > 0x7f || isWord(r) || strings.ContainsRune(markdownSafe, r)
		switch r {
		case '.': // www. begins a link
			safe = before != 'w' && before != 'W'
		case '_': // within a word it means nothing
			safe = isWord(before) && isWord(after)
		case ':': // http:// and :smile:
			safe = after == ' '
		}
		if safe {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
		if r == '@' || r == '#' {
			b.WriteString(afterLink)
		}
	}
	return b.String()
}

// isWord reports an ASCII letter or digit.
func isWord(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// markdownBlock is text as a block of code, with a fence that the text cannot close.
func markdownBlock(language, text string) string {
	run, longest := 0, 2
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	return fence + language + "\n" + term.Plain(text) + "\n" + fence + "\n"
}
