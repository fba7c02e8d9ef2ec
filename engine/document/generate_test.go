package document

import (
	"math"
	"strconv"
	"time"
)

// generator makes documents out of bytes, so that a fuzzer steers what is in them.
type generator struct {
	in  []byte
	end int // the fields that are still allowed
}

func (g *generator) next() byte {
	if len(g.in) == 0 {
		return 0
	}
	b := g.in[0]
	g.in = g.in[1:]
	return b
}

func (g *generator) text() string {
	n := min(int(g.next()%24), len(g.in))
	s := string(g.in[:n])
	g.in = g.in[n:]
	return s
}

func (g *generator) word() (w uint64) {
	for range 8 {
		w = w<<8 | uint64(g.next())
	}
	return w
}

// document has every kind of value and names that try to be mistaken for the engine's own.
func (g *generator) document() Document {
	g.end = 64
	doc := Document{ID: g.text(), Timestamp: g.text()}
	doc.Fields = g.fields(int(g.next()%8), 0)
	return doc
}

func (g *generator) fields(n, depth int) []Field {
	var out []Field
	taken := map[string]bool{}
	for range n {
		name := g.text()
		switch g.next() % 8 {
		case 0:
			name = "_timestamp"
		case 1:
			name = "id"
		case 2:
			name = "id_"
		}
		// Names that differ only in stray bytes are one name in JSON.
		if g.end--; g.end < 0 || taken[string([]rune(name))] {
			continue
		}
		taken[string([]rune(name))] = true
		out = append(out, Field{name, g.value(depth)})
	}
	return out
}

func (g *generator) value(depth int) Value {
	switch k := Kind(g.next() % 12); k {
	case KindBool:
		return Bool(g.next()%2 == 1)
	case KindInt:
		return Int(int64(g.word()))
	case KindUint:
		return Uint(g.word())
	case KindFloat:
		return Float(math.Float64frombits(g.word()))
	case KindDecimal:
		return Decimal(g.text())
	case KindString:
		if g.next()%4 == 0 {
			return String(`a,"_timestamp":"` + g.text() + `"}`)
		}
		return String(g.text())
	case KindTime:
		return Time(time.Unix(int64(int32(g.word())), int64(g.next())).UTC())
	case KindBytes:
		return Bytes([]byte(g.text()))
	case KindRaw:
		return Number(strconv.FormatUint(g.word(), 10) + "." + strconv.Itoa(int(g.next())))
	case KindList, KindObject:
		if depth > 3 {
			return Null()
		}
		fields := g.fields(int(g.next()%4), depth+1)
		if k == KindObject {
			return Object(fields)
		}
		list := make([]Value, len(fields))
		for i := range fields {
			list[i] = fields[i].Value
		}
		return List(list)
	case KindNull:
	}
	return Null()
}
