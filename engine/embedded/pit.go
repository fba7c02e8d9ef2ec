package embedded

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// pit is a point in time: the state of the last refresh when it was opened, held until it is closed
// or was not used for keepAlive.
type pit struct {
	ix      *index
	view    *view
	expires time.Time
}

// pitPrefix marks the ids that this package issues, so that an id from an earlier run is missing
// and anything else is malformed.
const pitPrefix = "embedded1"

const maxKeepAlive = 24 * time.Hour

// duration reads a time value of Elasticsearch, such as 5m.
func duration(name, text string) (time.Duration, error) {
	for _, unit := range []struct {
		suffix string
		d      time.Duration
	}{
		{"nanos", time.Nanosecond},
		{"micros", time.Microsecond},
		{"ms", time.Millisecond},
		{"s", time.Second},
		{"m", time.Minute},
		{"h", time.Hour},
		{"d", 24 * time.Hour},
	} {
		if number, ok := strings.CutSuffix(text, unit.suffix); ok {
			if n, err := strconv.ParseInt(number, 10, 32); err == nil && n >= 0 {
				return time.Duration(n) * unit.d, nil
			}
		}
	}
	return 0, illegal("failed to parse setting [%s] with value [%s] as a time value: unit is missing or unrecognized", name, text)
}

func keepAlive(text, index string) (time.Duration, error) {
	d, err := duration("keep_alive", text)
	if err != nil {
		return 0, err
	}
	if d > maxKeepAlive {
		return 0, illegal("Keep alive for request (%s) is too large. It must be less than (1d). This limit can be set by changing the [search.max_keep_alive] cluster level setting.", text).inPhase("open_pit", index)
	}
	return d, nil
}

func (s *Server) openPIT(r *request) (*answer, error) {
	if !r.query.Has("keep_alive") {
		return nil, invalid("[keep_alive] is not specified")
	}
	if len(r.body) > 0 {
		return nil, unknown("a body in the opening of a point in time")
	}
	ix, err := s.find(r.index)
	if err != nil {
		return nil, err
	}
	d, err := keepAlive(r.query.Get("keep_alive"), ix.name)
	if err != nil {
		return nil, err
	}
	s.sweep()
	p := &pit{ix: ix, view: s.current(), expires: s.now().Add(d)}
	id := pitPrefix + randomID()
	s.mu.Lock()
	s.pits[id] = p
	s.mu.Unlock()
	return ok(map[string]any{"id": id, "_shards": shards(ix)}), nil
}

func shards(ix *index) map[string]int {
	return map[string]int{"total": ix.shards(), "successful": ix.shards(), "skipped": 0, "failed": 0}
}

// sweep releases expired points in time, so that an abandoned one does not hold old data.
func (s *Server) sweep() {
	now := s.now()
	var gone []*pit
	s.mu.Lock()
	for id, p := range s.pits {
		if now.After(p.expires) {
			gone = append(gone, p)
			delete(s.pits, id)
		}
	}
	s.mu.Unlock()
	for _, p := range gone {
		_ = p.view.release() // the next write reports a broken store
	}
}

// pitRequest is pit in a search.
type pitRequest struct {
	ID        *string `json:"id"`
	KeepAlive string  `json:"keep_alive"`
}

func checkPITID(id string) error {
	if !strings.HasPrefix(id, pitPrefix) {
		return illegal("[%s] is not an id of a point in time", id)
	}
	return nil
}

// usePIT finds a point in time and renews it. The caller releases the view.
func (s *Server) usePIT(in *pitRequest) (*index, *view, error) {
	if in.ID == nil {
		return nil, nil, illegal("point in time id is not provided")
	}
	if err := checkPITID(*in.ID); err != nil {
		return nil, nil, err
	}
	s.sweep()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pits[*in.ID]
	if p == nil {
		return nil, nil, fail(http.StatusNotFound, "search_context_missing_exception", "No search context found for id [%s]", *in.ID).inPhase("query", "")
	}
	if in.KeepAlive != "" {
		d, err := keepAlive(in.KeepAlive, p.ix.name)
		if err != nil {
			return nil, nil, err
		}
		if until := s.now().Add(d); until.After(p.expires) {
			p.expires = until
		}
	}
	ix := s.indices[p.ix.name]
	if ix == nil || ix.number != p.ix.number {
		return nil, nil, fail(http.StatusServiceUnavailable, "no_shard_available_action_exception", "").inPhase("query", p.ix.name)
	}
	p.view.refs.Add(1)
	return ix, p.view, nil
}

func (s *Server) closePIT(r *request) (*answer, error) {
	if len(r.body) == 0 {
		return nil, fail(http.StatusBadRequest, "parse_exception", "request body or source parameter is required")
	}
	if _, err := parseObject(r.body); err != nil {
		return nil, err
	}
	var in struct {
		ID *string `json:"id"`
	}
	if err := json.Unmarshal(r.body, &in); err != nil || in.ID == nil {
		return nil, illegal("search context id is is not provided")
	}
	if err := checkPITID(*in.ID); err != nil {
		return nil, err
	}
	s.mu.Lock()
	p := s.pits[*in.ID]
	delete(s.pits, *in.ID)
	s.mu.Unlock()
	if p == nil {
		a := ok(map[string]any{"succeeded": false, "num_freed": 0})
		a.status = http.StatusNotFound
		return a, nil
	}
	if err := p.view.release(); err != nil {
		return nil, err
	}
	return ok(map[string]any{"succeeded": true, "num_freed": 1}), nil
}
