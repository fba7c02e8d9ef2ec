package mongodb

import (
	"math"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A comparison such as {_id: {$gt: x}} finds only values of x's own kind, although sorting orders all
// kinds. So the ids after one are those that compare, or else those of none of the types up to it:
// https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/. A list of the later types would
// work too, but not every server knows the names of the four obsolete types.

// typeOrder are the types that an _id may have, in sort order. Types of the same row compare
// with each other.
var typeOrder = [][]bson.Type{
	{bson.TypeMinKey},
	{bson.TypeNull},
	{bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128},
	{bson.TypeString, bson.TypeSymbol},
	{bson.TypeEmbeddedDocument},
	{bson.TypeBinary},
	{bson.TypeObjectID},
	{bson.TypeBoolean},
	{bson.TypeDateTime},
	{bson.TypeTimestamp},
	{bson.TypeDBPointer},
	{bson.TypeJavaScript},
	{bson.TypeCodeWithScope},
	{bson.TypeMaxKey},
}

// typeNames are the current types by their names for $type.
var typeNames = map[bson.Type]string{
	bson.TypeMinKey: "minKey", bson.TypeNull: "null", bson.TypeInt32: "int", bson.TypeInt64: "long", bson.TypeDouble: "double",
	bson.TypeDecimal128: "decimal", bson.TypeString: "string", bson.TypeEmbeddedDocument: "object", bson.TypeBinary: "binData",
	bson.TypeObjectID: "objectId", bson.TypeBoolean: "bool", bson.TypeDateTime: "date", bson.TypeTimestamp: "timestamp", bson.TypeMaxKey: "maxKey",
}

// rank is the row of a type in typeOrder; -1 for types that no _id has.
func rank(t bson.Type) int {
	return slices.IndexFunc(typeOrder, func(row []bson.Type) bool { return slices.Contains(row, t) })
}

// noneOf finds the ids of none of the types of some rows, and of obsolete types, whose rank must
// be checked when they arrive.
func noneOf(rows [][]bson.Type) bson.D {
	names := []string{}
	for _, t := range slices.Concat(rows...) {
		if name := typeNames[t]; name != "" {
			names = append(names, name)
		}
	}
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$type", Value: names}}}}}}
}

// where is a condition on the _id.
func where(operator string, id any) bson.D {
	return bson.D{{Key: "_id", Value: bson.D{{Key: operator, Value: id}}}}
}

// bounds are the ids to read: those of a range after the last id that was read. Zero values
// are no bounds.
type bounds struct {
	after bson.RawValue // the last id read
	from  bson.RawValue // the first of the range, if none was read yet
	end   bson.RawValue // the first after the range
}

// bounds are the bounds of the range, after an id.
func (s *span) bounds(last bson.RawValue) (b bounds) {
	b.after = last
	if s != nil {
		b.end = s.end
		if last.IsZero() {
			b.from = s.from
		}
	}
	return b
}

// filter finds the ids within the bounds, and perhaps some of obsolete types, which holds rejects.
func (b *bounds) filter() bson.D {
	low, operator := b.low()
	switch {
	case low.IsZero() && b.end.IsZero():
		return bson.D{}
	case b.end.IsZero():
		return anyOf(after(low, operator), noneOf(typeOrder[:rank(low.Type)+1]))
	case low.IsZero():
		before := bson.A{where("$lt", b.end)}
		if numeric(b.end) { // it is less than every number, and compares with none
			before = append(before, bson.D{{Key: "_id", Value: math.NaN()}})
		}
		return bson.D{{Key: "$or", Value: append(before, noneOf(typeOrder[rank(b.end.Type):]))}}
	case rank(low.Type) == rank(b.end.Type) && !isNaN(low):
		return bson.D{{Key: "_id", Value: bson.D{{Key: operator, Value: low}, {Key: "$lt", Value: b.end}}}}
	}
	// The first range, after its first document: the ids after that, and before the end.
	rest := bounds{end: b.end}
	return bson.D{{Key: "$and", Value: bson.A{anyOf(after(low, operator), noneOf(typeOrder[:rank(low.Type)+1])), rest.filter()}}}
}

// low is the lower bound, and how ids compare with it.
func (b *bounds) low() (id bson.RawValue, operator string) {
	if b.after.IsZero() {
		return b.from, "$gte"
	}
	return b.after, "$gt"
}

// after finds the ids of the same row after an id; nil if there can be none.
func after(id bson.RawValue, operator string) bson.D {
	switch {
	case id.Type == bson.TypeMinKey, id.Type == bson.TypeMaxKey, id.Type == bson.TypeNull:
		return nil
	case isNaN(id):
		var numbers []string
		for _, t := range typeOrder[rank(id.Type)] {
			numbers = append(numbers, typeNames[t])
		}
		return bson.D{{Key: "_id", Value: bson.D{{Key: "$type", Value: numbers}, {Key: "$ne", Value: math.NaN()}}}}
	}
	return where(operator, id)
}

func anyOf(first, second bson.D) bson.D {
	if first == nil {
		return second
	}
	return bson.D{{Key: "$or", Value: bson.A{first, second}}}
}

// holds reports whether the rank of an id is within the bounds. An id without a rank is always within them.
func (b *bounds) holds(id bson.RawValue) bool {
	low, _ := b.low()
	return rank(id.Type) < 0 || (low.IsZero() || rank(id.Type) >= rank(low.Type)) && (b.end.IsZero() || rank(id.Type) <= rank(b.end.Type))
}

func numeric(v bson.RawValue) bool { return rank(v.Type) == rank(bson.TypeInt32) }

func isNaN(v bson.RawValue) bool {
	switch v.Type {
	case bson.TypeDouble:
		return math.IsNaN(v.Double())
	case bson.TypeDecimal128:
		return v.Decimal128().IsNaN()
	}
	return false
}
