package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSubstitution(t *testing.T) {
	t.Parallel()
	env := []string{"A=one", "EMPTY=", "HASH=p#a: 'b\"$A${A}", "NUMBER=42"}
	for name, c := range map[string]struct{ text, want string }{
		"a variable":                           {"${A}", "one"},
		"in the middle":                        {"x-${A}-${NUMBER}-y", "x-one-42-y"},
		"a default that is not needed":         {"${A:-two}", "one"},
		"a default for unset":                  {"${B:-two}", "two"},
		"a default for empty":                  {"${EMPTY:-two}", "two"},
		"an empty default":                     {"x${B:-}", "x"},
		"the older default for unset":          {"${B|two}", "two"},
		"the older default leaves empty":       {"x${EMPTY|two}", "x"},
		"empty is set":                         {"x${EMPTY}", "x"},
		"a default with a variable":            {"${B:-${C:-${A}}}!", "one!"},
		"what a variable holds is not read":    {"${HASH}", "p#a: 'b\"$A${A}"},
		"two dollars are one":                  {"a$$b$${A}", "a$b${A}"},
		"a bare dollar stays":                  {"pa$word", "pa$word"},
		"a dollar before no name stays":        {"5$ and $1", "5$ and $1"},
		"a file without its newline":           {"${file:token}", "from-file"},
		"a default may hold a closing bracket": {"${B:-a]b}", "a]b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quoted, err := json.Marshal(c.text)
			if err != nil {
				t.Fatal(err)
			}
			dir := write(t, map[string]string{"token": "from-file\r\n", "config.yml": withHost("elasticsearch.username: " + string(quoted) + "\nelasticsearch.password: x")})
			got, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{Environ: env})
			if err != nil {
				t.Fatal(err)
			}
			if got.Elasticsearch.Username != c.want {
				t.Errorf("got %q, want %q", got.Elasticsearch.Username, c.want)
			}
			if bare := strings.HasPrefix(name, "a bare"); bare != (len(got.Warnings) == 1) {
				t.Errorf("got warnings %q", got.Warnings)
			}
		})
	}
}

func TestBareDollarWarning(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost("elasticsearch.password: s3cr$canary\nelasticsearch.username: u"))
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "config.yml:2: elasticsearch.password: a $ without braces") {
		t.Fatalf("got %q", c.Warnings)
	}
	if strings.Contains(c.Warnings[0], "canary") {
		t.Errorf("the warning shows the password: %q", c.Warnings[0])
	}
}

// TestSubstitutedTypes says that a variable can give a value of any type.
func TestSubstitutedTypes(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost(`
elasticsearch:
  verify_certs: ${V}
  max_retries: ${N}
  request_timeout: ${D}
  retry_interval: ${UNSET:-}
  bulk: {chunk_max_mem_size: "${S}"}
native_service_types: ${L}
`), "V=no", "N=7", "D=1m30s", "S=2", "L=mysql, s3")
	es := c.Elasticsearch
	if es.VerifyCerts || es.MaxRetries != 7 || es.RequestTimeout.String() != "1m30s" || es.RetryInterval.String() != "10s" || es.Bulk.ChunkMaxMemSize != 2<<20 {
		t.Errorf("got %+v", es)
	}
	if diff := cmp.Diff([]string{"mysql", "s3"}, c.NativeServiceTypes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestQueriesKeepTheirDollars says that in advanced rules only ${…} is
// replaced, since a query has dollars of its own.
func TestQueriesKeepTheirDollars(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost(`connectors:
- name: a
  service_type: mongodb
  index_name: a
  advanced_rules: {aggregate: {pipeline: [{$match: {tenant: "${T}", "n": 3, at: "$$NOW", f: "$field", lit: "$${T}"}}]}}
`), "T=acme")
	want := map[string]any{"aggregate": map[string]any{"pipeline": []any{map[string]any{"$match": map[string]any{
		"tenant": "acme", "n": 3, "at": "$$NOW", "f": "$field", "lit": "${T}",
	}}}}}
	if diff := cmp.Diff(any(want), c.Connectors[0].AdvancedRules); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("got %q", c.Warnings)
	}
}

func TestDotenv(t *testing.T) {
	t.Parallel()
	dotenv := "\ufeff# comment\n\nPLAIN=a b # comment\nexport EXPORTED=yes\nDOUBLE=\"a\\n\\\"b\\\" # c\" # comment\nSINGLE='a\\n$X # c'\nEMPTY=\nHASH=a#b\nexportX=1\r\nREAL=from file\nELASTIC_INGEST__ENGINE__READERS=9\n"
	dir := write(t, map[string]string{".env": dotenv, "config.yml": withHost(`
elasticsearch.headers: {a: "${PLAIN}", b: "${EXPORTED}", d: "${SINGLE}", e: "x${EMPTY}", f: "${HASH}", g: "${exportX}", h: "${REAL}"}
elasticsearch.password: ${DOUBLE}
`)})
	c, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{Environ: []string{"REAL=real"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": "a b", "b": "yes", "d": `a\n$X # c`, "e": "x", "f": "a#b", "g": "1", "h": "real"}
	if diff := cmp.Diff(want, map[string]string(c.Elasticsearch.Headers)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := c.Elasticsearch.Password.Reveal(), "a\n\"b\" # c"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := c.Engine.Readers; got != 9 {
		t.Errorf("readers: got %d, want 9", got)
	}
}

func TestDotenvProblems(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"A=1\nnonsense":    ".env:2: does not have the form NAME=value",
		"1A=x":             ".env:1: does not have the form NAME=value",
		"A='canary":        ".env:1: A: has no closing quote",
		"A=\"x\" canary":   ".env:1: A: has text after its closing quote",
		"A=\"canary\\\"\n": ".env:1: A: has no closing quote",
	} {
		dir := write(t, map[string]string{".env": content, "config.yml": withHost("")})
		_, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{})
		if err == nil || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: got %v, want %q", content, err, want)
		}
	}
	dir := write(t, map[string]string{"config.yml": withHost("")})
	if err := os.Mkdir(filepath.Join(dir, ".env"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{}); err != nil {
		t.Errorf("a folder named .env: %v", err)
	}
}

// TestEnvironmentOverrides says that a variable replaces the file's value,
// however that is spelt there.
func TestEnvironmentOverrides(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"nested": "elasticsearch: {host: http://file, bulk: {chunk_size: 1}}\nconnectors: [{name: a, service_type: dir, index_name: file}]\nnative_service_types: [x]",
		"dotted": "elasticsearch.host: http://file\nelasticsearch.bulk.chunk_size: 1\nconnectors: [{name: a, service_type: dir, index_name: file}]",
		"absent": "connectors: [{name: a, service_type: dir}]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustLoad(t, content,
				"ELASTIC_INGEST__ELASTICSEARCH__HOST=http://environment", "ELASTIC_INGEST__ELASTICSEARCH__BULK__CHUNK_SIZE=77",
				"ELASTIC_INGEST__CONNECTORS__0__INDEX_NAME=environment", "ELASTIC_INGEST__CONNECTORS__0__CONFIGURATION__PASSWORD=a$b${C}",
				"ELASTIC_INGEST__NATIVE_SERVICE_TYPES=mysql,s3", "ELASTIC_INGEST_STATE_DIR=/x", "OTHER=1")
			if c.Elasticsearch.Host != "http://environment" || c.Elasticsearch.Bulk.ChunkSize != 77 {
				t.Errorf("got %+v", c.Elasticsearch)
			}
			one := c.Connectors[0]
			if one.IndexName != "environment" || one.Configuration["password"] != "a$b${C}" {
				t.Errorf("got index %q, password %q", one.IndexName, one.Configuration["password"])
			}
			if diff := cmp.Diff([]string{"mysql", "s3"}, c.NativeServiceTypes); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnvironmentMayBeAll(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, "", "ELASTIC_INGEST__ELASTICSEARCH__HOST=embedded:x")
	if got, want := c.Elasticsearch.Host, "embedded:"+filepath.Join(c.Dir, "x"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
