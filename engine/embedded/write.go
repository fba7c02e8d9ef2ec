package embedded

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
)

// writer applies operations to one batch. Later operations see the effects of earlier ones in the same
// batch, although the store does not have them yet.
type writer struct {
	s       *Server
	b       *batch
	counts  map[*index]*counters
	pending map[pendingKey]*place // nil: deleted
	grown   map[*index]*mapping   // with the fields that documents of the batch add
	last    *index
	key     []byte
	value   []byte
}

type pendingKey struct {
	number uint32
	id     string
}

// apply writes operations without an error. The returned error is the store's: then none was written.
func (s *Server) apply(ops []operation) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.applyLocked(ops)
}

func (s *Server) applyLocked(ops []operation) error {
	w := &writer{
		s: s, b: s.store.batch(), counts: map[*index]*counters{},
		pending: make(map[pendingKey]*place, len(ops)),
	}
	for i := range ops {
		w.makeIndex(&ops[i])
	}
	for i := range ops {
		if ops[i].err != nil {
			continue
		}
		if err := w.add(&ops[i]); err != nil {
			return storeFailed(err)
		}
	}
	for ix, c := range w.counts {
		w.b.set(counterKey(ix.number), c.encode())
	}
	var changed []*index
	for ix, m := range w.grown {
		m.show()
		with := *ix
		with.mapping = m
		if c := w.counts[ix]; c != nil {
			with.counters = *c
		}
		changed = append(changed, &with)
		w.b.set(indexKey(ix.name), with.encode())
	}
	if err := s.store.commit(w.b, false); err != nil {
		return storeFailed(err)
	}
	if len(w.counts)+len(changed) == 0 {
		return nil
	}
	for ix, c := range w.counts {
		ix.counters = *c
	}
	s.mu.Lock()
	for _, ix := range changed {
		s.indices[ix.name] = ix
	}
	s.dirty = true
	s.mu.Unlock()
	return nil
}

// mapping is the mapping of an index as of the current batch.
func (w *writer) mapping(ix *index) *mapping {
	if m := w.grown[ix]; m != nil {
		return m
	}
	return ix.mapping
}

// fit checks the document of an operation, unless that was done against the same fields before, and adds
// its new fields. A rejected document adds none; a document written under a condition
// that does not hold adds them, as in Elasticsearch.
func (w *writer) fit(op *operation, ix *index) {
	m := w.mapping(ix)
	if m.shape == nil || op.kind == opDelete || op.fitted == m.shape {
		return
	}
	f := fit(m.shape, op.source, op.id, false)
	if f.needs {
		f = fit(m.shape.clone(), op.source, op.id, true)
	}
	for f.err == nil && f.grew {
		if w.grown == nil {
			w.grown = map[*index]*mapping{}
		}
		w.grown[ix] = &mapping{root: maps.Clone(m.root), closed: m.closed, shape: f.sh}
		// Elasticsearch also reads a document again once its fields exist. The error about an array without
		// values depends on whether one more field had room.
		f = fit(f.sh, op.source, op.id, true)
	}
	op.err, op.ignored = f.err, encodeIgnored(f.ignored)
}

// add adds one operation to the batch, or its error to the operation.
func (w *writer) add(op *operation) error {
	ix, e := w.index(op)
	if e != nil {
		op.err = e
		return nil
	}
	op.ix = ix
	if w.fit(op, ix); op.err != nil {
		return nil
	}
	old, err := w.current(ix, op.id)
	if err != nil {
		return err
	}
	if op.err = op.conflict(old); op.err != nil {
		op.err = op.err.onShard(ix)
		return nil
	}
	c := w.counters(ix)
	op.seq, op.version = c.next, 1
	c.next++
	if old != nil {
		op.version = old.version + 1
		w.key = docKey(w.key, ix.number, old.seq)
		w.b.delete(w.key)
		c.docs--
	}
	key := pendingKey{ix.number, string(op.id)}
	if op.kind == opDelete {
		op.result = "not_found"
		if old != nil {
			op.result = "deleted"
			w.key = idKey(w.key, ix.number, op.id)
			w.b.delete(w.key)
			w.pending[key] = nil
		}
		return nil
	}
	op.result = "created"
	if old != nil {
		op.result = "updated"
	}
	c.docs++
	w.put(ix, op)
	w.pending[key] = &op.place
	return nil
}

func (w *writer) put(ix *index, op *operation) {
	w.key = idKey(w.key, ix.number, op.id)
	w.value = op.place.append(w.value)
	w.b.set(w.key, w.value)
	r := record{
		place: op.place, id: op.id, routing: op.routing,
		checked: ix.mapping.shape != nil, ignored: op.ignored, source: op.source,
	}
	w.b.reserve(docKeyLen, r.encodedLen(), func(key, value []byte) {
		docKey(key, ix.number, op.seq)
		r.append(value)
	})
}

// makeIndex creates the index of an operation before any operation of the
// request is applied. Elasticsearch reads documents later, so an invalid one creates its index too.
func (w *writer) makeIndex(op *operation) {
	if op.kind == opDelete || op.err != nil && op.err.cause.Type != "document_parsing_exception" {
		return
	}
	if _, e := w.index(op); e != nil && op.err == nil {
		op.err = e
	}
}

// index finds the index of an operation, and creates it for anything but a delete.
func (w *writer) index(op *operation) (*index, *apiError) {
	if w.last != nil && w.last.name == op.index {
		return w.last, nil
	}
	if e := checkName(op.index); e != nil {
		return nil, e
	}
	ix, err := w.s.find(op.index)
	if err != nil && op.kind != opDelete {
		ix, err = w.s.create(op.index, map[string]any{}, emptyMapping(), nil)
	}
	if err != nil {
		e, known := errors.AsType[*apiError](err)
		if !known {
			e = storeFailed(err)
		}
		return nil, e
	}
	w.last = ix
	op.index = ix.name // even if an alias was given
	return ix, nil
}

func (w *writer) counters(ix *index) *counters {
	c := w.counts[ix]
	if c == nil {
		c = &counters{ix.next, ix.docs}
		w.counts[ix] = c
	}
	return c
}

// current is the current place of the document; nil if it does not exist.
func (w *writer) current(ix *index, id []byte) (*place, error) {
	if p, ok := w.pending[pendingKey{ix.number, string(id)}]; ok {
		return p, nil
	}
	w.key = idKey(w.key, ix.number, id)
	b, err := w.s.store.get(w.key)
	if err != nil || b == nil {
		return nil, err
	}
	p, err := decodePlace(b)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// conflict checks the condition of the operation on the document.
func (op *operation) conflict(old *place) *apiError {
	conflict := func(format string, args ...any) *apiError {
		return fail(http.StatusConflict, "version_conflict_engine_exception", "[%s]: version conflict, %s", op.id, fmt.Sprintf(format, args...))
	}
	switch {
	case op.kind == opCreate && old != nil:
		return conflict("document already exists (current version [%d])", old.version)
	case op.ifSeq == noSeq:
		return nil
	case old == nil:
		return conflict("required seqNo [%d], primary term [%d]. but no document was found", op.ifSeq, op.ifTerm)
	case uint64(op.ifSeq) != old.seq || op.ifTerm != primaryTerm:
		return conflict("required seqNo [%d], primary term [%d]. current document has seqNo [%d] and primary term [%d]",
			op.ifSeq, op.ifTerm, old.seq, primaryTerm)
	}
	return nil
}
