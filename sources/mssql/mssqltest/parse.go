package mssqltest

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// parser reads a batch. After the first mistake there is nothing left to read.
type parser struct {
	tokens []token
	at     int
	err    error
}

// parse reads the statements of a batch, which are separated by semicolons or not at all.
func parse(sql string) ([]statement, error) {
	p := &parser{tokens: lex(sql)}
	var all []statement
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

// next takes a token; the end stays.
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

// take takes the words if they are what follows.
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

func (p *parser) expect(words ...string) {
	if !p.take(words...) {
		p.fail()
	}
}

// word takes a keyword, in capitals.
func (p *parser) word() string {
	t := p.peek()
	if t.kind != tokenWord {
		p.fail()
		return ""
	}
	p.next()
	return strings.ToUpper(t.text)
}

func (p *parser) identifier() string {
	t := p.peek()
	if t.kind != tokenName && (t.kind != tokenWord || slices.Contains(reserved(), strings.ToUpper(t.text))) {
		p.fail()
		return ""
	}
	return p.next().text
}

// reserved are the words that no name has which is not quoted, as far as it matters here.
func reserved() []string {
	return []string{
		"SELECT", "FROM", "WHERE", "ORDER", "GROUP", "UNION", "INTO", "VALUES", "SET", "CREATE", "DROP", "ALTER", "INSERT", "UPDATE",
		"DELETE", "AND", "OR", "NOT", "NULL", "IS", "AS", "ON", "BY", "JOIN", "INNER", "LEFT", "BEGIN", "COMMIT", "TOP", "PRIMARY",
		"UNIQUE", "TABLE", "CASE", "WHEN", "THEN", "ELSE", "END", "COLLATE", "VIEW", "GRANT",
		"DENY", "REVOKE", "EXEC", "DECLARE", "WITH", "FOR", "HAVING", "EXISTS", "SAVE", "ROLLBACK",
	}
}

func (p *parser) object() objectName {
	first := p.identifier()
	if p.take(".") {
		return objectName{schema: first, name: p.identifier()}
	}
	return objectName{schema: "dbo", name: first}
}

// list reads what one reads, in parentheses and with commas between.
func list[T any](p *parser, one func() T) (all []T) {
	p.expect("(")
	for p.err == nil {
		all = append(all, one())
		if !p.take(",") {
			break
		}
	}
	p.expect(")")
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

// Expressions, by how tightly their operators bind.

func (p *parser) expression() expression {
	return p.chain(p.conjunction, "OR")
}

func (p *parser) conjunction() expression {
	return p.chain(p.condition, "AND")
}

// chain is operands with the operators between them.
func (p *parser) chain(operand func() expression, operators ...string) expression {
	left := operand()
	for p.err == nil {
		i := slices.IndexFunc(operators, func(o string) bool { return p.take(o) })
		if i < 0 {
			break
		}
		left = operation{operator: operators[i], left: left, right: operand()}
	}
	return left
}

func (p *parser) condition() expression {
	if p.take("NOT") {
		return negation{p.condition()}
	}
	left := p.sum()
	switch {
	case p.take("IS", "NOT", "NULL"):
		return nullTest{of: left, not: true}
	case p.take("IS", "NULL"):
		return nullTest{of: left}
	}
	for _, o := range []string{"=", "<>", "!=", ">=", "<=", ">", "<"} {
		if p.take(o) {
			return operation{operator: o, left: left, right: p.sum()}
		}
	}
	return left
}

func (p *parser) sum() expression { return p.chain(p.product, "+", "-") }

func (p *parser) product() expression { return p.chain(p.unary, "*", "/", "%") }

func (p *parser) unary() expression {
	if p.take("-") {
		return operation{operator: "-", left: literal{value{typ: named("int"), v: int64(0)}}, right: p.unary()}
	}
	e := p.primary()
	for p.err == nil {
		switch {
		case p.take("."):
			e = call{on: e, name: strings.ToUpper(p.identifier()), args: p.optionalArguments()}
		case p.take("COLLATE"):
			e = collated{of: e, collation: p.identifier()}
		default:
			return e
		}
	}
	return e
}

// optionalArguments are those of a method; a property, such as STSrid, has none.
func (p *parser) optionalArguments() []expression {
	if !p.peek().is("(") {
		return nil
	}
	return p.arguments()
}

func (p *parser) arguments() []expression {
	if p.take("(", ")") || p.take("(", "*", ")") { // COUNT_BIG(*) needs no columns
		return nil
	}
	return list(p, p.expression)
}

func (p *parser) primary() expression {
	t := p.peek()
	switch {
	case p.take("("):
		e := p.expression()
		p.expect(")")
		return e
	case t.kind == tokenText, t.kind == tokenWide:
		p.next()
		return literal{textValue(t.text, t.kind == tokenWide)}
	case t.kind == tokenHex:
		p.next()
		raw, err := hex.DecodeString(t.text)
		if err != nil {
			p.fail()
		}
		return literal{value{typ: typ{base: "varbinary", size: max(1, len(raw))}, v: raw}}
	case t.kind == tokenNumber:
		p.next()
		return literal{numberValue(t.text)}
	case t.kind == tokenParam:
		p.next()
		return parameter{t.text}
	case p.take("NULL"):
		return literal{value{typ: named("int")}}
	case p.take("CASE"):
		return p.choice()
	case p.take("CONVERT"):
		return p.convert()
	case p.take("CAST", "("):
		c := conversion{of: p.expression()}
		p.expect("AS")
		c.to = p.typ()
		p.expect(")")
		return c
	}
	return p.nameOrCall()
}

func (p *parser) convert() expression {
	var c conversion
	p.expect("(")
	c.to = p.typ()
	p.expect(",")
	c.of = p.expression()
	if p.take(",") {
		c.style = p.integer()
	}
	p.expect(")")
	return c
}

func (p *parser) choice() expression {
	c := choice{of: p.expression()}
	for p.take("WHEN") {
		when := operation{operator: "=", left: p.expression()}
		p.expect("THEN")
		when.right = p.expression()
		c.cases = append(c.cases, when)
	}
	p.expect("ELSE")
	c.otherwise = p.expression()
	p.expect("END")
	return c
}

// nameOrCall is a column, with its table before it or not, or a function.
func (p *parser) nameOrCall() expression {
	name := p.identifier()
	switch {
	case p.take("::"):
		method := p.identifier()
		return call{name: strings.ToUpper(name + "::" + method), args: p.arguments()}
	case p.peek().is("("):
		return call{name: strings.ToUpper(name), args: p.arguments()}
	}
	// A name behind a point is a column, unless it is a method.
	for p.peek().is(".") && !p.isMethod() {
		p.next()
		name = p.identifier()
	}
	return columnOf{name}
}

func (p *parser) isMethod() bool {
	name := strings.ToUpper(p.tokens[p.at+1].text)
	return slices.Contains([]string{"TOSTRING", "ASTEXTZM", "STASTEXT", "STSRID"}, name) && p.tokens[p.at+1].kind == tokenWord
}

// textValue is a text as it stands in a statement.
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

// numberValue is a number as it stands in a statement: int, decimal or float.
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
	rat, _ := new(big.Rat).SetString(text) // of digits and a point
	_, fraction, _ := strings.Cut(text, ".")
	return value{typ: typ{base: "decimal", precision: 38, scale: len(fraction)}, v: rat}
}

// typ reads a type as it is declared: decimal(10, 2), nvarchar(max).
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
