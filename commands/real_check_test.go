package commands_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// says checks the exit code of a command, and that its output has these lines.
func (b *bench) says(when string, o outcome, code int, lines ...string) {
	b.t.Helper()
	if o.code != code {
		b.t.Errorf("%s: exit code %d, want %d\n%s%s", when, o.code, code, o.stdout, o.stderr)
	}
	for _, line := range lines {
		if !strings.Contains(o.stdout, line) {
			b.t.Errorf("%s: no %q in\n%s%s", when, line, o.stdout, o.stderr)
		}
	}
}

// TestCheckOfPostgreSQL: with all privileges, without SELECT on two tables, without USAGE, with a table without a
// key, with a name that does not exist, with a wrong password. It writes nothing.
func TestCheckOfPostgreSQL(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(threeTables)
		b.grantAll()
		b.says("before the first sync", b.run("check"), 0, "does not exist yet; sync creates it", "PostgreSQL responds (host=", "3 tables can be read", "0 errors")
		if _, err := os.Stat(filepath.Join(b.dir, "state")); err == nil {
			t.Error("check created the state folder")
		}
		if elasticsearch == "" {
			if _, err := os.Stat(filepath.Join(b.dir, "data")); err == nil {
				t.Error("check created the destination's folder")
			}
		}
		b.must(0, "sync")
		b.says("after it", b.run("check"), 0, "belongs to this connector and holds 90 documents")

		b.exec("REVOKE SELECT ON b, c FROM " + b.database)
		b.says("two tables", b.run("check"), 3, "1 of 3 tables can be read", "2 tables cannot be read: public.b, public.c: the role may not read the table",
			fmt.Sprintf("hint: GRANT SELECT ON \"public\".\"b\", \"public\".\"c\" TO %q", b.database))
		b.exec("REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM " + b.database)
		b.says("the schema", b.run("check"), 3, "3 tables cannot be read: public.a, public.b, public.c: the role has no USAGE on the schema",
			fmt.Sprintf("hint: GRANT USAGE ON SCHEMA \"public\" TO %q", b.database))
		b.grantAll()

		b.exec("CREATE TABLE keyless (v text); GRANT SELECT ON keyless TO " + b.database)
		b.says("without a key", b.run("check"), 3, "public.keyless: the table has neither a primary key", `id_columns: {"public.keyless": [COLUMN]}`)
		b.exec("DROP TABLE keyless; ALTER TABLE a ADD COLUMN at date")
		b.configureSource("tables: 'a, nosuch'", "")
		b.says("a name", b.run("check"), 2, `table "nosuch" of the configuration does not exist`, "hint: correct or remove")
		b.configure("")
		if res := b.must(0, "sync"); res.Updated != 30 { // the new column is in every document
			t.Errorf("%+v", res)
		}
		b.exec("ALTER ROLE " + b.database + " PASSWORD 'another'")
		b.says("a wrong password", b.run("check"), 6, "password authentication failed")
	})
}

// TestCheckOfAnIndex: an alias, a block, a mapping that refuses values, a limit that the fields exceed.
func TestCheckOfAnIndex(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec("CREATE TABLE a (id int PRIMARY KEY, v text, n int)")
		b.grantAll()
		concrete := b.index + "-1"
		t.Cleanup(func() { b.call(http.MethodDelete, "/"+concrete, "") })
		b.call(http.MethodPut, "/"+concrete, fmt.Sprintf(`{"aliases": {%q: {}}, "settings": {"index.mapping.total_fields.limit": 6},
			"mappings": {"properties": {"public_a_v": {"type": "date"}, "public_a_n": {"type": "keyword"}}}}`, b.index))
		b.says("the mapping", b.run("check"), 0, fmt.Sprintf("index %q (alias %q) has no owner yet", concrete, b.index),
			fmt.Sprintf("warning index %q rejects some values of public_a_v (date; in the source: text)", concrete),
			fmt.Sprintf("note    index %q maps fields differently from a new index: public_a_n (keyword; in the source: long)", concrete),
			"and its limit of 6 leaves room for 4", fmt.Sprintf("PUT /%s/_settings", concrete))
		b.call(http.MethodPut, "/"+concrete+"/_settings", `{"index.blocks.write": true}`)
		b.says("a block", b.run("check"), 2, fmt.Sprintf("error   index %q refuses writes: index.blocks.write is set", concrete),
			fmt.Sprintf(`hint: PUT /%s/_settings {"index.blocks.write": null}`, concrete))
		b.call(http.MethodPut, "/"+concrete+"/_settings", `{"index.blocks.write": null}`)
	})
}

// TestCheckOfTLS: verified, at once an error when the address has the other protocol, a wrong password, an unknown
// authority.
func TestCheckOfTLS(t *testing.T) {
	t.Parallel()
	address, ca := testenv.Required(t, "TEST_ELASTICSEARCH_TLS_URL"), testenv.Required(t, "TEST_ELASTICSEARCH_TLS_CA")
	user, password := testenv.Required(t, "TEST_ELASTICSEARCH_TLS_USER"), testenv.Required(t, "TEST_ELASTICSEARCH_TLS_PASSWORD")
	b := newBenchOf(t, "")
	folder := filepath.Join(b.dir, "docs")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	configure := func(host, password, authority string) {
		b.writePlain("dir", fmt.Sprintf("directory: %q, pattern: '*'", folder), "")
		file := filepath.Join(b.dir, "config.yml")
		config := fmt.Sprintf("elasticsearch: {host: %q, username: %s, password: %q%s}\nconnectors:\n  - {name: docs, service_type: dir, index_name: %s, configuration: {directory: %q, pattern: '*'}}\n",
			host, user, password, authority, b.index, folder)
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trusted := fmt.Sprintf(", ca_certs: %q", ca)
	configure(address, password, trusted)
	b.says("verified", b.run("check"), 0, "Elasticsearch 9.", "certificate verified with "+ca, "the clocks of Elasticsearch and of this machine agree",
		fmt.Sprintf("user %q has all that a sync needs", user))
	configure(address, "wrong", trusted)
	b.says("a wrong password", b.run("check"), 6, "unable to authenticate user", "hint: check username and password", "1 folder can be read")
	configure(strings.Replace(address, "https:", "http:", 1), password, "")
	b.says("http", b.run("check"), 2, "the server speaks TLS, and the configured address is http://", fmt.Sprintf("hint: write host: %q", address))
	configure(address, password, "")
	b.says("an unknown authority", b.run("check"), 2, "error   reach Elasticsearch at "+address)
}
