package mysql

import (
	"encoding/binary"
	"math"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// A geometry has the form in which the server stores it: four bytes for the number of the reference system, then
// little-endian well-known binary with two numbers per position, x before y, see
// https://dev.mysql.com/doc/refman/8.4/en/gis-data-formats.html. It becomes GeoJSON, RFC 7946, without
// the reference system.

const (
	badGeometry   = "a geometry in an unknown form"
	referenceSize = 4
	maxNesting    = 32 // collections in collections
)

// The kinds of well-known binary.
const (
	kindPoint = iota + 1
	kindLine
	kindPolygon
	kindPoints
	kindLines
	kindPolygons
	kindCollection
)

func toGeometry(c *cell) (document.Value, string) {
	if len(c.text) < referenceSize {
		return document.Null(), badGeometry
	}
	p := geometryParser{rest: []byte(c.text[referenceSize:])}
	v, ok := p.geometry(0)
	if !ok || len(p.rest) > 0 {
		return document.Null(), badGeometry
	}
	return v, ""
}

type geometryParser struct{ rest []byte }

// geometry reads a geometry with its header.
func (p *geometryParser) geometry(depth int) (document.Value, bool) {
	kind, ok := p.head()
	if !ok || depth > maxNesting {
		return document.Value{}, false
	}
	if kind == kindCollection {
		members, ok := p.list(func() (document.Value, bool) { return p.geometry(depth + 1) })
		return object("GeometryCollection", "geometries", members), ok
	}
	var name string
	var coordinates document.Value
	switch kind {
	case kindPoint:
		name = "Point"
		coordinates, ok = p.place()
	case kindLine:
		name = "LineString"
		coordinates, ok = p.list(p.place)
	case kindPolygon:
		name = "Polygon"
		coordinates, ok = p.list(p.line)
	case kindPoints:
		name = "MultiPoint"
		coordinates, ok = p.list(func() (document.Value, bool) { return p.within(kindPoint, p.place) })
	case kindLines:
		name = "MultiLineString"
		coordinates, ok = p.list(func() (document.Value, bool) { return p.within(kindLine, p.line) })
	case kindPolygons:
		name = "MultiPolygon"
		coordinates, ok = p.list(func() (document.Value, bool) { return p.within(kindPolygon, p.area) })
	default:
		return document.Value{}, false
	}
	return object(name, "coordinates", coordinates), ok
}

func object(kind, key string, value document.Value) document.Value {
	return document.Object([]document.Field{{Name: "type", Value: document.String(kind)}, {Name: key, Value: value}})
}

// head reads the byte order, of which the server uses only one, and the kind.
func (p *geometryParser) head() (kind uint32, ok bool) {
	if len(p.rest) < 5 || p.rest[0] != 1 {
		return 0, false
	}
	kind = binary.LittleEndian.Uint32(p.rest[1:])
	p.rest = p.rest[5:]
	return kind, true
}

// within reads a member that has its own header.
func (p *geometryParser) within(kind uint32, read func() (document.Value, bool)) (document.Value, bool) {
	if k, ok := p.head(); !ok || k != kind {
		return document.Value{}, false
	}
	return read()
}

// list reads a count and that many members.
func (p *geometryParser) list(member func() (document.Value, bool)) (document.Value, bool) {
	if len(p.rest) < 4 {
		return document.Value{}, false
	}
	n := binary.LittleEndian.Uint32(p.rest)
	p.rest = p.rest[4:]
	members := []document.Value{}
	for range n {
		v, ok := member()
		if !ok {
			return document.Value{}, false
		}
		members = append(members, v)
	}
	return document.List(members), true
}

func (p *geometryParser) line() (document.Value, bool) { return p.list(p.place) }
func (p *geometryParser) area() (document.Value, bool) { return p.list(p.line) }

// place reads two numbers, which must be finite.
func (p *geometryParser) place() (document.Value, bool) {
	if len(p.rest) < 16 {
		return document.Value{}, false
	}
	x := math.Float64frombits(binary.LittleEndian.Uint64(p.rest))
	y := math.Float64frombits(binary.LittleEndian.Uint64(p.rest[8:]))
	p.rest = p.rest[16:]
	for _, f := range []float64{x, y} {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return document.Value{}, false
		}
	}
	return document.List([]document.Value{document.Float(x), document.Float(y)}), true
}
