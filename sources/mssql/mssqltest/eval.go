package mssqltest

import (
	"fmt"
	"math/big"
	"strings"
)

// scope is what an expression may refer to.
type scope struct {
	columns []column
	row     []any // values of the columns; nil where only types are asked for
	params  map[string]value
}

// eval finds the value of an expression. Without a row it finds the type alone.
func (s *scope) eval(e expression) (value, error) {
	switch e := e.(type) {
	case literal:
		return e.value, nil
	case parameter:
		v, ok := s.params[strings.ToLower(e.name)]
		if !ok {
			return value{}, failed(137, 15, "must declare the scalar variable \"%s\"", e.name)
		}
		return v, nil
	case columnOf:
		return s.column(e.name)
	case conversion:
		v, err := s.eval(e.of)
		if err != nil {
			return value{}, err
		}
		return convert(v, e.to, e.style)
	case call:
		return s.call(e)
	case choice:
		return s.choose(e)
	case collated:
		v, err := s.eval(e.of)
		v.typ.collation = e.collation
		return v, err
	case operation:
		return s.operate(e)
	case negation:
		yes, known, err := s.test(e.of)
		return truth(!yes && known, known), err
	case nullTest:
		v, err := s.eval(e.of)
		return truth(v.null() != e.not, true), err
	}
	return value{}, failed(102, 15, "there is no expression")
}

// choose is CASE, of the type of its first branch.
func (s *scope) choose(e choice) (value, error) {
	of, err := s.eval(e.of)
	if err != nil {
		return value{}, err
	}
	first, err := (&scope{columns: s.columns, params: s.params}).eval(e.cases[0].right)
	if err != nil {
		return value{}, err
	}
	for _, c := range e.cases {
		v, err := s.eval(c.left)
		if err != nil {
			return value{}, err
		}
		if of.null() || v.null() {
			continue
		}
		if order, err := compare(of, v); err != nil || order != 0 {
			if err != nil {
				return value{}, err
			}
			continue
		}
		out, err := s.eval(c.right)
		if err != nil {
			return value{}, err
		}
		return convert(out, first.typ, 0)
	}
	out, err := s.eval(e.otherwise)
	if err != nil {
		return value{}, err
	}
	return convert(out, first.typ, 0)
}

// truth is what a condition yields, which nothing but a WHERE sees; NULL where it is not known.
func truth(yes, known bool) value {
	if !known {
		return value{typ: named("bit")}
	}
	return value{typ: named("bit"), v: yes}
}

// test evaluates a condition.
func (s *scope) test(e expression) (yes, known bool, err error) {
	v, err := s.eval(e)
	if err != nil || v.null() {
		return false, false, err
	}
	yes, ok := v.v.(bool)
	if !ok {
		return false, false, failed(4145, 15, "an expression of non-boolean type specified in a context where a condition is expected")
	}
	return yes, true, nil
}

func (s *scope) column(name string) (value, error) {
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

func (s *scope) operate(e operation) (value, error) {
	if e.operator == "AND" || e.operator == "OR" {
		return s.logic(e)
	}
	left, err := s.eval(e.left)
	if err != nil {
		return value{}, err
	}
	right, err := s.eval(e.right)
	if err != nil {
		return value{}, err
	}
	if strings.ContainsAny(e.operator, "=<>") {
		if left.null() || right.null() {
			return truth(false, false), nil
		}
		c, err := compare(left, right)
		return truth(holds(e.operator, c), true), err
	}
	return arithmetic(e.operator, left, right)
}

// logic is AND and OR, of which the right side may not count.
func (s *scope) logic(e operation) (value, error) {
	left, known, err := s.test(e.left)
	if err != nil || known && left == (e.operator == "OR") {
		return truth(left, known), err
	}
	right, knownToo, err := s.test(e.right)
	if err != nil || knownToo && right == (e.operator == "OR") {
		return truth(right, knownToo), err
	}
	return truth(e.operator == "AND", known && knownToo), nil
}

// holds tells whether a comparison is true of two values in that order.
func holds(operator string, order int) bool {
	switch operator {
	case "=":
		return order == 0
	case "<>", "!=":
		return order != 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "<":
		return order < 0
	default:
		return order <= 0
	}
}

// arithmetic computes with whole numbers and decimals, and joins texts.
func arithmetic(operator string, a, b value) (value, error) {
	t := stronger(a.typ, b.typ)
	if t.isText() && operator == "+" {
		return concat([]value{a, b}, t)
	}
	if t.isDecimal() {
		t = typ{base: "decimal", precision: 38, scale: max(a.typ.scale, b.typ.scale)}
		if operator == "*" {
			t.scale = a.typ.scale + b.typ.scale
		}
	}
	if a.null() || b.null() {
		return value{typ: t}, nil
	}
	x, err := convert(a, typ{base: "decimal", scale: 20}, 0)
	if err != nil {
		return value{}, err
	}
	y, err := convert(b, typ{base: "decimal", scale: 20}, 0)
	if err != nil {
		return value{}, err
	}
	l, r, out := x.v.(*big.Rat), y.v.(*big.Rat), new(big.Rat)
	if r.Sign() == 0 && (operator == "/" || operator == "%") {
		return value{}, failed(8134, 16, "divide by zero error encountered")
	}
	switch operator {
	case "+":
		out.Add(l, r)
	case "-":
		out.Sub(l, r)
	case "*":
		out.Mul(l, r)
	case "/":
		out.Quo(l, r)
	case "%":
		out.SetInt(new(big.Int).Rem(l.Num(), r.Num())) // of whole numbers
	}
	from := value{typ: typ{base: "decimal", scale: 20}, v: out}
	return convert(from, t, 0)
}

// concat joins texts; of +, NULL makes NULL of all.
func concat(parts []value, t typ) (value, error) {
	t.size = unlimited
	var b strings.Builder
	for _, p := range parts {
		if p.null() {
			return value{typ: t}, nil
		}
		text, err := convert(p, t, 0)
		if err != nil {
			return value{}, err
		}
		b.WriteString(text.v.(string))
	}
	return value{typ: t, v: b.String()}, nil
}

// call runs a function or a method.
func (s *scope) call(c call) (value, error) {
	var args []value
	for _, a := range c.args {
		v, err := s.eval(a)
		if err != nil {
			return value{}, err
		}
		args = append(args, v)
	}
	if c.on != nil {
		on, err := s.eval(c.on)
		if err != nil {
			return value{}, err
		}
		return method(on, c.name)
	}
	return function(c.name, args)
}

// method is one of hierarchyid, geography and geometry.
func method(on value, name string) (value, error) {
	text := typ{base: "nvarchar", size: unlimited}
	switch {
	case !on.typ.isCLR():
		return value{}, failed(258, 15, "cannot call methods on %s", on.typ.base)
	case name == "TOSTRING" && on.typ.base == "hierarchyid":
		text.size = 4000
		return value{typ: text, v: on.v}, nil
	case (name == "ASTEXTZM" || name == "TOSTRING") && on.typ.base != "hierarchyid":
		return value{typ: text, v: on.v}, nil
	}
	return value{}, failed(6506, 16, "could not find method '%s' for type '%s'", name, on.typ.base)
}

func function(name string, args []value) (value, error) {
	count := map[string]int{
		"HIERARCHYID::PARSE": 1, "GEOGRAPHY::STGEOMFROMTEXT": 2, "GEOMETRY::STGEOMFROMTEXT": 2, "REPLICATE": 2,
		"SQL_VARIANT_PROPERTY": 2, "ISNULL": 2, "COUNT_BIG": 0, "SUBSTRING": 3,
	}
	want, known := count[name]
	switch {
	case name == "CONCAT":
		return concatFunction(args)
	case !known:
		return value{}, failed(195, 15, "'%s' is not a recognized built-in function name", strings.ToLower(name))
	case len(args) != want:
		return value{}, failed(174, 15, "the %s function requires %d arguments", strings.ToLower(name), want)
	}
	switch name {
	case "COUNT_BIG":
		return value{typ: named("bigint")}, nil // which only counts rows, see aggregated
	case "SUBSTRING":
		return substring(args[0], args[1], args[2])
	case "REPLICATE":
		return replicate(args[0], args[1])
	case "SQL_VARIANT_PROPERTY":
		return variantProperty(args[0], args[1])
	case "ISNULL":
		if args[0].null() {
			return convert(args[1], args[0].typ, 0)
		}
		return args[0], nil
	}
	base, _, _ := strings.Cut(strings.ToLower(name), "::")
	return convert(args[0], named(base), 0)
}

// concatFunction takes NULL for an empty text.
func concatFunction(args []value) (value, error) {
	t := typ{base: "varchar", size: unlimited}
	var parts []value
	for _, a := range args {
		if a.typ.isWide() {
			t.base = "nvarchar"
		}
		if !a.null() {
			parts = append(parts, a)
		}
	}
	return concat(parts, t)
}

func replicate(text, times value) (value, error) {
	n, ok := times.v.(int64)
	s, isText := text.v.(string)
	if !ok || !isText || n < 0 {
		return value{typ: text.typ}, nil
	}
	t := text.typ
	if t.size != unlimited {
		// A text that is not one of max gives none of more than 8000 bytes.
		n = min(n, int64(8000/max(1, len(s))))
		t.size = 8000
	}
	return value{typ: t, v: strings.Repeat(s, int(n))}, nil
}

// substring is a part of a text, from the character of a number on.
func substring(text, from, length value) (value, error) {
	s, isText := text.v.(string)
	at, ok1 := from.v.(int64)
	n, ok2 := length.v.(int64)
	if !isText || !ok1 || !ok2 {
		return value{typ: text.typ}, nil
	}
	all := []rune(s)
	begin := min(max(at-1, 0), int64(len(all)))
	return value{typ: text.typ, v: string(all[begin:min(begin+n, int64(len(all)))])}, nil
}

// variantProperty tells the type inside a sql_variant.
func variantProperty(v, property value) (value, error) {
	name := fmt.Sprint(property.v)
	out := value{typ: typ{base: "sql_variant"}}
	inner, ok := v.v.(value)
	switch {
	case !ok:
		return out, nil
	case strings.EqualFold(name, "BaseType"):
		out.v = value{typ: typ{base: "nvarchar", size: 128}, v: inner.typ.base}
	case strings.EqualFold(name, "Scale"):
		out.v = value{typ: named("int"), v: int64(inner.typ.scale)}
	case strings.EqualFold(name, "Precision"):
		out.v = value{typ: named("int"), v: inner.typ.precisionOf()}
	}
	return out, nil
}
