package commands_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// The tests of this file run the program against real servers; see docs/testing.md.

// required returns a variable that names a server. Without it the test is skipped, or fails where CI
// is set and nothing may be skipped.
func required(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" && os.Getenv("CI") == "true" && name != "TEST_CHINOOK_DIR" {
		t.Fatalf("%s is not set", name)
	}
	if v == "" {
		t.Skipf("%s is not set", name)
	}
	return v
}

// program is the built program.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "elastic-ingest-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "elastic-ingest")
	out, err := exec.Command("go", "build", "-o", path, "..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// bench is one database, one destination and a configuration between them.
type bench struct {
	t           *testing.T
	admin       string // DSN
	db          *pgx.Conn
	database    string
	dir         string
	destination string // host of the configuration
	index       string
	secret      string
}

// newBench makes a database and an empty destination: an Elasticsearch address, or "" for embedded.
func newBench(t *testing.T, elasticsearch string) *bench {
	t.Helper()
	b := &bench{t: t, admin: required(t, "TEST_POSTGRES_ADMIN_DSN"), dir: t.TempDir(), secret: "canary-" + rand.Text()}
	name := strings.ToLower(rand.Text())[:12]
	b.database, b.index, b.destination = "e2e_"+name, "e2e-"+name, elasticsearch
	if elasticsearch == "" {
		b.destination = "embedded:" + filepath.Join(b.dir, "data")
	} else {
		t.Cleanup(func() { b.call(http.MethodDelete, "/"+b.index, "") })
	}
	b.adminExec("CREATE DATABASE " + b.database)
	b.adminExec("CREATE ROLE " + b.database + " LOGIN PASSWORD '" + b.secret + "'")
	b.db = b.connect(b.database)
	t.Cleanup(func() {
		_ = b.db.Close(context.Background())
		b.adminExec("DROP DATABASE IF EXISTS " + b.database + " WITH (FORCE)")
		b.adminExec("DROP ROLE IF EXISTS " + b.database)
	})
	b.configure("")
	return b
}

func (b *bench) connect(database string) *pgx.Conn {
	b.t.Helper()
	c, err := pgx.ParseConfig(b.admin)
	if err != nil {
		b.t.Fatal(err)
	}
	if database != "" {
		c.Database = database
	}
	conn, err := pgx.ConnectConfig(context.Background(), c)
	if err != nil {
		b.t.Fatal(err)
	}
	return conn
}

func (b *bench) adminExec(sql string) {
	b.t.Helper()
	conn := b.connect("")
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		b.t.Errorf("%s: %v", strings.ReplaceAll(sql, b.secret, "…"), err)
	}
}

// exec runs SQL, which may be many statements, as the database's owner.
func (b *bench) exec(sql string) {
	b.t.Helper()
	if _, err := b.db.PgConn().Exec(b.t.Context(), sql).ReadAll(); err != nil {
		b.t.Fatal(err)
	}
}

// grantAll lets the connector's user read everything there is now.
func (b *bench) grantAll() {
	b.exec("GRANT USAGE ON SCHEMA public TO " + b.database + "; GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + b.database)
}

// configure writes the configuration, with more keys for the connector.
func (b *bench) configure(more string) {
	b.t.Helper()
	u, err := url.Parse(b.admin)
	if err != nil {
		b.t.Fatal(err)
	}
	config := fmt.Sprintf(`
elasticsearch:
  host: %q
  max_wait_duration: 1
  max_retries: 1
  retry_interval: 1
connectors:
  - name: shop
    service_type: postgresql
    index_name: %s
    configuration: {host: %q, port: %s, username: %s, password: "${E2E_SECRET}", database: %s, schema: public}
%s`, b.destination, b.index, u.Hostname(), u.Port(), b.database, b.database, more)
	if err := os.WriteFile(filepath.Join(b.dir, "config.yml"), []byte(config), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// outcome is what a run of the program said.
type outcome struct {
	code   int
	stdout string
	stderr string
}

func (b *bench) command(args ...string) *exec.Cmd {
	b.t.Helper()
	path, err := program()
	if err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.CommandContext(b.t.Context(), path, append(args, "-c", filepath.Join(b.dir, "config.yml"))...)
	cmd.Env = append(os.Environ(), "E2E_SECRET="+b.secret, "ELASTIC_INGEST_STATE_DIR="+filepath.Join(b.dir, "state"))
	return cmd
}

func (b *bench) run(args ...string) outcome {
	b.t.Helper()
	cmd := b.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		b.t.Fatal(err)
	}
	o := outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	if strings.Contains(o.stdout+o.stderr, b.secret) {
		b.t.Errorf("%v printed the password:\n%s%s", args, o.stdout, o.stderr)
	}
	return o
}

// result is the object that ends -o json and -o ndjson.
type result struct {
	Exit, Created, Updated, Deleted, Kept, Withheld, Rejected int64
}

// must runs the program and checks its exit code.
func (b *bench) must(code int, args ...string) result {
	b.t.Helper()
	o := b.run(append(args, "-o", "json")...)
	if o.code != code {
		b.t.Fatalf("%v: exit code %d, want %d\n%s%s", args, o.code, code, o.stdout, o.stderr)
	}
	var res result
	if err := json.Unmarshal([]byte(o.stdout), &res); err != nil {
		b.t.Fatalf("%v: %v\n%s", args, err, o.stdout)
	}
	if res.Exit != int64(code) {
		b.t.Errorf("%v: the result says exit %d, the program %d", args, res.Exit, code)
	}
	return res
}

func (b *bench) call(method, path, body string) []byte {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, b.destination+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Error(err)
		return nil
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 && method != http.MethodDelete {
		b.t.Errorf("%s %s: %d %s %v", method, path, res.StatusCode, raw, err)
	}
	return raw
}

// destinations runs a test on the embedded destination and on Elasticsearch.
func destinations(t *testing.T, f func(t *testing.T, elasticsearch string)) {
	t.Run("embedded", func(t *testing.T) { t.Parallel(); f(t, "") })
	t.Run("elasticsearch", func(t *testing.T) { t.Parallel(); f(t, required(t, "TEST_ELASTICSEARCH_URL")) })
}

// TestChinook mirrors a whole database, changes a few rows, and looks at every step.
func TestChinook(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join(required(t, "TEST_CHINOOK_DIR"), "Chinook_PostgreSql.sql"))
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(script), "CREATE TABLE")
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec("CREATE TABLE" + tables)
		b.grantAll()
		var rows int64
		for _, table := range []string{"album", "artist", "customer", "employee", "genre", "invoice", "invoice_line", "media_type", "playlist", "playlist_track", "track"} {
			var n int64
			if err := b.db.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			rows += n
		}
		if res := b.must(0, "sync"); res.Created != rows || rows < 15_000 {
			t.Fatalf("%+v, the database has %d rows", res, rows)
		}
		if res := b.must(0, "sync"); res != (result{Kept: rows}) {
			t.Fatalf("second sync: %+v", res)
		}
		if res := b.must(0, "diff"); res != (result{Kept: rows}) {
			t.Fatalf("diff: %+v", res)
		}
		b.exec(`UPDATE track SET unit_price = 11.90 WHERE track_id = 1; UPDATE genre SET name = 'Räp' WHERE genre_id = 17;
			UPDATE employee SET title = NULL WHERE employee_id = 1;
			DELETE FROM playlist_track WHERE playlist_id = 1 AND track_id = 3402; DELETE FROM invoice_line WHERE invoice_line_id = 5;
			INSERT INTO genre VALUES (99, 'Polka')`)
		want := map[string]string{
			b.id("track_1"):               `update {"public_track_unit_price":["0.99","11.90"]}`,
			b.id("genre_17"):              `update {"public_genre_name":["Hip Hop/Rap","Räp"]}`,
			b.id("employee_1"):            `update {"public_employee_title":["General Manager",null]}`,
			b.id("playlist_track_1_3402"): "delete null",
			b.id("invoice_line_5"):        "delete null",
			b.id("genre_99"):              "create null",
		}
		diff := b.run("diff", "-o", "ndjson", "--fields")
		if d := cmp.Diff(want, changes(t, diff.stdout)); d != "" || diff.code != 1 {
			t.Fatalf("diff exits with %d:\n%s\n%s", diff.code, d, diff.stderr)
		}
		if res := b.must(0, "sync"); res != (result{Created: 1, Updated: 3, Deleted: 2, Kept: rows - 5}) {
			t.Fatalf("sync: %+v", res)
		}
		if res := b.must(0, "diff"); res != (result{Kept: rows - 1}) {
			t.Fatalf("last diff: %+v", res)
		}
	})
}

func (b *bench) id(tail string) string { return b.database + "_public_" + tail }

// changes reads -o ndjson: kind and fields by id.
func changes(t *testing.T, ndjson string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for line := range strings.Lines(ndjson) {
		var c struct {
			Kind, ID string
			Fields   json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if c.Kind != "" {
			if c.Fields == nil {
				c.Fields = json.RawMessage("null")
			}
			out[c.ID] = c.Kind + " " + string(c.Fields)
		}
	}
	return out
}

const threeTables = `
	CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text); CREATE TABLE c (id int PRIMARY KEY, v text);
	INSERT INTO a SELECT n, 'a' || n FROM generate_series(1, 30) n; INSERT INTO b SELECT n, 'b' || n FROM generate_series(1, 30) n;
	INSERT INTO c SELECT n, 'c' || n FROM generate_series(1, 30) n;`

// TestWhatARefusedRightDoes: one table, all tables, the schema; nothing is ever deleted for it.
func TestWhatARefusedRightDoes(t *testing.T) {
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
		for _, say := range []string{"GRANT SELECT", "public.b", "nothing of public.b was deleted"} {
			if o.code != 3 || !strings.Contains(o.stderr, say) {
				t.Errorf("one table: exit code %d, no %q in\n%s", o.code, say, o.stderr)
			}
		}
		b.exec("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM " + b.database)
		if res := b.must(3, "sync"); res.Deleted != 0 {
			t.Fatalf("all tables: %+v", res)
		}
		b.exec("REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM " + b.database)
		for range 3 { // however often
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

// TestReadsWithReadOnlyRights: the connector's user may do nothing but SELECT, in read-only
// transactions at that, and everything works.
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

// TestSecretsAreNeverShown runs into every kind of error at the highest log level; [bench.run] looks
// for the password in all that is printed.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	b.exec(threeTables)
	b.grantAll()
	for _, args := range [][]string{
		{"list"}, {"sync"}, {"diff"}, {"sync", "nobody"}, {"sync", "--dry-run", "-o", "ndjson"}, {"list", "-o", "json"},
	} {
		b.run(append(args, "--debug")...)
		b.run(append(args, "--debug", "--filebeat")...)
	}
	b.exec("ALTER ROLE " + b.database + " PASSWORD 'another'")
	if o := b.run("sync", "--debug"); o.code != 6 || !strings.Contains(o.stderr, "password") {
		t.Errorf("wrong password: exit code %d\n%s", o.code, o.stderr)
	}
	b.admin = strings.Replace(b.admin, "127.0.0.1", "127.0.0.2", 1)
	u, err := url.Parse(b.admin)
	if err != nil {
		t.Fatal(err)
	}
	b.admin = strings.Replace(b.admin, ":"+u.Port(), ":1", 1)
	b.configure("")
	if o := b.run("sync", "--debug"); o.code != 5 {
		t.Errorf("nobody there: exit code %d\n%s", o.code, o.stderr)
	}
	b.admin = required(t, "TEST_POSTGRES_ADMIN_DSN")
}

// TestRealRejections: what Elasticsearch refuses is named, kept in the dead-letter file, and the rest
// is written.
func TestRealRejections(t *testing.T) {
	t.Parallel()
	b := newBench(t, required(t, "TEST_ELASTICSEARCH_URL"))
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
	// An index that may not be written is the run's problem, not the documents'.
	b.call(http.MethodPut, "/"+b.index+"/_settings", `{"index.blocks.write":true}`)
	b.exec("INSERT INTO a VALUES (4, '2024-02-02')")
	o := b.run("sync", "--dead-letter", dead+"2")
	if _, err := os.Stat(dead + "2"); o.code != 9 || !errors.Is(err, os.ErrNotExist) || !strings.Contains(o.stderr, "cluster_block_exception") {
		t.Errorf("read-only: exit code %d, dead-letter file %v\n%s", o.code, err, o.stderr)
	}
	b.call(http.MethodPut, "/"+b.index+"/_settings", `{"index.blocks.write":null}`)
}

// TestPipelines: one that drops a document, one that fails on a document, one that does not exist.
func TestPipelines(t *testing.T) {
	t.Parallel()
	b := newBench(t, required(t, "TEST_ELASTICSEARCH_URL"))
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
}

// TestElasticsearchThatIsNotThere: down at the start, a wrong password, a certificate nobody knows.
func TestElasticsearchThatIsNotThere(t *testing.T) {
	t.Parallel()
	address, ca := required(t, "TEST_ELASTICSEARCH_TLS_URL"), required(t, "TEST_ELASTICSEARCH_TLS_CA")
	user, password := required(t, "TEST_ELASTICSEARCH_TLS_USER"), required(t, "TEST_ELASTICSEARCH_TLS_PASSWORD")
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
		{"plain text to a TLS port", map[string]string{"HOST": strings.Replace(address, "https", "http", 1), "USERNAME": user, "PASSWORD": password}, 5, "https://"},
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

// TestTheSourceGoesAwayMidway: its connections are cut while it is read; nothing is deleted.
func TestTheSourceGoesAwayMidway(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(`CREATE TABLE big (id int PRIMARY KEY, v text); CREATE TABLE small (id int PRIMARY KEY, v text);
			INSERT INTO big SELECT n, repeat('x', 2000) FROM generate_series(1, 30000) n; INSERT INTO small SELECT n, 'v' FROM generate_series(1, 100) n`)
		b.grantAll()
		b.must(0, "sync")
		b.exec("DELETE FROM small WHERE id <= 5; UPDATE big SET v = repeat('y', 2000)")
		cut := make(chan struct{})
		go func() {
			defer close(cut)
			b.cutConnections()
		}()
		o := b.run("sync", "-o", "json")
		<-cut
		if o.code != 5 || !strings.Contains(o.stdout, `"deleted":0`) {
			t.Fatalf("exit code %d\n%s%s", o.code, o.stdout, o.stderr)
		}
		if res := b.must(0, "sync"); res.Deleted != 5 {
			t.Fatalf("%+v", res)
		}
	})
}

// cutConnections ends the connector's connections as soon as one of them reads the large table.
func (b *bench) cutConnections() {
	conn := b.connect("")
	defer conn.Close(context.Background())
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		var n int
		err := conn.QueryRow(context.Background(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE usename = $1 AND EXISTS (SELECT 1 FROM pg_stat_activity WHERE usename = $1 AND query LIKE '%FROM%big%' AND state = 'active')`, b.database).Scan(&n)
		if err != nil || n > 0 {
			return
		}
	}
}

// TestTheIndexThatIsMade: ids are keywords, also where they look like numbers; an alias of one index
// is that index, an alias over several is refused.
func TestTheIndexThatIsMade(t *testing.T) {
	t.Parallel()
	b := newBench(t, required(t, "TEST_ELASTICSEARCH_URL"))
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
}

// TestAnIndexForALanguage: its analyzers work on what is written, its mappings file stands over them, and
// an index that exists stays as it is.
func TestAnIndexForALanguage(t *testing.T) {
	t.Parallel()
	b := newBench(t, required(t, "TEST_ELASTICSEARCH_URL"))
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
		var answer struct {
			Hits struct{ Hits []json.RawMessage }
		}
		raw := b.call(http.MethodPost, "/"+b.index+"/_search", `{"query":`+query+`}`)
		if err := json.Unmarshal(raw, &answer); err != nil || len(answer.Hits.Hits) != want {
			t.Errorf("%s finds %d documents, want %d: %v", query, len(answer.Hits.Hits), want, err)
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
}

// TestAnIndexThatCannotBeMade: the reason is told, and nothing is left behind. The node of the tests has
// no ICU; where one has, the index is made.
func TestAnIndexThatCannotBeMade(t *testing.T) {
	t.Parallel()
	b := newBench(t, required(t, "TEST_ELASTICSEARCH_URL"))
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
	if err := os.WriteFile(filepath.Join(b.dir, "mappings.json"), []byte(`{"properties":{"v":{"type":"text","analyzer":"nobodys"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	o := b.run("sync")
	if o.code != 2 || !strings.Contains(o.stderr, "nobodys") || !strings.Contains(o.stderr, "correct the file that the connector's mappings key names") {
		t.Errorf("an analyzer that does not exist: exit code %d\n%s", o.code, o.stderr)
	}
	if raw := b.call(http.MethodGet, "/_resolve/index/"+b.index+"*", ""); strings.Contains(string(raw), b.index) {
		t.Errorf("the index was made: %s", raw)
	}
}
