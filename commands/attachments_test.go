package commands

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// connectorPipeline is like the pipeline that Elasticsearch installs for connectors.
const connectorPipeline = `{"processors":[
	{"attachment":{"if":"ctx?._extract_binary_content == true","field":"_attachment","target_field":"_extracted_attachment","ignore_missing":true,
		"on_failure":[{"append":{"field":"_ingestion_errors","value":"attachment"}}]}},
	{"set":{"if":"ctx?._extract_binary_content == true","field":"body","copy_from":"_extracted_attachment.content","ignore_empty_value":true}},
	{"remove":{"field":["_attachment","_extracted_attachment","_extract_binary_content","_reduce_whitespace","_run_ml_inference"],"ignore_missing":true}}]}`

// TestAttachments mirrors a folder through a pipeline that reads attachments; the second run writes nothing.
func TestAttachments(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, server string) {
		name := "e2e-" + strings.ToLower(rand.Text())
		elastictest.Ask(t.Context(), t, http.MethodPut, server+"/_ingest/pipeline/"+name, connectorPipeline)
		dir := t.TempDir()
		t.Cleanup(func() {
			for _, path := range []string{"/" + name, "/_ingest/pipeline/" + name} {
				elastictest.Ask(context.Background(), t, http.MethodDelete, server+path, "")
			}
		})
		files := map[string]string{
			"report.pdf": "words of a report", "page.html": "<p>a page</p>", "notes.txt": "für\n", "program.bin": "x", "nothing.pdf": "",
			"large.pdf": strings.Repeat("x", 2001), "sub/letter.DOCX": "a letter",
		}
		for path, text := range files {
			writeFile(t, filepath.Join(dir, "docs", path), text)
		}
		writeFile(t, filepath.Join(dir, "config.yml"), fmt.Sprintf(`
elasticsearch.host: %s
service.max_file_download_size: 2000
connectors:
  - {name: docs, service_type: dir, index_name: %s, pipeline: %s, configuration: {directory: ./docs, pattern: "**/*", id_path: relative}}
`, server, name, name))
		sync := func(want string) {
			t.Helper()
			if out, err := programIn(t, dir, "sync").CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
				t.Fatalf("%v, want %q in\n%s", err, want, out)
			}
		}
		sync("7 created")
		sync("0 created, 0 updated, 0 deleted, 7 unchanged")
		hits, err := elastictest.Hits(elastictest.Ask(t.Context(), t, http.MethodGet, server+"/"+name+"/_search?size=100", ""))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for _, h := range hits {
			var doc map[string]any
			if err := json.Unmarshal(h.Source, &doc); err != nil {
				t.Fatal(err)
			}
			got[doc["path"].(string)] = doc["body"]
			for field := range doc {
				if field == "_attachment" || field == "_extract_binary_content" || field == "_ingestion_errors" {
					t.Errorf("%v has %s", doc["path"], field)
				}
			}
		}
		want := map[string]any{
			"report.pdf": "words of a report", "page.html": "<p>a page</p>", "notes.txt": "für", "program.bin": nil, "nothing.pdf": nil,
			"large.pdf": nil, "sub/letter.DOCX": "a letter",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		// Changed files go through the pipeline again.
		if err := os.WriteFile(filepath.Join(dir, "docs", "report.pdf"), []byte("other words"), 0o644); err != nil {
			t.Fatal(err)
		}
		sync("0 created, 1 updated, 0 deleted, 6 unchanged")
	})
}
