package mongodb

import (
	"crypto/md5" //nolint:gosec // an id, no secret
	"encoding/hex"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

const (
	notesField = "_conversion_notes" // lists the values that a document could not hold exactly
	mostNotes  = 20
)

// converter converts BSON to documents. It is reused for each document, as are the fields that it returns: a
// document costs one copy of its bytes, its id, and a little more for a few types.
type converter struct {
	forms     valueForms
	labels    []document.Field // of every document; nil if one collection is read
	prefix    string           // of every id
	withoutID int64            // documents that had no _id

	fields arena[document.Field]
	values arena[document.Value]
	notes  []document.Value
	path   []string // of the value that is being converted
	id     []byte
	seen   map[string]int
}

func (d *database) newConverter(collection string) *converter {
	c := &converter{forms: d.set.values}
	if !d.set.collections.single() {
		c.labels = []document.Field{
			{Name: databaseField, Value: document.String(d.set.database)},
			{Name: collectionField, Value: document.String(scopeName(collection))},
		}
		c.prefix = d.set.database + "." + collection + "/"
	}
	return c
}

// document converts one document. Its result is valid until the next call.
func (c *converter) document(raw bson.Raw) (doc document.Document, err error) {
	c.fields.reset()
	c.values.reset()
	c.notes, c.path = c.notes[:0], c.path[:0]
	text := string(raw)
	list, err := members(text)
	if err != nil {
		return doc, err
	}
	fields, id, err := c.object(list, 0)
	if err != nil {
		return doc, err
	}
	if doc.ID, err = c.idOf(id, text); err != nil {
		return doc, err
	}
	doc.Fields = fields
	if len(c.labels) == 0 && len(c.notes) == 0 {
		return doc, nil
	}
	all := c.fields.take(len(c.labels) + len(fields) + 1)
	n := copy(all, c.labels)
	n += copy(all[n:], fields)
	if len(c.notes) > 0 {
		all[n] = document.Field{Name: notesField, Value: document.List(c.notes)}
		n++
	}
	doc.Fields = all[:n]
	return doc, nil
}

// idOf is the id of a document: that of its _id, or else one derived from its complete content.
func (c *converter) idOf(id element, text string) (string, error) {
	c.id = append(c.id[:0], c.prefix...)
	start := len(c.id)
	if id.name == "" {
		c.withoutID++
		sum := md5.Sum([]byte(text)) //nolint:gosec // an id, no secret
		return string(hex.AppendEncode(c.id, sum[:])), nil
	}
	var err error
	if c.id, err = appendIDText(c.id, id); err != nil {
		return "", err
	}
	if len(c.id) == start {
		return "", nil // the engine reports a document without an id
	}
	return string(c.id), nil
}

// object converts the members of a document. At depth 0 its _id is returned separately.
func (c *converter) object(list string, depth int) (fields []document.Field, id element, err error) {
	n, err := count(list)
	if err != nil {
		return nil, id, err
	}
	fields = c.fields.take(n)[:0]
	odd := false
	for rest := list; rest != ""; {
		var e element
		if e, rest, err = cutElement(rest); err != nil {
			return nil, id, err
		}
		if depth == 0 && e.name == "_id" {
			id = e
			continue
		}
		c.path = append(c.path, e.name)
		v, skip, err := c.value(e, depth)
		c.path = c.path[:len(c.path)-1]
		if err != nil {
			return nil, id, err
		}
		if skip {
			continue
		}
		odd = odd || oddName(e.name, depth)
		fields = append(fields, document.Field{Name: e.name, Value: v})
	}
	fields = c.unique(fields)
	if odd {
		rename(fields, depth)
	}
	return fields, id, nil
}

// count counts the members of a document.
func count(list string) (n int, err error) {
	for list != "" {
		if _, list, err = cutElement(list); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// many is the number of fields from which a map is faster than a linear search.
const many = 24

// unique keeps the last of the fields with the same name, at the position of the first.
func (c *converter) unique(fields []document.Field) []document.Field {
	if len(fields) <= many {
		for i := 1; i < len(fields); i++ {
			for j := range i {
				if fields[j].Name == fields[i].Name {
					return c.deduplicated(fields)
				}
			}
		}
		return fields
	}
	return c.deduplicated(fields)
}

func (c *converter) deduplicated(fields []document.Field) []document.Field {
	// Nested objects have been converted by now, so the map is free.
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	clear(c.seen)
	out := fields[:0]
	for _, f := range fields {
		if at, twice := c.seen[f.Name]; twice {
			out[at].Value = f.Value
			continue
		}
		c.seen[f.Name] = len(out)
		out = append(out, f)
	}
	return out
}

// nested converts a document or an array within another.
func (c *converter) nested(e element, depth int) (v document.Value, err error) {
	list, err := members(e.value)
	if err != nil {
		return v, err
	}
	if e.kind == bson.TypeArray {
		return c.list(list, depth)
	}
	fields, _, err := c.object(list, depth+1)
	if err != nil {
		return v, err
	}
	v = document.Object(fields)
	if depth+1 == deepest && hasObject(fields) {
		c.note("nested deeper than Elasticsearch allows, so it is JSON text")
		return document.String(string(v.AppendJSON(nil))), nil
	}
	return v, nil
}

// hasObject reports whether a member is an object, or a list with objects.
func hasObject(fields []document.Field) bool {
	for _, f := range fields {
		if k := f.Value.Kind(); k == document.KindObject || k == document.KindList {
			return true
		}
	}
	return false
}

func (c *converter) list(list string, depth int) (v document.Value, err error) {
	n, err := count(list)
	if err != nil {
		return v, err
	}
	values := c.values.take(n)[:0]
	for rest := list; rest != ""; {
		var e element
		if e, rest, err = cutElement(rest); err != nil {
			return v, err
		}
		c.path = append(c.path, e.name)
		v, skip, err := c.value(e, depth)
		c.path = c.path[:len(c.path)-1]
		if err != nil {
			return v, err
		}
		if skip {
			v = document.Null() // the others keep their places
		}
		values = append(values, v)
	}
	return document.List(values), nil
}

// note records what the document lost of the value at the path; "" is nothing.
func (c *converter) note(reason string) {
	if reason == "" || len(c.notes) >= mostNotes {
		return
	}
	c.notes = append(c.notes, document.String(strings.Join(c.path, ".")+": "+reason))
}

// arena allocates slices that are all released together.
type arena[T any] struct {
	slab []T
	used int
}

// reset releases all slices. A slab that was used for an enormous document is not kept.
func (a *arena[T]) reset() {
	if len(a.slab) > 1<<16 {
		a.slab = nil
	}
	clear(a.slab[:min(a.used, len(a.slab))])
	a.used = 0
}

// take allocates a slice of n elements. If the slab is too small, the slice has its own memory and the
// next slab is larger.
func (a *arena[T]) take(n int) []T {
	if a.used+n > len(a.slab) {
		a.slab = make([]T, max(64, 2*len(a.slab), n))
		a.used = 0
	}
	s := a.slab[a.used : a.used+n : a.used+n]
	a.used += n
	return s
}
