package embedded

import (
	"net/http"
	"strconv"
)

// bulk applies the operations of its lines as one atomic batch.
func (s *Server) bulk(r *request) (*answer, error) {
	start := s.now()
	refresh, err := r.refreshes()
	if err != nil {
		return nil, err
	}
	ops, err := parseBulk(r.body, r.index, r.query.Get("pipeline"))
	if err != nil {
		return nil, err
	}
	s.prepare(ops)
	if err := s.apply(ops); err != nil {
		return nil, err
	}
	if refresh {
		if err := s.refresh(); err != nil {
			return nil, err
		}
	}
	return &answer{status: http.StatusOK, body: bulkAnswer(ops, s.now().Sub(start).Milliseconds(), refresh)}, nil
}

// prepare checks what can be checked before the writer's lock is taken, and generates ids.
func (s *Server) prepare(ops []operation) {
	c := newChecker()
	var ix *index
	name := ""
	for i := range ops {
		op := &ops[i]
		if op.err != nil || op.kind == opDelete {
			continue
		}
		if op.pipeline != "" && op.pipeline != "_none" {
			op.err = illegal("pipeline with id [%s] does not exist", op.pipeline)
			continue
		}
		if op.err = checkSource(c, op.source); op.err != nil {
			continue
		}
		if op.id == nil {
			op.id, op.auto = []byte(randomID()[:20]), true
		}
		if op.index != name {
			name = op.index
			ix, _ = s.find(name) // if there is none yet, the writer creates it
		}
		op.check(ix)
	}
}

// check checks the fields of a document whose JSON is valid.
func (op *operation) check(ix *index) {
	if ix == nil || ix.mapping.shape == nil {
		op.err = checkRootFields(op.source)
		return
	}
	f := fit(ix.mapping.shape, op.source, op.id, false)
	if f.needs {
		return // the writer checks it again, and adds the fields
	}
	op.fitted, op.err, op.ignored = ix.mapping.shape, f.err, encodeIgnored(f.ignored)
}

func encodeIgnored(names []string) []byte {
	if len(names) == 0 {
		return nil
	}
	b := append(make([]byte, 0, 64), '[')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, []byte(name))
	}
	return append(b, ']')
}

func bulkAnswer(ops []operation, took int64, refreshed bool) []byte {
	b := make([]byte, 0, 64+240*len(ops))
	errors := false
	for i := range ops {
		errors = errors || ops[i].err != nil
	}
	b = append(b, `{"errors":`...)
	b = strconv.AppendBool(b, errors)
	b = append(b, `,"took":`...)
	b = strconv.AppendInt(b, took, 10)
	b = append(b, `,"items":[`...)
	for i := range ops {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"`...)
		b = append(b, ops[i].kind...)
		b = append(b, `":{`...)
		b = ops[i].append(b, refreshed)
		b = append(b, `,"status":`...)
		b = strconv.AppendInt(b, int64(ops[i].status()), 10)
		if e := ops[i].err; e != nil {
			b = append(append(b, `,"error":`...), e.item()...)
		}
		b = append(b, "}}"...)
	}
	return append(b, "]}"...)
}

// append writes the fields for the result of the operation, without braces.
func (op *operation) append(b []byte, refreshed bool) []byte {
	b = append(b, `"_index":`...)
	b = appendText(b, []byte(op.index))
	b = append(b, `,"_id":`...)
	if op.id == nil {
		b = append(b, "null"...)
	} else {
		b = appendText(b, op.id)
	}
	if op.err != nil {
		return b
	}
	b = append(b, `,"_version":`...)
	b = strconv.AppendUint(b, op.version, 10)
	b = append(b, `,"result":"`...)
	b = append(b, op.result...)
	b = append(b, '"')
	if refreshed && op.result != "noop" {
		b = append(b, `,"forced_refresh":true`...)
	}
	copies, done := op.ix.copies(), 1
	if op.result == "noop" {
		copies, done = 0, 0
	}
	b = append(b, `,"_shards":{"total":`...)
	b = strconv.AppendInt(b, int64(copies), 10)
	b = append(b, `,"successful":`...)
	b = strconv.AppendInt(b, int64(done), 10)
	b = append(b, `,"failed":0},"_seq_no":`...)
	b = strconv.AppendUint(b, op.seq, 10)
	b = append(b, `,"_primary_term":`...)
	return strconv.AppendInt(b, primaryTerm, 10)
}
