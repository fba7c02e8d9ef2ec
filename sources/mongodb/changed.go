package mongodb

import (
	"context"
	"encoding/hex"
	"iter"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// changedPart is some changed documents of a collection. Until it is read it holds only their _ids.
type changedPart struct {
	*part
	keys  []string        // the type and the bytes of each _id
	since *bson.Timestamp // the read must not be older; nil: unknown
}

var _ source.ChangedPart = (*changedPart)(nil)

const (
	changedDocuments = 1000    // of a part
	changedBytes     = 1 << 20 // of the _ids of a part
)

// keyOf is the key of an _id, and idOfKey the _id of a key.
func keyOf(id bson.RawValue) string { return string(append([]byte{byte(id.Type)}, id.Value...)) }

func idOfKey(key string) element {
	return element{kind: bson.Type(key[0]), name: "_id", value: key[1:]}
}

// changedParts cuts the changed documents of a collection into parts.
func (s *streaming) changedParts(c watched, keys []string, since *bson.Timestamp) (all []source.ChangedPart) {
	slices.Sort(keys)
	for len(keys) > 0 {
		n, size := 0, 0
		for n < min(changedDocuments, len(keys)) && size < changedBytes {
			size += 2 * len(keys[n])
			n++
		}
		p := &part{db: s.database, collection: c.collection, identity: c.identity, estimate: int64(n)}
		all = append(all, &changedPart{part: p, keys: keys[:n], since: since})
		keys = keys[n:]
	}
	return all
}

// Name says that it holds only changes.
func (p *changedPart) Name() string { return p.Scope() + ", changes" }

// IDs implements [source.ChangedPart].
func (p *changedPart) IDs() iter.Seq[string] {
	return func(yield func(string) bool) {
		c := p.db.newConverter(p.collection.name)
		for _, key := range p.keys {
			if id, err := c.idOf(idOfKey(key), ""); err == nil && !yield(id) { // it was converted before
				return
			}
		}
	}
}

// Documents reads those that still exist.
func (p *changedPart) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	p.among = &among{since: p.since}
	for _, key := range p.keys {
		e := idOfKey(key)
		p.among.ids = append(p.among.ids, bson.RawValue{Type: e.kind, Value: []byte(e.value)})
		if text, err := appendIDText(nil, e); err == nil {
			for _, other := range alike(e, string(text)) {
				p.among.ids = append(p.among.ids, other)
			}
		}
	}
	return p.part.Documents(ctx)
}

// among are the _ids that a part is limited to, and those with the same text form.
type among struct {
	ids   bson.A
	since *bson.Timestamp
}

// alike are other _ids with the same text form: the text "1" beside the number 1. A document with one of
// them is the same document in the index, so a change of one is decided by all of them, as in a full
// sync. Those of objects, times and bytes are left out.
func alike(e element, text string) (all []bson.RawValue) {
	if e.kind != bson.TypeString {
		return []bson.RawValue{rawOf(text)}
	}
	if b, err := hex.DecodeString(text); err == nil && len(b) == 12 && hex.EncodeToString(b) == text {
		all = append(all, rawOf(bson.ObjectID(b)))
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		all = append(all, rawOf(n))
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && string(sqlread.AppendFloat(nil, f)) == text {
		all = append(all, rawOf(f))
	}
	if d, err := bson.ParseDecimal128(text); err == nil && d.String() == text {
		all = append(all, rawOf(d))
	}
	if b, err := hex.DecodeString(strings.ReplaceAll(text, "-", "")); err == nil && len(b) == 16 && len(text) == 36 {
		all = append(all, rawOf(bson.Binary{Subtype: bson.TypeBinaryUUID, Data: b}))
	}
	switch text {
	case "True", "False":
		all = append(all, rawOf(text == "True"))
	case "None":
		all = append(all, rawOf(nil))
	}
	return all
}

// rawOf is a value as BSON.
func rawOf(v any) bson.RawValue {
	if v == nil {
		return bson.RawValue{Type: bson.TypeNull}
	}
	t, b, _ := bson.MarshalValue(v) // scalars always have a form
	return bson.RawValue{Type: t, Value: b}
}

// filter finds the documents of the part within the bounds; of a rule, those that match it.
func (a *among) filter(b *bounds, rule bson.D) bson.D {
	all := bson.A{bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: a.ids}}}}}
	for _, also := range []bson.D{b.filter(), rule} {
		if len(also) > 0 {
			all = append(all, also)
		}
	}
	if len(all) == 1 {
		return all[0].(bson.D)
	}
	return bson.D{{Key: "$and", Value: all}}
}

// command is the request for the documents of the part.
func (a *among) command(r *reader) bson.D {
	d := r.part.db
	command := bson.D{{Key: "find", Value: r.part.collection.name}}
	var filter bson.D
	if rule := d.set.rule; rule != nil {
		for _, o := range rule.options {
			if o.Key == "filter" {
				filter, _ = o.Value.(bson.D)
				continue
			}
			command = append(command, o)
		}
	} else if fields := d.projection(true); fields != nil {
		command = append(command, bson.E{Key: "projection", Value: fields})
	}
	concern := bson.D{{Key: "level", Value: "majority"}}
	if a.since != nil {
		concern = append(concern, bson.E{Key: "afterClusterTime", Value: *a.since})
	}
	return append(command,
		bson.E{Key: "filter", Value: a.filter(&r.bounds, filter)},
		bson.E{Key: "sort", Value: bson.D{{Key: "_id", Value: 1}}},
		bson.E{Key: "batchSize", Value: d.batch},
		bson.E{Key: "readConcern", Value: concern})
}
