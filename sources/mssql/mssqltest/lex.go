package mssqltest

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a word, a literal or another character of a statement.
type token struct {
	kind tokenKind
	text string // without quotes if it is a word, a name or a text
	at   int    // position of its beginning
}

type tokenKind uint8

const (
	tokenEnd     tokenKind = iota
	tokenWord              // a keyword, or a name without quotes
	tokenName              // a name in brackets
	tokenText              // '…'
	tokenWide              // N'…'
	tokenNumber            // digits, with a point or an exponent
	tokenHex               // 0x…
	tokenParam             // @p1
	tokenSign              // any other character
	tokenLonely            // a quote or a comment that does not end
	longestSigns = 2
)

// lex splits a batch into tokens. An unterminated quote or comment is a token at which parsing fails.
func lex(sql string) (tokens []token) {
	at := 0
	for {
		at += space(sql[at:])
		if at >= len(sql) {
			return append(tokens, token{kind: tokenEnd, at: at})
		}
		t, n := next(sql[at:])
		t.at = at
		tokens = append(tokens, t)
		at += n
	}
}

// space is the length of blanks and comments.
func space(s string) int {
	at := 0
	for at < len(s) {
		r, n := utf8.DecodeRuneInString(s[at:])
		switch {
		case unicode.IsSpace(r):
			at += n
		case strings.HasPrefix(s[at:], "/*"):
			comment, _, ok := strings.Cut(s[at+2:], "*/")
			if !ok {
				return at
			}
			at += len(comment) + 4
		default:
			return at
		}
	}
	return at
}

// next is the first token of s and its length.
func next(s string) (token, int) {
	switch c := s[0]; {
	case c == '\'':
		return quoted(s, 0, '\'', tokenText)
	case (c == 'N' || c == 'n') && strings.HasPrefix(s[1:], "'"):
		return quoted(s, 1, '\'', tokenWide)
	case c == '[':
		return quoted(s, 0, ']', tokenName)
	case strings.HasPrefix(s, "0x"):
		n := 2 + length(s[2:], func(r rune) bool { return strings.ContainsRune("0123456789abcdefABCDEF", r) })
		return token{kind: tokenHex, text: s[2:n]}, n
	case c >= '0' && c <= '9', c == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		n := number(s)
		return token{kind: tokenNumber, text: s[:n]}, n
	case c == '@':
		n := 1 + length(s[1:], isWord)
		return token{kind: tokenParam, text: s[:n]}, n
	}
	if n := length(s, isWord); n > 0 {
		return token{kind: tokenWord, text: s[:n]}, n
	}
	for _, sign := range []string{">=", "<=", "<>", "!=", "::"} {
		if strings.HasPrefix(s, sign) {
			return token{kind: tokenSign, text: sign}, longestSigns
		}
	}
	_, n := utf8.DecodeRuneInString(s)
	return token{kind: tokenSign, text: s[:n]}, n
}

// quoted reads a token that begins at start with a quote, and ends at a quote that is not doubled.
func quoted(s string, start int, end byte, kind tokenKind) (token, int) {
	var b strings.Builder
	for at := start + 1; at < len(s); at++ {
		if s[at] != end {
			b.WriteByte(s[at])
			continue
		}
		if at+1 == len(s) || s[at+1] != end {
			return token{kind: kind, text: b.String()}, at + 1
		}
		b.WriteByte(end)
		at++
	}
	return token{kind: tokenLonely, text: s}, len(s)
}

func isWord(r rune) bool {
	return r == '_' || r == '#' || r == '$' || r == '@' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// length is how many bytes at the beginning of s are such characters.
func length(s string, of func(r rune) bool) int {
	for i, r := range s {
		if !of(r) {
			return i
		}
	}
	return len(s)
}

// number is the length of a number: 1, 1.5, .5, 1e-3.
func number(s string) int {
	digits := func(s string) int { return length(s, unicode.IsDigit) }
	n := digits(s)
	if strings.HasPrefix(s[n:], ".") {
		n += 1 + digits(s[n+1:])
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		exponent := s[n+1:]
		sign := len(exponent) - len(strings.TrimLeft(exponent, "+-"))
		if d := digits(exponent[min(sign, 1):]); sign <= 1 && d > 0 {
			n += 1 + sign + d
		}
	}
	return n
}

// is reports whether the token has this text, and no quotes.
func (t token) is(text string) bool {
	bare := t.kind == tokenWord || t.kind == tokenSign || t.kind == tokenParam || t.kind == tokenNumber
	return bare && strings.EqualFold(t.text, text)
}

func (t token) String() string {
	if t.kind == tokenEnd {
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}
