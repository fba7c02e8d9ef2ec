package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// describes makes the source describe its parts by pairs of field and kind.
func (h *harness) describes(parts map[string][]string) {
	h.source.Describe = func(part string) (d source.Description, err error) {
		d.Fields = []source.DescribedField{{Name: fault.ScopeField, Kind: source.Keyword}}
		pairs := parts[part]
		for i := 0; i < len(pairs); i += 2 {
			d.Fields = append(d.Fields, source.DescribedField{Name: pairs[i], Kind: source.FieldKind(pairs[i+1])})
		}
		return d, nil
	}
}

// TestNoIndexIsCreatedForAMistake: if nothing that the configuration names exists, diff and sync fail, and neither
// creates an index. An index that exists is another matter: what vanished may be a dropped table.
func TestNoIndexIsCreatedForAMistake(t *testing.T) {
	t.Parallel()
	unmatched := &source.Error{Kind: source.ErrConfig, Err: &source.UnmatchedError{Err: errors.New("no such table")}}
	for name, tt := range map[string]struct {
		list, absent, describe error
		fails                  bool
	}{
		"no table exists of those listed": {list: &source.Error{Kind: source.ErrTemporary, Err: errors.New("gone")}, absent: unmatched},
		"no schema exists":                {list: &source.Error{Kind: source.ErrConfig, Err: errors.New("no such schema")}, fails: true},
		"no table exists":                 {absent: unmatched, fails: true},
		"the list is interrupted":         {list: &source.Error{Kind: source.ErrTemporary, Err: errors.New("gone")}},
		"a table cannot be described":     {describe: &source.Error{Kind: source.ErrAuth, Err: errors.New("no right")}},
		"a table without a key":           {describe: &source.Error{Kind: source.ErrConfig, Err: errors.New("no key")}},
	} {
		h := newHarness(t)
		h.source.ListErr = tt.list
		h.source.Describe = func(string) (source.Description, error) { return source.Description{}, tt.describe }
		if tt.absent != nil || tt.describe != nil {
			h.put("a", "1", "x")
			h.source.Absent, h.source.Fails = map[string]error{"a": tt.absent}, map[string]error{"a": tt.describe}
		}
		for _, dry := range []bool{true, false} {
			_, err := h.run(t.Context(), func(j *engine.Job) { j.DryRun = dry })
			if tt.fails && (!errors.Is(err, source.ErrConfig) || slices.ContainsFunc(h.sent, func(r string) bool { return strings.HasPrefix(r, "PUT ") })) {
				t.Errorf("%s: %v, requests %q", name, err, h.sent)
			}
			if !tt.fails && errors.Is(err, source.ErrConfig) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	h := newHarness(t)
	h.put("a", "1", "x")
	h.sync()
	h.source.Absent = map[string]error{"a": unmatched}
	if res := h.sync(); res.Failed != 1 || res.Counts.Deleted != 0 {
		t.Errorf("%+v", res)
	}
}

// fielded is a document with additional fields: pairs of name and value.
func fielded(scope, id string, pairs ...any) document.Document {
	d := doc(scope, id, "v")
	for i := 0; i < len(pairs); i += 2 {
		d.Fields = append(d.Fields, document.Field{Name: pairs[i].(string), Value: pairs[i+1].(document.Value)})
	}
	return d
}

// types returns the types of fields in the index.
func (h *harness) types(fields ...string) string {
	h.t.Helper()
	ix, err := h.client().Index(h.t.Context(), h.job.Index)
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, f := range fields {
		out = append(out, ix.Mapping.TypeOf(f))
	}
	return strings.Join(out, " ")
}

// TestANewIndexHasTheTypesOfTheSource: the kinds of all parts are merged before the index is created, so that no
// part's values are rejected, whichever is read first.
func TestANewIndexHasTheTypesOfTheSource(t *testing.T) {
	t.Parallel()
	for _, readers := range []int{1, 8} {
		h := newHarness(t)
		h.deps.Readers = readers
		h.source.Parts["a"] = []document.Document{fielded("a", "a1", "n", document.Int(1), "x", document.Int(5), "d", document.Decimal("12.50"), "id", document.Int(7))}
		h.source.Parts["b"] = []document.Document{fielded("b", "b1", "n", document.Float(1.5), "x", document.String("open"), "w", document.String("2024-01-15"))}
		h.source.Parts["c"] = []document.Document{fielded("c", "c1", "w", document.String("hello"))}
		h.describes(map[string][]string{
			"a": {"n", "long", "x", "long", "d", "decimal", "id", "long"}, "b": {"n", "double", "x", "text", "w", "text"}, "c": {"w", "text"},
		})
		if res := h.sync(); res.Counts.Created != 3 || res.Counts.Rejected != 0 || len(res.Drift) != 0 {
			t.Fatalf("%d readers: %+v, drift %v", readers, res.Counts, res.Drift)
		}
		if got := h.types("n", "x", "d", "w", fault.ScopeField, "_timestamp", "id", "id_"); got != "double text double text keyword date keyword long" {
			t.Errorf("%d readers: the types are %s", readers, got)
		}
		if res := h.sync(); res.Counts.Kept != 3 {
			t.Errorf("%d readers: second sync: %+v", readers, res.Counts)
		}
	}
}

// TestLaterColumnsAreAdded: to an index of ours, in one request, before the first document. Existing fields do not
// change, and diff and sync report differing mappings alike.
func TestLaterColumnsAreAdded(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.Parts["a"] = []document.Document{fielded("a", "1", "n", document.Int(1))}
	h.describes(map[string][]string{"a": {"n", "long"}})
	h.sync()
	h.source.Parts["a"] = []document.Document{fielded("a", "1", "n", document.String("x"), "at", document.String("2024-01-15T00:00:00Z"), "u", document.Uint(1<<63))}
	h.describes(map[string][]string{"a": {"n", "text", "at", "date", "u", "unsigned_long"}})
	for _, res := range []engine.Result{h.diff(), h.sync()} {
		if len(res.Drift) != 1 || res.Drift[0].Field != "n" || res.Drift[0].Mapped != "long" || res.Drift[0].Refuses {
			t.Errorf("drift %+v", res.Drift)
		}
	}
	puts := 0
	for _, r := range h.sent {
		if strings.HasPrefix(r, "PUT ") && strings.HasSuffix(r, "/_mapping") {
			puts++
		}
	}
	if got := h.types("n", "at"); got != "long date" {
		t.Errorf("the types are %s", got)
	}
	if got := h.types("u"); got != "unsigned_long" && got != "double" {
		t.Errorf("an unsigned number is mapped as %s", got)
	}
	if puts == 0 || puts > 3 { // another one if the type is not supported, and the marker
		t.Errorf("%d requests for the mapping: %q", puts, h.sent)
	}
	res := h.sync()
	if res.Counts.Kept != 1 {
		t.Errorf("the next sync: %+v", res.Counts)
	}
}

// TestAValueThatCannotBeIndexedIsCounted: it stays in _source, and the run names its field.
func TestAValueThatCannotBeIndexedIsCounted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.Parts["a"] = []document.Document{
		fielded("a", "1", "at", document.String("24:00:00")), fielded("a", "2", "at", document.String("2024-01-15")),
	}
	h.describes(map[string][]string{"a": {"at", "date"}})
	res := h.sync()
	if res.Counts.Created != 2 || res.Incomplete() {
		t.Fatalf("%+v", res.Counts)
	}
	if got := fmt.Sprint(res.NotIndexed); got != "[{at 1 not a date}]" {
		t.Errorf("not indexed: %s", got)
	}
	if res := h.sync(); res.Counts.Kept != 2 || len(res.NotIndexed) != 0 {
		t.Errorf("a run that writes nothing asks nothing: %+v, %v", res.Counts, res.NotIndexed)
	}
}

// TestSettingsThatTheServerLacksAreLeftOut: a server that rejects a setting, in whatever words, gets an index
// without it.
func TestSettingsThatTheServerLacksAreLeftOut(t *testing.T) {
	t.Parallel()
	refusals := map[string]string{
		"8.0":        `{"error":{"type":"illegal_argument_exception","reason":"unknown setting [index.%s] please check that any required plugins are installed"},"status":400}`,
		"serverless": `{"error":{"type":"illegal_argument_exception","reason":"Settings [index.%s] are not available when running in serverless mode"},"status":400}`,
	}
	for name, refusal := range refusals {
		h := newHarness(t)
		h.put("a", "1", "x")
		info, err := h.client().Ping(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		settings := []string{"mapping.ignore_malformed", "mapping.total_fields.ignore_dynamic_beyond_limit"}
		if info.HasSetting([2]int{9, 2}) {
			settings = append(settings, "mapping.exclude_source_vectors")
		}
		for _, setting := range settings {
			// The first request looks for the index, each further one tries to create it.
			h.rules = append(h.rules, fault.Rule{Path: h.job.Index, Skip: 1, Times: 1, Answer: fault.JSON(400, fmt.Sprintf(refusal, setting))})
		}
		if res := h.sync(); res.Counts.Created != 1 {
			t.Errorf("%s: %+v", name, res.Counts)
		}
		ix, err := h.client().Index(t.Context(), h.job.Index)
		if err != nil || ix.Mapping.IgnoreMalformed || ix.Marker.Owner != h.job.Owner {
			t.Errorf("%s: %+v, %v", name, ix, err)
		}
	}
}

// TestFieldsThatATemplateLeavesNoRoomFor: if the index cannot be created with all fields of the source, as many as
// possible are added to the index as the server created it.
func TestFieldsThatATemplateLeavesNoRoomFor(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.Parts["a"] = []document.Document{fielded("a", "1", "n", document.Int(1))}
	h.describes(map[string][]string{"a": {"n", "long"}})
	const refusal = `{"error":{"type":"illegal_argument_exception","reason":"Limit of total fields [50] has been exceeded"},"status":400}`
	h.rules = append(h.rules, fault.Rule{Path: h.job.Index, Skip: 1, Times: 1, Answer: fault.JSON(400, refusal)})
	if res := h.sync(); res.Counts.Created != 1 || h.types("n") != "long" {
		t.Errorf("%+v, mapped as %q", res.Counts, h.types("n"))
	}
}

// TestTheMappingsFileWins: key by key over what the source describes.
func TestTheMappingsFileWins(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.Parts["a"] = []document.Document{fielded("a", "1", "n", document.Int(1), "m", document.Int(2))}
	h.describes(map[string][]string{"a": {"n", "long", "m", "long"}})
	create, err := elastic.Creation{}.With([]byte(`{"mappings":{"properties":{"n":{"type":"keyword"}}},"settings":{"index.mapping.ignore_malformed":false}}`))
	if err != nil {
		t.Fatal(err)
	}
	h.job.Create = create
	for range 2 {
		if res := h.sync(); len(res.Drift) != 0 || res.Counts.Created+res.Counts.Kept != 1 {
			t.Errorf("%+v, drift %v", res.Counts, res.Drift)
		}
	}
	ix, err := h.client().Index(t.Context(), h.job.Index)
	if err != nil || ix.Mapping.IgnoreMalformed || h.types("n", "m") != "keyword long" {
		t.Errorf("%v, %s, %v", ix.Mapping.IgnoreMalformed, h.types("n", "m"), err)
	}
}

// TestWithoutTheRightToChangeMappings: one warning, and the documents are written anyway.
func TestWithoutTheRightToChangeMappings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "x")
	h.describes(nil)
	h.sync()
	h.source.Parts["a"] = append(h.source.Parts["a"], fielded("a", "2", "n", document.Int(1)))
	h.describes(map[string][]string{"a": {"n", "long"}})
	h.rules = []fault.Rule{{Path: "_mapping", Answer: fault.JSON(403, `{"error":{"type":"security_exception","reason":"action [indices:admin/mapping/put] is unauthorized"},"status":403}`)}}
	if res := h.sync(); res.Counts.Created != 1 || res.Incomplete() {
		t.Errorf("%+v", res.Counts)
	}
}

// TestAPartThatCannotBeDescribed: after a permanent error, it is read anyway; after a temporary one, no index is
// created, because its fields would be mapped by their first values.
func TestAPartThatCannotBeDescribed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind    error
		created int64
	}{{source.ErrAuth, 2}, {source.ErrTemporary, 0}} {
		h := newHarness(t)
		h.put("a", "1", "x")
		h.put("b", "2", "x")
		h.source.Describe = func(part string) (source.Description, error) {
			if part == "a" {
				return source.Description{}, &source.Error{Kind: tc.kind, Err: errors.New("not now")}
			}
			return source.Description{}, nil
		}
		res, err := h.run(t.Context())
		if res.Counts.Created != tc.created || (tc.created == 0) != errors.Is(err, tc.kind) {
			t.Errorf("%v: %+v, %v", tc.kind, res.Counts, err)
		}
		if _, err := h.client().Index(t.Context(), h.job.Index); errors.Is(err, elastic.ErrNotFound) != (tc.created == 0) {
			t.Errorf("%v: the index: %v", tc.kind, err)
		}
	}
}

// clashing is two scopes with colliding ids, such as the tables user, with the keys role_0 to role_9, and
// user_role, with the keys 0 to 9.
func clashing(t *testing.T) *harness {
	h := newHarness(t)
	h.source.Parts["user"] = numbered("user", "db_user_role_", 10)
	h.source.Parts["user_role"] = numbered("user_role", "db_user_role_", 10)
	for i := range h.source.Parts["user_role"] {
		h.source.Parts["user_role"][i].Fields[1].Value = document.String("role")
	}
	h.source.Parts["zoo"] = numbered("zoo", "db_zoo_", 3)
	h.source.Describe = func(part string) (source.Description, error) {
		return source.Description{IDPrefix: "db_" + part + "_", NumericIDs: part != "user"}, nil
	}
	return h
}

func (h *harness) ofScope(scope string) (n int) {
	for _, raw := range h.sources() {
		var d map[string]any
		if err := json.Unmarshal(raw, &d); err != nil {
			h.t.Fatal(err)
		}
		if d[fault.ScopeField] == scope {
			n++
		}
	}
	return n
}

// TestCollidingIDsOfTwoScopes: every run keeps the same documents, for every number of readers, and diff predicts
// the sync.
func TestCollidingIDsOfTwoScopes(t *testing.T) {
	t.Parallel()
	for _, readers := range []int{1, 8} {
		for _, compare := range []engine.Compare{engine.Content, engine.Version} {
			h := clashing(t)
			h.deps.Readers, h.job.Compare = readers, compare
			for i := range h.source.Parts {
				for n := range h.source.Parts[i] {
					h.source.Parts[i][n].Timestamp = "2024-01-15T00:00:00Z"
				}
			}
			for run := range 3 {
				if run == 1 { // the fingerprint is missing, so versions alone decide nothing
					h.source.Parts["user_role"][3].Fields[1].Value = document.String("changed")
				}
				dry, res := h.diff(), h.sync()
				if dry.Counts.Updated != res.Counts.Updated || dry.Counts.Created != res.Counts.Created || dry.Counts.Duplicates != res.Counts.Duplicates {
					t.Errorf("%d readers, by %s, run %d: diff says %+v, sync does %+v", readers, compare, run, dry.Counts, res.Counts)
				}
				if res.Counts.Duplicates != 10 || h.ofScope("user") != 10 || compare == engine.Content && run > 0 && res.Counts.Updated > 0 {
					t.Errorf("%d readers, by %s, run %d: %+v, %d documents of user", readers, compare, run, res.Counts, h.ofScope("user"))
				}
			}
		}
	}
}

// TestNoDocumentReplacesThatOfAnotherScope: not if the other scope is unwanted, unreadable, or read second. Once
// that document is deleted, the other takes its place.
func TestNoDocumentReplacesThatOfAnotherScope(t *testing.T) {
	t.Parallel()
	only := func(scope string) func(*engine.Job) {
		return func(j *engine.Job) { j.Wants = func(s string) bool { return s == scope } }
	}
	for _, tc := range []struct{ first, second string }{{"user", "user_role"}, {"user_role", "user"}} {
		h := clashing(t)
		h.sync(only(tc.first))
		if res := h.sync(only(tc.second)); res.Counts.Duplicates != 10 || h.ofScope(tc.first) != 10 {
			t.Errorf("%s, then %s: %+v, %d documents of the first", tc.first, tc.second, res.Counts, h.ofScope(tc.first))
		}
		h.source.Fails = map[string]error{tc.first: errors.New("not today")}
		if res := h.sync(); h.ofScope(tc.first) != 10 || res.Counts.Deleted != 0 {
			t.Errorf("%s cannot be read: %+v, %d documents of it", tc.first, res.Counts, h.ofScope(tc.first))
		}
		h.source.Fails = nil
		for range 2 {
			if res := h.sync(); res.Counts.Duplicates != 10 || h.ofScope(tc.first) != 10 || res.Counts.Updated != 0 {
				t.Errorf("%s was first: %+v, %d documents of it", tc.first, res.Counts, h.ofScope(tc.first))
			}
		}
		h.source.Parts[tc.first] = slices.DeleteFunc(h.source.Parts[tc.first], func(d document.Document) bool { return d.ID == "db_user_role_4" })
		h.sync()
		h.sync()
		if h.ofScope(tc.first) != 9 || h.ofScope(tc.second) != 1 {
			t.Errorf("one of %s is deleted: %d and %d documents", tc.first, h.ofScope(tc.first), h.ofScope(tc.second))
		}
	}
}

// TestVectorsOfAnIndexThatOthersCreated: Elasticsearch 9 leaves them out of _source by default, and returns them
// as 32-bit floats. The second sync still writes nothing, and a changed vector is noticed.
func TestVectorsOfAnIndexThatOthersCreated(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, server string) {
		h := newHarnessOn(t, server)
		t.Cleanup(http.DefaultClient.CloseIdleConnections)
		elastictest.Ask(t.Context(), t, "PUT", h.url+"/"+h.job.Index, `{"mappings":{"properties":{"emb":{"type":"dense_vector","dims":3}}}}`)
		h.job.AdoptUnowned = true
		vector := func(x float64) {
			h.source.Parts["a"] = []document.Document{fielded("a", "1", "emb", document.List([]document.Value{document.Float(x), document.Float(0.1234567891), document.Int(1)}))}
		}
		vector(0.5)
		if res := h.sync(); res.Counts.Created != 1 {
			t.Fatalf("first sync: %+v", res.Counts)
		}
		if res := h.sync(); res.Counts.Kept != 1 {
			t.Errorf("second sync: %+v", res.Counts)
		}
		vector(0.75)
		if res := h.diff(func(j *engine.Job) { j.Fields = true }); res.Counts.Updated != 1 || len(h.seen.changes) != 1 || len(h.seen.changes[0].Fields) != 1 {
			t.Errorf("diff after a change: %+v, %+v", res.Counts, h.seen.changes)
		}
		if res := h.sync(); res.Counts.Updated != 1 {
			t.Errorf("after a change: %+v", res.Counts)
		}
	})
}

// TestObjectsThatAreTooDeepAreKeptAsText: the index would reject the document. The second run writes nothing, and
// a field that is not mapped keeps its objects.
func TestObjectsThatAreTooDeepAreKeptAsText(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"o":`, 30) + "1" + strings.Repeat("}", 30)
	h := newHarness(t)
	create, err := elastic.Creation{}.With([]byte(`{"properties":{"free":{"type":"object","enabled":false}}}`))
	if err != nil {
		t.Fatal(err)
	}
	h.job.Create = create
	h.source.Parts["a"] = []document.Document{fielded("a", "1", "tree", document.Raw(deep), "free", document.Raw(deep))}
	if res := h.sync(); res.Counts.Created != 1 {
		t.Fatalf("%+v", res.Counts)
	}
	if got := string(h.sources()["1"]); strings.Count(got, `{"o":`) != 19+30 || !strings.Contains(got, `"{\"o\":`) {
		t.Errorf("kept as %s", got)
	}
	if res := h.sync(); res.Counts.Kept != 1 {
		t.Errorf("second run: %+v", res.Counts)
	}
}

// TestAListOfTwoKindsIsAccepted: version 8 of Elasticsearch rejects a document with such a list in a new field, so
// the field is mapped for both kinds and the document is sent again.
func TestAListOfTwoKindsIsAccepted(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, url string) {
		h := newHarnessOn(t, url)
		for i, list := range []string{`[1.5,2]`, `[1,2.5]`, `[1,"x"]`, `[true,"x",3]`, `[{"x":1},{"x":2.5}]`} {
			id := fmt.Sprint(i)
			h.source.Parts["a"] = append(h.source.Parts["a"], fielded("a", id, "list"+id, document.Raw(list)))
		}
		if res := h.sync(); res.Counts.Created != 5 || res.Counts.Rejected != 0 {
			t.Fatalf("%+v\n%s", res.Counts, h.seen.failures())
		}
		if res := h.sync(); res.Counts.Kept != 5 {
			t.Errorf("second run: %+v", res.Counts)
		}
	})
}
