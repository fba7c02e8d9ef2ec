package mongodb

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A large collection is read in several parts, ranges of _id, which several readers share. Nothing
// depends on exact numbers: the first range has no beginning, the last one no end, and an _id never
// changes.

const (
	rangeDocuments = 1_000_000 // in a range, at least
	mostRanges     = 16        // of a collection
	mostCounted    = 200       // with more collections, none are counted or cut
)

// cutting defines how collections are cut.
type cutting struct {
	documents, most int64 // in a range, at least; ranges of a collection
}

// span is a range of ids; nil: all of them.
type span struct {
	from, end bson.RawValue // its first id, and the first id after it; a zero value: none
}

// String is the range in the names of parts and in messages.
func (s *span) String() string {
	text := "_id "
	if !s.from.IsZero() {
		text += string(appendID(nil, s.from))
	}
	text += ".."
	if !s.end.IsZero() {
		text += string(appendID(nil, s.end))
	}
	return text
}

// cut returns the parts of a collection. others is the total number of collections to read.
func (d *database) cut(ctx context.Context, c collection, others int) []*part {
	single := &part{db: d, collection: c}
	if d.set.rule != nil || c.kind != "collection" || others > mostCounted {
		return []*part{single}
	}
	answer, err := d.ask(ctx, d.set.database, bson.D{{Key: "count", Value: c.name}})
	if err != nil {
		return []*part{single} // reading it will show the error
	}
	n, _ := answer.Lookup("n").AsInt64OK()
	single.estimate = n
	shares := min(d.cutting.most, n/d.cutting.documents)
	if shares < 2 {
		return []*part{single}
	}
	least, ok := d.extreme(ctx, c.name, 1)
	most, ok2 := d.extreme(ctx, c.name, -1)
	if !ok || !ok2 {
		return []*part{single}
	}
	spans := spansOf(least, most, shares)
	if len(spans) < 2 {
		return []*part{single}
	}
	var all []*part
	for i := range spans {
		all = append(all, &part{db: d, collection: c, span: &spans[i], estimate: n / int64(len(spans))})
	}
	return all
}

// extreme is the smallest or the largest _id of a collection.
func (d *database) extreme(ctx context.Context, name string, direction int) (id bson.RawValue, ok bool) {
	err := d.each(ctx, bson.D{
		{Key: "find", Value: name},
		{Key: "projection", Value: bson.D{{Key: "_id", Value: 1}}},
		{Key: "sort", Value: bson.D{{Key: "_id", Value: direction}}},
		{Key: "limit", Value: 1},
	}, func(raw bson.Raw) error {
		id = cloneValue(raw.Lookup("_id"))
		return nil
	})
	return id, err == nil && !id.IsZero()
}

func cloneValue(v bson.RawValue) bson.RawValue {
	if v.IsZero() {
		return v
	}
	return bson.RawValue{Type: v.Type, Value: append([]byte(nil), v.Value...)}
}

// spansOf cuts the ids from least to most into n ranges of equal width, or fewer. Only ids of a single
// divisible type are cut.
func spansOf(least, most bson.RawValue, n int64) (spans []span) {
	low, high, ok := numbers(least, most)
	if !ok || low.Cmp(high) >= 0 {
		return nil
	}
	width := new(big.Int).Sub(high, low)
	from := bson.RawValue{}
	last := low
	for i := int64(1); i < n; i++ {
		at := new(big.Int).Mul(width, big.NewInt(i))
		at.Div(at, big.NewInt(n)).Add(at, low)
		if at.Cmp(last) <= 0 {
			continue
		}
		end := idOf(at, least.Type)
		spans = append(spans, span{from: from, end: end})
		from, last = end, at
	}
	return append(spans, span{from: from})
}

// numbers are two ids as numbers with the same order.
func numbers(a, b bson.RawValue) (x, y *big.Int, ok bool) {
	if a.Type == bson.TypeObjectID && b.Type == bson.TypeObjectID {
		return new(big.Int).SetBytes(a.Value), new(big.Int).SetBytes(b.Value), len(a.Value) == 12 && len(b.Value) == 12
	}
	integer := func(v bson.RawValue) bool { return v.Type == bson.TypeInt32 || v.Type == bson.TypeInt64 }
	if !integer(a) || !integer(b) {
		return nil, nil, false
	}
	return big.NewInt(a.AsInt64()), big.NewInt(b.AsInt64()), true
}

// idOf is the id of a number, in the type of the ids.
func idOf(n *big.Int, t bson.Type) bson.RawValue {
	if t == bson.TypeObjectID {
		return bson.RawValue{Type: t, Value: n.FillBytes(make([]byte, 12))}
	}
	return bson.RawValue{Type: bson.TypeInt64, Value: binary.LittleEndian.AppendUint64(nil, uint64(n.Int64()))}
}

// appendID writes the end of a range.
func appendID(dst []byte, v bson.RawValue) []byte {
	if v.Type == bson.TypeObjectID {
		return hex.AppendEncode(dst, v.Value)
	}
	return strconv.AppendInt(dst, v.AsInt64(), 10)
}
