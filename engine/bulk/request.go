package bulk

import (
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// request is one bulk request: its body, and a record of each operation in it.
type request struct {
	body  []byte
	items []item
}

// item is one operation. Its lines are body[start:end]; source is the start of the _source, or end.
type item struct {
	change             plan.Change // without Source
	start, source, end int
	refused            int              // how often it was refused temporarily
	failed             int              // how often it failed with an error of the server
	last               elastic.BulkItem // the last such response
}

func (r *request) add(c plan.Change) {
	it := item{change: c, start: len(r.body)}
	it.change.Source = nil
	switch {
	case c.Kind == plan.Delete:
		r.body = elastic.AppendDelete(r.body, c.ID, c.Routing, c.At.SeqNo, c.At.PrimaryTerm)
	case c.At == nil:
		r.body = elastic.AppendIndex(r.body, c.ID)
	case *c.At == plan.Absent:
		r.body = elastic.AppendCreate(r.body, c.ID)
	default:
		r.body = elastic.AppendReplace(r.body, c.ID, c.At.SeqNo, c.At.PrimaryTerm)
	}
	it.source = len(r.body)
	if c.Kind != plan.Delete {
		r.body = append(r.body, c.Source...)
		r.body = append(r.body, '\n')
	}
	it.end = len(r.body)
	r.items = append(r.items, it)
}

// document is the _source of an operation, nil for a delete.
func (r *request) document(it *item) []byte {
	if it.source == it.end {
		return nil
	}
	return r.body[it.source : it.end-1]
}

// only builds a request from some of the operations, with a body of its own.
func (r *request) only(items []item) *request {
	n := 0
	for i := range items {
		n += items[i].end - items[i].start
	}
	out := &request{body: make([]byte, 0, n), items: make([]item, 0, len(items))}
	for _, it := range items {
		shift := len(out.body) - it.start
		out.body = append(out.body, r.body[it.start:it.end]...)
		it.start, it.source, it.end = it.start+shift, it.source+shift, it.end+shift
		out.items = append(out.items, it)
	}
	return out
}

// halves splits the operations in two.
func (r *request) halves() [2]*request {
	m := len(r.items) / 2
	return [2]*request{r.only(r.items[:m]), r.only(r.items[m:])}
}

func (r *request) reset() {
	clear(r.items) // a pooled buffer must not keep ids alive
	r.body, r.items = r.body[:0], r.items[:0]
}
