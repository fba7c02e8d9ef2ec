package mongodb

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// decoded is a rule as the program hands it over.
func decoded(t testing.TB, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestRules checks the commands that rules send. Extended JSON becomes values; operators that look like it stay.
func TestRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"find":{"filter":{"at":{"$gte":{"$date":"2024-01-01T00:00:00Z"}},"owner":{"$oid":"65f0a1b2c3d4e5f601234567"}}}}`: `{"find":"orders","filter":{"at":{"$gte":{"$date":{"$numberLong":"1704067200000"}}},"owner":{"$oid":"65f0a1b2c3d4e5f601234567"}},"batchSize":{"$numberInt":"1000"}}`,
		`{"find":{"filter":{"a":{"$regex":"^x","$options":"i"},"b":{"$type":"string"},"c":{"$ref":"x","$id":1}}}}`:         `{"find":"orders","filter":{"a":{"$options":"i","$regex":"^x"},"b":{"$type":"string"},"c":{"$ref":"x","$id":{"$numberLong":"1"}}},"batchSize":{"$numberInt":"1000"}}`,
		`{"find":{"filter":{"p":{"$numberDecimal":"1.50"},"u":{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"},"x":1.5}}}`: `{"find":"orders","filter":{"p":{"$numberDecimal":"1.50"},"u":{"$binary":{"base64":"ABEiM0RVZneImaq7zN3u/w==","subType":"04"}},"x":{"$numberDouble":"1.5"}},"batchSize":{"$numberInt":"1000"}}`,
		`{"find":{"projection":["a","b"],"skip":1.0,"limit":5,"batch_size":7,"max_time_ms":100,"allow_disk_use":true}}`:    `{"find":"orders","allowDiskUse":true,"limit":{"$numberLong":"5"},"maxTimeMS":{"$numberLong":"100"},"projection":{"a":{"$numberInt":"1"},"b":{"$numberInt":"1"}},"skip":{"$numberLong":"1"},"batchSize":{"$numberInt":"7"}}`,
		`{"aggregate":{}}`: `{"aggregate":"orders","pipeline":[],"cursor":{"batchSize":{"$numberInt":"1000"}}}`,
		`{"aggregate":{"pipeline":[{"$match":{"a":1}},{"$sort":{"a":-1}}],"allowDiskUse":false,"maxTimeMS":5,"batchSize":3}}`: `{"aggregate":"orders","allowDiskUse":false,"maxTimeMS":{"$numberLong":"5"},"pipeline":[{"$match":{"a":{"$numberLong":"1"}}},{"$sort":{"a":{"$numberLong":"-1"}}}],"cursor":{"batchSize":{"$numberInt":"3"}}}`,
	} {
		r, err := parseRule(decoded(t, text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := bson.MarshalExtJSON(r.command("orders"), true, false)
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", text, got, err, want)
		}
	}
	for _, none := range []any{nil, map[string]any{}, []any{}} {
		if r, err := parseRule(none); r != nil || err != nil {
			t.Errorf("%v: %v, %v", none, r, err)
		}
	}
}

// TestRulesThatAreRefused checks that each error names its place.
func TestRulesThatAreRefused(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`{"aggregate":{},"find":{}}`:                "exclude each other",
		`{"find":{"projection":[]}}`:                "advanced_rules.find.projection",
		`{"find":{"projection":[1]}}`:               "advanced_rules.find.projection",
		`{"find":{"skip":1.5}}`:                     "advanced_rules.find.skip",
		`{"find":{"limit":-1}}`:                     "advanced_rules.find.limit",
		`{"find":{"filter":[]}}`:                    "advanced_rules.find.filter",
		`{"find":{"fliter":{}}}`:                    "advanced_rules.find.fliter",
		`{"find":{"filter":{"$where":"1"}}}`:        "advanced_rules.find.filter.$where",
		`{"find":{"allow_disk_use":"yes"}}`:         "advanced_rules.find.allow_disk_use",
		`{"find":[]}`:                               "advanced_rules.find",
		`{"found":{}}`:                              "advanced_rules.found",
		`[1]`:                                       "advanced_rules",
		`{"aggregate":{"pipeline":[]}}`:             "advanced_rules.aggregate.pipeline",
		`{"aggregate":{"pipeline":[{"$out":"x"}]}}`: "pipeline[0].$out",
		`{"aggregate":{"pipeline":[{"$facet":{"a":[{"$merge":"x"}]}}]}}`:     "$merge",
		`{"aggregate":{"pipeline":[{"$project":{"a":{"$function":{}}}}]}}`:   "$function",
		`{"aggregate":{"pipeline":[{"$match":{}},{"$sort":{"a":1,"b":1}}]}}`: "pipeline[1].$sort",
		`{"find":{"filter":{"a":{"$oid":"x"}}}}`:                             "$oid",
	} {
		_, err := parseRule(decoded(t, text))
		if !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), says) || source.Hint(err) == "" {
			t.Errorf("%s: %v, hint %q", text, err, source.Hint(err))
		}
	}
}

// TestRuleIsRead checks that it replaces the only collection, and keeps its own order.
func TestRuleIsRead(t *testing.T) {
	t.Parallel()
	f := newFake(t, numbered("collection", "orders"))
	env := source.Env{AdvancedRules: decoded(t, `{"aggregate":{"pipeline":[{"$match":{"a":1}}]}}`)}
	if r := sqltest.ReadAll(t, f.open(nil, env))["orders"]; r.Err != nil || len(r.IDs) != 20 {
		t.Errorf("%d documents, %v", len(r.IDs), r.Err)
	}
	if n := len(f.commands("find")) + len(f.commands("count")); n != 0 {
		t.Errorf("%d other questions", n)
	}
	for _, change := range []map[string]any{{"collection": "a, b"}, {"fields": "a"}} {
		if err := openErr(t, f.values(change), env); !errors.Is(err, source.ErrConfig) {
			t.Errorf("%v: %v", change, err)
		}
	}
}

// TestPartialResultsDeleteNothing, because the documents of a missing shard look as if they were deleted.
func TestPartialResultsDeleteNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t, numbered("collection", "orders"))
	env := source.Env{AdvancedRules: decoded(t, `{"find":{"allow_partial_results":true}}`)}
	if r := sqltest.ReadAll(t, f.open(nil, env))["orders"]; len(r.IDs) != 20 || !errors.Is(r.Err, source.ErrTemporary) {
		t.Errorf("%d documents, %v", len(r.IDs), r.Err)
	}
}

// TestOptionThatTheServerRefuses checks that it is an error of the configuration that names the option.
func TestOptionThatTheServerRefuses(t *testing.T) {
	t.Parallel()
	plain := numbered("collection", "orders")
	f := newFake(t, func(name string, command bson.Raw) any {
		if name == "find" {
			return serverError{303, "UnsupportedFeature", "Field 'noCursorTimeout' is currently not supported"}
		}
		return plain(name, command)
	})
	env := source.Env{AdvancedRules: decoded(t, `{"find":{"no_cursor_timeout":true}}`)}
	r := sqltest.ReadAll(t, f.open(nil, env))["orders"]
	if !errors.Is(r.Err, source.ErrConfig) || !strings.Contains(r.Err.Error(), "noCursorTimeout") {
		t.Errorf("%v", r.Err)
	}
}
