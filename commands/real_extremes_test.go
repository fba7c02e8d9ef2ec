package commands_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
)

// The tests of the files real_extremes… send the extremes of every column type through the program: no value
// is refused, _source holds it unchanged, and the index finds and sorts all values that its type can hold.

// column is the column v<i> of its own table t<i>, next to the key n, which numbers its rows from 1.
type column struct {
	typ    string
	mapped string // the type of the field in the index, or several from which the server chooses
	rows   []value
}

// value is a value of a column. The values that the index sorts come first, in its order.
type value struct {
	in, want string // SQL, and JSON in _source
	beyond   bool   // the field's type cannot hold it: it is only in _source
}

// col is a column with pairs of SQL and JSON; a JSON of "" means the same text as the SQL.
func col(typ, mapped string, pairs ...string) column {
	return column{typ, mapped, values(false, pairs)}
}

// beyond adds values that the field's type cannot hold.
func (c column) beyond(pairs ...string) column {
	c.rows = slices.Concat(c.rows, values(true, pairs))
	return c
}

func values(beyond bool, pairs []string) (rows []value) {
	for pair := range slices.Chunk(pairs, 2) {
		v := value{in: pair[0], want: pair[1], beyond: beyond || pair[1] == "null"}
		if v.want == "" {
			v.want = v.in
		}
		rows = append(rows, v)
	}
	return rows
}

// unsigned is the type of an unsigned integer: not every server has the first type.
const unsigned = "unsigned_long or double"

// sorts reports whether the index sorts the column by number or date.
func (c column) sorts() bool {
	return slices.Contains([]string{"long", unsigned, "double", "date"}, c.mapped) && !strings.HasPrefix(c.rows[0].want, "[")
}

// extremes are the columns of a database.
type extremes struct {
	*bench
	columns []column
	field   func(table int, column string) string // the name in a document, for a column of t<table>
	create  string                                // the statement that creates a table, from its number and type, and the one that fills it,
	insert  string                                // from its number, key and value; both are "" in most
}

// tables are the statements that create and fill the tables.
func (e *extremes) tables() (statements []string) {
	create, insert := e.create, e.insert
	if create == "" {
		create, insert = "CREATE TABLE t%[1]d (n int NOT NULL PRIMARY KEY, v%[1]d %[2]s)", "INSERT INTO t%d VALUES (%d, %s)"
	}
	for i, c := range e.columns {
		statements = append(statements, fmt.Sprintf(create, i, c.typ))
		for n, v := range c.rows {
			statements = append(statements, fmt.Sprintf(insert, i, n+1, v.in))
		}
	}
	return statements
}

// settle mirrors the tables into a new index: nothing is refused, and the second run has nothing to do.
func (e *extremes) settle(t *testing.T) (first outcome) {
	t.Helper()
	n := int64(0)
	for _, c := range e.columns {
		n += int64(len(c.rows))
	}
	first = e.run("sync", "-o", "json")
	var res result
	if err := json.Unmarshal([]byte(first.stdout), &res); err != nil || first.code != 0 || res != (result{Created: n}) {
		t.Errorf("first sync of %d rows: exit code %d, %+v, %v\n%.2000s", n, first.code, res, err, first.stderr)
	}
	if res := e.must(0, "sync"); res != (result{Kept: n}) {
		t.Errorf("second sync: %+v", res)
	}
	if res := e.must(0, "diff"); res != (result{Kept: n}) {
		t.Errorf("diff: %+v", res)
	}
	return first
}

// mirror mirrors the tables into a new index and checks the result.
func (e *extremes) mirror(t *testing.T) {
	t.Helper()
	e.compareIgnored(t, e.settle(t).stdout)
	e.compareSources(t)
	types := e.types()
	for i, c := range e.columns {
		field := e.field(i, fmt.Sprint("v", i))
		if !slices.Contains(strings.Split(c.mapped, " or "), types[field]) {
			t.Errorf("%s is mapped as %q, want %q", c.typ, types[field], c.mapped)
		}
		if c.sorts() && !strings.HasPrefix(e.destination, "embedded:") {
			e.search(t, c, field)
		}
	}
}

// compareIgnored compares the values that the first run reports as not indexed with the values that no field
// can hold.
func (e *extremes) compareIgnored(t *testing.T, stdout string) {
	t.Helper()
	want, got := map[string]int64{}, map[string]int64{}
	for i, c := range e.columns {
		for _, v := range c.rows {
			if v.beyond && v.want != "null" {
				want[e.field(i, fmt.Sprint("v", i))]++
			}
		}
	}
	var res struct {
		NotIndexed []struct {
			Field     string
			Documents int64
		} `json:"not_indexed"`
	}
	if err := json.Unmarshal([]byte(stdout), &res); err != nil {
		t.Fatal(err)
	}
	for _, f := range res.NotIndexed {
		got[f.Field] = f.Documents
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("not indexed (-want +got):\n%s", d)
	}
}

// compareSources compares each value in _source with the expected one.
func (e *extremes) compareSources(t *testing.T) {
	t.Helper()
	docs := e.documents()
	for i, c := range e.columns {
		for n, v := range c.rows {
			found := 0
			for _, doc := range docs {
				got, ok := doc[e.field(i, fmt.Sprint("v", i))]
				if !ok || string(doc[e.field(i, "n")]) != fmt.Sprint(n+1) {
					continue
				}
				if found++; string(got) != v.want {
					t.Errorf("%s %.80s is in _source as %.200s, want %.200s", c.typ, v.in, got, v.want)
				}
			}
			if found != 1 {
				t.Errorf("%s %.80s is in %d documents", c.typ, v.in, found)
			}
		}
	}
}

// search finds each value by a range that contains only it, and sorts all of them.
func (e *extremes) search(t *testing.T, c column, field string) {
	t.Helper()
	var ranges []any
	var want, got [][]string
	for n, v := range c.rows {
		if v.beyond {
			continue
		}
		name, bound := fmt.Sprint(n+1), json.RawMessage(v.want)
		ranges = append(ranges, map[string]any{"range": map[string]any{field: map[string]any{"gte": bound, "lte": bound, "_name": name}}})
		want = append(want, []string{name, name})
	}
	key := strings.TrimSuffix(field, field[strings.LastIndexByte(field, 'v'):]) + "n"
	body, err := json.Marshal(map[string]any{
		"size": len(c.rows), "query": map[string]any{"bool": map[string]any{"should": ranges}},
		"sort": []any{map[string]any{field: "asc"}}, "_source": []string{key},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, hit := range e.hits(e.call(http.MethodPost, "/"+e.index+"/_search", string(body))) {
		var doc map[string]json.RawMessage
		if err := json.Unmarshal(hit.Source, &doc); err != nil {
			t.Fatal(err)
		}
		got = append(got, append([]string{string(doc[key])}, hit.Matched...))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: the rows and the values that find them, in the order of the index (-want +got):\n%s", c.typ, d)
	}
}

// ask is [bench.call] for a destination of either kind.
func (b *bench) ask(method, path, body string) []byte {
	b.t.Helper()
	if !strings.HasPrefix(b.destination, "embedded:") {
		return b.call(method, path, body)
	}
	store, err := embedded.Open(embedded.Options{Dir: filepath.Join(b.dir, "data")})
	if err != nil {
		b.t.Fatal(err)
	}
	server := httptest.NewServer(store)
	defer func() {
		server.Close()
		if err := store.Close(); err != nil {
			b.t.Error(err)
		}
	}()
	return elastictest.Ask(b.t.Context(), b.t, method, server.URL+path, body)
}

// hits are the documents in the answer to a search.
func (b *bench) hits(answer []byte) []elastictest.Hit {
	b.t.Helper()
	hits, err := elastictest.Hits(answer)
	if err != nil {
		b.t.Fatal(err)
	}
	return hits
}

// documents are the fields of all documents, spelled as in _source.
func (b *bench) documents() (docs []map[string]json.RawMessage) {
	b.t.Helper()
	b.ask(http.MethodPost, "/"+b.index+"/_refresh", "")
	for _, hit := range b.hits(b.ask(http.MethodPost, "/"+b.index+"/_search", `{"size":10000}`)) {
		var doc map[string]json.RawMessage
		if err := json.Unmarshal(hit.Source, &doc); err != nil {
			b.t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	return docs
}

// mapping is the mapping of the index, as the server returns it.
func (b *bench) mapping() map[string]any {
	b.t.Helper()
	var indices map[string]struct{ Mappings map[string]any }
	d := json.NewDecoder(bytes.NewReader(b.ask(http.MethodGet, "/"+b.index+"/_mapping", "")))
	if err := d.Decode(&indices); err != nil {
		b.t.Fatal(err)
	}
	return indices[b.index].Mappings
}

// types are the types of the top-level fields.
func (b *bench) types() map[string]string {
	b.t.Helper()
	return typesIn(b.mapping())
}

// typesIn are the types of the fields of an object's mapping.
func typesIn(mapping map[string]any) map[string]string {
	types := map[string]string{}
	properties, _ := mapping["properties"].(map[string]any)
	for name, field := range properties {
		types[name], _ = field.(map[string]any)["type"].(string)
	}
	return types
}
