package embedded

import (
	"container/heap"
	"math"
	"net/http"
	"strconv"
)

func (s *Server) search(r *request) (*answer, error) {
	start := s.now()
	in, err := parseSearch(r)
	if err != nil {
		return nil, err
	}
	run, err := s.runSearch(r, in)
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, body: run.answer(s.now().Sub(start).Milliseconds())}, nil
}

// runSearch searches, and releases the searched view.
func (s *Server) runSearch(r *request, in *searchRequest) (*searchRun, error) {
	run, err := s.startSearch(r, in)
	if err != nil {
		return nil, err
	}
	err = run.collect(r)
	if releaseErr := run.view.release(); err == nil {
		err = releaseErr
	}
	return run, err
}

// searchRun is a search in progress.
type searchRun struct {
	in    *searchRequest
	ix    *index
	view  *view
	query query
	all   bool // the query matches everything

	keys  []sortKey
	after []sortValue
	shown int // number of sort values that a hit shows

	from, to uint64 // the _seq_no range of the slice
	total    int
	hits     []hit
	out      []byte // the hits of a search in document order, encoded one after the other
	n        int    // how many are in out

	ignored map[string]int // documents by field of _ignored, if requested
}

// startSearch finds the view to search; the view of the result must be released.
func (s *Server) startSearch(r *request, in *searchRequest) (run *searchRun, err error) {
	run = &searchRun{in: in, query: matchAll, all: true, to: math.MaxUint64}
	switch {
	case in.pit != nil && r.index != "":
		return nil, invalid("[indices] cannot be used with point in time. Do not specify any index with point in time.")
	case in.pit != nil:
		run.ix, run.view, err = s.usePIT(in.pit)
	case r.index == "":
		return nil, unknown("a search of all indices")
	default:
		if run.ix, err = s.find(r.index); err == nil {
			run.view = s.current()
		}
	}
	if err != nil {
		return nil, err
	}
	if err := run.prepare(); err != nil {
		_ = run.view.release() // the first error matters
		return nil, err
	}
	return run, nil
}

func (run *searchRun) prepare() (err error) {
	in := run.in
	if err := in.checkWindow(run.ix); err != nil {
		return err
	}
	if in.query != nil {
		if run.query, run.all, err = compile(run.ix.mapping, in.query, 0); err != nil {
			return err
		}
	}
	if run.keys, err = parseSort(run.ix.mapping, in.sort); err != nil {
		return err
	}
	if len(in.after) > 0 {
		if err := run.parseAfter(); err != nil {
			return err
		}
	} else if len(run.keys) > 0 && in.pit != nil && !run.keys[len(run.keys)-1].doc {
		run.keys = append(run.keys, sortKey{doc: true}) // a point in time breaks ties automatically
	}
	run.shown = len(run.keys)
	if in.slice != nil {
		return run.narrow()
	}
	return nil
}

func (run *searchRun) parseAfter() error {
	given := len(run.in.after)
	switch {
	case len(run.keys) == 0:
		return illegal("Sort must contain at least one field.").inPhase("query", run.ix.name)
	case given == len(run.keys)+1 && run.in.pit != nil && !run.keys[len(run.keys)-1].doc:
		run.keys = append(run.keys, sortKey{doc: true})
	case given != len(run.keys):
		return illegal("search_after has %d value(s) but sort has %d.", given, len(run.keys)).inPhase("query", run.ix.name)
	}
	for i, raw := range run.in.after {
		v, err := run.keys[i].readAfter(raw)
		if err != nil {
			return err
		}
		run.after = append(run.after, v)
	}
	return nil
}

// narrow limits the run to its slice: an equal share of the numbers assigned when the view was created.
func (run *searchRun) narrow() error {
	c, err := run.counters()
	if err != nil {
		return err
	}
	id, count := uint64(*run.in.slice.ID), uint64(*run.in.slice.Max)
	share := c.next/count + 1
	run.from, run.to = id*share, (id+1)*share
	return nil
}

func (run *searchRun) counters() (counters, error) {
	b, err := run.view.snap.get(counterKey(run.ix.number))
	if err != nil {
		return counters{}, err
	}
	return decodeCounters(b)
}

// byDocument reports whether hits are sorted in the order in which they are read.
func (run *searchRun) byDocument() bool { return len(run.keys) == 0 || run.keys[0].doc }

// collect reads documents until the page is full and the total is known.
func (run *searchRun) collect(r *request) error {
	counted := run.in.track
	counting := len(run.in.counts) > 0
	if run.all && run.in.slice == nil && counted != 0 {
		c, err := run.counters()
		if err != nil {
			return err
		}
		run.total, counted = int(c.docs), 0
	}
	desc := len(run.keys) > 0 && run.keys[0].doc && run.keys[0].desc
	from, to := run.from, run.to
	if run.byDocument() && len(run.after) > 0 && counted == 0 && !counting {
		from, to = run.skip(from, to, desc)
	}
	page := pageHeap{run: run, limit: run.in.from + run.in.size}
	checked := run.ix.mapping.shape != nil
	low, high := docKey(nil, run.ix.number, from), docKey(nil, run.ix.number, to)
	err := run.view.snap.scan(r.ctx, low, high, desc, func(key, value []byte) (bool, error) {
		full := run.byDocument() && run.n >= page.limit
		enough := !counting && (counted == 0 || counted > 0 && run.total > counted)
		if full && enough || enough && page.limit == 0 {
			return false, nil
		}
		doc, err := decodeRecord(key, value, checked)
		if err != nil {
			return false, err
		}
		if match, err := run.query(&doc); err != nil || !match {
			return true, err
		}
		if counted != 0 {
			run.total++
		}
		if counting {
			run.count(doc.ignored)
		}
		if full || page.limit == 0 {
			return true, nil
		}
		return true, run.take(&page, hit{doc: doc})
	})
	if err != nil {
		return err
	}
	run.hits = page.sorted()
	return nil
}

// skip starts a scan in document order after search_after.
func (run *searchRun) skip(from, to uint64, desc bool) (uint64, uint64) {
	after := run.after[0].whole
	switch {
	case desc && after < 0:
		return from, from
	case desc:
		return from, min(to, uint64(after))
	case after < 0:
		return from, to
	default:
		return max(from, uint64(after)+1), to
	}
}

// take puts a matching document on the page if it belongs there.
func (run *searchRun) take(page *pageHeap, h hit) error {
	for i := range run.keys {
		v, err := run.keys[i].of(&h.doc)
		if err != nil {
			return err
		}
		h.values = append(h.values, v)
	}
	if len(run.after) > 0 && compareAll(run.keys, h.values, run.after) <= 0 {
		return nil
	}
	if !run.byDocument() {
		page.offer(h)
		return nil
	}
	if run.n++; run.n > run.in.from {
		run.out = run.appendHit(run.out, &h)
	}
	return nil
}

// pageHeap keeps the first hits of a sorted search; the last of them is on top.
type pageHeap struct {
	run   *searchRun
	limit int
	hits  []hit
}

func (p *pageHeap) Len() int           { return len(p.hits) }
func (p *pageHeap) Less(i, j int) bool { return p.before(&p.hits[j], &p.hits[i]) }
func (p *pageHeap) Swap(i, j int)      { p.hits[i], p.hits[j] = p.hits[j], p.hits[i] }
func (p *pageHeap) Push(x any)         { p.hits = append(p.hits, x.(hit)) }

func (p *pageHeap) Pop() any {
	last := p.hits[len(p.hits)-1]
	p.hits = p.hits[:len(p.hits)-1]
	return last
}

func (p *pageHeap) before(a, b *hit) bool {
	if c := compareAll(p.run.keys, a.values, b.values); c != 0 {
		return c < 0
	}
	return a.doc.seq < b.doc.seq
}

func (p *pageHeap) offer(h hit) {
	if len(p.hits) == p.limit && p.before(&p.hits[0], &h) {
		return
	}
	h.keep()
	heap.Push(p, h)
	if len(p.hits) > p.limit {
		heap.Pop(p)
	}
}

func (p *pageHeap) sorted() []hit {
	out := make([]hit, len(p.hits))
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = heap.Pop(p).(hit)
	}
	return out[min(p.run.in.from, len(out)):]
}

// answer writes the response once all hits are collected.
func (run *searchRun) answer(took int64) []byte {
	for i := range run.hits {
		run.out = run.appendHit(run.out, &run.hits[i])
	}
	b := make([]byte, 0, len(run.out)+256)
	b = append(b, '{')
	if run.in.pit != nil {
		b = append(append(b, `"pit_id":`...), mustMarshal(*run.in.pit.ID)...)
		b = append(b, ',')
	}
	b = append(b, `"took":`...)
	b = strconv.AppendInt(b, took, 10)
	b = append(append(b, `,"timed_out":false,"_shards":`...), mustMarshal(shards(run.ix))...)
	b = append(b, `,"hits":{`...)
	if run.in.track != 0 {
		total, relation := run.total, "eq"
		if run.in.track > 0 && total > run.in.track {
			total, relation = run.in.track, "gte"
		}
		b = append(append(b, `"total":`...), mustMarshal(map[string]any{"value": total, "relation": relation})...)
		b = append(b, ',')
	}
	score := "null"
	if len(run.keys) == 0 && len(run.out) > 0 {
		score = "1.0"
	}
	b = append(append(b, `"max_score":`...), score...)
	b = append(append(b, `,"hits":[`...), run.out...)
	b = append(b, "]}"...)
	if len(run.in.counts) > 0 {
		b = append(append(b, `,"aggregations":`...), run.aggregations()...)
	}
	return append(b, '}')
}

func (run *searchRun) appendHit(b []byte, h *hit) []byte {
	if len(b) > 0 {
		b = append(b, ',')
	}
	b = append(b, `{"_index":`...)
	b = appendText(b, []byte(run.ix.name))
	b = append(b, `,"_id":`...)
	b = appendText(b, h.doc.id)
	if run.in.version {
		b = append(b, `,"_version":`...)
		b = strconv.AppendUint(b, h.doc.version, 10)
	}
	if run.in.seqNo {
		b = appendSeq(b, h.doc.seq)
	}
	if len(run.keys) > 0 {
		b = append(b, `,"_score":null`...)
	} else {
		b = append(b, `,"_score":1.0`...)
	}
	if len(h.doc.ignored) > 0 {
		b = append(append(b, `,"_ignored":`...), h.doc.ignored...)
	}
	if len(h.doc.routing) > 0 {
		b = appendText(append(b, `,"_routing":`...), h.doc.routing)
	}
	b = run.in.source.append(b, h.doc.source)
	if run.shown > 0 {
		b = append(b, `,"sort":[`...)
		for i := range run.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = run.keys[i].append(b, h.values[i])
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// count counts the matches of a query.
func (s *Server) count(r *request) (*answer, error) {
	in := &searchRequest{track: trackAll}
	if len(r.body) > 0 {
		body, err := parseObject(r.body)
		if err != nil {
			return nil, err
		}
		for key, raw := range body {
			if key != "query" {
				return nil, parsingError("request does not support [%s]", key)
			}
			in.query = raw
		}
	}
	run, err := s.runSearch(r, in)
	if err != nil {
		return nil, err
	}
	return ok(map[string]any{"count": run.total, "_shards": shards(run.ix)}), nil
}
