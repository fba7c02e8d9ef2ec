package embedded

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// request is one request, with its complete body.
type request struct {
	ctx    context.Context //nolint:containedctx // a request lives as long as its context
	method string
	index  string // {index} of the path
	id     string // {id} of the path
	query  url.Values
	body   []byte // valid until the handler returns
}

// answer is a successful response.
type answer struct {
	status   int
	location string
	body     []byte
}

func ok(v any) *answer { return &answer{status: http.StatusOK, body: mustMarshal(v)} }

type route struct {
	methods string // separated by spaces
	path    string // segments; {index} matches no segment that starts with _
	params  string // that are understood, separated by spaces, besides the common ones
	handle  func(*Server, *request) (*answer, error)
}

// commonParams have no effect on programs; filter_path works everywhere.
const commonParams = "filter_path pretty human error_trace"

// routes are all supported requests. Any other request gets 501.
func routes() []route {
	const (
		write = "refresh timeout wait_for_active_shards routing if_seq_no if_primary_term"
		many  = "expand_wildcards ignore_unavailable allow_no_indices"
	)
	return []route{
		{"POST PUT", "_bulk", "refresh timeout wait_for_active_shards pipeline include_source_on_error", (*Server).bulk},
		{"POST PUT", "{index}/_bulk", "refresh timeout wait_for_active_shards pipeline include_source_on_error", (*Server).bulk},
		{"POST GET", "_search", "_source seq_no_primary_term track_total_hits size from allow_partial_search_results " + many, (*Server).search},
		{"POST GET", "{index}/_search", "_source seq_no_primary_term track_total_hits size from allow_partial_search_results " + many, (*Server).search},
		{"POST GET", "{index}/_count", many, (*Server).count},
		{"POST GET", "{index}/_refresh", many, (*Server).refreshIndex},
		{"POST", "{index}/_pit", "keep_alive " + many, (*Server).openPIT},
		{"DELETE", "_pit", "", (*Server).closePIT},
		{"GET HEAD", "{index}/_doc/{id}", "_source _source_includes _source_excludes realtime refresh routing", (*Server).getDoc},
		{"PUT POST", "{index}/_doc/{id}", write + " op_type pipeline", (*Server).putDoc},
		{"POST", "{index}/_doc", write + " op_type pipeline", (*Server).putDoc},
		{"PUT POST", "{index}/_create/{id}", write + " pipeline", (*Server).createDoc},
		{"DELETE", "{index}/_doc/{id}", write, (*Server).deleteDoc},
		{"POST", "{index}/_update/{id}", write + " retry_on_conflict", (*Server).updateDoc},
		{"GET", "{index}/_mapping", many + " master_timeout", (*Server).getMapping},
		{"GET", "{index}/_settings", many + " master_timeout", (*Server).getSettings},
		{"PUT POST", "{index}/_mapping", many + " timeout master_timeout", (*Server).putMapping},
		{"GET", "_ingest/pipeline/{id}", "master_timeout summary", (*Server).getPipeline},
		{"GET", "_resolve/index/{index}", "expand_wildcards", (*Server).resolveIndex},
		{"GET HEAD", "{index}", many + " master_timeout", (*Server).getIndex},
		{"PUT", "{index}", "timeout master_timeout wait_for_active_shards", (*Server).createIndex},
		{"DELETE", "{index}", many + " timeout master_timeout", (*Server).deleteIndex},
		{"GET HEAD", "", "", (*Server).info},
	}
}

func (s *Server) info(*request) (*answer, error) {
	return ok(map[string]any{
		"name": nodeName, "cluster_name": "embedded", "cluster_uuid": "_na_",
		"version": map[string]any{
			"number": version, "build_flavor": "embedded", "build_snapshot": false,
			"minimum_wire_compatibility_version": "8.19.0", "minimum_index_compatibility_version": "8.0.0",
		},
		"tagline": "You Know, for Search",
	}), nil
}

// getPipeline responds that there is none: there are no ingest pipelines here.
func (s *Server) getPipeline(*request) (*answer, error) {
	return &answer{status: http.StatusNotFound, body: []byte("{}")}, nil
}

// find looks up the route of a request and sets the variables of its path.
func (r *request) find(routes []route, path string) (*route, error) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, segment := range segments {
		text, err := url.PathUnescape(segment)
		if err != nil {
			return nil, illegal("the path %q is not encoded correctly", path)
		}
		segments[i] = text
	}
	for i := range routes {
		if slices.Contains(strings.Fields(routes[i].methods), r.method) && r.match(routes[i].path, segments) {
			return &routes[i], nil
		}
	}
	return nil, unknown("the request [%s %s]", r.method, path)
}

func (r *request) match(pattern string, segments []string) bool {
	want := strings.Split(pattern, "/")
	if len(want) != len(segments) {
		return false
	}
	r.index, r.id = "", ""
	for i, segment := range segments {
		switch {
		case want[i] == "{id}" && segment != "":
			r.id = segment
		case want[i] == "{index}" && segment != "" && (i > 0 || !strings.HasPrefix(segment, "_") || r.method == http.MethodPut):
			r.index = segment
		case want[i] != segment:
			return false
		}
	}
	return true
}

// checkParams refuses a parameter that the route does not have.
func (r *request) checkParams(rt *route) error {
	known := strings.Fields(rt.params + " " + commonParams)
	for name := range r.query {
		if !slices.Contains(known, name) {
			return unknown("the parameter [%s] of [%s %s]", name, r.method, rt.path)
		}
	}
	return nil
}

// flag reads a boolean parameter or def.
func (r *request) flag(name string, def bool) (bool, error) {
	if !r.query.Has(name) {
		return def, nil
	}
	switch v := r.query.Get(name); v {
	case "", "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, illegal("Failed to parse value [%s] as only [true] or [false] are allowed.", v)
	}
}

// refreshes reads the refresh parameter of a write.
func (r *request) refreshes() (bool, error) {
	switch v := r.query.Get("refresh"); {
	case v == "true" || v == "wait_for" || v == "" && r.query.Has("refresh"):
		return true, nil
	case v == "" || v == "false":
		return false, nil
	default:
		return false, illegal("Unknown value for refresh: [%s].", v)
	}
}

// number reads an integer parameter, or def.
func (r *request) number(name string, def int64) (int64, error) {
	if !r.query.Has(name) {
		return def, nil
	}
	n, err := strconv.ParseInt(r.query.Get(name), 10, 64)
	if err != nil {
		return 0, illegal("Failed to parse int parameter [%s] with value [%s]", name, r.query.Get(name))
	}
	return n, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	buffer := s.buffer()
	defer s.buffers.Put(buffer)
	a := s.respond(hr, buffer, s.readBody(hr, buffer))
	maps.Copy(w.Header(), a.header(hr))
	w.WriteHeader(a.status)
	if hr.Method != http.MethodHead {
		_, _ = w.Write(a.body) // the client went away; the error cannot be reported
	}
}

func (a *answer) header(hr *http.Request) http.Header {
	h := http.Header{}
	h.Set("X-Elastic-Product", "Elasticsearch")
	h.Set("Content-Type", mediaType(hr.Header))
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.location != "" {
		h.Set("Location", a.location)
	}
	return h
}

// respond answers a request whose body was read into buffer, or could not be.
func (s *Server) respond(hr *http.Request, buffer *[]byte, readErr error) *answer {
	a, err := s.serve(hr, buffer, readErr)
	if err == nil {
		return a
	}
	return errorAnswer(err)
}

func errorAnswer(err error) *answer {
	e, known := errors.AsType[*apiError](err)
	if !known {
		e = storeFailed(err)
	}
	return &answer{status: e.status, body: e.body()}
}

func (s *Server) serve(hr *http.Request, buffer *[]byte, readErr error) (*answer, error) {
	if !s.enter() {
		return nil, fail(http.StatusServiceUnavailable, "embedded_store_exception", "the embedded store is closed")
	}
	defer s.running.Done()
	r := &request{ctx: hr.Context(), method: hr.Method, query: hr.URL.Query(), body: *buffer}
	rt, err := r.find(s.routes, hr.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	if err := r.checkParams(rt); err != nil {
		return nil, err
	}
	if readErr != nil {
		return nil, readErr
	}
	if s.readOnly && writes(rt, r) {
		return nil, fail(http.StatusForbidden, "cluster_block_exception", "blocked by: [FORBIDDEN/5/cluster read-only (api)];")
	}
	a, err := rt.handle(s, r)
	if err != nil {
		return nil, err
	}
	if paths := r.query.Get("filter_path"); paths != "" {
		a.body = newPathFilter(strings.Split(paths, ","), false).apply(a.body)
	}
	return a, nil
}

// writes reports whether a request would change stored data.
func writes(rt *route, r *request) bool {
	switch {
	case strings.HasSuffix(rt.path, "_search"), strings.HasSuffix(rt.path, "_count"),
		strings.HasSuffix(rt.path, "_refresh"), strings.HasSuffix(rt.path, "_pit"):
		return false
	}
	return r.method != http.MethodGet && r.method != http.MethodHead
}

// buffer returns a buffer for a body; put it back into buffers.
func (s *Server) buffer() *[]byte {
	if b, _ := s.buffers.Get().(*[]byte); b != nil {
		return b
	}
	return new([]byte)
}

// readBody reads the body into buffer, which grows. Any error but an apiError comes from the reader.
func (s *Server) readBody(hr *http.Request, buffer *[]byte) error {
	*buffer = (*buffer)[:0]
	if hr.Body == nil || hr.Body == http.NoBody {
		return nil
	}
	in := io.Reader(hr.Body)
	if hr.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(hr.Body)
		if err != nil {
			return illegal("the body is not gzip: %v", err)
		}
		in = z
	}
	if hr.ContentLength > 0 && hr.ContentLength <= s.maxBody {
		*buffer = slices.Grow(*buffer, int(hr.ContentLength)+bytes.MinRead)
	}
	b := bytes.NewBuffer(*buffer)
	n, err := b.ReadFrom(io.LimitReader(in, s.maxBody+1))
	*buffer = b.Bytes()
	switch {
	case err != nil:
		return fmt.Errorf("read the body of the request: %w", err)
	case n > s.maxBody:
		return fail(http.StatusRequestEntityTooLarge, "content_too_long_exception", "entity content is too long for the configured limit [%d]", s.maxBody)
	case n > 0 && !knownMedia(hr.Header.Get("Content-Type")):
		return fail(http.StatusNotAcceptable, "media_type_header_exception", "Content-Type header [%s] is not supported", hr.Header.Get("Content-Type"))
	}
	return nil
}

func knownMedia(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.TrimSpace(media) {
	case "application/json", "application/x-ndjson", "application/vnd.elasticsearch+json", "application/vnd.elasticsearch+x-ndjson":
		return true
	}
	return false
}

// mediaType is the media type of the response: the compatible one if it was requested.
func mediaType(h http.Header) string {
	accept := h.Get("Accept")
	if strings.HasPrefix(accept, "application/vnd.elasticsearch+json") {
		return accept
	}
	return "application/json"
}

// unmarshal decodes JSON and keeps numbers as they are written.
func unmarshal(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(v)
}

// parseObject decodes a body that must be one JSON object.
func parseObject(body []byte) (map[string]json.RawMessage, error) {
	end, p := newChecker().check(body)
	if p == nil && end < len(body) {
		p = &problem{badToken, end}
	}
	if p != nil {
		typ := "x_content_parse_exception"
		if p.what == endsEarly {
			typ = "x_content_e_o_f_exception"
		}
		return nil, fail(http.StatusBadRequest, typ, "[1:%d] %s", p.at+1, p.what)
	}
	out := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &out); err != nil {
		return nil, fail(http.StatusBadRequest, "parsing_exception", "the body is not an object")
	}
	return out, nil
}

func (s *Server) refreshIndex(r *request) (*answer, error) {
	ix, err := s.find(r.index)
	if err != nil {
		return nil, err
	}
	if err := s.refresh(); err != nil {
		return nil, err
	}
	return ok(map[string]any{"_shards": map[string]int{"total": ix.shards() * ix.copies(), "successful": ix.shards(), "failed": 0}}), nil
}
