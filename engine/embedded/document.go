package embedded

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// lookup reads the current version of a document; nil if there is none.
func (s *Server) lookup(ix *index, id string) (*record, error) {
	const tries = 1000 // a write would have to interfere each time
	for range tries {
		b, err := s.store.get(idKey(nil, ix.number, []byte(id)))
		if err != nil || b == nil {
			return nil, err
		}
		at, err := decodePlace(b)
		if err != nil {
			return nil, err
		}
		key := docKey(nil, ix.number, at.seq)
		value, err := s.store.get(key)
		if err != nil {
			return nil, err
		}
		if value == nil { // written again, or deleted, between the two reads
			continue
		}
		r, err := decodeRecord(key, value, ix.mapping.shape != nil)
		if err != nil {
			return nil, err
		}
		return &r, nil
	}
	return nil, errDamaged
}

func (s *Server) getDoc(r *request) (*answer, error) {
	ix, err := s.find(r.index)
	if err != nil {
		return nil, err
	}
	want := r.sourceParams()
	if realtime, err := r.flag("realtime", true); err != nil || !realtime {
		return nil, unknown("GET of a document with realtime=false")
	}
	doc, err := s.lookup(ix, r.id)
	if err != nil {
		return nil, err
	}
	b := append([]byte(`{"_index":`), mustMarshal(ix.name)...)
	b = appendText(append(b, `,"_id":`...), []byte(r.id))
	if doc == nil {
		return &answer{status: http.StatusNotFound, body: append(b, `,"found":false}`...)}, nil
	}
	b = append(b, `,"_version":`...)
	b = strconv.AppendUint(b, doc.version, 10)
	b = appendSeq(b, doc.seq)
	if len(doc.routing) > 0 {
		b = appendText(append(b, `,"_routing":`...), doc.routing)
	}
	b = append(b, `,"found":true`...)
	b = want.append(b, doc.source)
	return &answer{status: http.StatusOK, body: append(b, '}')}, nil
}

func appendSeq(b []byte, seq uint64) []byte {
	b = append(b, `,"_seq_no":`...)
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, `,"_primary_term":`...)
	return strconv.AppendInt(b, primaryTerm, 10)
}

// sourceParams reads the requested part of the source from the parameters.
func (r *request) sourceParams() *sourceFilter {
	want := &sourceFilter{}
	if v := r.query.Get("_source"); v == "false" {
		want.none = true
	} else if v != "" && v != "true" {
		want.include = newPathFilter(strings.Split(v, ","), true)
	}
	if v := r.query.Get("_source_includes"); v != "" {
		want.include = newPathFilter(strings.Split(v, ","), true)
	}
	if v := r.query.Get("_source_excludes"); v != "" {
		want.exclude = &pathFilter{exclude: newPathFilter(strings.Split(v, ","), true).include, dotted: true}
	}
	return want
}

func (s *Server) putDoc(r *request) (*answer, error) {
	k := opIndex
	switch t := r.query.Get("op_type"); t {
	case "", "index":
		if r.id == "" {
			k = opCreate
		}
	case "create":
		k = opCreate
	default:
		return nil, illegal("opType must be 'create' or 'index', found: [%s]", t)
	}
	return s.writeDoc(r, k)
}

func (s *Server) createDoc(r *request) (*answer, error) { return s.writeDoc(r, opCreate) }
func (s *Server) deleteDoc(r *request) (*answer, error) { return s.writeDoc(r, opDelete) }

// writeDoc builds one operation from the request and applies it.
func (s *Server) writeDoc(r *request, k kind) (*answer, error) {
	if len(r.body) == 0 && k != opDelete {
		return nil, fail(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	op, err := r.operation(k)
	if err != nil {
		return nil, err
	}
	op.source = r.body
	ops := []operation{op}
	if err := validate(ops); err != nil {
		return nil, err
	}
	s.prepare(ops)
	if err := s.apply(ops); err != nil {
		return nil, err
	}
	return s.writeAnswer(r, &ops[0])
}

// operation reads the path and the parameters of a write of one document.
func (r *request) operation(k kind) (operation, error) {
	op := operation{kind: k, index: r.index, ifSeq: noSeq, pipeline: r.query.Get("pipeline")}
	if r.id != "" {
		op.id = []byte(r.id)
	}
	if routing := r.query.Get("routing"); routing != "" {
		op.routing = []byte(routing)
	}
	var err error
	if op.ifSeq, err = r.number("if_seq_no", noSeq); err != nil {
		return op, err
	}
	op.ifTerm, err = r.number("if_primary_term", 0)
	return op, err
}

func (s *Server) writeAnswer(r *request, op *operation) (*answer, error) {
	if op.err != nil {
		return nil, op.err
	}
	refresh, err := r.refreshes()
	if err != nil {
		return nil, err
	}
	if refresh {
		if err := s.refresh(); err != nil {
			return nil, err
		}
	}
	body := append(op.append([]byte{'{'}, refresh), '}')
	a := &answer{status: op.status(), body: body}
	if op.result == "created" {
		a.location = "/" + url.PathEscape(op.index) + "/_doc/" + url.PathEscape(string(op.id))
	}
	return a, nil
}

// updateDoc merges a partial document into an existing one.
func (s *Server) updateDoc(r *request) (*answer, error) {
	change, err := parseUpdate(r.body)
	if err != nil {
		return nil, err
	}
	op, err := r.operation(opIndex)
	if err != nil {
		return nil, err
	}
	ops := []operation{op}
	if err := validate(ops); err != nil {
		return nil, err
	}
	if err := s.applyUpdate(&ops[0], change); err != nil {
		return nil, err
	}
	return s.writeAnswer(r, &ops[0])
}

type update struct {
	doc        []byte
	detectNoop bool
}

func parseUpdate(b []byte) (update, error) {
	u := update{detectNoop: true}
	if len(b) == 0 {
		return u, invalid("script or doc is missing")
	}
	body, err := parseObject(b)
	if err != nil {
		return u, err
	}
	for key, value := range body {
		switch key {
		case "doc":
			if value[0] != '{' {
				return u, fail(http.StatusBadRequest, "x_content_parse_exception", "[UpdateRequest] doc doesn't support values of this type")
			}
			u.doc = value
		case "detect_noop":
			u.detectNoop = string(value) != "false"
		case "script", "upsert", "scripted_upsert", "_source", "doc_as_upsert", "if_seq_no", "if_primary_term":
			if key != "doc_as_upsert" || string(value) != "false" {
				return u, unknown("[%s] in the body of an update", key)
			}
		default:
			return u, fail(http.StatusBadRequest, "x_content_parse_exception", "[UpdateRequest] unknown field [%s]", key)
		}
	}
	if u.doc == nil {
		return u, invalid("script or doc is missing")
	}
	return u, nil
}

// applyUpdate reads, merges and writes without another write in between.
func (s *Server) applyUpdate(op *operation, u update) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	w := &writer{s: s}
	ix, e := w.index(op) // an update creates the index even if it then finds no document
	if e != nil {
		return e
	}
	op.ix = ix
	old, err := s.lookup(ix, string(op.id))
	if err != nil {
		return storeFailed(err)
	}
	if old == nil {
		return fail(http.StatusNotFound, "document_missing_exception", "[%s]: document missing", op.id).onShard(ix)
	}
	if e := op.conflict(&old.place); e != nil {
		return e.onShard(ix)
	}
	if op.routing == nil {
		op.routing = old.routing
	}
	merged, changed := merge(nil, old.source, u.doc)
	if !changed && u.detectNoop {
		op.result, op.place = "noop", old.place
		return nil
	}
	op.source = merged
	if op.check(ix); op.err != nil {
		return nil
	}
	ops := []operation{*op}
	err = s.applyLocked(ops)
	*op = ops[0]
	return err
}
