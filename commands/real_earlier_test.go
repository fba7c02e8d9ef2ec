package commands_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// remake copies the documents of the index into one as an earlier version created it: its mapping is guessed
// from the values, and its marker does not name the source.
func (b *bench) remake() {
	b.t.Helper()
	b.call(http.MethodPost, "/"+b.index+"/_refresh", "")
	hits := b.hits(b.call(http.MethodPost, "/"+b.index+"/_search", `{"size":1000,"sort":["id"]}`))
	b.call(http.MethodDelete, "/"+b.index, "")
	b.call(http.MethodPut, "/"+b.index, `{"mappings":{"_meta":{"elastic_ingest":{"owner":"postgresql/shop","fingerprint":"0123456789abcdef0123456789abcdef"}},
		"properties":{"id":{"type":"keyword"}}}}`)
	for _, hit := range hits {
		id, err := json.Marshal(hit.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		raw := b.call(http.MethodPost, "/"+b.index+"/_bulk?refresh=true", `{"index":{"_id":`+string(id)+"}}\n"+string(hit.Source)+"\n")
		if !strings.Contains(string(raw), `"errors":false`) {
			b.t.Fatalf("%s", raw)
		}
	}
}

// TestAnIndexOfAnEarlierVersion still works: unchanged documents are not written, fields that refuse values
// are reported, new columns get their types, and deletes follow the source.
func TestAnIndexOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(`CREATE TABLE a (id int PRIMARY KEY, w text, f float8, n numeric(12,2), b bytea, g uuid);
			INSERT INTO a SELECT i, '2024-01-15', 0.5, 12.50, '\x00ff80', gen_random_uuid() FROM generate_series(1, 9) i`)
		b.grantAll()
		b.must(0, "sync")
		b.remake()
		if res := b.must(0, "diff"); res != (result{Kept: 9}) {
			t.Errorf("diff: %+v", res)
		}
		o := b.run("sync")
		for _, say := range []string{"types that reject some values", "public_a_w (date; in the source: text)", "public_a_f (float; in the source: double)"} {
			if o.code != 0 || strings.Count(o.stderr, say) != 1 {
				t.Errorf("exit code %d, %q not reported once:\n%s", o.code, say, o.stderr)
			}
		}
		if !strings.Contains(o.stdout, "0 created, 0 updated, 0 deleted, 9 unchanged") {
			t.Errorf("documents that did not change: %s", o.stdout)
		}
		want := []string{"public_a_b: text for binary, refuses false", "public_a_f: float for double, refuses true", "public_a_n: text for decimal, refuses false", "public_a_w: date for text, refuses true"}
		if d := cmp.Diff(want, b.drift("diff")); d != "" {
			t.Errorf("drift: %s", d)
		}
		b.exec(`ALTER TABLE a ADD x text, ADD d date, ADD m numeric; UPDATE a SET x = '2024-01-15', d = '2024-01-15', m = 1e309::numeric WHERE id < 4;
			UPDATE a SET x = 'hello', m = 7 WHERE id = 2; DELETE FROM a WHERE id = 9; INSERT INTO a (id, w) VALUES (10, 'hello')`)
		// The new columns change every document; the one whose text does not parse as the date that the old
		// field expects is refused.
		if res := b.must(3, "sync"); res != (result{Exit: 3, Updated: 8, Deleted: 1, Rejected: 1}) {
			t.Errorf("changes: %+v", res)
		}
		if res := b.must(3, "sync"); res != (result{Exit: 3, Kept: 8, Rejected: 1}) {
			t.Errorf("again: %+v", res)
		}
		types := b.types()
		got := []string{types["public_a_x"], types["public_a_d"], types["public_a_m"], types["public_a_w"]}
		if d := cmp.Diff([]string{"text", "date", "double", "date"}, got); d != "" {
			t.Errorf("the types are %v", got)
		}
		b.exec("UPDATE a SET w = '2024-02-29' WHERE id = 10")
		if res := b.must(0, "sync"); res != (result{Created: 1, Kept: 8}) {
			t.Errorf("a value that the field takes: %+v", res)
		}
	})
}

// TestTypesNextToALanguage: text gets the analyzers of the language, other columns get their own types, and a
// mappings file takes precedence, which is reported once.
func TestTypesNextToALanguage(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(`CREATE TABLE a (id int PRIMARY KEY, w text, price numeric, at date, code uuid, big float8);
			INSERT INTO a VALUES (1, '2024-01-15', 1e309::numeric, '2024-01-15', gen_random_uuid(), 1e39), (2, 'Die Häuser von Gera', 9.5, '0001-01-01', gen_random_uuid(), -1.5)`)
		b.grantAll()
		file := `{"mappings":{"properties":{"public_a_price":{"type":"keyword"},"public_a_at":{"type":"text"},"public_a_big":{"type":"double"}}}}`
		if err := os.WriteFile(filepath.Join(b.dir, "mappings.json"), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		b.configure("    language: de\n    mappings: mappings.json")
		const say = "the mappings file overrides the source's types of these fields"
		o := b.run("sync", "--log-level", "INFO")
		if o.code != 0 || strings.Count(o.stderr, say) != 1 || strings.Count(o.stderr, "public_a_price") != 1 || strings.Contains(o.stderr, "WARN") || strings.Contains(o.stderr, "public_a_big") {
			t.Errorf("exit code %d\n%s", o.code, o.stderr)
		}
		if o := b.run("sync", "--log-level", "INFO"); o.code != 0 || strings.Contains(o.stderr, say) || !strings.Contains(o.stdout, "2 unchanged") {
			t.Errorf("again: exit code %d\n%s%s", o.code, o.stdout, o.stderr)
		}
		if rows := b.drift("diff"); len(rows) != 0 {
			t.Errorf("a mapping of the file is not drift: %q", rows)
		}
		types := b.types()
		got := []string{types["public_a_price"], types["public_a_at"], types["public_a_code"], types["public_a_big"]}
		if want := []string{"keyword", "text", "keyword", "double"}; !slices.Equal(got, want) {
			t.Errorf("the types are %v, want %v", got, want)
		}
		if elasticsearch == "" {
			return // which analyzes nothing
		}
		raw := b.call(http.MethodPost, "/"+b.index+"/_search", `{"query":{"match":{"public_a_w.stem":"Haus"}}}`)
		if strings.Count(string(raw), `"_source"`) != 1 {
			t.Errorf("a word in another form: %s", raw)
		}
	})
}
