package mssqltest

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// scope is what an expression may refer to.
type scope struct {
	columns []column
	row     []any // values of the columns; nil if only types are needed
	params  map[string]value
	err     error // the first error; values after it have no meaning
}

func (s *scope) fail(number int32, format string, args ...any) {
	if s.err == nil {
		s.err = failed(number, 16, format, args...)
	}
}

// at is the scope of a row.
func (s *scope) at(row []any) *scope {
	s.row = row
	return s
}

// expr computes the value of an expression. Without a row it finds only the type.
type expr func(s *scope) value

func constant(v value) expr { return func(*scope) value { return v } }

// columnOf finds a column by its name.
func columnOf(name string) expr {
	return func(s *scope) (v value) {
		at := (&table{columns: s.columns}).place(name)
		if at < 0 {
			s.fail(207, "invalid column name '%s'", name)
			return v
		}
		v.typ = s.columns[at].typ
		if s.row != nil {
			v.v = s.row[at]
		}
		return v
	}
}

// operand is a value in a query, a comparison or a row.
func (p *parser) operand() expr {
	e := p.primary()
	for p.err == nil {
		of := e
		switch {
		case p.take(".", "ToString", "(", ")"), p.take(".", "AsTextZM", "(", ")"): // values of .NET types are stored as their text
			e = func(s *scope) value { return value{typ: typ{base: "nvarchar", size: unlimited}, v: of(s).v} }
		case p.take("COLLATE"):
			collation := p.identifier()
			e = func(s *scope) value {
				v := of(s)
				v.typ.collation = collation
				return v
			}
		default:
			return e
		}
	}
	return e
}

func (p *parser) primary() expr {
	if v, ok := p.literal(); ok {
		return constant(v)
	}
	switch {
	case p.peek().kind == tokenWord && strings.HasPrefix(p.peek().text, "@"):
		name := strings.ToLower(p.next().text)
		return func(s *scope) value {
			v, ok := s.params[name]
			if !ok {
				s.fail(137, "must declare the scalar variable \"%s\"", name)
			}
			return v
		}
	case p.take("CONVERT", "("):
		to, style := p.typ(), 0
		p.expect(",")
		of := p.operand()
		if p.take(",") {
			style = p.integer()
		}
		p.expect(")")
		return converted(of, to, style)
	case p.take("CAST", "("):
		of := p.operand()
		p.expect("AS")
		to := p.typ()
		p.expect(")")
		return converted(of, to, 0)
	case p.take("REPLICATE", "("):
		of := p.operand()
		p.expect(",")
		n := p.integer()
		p.expect(")")
		return func(s *scope) value { return repeated(of(s), n) }
	case p.take("CONCAT", "("):
		return p.concat()
	case p.take(variantFunction, "("):
		of := p.operand()
		p.expect(",")
		style := p.integer()
		p.expect(")")
		return func(s *scope) value { return s.variantText(of(s), style) }
	}
	return p.nameOrParse()
}

// literal is a value written in the statement.
func (p *parser) literal() (v value, ok bool) {
	sign := ""
	if p.take("-") {
		sign = "-"
	}
	switch t := p.peek(); {
	case t.kind == tokenNumber:
		p.next()
		return numberValue(sign + t.text), true
	case sign != "":
		p.fail()
		return value{}, true
	case t.kind == tokenText, t.kind == tokenWide:
		p.next()
		return textValue(t.text, t.kind == tokenWide), true
	case t.kind == tokenHex:
		p.next()
		raw, _ := hex.DecodeString(t.text) // lex found only hexadecimal digits
		return value{typ: typ{base: "varbinary", size: max(1, len(raw))}, v: raw}, true
	case p.take("NULL"):
		return value{typ: named("int")}, true
	}
	return value{}, false
}

func converted(of expr, to typ, style int) expr {
	return func(s *scope) value { return s.convert(of(s), to, style) }
}

// concat parses the rest of CONCAT of texts, where NULL counts as an empty text.
func (p *parser) concat() expr {
	all := series(p, p.operand)
	p.expect(")")
	return func(s *scope) value {
		var out strings.Builder
		for _, e := range all {
			text, _ := e(s).v.(string)
			out.WriteString(text)
		}
		return value{typ: typ{base: "nvarchar", size: unlimited}, v: out.String()}
	}
}

// repeated is REPLICATE. The result has at most 8,000 bytes, unless the text has a max type.
func repeated(text value, n int) value {
	s, _ := text.v.(string)
	if text.typ.size != unlimited {
		n = min(n, 8000/max(1, len(s)))
		text.typ.size = 8000
	}
	return value{typ: text.typ, v: strings.Repeat(s, n)}
}

// nameOrParse is a column, or a value of a .NET type by its text, written as hierarchyid::Parse or a similar
// function.
func (p *parser) nameOrParse() expr {
	name := p.identifier()
	switch {
	case p.take("::", "Parse", "("), p.take("::", "STGeomFromText", "("):
		text := textValue(p.text(), true)
		if p.take(",") {
			p.integer() // the coordinate system
		}
		p.expect(")")
		return converted(constant(text), named(strings.ToLower(name)), 0)
	case p.peek().is("("):
		p.err = fmt.Errorf("'%s' is not a recognized built-in function name", name)
		return nil
	}
	p.columns = append(p.columns, name)
	return columnOf(name)
}

// condition is comparisons with AND, OR and parentheses.
func (p *parser) condition() expr {
	return p.logic("OR", func() expr { return p.logic("AND", p.comparison) })
}

// logic parses operands of AND or of OR. An unknown result counts as false, which makes no difference without NOT.
func (p *parser) logic(word string, operand func() expr) expr {
	all := []expr{operand()}
	for p.take(word) {
		all = append(all, operand())
	}
	return func(s *scope) value {
		for _, e := range all {
			if v := e(s); s.row != nil && (v.v == true) == (word == "OR") {
				return truth(word == "OR")
			}
		}
		return truth(word == "AND")
	}
}

func truth(yes bool) value { return value{typ: named("bit"), v: yes} }

func (p *parser) comparison() expr {
	if p.take("(") {
		e := p.condition()
		p.expect(")")
		return e
	}
	left := p.operand()
	operator := p.either("=", "<>", ">=", "<=", ">", "<")
	if operator == "" {
		p.fail()
		return nil
	}
	right := p.operand()
	return func(s *scope) value {
		l, r := left(s), right(s)
		return truth(!l.null() && !r.null() && holds(operator, s.compare(l, r)))
	}
}

// holds reports whether a comparison is true for two values in that order.
func holds(operator string, order int) bool {
	switch {
	case order == 0:
		return operator == "=" || operator == ">=" || operator == "<="
	case order > 0:
		return strings.HasPrefix(operator, ">") || operator == "<>"
	}
	return strings.HasPrefix(operator, "<")
}

// variantFunction replaces the source's expression for a column of the type sql_variant: the value as text, after the
// name of its own type. The expression has a form for each type; only that of floats differs.
const variantFunction = "VARIANT_TEXT"

var variantForm = regexp.MustCompile(`CONVERT\(nvarchar\(60\), SQL_VARIANT_PROPERTY\((\[(?:[^\]]|\]\])+\]), 'BaseType'\)\) \+ N':' \+ CASE .*?` +
	`CONVERT\(float, \[(?:[^\]]|\]\])+\]\), (\d)\).*? ELSE CONVERT\(nvarchar\(4000\), \[(?:[^\]]|\]\])+\]\) END`)

// shortVariants replaces the expression with the function.
func shortVariants(sql string) string {
	if !strings.Contains(sql, "SQL_VARIANT_PROPERTY") {
		return sql
	}
	return variantForm.ReplaceAllString(sql, variantFunction+"($1, $2)")
}

// variantText is a value of the type sql_variant in the form that the source expects.
func (s *scope) variantText(v value, floatStyle int) value {
	text := typ{base: "nvarchar", size: unlimited}
	inner, ok := v.v.(value)
	if !ok {
		return value{typ: text}
	}
	by, style := inner.typ, 0
	switch base := inner.typ.base; {
	case base == "float" || base == "real":
		by, style = named("float"), floatStyle
	case inner.typ.is(binaries):
		style = styleHexBare
	case base == "date":
		style = styleDay
	case base == "time" || base == "datetime2" || base == "datetimeoffset":
		by = named(base)
	case base == "smalldatetime":
		by = named("datetime")
	}
	out := s.convert(s.convert(inner, by, 0), text, style)
	out.v = fmt.Sprintf("%s:%v", inner.typ.base, out.v)
	return out
}
