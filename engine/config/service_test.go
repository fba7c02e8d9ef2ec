package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The files of the connector service: the two generations of its keys.
const (
	of2023 = "testdata/service-2023.yml"
	of2026 = "testdata/service-2026.yml"
)

// builtins are the service types as a file lists them, each of them served by
// the type of its own name.
func builtins(types string) map[string]string {
	out := map[string]string{}
	for t := range strings.FieldsSeq(types) {
		out[t] = "builtin:" + t
	}
	return out
}

// meaning2023 is what the file of 2023 means.
func meaning2023() *Config {
	c := defaults()
	c.Elasticsearch.Host = "http://localhost:9200"
	c.Elasticsearch.Username, c.Elasticsearch.Password = "elastic", NewSecret("changeme")
	c.Elasticsearch.LanguageCode = "en"
	c.Elasticsearch.Bulk.ChunkSize = 500 // the file counts lines
	c.Elasticsearch.Bulk.MaxConcurrency = 5
	c.Engine.Budget = 25 << 20 // from queue_max_mem_size
	c.Service.LogLevel = "INFO"
	c.NativeServiceTypes = strings.Fields("mongodb mysql network_drive s3 google_cloud_storage azure_blob_storage postgresql oracle dir sharepoint mssql jira")
	c.Sources = builtins(strings.Join(c.NativeServiceTypes, " "))
	return c
}

// meaning2026 is what the file of 2026 means.
func meaning2026() *Config {
	c := defaults()
	c.Elasticsearch.Host = "http://localhost:9200"
	c.Elasticsearch.Username, c.Elasticsearch.Password = "elastic", NewSecret("changeme")
	c.Elasticsearch.RequestTimeout, c.Elasticsearch.MaxWaitDuration = 4*time.Minute, 4*time.Minute
	c.Elasticsearch.Bulk.ChunkMaxMemSize = 3 << 20
	c.Elasticsearch.Bulk.MaxConcurrency = 5
	c.Engine.Budget = 25 << 20
	c.Service.LogLevel = "INFO"
	c.Sources = builtins(`azure_blob_storage box confluence dir dropbox github gitlab gmail google_cloud_storage google_drive graphql jira
		microsoft_teams mongodb mssql mysql network_drive notion onedrive oracle outlook postgresql redis s3 salesforce sandfly servicenow
		sharepoint_online sharepoint_server slack zoom`)
	return c
}

// compare compares a loaded configuration with what it must be, but for its
// folder and where its values came from.
func compare(t *testing.T, want, got *Config) {
	t.Helper()
	short := *got
	short.File, short.Dir, short.Dotenv, short.Origins, short.Warnings = "", "", "", nil, nil
	for _, w := range got.Warnings {
		short.Warnings = append(short.Warnings, strings.TrimPrefix(w, got.Dir+string(filepath.Separator)))
	}
	if diff := cmp.Diff(want, &short, cmpopts.IgnoreUnexported(Connector{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestServiceFilesLoadUnchanged says that both files of the connector service
// load as they are, without a warning, and what every value of them means.
func TestServiceFilesLoadUnchanged(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]*Config{of2023: meaning2023(), of2026: meaning2026()} {
		c, err := Load(t.Context(), file, Env{})
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		compare(t, want, c)
	}
}

// TestDefaultsOfTheServiceFileAreRead says that a value which happens to be the
// default comes from the file all the same.
func TestDefaultsOfTheServiceFileAreRead(t *testing.T) {
	t.Parallel()
	c, err := Load(t.Context(), of2026, Env{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range c.Origins {
		got[o.Key] = o.From
	}
	for _, key := range []string{
		"elasticsearch.feature_use_connectors_api", "elasticsearch.bulk.error_monitor.enabled", "elasticsearch.bulk.error_monitor.error_queue_size",
		"elasticsearch.bulk.display_every", "service.worker_mode", "service.service_types", "service.job_cleanup_interval", "extraction_service.timeout",
	} {
		if !strings.HasPrefix(got[key], of2026+":") {
			t.Errorf("%s: came from %q", key, got[key])
		}
	}
}

// edited is a file of the connector service with some of its text replaced.
func edited(t *testing.T, file string, oldnew ...string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	content := string(data)
	for pair := range slices.Chunk(oldnew, 2) {
		if strings.Count(content, pair[0]) != 1 {
			t.Fatalf("%s: %q is not in it once", file, pair[0])
		}
		content = strings.Replace(content, pair[0], pair[1], 1)
	}
	return content
}

// TestServiceFilesWithVariables says how the ways to write credentials in both
// files are read: defaults after a bar, a .env beside the file, dollar signs.
func TestServiceFilesWithVariables(t *testing.T) {
	t.Parallel()
	for file, c := range map[string]struct {
		want  *Config
		level string
	}{of2023: {meaning2023(), "  log_level: INFO"}, of2026: {meaning2026(), "service.log_level: INFO"}} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			want := c.want
			content := edited(t, file, c.level, strings.Replace(c.level, "INFO", "${LEVEL|DEBUG}", 1),
				"host: http://localhost:9200", "host: ${ES_HOST|http://localhost:9200}",
				"username: elastic", "username: $ES_USER",
				"password: changeme", "password: 'a$$b${ES_PASSWORD}'",
				"request_timeout: ", "request_timeout: ${ES_TIMEOUT|30} # not ")
			dir := write(t, map[string]string{"config.yml": content, ".env": "ES_HOST=https://es:9243\nES_PASSWORD=\"x # y\"\nES_TIMEOUT=7\n"})
			got, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{Environ: []string{"ES_TIMEOUT=9", "ES_USER=not read"}})
			if err != nil {
				t.Fatal(err)
			}
			es := &want.Elasticsearch
			es.Host, es.Username, es.Password, es.RequestTimeout = "https://es:9243", "$ES_USER", NewSecret("a$bx # y"), 9*time.Second
			want.Service.LogLevel = "DEBUG"
			before, _, _ := strings.Cut(content, "$ES_USER")
			want.Warnings = []string{fmt.Sprintf("config.yml:%d", strings.Count(before, "\n")+1) + ": elasticsearch.username: a $ without braces was kept; write ${NAME} for a variable, $$ for a dollar sign"}
			compare(t, want, got)
		})
	}
}

// TestServiceFilesWithAConnector says how the older files name their single
// connector, and the newer ones many.
func TestServiceFilesWithAConnector(t *testing.T) {
	t.Parallel()
	one := Connector{ConnectorID: "1", ServiceType: "s3", Guard: defaultGuard(), Extraction: "auto", Profile: "head", Encoding: "exact"}
	two := one
	two.ConnectorID, two.APIKey = "2", NewSecret("key of two")
	for name, c := range map[string]struct {
		content string
		want    []Connector
	}{
		"2023":                {edited(t, of2023, "#connector_id", "connector_id", "#service_type", "service_type"), []Connector{one}},
		"2026":                {edited(t, of2026, "connectors: []", "connectors: [{connector_id: 1, service_type: s3}, {connector_id: '2', service_type: s3, api_key: key of two}]"), []Connector{one, two}},
		"2026, the older way": {edited(t, of2026, "connector_id: null", "connector_id: '1'", "service_type: null", "service_type: s3"), []Connector{one}},
	} {
		got := mustLoad(t, c.content)
		if diff := cmp.Diff(c.want, got.Connectors, cmpopts.IgnoreUnexported(Connector{}), cmpopts.IgnoreFields(Connector{}, "Line")); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
		if len(got.Warnings) != 0 {
			t.Errorf("%s: got warnings %q", name, got.Warnings)
		}
	}
}

// TestSourcesThatAreNotBuiltIn says that a list of service types may name what
// cannot be served here: it is the connector that needs one that is in error.
func TestSourcesThatAreNotBuiltIn(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost(`sources:
  gcs: connectors.sources.gcs:GoogleCloudStorageDataSource
  abs: connectors.sources.abs:AzureBlobStorageDataSource
  confluence: connectors.sources.atlassian.confluence:ConfluenceDataSource
  mysql: our.own:MySQL
`))
	want := map[string]string{
		"gcs": "builtin:google_cloud_storage", "abs": "builtin:azure_blob_storage", "confluence": "builtin:confluence", "mysql": "builtin:our.own:MySQL",
	}
	if diff := cmp.Diff(want, c.Sources); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWorkerMode(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost("service: {worker_mode: true, service_types: [mysql, s3]}\nnative_service_types: [dir]"))
	if diff := cmp.Diff([]string{"mysql", "s3"}, c.Service.ServiceTypes); diff != "" || !c.Service.WorkerMode || len(c.Warnings) != 0 {
		t.Errorf("got %+v, warnings %q", c.Service, c.Warnings)
	}
	if diff := cmp.Diff([]string{"dir"}, c.NativeServiceTypes); diff != "" {
		t.Errorf("native (-want +got):\n%s", diff)
	}
	c = mustLoad(t, withHost("service.service_types: mysql, s3"))
	if c.Service.WorkerMode || len(c.Warnings) != 1 || !strings.HasSuffix(c.Warnings[0], "config.yml:2: service.service_types: has no effect without worker_mode: true") {
		t.Errorf("types without the mode: got %+v, warnings %q", c.Service, c.Warnings)
	}
	c = mustLoad(t, withHost(""), "ELASTIC_INGEST__SERVICE__WORKER_MODE=true", "ELASTIC_INGEST__SERVICE__SERVICE_TYPES=mysql, s3")
	if !c.Service.WorkerMode || len(c.Service.ServiceTypes) != 2 {
		t.Errorf("from the environment: got %+v", c.Service)
	}
}

func TestUseConnectorsAPI(t *testing.T) {
	t.Parallel()
	if c := mustLoad(t, withHost("")); !c.Elasticsearch.UseConnectorsAPI {
		t.Error("it is not the default")
	}
	if c := mustLoad(t, withHost("elasticsearch.feature_use_connectors_api: false")); c.Elasticsearch.UseConnectorsAPI {
		t.Error("false has no effect")
	}
}

// TestOlderWordsForBooleans says that on and off are what they are in YAML 1.1,
// in which the files of the connector service are written.
func TestOlderWordsForBooleans(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost("elasticsearch: {ssl: off, analysis_icu: on, retry_on_timeout: No}"))
	if es := c.Elasticsearch; es.SSL || !es.AnalysisICU || es.RetryOnTimeout {
		t.Errorf("got %+v", es)
	}
}

func TestLogLevels(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"DEBUG": "DEBUG", "info": "INFO", "Warning": "WARNING", "ERROR": "ERROR", "critical": "CRITICAL", "''": "",
		"warn": "WARNING", "FATAL": "CRITICAL", "NOTSET": "DEBUG", "unknown": "CRITICAL",
	} {
		if got := mustLoad(t, withHost("service.log_level: "+given)).Service.LogLevel; got != want {
			t.Errorf("%s: got %q, want %q", given, got, want)
		}
	}
}

// TestConnectorOfElasticsearchCarriesTheRest says that an entry with a
// connector_id takes every key that one with a name does.
func TestConnectorOfElasticsearchCarriesTheRest(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost(`connectors:
  - connector_id: 7Dx
    service_type: mysql
    index_name: search-shop
    configuration: {password: "${P}"}
    pipeline: clean
    language: fr
    rules: [{policy: include, field: a, rule: equals, value: b}]
    advanced_rules: [{query: select 1}]
    id_columns: {t: a}
    schedule: 0 0 2 * * ?
    guard: {max_deletes: 3}
    profile: native
    encoding: compat
    api_key: k
`), "P=secret")
	want := []Connector{{
		ConnectorID: "7Dx", ServiceType: "mysql", IndexName: "search-shop", Configuration: Configuration{"password": "secret"}, Pipeline: "clean", Extraction: "auto", Language: "fr",
		Rules:         []Rule{{ID: "rule-1", Policy: "include", Field: "a", Rule: "equals", Value: "b", Order: 1}},
		AdvancedRules: []any{map[string]any{"query": "select 1"}}, IDColumns: map[string][]string{"t": {"a"}},
		Schedule: map[string]string{"full": "0 0 2 * * ?"}, Guard: Guard{MaxDeletes: 3, MaxPercent: 10}, Profile: "native", Encoding: "compat", APIKey: NewSecret("k"),
	}}
	if diff := cmp.Diff(want, c.Connectors, cmpopts.IgnoreUnexported(Connector{}), cmpopts.IgnoreFields(Connector{}, "Line")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestExtraction: what is said of content and of the service that makes text of it.
func TestExtraction(t *testing.T) {
	t.Parallel()
	const connector = "connectors: [{name: docs, service_type: dir, index_name: i%s}]\n"
	for rule, tc := range map[string]struct{ settings, more, want string }{
		"a service":                        {"extraction_service: {host: 'http://tika:9998/', type: Tika, max_text_size: 1MiB, max_file_size: 1GB}", ", extraction: service", ""},
		"off is a word here":               {"", ", extraction: off", ""},
		"an unknown way":                   {"", ", extraction: tika", "connectors[0].extraction: must be one of auto, pipeline, service, inline, off"},
		"a way without a service":          {"", ", extraction: service", "connectors[0].extraction: is service, but there is none"},
		"a host without http":              {"extraction_service.host: tika:9998", "", "extraction_service.host: must be an http:// or https:// address"},
		"a host of nothing":                {"extraction_service.host: 'http://'", "", "extraction_service.host: must be an http:// or https:// address"},
		"a host with a user":               {"extraction_service.host: 'http://me:secret@tika'", "", "extraction_service.host: has a user in it"},
		"a host with a query":              {"extraction_service.host: 'http://tika/?a=b'", "", "extraction_service.host: has a query in it"},
		"files that Tika cannot be shown":  {"extraction_service: {host: 'http://tika', type: tika, use_file_pointers: true}", "", "use_file_pointers: works only with Elastic's service"},
		"a type that there is none of yet": {"extraction_service: {host: 'http://tika', type: unstructured}", "", "extraction_service.type: must be one of auto, elastic, tika"},
	} {
		_, err := load(t, fmt.Sprintf("elasticsearch.host: http://localhost:9200\n%s\n"+connector, tc.settings, tc.more))
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v", rule, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", rule, err)
		}
	}
}
