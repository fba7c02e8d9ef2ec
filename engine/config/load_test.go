package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/golden"
)

// write puts files into a new folder and returns the folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// load loads content as config.yml in a folder of its own.
func load(t *testing.T, content string, env ...string) (*Config, error) {
	t.Helper()
	dir := write(t, map[string]string{"config.yml": content})
	return Load(t.Context(), filepath.Join(dir, "config.yml"), Env{Environ: env})
}

func mustLoad(t *testing.T, content string, env ...string) *Config {
	t.Helper()
	c, err := load(t, content, env...)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return c
}

// withHost is content with the one key that every file needs.
func withHost(content string) string {
	return "elasticsearch.host: http://localhost:9200\n" + content
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost(""))
	if got, want := c.Elasticsearch.Host, "http://localhost:9200"; got != want {
		t.Errorf("host: got %q, want %q", got, want)
	}
	wantBulk := Bulk{ChunkSize: 500, ChunkMaxMemSize: 5 << 20, MaxConcurrency: 4, DisplayEvery: 100, ErrorMonitor: ErrorMonitor{
		Enabled: true, MaxTotalErrors: 1000, MaxConsecutiveErrors: 10, MaxErrorRate: 0.15, ErrorWindowSize: 100, ErrorQueueSize: 10,
	}}
	if diff := cmp.Diff(wantBulk, c.Elasticsearch.Bulk); diff != "" {
		t.Errorf("bulk (-want +got):\n%s", diff)
	}
	wantEngine := Engine{Readers: 4, Budget: 64 << 20, IDsMemory: 256 << 20, EmbeddedCache: 64 << 20, StallTimeout: 5 * time.Minute, ShutdownGrace: 30 * time.Second}
	if diff := cmp.Diff(wantEngine, c.Engine); diff != "" {
		t.Errorf("engine (-want +got):\n%s", diff)
	}
	if !c.Elasticsearch.VerifyCerts || !c.Elasticsearch.SSL || c.Elasticsearch.RequestTimeout != 2*time.Minute {
		t.Errorf("got %+v", c.Elasticsearch)
	}
	if c.Elasticsearch.Username != "" || len(c.Warnings) != 0 {
		t.Errorf("got username %q and warnings %q, want none", c.Elasticsearch.Username, c.Warnings)
	}
}

// TestNestedAndDotted says that a key may be written in sections, with dots, or
// in any mixture of both.
func TestNestedAndDotted(t *testing.T) {
	t.Parallel()
	want := Bulk{ChunkSize: 200, ChunkMaxMemSize: 2 << 20, MaxConcurrency: 2, DisplayEvery: 7}
	for name, content := range map[string]string{
		"nested":          "elasticsearch: {host: http://a, bulk: {chunk_size: 200, chunk_max_mem_size: 2, max_concurrency: 2, display_every: 7}}",
		"dotted":          "elasticsearch.host: http://a\nelasticsearch.bulk.chunk_size: 200\nelasticsearch.bulk.chunk_max_mem_size: 2\nelasticsearch.bulk.max_concurrency: 2\nelasticsearch.bulk.display_every: 7",
		"dotted inside":   "elasticsearch:\n  host: http://a\n  bulk.chunk_size: 200\n  bulk.chunk_max_mem_size: 2\n  bulk: {max_concurrency: 2, display_every: 7}",
		"dotted sections": "elasticsearch.bulk: {chunk_size: 200}\nelasticsearch:\n  host: http://a\n  bulk: {chunk_max_mem_size: 2}\nelasticsearch.bulk.max_concurrency: 2\nelasticsearch.bulk.display_every: 7",
		"an empty section": "elasticsearch:\nelasticsearch.host: http://a\nelasticsearch.bulk:\nelasticsearch.bulk.chunk_size: 200\n" +
			"elasticsearch.bulk.chunk_max_mem_size: 2\nelasticsearch.bulk.max_concurrency: 2\nelasticsearch.bulk.display_every: 7",
		"as text":      "elasticsearch: {host: http://a, bulk: {chunk_size: '200', chunk_max_mem_size: 2MiB, max_concurrency: \"2\", display_every: ' 7 '}}",
		"with CRLF":    "elasticsearch:\r\n  host: http://a\r\n  bulk:\r\n    chunk_size: 200\r\n    chunk_max_mem_size: 2\r\n    max_concurrency: 2\r\n    display_every: 7\r\n",
		"with a BOM":   "\ufeffelasticsearch: {host: http://a, bulk: {chunk_size: 200, chunk_max_mem_size: 2, max_concurrency: 2, display_every: 7}}",
		"leading zero": "elasticsearch: {host: http://a, bulk: {chunk_size: 0200, chunk_max_mem_size: 2.0, max_concurrency: 0x2, display_every: +7}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := load(t, content)
			if err != nil {
				t.Fatal(err)
			}
			got := c.Elasticsearch.Bulk
			got.ErrorMonitor = ErrorMonitor{}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMergeKeys says that YAML's merge keys work where a section repeats.
func TestMergeKeys(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost(`connectors:
  - &first {name: a, service_type: dir, index_name: a, language: fr}
  - {<<: *first, name: b, index_name: b}
  - {name: c, <<: [{language: de}, *first], index_name: c}
`))
	var got []string
	for _, one := range c.Connectors {
		got = append(got, one.Name+one.IndexName+one.ServiceType+one.Language)
	}
	if diff := cmp.Diff([]string{"aadirfr", "bbdirfr", "ccdirde"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// errorText is the text of err without the folder of the file.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	list, ok := errors.AsType[Errors](err)
	if !ok {
		return err.Error()
	}
	for _, e := range list {
		if dir, err := filepath.Abs(filepath.Dir(e.File)); err == nil {
			e.Problem = filepath.ToSlash(strings.ReplaceAll(e.Problem, dir, "DIR"))
		}
		e.File = filepath.Base(e.File)
	}
	return list.Error()
}

// TestErrorTexts compares the texts of many mistakes with a golden file. Each
// file under testdata/errors is one configuration.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/errors/*.*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	env := Env{Environ: []string{
		"PORT=x",
		"ELASTIC_INGEST__ELASTICSEARCH__BULK__CHUNK_SIZES=3",
		"ELASTIC_INGEST__ENGINE__READERS=many",
		"ELASTIC_INGEST__CONNECTORS__7__NAME=x",
	}}
	var got strings.Builder
	for _, file := range files {
		surroundings := env
		if !strings.HasPrefix(filepath.Base(file), "environment") {
			surroundings.Environ = surroundings.Environ[:1]
		}
		_, err := Load(t.Context(), file, surroundings)
		if err == nil {
			t.Errorf("%s: no error", file)
		}
		got.WriteString(errorText(err) + "\n\n")
	}
	golden.Compare(t, filepath.Join("testdata", "errors.golden"), got.String())
}

func TestFileProblems(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"big.yml": strings.Repeat("# comment\n", maxFile/10+1), "utf16.yml": "\xff\xfea\x00", "text.yml": "hello", "empty.yml": ""})
	for file, want := range map[string]string{
		"none.yml":  "none.yml: does not exist; create it, or name another with -c FILE",
		".":         "is a folder",
		"big.yml":   "big.yml: is larger than the limit of 10485760 bytes",
		"utf16.yml": "utf16.yml:1: is UTF-16; save it as UTF-8",
		"text.yml":  "text.yml:1: must be a section of keys, not text",
		"empty.yml": "empty.yml: holds no keys; at least elasticsearch.host is required",
	} {
		_, err := Load(t.Context(), filepath.Join(dir, file), Env{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", file, err, want)
		}
	}
}

// TestShippedFile loads the file at the root of the repository.
func TestShippedFile(t *testing.T) {
	t.Parallel()
	c, err := Load(t.Context(), "../../config.yml", Env{})
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Elasticsearch.Host, "embedded:"+filepath.Join(root, "data"); got != want {
		t.Errorf("host: got %q, want %q", got, want)
	}
	if len(c.Connectors) != 1 || len(c.Warnings) != 0 {
		t.Fatalf("got connectors %+v, warnings %q", c.Connectors, c.Warnings)
	}
	one := c.Connectors[0]
	want := Configuration{"directory": "./testdata/docs", "pattern": "**/*", "id_path": "relative"}
	if diff := cmp.Diff(map[string]any(want), map[string]any(one.Configuration)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if one.Name != "docs" || one.ServiceType != "dir" || one.IndexName != "search-docs" || one.Line == 0 {
		t.Errorf("got %+v", one)
	}
}

// TestShippedExamples uncomments the examples of the shipped file: a user who
// does so must get a file that loads.
func TestShippedExamples(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../config.yml")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		switch {
		case strings.HasPrefix(line, "  # host:"), strings.HasPrefix(line, "  # api_key:"), strings.HasPrefix(line, "  # - "), strings.HasPrefix(line, "  #   "):
			line = "  " + line[len("  # "):]
		case strings.HasPrefix(line, "  host: embedded"):
			continue
		}
		lines = append(lines, line)
	}
	c := mustLoad(t, strings.Join(lines, ""), "ES_API_KEY=k", "SHOP_PASSWORD=p")
	if c.Elasticsearch.Host != "https://localhost:9200" || c.Elasticsearch.APIKey.Reveal() != "k" {
		t.Errorf("got %+v", c.Elasticsearch)
	}
	if len(c.Connectors) != 3 {
		t.Fatalf("got %+v", c.Connectors)
	}
	for i, want := range []Connector{{Name: "shop"}, {ConnectorID: "9Kx3vI0BqOSdXyL0kTJm"}} {
		got := c.Connectors[i+1]
		if got.Name != want.Name || got.ConnectorID != want.ConnectorID || got.ServiceType != "postgresql" || got.Configuration["password"] != "p" {
			t.Errorf("got %+v, want %+v with a password", got, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost("engine.readers: 2\nelasticsearch.password: hush\nconnectors: [{name: a, service_type: dir, index_name: a, configuration: {token: hush}}]"),
		"ELASTIC_INGEST__ENGINE__BUDGET=8MiB")
	got := map[string]Origin{}
	for _, o := range c.Origins {
		o.From = strings.TrimPrefix(o.From, c.Dir+string(filepath.Separator))
		got[o.Key] = o
	}
	for _, want := range []Origin{
		{"elasticsearch.host", "http://localhost:9200", "config.yml:1", true},
		{"elasticsearch.password", "•••", "config.yml:3", true},
		{"engine.readers", "2", "config.yml:2", true},
		{"engine.budget", "8MiB", "environment variable ELASTIC_INGEST__ENGINE__BUDGET", false},
		{"engine.stall_timeout", "5m0s", "default", false},
		{"connectors[0].configuration.token", "•••", "config.yml:4", true},
	} {
		if got[want.Key] != want {
			t.Errorf("got %+v, want %+v", got[want.Key], want)
		}
	}
}

// TestOriginsNameWhatAValueRefersTo: variables, where they are set, and files.
func TestOriginsNameWhatAValueRefersTo(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"config.yml": withHost("elasticsearch.api_key: ${KEY}\nelasticsearch.headers: {a: \"x ${NONE:-y} ${file:token}\"}\nengine.readers: ${READERS}\n" +
			"connectors: [{name: a, service_type: dir, index_name: a, advanced_rules: [{x: \"${READERS}\"}], configuration: {list: [a, \"${READERS}\"]}}]"),
		".env": "READERS=3\nELASTIC_INGEST__ENGINE__BUDGET=8MiB\n", "token": "hush",
	})
	c, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{Environ: []string{"KEY=hush"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range c.Origins {
		got[o.Key] = strings.TrimPrefix(o.From, dir+string(filepath.Separator))
		if o.Written != (o.Key == "elasticsearch.host" || strings.HasSuffix(o.Key, "name") || strings.HasSuffix(o.Key, "service_type")) && o.From != "default" {
			t.Errorf("%+v", o)
		}
	}
	for key, want := range map[string]string{
		"elasticsearch.api_key":            "config.yml:2, ${KEY} from the environment",
		"elasticsearch.headers.a":          "config.yml:3, ${NONE} is not set, the file token",
		"engine.readers":                   "config.yml:4, ${READERS} from .env",
		"engine.budget":                    "variable ELASTIC_INGEST__ENGINE__BUDGET from .env",
		"connectors[0].advanced_rules":     "config.yml:5, ${READERS} from .env",
		"connectors[0].configuration.list": "config.yml:5, ${READERS} from .env",
	} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
	if want := filepath.Join(dir, ".env"); c.Dotenv != want {
		t.Errorf(".env: got %q, want %q", c.Dotenv, want)
	}
}

func TestErrorsAreManyAndTyped(t *testing.T) {
	t.Parallel()
	_, err := load(t, "elasticsearch.hots: x\nservice.idling: soon\nengine.readers: 0\n")
	list, ok := errors.AsType[Errors](err)
	if !ok || len(list) != 3 {
		t.Fatalf("got %v, want three errors", err)
	}
	one, ok := errors.AsType[*Error](err)
	if !ok || one.Line != 1 || one.Key != "elasticsearch.hots" {
		t.Errorf("got %+v", one)
	}
}

func TestCancelledLoad(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"config.yml": withHost("elasticsearch.password_command: [x]")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Load(ctx, filepath.Join(dir, "config.yml"), Env{RunCommand: func(context.Context, string, []string) ([]byte, error) { return nil, nil }})
	if err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("got %v", err)
	}
}
