package commands_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// files is a [bench] whose source is a folder of files.
type files struct {
	*bench
}

// newFiles creates one. connector are more keys of the connector, settings sections of the configuration.
func newFiles(t *testing.T, elasticsearch, connector, settings string, content map[string]string) *files {
	t.Helper()
	f := &files{newBenchOf(t, elasticsearch)}
	for path, text := range content {
		f.put(path, text)
	}
	f.configure(connector, settings)
	return f
}

func (f *files) configure(connector, settings string) {
	f.t.Helper()
	f.writePlain("dir", `directory: ./docs, pattern: "**/*", id_path: relative`, connector+"\n"+settings)
}

func (f *files) put(path, text string) {
	f.t.Helper()
	full := filepath.Join(f.dir, "docs", filepath.FromSlash(path))
	for _, err := range []error{os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(text), 0o600)} {
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

// sourcesBy are the documents of the index, keyed by a field such as their path.
func (b *bench) sourcesBy(by string) map[string]map[string]any {
	b.t.Helper()
	out := map[string]map[string]any{}
	for _, h := range b.hits(b.call(http.MethodGet, "/"+b.index+"/_search?size=100", "")) {
		var doc map[string]any
		if err := json.Unmarshal(h.Source, &doc); err != nil {
			b.t.Fatal(err)
		}
		key, _ := doc[by].(string)
		out[key] = doc
	}
	return out
}

// ending is the end of a text, long enough to recognize it.
func ending(v any) string {
	s, _ := v.(string)
	return s[max(0, len(s)-60):]
}

// serviceAt is the configuration of an extraction service.
func serviceAt(url string) string {
	return fmt.Sprintf("extraction_service: {host: %q, timeout: 5m}", url)
}

// TestTextByTika: Apache Tika extracts the complete text of office documents and of a long file; a second run
// sends it nothing.
func TestTextByTika(t *testing.T) {
	t.Parallel()
	tika := testenv.Required(t, "TEST_TIKA_URL")
	f := newFiles(t, elastictest.Server(t), "    extraction: service", serviceAt(tika), map[string]string{
		"report.pdf":  pdfOf("", "words of a report", "its second page"),
		"letter.docx": docxOf(t, "Dear reader,", "für dich"),
		"long.txt":    longText(10_000_000),
		"page.html":   "<title>A title</title><p>a page",
		"nothing.pdf": "",
		"program.bin": "x",
	})
	if res := f.must(0, "sync"); res.Created != 6 {
		t.Fatalf("%+v", res)
	}
	docs := f.sourcesBy("path")
	for path, want := range map[string]string{
		"report.pdf": "words of a report\n\n\n\nits second page", "letter.docx": "Dear reader,\nfür dich", "page.html": "a page",
		"nothing.pdf": "", "program.bin": "", "long.txt": ending(longText(10_000_000)),
	} {
		if got := ending(docs[path]["body"]); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if got := len(docs["long.txt"]["body"].(string)); got != len(longText(10_000_000)) {
		t.Errorf("%d characters of the long text", got)
	}
	if res := f.must(0, "sync"); res.Kept != 6 || res.Updated != 0 {
		t.Fatalf("the second sync: %+v", res)
	}
}

// TestFilesThatTikaCannotRead: they are reported, written without text and tried again; the other files get
// their text.
func TestFilesThatTikaCannotRead(t *testing.T) {
	t.Parallel()
	tika := testenv.Required(t, "TEST_TIKA_URL")
	f := newFiles(t, elastictest.Server(t), "    extraction: service", serviceAt(tika), map[string]string{
		"a.pdf": pdfOf("", "before"), "b.pdf": encryptedPDF("hidden"), "c.docx": "PK\x03\x04 is no document", "d.pdf": pdfOf("", "cut off")[:300], "e.docx": docxOf(t, "after"),
	})
	const bad = 2 // Tika extracts a text without words from the rest of d.pdf
	o := f.run("sync")
	for _, name := range []string{"b.pdf", "c.docx"} {
		if o.code != 3 || !strings.Contains(o.stderr, name) {
			t.Errorf("exit %d, and %s is not named in\n%s", o.code, name, o.stderr)
		}
	}
	docs := f.sourcesBy("path")
	for path, want := range map[string]any{"a.pdf": "before", "b.pdf": nil, "c.docx": nil, "e.docx": "after"} {
		if d := docs[path]; d == nil || d["body"] != want {
			t.Errorf("%s: %v", path, d)
		}
	}
	if res := f.must(3, "sync"); res.Kept != 5 || res.Updated != 0 {
		t.Errorf("the second sync: %+v", res)
	}
	f.put("b.pdf", pdfOf("", "readable now"))
	f.put("c.docx", docxOf(t, "mended"))
	if res := f.must(0, "sync"); res.Updated != bad || f.sourcesBy("path")["b.pdf"]["body"] != "readable now" {
		t.Errorf("once they can be read: %+v", res)
	}
}

// readsAttachments skips a test if the attachment processor of this Elasticsearch reads only text; under
// CI=true it fails.
func readsAttachments(t *testing.T, server string) {
	t.Helper()
	body := `{"pipeline":{"processors":[{"attachment":{"field":"a"}}]},"docs":[{"_source":{"a":"` + base64.StdEncoding.EncodeToString([]byte(pdfOf("", "words"))) + `"}}]}`
	answer := string(elastictest.Ask(t.Context(), t, http.MethodPost, server+"/_ingest/pipeline/_simulate", body))
	if !strings.Contains(answer, `"content":"words"`) {
		testenv.Missing(t, "%s extracts no text from a PDF (start it with testdata/services/elasticsearch/up): %s", server, answer)
	}
}

// TestTextByAttachments: the pipeline of --create-pipeline extracts the complete text of PDF, office files and
// long text. Unreadable files are reported.
func TestTextByAttachments(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		readsAttachments(t, elasticsearch)
		long := longText(250_000)
		f := newFiles(t, elasticsearch, "", "", map[string]string{
			"report.pdf": pdfOf("", "words of a report"), "letter.docx": docxOf(t, "Dear  reader,", "für dich"), "long.txt": long,
			"locked.pdf": encryptedPDF("hidden"), "broken.docx": "PK\x03\x04 is no document", "nothing.pdf": "", "program.bin": "x",
		})
		f.configure("    pipeline: "+f.index, "")
		t.Cleanup(func() { f.call(http.MethodDelete, "/_ingest/pipeline/"+f.index, "") })
		for _, args := range [][]string{{"sync"}, {"diff"}} {
			if o := f.run(args...); o.code != 2 || !strings.Contains(o.stderr, "--create-pipeline") {
				t.Fatalf("%v without a pipeline: exit %d\n%s", args, o.code, o.stderr)
			}
		}
		if o := f.run("sync", "--create-pipeline", "--dry-run"); o.code != 1 || !strings.Contains(o.stdout, "7 to create") {
			t.Fatalf("a dry run: exit %d\n%s%s", o.code, o.stdout, o.stderr)
		}
		o := f.run("sync", "--create-pipeline", "--log-level", "INFO")
		for _, want := range []string{"the ingest pipeline was created", "extraction=pipeline", "docs=1", "_ingestion_errors"} {
			if o.code != 0 || !strings.Contains(o.stderr, want) {
				t.Errorf("exit %d, no %q in\n%s", o.code, want, o.stderr)
			}
		}
		docs := f.sourcesBy("path")
		for path, want := range map[string]string{
			"report.pdf": "words of a report", "letter.docx": "Dear reader, für dich", "long.txt": ending(strings.ReplaceAll(long, "\n", " ")),
			"locked.pdf": "", "broken.docx": "", "nothing.pdf": "", "program.bin": "",
		} {
			d := docs[path]
			if got := ending(d["body"]); d == nil || got != want {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
			if _, failed := d["_ingestion_errors"]; failed != (path == "locked.pdf") || d["_attachment"] != nil || d["_attachment_indexed_chars"] != nil {
				t.Errorf("%s: %v", path, d)
			}
		}
		if res := f.must(0, "sync", "--create-pipeline"); res.Kept != 7 || res.Updated != 0 {
			t.Errorf("the second sync: %+v", res)
		}
	})
}

// TestAPipelineThatFailsOnAttachments: a pipeline without on_failure. The failing documents are in the
// dead-letter file with the reason, the others in the index.
func TestAPipelineThatFailsOnAttachments(t *testing.T) {
	t.Parallel()
	server := elastictest.Server(t)
	readsAttachments(t, server)
	f := newFiles(t, server, "", "", map[string]string{"a.pdf": pdfOf("", "words"), "b.pdf": encryptedPDF("hidden")})
	f.configure("    pipeline: "+f.index, "")
	f.call(http.MethodPut, "/_ingest/pipeline/"+f.index, `{"processors":[{"attachment":{"field":"_attachment","ignore_missing":true}},{"remove":{"field":"_attachment","ignore_missing":true}}]}`)
	t.Cleanup(func() { f.call(http.MethodDelete, "/_ingest/pipeline/"+f.index, "") })
	dead := filepath.Join(f.dir, "dead.ndjson")
	if o := f.run("sync", "--dead-letter", dead); o.code != 3 {
		t.Fatalf("exit %d\n%s", o.code, o.stderr)
	}
	rejected, err := os.ReadFile(dead)
	if err != nil || strings.Count(string(rejected), "\n") != 1 || !strings.Contains(string(rejected), "parsing document") {
		t.Errorf("%v: %s", err, rejected)
	}
	docs := f.sourcesBy("path")
	if text, _ := docs["a.pdf"]["attachment"].(map[string]any); len(docs) != 1 || text["content"] != "words" {
		t.Errorf("%v", docs)
	}
}

// TestALongTextByAttachments: ten megabytes arrive complete.
func TestALongTextByAttachments(t *testing.T) {
	t.Parallel()
	server := elastictest.Server(t)
	readsAttachments(t, server)
	long := longText(10_000_000)
	f := newFiles(t, server, "", "", map[string]string{"long.txt": long})
	f.configure("    pipeline: "+f.index, "")
	t.Cleanup(func() { f.call(http.MethodDelete, "/_ingest/pipeline/"+f.index, "") })
	if res := f.must(0, "sync", "--create-pipeline"); res.Created != 1 {
		t.Fatalf("%+v", res)
	}
	if body, _ := f.sourcesBy("path")["long.txt"]["body"].(string); body != strings.ReplaceAll(long, "\n", " ") {
		t.Errorf("%d bytes, ending in %q", len(body), ending(body))
	}
	if res := f.must(0, "sync"); res.Kept != 1 {
		t.Errorf("the second sync: %+v", res)
	}
}

// elasticsService is a server with the protocol of Elastic's data extraction service, whose text of a file is
// "text of FILE". Before it answers it calls the test's hook.
type elasticsService struct {
	*httptest.Server
	mu     sync.Mutex
	puts   []string // files that were sent
	before func(file string)
}

func newElasticsService(t *testing.T) *elasticsService {
	t.Helper()
	x := &elasticsService{}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ping/" {
			_, _ = io.WriteString(w, "Running!")
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPut || r.URL.Path != "/extract_text/" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.puts = append(x.puts, string(body))
		if x.before != nil {
			x.before(string(body))
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"extracted_text": "text of " + string(body)})
	}))
	t.Cleanup(x.Close)
	return x
}

// TestTheFormsToggleSendsContentToTheService: use_text_extraction_service, a field of the forms of Elastic's
// connectors. An object that is replaced during the listing is mirrored in its new version; content is only
// read to be written.
func TestTheFormsToggleSendsContentToTheService(t *testing.T) {
	t.Parallel()
	b := newBuckets(t, elastictest.Server(t))
	x := newElasticsService(t)
	configure := func(toggle bool) {
		b.writePlain("s3", fmt.Sprintf("buckets: [%s], endpoint_url: %q, aws_access_key_id: %q, aws_secret_access_key: %q, max_attempts: 0, use_text_extraction_service: %v",
			b.one, testenv.Required(t, "TEST_S3_ENDPOINT"), testenv.Required(t, "TEST_S3_ACCESS_KEY"), testenv.Required(t, "TEST_S3_SECRET_KEY"), toggle), serviceAt(x.URL)+"\nengine: {readers: 1}\n")
	}
	configure(true)
	b.put(b.one, "a.pdf", "first")
	b.put(b.one, "b.pdf", "second")
	b.put(b.one, "c.zip", "not sent")
	x.before = func(file string) {
		if file == "first" {
			b.put(b.one, "b.pdf", "second, longer")
		}
	}
	if res := b.must(0, "sync"); res.Created != 3 {
		t.Fatalf("%+v", res)
	}
	docs := b.sourcesBy("filename")
	if docs["a.pdf"]["body"] != "text of first" || docs["b.pdf"]["body"] != "text of second, longer" || docs["b.pdf"]["size_in_bytes"] != 14.0 || docs["c.zip"]["body"] != nil {
		t.Errorf("%v", docs)
	}
	x.mu.Lock()
	if len(x.puts) != 2 {
		t.Errorf("the service was sent %q", x.puts)
	}
	x.puts = nil
	x.mu.Unlock()
	if res := b.must(0, "sync"); res.Kept != 3 {
		t.Errorf("the second sync: %+v", res)
	}
	x.mu.Lock()
	if len(x.puts) != 0 {
		t.Errorf("the second sync sent %q", x.puts)
	}
	x.mu.Unlock()
	b.writePlain("s3", fmt.Sprintf("buckets: [%s], endpoint_url: %q, use_text_extraction_service: true", b.one, testenv.Required(t, "TEST_S3_ENDPOINT")), "")
	if o := b.run("sync"); o.code != 2 || !strings.Contains(o.stderr, "set extraction_service.host") {
		t.Errorf("without a service: exit %d\n%s", o.code, o.stderr)
	}
}

// TestAFileThatChangesWhileItIsSent, on a network drive: its text is never mixed from two versions, and the
// next run has the new one.
func TestAFileThatChangesWhileItIsSent(t *testing.T) {
	t.Parallel()
	b := newSMBBench(t, elastictest.Server(t))
	x := newElasticsService(t)
	b.configure(os.Getenv("TEST_SMB_ADDR"), os.Getenv("TEST_SMB_USER"), ", use_text_extraction_service: true")
	config := filepath.Join(b.dir, "config.yml")
	old, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, append(old, "\n"+serviceAt(x.URL)+"\nengine: {readers: 1}\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.file("a.pdf", "first")
	b.file("b.pdf", "second")
	x.before = func(file string) {
		if file == "first" {
			b.file("b.pdf", "second, longer")
		}
	}
	o := b.run("sync")
	if o.code != 0 && o.code != 3 {
		t.Fatalf("exit %d\n%s", o.code, o.stderr)
	}
	for _, d := range b.sourcesBy("path") {
		if body := d["body"]; body == "text of second" && d["size"] != 6.0 || body == "text of second, longer" && d["size"] != 14.0 {
			t.Errorf("fields and text of two versions: %v", d)
		}
	}
	x.mu.Lock()
	x.before = nil
	x.mu.Unlock()
	b.must(0, "sync")
	x.mu.Lock()
	x.puts = nil
	x.mu.Unlock()
	b.must(0, "sync")
	for _, d := range b.sourcesBy("title") {
		if d["title"] == "b.pdf" && (d["body"] != "text of second, longer" || d["size"] != 14.0) {
			t.Errorf("%v", d)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.puts) != 0 {
		t.Errorf("nothing had changed, and the service was sent %q", x.puts)
	}
}
