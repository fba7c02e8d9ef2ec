package mongodb

import (
	"context"
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// MongoDB has no columns, but without a mapping a new index maps the text of dates and decimals as
// text. So a sample of each collection determines the kinds of its fields. Fields outside the sample are
// mapped by their first value.

// sampled is the size of a collection's sample, from its beginning and from its end.
const sampled = 500

var _ source.Describer = (*part)(nil)

// Describe reads a sample.
func (p *part) Describe(ctx context.Context) (d source.Description, err error) {
	c := p.db.newConverter(p.collection.name)
	d.Fields = []source.DescribedField{{Name: notesField, Kind: source.Text}}
	for _, f := range c.labels {
		d.Fields = append(d.Fields, source.DescribedField{Name: f.Name, Kind: source.Keyword})
	}
	d.IDPrefix = c.prefix
	if p.db.idsOnly || p.span != nil && !p.span.from.IsZero() {
		return d, nil
	}
	k := kinds{forms: p.db.set.values, of: map[string]source.FieldKind{}}
	if err := p.sample(ctx, &k); err != nil {
		return d, p.failed(ctx, "read a sample of documents", err)
	}
	d.Fields = append(d.Fields, k.fields()...)
	return d, nil
}

// sample records the kinds of some documents.
func (p *part) sample(ctx context.Context, k *kinds) error {
	r := p.newReader()
	for _, direction := range []int{1, -1} {
		command := r.command()
		for i := range command {
			switch command[i].Key {
			case "batchSize":
				command[i].Value = int32(sampled)
			case "cursor":
				command[i].Value = bson.D{{Key: "batchSize", Value: int32(sampled)}}
			case "sort":
				command[i].Value = bson.D{{Key: "_id", Value: direction}}
			case "filter":
				if p.db.set.rule == nil {
					command[i].Value = bson.D{}
				}
			}
		}
		if direction < 0 && !r.sorted {
			return nil // there is no other end to sample
		}
		if p.db.set.rule == nil {
			command = append(command, bson.E{Key: "limit", Value: int32(sampled)})
		}
		if err := p.sampleOf(ctx, command, k); err != nil {
			return err
		}
	}
	return nil
}

func (p *part) sampleOf(ctx context.Context, command bson.D, k *kinds) error {
	cursor, err := p.db.cursor(ctx, command, p.db.stall)
	if err != nil {
		return err
	}
	defer closeCursor(ctx, cursor)
	for range sampled {
		if more, err := next(ctx, cursor, p.db.stall); !more {
			return err
		}
		list, err := members(string(cursor.Current))
		if err != nil {
			return err
		}
		if err := k.add(list, "", 0); err != nil {
			return err
		}
	}
	return nil
}

// kinds are the kinds of the fields in a sample, by dotted name.
type kinds struct {
	forms valueForms
	of    map[string]source.FieldKind
}

// mostDescribed is how many fields a description of a collection may have. By default an index allows 1,000 in total,
// and some documents have more names than that.
const mostDescribed = 400

// fields are the fields in the order of their names. If there are too many, those are left out that Elasticsearch
// would map in the same way.
func (k *kinds) fields() (all []source.DescribedField) {
	few := len(k.of) <= mostDescribed
	for _, name := range slices.Sorted(maps.Keys(k.of)) {
		kind := k.of[name]
		if kind == "" { // always null
			kind = source.Text
		}
		switch {
		case len(all) == mostDescribed:
			return all
		case few || kind != source.Text && kind != source.Long && kind != source.Boolean && kind != source.Object:
			all = append(all, source.DescribedField{Name: name, Kind: kind})
		}
	}
	return all
}

// add records the members of an object, whose name is their prefix.
func (k *kinds) add(list, before string, depth int) error {
	var all []element
	var names []string
	seen := map[string]int{}
	for rest := list; rest != ""; {
		var e element
		var err error
		if e, rest, err = cutElement(rest); err != nil {
			return err
		}
		if depth == 0 && e.name == "_id" {
			continue
		}
		if at, twice := seen[e.name]; twice { // of two with the same name the last counts
			all[at] = e
			continue
		}
		seen[e.name] = len(all)
		all, names = append(all, e), append(names, e.name)
	}
	if slices.ContainsFunc(names, func(name string) bool { return oddName(name, depth) }) {
		names = portable(names, depth)
	}
	for i, e := range all {
		if err := k.value(e, before+names[i], depth); err != nil {
			return err
		}
	}
	return nil
}

// value records a value, and the elements of a list as values with the list's own name.
func (k *kinds) value(e element, name string, depth int) error {
	switch e.kind {
	case bson.TypeEmbeddedDocument, bson.TypeArray:
	default:
		k.put(name, k.kind(e))
		return nil
	}
	list, err := members(e.value)
	if err != nil {
		return err
	}
	if e.kind == bson.TypeEmbeddedDocument {
		if depth+1 >= deepest { // it may be JSON text
			k.put(name, source.Text)
			return nil
		}
		k.put(name, source.Object)
		return k.add(list, name+".", depth+1)
	}
	k.put(name, "")
	for rest := list; rest != ""; {
		if e, rest, err = cutElement(rest); err != nil {
			return err
		}
		if err := k.value(e, name, depth); err != nil {
			return err
		}
	}
	return nil
}

// put merges the kind of a value, "" if it says nothing, into that of the field. A field whose values have no
// common kind is of the kind Text, which is mapped by its first value.
func (k *kinds) put(name string, kind source.FieldKind) {
	had, known := k.of[name]
	number := func(k source.FieldKind) bool {
		return k == source.Long || k == source.Double || k == source.Decimal
	}
	switch {
	case !known || had == "" || had == kind:
		k.of[name] = kind
	case kind == "":
	case number(had) && number(kind):
		if had == source.Decimal || kind == source.Decimal {
			k.of[name] = source.Decimal
		} else {
			k.of[name] = source.Double
		}
	default:
		k.of[name] = source.Text
	}
}

// kind is the kind of a scalar; "" if it says nothing.
func (k *kinds) kind(e element) source.FieldKind {
	switch e.kind {
	case bson.TypeString, bson.TypeSymbol, bson.TypeJavaScript, bson.TypeCodeWithScope:
		return source.Text
	case bson.TypeInt32, bson.TypeInt64:
		return source.Long
	case bson.TypeDouble:
		return source.Double
	case bson.TypeDecimal128:
		return source.Decimal
	case bson.TypeBoolean:
		return source.Boolean
	case bson.TypeTimestamp:
		return source.Date
	case bson.TypeDateTime:
		if k.forms.dates == datesMillis {
			return source.Long
		}
		return source.Date
	case bson.TypeObjectID, bson.TypeRegex, bson.TypeMinKey, bson.TypeMaxKey:
		return source.Keyword
	case bson.TypeBinary:
		return k.binary(e.value)
	}
	return ""
}

func (k *kinds) binary(value string) source.FieldKind {
	switch subtype, data := binaryOf(value); subtype {
	case bson.TypeBinaryUUID:
		return source.Keyword
	case bson.TypeBinaryUUIDOld:
		if k.forms.uuid != nil && len(data) == 16 {
			return source.Keyword
		}
	case bson.TypeBinaryVector:
		return source.Double
	case bson.TypeBinaryEncrypted, bson.TypeBinarySensitive:
		return "" // in a list it is null
	}
	return source.Binary
}
