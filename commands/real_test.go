package commands_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// The tests of this file run the program against real servers; see docs/testing.md.

// TestARefusedPrivilegeDeletesNothing: for one table, all tables, and the schema.
func TestARefusedPrivilegeDeletesNothing(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(threeTables)
		b.grantAll()
		b.must(0, "sync")
		b.exec("REVOKE SELECT ON b FROM " + b.database + "; DELETE FROM a WHERE id = 1; INSERT INTO c VALUES (99, 'new')")
		if res := b.must(3, "sync"); res.Created != 1 || res.Deleted != 1 || res.Withheld != 30 {
			t.Fatalf("one table: %+v", res)
		}
		o := b.run("sync")
		for _, say := range []string{"GRANT SELECT", "public.b", "nothing in public.b was deleted"} {
			if o.code != 3 || !strings.Contains(o.stderr, say) {
				t.Errorf("one table: exit code %d, no %q in\n%s", o.code, say, o.stderr)
			}
		}
		b.exec("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM " + b.database)
		if res := b.must(3, "sync"); res.Deleted != 0 {
			t.Fatalf("all tables: %+v", res)
		}
		b.exec("REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM " + b.database)
		for range 3 { // in every run
			if res := b.must(4, "sync", "--max-deletes", "1000"); res.Deleted != 0 || res.Withheld != 90 {
				t.Fatalf("the schema: %+v", res)
			}
		}
		b.grantAll()
		if res := b.must(0, "sync"); res != (result{Kept: 90}) {
			t.Fatalf("granted again: %+v", res)
		}
	})
}

// TestReadsWithReadOnlyRights: the connector's user may only SELECT, and only in read-only transactions.
func TestReadsWithReadOnlyRights(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	b.exec(threeTables)
	b.grantAll()
	b.exec("REVOKE TEMPORARY ON DATABASE " + b.database + " FROM PUBLIC; ALTER ROLE " + b.database + " SET default_transaction_read_only = on")
	b.must(1, "diff")
	if res := b.must(0, "sync"); res.Created != 90 {
		t.Fatalf("%+v", res)
	}
}

// TestSecretsAreNeverShown causes every kind of error at the most detailed log level; [bench.run] searches all
// output for the password.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	b.exec(threeTables)
	b.grantAll()
	for _, args := range [][]string{
		{"list"},
		{"sync"},
		{"diff"},
		{"sync", "unknown"},
		{"sync", "--dry-run", "-o", "ndjson"},
		{"list", "-o", "json"},
		{"check"},
		{"check", "--show-config"},
		{"check", "-o", "json"},
		{"check", "--show-config", "-o", "json"},
	} {
		b.run(append(args, "--debug")...)
		b.run(append(args, "--debug", "--filebeat")...)
	}
	b.exec("ALTER ROLE " + b.database + " PASSWORD 'another'")
	if o := b.run("sync", "--debug"); o.code != 6 || !strings.Contains(o.stderr, "password") {
		t.Errorf("wrong password: exit code %d\n%s", o.code, o.stderr)
	}
	b.address = "127.0.0.2:1"
	b.configure("")
	if o := b.run("sync", "--debug"); o.code != 5 {
		t.Errorf("no server: exit code %d\n%s", o.code, o.stderr)
	}
}

// TestRealRejections: documents that Elasticsearch refuses are reported and saved in the dead-letter file, and
// the others are written.
func TestRealRejections(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(`CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, 'one'), (2, '2024-01-01'), (3, 'three')`)
		b.grantAll()
		b.call(http.MethodPut, "/"+b.index, `{"mappings":{"properties":{"public_a_v":{"type":"date"}}}}`)
		dead := filepath.Join(b.dir, "dead.ndjson")
		res := b.must(3, "sync", "--dead-letter", dead)
		if res.Created != 1 || res.Rejected != 2 {
			t.Fatalf("%+v", res)
		}
		raw, err := os.ReadFile(dead)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(string(raw)) {
			var r struct {
				ID, Type string
				Document map[string]any
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(r.ID, " ", r.Type, " ", r.Document["public_a_v"]))
		}
		slices.Sort(got)
		want := []string{b.id("a_1") + " document_parsing_exception one", b.id("a_3") + " document_parsing_exception three"}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		// An index without write permission is an error of the run, not of the documents.
		b.call(http.MethodPut, "/"+b.index+"/_settings", `{"index.blocks.write":true}`)
		b.exec("INSERT INTO a VALUES (4, '2024-02-02')")
		o := b.run("sync", "--dead-letter", dead+"2")
		if _, err := os.Stat(dead + "2"); o.code != 9 || !errors.Is(err, os.ErrNotExist) || !strings.Contains(o.stderr, "cluster_block_exception") {
			t.Errorf("read-only: exit code %d, dead-letter file %v\n%s", o.code, err, o.stderr)
		}
		b.call(http.MethodPut, "/"+b.index+"/_settings", `{"index.blocks.write":null}`)
	})
}

// TestPipelines: one that drops a document, one that fails on a document, one that does not exist.
func TestPipelines(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(`CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, 'one'), (2, 'drop'), (3, 'fail')`)
		b.grantAll()
		pipeline := b.index + "-pipeline"
		b.configure("    pipeline: " + pipeline)
		if o := b.run("sync"); o.code != 2 || !strings.Contains(o.stderr, pipeline) {
			t.Fatalf("missing: exit code %d\n%s", o.code, o.stderr)
		}
		b.call(http.MethodPut, "/_ingest/pipeline/"+pipeline, `{"processors":[
			{"drop":{"if":"ctx.public_a_v == 'drop'"}}, {"fail":{"if":"ctx.public_a_v == 'fail'","message":"refused by the pipeline"}}]}`)
		t.Cleanup(func() { b.call(http.MethodDelete, "/_ingest/pipeline/"+pipeline, "") })
		o := b.run("sync", "-o", "ndjson")
		got := changes(t, o.stdout)
		want := map[string]string{b.id("a_1"): "create null", b.id("a_2"): "drop null", b.id("a_3"): "reject null"}
		if d := cmp.Diff(want, got); d != "" || o.code != 3 {
			t.Fatalf("exit code %d %s\n%s", o.code, d, o.stderr)
		}
	})
}

// TestUnreachableElasticsearchIsReported: down at the start, a wrong password, an unknown certificate.
func TestUnreachableElasticsearchIsReported(t *testing.T) {
	t.Parallel()
	address, ca := testenv.Required(t, "TEST_ELASTICSEARCH_TLS_URL"), testenv.Required(t, "TEST_ELASTICSEARCH_TLS_CA")
	user, password := testenv.Required(t, "TEST_ELASTICSEARCH_TLS_USER"), testenv.Required(t, "TEST_ELASTICSEARCH_TLS_PASSWORD")
	b := newBench(t, "")
	b.exec(threeTables)
	b.grantAll()
	for _, tc := range []struct {
		name string
		set  map[string]string
		code int
		say  string
	}{
		{"down", map[string]string{"HOST": "http://127.0.0.1:1"}, 5, "refused"},
		{"unknown certificate", map[string]string{"HOST": address, "USERNAME": user, "PASSWORD": password}, 2, "ca_certs"},
		{"wrong password", map[string]string{"HOST": address, "USERNAME": user, "PASSWORD": "wrong", "CA_CERTS": ca}, 6, "username and password"},
		{"right", map[string]string{"HOST": address, "USERNAME": user, "PASSWORD": password, "CA_CERTS": ca}, 1, ""},
		{"plain text to a TLS port", map[string]string{"HOST": strings.Replace(address, "https", "http", 1), "USERNAME": user, "PASSWORD": password}, 2, "https://"},
	} {
		cmd := b.command("diff")
		for _, name := range slices.Sorted(maps.Keys(tc.set)) {
			cmd.Env = append(cmd.Env, "ELASTIC_INGEST__ELASTICSEARCH__"+name+"="+tc.set[name])
		}
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != tc.code || !strings.Contains(string(out), tc.say) {
			t.Errorf("%s: exit code %d, want %d and %q in\n%s", tc.name, cmd.ProcessState.ExitCode(), tc.code, tc.say, out)
		}
		if strings.Contains(string(out), password) {
			t.Errorf("%s: the password is shown:\n%s", tc.name, out)
		}
	}
}

// TestALostSourceDeletesNothing: its connections are cut during the read; nothing is deleted.
func TestALostSourceDeletesNothing(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(`CREATE TABLE big (id int PRIMARY KEY, v text); CREATE TABLE small (id int PRIMARY KEY, v text);
			INSERT INTO big SELECT n, repeat('x', 2000) FROM generate_series(1, 1500) n; INSERT INTO small SELECT n, 'v' FROM generate_series(1, 100) n`)
		b.grantAll()
		b.must(0, "sync")
		b.exec("DELETE FROM small WHERE id <= 5; UPDATE big SET v = repeat('y', 2000)")
		server := b.address
		b.address = newOutage(t, server, &outage{sent: math.MaxInt64, received: 1 << 20})
		b.configure("")
		o := b.run("sync", "-o", "json")
		b.address = server
		b.configure("")
		if o.code != 5 || !strings.Contains(o.stdout, `"deleted":0`) {
			t.Fatalf("exit code %d\n%s%s", o.code, o.stdout, o.stderr)
		}
		if res := b.must(0, "sync"); res.Deleted != 5 {
			t.Fatalf("%+v", res)
		}
	})
}

// TestTheCreatedIndex: ids are keywords, even if they look like numbers; an alias of one index means that
// index, an alias of several is refused.
func TestTheCreatedIndex(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(`CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, 'one')`)
		b.grantAll()
		b.must(0, "sync")
		var mapping map[string]struct {
			Mappings struct {
				Properties struct {
					ID struct{ Type string } `json:"id"`
				}
			}
		}
		if err := json.Unmarshal(b.call(http.MethodGet, "/"+b.index+"/_mapping", ""), &mapping); err != nil || mapping[b.index].Mappings.Properties.ID.Type != "keyword" {
			t.Errorf("%v, %+v", err, mapping)
		}
		concrete := b.index
		b.call(http.MethodPut, "/"+concrete+"/_alias/"+concrete+"-alias", "")
		b.index = concrete + "-alias"
		b.configure("")
		if res := b.must(0, "sync"); res != (result{Kept: 1}) {
			t.Errorf("by an alias: %+v", res)
		}
		b.call(http.MethodPut, "/"+concrete+"-other", "")
		t.Cleanup(func() { b.call(http.MethodDelete, "/"+concrete+"-other", "") })
		b.call(http.MethodPut, "/"+concrete+"-other/_alias/"+b.index, "")
		if o := b.run("sync"); o.code != 2 || !strings.Contains(o.stderr, concrete+"-other") {
			t.Errorf("an alias over two: exit code %d\n%s", o.code, o.stderr)
		}
		b.index = concrete
	})
}

// TestAnIndexForALanguage: its analyzers apply to the documents, its mappings file takes precedence over them,
// and an existing index stays unchanged.
func TestAnIndexForALanguage(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(`CREATE TABLE a (id int PRIMARY KEY, v text, price numeric); INSERT INTO a VALUES (1, 'Die Häuser von Gera', 12.50), (2, 'Bäume', 3)`)
		b.grantAll()
		mappings := filepath.Join(b.dir, "mappings.json")
		file := `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"public_a_price":{"type":"double"}}}}`
		if err := os.WriteFile(mappings, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		b.configure("    language: de\n    mappings: mappings.json")
		if res := b.must(0, "sync"); res.Created != 2 {
			t.Fatalf("%+v", res)
		}
		for query, want := range map[string]int{
			`{"match":{"public_a_v.stem":"Haus"}}`:           1,
			`{"match":{"public_a_v":"Haus"}}`:                0,
			`{"match":{"public_a_v.stem":"die"}}`:            0, // a stop word
			`{"match":{"public_a_v.prefix":"bau"}}`:          1,
			`{"match":{"public_a_v.joined":"vongera"}}`:      1,
			`{"term":{"public_a_v.enum":"Bäume"}}`:           1,
			`{"range":{"public_a_price":{"gt":4,"lt":100}}}`: 1,
			`{"term":{"id":"` + b.id("a_1") + `"}}`:          1,
		} {
			if got := len(b.hits(b.call(http.MethodPost, "/"+b.index+"/_search", `{"query":`+query+`}`))); got != want {
				t.Errorf("%s finds %d documents, want %d", query, got, want)
			}
		}
		var settings map[string]struct {
			Settings struct {
				Index struct {
					Replicas string `json:"number_of_replicas"`
				}
			}
		}
		if err := json.Unmarshal(b.call(http.MethodGet, "/"+b.index+"/_settings", ""), &settings); err != nil || settings[b.index].Settings.Index.Replicas != "0" {
			t.Errorf("%v, %+v", err, settings)
		}
		b.configure("    language: de")
		if o := b.run("sync"); o.code != 0 || o.stderr != "" {
			t.Errorf("without the file: exit code %d\n%s", o.code, o.stderr)
		}
		b.configure("    language: nl")
		if o := b.run("sync"); o.code != 0 || !strings.Contains(o.stderr, "filter nl-stem-filter") || strings.Count(o.stderr, "WARN") != 1 {
			t.Errorf("another language: exit code %d\n%s", o.code, o.stderr)
		}
	})
}

// TestAnIndexThatCannotBeCreated: the reason is reported, and nothing is left over. The test node has no ICU;
// on a node with ICU, the index is created.
func TestAnIndexThatCannotBeCreated(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(`CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, 'one')`)
		b.grantAll()
		cmd := b.command("sync")
		b.configure("    language: de")
		cmd.Env = append(cmd.Env, "ELASTIC_INGEST__ELASTICSEARCH__ANALYSIS_ICU=true")
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); err != nil && (code != 2 || !strings.Contains(string(out), "install the plugin analysis-icu")) {
			t.Errorf("ICU: exit code %d\n%s", code, out)
		}
		b.call(http.MethodDelete, "/"+b.index, "")
		b.configure("    mappings: mappings.json")
		if err := os.WriteFile(filepath.Join(b.dir, "mappings.json"), []byte(`{"properties":{"v":{"type":"text","analyzer":"unknown_analyzer"}}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		o := b.run("sync")
		if o.code != 2 || !strings.Contains(o.stderr, "unknown_analyzer") || !strings.Contains(o.stderr, "correct the file that the connector's mappings key names") {
			t.Errorf("an analyzer that does not exist: exit code %d\n%s", o.code, o.stderr)
		}
		if raw := b.call(http.MethodGet, "/_resolve/index/"+b.index+"*", ""); strings.Contains(string(raw), b.index) {
			t.Errorf("the index was created: %s", raw)
		}
	})
}
