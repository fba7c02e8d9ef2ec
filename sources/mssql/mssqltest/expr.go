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
}

// expr computes the value of an expression. Without a row it finds only the type.
type expr func(s *scope) (value, error)

func constant(v value) expr { return func(*scope) (value, error) { return v, nil } }

// columnOf finds a column by its name.
func columnOf(name string) expr {
	return func(s *scope) (value, error) {
		for i := range s.columns {
			c := &s.columns[i]
			switch {
			case !strings.EqualFold(c.name, name):
			case s.row == nil:
				return value{typ: c.typ}, nil
			default:
				return value{typ: c.typ, v: s.row[i]}, nil
			}
		}
		return value{}, failed(207, 16, "invalid column name '%s'", name)
	}
}

// operand is a value in a query, a comparison or a row.
func (p *parser) operand() expr {
	e := p.primary()
	for p.err == nil {
		switch {
		case p.take("."):
			e = p.method(e)
		case p.take("COLLATE"):
			of, collation := e, p.identifier()
			e = func(s *scope) (value, error) {
				v, err := of(s)
				v.typ.collation = collation
				return v, err
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
	case p.peek().kind == tokenParam:
		name := strings.ToLower(p.next().text)
		return func(s *scope) (value, error) {
			v, ok := s.params[name]
			if !ok {
				return value{}, failed(137, 15, "must declare the scalar variable \"%s\"", name)
			}
			return v, nil
		}
	case p.take("CONVERT", "("):
		return p.convert()
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
		return func(s *scope) (value, error) { v, err := of(s); return repeated(v, n), err }
	case p.take("CONCAT", "("):
		return p.concat()
	case p.take(variantFunction, "("):
		of := p.operand()
		p.expect(",")
		style := p.integer()
		p.expect(")")
		return func(s *scope) (value, error) {
			v, err := of(s)
			if err != nil {
				return value{}, err
			}
			return variantText(v, style)
		}
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
		raw, err := hex.DecodeString(t.text)
		if err != nil {
			p.fail()
		}
		return value{typ: typ{base: "varbinary", size: max(1, len(raw))}, v: raw}, true
	case p.take("NULL"):
		return value{typ: named("int")}, true
	}
	return value{}, false
}

// convert parses the rest of CONVERT.
func (p *parser) convert() expr {
	to, style := p.typ(), 0
	p.expect(",")
	of := p.operand()
	if p.take(",") {
		style = p.integer()
	}
	p.expect(")")
	return converted(of, to, style)
}

func converted(of expr, to typ, style int) expr {
	return func(s *scope) (value, error) {
		v, err := of(s)
		if err != nil {
			return value{}, err
		}
		return convert(v, to, style)
	}
}

// concat parses the rest of CONCAT of two texts, where NULL counts as an empty text.
func (p *parser) concat() expr {
	all := series(p, p.operand)
	p.expect(")")
	return func(s *scope) (value, error) {
		out := value{typ: typ{base: "nvarchar", size: unlimited}}
		var b strings.Builder
		for _, e := range all {
			v, err := e(s)
			if err != nil {
				return value{}, err
			}
			if text, ok := v.v.(string); ok {
				b.WriteString(text)
			}
		}
		out.v = b.String()
		return out, nil
	}
}

// repeated is REPLICATE. The result has at most 8,000 bytes, unless the text has a max type.
func repeated(text value, n int) value {
	s, ok := text.v.(string)
	if !ok {
		return value{typ: text.typ}
	}
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
	case p.take("::"):
		p.expect(map[string]string{"hierarchyid": "Parse"}[name] + map[bool]string{true: "STGeomFromText"}[strings.HasPrefix(name, "geo")])
		p.expect("(")
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

// method is the method of hierarchyid, geography or geometry that returns its text.
func (p *parser) method(of expr) expr {
	name := strings.ToUpper(p.identifier())
	p.expect("(", ")")
	return func(s *scope) (value, error) {
		on, err := of(s)
		if err != nil {
			return value{}, err
		}
		text := typ{base: "nvarchar", size: unlimited}
		switch {
		case !on.typ.isCLR():
			return value{}, failed(258, 15, "cannot call methods on %s", on.typ.base)
		case name == "TOSTRING" && on.typ.base == "hierarchyid":
			text.size = 4000
		case name != "ASTEXTZM" || on.typ.base == "hierarchyid":
			return value{}, failed(6506, 16, "could not find method '%s' for type '%s'", name, on.typ.base)
		}
		return value{typ: text, v: on.v}, nil
	}
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
	return func(s *scope) (value, error) {
		for _, e := range all {
			v, err := e(s)
			if err != nil {
				return value{}, err
			}
			if s.row != nil && (v.v == true) == (word == "OR") {
				return truth(word == "OR"), nil
			}
		}
		return truth(word == "AND"), nil
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
	return func(s *scope) (value, error) {
		l, err := left(s)
		if err != nil {
			return value{}, err
		}
		r, err := right(s)
		if err != nil || l.null() || r.null() {
			return truth(false), err
		}
		c, err := compare(l, r)
		return truth(holds(operator, c)), err
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
func variantText(v value, floatStyle int) (value, error) {
	text := typ{base: "nvarchar", size: unlimited}
	inner, ok := v.v.(value)
	if !ok {
		return value{typ: text}, nil
	}
	by, style := inner.typ, 0
	switch base := inner.typ.base; {
	case base == "float" || base == "real":
		by, style = named("float"), floatStyle
	case inner.typ.isMoney():
		by, style = named("money"), styleHexBare
	case inner.typ.isBinary():
		style = styleHexBare
	case base == "date":
		style = styleDay
	case base == "time" || base == "datetime2" || base == "datetimeoffset":
		by = named(base)
	case base == "smalldatetime":
		by = named("datetime")
	}
	same, err := convert(inner, by, 0)
	if err != nil {
		return value{}, err
	}
	out, err := convert(same, text, style)
	if err != nil {
		return value{}, err
	}
	out.v = inner.typ.base + ":" + out.v.(string)
	return out, nil
}
