package glob

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// segment is one segment of a pattern.
type segment struct {
	deep    bool   // **
	literal string // the complete segment, if it has no wildcard
	tokens  []token
}

// token matches at one position of a name.
type token struct {
	kind  tokenKind
	text  string // literal
	class []span // class
	not   bool   // class: one character that is in no span
}

type tokenKind uint8

const (
	literal tokenKind = iota
	anyOne            // ?
	anyRun            // *
	class             // [...]
)

// span is a range of characters, both ends included.
type span struct{ low, high rune }

func compileSegment(text string) (segment, error) {
	if text == "**" {
		return segment{deep: true}, nil
	}
	if !strings.ContainsAny(text, "*?[") {
		return segment{literal: text}, nil
	}
	var s segment
	for len(text) > 0 {
		t := token{kind: literal}
		switch text[0] {
		case '*':
			t.kind = anyRun
			text = strings.TrimLeft(text, "*") // more stars mean the same
		case '?':
			t.kind, text = anyOne, text[1:]
		case '[':
			var err error
			if t, text, err = compileClass(text); err != nil {
				return s, err
			}
		default:
			end := strings.IndexAny(text, "*?[")
			if end < 0 {
				end = len(text)
			}
			t.text, text = text[:end], text[end:]
		}
		s.tokens = append(s.tokens, t)
	}
	return s, nil
}

// compileClass reads the class at the beginning of text and returns the rest.
func compileClass(text string) (token, string, error) {
	t := token{kind: class}
	rest := text[1:]
	if strings.HasPrefix(rest, "!") || strings.HasPrefix(rest, "^") {
		t.not, rest = true, rest[1:]
	}
	for first := true; ; first = false {
		if strings.HasPrefix(rest, "[:") {
			return t, "", errors.New("named classes such as [:alpha:] are not supported")
		}
		low, size := utf8.DecodeRuneInString(rest)
		switch {
		case size == 0:
			return t, "", errors.New("a [ without its ]; write [[] for the character itself")
		case low == utf8.RuneError && size == 1:
			return t, "", errors.New("a class with bytes that are not UTF-8")
		case low == ']' && !first:
			return t, rest[1:], nil
		}
		rest = rest[size:]
		high := low
		if after, ok := strings.CutPrefix(rest, "-"); ok && after != "" && after[0] != ']' {
			high, size = utf8.DecodeRuneInString(after)
			rest = after[size:]
		}
		if high < low {
			return t, "", fmt.Errorf("the range %c-%c is empty", low, high)
		}
		t.class = append(t.class, span{low, high})
	}
}

// matches reports whether the segment matches name, which is not empty.
func (s *segment) matches(name string, dotFiles bool) bool {
	hidden := name[0] == '.' && !dotFiles
	switch {
	case s.deep:
		return !hidden
	case s.tokens == nil:
		return s.literal == name
	case hidden && s.tokens[0].kind != literal:
		return false
	}
	return matchTokens(s.tokens, name)
}

// matchTokens tries the shortest run for each star and goes back only to the last star: the last can match
// whatever an earlier one could match in addition. So the time is the product of the lengths.
func matchTokens(tokens []token, name string) bool {
	i, star := 0, -1
	var retry string // the rest of name after the shortest match of the last star
	for rest := name; ; {
		if i < len(tokens) && tokens[i].kind == anyRun {
			star, retry = i, rest
			i++
			continue
		}
		if i == len(tokens) && rest == "" {
			return true
		}
		if i < len(tokens) {
			if size, ok := tokens[i].one(rest); ok {
				rest = rest[size:]
				i++
				continue
			}
		}
		if star < 0 || retry == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(retry)
		retry = retry[size:]
		i, rest = star+1, retry
	}
}

// one reports whether the token, which is not a star, matches the beginning of name, and how many
// bytes of it. A byte that is not UTF-8 is its own character, which no range contains.
func (t *token) one(name string) (size int, ok bool) {
	if t.kind == literal {
		return len(t.text), strings.HasPrefix(name, t.text)
	}
	r, size := utf8.DecodeRuneInString(name)
	switch {
	case size == 0:
		return 0, false
	case t.kind == anyOne:
		return size, true
	case r == utf8.RuneError && size == 1:
		return size, t.not
	}
	in := slices.ContainsFunc(t.class, func(s span) bool { return s.low <= r && r <= s.high })
	return size, in != t.not
}
