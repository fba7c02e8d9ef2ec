package mssqltest

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// parser parses a batch of the statements that this package supports. After the first error nothing is left to read.
type parser struct {
	tokens  []token
	at      int
	err     error
	columns []string // the names of all columns that a query refers to
}

// action runs a statement.
type action func(s *session, params map[string]value) (tdstest.Result, error)

// objectName is a table or a view; its schema is dbo if none is written.
type objectName struct{ schema, name string }

// parse reads the statements of a batch, which are separated by semicolons or not at all.
func parse(sql string) ([]action, error) {
	if answer, ok := questionOf(sql); ok {
		return []action{answer}, nil
	}
	p := &parser{tokens: lex(shortVariants(sql))}
	var all []action
	for p.err == nil && p.peek().kind != tokenEnd {
		if p.take(";") {
			continue
		}
		all = append(all, p.statement())
	}
	return all, p.err
}

func (p *parser) peek() token {
	if p.err != nil {
		return token{}
	}
	return p.tokens[p.at]
}

// next takes a token; the end token stays.
func (p *parser) next() token {
	t := p.peek()
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

func (p *parser) fail() {
	if p.err == nil {
		p.err = fmt.Errorf("incorrect syntax near %s", p.tokens[p.at])
	}
}

// take takes the words if they come next.
func (p *parser) take(words ...string) bool {
	if p.err != nil {
		return false
	}
	for i, w := range words {
		if p.at+i >= len(p.tokens) || !p.tokens[p.at+i].is(w) {
			return false
		}
	}
	p.at += len(words)
	return true
}

// either takes the first of the words that comes next, or none.
func (p *parser) either(words ...string) string {
	i := slices.IndexFunc(words, func(w string) bool { return p.take(w) })
	if i < 0 {
		return ""
	}
	return words[i]
}

func (p *parser) expect(words ...string) {
	if !p.take(words...) {
		p.fail()
	}
}

func (p *parser) identifier() string {
	t := p.peek()
	if t.kind != tokenName && (t.kind != tokenWord || slices.Contains(reserved(), strings.ToUpper(t.text))) {
		p.fail()
		return ""
	}
	return p.next().text
}

// reserved are the words that cannot be a name without quotes, as far as it matters here.
func reserved() []string {
	return []string{
		"SELECT", "FROM", "WHERE", "ORDER", "VALUES", "SET", "CREATE", "DROP", "ALTER", "INSERT", "UPDATE", "DELETE", "AND", "OR", "NULL", "AS",
		"ON", "BY", "JOIN", "BEGIN", "COMMIT", "TOP", "PRIMARY", "UNIQUE", "COLLATE", "GRANT", "DENY", "REVOKE", "EXEC", "WITH", "ROLLBACK",
	}
}

func (p *parser) object() objectName {
	first := p.identifier()
	if p.take(".") {
		return objectName{schema: first, name: p.identifier()}
	}
	return objectName{schema: "dbo", name: first}
}

// list reads several items, in parentheses and separated by commas.
func list[T any](p *parser, one func() T) (all []T) {
	p.expect("(")
	all = series(p, one)
	p.expect(")")
	return all
}

// series is a list without parentheses.
func series[T any](p *parser, one func() T) (all []T) {
	for p.err == nil {
		all = append(all, one())
		if !p.take(",") {
			break
		}
	}
	return all
}

func (p *parser) integer() int {
	n, err := strconv.Atoi(p.peek().text)
	if p.next().kind != tokenNumber || err != nil {
		p.at--
		p.fail()
	}
	return n
}

func (p *parser) text() string {
	if t := p.peek(); t.kind != tokenText && t.kind != tokenWide {
		p.fail()
		return ""
	}
	return p.next().text
}

// typ reads a type declaration: decimal(10, 2), nvarchar(max).
func (p *parser) typ() typ {
	t := p.peek()
	name := strings.ToLower(p.identifier())
	var sizes []int
	if p.peek().is("(") {
		sizes = list(p, func() int {
			if p.take("max") {
				return unlimited
			}
			return p.integer()
		})
	}
	declared, ok := declare(name, sizes)
	if !ok && p.err == nil {
		p.err = fmt.Errorf("column, parameter, or variable: cannot find data type %s", t.text)
	}
	return declared
}

// textValue is a text literal.
func textValue(text string, wide bool) value {
	base := "varchar"
	if wide {
		base = "nvarchar"
	}
	size := max(1, len(text))
	if size > 4000 {
		size = unlimited
	}
	return value{typ: typ{base: base, size: size}, v: text}
}

// numberValue is a number literal: int, decimal or float.
func numberValue(text string) value {
	if strings.ContainsAny(text, "eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return value{typ: named("float")}
		}
		return value{typ: named("float"), v: f}
	}
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return value{typ: named("int"), v: n}
	}
	rat, _ := new(big.Rat).SetString(text) // digits, a point, plus or minus
	_, fraction, _ := strings.Cut(text, ".")
	return value{typ: typ{base: "decimal", precision: 38, scale: len(fraction)}, v: rat}
}
