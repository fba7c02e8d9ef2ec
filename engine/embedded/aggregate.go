package embedded

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// ignoredCount requests documents by field of _ignored: the only known aggregation.
type ignoredCount struct {
	name string
	size int
}

func parseAggregations(raw json.RawMessage) ([]ignoredCount, error) {
	var in map[string]map[string]json.RawMessage
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	var out []ignoredCount
	for name, body := range in {
		terms := body["terms"]
		if terms == nil || len(body) > 1 {
			return nil, unknown("the aggregation [%s] in aggs: only terms of _ignored is supported", name)
		}
		one, err := parseIgnoredCount(name, terms)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func parseIgnoredCount(name string, terms json.RawMessage) (ignoredCount, error) {
	out := ignoredCount{name: name, size: 10}
	var in map[string]json.RawMessage
	if err := json.Unmarshal(terms, &in); err != nil {
		return out, err
	}
	if string(scalar(in["field"])) != "_ignored" {
		return out, unknown("the aggregation [%s] in aggs: only terms of _ignored is supported", name)
	}
	for key, raw := range in {
		switch key {
		case "field":
		case "size":
			n, err := readInt(raw)
			if err == nil && n <= 0 {
				e := fail(http.StatusBadRequest, "x_content_parse_exception", "[terms] failed to parse field [size]")
				e.inner = &cause{Type: "illegal_argument_exception", Reason: "[size] must be greater than 0. Found [" + string(raw) + "] in [" + name + "]"}
				return out, e
			}
			if err != nil {
				return out, err
			}
			out.size = n
		default:
			return out, unknown("[%s] in the aggregation [%s]", key, name)
		}
	}
	return out, nil
}

// count counts one matching document.
func (run *searchRun) count(ignored []byte) {
	if len(ignored) == 0 {
		return
	}
	if run.ignored == nil {
		run.ignored = map[string]int{}
	}
	elements(ignored, func(name []byte) bool {
		run.ignored[string(unquote(name))]++
		return true
	})
}

// aggregations are the counts: most documents first, then by name.
func (run *searchRun) aggregations() []byte {
	type bucket struct {
		Key   string `json:"key"`
		Count int    `json:"doc_count"`
	}
	names := slices.SortedFunc(maps.Keys(run.ignored), func(a, b string) int {
		return cmp.Or(cmp.Compare(run.ignored[b], run.ignored[a]), cmp.Compare(a, b))
	})
	out := map[string]any{}
	for _, want := range run.in.counts {
		buckets, rest := []bucket{}, 0
		for i, name := range names {
			if i < want.size {
				buckets = append(buckets, bucket{name, run.ignored[name]})
			} else {
				rest += run.ignored[name]
			}
		}
		out[want.name] = map[string]any{"doc_count_error_upper_bound": 0, "sum_other_doc_count": rest, "buckets": buckets}
	}
	return mustMarshal(out)
}
