package mongodb

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// rule is an advanced rule: a find or an aggregate command instead of the complete collection.
type rule struct {
	aggregate bool
	options   bson.D // of the command, without the batch size
	batch     int32  // 0: our default
	partial   bool   // a shard that does not respond is skipped
}

// The kinds of option values.
const (
	anObject = "an object"
	aList    = "a list"
	aNumber  = "a non-negative integer"
	aBool    = "true or false"
	fieldSet = "an object or a list of names"
)

// option is one key of a rule.
type option struct {
	sent string // the server's name for it
	kind string
}

var findOptions = map[string]option{
	"filter": {"filter", anObject}, "projection": {"projection", fieldSet}, "skip": {"skip", aNumber}, "limit": {"limit", aNumber},
	"batch_size": {"", aNumber}, "max_time_ms": {"maxTimeMS", aNumber}, "no_cursor_timeout": {"noCursorTimeout", aBool},
	"allow_partial_results": {"allowPartialResults", aBool}, "return_key": {"returnKey", aBool},
	"show_record_id": {"showRecordId", aBool}, "allow_disk_use": {"allowDiskUse", aBool},
}

var aggregateOptions = map[string]option{
	"pipeline": {"pipeline", aList}, "let": {"let", anObject}, "batchSize": {"", aNumber}, "maxTimeMS": {"maxTimeMS", aNumber},
	"allowDiskUse": {"allowDiskUse", aBool},
}

const ruleHint = `write {find: {filter: {status: "paid"}}} or {aggregate: {pipeline: [{$match: {status: "paid"}}]}}`

// parseRule reads an advanced rule; nil means none.
func parseRule(raw any) (*rule, error) {
	keys, ok := raw.(map[string]any)
	if raw == nil || ok && len(keys) == 0 {
		return nil, nil
	}
	if list, isList := raw.([]any); isList && len(list) == 0 {
		return nil, nil
	}
	if !ok {
		return nil, form.ConfigError(errors.New("advanced_rules: must be an object"), ruleHint)
	}
	chosen := ""
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if key != "find" && key != "aggregate" {
			return nil, form.ConfigError(fmt.Errorf("advanced_rules.%s: unknown key", key), ruleHint)
		}
		if chosen != "" {
			return nil, form.ConfigError(errors.New("advanced_rules: find and aggregate exclude each other"), "remove one of them")
		}
		chosen = key
	}
	r := &rule{aggregate: chosen == "aggregate"}
	known := findOptions
	if r.aggregate {
		known = aggregateOptions
	}
	path := "advanced_rules." + chosen
	options, ok := keys[chosen].(map[string]any)
	if !ok && keys[chosen] != nil {
		return nil, form.ConfigError(fmt.Errorf("%s: must be an object", path), ruleHint)
	}
	for _, key := range slices.Sorted(maps.Keys(options)) {
		if err := r.set(known, path, key, options[key]); err != nil {
			return nil, err
		}
	}
	if r.aggregate && !slices.ContainsFunc(r.options, func(e bson.E) bool { return e.Key == "pipeline" }) {
		r.options = append(r.options, bson.E{Key: "pipeline", Value: bson.A{}})
	}
	return r, nil
}

// set reads one option of the rule.
func (r *rule) set(known map[string]option, path, key string, raw any) error {
	o, ok := known[key]
	if !ok {
		hint := "remove it; the options are " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
		if n := field.Nearest(key, slices.Sorted(maps.Keys(known))); n != "" {
			hint = fmt.Sprintf("did you mean %s?", n)
		}
		return form.ConfigError(fmt.Errorf("%s.%s: unknown option", path, key), hint)
	}
	path += "." + key
	if err := harmful(path, raw); err != nil {
		return err
	}
	value, err := o.value(raw)
	if err != nil {
		return form.ConfigError(fmt.Errorf("%s: %w", path, err), ruleHint)
	}
	switch key {
	case "batch_size", "batchSize":
		r.batch = int32(min(value.(int64), math.MaxInt32))
		return nil
	case "allow_partial_results":
		r.partial = value.(bool)
	}
	r.options = append(r.options, bson.E{Key: o.sent, Value: value})
	return nil
}

// value is an option in the form that the server expects.
func (o option) value(raw any) (any, error) {
	switch o.kind {
	case aBool:
		if b, ok := raw.(bool); ok {
			return b, nil
		}
	case aNumber:
		if n, ok := integer(raw); ok && n >= 0 {
			return n, nil
		}
	case aList:
		if l, ok := raw.([]any); ok && len(l) > 0 {
			return toBSON(l)
		}
		return nil, errors.New("must be a list of one stage or more")
	case fieldSet:
		if l, ok := raw.([]any); ok {
			return included(l)
		}
		fallthrough
	case anObject:
		if m, ok := raw.(map[string]any); ok {
			return toBSON(m)
		}
	}
	return nil, fmt.Errorf("must be %s", o.kind)
}

// included is a projection given as a list of names.
func included(list []any) (any, error) {
	if len(list) == 0 {
		return nil, errors.New("must name one field or more")
	}
	d := bson.D{}
	for _, member := range list {
		name, ok := member.(string)
		if !ok || name == "" {
			return nil, errors.New("must be a list of names")
		}
		d = append(d, bson.E{Key: name, Value: int32(1)})
	}
	return d, nil
}

// integer reads an integer, also in the form 1.0.
func integer(raw any) (int64, bool) {
	switch n := raw.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case uint64:
		return int64(n), n <= math.MaxInt64
	case float64:
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	case json.Number:
		f, err := n.Float64()
		return int64(f), err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53
	}
	return 0, false
}

// harmful refuses what writes, what runs code on the server, and what a configuration cannot preserve.
func harmful(path string, raw any) error {
	switch v := raw.(type) {
	case []any:
		for i, member := range v {
			if err := harmful(fmt.Sprintf("%s[%d]", path, i), member); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			at := path + "." + key
			switch key {
			case "$out", "$merge":
				return form.ConfigError(fmt.Errorf("%s: it writes, but a source is only read", at), "remove the stage")
			case "$where", "$function", "$accumulator":
				return form.ConfigError(fmt.Errorf("%s: it runs JavaScript on the server", at), "write it with other operators, such as $expr")
			case "$sort":
				if keys, ok := v[key].(map[string]any); ok && len(keys) > 1 {
					return form.ConfigError(fmt.Errorf("%s: it has several keys, whose order a configuration does not preserve", at),
						"sort by one key; for several add a field that joins them with $addFields before")
				}
			}
			if err := harmful(at, v[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// command is the rule as a command.
func (r *rule) command(collection string) bson.D {
	size := int32(batchDocuments)
	if r.batch > 0 {
		size = r.batch
	}
	if r.aggregate {
		command := append(bson.D{{Key: "aggregate", Value: collection}}, r.options...)
		return append(command, bson.E{Key: "cursor", Value: bson.D{{Key: "batchSize", Value: size}}})
	}
	command := append(bson.D{{Key: "find", Value: collection}}, r.options...)
	return append(command, bson.E{Key: "batchSize", Value: size})
}

// unfollowable names the option of a rule whose effect on a single document a change stream cannot show;
// "" if there is none.
func (r *rule) unfollowable() string {
	if r.aggregate {
		return "aggregate"
	}
	for _, o := range r.options {
		switch o.Key {
		case "skip", "limit":
			return o.Key
		case "allowPartialResults", "returnKey":
			if o.Value == true {
				return o.Key
			}
		case "projection":
			fields, _ := o.Value.(bson.D)
			if slices.ContainsFunc(fields, func(f bson.E) bool { return f.Key == "_id" && !asksFor(f.Value) }) {
				return "a projection without _id"
			}
		}
	}
	return ""
}

// asksFor reports whether a projection includes a field.
func asksFor(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case int64:
		return v != 0
	case int32:
		return v != 0
	case float64:
		return v != 0
	}
	return true
}
