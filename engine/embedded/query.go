package embedded

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
)

// query is a compiled query clause. It fails while it runs if a document holds text whose comparison
// would need analysis.
type query func(*record) (bool, error)

func matchAll(*record) (bool, error) { return true, nil }

func parsingError(format string, args ...any) *apiError {
	return fail(http.StatusBadRequest, "parsing_exception", format, args...)
}

// maxNested is how deep bool clauses may nest here; Elasticsearch allows 30.
const maxNested = 30

// compile reads a query. all is true if it matches every document.
func compile(m *mapping, raw json.RawMessage, depth int) (q query, all bool, err error) {
	if depth > maxNested {
		return nil, false, illegal("the query is nested too deep")
	}
	var clause map[string]json.RawMessage
	if json.Unmarshal(raw, &clause) != nil || clause == nil {
		return nil, false, parsingError("a query is not an object")
	}
	if len(clause) == 0 {
		return nil, false, illegal("query malformed, empty clause found")
	}
	for name, body := range clause {
		if len(clause) > 1 {
			return nil, false, parsingError("[%s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]", name)
		}
		switch name {
		case "match_all":
			_, err = only(name, body)
			return matchAll, true, err
		case "ids":
			q, err = compileIDs(body)
		case "term":
			q, err = compileTerm(m, body)
		case "terms":
			q, err = compileTerms(m, body)
		case "range":
			q, err = compileRange(m, body)
		case "exists":
			q, err = compileExists(m, body)
		case "bool":
			q, err = compileBool(m, body, depth)
		default:
			err = unknown("the query clause [%s]", name)
		}
	}
	return q, false, err
}

// only reads the body of a clause that may have only these keys.
func only(clause string, body json.RawMessage, keys ...string) (map[string]json.RawMessage, error) {
	var in map[string]json.RawMessage
	if json.Unmarshal(body, &in) != nil {
		return nil, parsingError("[%s] query malformed, no start_object after query name", clause)
	}
	for key := range in {
		if key == "boost" || key == "_name" {
			continue // neither changes the result
		}
		if !slices.Contains(keys, key) {
			return nil, unknown("[%s] in the query clause [%s]", key, clause)
		}
	}
	return in, nil
}

// oneField reads a clause about one field.
func oneField(clause string, body json.RawMessage) (field string, value json.RawMessage, err error) {
	var in map[string]json.RawMessage
	if json.Unmarshal(body, &in) != nil {
		return "", nil, parsingError("[%s] query malformed, no start_object after query name", clause)
	}
	for key, v := range in {
		if key == "boost" || key == "_name" {
			continue
		}
		if field != "" {
			return "", nil, parsingError("[%s] query doesn't support multiple fields, found [%s] and [%s]", clause, field, key)
		}
		field, value = key, v
	}
	if field == "" {
		return "", nil, illegal("field name is null or empty")
	}
	return field, value, nil
}

func compileIDs(body json.RawMessage) (query, error) {
	in, err := only("ids", body, "values")
	if err != nil {
		return nil, err
	}
	var list []string
	if in["values"] == nil {
		return nil, parsingError("[ids] requires providing at least one of: values")
	}
	if json.Unmarshal(in["values"], &list) != nil {
		return nil, parsingError("[ids] failed to parse field [values]")
	}
	if slices.Contains(list, "") {
		return nil, queryError("Ids can't be empty")
	}
	return idIn(list), nil
}

func idIn(list []string) query {
	ids := make(map[string]bool, len(list))
	for _, id := range list {
		ids[id] = true
	}
	return func(r *record) (bool, error) { return ids[string(r.id)], nil }
}

func compileTerm(m *mapping, body json.RawMessage) (query, error) {
	field, value, err := oneField("term", body)
	if err != nil {
		return nil, err
	}
	if value[0] == '{' {
		in, err := only("term", value, "value")
		if err != nil {
			return nil, err
		}
		value = in["value"]
	}
	if value == nil || string(value) == "null" {
		return nil, illegal("value cannot be null")
	}
	return compileValues(m, field, []json.RawMessage{value})
}

func compileTerms(m *mapping, body json.RawMessage) (query, error) {
	field, value, err := oneField("terms", body)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return nil, unknown("a terms query of anything but a list")
	}
	return compileValues(m, field, list)
}

// compileValues matches documents that have one of the values in the field.
func compileValues(m *mapping, field string, list []json.RawMessage) (query, error) {
	if field == "_id" {
		ids := make([]string, len(list))
		for i, raw := range list {
			ids[i] = string(scalar(raw))
		}
		return idIn(ids), nil
	}
	if field == "_ignored" {
		return ignoredIn(list), nil
	}
	f, err := m.searchable(field)
	if err != nil {
		return nil, err
	}
	if f.kind == kindDate {
		return nil, unknown("a term query of the date field [%s]", field)
	}
	wanted := make([]value, 0, len(list))
	for _, raw := range list {
		v, ok := f.read(raw)
		if !ok {
			return nil, queryError("For input string: %q", scalar(raw))
		}
		wanted = append(wanted, v)
	}
	return func(r *record) (bool, error) {
		return f.any(r.source, func(v value) bool {
			return slices.ContainsFunc(wanted, func(w value) bool { return v.compare(w) == 0 })
		})
	}, nil
}

// ignoredIn matches documents with one of these fields not indexed.
func ignoredIn(list []json.RawMessage) query {
	return func(r *record) (found bool, err error) {
		elements(r.ignored, func(name []byte) bool {
			found = slices.ContainsFunc(list, func(raw json.RawMessage) bool { return bytes.Equal(scalar(raw), unquote(name)) })
			return !found
		})
		return found, nil
	}
}

func queryError(format string, args ...any) *apiError {
	return fail(http.StatusBadRequest, "query_shard_exception", "failed to create query: "+format, args...).inPhase("query", "")
}

func compileRange(m *mapping, body json.RawMessage) (query, error) {
	field, bounds, err := oneField("range", body)
	if err != nil {
		return nil, err
	}
	in, err := only("range", bounds, "gt", "gte", "lt", "lte")
	if err != nil {
		return nil, err
	}
	f, err := m.searchable(field)
	if err != nil {
		return nil, err
	}
	var tests []func(value) bool
	texts, numbers := 0, 0
	for key, raw := range in {
		if key == "boost" || key == "_name" || string(raw) == "null" {
			continue
		}
		if raw[0] == '"' {
			texts++
		} else {
			numbers++
		}
		if f.kind == kindDate && texts > 0 && numbers > 0 {
			return nil, unknown("a range of the date [%s] from a number to a text", field)
		}
		bound, err := f.bound(key, raw)
		if err != nil {
			return nil, err
		}
		tests = append(tests, func(v value) bool {
			switch c := v.compare(bound); key {
			case "gt":
				return c > 0
			case "gte":
				return c >= 0
			case "lt":
				return c < 0
			default:
				return c <= 0
			}
		})
	}
	return func(r *record) (bool, error) {
		return f.any(r.source, func(v value) bool {
			return !slices.ContainsFunc(tests, func(test func(value) bool) bool { return !test(v) })
		})
	}, nil
}

func compileExists(m *mapping, body json.RawMessage) (query, error) {
	in, err := only("exists", body, "field")
	if err != nil {
		return nil, err
	}
	var name string
	if json.Unmarshal(in["field"], &name) != nil || name == "" {
		return nil, parsingError("[exists] must be provided with a [field]")
	}
	if name == "_ignored" {
		return func(r *record) (bool, error) { return len(r.ignored) > 0, nil }, nil
	}
	field, path := m.field(name)
	switch {
	case field == nil && m.complete():
		return func(*record) (bool, error) { return false, nil }, nil
	case field != nil && path != name || field["index"] != nil || field["doc_values"] != nil || field["ignore_above"] != nil || field["null_value"] != nil:
		return nil, unknown("an exists query of the field [%s]", name)
	}
	return func(r *record) (bool, error) { return m.exists(r.source, "", name), nil }, nil
}

func compileBool(m *mapping, body json.RawMessage, depth int) (query, error) {
	in, err := only("bool", body, "must", "filter", "must_not", "should", "minimum_should_match")
	if err != nil {
		return nil, err
	}
	var groups struct{ must, not, should []query }
	for _, key := range []string{"must", "filter", "must_not", "should"} {
		list, err := compileList(m, in[key], depth)
		if err != nil {
			return nil, err
		}
		switch key {
		case "must_not":
			groups.not = list
		case "should":
			groups.should = list
		default:
			groups.must = append(groups.must, list...)
		}
	}
	least := 0
	if len(groups.should) > 0 && len(groups.must) == 0 {
		least = 1
	}
	if raw := in["minimum_should_match"]; raw != nil {
		if json.Unmarshal(raw, &least) != nil || least < 0 {
			return nil, unknown("minimum_should_match %s", raw)
		}
	}
	return func(r *record) (bool, error) {
		if n, err := matching(groups.must, r); err != nil || n < len(groups.must) {
			return false, err
		}
		if n, err := matching(groups.not, r); err != nil || n > 0 {
			return false, err
		}
		if least == 0 {
			return true, nil
		}
		n, err := matching(groups.should, r)
		return n >= least, err
	}, nil
}

func compileList(m *mapping, raw json.RawMessage, depth int) ([]query, error) {
	list, err := oneOrMany(raw)
	if err != nil {
		return nil, parsingError("a list of queries is malformed")
	}
	var out []query
	for _, one := range list {
		q, _, err := compile(m, one, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, q)
	}
	return out, nil
}

func matching(list []query, r *record) (n int, err error) {
	for _, q := range list {
		ok, err := q(r)
		if err != nil {
			return 0, err
		}
		if ok {
			n++
		}
	}
	return n, nil
}
