package mssqltest

import (
	"fmt"
	"regexp"
	"strings"
)

// token is a word, a literal or another character of a statement.
type token struct {
	kind tokenKind
	text string // without quotes if it is a name or a text
}

type tokenKind uint8

// The kinds of tokens, in the order of the groups of [lexeme].
const (
	tokenEnd    tokenKind = iota
	tokenWide             // N'…'
	tokenText             // '…'
	tokenName             // a name in brackets
	tokenHex              // 0x…
	tokenNumber           // digits, with a point or an exponent
	tokenWord             // a keyword, a name without quotes, or a parameter
	tokenOther            // any other character; also a quote or a comment that does not end, at which parsing fails
)

// lexeme is a token after blanks and comments.
var lexeme = regexp.MustCompile(`^(?:\s|/\*(?s:.*?)\*/)*(?:N'((?:[^']|'')*)'|'((?:[^']|'')*)'|\[((?:[^\]]|\]\])*)\]|0x([0-9a-fA-F]*)|` +
	`((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([\pL_#$@][\pL\pN_#$@]*)|(>=|<=|<>|::|.))`)

// lex splits a batch into tokens.
func lex(sql string) (tokens []token) {
	for {
		m := lexeme.FindStringSubmatchIndex(sql)
		if m == nil {
			return append(tokens, token{})
		}
		kind := tokenWide
		for m[2*kind] < 0 {
			kind++
		}
		t := token{kind: kind, text: sql[m[2*kind]:m[2*kind+1]]}
		switch kind {
		case tokenWide, tokenText:
			t.text = strings.ReplaceAll(t.text, "''", "'")
		case tokenName:
			t.text = strings.ReplaceAll(t.text, "]]", "]")
		}
		tokens = append(tokens, t)
		sql = sql[m[1]:]
	}
}

// is reports whether the token has this text, and no quotes.
func (t token) is(text string) bool { return t.kind >= tokenNumber && strings.EqualFold(t.text, text) }

func (t token) String() string {
	if t.kind == tokenEnd {
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}
