package embedded

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// searchRequest is a parsed search request.
type searchRequest struct {
	query      json.RawMessage
	sort       json.RawMessage
	after      []json.RawMessage
	pit        *pitRequest
	slice      *sliceRequest
	size, from int
	source     sourceFilter
	counts     []ignoredCount
	seqNo      bool
	version    bool
	track      int // hits are counted up to this; -1: all
}

type sliceRequest struct {
	ID  *int `json:"id"`
	Max *int `json:"max"`
}

const (
	defaultTrack = 10_000
	trackAll     = -1
)

// parseSearch reads a search from the body and the parameters.
func parseSearch(r *request) (*searchRequest, error) {
	in := &searchRequest{size: 10, track: defaultTrack}
	if err := in.params(r); err != nil {
		return nil, err
	}
	if len(r.body) == 0 {
		return in, nil
	}
	body, err := parseObject(r.body)
	if err != nil {
		return nil, err
	}
	for key, raw := range body {
		if err := in.set(key, raw); err != nil {
			return nil, err
		}
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	return in, nil
}

func (in *searchRequest) params(r *request) error {
	for _, name := range []string{"_source", "seq_no_primary_term", "track_total_hits", "size", "from"} {
		if !r.query.Has(name) {
			continue
		}
		raw := json.RawMessage(r.query.Get(name))
		if !json.Valid(raw) { // a list of fields
			raw = mustMarshal(strings.Split(string(raw), ","))
		}
		if err := in.set(name, raw); err != nil {
			return err
		}
	}
	return nil
}

func (in *searchRequest) set(key string, raw json.RawMessage) error {
	var err error
	switch key {
	case "query":
		in.query = raw
	case "sort":
		in.sort = raw
	case "search_after":
		err = json.Unmarshal(raw, &in.after)
	case "pit":
		err = strictUnmarshal(raw, &in.pit, "id", "keep_alive")
	case "slice":
		err = strictUnmarshal(raw, &in.slice, "id", "max")
	case "size":
		in.size, err = readInt(raw)
	case "from":
		in.from, err = readInt(raw)
	case "_source":
		return in.source.parse(raw)
	case "aggs", "aggregations":
		in.counts, err = parseAggregations(raw)
	case "seq_no_primary_term":
		err = json.Unmarshal(raw, &in.seqNo)
	case "version":
		err = json.Unmarshal(raw, &in.version)
	case "track_total_hits":
		in.track, err = readTrack(raw)
	default:
		return unknown("[%s] in the body of a search", key)
	}
	if _, ours := errors.AsType[*apiError](err); err != nil && !ours {
		return parsingError("[%s] of the search cannot be read", key)
	}
	return err
}

func readInt(raw json.RawMessage) (int, error) { return strconv.Atoi(string(scalar(raw))) }

// strictUnmarshal reads an object that may have only these keys.
func strictUnmarshal(raw json.RawMessage, v any, keys ...string) error {
	if raw[0] != '{' {
		return parsingError("expected an object")
	}
	if _, err := only("search", raw, keys...); err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

func readTrack(raw json.RawMessage) (int, error) {
	switch string(scalar(raw)) {
	case "true":
		return trackAll, nil
	case "false":
		return 0, nil
	}
	n, err := readInt(raw)
	if err == nil && n < trackAll {
		return 0, illegal("[track_total_hits] parameter must be positive or equals to -1, got %d", n)
	}
	return n, err
}

func (in *searchRequest) validate() error {
	switch {
	case in.size < 0:
		return illegal("[size] parameter cannot be negative, found [%d]", in.size)
	case in.from < 0:
		return illegal("[from] parameter cannot be negative but was [%d]", in.from)
	case in.slice != nil:
		if in.slice.ID == nil || in.slice.Max == nil {
			return parsingError("[slice] needs id and max")
		}
		if problem := in.slice.problem(); problem != "" {
			e := fail(http.StatusBadRequest, "x_content_parse_exception", "[slice] failed to parse field [max]")
			e.inner = &cause{Type: "illegal_argument_exception", Reason: problem}
			return e
		}
		if in.pit == nil {
			return invalid("[slice] can only be used with [scroll] or [point-in-time] requests")
		}
	}
	if in.from > 0 && len(in.after) > 0 {
		return invalid("[from] parameter must be set to 0 when [search_after] is used")
	}
	return nil
}

func (s *sliceRequest) problem() string {
	switch {
	case *s.ID < 0:
		return "id must be greater than or equal to 0"
	case *s.Max <= 1:
		return "max must be greater than 1"
	case *s.ID >= *s.Max:
		return "max must be greater than id"
	}
	return ""
}

// checkWindow refuses more hits than an index returns at once.
func (in *searchRequest) checkWindow(ix *index) error {
	if limit := ix.setting("max_result_window", 10_000); in.from > limit-in.size {
		return illegal("Result window is too large, from + size must be less than or equal to: [%d] but was [%d]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.", limit, in.from+in.size).inPhase("query", ix.name)
	}
	return nil
}

// sourceFilter defines the part of a document in a response; the zero value is all of it.
type sourceFilter struct {
	none             bool
	include, exclude *pathFilter
}

func (f *sourceFilter) parse(raw json.RawMessage) error {
	*f = sourceFilter{}
	switch raw[0] {
	case 't':
		return nil
	case 'f':
		f.none = true
		return nil
	case '"', '[':
		paths, err := readPaths(raw)
		f.include = paths
		return err
	case '{':
	default:
		return parsingError("Expected one of [VALUE_BOOLEAN, VALUE_STRING, START_ARRAY, START_OBJECT] in [_source]")
	}
	in, err := only("_source", raw, "includes", "include", "excludes", "exclude")
	if err != nil {
		return err
	}
	for key, list := range in {
		paths, err := readPaths(list)
		if err != nil {
			return err
		}
		if strings.HasPrefix(key, "include") {
			f.include = paths
		} else if paths != nil {
			f.exclude = &pathFilter{exclude: paths.include, dotted: true}
		}
	}
	return nil
}

func readPaths(raw json.RawMessage) (*pathFilter, error) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return newPathFilter([]string{one}, true), nil
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		return nil, parsingError("the fields of _source are not a list of names")
	}
	if len(list) == 0 {
		return nil, nil
	}
	return newPathFilter(list, true), nil
}

// append adds _source with the requested part of a document.
func (f *sourceFilter) append(b, source []byte) []byte {
	if f.none {
		return b
	}
	for _, filter := range []*pathFilter{f.include, f.exclude} {
		if filter != nil {
			source = filter.apply(source[skipSpace(source, 0):])
		}
	}
	return append(append(b, `,"_source":`...), source...)
}
