package mssql

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The server has no read-only transactions, and accepts several statements without a separator.
// So the words of a rule's query are checked: the keywords that begin a writing statement are
// reserved, see https://learn.microsoft.com/sql/t-sql/language-elements/reserved-keywords-transact-sql,
// so no other name equals one of them unless it is quoted.

// writing are the reserved words that no read-only query contains. The quoted text of OPENQUERY and similar functions
// is run by another server, and could be anything.
var writing = []string{
	"ALTER", "BACKUP", "BEGIN", "CHECKPOINT", "CLOSE", "COMMIT", "CREATE", "DBCC", "DEALLOCATE", "DECLARE", "DELETE", "DENY", "DROP",
	"EXEC", "EXECUTE", "GOTO", "GRANT", "IF", "INSERT", "INTO", "KILL", "MERGE", "OPEN", "OPENDATASOURCE", "OPENQUERY", "OPENROWSET", "PRINT", "RAISERROR", "READTEXT", "RECONFIGURE",
	"RESTORE", "RETURN", "REVERT", "REVOKE", "ROLLBACK", "SAVE", "SET", "SETUSER", "SHUTDOWN", "TRUNCATE", "UPDATE", "UPDATETEXT", "USE",
	"WAITFOR", "WHILE", "WRITETEXT",
}

// hints are words that make one of the others harmless when they follow it.
var hints = map[string][]string{"MERGE": {"JOIN", "UNION"}, "USE": {"HINT", "PLAN"}}

// oneSelect returns why a text is not one read-only statement, or nil.
func oneSelect(query string) error {
	var before, last string // words or symbols
	depth, selects, begun, ended := 0, 0, false, false
	for word := range words(query) {
		if last == "" && word == ";" {
			continue // a common habit before WITH
		}
		if slices.Contains(writing, last) && !slices.Contains(hints[last], word) {
			return errWrites(last)
		}
		if word == "FOR" && last == "VALUE" && before == "NEXT" { // a number is taken from a sequence
			return errWrites("NEXT VALUE FOR")
		}
		switch {
		case ended:
			return errSeveral
		case word == ";":
			ended = true
		case word == "(":
			depth++
		case word == ")":
			depth--
		case !begun && word != "SELECT" && word != "WITH":
			return fmt.Errorf("the query begins with %s, not with SELECT or WITH", word)
		case word == "SELECT" && (depth == 0 || !begun):
			if selects++; selects > 1 && !slices.Contains([]string{"UNION", "ALL", "EXCEPT", "INTERSECT"}, last) {
				return errSeveral
			}
		}
		begun = begun || word != "("
		before, last = last, word
	}
	switch {
	case slices.Contains(writing, last):
		return errWrites(last)
	case last == "":
		return errors.New("the query is empty")
	}
	return nil
}

var errSeveral = errors.New("the query has more than one statement")

func errWrites(word string) error {
	return fmt.Errorf("the query contains %s, but a rule may only read", word)
}

// words are the words of a statement, in capital letters, and its symbols. Two quotes replace quoted text;
// comments are left out.
func words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			n, word := next(text)
			if word != "" && !yield(word) {
				return
			}
			text = text[n:]
		}
	}
}

// next is the length of the first word of a text, and the word; "" for none.
func next(text string) (n int, word string) {
	switch {
	case strings.HasPrefix(text, "--"):
		if n = strings.IndexByte(text, '\n'); n < 0 {
			n = len(text)
		}
		return n, ""
	case strings.HasPrefix(text, "/*"):
		return comment(text), ""
	}
	switch c := text[0]; c {
	case '\'', '"':
		return quoted(text, c), "''"
	case '[':
		return quoted(text, ']'), "''"
	}
	for i, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_@#$", r) {
			n = i
			break
		}
		n = i + utf8.RuneLen(r)
	}
	if n > 0 {
		return n, strings.ToUpper(text[:n])
	}
	r, n := utf8.DecodeRuneInString(text)
	if unicode.IsSpace(r) {
		return n, ""
	}
	return n, text[:n]
}

// comment is the length of the comment at the beginning of a text. Comments may be nested.
func comment(text string) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			i++
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// quoted is the length of quoted text; end closes it, unless it is doubled.
func quoted(text string, end byte) int {
	for i := 1; i < len(text); i++ {
		if text[i] != end {
			continue
		}
		if i+1 == len(text) || text[i+1] != end {
			return i + 1
		}
		i++
	}
	return len(text)
}
