package postgresql

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// catalogueType is a row of pg_type.
type catalogueType struct {
	name      string
	kind      string // typtype: b base, c composite, d domain, e enum, m multirange, p pseudo, r range
	category  string // typcategory: A is array
	element   uint32
	base      uint32
	delimiter string
}

// types are the types of a table's columns, except those that [scalar] knows.
type types map[uint32]catalogueType

const typesQuery = `
SELECT oid, typname::text, typtype::text, typcategory::text, typelem, typbasetype, typdelim::text
FROM pg_catalog.pg_type
WHERE oid = ANY($1::oid[])`

// lookUpTypes reads the types and the types they consist of.
func lookUpTypes(ctx context.Context, conn *pgx.Conn, wanted []uint32) (types, error) {
	known := types{}
	for {
		ask := []uint32{}
		for _, oid := range wanted {
			if _, simple := scalar(oid); simple {
				continue
			}
			if _, ok := known[oid]; !ok {
				ask = append(ask, oid)
			}
		}
		if len(ask) == 0 {
			return known, nil
		}
		for _, oid := range ask {
			known[oid] = catalogueType{} // not looked up again, even if it is missing
		}
		wanted = wanted[:0:0]
		var oid uint32
		var t catalogueType
		into := []any{&oid, &t.name, &t.kind, &t.category, &t.element, &t.base, &t.delimiter}
		err := each(ctx, conn, typesQuery, []any{ask}, into, func() {
			known[oid] = t
			switch {
			case t.kind == "d":
				wanted = append(wanted, t.base)
			case t.isArray():
				wanted = append(wanted, t.element)
			}
		})
		if err != nil {
			return nil, err
		}
	}
}

func (t *catalogueType) isArray() bool { return t.kind == "b" && t.category == "A" && t.element != 0 }

// column returns how to read a column of the type: a domain as its base type, an array by its
// elements, everything else as the server's text.
func (k types) column(oid uint32) columnType {
	if c, ok := scalar(oid); ok {
		return c
	}
	t := k[oid]
	switch {
	case t.kind == "d":
		return k.column(t.base)
	case t.isArray():
		return k.array(t)
	case t.kind == "e":
		return columnType{Value: toText, Kind: source.Keyword}
	case t.kind == "b" && t.name == "vector" && oid >= firstUserOID:
		return columnType{Value: toNumbers, Compat: toText, Kind: source.Double, CompatKind: source.Text}
	case t.kind == "b" && oid >= firstUserOID:
		return columnType{Value: toText, Unknown: t.name}
	}
	return columnType{Value: toText}
}

func (k types) array(t catalogueType) columnType {
	element := k.column(t.element)
	c := columnType{Unknown: element.Unknown, Zero: is("{}"), Kind: element.Kind, CompatKind: element.CompatKind}
	if element.From != "" {
		c.From, c.CompatFrom = element.From+"[]", element.CompatFrom
	}
	delimiter := byte(',')
	if t.delimiter != "" {
		delimiter = t.delimiter[0]
	}
	of := func(element convert) convert {
		return func(text string) (document.Value, string) { return parseArray(text, delimiter, element) }
	}
	c.Value = of(element.Value)
	if element.Compat != nil {
		c.Compat = of(element.Compat)
	}
	return c
}
