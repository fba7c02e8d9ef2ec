package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOverridingFile says what of the file that ENT_SEARCH_CONFIG_PATH names
// replaces the configuration's, and what replaces it in turn.
func TestOverridingFile(t *testing.T) {
	t.Parallel()
	const config = `
elasticsearch:
  host: http://first:9200
  username: first
  password_file: no-such-file
  headers: {X-A: first, X-B: first}
service.log_level: ERROR
`
	for name, second := range map[string]string{
		"dotted": "elasticsearch.host: http://second:9200\nelasticsearch.username: ${NAME}\nelasticsearch.password: pw\nelasticsearch.headers: {X-A: second, X-C: second}\nlog_level: warn\nent_search.auth.source: standard",
		"nested": "elasticsearch:\n  host: http://second:9200\n  username: ${NAME}\n  password: pw\n  ssl.enabled: false\n  headers:\n    X-A: second\n    X-C: second\nlog_level: warn",
		"mixed":  "\ufeffelasticsearch.host: http://second:9200\nelasticsearch: {username: '${NAME}', password: pw, headers: {X-A: second}}\nelasticsearch.headers.X-C: second\nlog_level: warn",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, map[string]string{"config.yml": config, "second.yml": second})
			c, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{Environ: []string{
				"ENT_SEARCH_CONFIG_PATH=second.yml", "NAME=second", "ELASTIC_INGEST__ELASTICSEARCH__HEADERS__X-B=third",
			}})
			if err != nil {
				t.Fatal(err)
			}
			es := c.Elasticsearch
			if es.Host != "http://second:9200" || es.Username != "second" || es.Password.Reveal() != "pw" || c.Service.LogLevel != "WARNING" || !es.SSL {
				t.Errorf("got %+v, log level %s", es, c.Service.LogLevel)
			}
			want := map[string]string{"X-A": "second", "X-B": "first", "X-C": "second", "x-b": "third"}
			if diff := cmp.Diff(want, map[string]string(es.Headers)); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOverridingFileIsOverridden(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"config.yml": "elasticsearch: {cloud_id: \"name:ZXUuZXhhbXBsZS5jb20kYWJjJGRlZg==\", api_key: first}",
		"second.yml": "elasticsearch.host: http://second:9200\nlog_level: debug",
	})
	c, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{Environ: []string{
		"ENT_SEARCH_CONFIG_PATH=" + filepath.Join(dir, "second.yml"), "ELASTIC_INGEST__SERVICE__LOG_LEVEL=error",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Elasticsearch.Host != "http://second:9200" || c.Elasticsearch.CloudID != "" || c.Elasticsearch.APIKey.Reveal() != "first" {
		t.Errorf("the second file's host against the first one's cloud id: got %+v", c.Elasticsearch)
	}
	if c.Service.LogLevel != "ERROR" {
		t.Errorf("the environment against the second file: got %s", c.Service.LogLevel)
	}
	got := map[string]string{}
	for _, o := range c.Origins {
		got[o.Key] = o.Value + " from " + strings.ReplaceAll(o.From, dir, "DIR")
	}
	for key, want := range map[string]string{
		"ENT_SEARCH_CONFIG_PATH": filepath.Join(dir, "second.yml") + " from environment variable ENT_SEARCH_CONFIG_PATH",
		"elasticsearch.host":     "http://second:9200 from " + filepath.Join("DIR", "second.yml") + ":1",
		"service.log_level":      "ERROR from environment variable ELASTIC_INGEST__SERVICE__LOG_LEVEL",
	} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
}

func TestOverridingFileProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ variable, second, want string }{
		"absent":     {"ENT_SEARCH_CONFIG_PATH=none.yml", "", "environment variable ENT_SEARCH_CONFIG_PATH: names DIR/none.yml, which does not exist; relative paths start at the folder of the configuration file"},
		"a folder":   {"ENT_SEARCH_CONFIG_PATH=.", "", "environment variable ENT_SEARCH_CONFIG_PATH: names DIR, which is a folder; relative paths start at the folder of the configuration file"},
		"syntax":     {"ENT_SEARCH_CONFIG_PATH=second.yml", "a: 1\nb: [", "DIR/second.yml:2: is not valid YAML"},
		"not keys":   {"ENT_SEARCH_CONFIG_PATH=second.yml", "- a", "DIR/second.yml:1: must be a section of keys, not a list"},
		"a section":  {"ENT_SEARCH_CONFIG_PATH=second.yml", "elasticsearch: x", "DIR/second.yml:1: elasticsearch: must be a section of keys, not text"},
		"headers":    {"ENT_SEARCH_CONFIG_PATH=second.yml", "\nelasticsearch.headers: x", "DIR/second.yml:2: elasticsearch.headers: must be a section of keys, not text"},
		"log level":  {"ENT_SEARCH_CONFIG_PATH=second.yml", "log_level: loud", "DIR/second.yml:1: service.log_level: must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"},
		"twice":      {"ENT_SEARCH_CONFIG_PATH=second.yml", "log_level: info\nlog_level: warn", "DIR/second.yml:2: log_level: is given twice, first in DIR/second.yml line 1; keep one"},
		"no ENVFILE": {"ENV_FILE=none.env", "", "environment variable ENV_FILE: names DIR/none.env, which does not exist; relative paths start at the folder of the configuration file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, map[string]string{"config.yml": withHost(""), "second.yml": c.second})
			_, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{Environ: []string{c.variable}})
			if err == nil {
				t.Fatal("no error")
			}
			if got := filepath.ToSlash(strings.ReplaceAll(err.Error(), dir, "DIR")); !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") != 0 {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestNamedDotenv says that ENV_FILE names another file than the .env beside the
// configuration, which is then not read.
func TestNamedDotenv(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"config.yml": withHost("elasticsearch.headers: {a: '${A}', b: '${B|none}'}"), ".env": "A=beside\nB=beside", "other.env": "A=other\nELASTIC_INGEST__ENGINE__READERS=9",
	})
	c, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{Environ: []string{"ENV_FILE=other.env"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "other", "b": "none"}, map[string]string(c.Elasticsearch.Headers)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Engine.Readers != 9 {
		t.Errorf("readers: got %d, want 9", c.Engine.Readers)
	}
	if got, want := c.Origins[0], (Origin{Key: "ENV_FILE", Value: filepath.Join(dir, "other.env"), From: "environment variable ENV_FILE"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestVariablesOfOtherPrograms says that variables which the Python service
// reads, and this program does not, are reported.
func TestVariablesOfOtherPrograms(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost(""), "elasticsearch.password=canary", "service.log_level=DEBUG", "ELASTICSEARCH_CONNECTORS_FIPS_MODE=true", "PATH=/bin")
	want := []string{
		"environment variable elasticsearch.password: is not read; use ELASTIC_INGEST__ELASTICSEARCH__PASSWORD",
		"environment variable service.log_level: is not read; use ELASTIC_INGEST__SERVICE__LOG_LEVEL",
		"environment variable ELASTICSEARCH_CONNECTORS_FIPS_MODE: has no effect here; run the program with GODEBUG=fips140=on",
	}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Service.LogLevel != "" || !c.Elasticsearch.Password.IsZero() {
		t.Errorf("got log level %q, password %v", c.Service.LogLevel, c.Elasticsearch.Password)
	}
}
