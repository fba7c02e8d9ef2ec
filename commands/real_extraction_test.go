package commands_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// files is a [bench] whose source is a folder of files.
type files struct {
	*bench
}

// newFiles makes one. connector are further keys of the connector, settings sections of the configuration.
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

// sourcesBy are the documents of the index, by a field such as their path.
func (b *bench) sourcesBy(by string) map[string]map[string]any {
	b.t.Helper()
	var found struct {
		Hits struct {
			Hits []struct {
				Source map[string]any `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
	}
	if err := json.Unmarshal(b.call(http.MethodGet, "/"+b.index+"/_search?size=100", ""), &found); err != nil {
		b.t.Fatal(err)
	}
	out := map[string]map[string]any{}
	for _, h := range found.Hits.Hits {
		key, _ := h.Source[by].(string)
		out[key] = h.Source
	}
	return out
}

// ending is enough of a text to recognise it.
func ending(v any) string {
	s, _ := v.(string)
	return s[max(0, len(s)-60):]
}

// service is the configuration of an extraction service.
func service(url string) string {
	return fmt.Sprintf("extraction_service: {host: %q, timeout: 5m}", url)
}

// TestTextByTika: the text of documents of office programs, and of a long file, is made by Apache Tika
// and arrives whole; a second run asks it for nothing.
func TestTextByTika(t *testing.T) {
	t.Parallel()
	tika := required(t, "TEST_TIKA_URL")
	f := newFiles(t, elastictest.Server(t), "    extraction: service", service(tika), map[string]string{
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

// TestFilesThatTikaCannotRead: they are named and tried again, and written without text; their neighbors
// have theirs.
func TestFilesThatTikaCannotRead(t *testing.T) {
	t.Parallel()
	tika := required(t, "TEST_TIKA_URL")
	f := newFiles(t, elastictest.Server(t), "    extraction: service", service(tika), map[string]string{
		"a.pdf": pdfOf("", "before"), "b.pdf": encryptedPDF("hidden"), "c.docx": "PK\x03\x04 is no document", "d.pdf": pdfOf("", "cut off")[:300], "e.docx": docxOf(t, "behind"),
	})
	const bad = 2 // of what is left of d.pdf Tika makes a text without words
	o := f.run("sync")
	for _, name := range []string{"b.pdf", "c.docx"} {
		if o.code != 3 || !strings.Contains(o.stderr, name) {
			t.Errorf("exit %d, and %s is not named in\n%s", o.code, name, o.stderr)
		}
	}
	docs := f.sourcesBy("path")
	for path, want := range map[string]any{"a.pdf": "before", "b.pdf": nil, "c.docx": nil, "e.docx": "behind"} {
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
