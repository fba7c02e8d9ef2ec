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

// The server has no transaction that only reads, and takes several statements without anything between
// them. So the words of a rule's query are looked at: those that begin a statement which writes are
// reserved, see https://learn.microsoft.com/sql/t-sql/language-elements/reserved-keywords-transact-sql,
// so that nothing else is called so unless it is quoted.

// writing are the reserved words that no query that only reads has. What OPENQUERY and its like have in quotes
// is for another server to do, and could be anything.
var writing = []string{
	"ALTER", "BACKUP", "BEGIN", "CHECKPOINT", "CLOSE", "COMMIT", "CREATE", "DBCC", "DEALLOCATE", "DECLARE", "DELETE", "DENY", "DROP",
	"EXEC", "EXECUTE", "GOTO", "GRANT", "IF", "INSERT", "INTO", "KILL", "MERGE", "OPEN", "OPENDATASOURCE", "OPENQUERY", "OPENROWSET", "PRINT", "RAISERROR", "READTEXT", "RECONFIGURE",
	"RESTORE", "RETURN", "REVERT", "REVOKE", "ROLLBACK", "SAVE", "SET", "SETUSER", "SHUTDOWN", "TRUNCATE", "UPDATE", "UPDATETEXT", "USE",
	"WAITFOR", "WHILE", "WRITETEXT",
}

// hints are words that make one of the others harmless when they follow it.
var hints = map[string][]string{"MERGE": {"JOIN", "UNION"}, "USE": {"HINT", "PLAN"}}

// oneSelect tells why a text is not one statement that only reads; nil is that it is.
func oneSelect(query string) error {
	var before, last string // words or signs
	depth, selects, begun, ended := 0, 0, false, false
	for word := range words(query) {
		if last == "" && word == ";" {
			continue // people write one before WITH
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
			return fmt.Errorf("it begins with %s, not with SELECT or WITH", word)
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
		return errors.New("it is empty")
	}
	return nil
}

var errSeveral = errors.New("it has more than one statement")

func errWrites(word string) error { return fmt.Errorf("it has %s, and a rule only reads", word) }

// words are the words of a statement, in capital letters, and its signs. Two quotes stand for what is quoted;
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

// next is how long the first word of a text is, and the word; "" for none.
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

// comment is how long the comment is that a text begins with. There may be others in it.
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

// quoted is how long what is quoted is; end closes it, unless it is doubled.
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
