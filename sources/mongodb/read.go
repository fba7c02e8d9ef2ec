package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// batchDocuments is how many documents the server sends at a time, or fewer if they reach 16 MiB; some servers
// have no such limit. With 2,000 of 1 KB the program used 5 MiB more and was not faster.
const batchDocuments = 1000

// reader is a collection being read.
type reader struct {
	part      *part
	cursor    *mongo.Cursor
	converter *converter
	identity  string        // of the collection, when reading began
	last      bson.RawValue // the _id of the last document; a zero value if there was none
	sorted    bool          // by _id, so that reading can resume after a loss
	count     int64         // documents yielded
	losses    int           // since the last document
	bounds    bounds        // of the cursor
}

func (p *part) newReader() *reader {
	return &reader{part: p, converter: p.db.newConverter(p.collection.name), sorted: p.collection.plain() && (p.db.set.rule == nil || p.among != nil)}
}

// open starts to read, or resumes after the last document.
func (r *reader) open(ctx context.Context) (err error) {
	r.bounds = r.part.span.bounds(cloneValue(r.last))
	r.cursor, err = r.part.db.cursor(ctx, r.command(), r.part.db.stall)
	if err != nil {
		return err
	}
	size := r.part.db.batch
	if rule := r.part.db.set.rule; rule != nil && rule.batch > 0 {
		size = rule.batch
	}
	r.cursor.SetBatchSize(size)
	return nil
}

// command is the request for the documents.
func (r *reader) command() bson.D {
	d, name := r.part.db, r.part.collection.name
	if r.part.among != nil {
		return r.part.among.command(r)
	}
	if d.set.rule != nil {
		return d.withConcern(d.set.rule.command(name))
	}
	command := bson.D{{Key: "find", Value: name}, {Key: "filter", Value: r.bounds.filter()}}
	if r.sorted {
		command = append(command, bson.E{Key: "sort", Value: bson.D{{Key: "_id", Value: 1}}})
	}
	if fields := d.projection(r.sorted); fields != nil {
		command = append(command, bson.E{Key: "projection", Value: fields})
	}
	return d.withConcern(append(command, bson.E{Key: "batchSize", Value: d.batch}))
}

// projection is the part of each document to read; nil: all. If documents may lack an _id, their ids are derived from all
// of the rest.
func (d *database) projection(haveID bool) (fields bson.D) {
	if d.idsOnly && haveID {
		return bson.D{{Key: "_id", Value: 1}}
	}
	wanted := 1
	if d.set.exclude {
		wanted = 0
	}
	for _, f := range d.set.fields {
		fields = append(fields, bson.E{Key: f, Value: wanted})
	}
	return fields
}

// documents yields the documents. It returns whether the loop was left early, and why this cursor returns no
// more.
func (r *reader) documents(ctx context.Context, yield func(document.Document, error) bool) (left bool, lost error) {
	defer closeCursor(ctx, r.cursor)
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if more, err := next(ctx, r.cursor, r.part.db.stall); !more {
			return false, err
		}
		if r.sorted && !r.bounds.holds(r.cursor.Current.Lookup("_id")) {
			continue
		}
		doc, err := r.converter.document(r.cursor.Current)
		if err != nil {
			return false, r.part.failed(ctx, "decode a document", err)
		}
		if r.sorted {
			id := r.cursor.Current.Lookup("_id")
			r.last = bson.RawValue{Type: id.Type, Value: append(r.last.Value[:0], id.Value...)}
		}
		r.count++
		r.losses = 0
		if !yield(doc, nil) {
			return true, nil
		}
	}
}

// resume opens another cursor after the last document. If documents are not sorted, that is possible
// only before the first.
func (p *part) resume(ctx context.Context, r *reader, cause error) error {
	failed := func(err error) error { return p.failed(ctx, "read documents", err) }
	if r.count > 0 && (!r.sorted || rank(r.last.Type) < 0) {
		return failed(cause)
	}
	l := &link.Loss{Attempts: p.db.attempts(), Part: p.Name(), Failed: failed, Final: func(error) bool { return false }}
	_, err := link.Resume(ctx, l, &r.losses, cause, func(ctx context.Context, _ error) (struct{}, error) { return struct{}{}, r.open(ctx) })
	return err
}
