package mongotest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// find responds to a find: filters on scalars, sorting by _id, projections that name fields to take.
func (s *Server) find(db string, command bson.Raw) any {
	name := command.Lookup("find").StringValue()
	if t, i, ok := command.Lookup("readConcern", "afterClusterTime").TimestampOK(); ok && (bson.Timestamp{T: t, I: i}).After(s.now()) {
		return Error{72, "InvalidOptions", "readConcern afterClusterTime value must not be greater than the current clusterTime"}
	}
	var docs []bson.Raw
	if c := s.collections[db+"."+name]; c != nil {
		filter, _ := command.Lookup("filter").DocumentOK()
		for _, d := range c.candidates(filter) {
			ok, err := matches(d, filter)
			if err != nil {
				return Error{2, "BadValue", err.Error()}
			}
			if ok {
				docs = append(docs, d)
			}
		}
	}
	if n, ok := command.Lookup("sort", "_id").AsInt64OK(); ok && n < 0 {
		slices.Reverse(docs)
	}
	if n, ok := command.Lookup("limit").AsInt64OK(); ok && n > 0 {
		docs = docs[:min(int(n), len(docs))]
	}
	if p, ok := command.Lookup("projection").DocumentOK(); ok {
		docs = slices.Clone(docs)
		for i := range docs {
			docs[i] = projected(docs[i], p)
		}
	}
	size := sizeOf(command.Lookup("batchSize"))
	first := docs[:min(size, len(docs))]
	id := int64(0)
	if rest := docs[len(first):]; len(rest) > 0 {
		id = s.open(&cursor{docs: slices.Clone(rest)})
	}
	return batch(id, db+"."+name, "firstBatch", listOf(first))
}

// candidates are the documents that can match a filter: if it lists every _id, only those are looked up.
func (c *collection) candidates(filter bson.Raw) (docs []bson.Raw) {
	ids, ok := filter.Lookup("_id", "$in").ArrayOK()
	if all, joined := filter.Lookup("$and").ArrayOK(); joined {
		if first, isDocument := all.Index(0).DocumentOK(); isDocument {
			ids, ok = first.Lookup("_id", "$in").ArrayOK()
		}
	}
	if !ok {
		return c.docs
	}
	list, err := ids.Values()
	if err != nil {
		return c.docs
	}
	slices.SortFunc(list, order)
	for _, id := range slices.CompactFunc(list, func(a, b bson.RawValue) bool { return order(a, b) == 0 }) {
		if at, known := c.place(id); known {
			docs = append(docs, c.docs[at])
		}
	}
	return docs
}

func projected(d, fields bson.Raw) bson.Raw {
	out := bson.D{}
	elements, _ := d.Elements()
	for _, e := range elements {
		if _, err := fields.LookupErr(e.Key()); err == nil || e.Key() == "_id" {
			out = append(out, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	return raw(out)
}

func raw(v any) bson.Raw {
	b, err := bson.Marshal(v)
	if err != nil {
		panic(err) // what a test stores must be BSON
	}
	return b
}

// matches evaluates a filter. An unknown operator is an error.
func matches(d, filter bson.Raw) (bool, error) {
	elements, err := filter.Elements()
	if err != nil {
		return false, err
	}
	for _, e := range elements {
		ok := false
		switch e.Key() {
		case "$and", "$or":
			ok, err = joined(d, e)
		default:
			ok, err = condition(d.Lookup(e.Key()), e.Value())
		}
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func joined(d bson.Raw, e bson.RawElement) (bool, error) {
	members, err := e.Value().Array().Values()
	if err != nil {
		return false, err
	}
	for _, m := range members {
		ok, err := matches(d, m.Document())
		if err != nil || ok == (e.Key() == "$or") {
			return ok, err
		}
	}
	return e.Key() == "$and", nil
}

func condition(v, want bson.RawValue) (bool, error) {
	operators, isDocument := want.DocumentOK()
	if !isDocument {
		return order(v, want) == 0, nil
	}
	elements, err := operators.Elements()
	if err != nil {
		return false, err
	}
	if len(elements) == 0 || elements[0].Key()[0] != '$' {
		return order(v, want) == 0, nil
	}
	for _, o := range elements {
		ok := false
		c, alike := order(v, o.Value()), rank(v) == rank(o.Value())
		switch o.Key() {
		case "$in":
			var list []bson.RawValue
			list, err = o.Value().Array().Values()
			ok = slices.ContainsFunc(list, func(m bson.RawValue) bool { return order(v, m) == 0 })
		case "$gt":
			ok = alike && c > 0
		case "$gte":
			ok = alike && c >= 0
		case "$lt":
			ok = alike && c < 0
		case "$ne":
			ok = c != 0
		case "$not":
			ok, err = condition(v, o.Value())
			ok = !ok
		case "$type":
			ok, err = isOf(v, o.Value())
		default:
			err = fmt.Errorf("unknown operator: %s", o.Key())
		}
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

var typeNames = map[bson.Type]string{
	bson.TypeMinKey: "minKey", bson.TypeNull: "null", bson.TypeInt32: "int", bson.TypeInt64: "long", bson.TypeDouble: "double",
	bson.TypeString: "string", bson.TypeEmbeddedDocument: "object", bson.TypeBinary: "binData",
	bson.TypeObjectID: "objectId", bson.TypeBoolean: "bool", bson.TypeDateTime: "date", bson.TypeMaxKey: "maxKey",
}

func isOf(v, names bson.RawValue) (bool, error) {
	list, err := names.Array().Values()
	return slices.ContainsFunc(list, func(n bson.RawValue) bool { return n.StringValue() == typeNames[v.Type] }), err
}

// rank is the position of a type in the order of all values.
func rank(v bson.RawValue) int {
	switch v.Type {
	case bson.TypeMinKey:
		return 0
	case bson.TypeNull, 0:
		return 1
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble:
		return 2
	case bson.TypeString:
		return 3
	case bson.TypeEmbeddedDocument:
		return 4
	case bson.TypeBinary:
		return 5
	case bson.TypeObjectID:
		return 6
	case bson.TypeBoolean:
		return 7
	case bson.TypeDateTime:
		return 8
	}
	return 9
}

// order compares two values as sorting does.
func order(a, b bson.RawValue) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 || rank(a) == 1 {
		return c
	}
	switch a.Type {
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble:
		return cmp.Compare(a.AsFloat64(), b.AsFloat64())
	case bson.TypeString:
		return cmp.Compare(a.StringValue(), b.StringValue())
	}
	return bytes.Compare(a.Value, b.Value)
}
