package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const full = `
elasticsearch:
  host: https://es.example.com:9200/prefix/
  ca_certs: ca.crt
  client_cert: ca.crt
  client_key: ca.crt
  ca_fingerprint: 64:F2:59:3F:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:FF
  headers: {X-Found: "1", X.Dotted: b}
  headers.X-Other: ${V}
  language_code: de
  analysis_icu: true
  retry_on_timeout: false
  initial_backoff_duration: 0.5
  bulk.error_monitor: {enabled: false, max_error_rate: 0.5}
service: {log_level: warning, idling: 1m, max_file_download_size: 20MiB, worker_mode: true, service_types: [s3]}
engine: {readers: 8, budget: 32MiB, ids_memory: 1GiB, stall_timeout: 10m, shutdown_grace: 5, embedded_cache: 33554432}
extraction_service: {host: "http://localhost:8090", timeout: 60, use_file_pointers: true}
connectors:
  - name: shop
    service_type: postgresql
    index_name: search-shop
    configuration: {host: db, port: 5432, ssl_enabled: true, ratio: 1.5, password: 007, tables: [a, b], none: null, spelled: 1.50}
    configuration.user: me
    pipeline: clean
    language: fr
    rules:
      - {policy: Exclude, field: state, rule: equals, value: gone}
      - {id: r9, policy: include, field: n, rule: ">", value: 5, order: 0.5, created_at: x}
    advanced_rules: [{tables: [a], query: "select 1"}]
    id_columns: {shop.orders: [a, b], log: at}
    mappings: ca.crt
    schedule: {full: 0 0 * * * ?, incremental: " 0 */5 * * * ? "}
    guard: {max_deletes: 0, max_percent: 2.5}
    profile: seed87
    encoding: compat
    api_key: k
  - connector_id: 7Dx
    configuration.password: ${V}
`

func TestEveryKey(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"yml", "toml"} {
		content := full
		if format == "toml" {
			data, err := os.ReadFile("testdata/full.toml")
			if err != nil {
				t.Fatal(err)
			}
			content = string(data)
		}
		dir := write(t, map[string]string{"ca.crt": "", "config." + format: content})
		c, err := Load(t.Context(), filepath.Join(dir, "config."+format), Env{Environ: []string{"V=value"}})
		if err != nil {
			t.Fatal(err)
		}
		ca := filepath.Join(dir, "ca.crt")
		es := c.Elasticsearch
		if es.Host != "https://es.example.com:9200/prefix" || es.CACerts != ca || es.ClientKey != ca || es.RetryOnTimeout || !es.AnalysisICU || es.LanguageCode != "de" ||
			es.InitialBackoff != 500*time.Millisecond || es.Bulk.ErrorMonitor.Enabled || es.Bulk.ErrorMonitor.MaxErrorRate != 0.5 ||
			!strings.HasPrefix(es.CAFingerprint, "64f2593f00") {
			t.Errorf("%s: got %+v", format, es)
		}
		if diff := cmp.Diff(map[string]string{"X-Found": "1", "X.Dotted": "b", "X-Other": "value"}, map[string]string(es.Headers)); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", format, diff)
		}
		if c.Service.LogLevel != "WARNING" || c.Service.Idling != time.Minute || c.Service.MaxFileDownloadSize != 20<<20 || len(c.Service.ServiceTypes) != 1 {
			t.Errorf("%s: got %+v", format, c.Service)
		}
		wantEngine := Engine{Readers: 8, Budget: 32 << 20, IDsMemory: 1 << 30, StallTimeout: 10 * time.Minute, ShutdownGrace: 5 * time.Second, EmbeddedCache: 32 << 20}
		if diff := cmp.Diff(wantEngine, c.Engine); diff != "" {
			t.Errorf("%s: engine (-want +got):\n%s", format, diff)
		}
		wantExtraction := Extraction{Host: "http://localhost:8090", Timeout: time.Minute, UseFilePointers: true, StreamChunkSize: 65536, Type: "auto", MaxTextSize: 10 * mebibyte, SharedVolumeDir: "/app/files"}
		if diff := cmp.Diff(wantExtraction, c.Extraction); diff != "" {
			t.Errorf("%s: extraction (-want +got):\n%s", format, diff)
		}
		want := fullConnectors(format, ca)
		if diff := cmp.Diff(want, c.Connectors, cmpopts.IgnoreUnexported(Connector{}), cmpopts.IgnoreFields(Connector{}, "Line")); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", format, diff)
		}
	}
}

// fullConnectors are the connectors of full and of testdata/full.toml.
func fullConnectors(format, ca string) []Connector {
	spelled := any("1.50")
	password := any("007")
	if format == "toml" { // which has no spelling of numbers to keep
		spelled, password = 1.5, 7
	}
	want := []Connector{
		{
			Name: "shop", ServiceType: "postgresql", IndexName: "search-shop",
			Configuration: Configuration{
				"host": "db", "port": 5432, "ssl_enabled": true, "ratio": 1.5, "password": password, "tables": []any{"a", "b"}, "none": nil, "spelled": spelled, "user": "me",
			},
			Pipeline: "clean", Extraction: "auto", Language: "fr",
			Rules: []Rule{
				{ID: "rule-1", Policy: "exclude", Field: "state", Rule: "equals", Value: "gone", Order: 1},
				{ID: "r9", Policy: "include", Field: "n", Rule: ">", Value: "5", Order: 0.5},
			},
			AdvancedRules: []any{map[string]any{"tables": []any{"a"}, "query": "select 1"}},
			IDColumns:     map[string][]string{"shop.orders": {"a", "b"}, "log": {"at"}},
			Mappings:      ca,
			Schedule:      map[string]string{"full": "0 0 * * * ?", "incremental": "0 */5 * * * ?"},
			Guard:         Guard{MaxDeletes: 0, MaxPercent: 2.5}, Profile: "seed87", Encoding: "compat", APIKey: NewSecret("k"),
		},
		{
			ConnectorID: "7Dx", Configuration: Configuration{"password": "value"},
			Guard: Guard{MaxDeletes: 10, MaxPercent: 10}, Extraction: "auto", Profile: "head", Encoding: "exact",
		},
	}
	if format == "toml" { // which has no null
		delete(want[0].Configuration, "none")
	}
	return want
}

func TestSeedConnector(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost("connector_id: 7Dx\nservice_type: mysql"))
	want := []Connector{{ConnectorID: "7Dx", ServiceType: "mysql", Line: 2, Guard: defaultGuard(), Extraction: "auto", Profile: "head", Encoding: "exact"}}
	if diff := cmp.Diff(want, c.Connectors, cmpopts.IgnoreUnexported(Connector{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := c.Connectors[0].ResolveConfiguration(t.Context(), nil); err != nil {
		t.Error(err)
	}
	c = mustLoad(t, withHost("connector_id: 7Dx\nconnectors: [{connector_id: other}]"))
	if len(c.Connectors) != 1 || c.Connectors[0].ConnectorID != "other" || len(c.Warnings) != 1 {
		t.Errorf("got %+v, %q", c.Connectors, c.Warnings)
	}
}

func TestDestination(t *testing.T) {
	t.Parallel()
	const cloud = "name:ZXUuZXhhbXBsZS5jb20kYWJjJGRlZg=="
	c := mustLoad(t, "elasticsearch.cloud_id: "+cloud)
	if c.Elasticsearch.CloudID != cloud || c.Elasticsearch.Host != "" {
		t.Errorf("got %+v", c.Elasticsearch)
	}
	c = mustLoad(t, withHost(""), "ELASTIC_INGEST__ELASTICSEARCH__CLOUD_ID="+cloud)
	if c.Elasticsearch.CloudID != cloud || c.Elasticsearch.Host != "" {
		t.Errorf("the cloud id of the environment: got %+v", c.Elasticsearch)
	}
	c = mustLoad(t, withHost("elasticsearch: {verify_certs: false, ssl: false, ca_fingerprint: "+strings.Repeat("ab", 32)+"}"))
	if len(c.Warnings) != 2 || !strings.Contains(c.Warnings[0], "certificates are not verified") || c.Elasticsearch.CAFingerprint != "" {
		t.Errorf("got %q, fingerprint %q", c.Warnings, c.Elasticsearch.CAFingerprint)
	}
}

func TestSizesAndDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"5": 5 << 20, "0.5": 1 << 19, "5MiB": 5 << 20, "5 mib": 5 << 20, "1GiB": 1 << 30, "2KiB": 2048, "10B": 10, "1MB": 1e6, "1kb": 1000,
		"": -1, "5M": -1, "-1": -1, "x": -1, "MiB": -1, "1e30": -1, "NaN": -1, "5MiBMiB": -1,
	} {
		got, ok := parseSize(text, mebibyte)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("size %q: got %d, %v, want %d", text, got, ok, want)
		}
	}
	for text, want := range map[string]time.Duration{
		"5": 5 * time.Second, "0.25": 250 * time.Millisecond, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "-1": -time.Second,
		"": -1, "5 minutes": -1, "1e300": -1, "NaN": -1, "Inf": -1,
	} {
		got, ok := parseDuration(text)
		if ok != (want != -1) || ok && got != want {
			t.Errorf("duration %q: got %s, %v, want %s", text, got, ok, want)
		}
	}
}

// TestAdoptIsForRecords: a connector of the file takes an index over by a flag, once.
func TestAdoptIsForRecords(t *testing.T) {
	t.Parallel()
	if c := mustLoad(t, withHost("connectors: [{connector_id: 7Dx, adopt: true}]")); !c.Connectors[0].Adopt {
		t.Errorf("%+v", c.Connectors)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(withHost("connectors: [{name: a, service_type: dir, index_name: a, adopt: true}]")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), file, Env{}); err == nil || !strings.Contains(err.Error(), "adopt") {
		t.Errorf("a connector of the file: %v", err)
	}
}
