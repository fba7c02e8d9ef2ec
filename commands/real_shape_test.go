package commands_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// The tests of this file check that the index has the mapping of docs/index-settings.md, through the program.

// sharedFields are tables with columns of the same name and different kinds.
const sharedFields = `
	CREATE TABLE orders (id int PRIMARY KEY, status int, at date, total int, big bigint, flag boolean, note varchar(20));
	CREATE TABLE tickets (id varchar(40) PRIMARY KEY, status varchar(20), at varchar(20), total double precision, big numeric(38,0), flag varchar(5), note varchar(20));
	CREATE TABLE visits (id numeric(20,2) PRIMARY KEY, status timestamp NULL, at timestamp NULL, total numeric(12,2), big double precision, flag int, note bigint);
	INSERT INTO orders VALUES (1, 5, '2024-01-15', 7, 9007199254740993, true, '2024-01-15'), (2, 6, '0001-01-01', -7, -9223372036854775808, false, 'x');
	INSERT INTO tickets VALUES ('9b1deb4d3b7d', 'open', 'yesterday', 1.5, 99999999999999999999999999999999999999, 'yes', ''), ('17', '', '2024-01-15', 1e300, 0, 'no', '24:00:00');
	INSERT INTO visits VALUES (3.50, '2024-01-15 00:00:00', '2024-01-15 00:00:00', 9999999999.99, 1e308, 2, 12), (99999999.99, NULL, NULL, 0, 0.5, 0, -1)`

// sharedTypes are the types that hold all kinds of a field.
var sharedTypes = map[string]string{"status": "text", "at": "text", "total": "double", "big": "double", "flag": "text", "note": "text"}

// shareFields syncs the tables four times into a separate index, with one reader and eight in turn.
func shareFields(t *testing.T, b *bench, configure func(more string), typesOf func(*bench) map[string]string) {
	t.Helper()
	var first map[string]any
	name := b.index
	for round := range 4 {
		b.index = fmt.Sprintf("%s-%d", name, round)
		configure(fmt.Sprintf("engine: {readers: %d}\n", 1+7*(round%2)))
		if res := b.must(0, "sync"); res != (result{Created: 6}) {
			t.Fatalf("round %d: %+v", round, res)
		}
		if res := b.must(0, "sync"); res != (result{Kept: 6}) {
			t.Errorf("round %d, again: %+v", round, res)
		}
		types, mapping := typesOf(b), b.mapping()
		for field, want := range sharedTypes {
			if types[field] != want {
				t.Errorf("round %d: %s is mapped as %q, want %q", round, field, types[field], want)
			}
		}
		delete(mapping, "_meta")
		if first == nil {
			first = mapping
		} else if d := cmp.Diff(first, mapping); d != "" {
			t.Errorf("round %d: another mapping than in the first (-first +now):\n%s", round, d)
		}
		b.ask(http.MethodDelete, "/"+b.index, "")
	}
	b.index = name
}

// TestOneNameWithSeveralKinds: with any number of readers, no value is refused and the index is the same.
func TestOneNameWithSeveralKinds(t *testing.T) {
	t.Parallel()
	onMySQL(t, func(t *testing.T, dsn string) {
		destinations(t, func(t *testing.T, elasticsearch string) {
			b := newMySQLBench(t, dsn, elasticsearch)
			b.exec(sharedFields)
			shareFields(t, b.bench, func(more string) { b.configure("tables: '*'", more) }, (*bench).types)
		})
	})
	t.Run("postgresql", func(t *testing.T) {
		t.Parallel()
		destinations(t, func(t *testing.T, elasticsearch string) {
			b := newBench(t, elasticsearch)
			b.exec(sharedFields)
			b.grantAll()
			row := func(b *bench) map[string]string {
				return typesIn(b.mapping()["properties"].(map[string]any)["row"].(map[string]any))
			}
			shareFields(t, b.bench, func(more string) { b.configure("    profile: native\n" + more) }, row)
		})
	})
}

// TestOneNameForObjectsAndValues: a geometry is an object, which a text field refuses.
func TestOneNameForObjectsAndValues(t *testing.T) {
	t.Parallel()
	onMySQL(t, func(t *testing.T, dsn string) {
		destinations(t, func(t *testing.T, elasticsearch string) {
			b := newMySQLBench(t, dsn, elasticsearch)
			b.exec(`CREATE TABLE a (id int PRIMARY KEY, place varchar(20)); CREATE TABLE b (id int PRIMARY KEY, place point); CREATE TABLE c (id int PRIMARY KEY, place int);
				INSERT INTO a VALUES (1, 'Gera'), (2, NULL); INSERT INTO b VALUES (1, ST_GeomFromText('POINT(1.5 2)')); INSERT INTO c VALUES (1, 7)`)
			if res := b.must(0, "sync"); res != (result{Created: 4}) {
				t.Errorf("first sync: %+v", res)
			}
			if res := b.must(0, "sync"); res != (result{Kept: 4}) {
				t.Errorf("second sync: %+v", res)
			}
			// A text column that becomes a geometry cannot be mapped again, and all outputs report it.
			b.exec("CREATE TABLE d (id int PRIMARY KEY, spot varchar(20)); INSERT INTO d VALUES (1, 'Gera')")
			b.must(0, "sync")
			b.exec("ALTER TABLE d DROP spot; ALTER TABLE d ADD spot point; UPDATE d SET spot = ST_GeomFromText('POINT(1.5 2)')")
			want := []string{"spot: text for object, refuses true"}
			if d := cmp.Diff(want, b.drift("diff")); d != "" {
				t.Errorf("diff: %s", d)
			}
			if res := b.must(3, "sync"); res != (result{Exit: 3, Kept: 4, Rejected: 1}) {
				t.Errorf("an object in a field of text: %+v", res)
			}
		})
	})
}

// wideTables are three tables of a thousand columns each, of alternating kinds, with two rows each.
func wideTables() (statements []string) {
	kinds := []struct{ typ, value string }{{"bigint", "9007199254740993"}, {"varchar(2)", "'12'"}, {"date", "'2024-01-15'"}, {"int", "-5"}}
	for table := range 3 {
		var columns, values []string
		for i := range 999 {
			k := kinds[i%len(kinds)]
			columns, values = append(columns, fmt.Sprintf("w%d_%d %s", table, i, k.typ)), append(values, k.value)
		}
		statements = append(statements, fmt.Sprintf("CREATE TABLE w%d (n int NOT NULL PRIMARY KEY, %s)", table, strings.Join(columns, ", ")))
		for n := range 2 {
			statements = append(statements, fmt.Sprintf("INSERT INTO w%d VALUES (%d, %s)", table, n, strings.Join(values, ", ")))
		}
	}
	return statements
}

// manyColumns mirrors wideTables: values without a field in the index are in _source, and the summary reports
// them.
func manyColumns(t *testing.T, b *bench) {
	t.Helper()
	o := b.run("sync")
	if o.code != 0 || !strings.Contains(o.stdout, "6 created") || !strings.Contains(o.stdout+o.stderr, "not indexed: ") || !strings.Contains(o.stdout+o.stderr, "more fields than the index allows") {
		t.Errorf("first sync: exit code %d\n%.2000s\n%.2000s", o.code, o.stdout, o.stderr)
	}
	if res := b.must(0, "sync"); res != (result{Kept: 6}) {
		t.Errorf("second sync: %+v", res)
	}
	if res := b.must(0, "diff"); res != (result{Kept: 6}) {
		t.Errorf("diff: %+v", res)
	}
	for _, doc := range b.documents() {
		if len(doc) < 1000 {
			t.Errorf("a document has only %d fields", len(doc))
		}
	}
}

// TestMoreColumnsThanAnIndexTakes: no row is refused because of them.
func TestMoreColumnsThanAnIndexTakes(t *testing.T) {
	t.Parallel()
	onMySQL(t, func(t *testing.T, dsn string) {
		destinations(t, func(t *testing.T, elasticsearch string) {
			b := newMySQLBench(t, dsn, elasticsearch)
			b.exec(strings.Join(wideTables(), "; "))
			manyColumns(t, b.bench)
		})
	})
	t.Run("postgresql", func(t *testing.T) {
		t.Parallel()
		destinations(t, func(t *testing.T, elasticsearch string) {
			b := newBench(t, elasticsearch)
			b.exec(strings.Join(wideTables(), "; "))
			b.grantAll()
			manyColumns(t, b.bench)
		})
	})
}

// TestMoreColumnsThanATemplateLeavesRoomFor: an index template may lower the limit and have its own fields.
func TestMoreColumnsThanATemplateLeavesRoomFor(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.call(http.MethodPut, "/_index_template/"+b.index, `{"index_patterns":["`+b.index+`"],"priority":9000,"template":{
			"settings":{"index.mapping.total_fields.limit":50},"mappings":{"properties":{"theirs":{"type":"text","fields":{"raw":{"type":"keyword"}}}}}}}`)
		t.Cleanup(func() { b.call(http.MethodDelete, "/_index_template/"+b.index, "") })
		b.exec(strings.Join(wideTables(), "; "))
		b.grantAll()
		manyColumns(t, b.bench)
		if types := b.types(); types["public_w0_w0_0"] != "long" || types["theirs"] != "text" || len(types) != 49 {
			t.Errorf("the index has %d fields: %v", len(types), types)
		}
	})
}

// drift is the part of -o json about fields whose mapping differs.
func (b *bench) drift(args ...string) []string {
	b.t.Helper()
	o := b.run(append(args, "-o", "json")...)
	var res struct {
		Mapping []struct {
			Field, Mapped, Source string
			Refuses               bool
		}
	}
	if err := json.Unmarshal([]byte(o.stdout), &res); err != nil {
		b.t.Fatalf("%v: %v\n%s%s", args, err, o.stdout, o.stderr)
	}
	var rows []string
	for _, d := range res.Mapping {
		rows = append(rows, fmt.Sprintf("%s: %s for %s, refuses %t", d.Field, d.Mapped, d.Source, d.Refuses))
	}
	return rows
}

// countMappings puts a proxy before Elasticsearch that counts requests that add fields to the mapping.
func (b *bench) countMappings() *atomic.Int64 {
	b.t.Helper()
	n := new(atomic.Int64)
	to, err := url.Parse(b.destination)
	if err != nil {
		b.t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/_mapping") {
			body, err := io.ReadAll(r.Body)
			if err == nil && strings.Contains(string(body), `"properties"`) {
				n.Add(1)
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		proxy.ServeHTTP(w, r)
	}))
	direct := b.destination
	b.t.Cleanup(func() {
		server.Close()
		b.destination = direct
	})
	b.destination = server.URL
	return n
}

// TestColumnsThatChange: a new column is mapped before its first document, in one request; a column with a new
// type keeps its mapping, and diff reports it.
func TestColumnsThatChange(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		added := new(atomic.Int64)
		if elasticsearch != "" {
			added = b.countMappings()
			b.configure("")
		}
		b.exec("CREATE TABLE a (id int PRIMARY KEY, v int, w text); INSERT INTO a VALUES (1, 1, '2024-01-15'), (2, 2, 'x')")
		b.grantAll()
		b.must(0, "sync")
		b.exec(`ALTER TABLE a ADD d date, ADD n numeric, ADD f float8, ADD l bigint[]; ALTER TABLE a ALTER v TYPE text USING 'v' || v;
			UPDATE a SET d = '2024-01-15', n = 1e309::numeric, f = 1e39, l = '{9223372036854775807}' WHERE id = 1; UPDATE a SET d = '0001-01-01', n = 12.50, f = 1.5 WHERE id = 2`)
		want := []string{"public_a_v: long for text, refuses false"}
		if d := cmp.Diff(want, b.drift("diff")); d != "" {
			t.Errorf("diff: %s", d)
		}
		o := b.run("sync")
		if o.code != 0 || !strings.Contains(o.stdout, "2 updated") || !strings.Contains(o.stdout+o.stderr, "2 of public_a_v (not a number within its range)") {
			t.Errorf("exit code %d\n%s%s", o.code, o.stdout, o.stderr)
		}
		if n := added.Load(); elasticsearch != "" && n != 1 {
			t.Errorf("the mapping was extended by %d requests", n)
		}
		if res := b.must(0, "sync"); res != (result{Kept: 2}) {
			t.Errorf("again: %+v", res)
		}
		got := b.types()
		for field, want := range map[string]string{"v": "long", "w": "text", "d": "date", "n": "double", "f": "double", "l": "long"} {
			if got["public_a_"+field] != want {
				t.Errorf("%s is mapped as %q, want %q", field, got["public_a_"+field], want)
			}
		}
		if d := cmp.Diff(want, b.drift("sync")); d != "" {
			t.Errorf("sync: %s", d)
		}
	})
}
