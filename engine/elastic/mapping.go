package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Mapping describes the fields of an index, and the settings that belong to them.
type Mapping struct {
	types           map[string]string // of fields, by path
	below           map[string]bool   // paths of sub-fields, such as "name.keyword"
	vectors         map[string]bool   // top-level fields that are, or contain, vectors
	room            int               // fields that may still be added
	Limit           int               // fields that the index allows in total
	IgnoreMalformed bool              // a value that does not fit its field's type is not indexed, instead of being rejected
	GuessesDates    bool              // text that looks like a date makes a date field
	KeepsVectors    bool              // _source shows vectors by default
	Depth           int               // levels of objects
}

// mappedField is one field of a mapping.
type mappedField struct {
	Type       string                     `json:"type"`
	Enabled    any                        `json:"enabled"`
	Properties map[string]mappedField     `json:"properties"`
	Fields     map[string]json.RawMessage `json:"fields"`
}

const (
	defaultFields = 1000 // index.mapping.total_fields.limit
	defaultDepth  = 20   // index.mapping.depth.limit
)

func (a *indexAnswer) mapping() Mapping {
	s := &a.Settings.Index.Mapping
	m := Mapping{
		types: map[string]string{}, below: map[string]bool{}, vectors: map[string]bool{}, room: number(s.TotalFields.Limit, defaultFields),
		IgnoreMalformed: s.IgnoreMalformed == "true", KeepsVectors: s.ExcludeVectors == "false",
		GuessesDates: a.Mappings.DateDetection != false && a.Mappings.DateDetection != "false",
		Depth:        number(s.Depth.Limit, defaultDepth),
	}
	m.Limit = m.room
	m.add("", "", a.Mappings.Properties)
	return m
}

func (m *Mapping) add(prefix, top string, fields map[string]mappedField) {
	for name, f := range fields {
		path, first := prefix+name, top
		if first == "" {
			first = name
		}
		typ := f.Type
		switch {
		case f.Enabled == false || f.Enabled == "false":
			typ = Disabled
		case typ == "":
			typ = "object"
		}
		m.types[path] = typ
		m.room--
		for sub := range f.Fields {
			m.below[path+"."+sub] = true
			m.room--
		}
		switch typ {
		case "dense_vector", "sparse_vector", "rank_vectors":
			m.vectors[first] = true
		}
		m.add(path+".", first, f.Properties)
	}
}

// Disabled is the type of a field that is stored but not parsed, whatever it holds.
const Disabled = "disabled"

// Levels is how deep objects may be nested in a field.
func (m *Mapping) Levels() int {
	if m.Depth == 0 { // an index that does not exist yet
		return defaultDepth - 1
	}
	return m.Depth - 1
}

// TypeOf is the type of the field of a dotted path; "" if there is none.
func (m *Mapping) TypeOf(path string) string { return m.types[path] }

// IsSubfield reports whether the path is a sub-field, such as "name.keyword".
func (m *Mapping) IsSubfield(path string) bool { return m.below[path] }

// Room is how many more fields the index allows.
func (m *Mapping) Room() int { return max(m.room, 0) }

// HasVectors reports whether there is a vector field.
func (m *Mapping) HasVectors() bool { return len(m.vectors) > 0 }

// IsVector reports whether the top-level field is, or contains, a vector.
func (m *Mapping) IsVector(field string) bool { return m.vectors[field] }

// AddFields adds fields to the mapping of an index; existing fields are not changed.
func (c *Client) AddFields(ctx context.Context, ix *Index, properties map[string]any) error {
	r := esapi.IndicesPutMappingRequest{Index: []string{url.PathEscape(ix.Name)}, Body: asJSON(map[string]any{"properties": properties})}
	return c.call(ctx, fmt.Sprintf("add fields to index %q", ix.Name), r, nil)
}

// LacksUnsignedLong reports that the destination refused a mapping because it does not have the type
// unsigned_long.
func LacksUnsignedLong(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Type == "mapper_parsing_exception" && strings.Contains(e.Reason, "[unsigned_long]")
}

// LacksRoom reports that the destination refused a mapping because it has more fields than the index allows.
func LacksRoom(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && strings.Contains(e.Reason, "Limit of total fields [")
}

// mostIgnored is how many of the fields whose values could not be indexed are named.
const mostIgnored = 1000

type ignoredAnswer struct {
	Shards       *shards `json:"_shards"`
	Aggregations struct {
		Fields *struct {
			Buckets []struct {
				Key   string `json:"key"`
				Count int64  `json:"doc_count"`
			} `json:"buckets"`
		} `json:"fields"`
	} `json:"aggregations"`
}

func (a *ignoredAnswer) check() error {
	if err := lacks("_shards", a.Shards != nil); err != nil {
		return err
	}
	return a.Shards.check()
}

// Ignored counts, by field, the documents of an index with a value that could not be indexed. ok is
// false if the destination cannot count them: before version 8.15.
func (c *Client) Ignored(ctx context.Context, index string) (counts map[string]int64, ok bool, err error) {
	body := map[string]any{
		"size": 0, "track_total_hits": false,
		"query": map[string]any{"exists": map[string]any{"field": "_ignored"}},
		"aggs":  map[string]any{"fields": map[string]any{"terms": map[string]any{"field": "_ignored", "size": mostIgnored}}},
	}
	var answer ignoredAnswer
	partial := false
	r := esapi.SearchRequest{Index: []string{url.PathEscape(index)}, Body: asJSON(body), AllowPartialSearchResults: &partial}
	err = c.call(ctx, fmt.Sprintf("count values that could not be indexed in %q", index), r, &answer)
	if e, answered := errors.AsType[*Error](err); answered && e.Status == http.StatusBadRequest {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if answer.Aggregations.Fields == nil {
		return nil, false, nil
	}
	counts = map[string]int64{}
	for _, b := range answer.Aggregations.Fields.Buckets {
		counts[b.Key] = b.Count
	}
	return counts, true, nil
}

// HasSetting reports whether a server of the version has an index setting that was added in version since. A version
// that cannot be read, such as a Serverless one's, counts as having it: refused settings are left out.
func (i Info) HasSetting(since [2]int) bool {
	var major, minor int
	if _, err := fmt.Sscanf(i.Version, "%d.%d", &major, &minor); err != nil || i.Flavor == "serverless" {
		return true
	}
	return major > since[0] || major == since[0] && minor >= since[1]
}
