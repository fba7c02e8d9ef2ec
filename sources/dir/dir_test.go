package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

// opened opens the source for the time of a test.
func opened(t *testing.T, raw map[string]any) source.Source {
	t.Helper()
	return sourcetest.Open(t, &Type, raw, source.Env{})
}

func openedLog(t *testing.T, raw map[string]any, log io.Writer) source.Source {
	t.Helper()
	return sourcetest.Open(t, &Type, raw, source.Env{Log: slog.New(slog.NewTextHandler(log, nil))})
}

// readEach reads all parts; errors of parts are keyed by their scopes.
func readEach(t *testing.T, src source.Source) (docs []document.Document, scopes []string, failed map[string]error) {
	t.Helper()
	r := sourcetest.Read(t, src.Parts(t.Context()))
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	for _, part := range r.Parts {
		scopes = append(scopes, part.Scope())
	}
	return r.Docs, scopes, r.Failed
}

// read reads everything, which must work, and returns the documents of files by their base names.
func read(t *testing.T, raw map[string]any) map[string]document.Document {
	t.Helper()
	docs, _, failed := readEach(t, opened(t, raw))
	if len(failed) > 0 {
		t.Fatal(failed)
	}
	byName := map[string]document.Document{}
	for _, d := range docs {
		byName[filepath.Base(text(t, d, "path"))] = d
	}
	return byName
}

func text(t *testing.T, d document.Document, name string) string {
	t.Helper()
	for _, f := range d.Fields {
		if f.Name == name {
			return f.Value.Text()
		}
	}
	t.Fatalf("document %q has no field %q", d.ID, name)
	return ""
}

// paths are the paths of the documents of files, sorted.
func paths(t *testing.T, docs []document.Document) []string {
	t.Helper()
	all := []string{}
	for _, d := range docs {
		all = append(all, text(t, d, "path"))
	}
	slices.Sort(all)
	return all
}

func TestFileDocument(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{"sub/a.txt": "hello"})
	file := filepath.Join(root, "sub", "a.txt")
	modified := time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)
	if err := os.Chtimes(file, time.Now(), modified); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ idPath, path string }{{pathAbsolute, file}, {pathRelative, "sub/a.txt"}}
	for _, tt := range tests {
		d := read(t, map[string]any{"directory": root, "id_path": tt.idPath})["a.txt"]
		const stamp = "2024-05-06T07:08:09.123456+00:00"
		if d.Timestamp != stamp || text(t, d, "last_modified_time") != stamp || text(t, d, "path") != tt.path {
			t.Errorf("%s: got timestamp %q, path %q", tt.idPath, d.Timestamp, text(t, d, "path"))
		}
		if d.Content == nil || d.Content.Name != "a.txt" || d.Content.Size != 5 {
			t.Errorf("%s: got content %+v", tt.idPath, d.Content)
		}
		for _, f := range d.Fields {
			switch f.Name {
			case "last_access_time", "ctime", "inode_number", "device_inode_reside", "number_of_links":
				t.Errorf("the field %s changes without the file", f.Name)
			}
		}
	}
	if d := read(t, map[string]any{"directory": root, "id_path": pathRelative})["a.txt"]; d.ID != "9efde0224eafd182360a0671a0cca094" {
		t.Errorf("got the id %s, want the MD5 of sub/a.txt", d.ID)
	}
}

func TestPatternAndScopes(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{
		"a.md": "", "Makefile": "", ".env.txt": "", "docs/b.md": "", "docs/img/c.png": "",
		"docs/deep/er/d.md": "", "src/e.go": "", ".git/config.lock": "",
	})
	tests := []struct {
		rule, pattern string
		paths, scopes []string
	}{
		{
			"the default needs a dot in the name, and includes hidden files", "**/*.*",
			[]string{".env.txt", ".git/config.lock", "a.md", "docs/b.md", "docs/deep/er/d.md", "docs/img/c.png", "src/e.go"},
			[]string{"", ".git", "docs", "docs/deep", "docs/deep/er", "docs/img", "src"},
		},
		{"everything", "**", []string{
			".env.txt", ".git/config.lock", "Makefile", "a.md", "docs/b.md", "docs/deep/er/d.md", "docs/img/c.png", "src/e.go",
		}, []string{"", ".git", "docs", "docs/deep", "docs/deep/er", "docs/img", "src"}},
		{"folders that cannot match are not entered", "docs/*.md", []string{"docs/b.md"}, []string{"", "docs"}},
		{"one level", "*.md", []string{"a.md"}, []string{""}},
		{"nothing matches: an empty source, no error", "*.nothing", []string{}, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			docs, scopes, failed := readEach(t, opened(t, map[string]any{
				"directory": root, "pattern": tt.pattern, "id_path": pathRelative,
			}))
			slices.Sort(scopes)
			if diff := cmp.Diff(tt.paths, paths(t, docs)); diff != "" || len(failed) > 0 {
				t.Errorf("paths (-want +got), failed %v:\n%s", failed, diff)
			}
			if diff := cmp.Diff(tt.scopes, scopes); diff != "" {
				t.Errorf("scopes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEmptyFolder(t *testing.T) {
	t.Parallel()
	for _, format := range []string{formatFiles, formatDocuments} {
		docs, scopes, failed := readEach(t, opened(t, map[string]any{"directory": t.TempDir(), "format": format}))
		if len(docs) != 0 || len(failed) != 0 || !slices.Equal(scopes, []string{""}) {
			t.Errorf("%s: got %d documents, scopes %q, failed %v; want none, the root, none", format, len(docs), scopes, failed)
		}
	}
}

// The root may go away after it was found to be there.
func TestAMissingRootIsNotAnEmptySource(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "root")
	src := opened(t, map[string]any{"directory": write(t, root, map[string]string{"a.txt": "a"})})
	if err := src.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	for part, err := range src.Parts(t.Context()) {
		if !errors.Is(err, source.ErrConfig) || source.Hint(err) == "" {
			t.Errorf("got part %v, error %v; want ErrConfig with a hint", part, err)
		}
		return
	}
	t.Error("the list of parts ends without error")
}

func TestRootThatVanishesWhileItIsListed(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "root")
	src := opened(t, map[string]any{"directory": write(t, root, map[string]string{"sub/a.txt": "a"})})
	if err := src.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for part, err := range src.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if part.Scope() != "" {
			continue
		}
		if err := os.RemoveAll(root); err != nil {
			t.Fatal(err)
		}
		// A folder that is removed while it is open looks empty on some systems, where the guard
		// against empty sources is what is left; a document it must not give.
		for doc, err := range part.Documents(t.Context()) {
			if err == nil {
				t.Errorf("got the document %q", doc.ID)
			}
		}
	}
}

// A file or a folder that vanishes between listing and reading is left out; the rest is read.
func TestVanishing(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{"a/1.txt": "1", "b/2.txt": "2", "c/3.txt": "3", "c/4.txt": "4"})
	src := opened(t, map[string]any{"directory": root, "id_path": pathRelative})
	var got []document.Document
	for part, err := range src.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		switch part.Scope() {
		case "": // its folders are known now
			if err := os.RemoveAll(filepath.Join(root, "a")); err != nil {
				t.Fatal(err)
			}
		case "b": // known, not yet read
			if err := os.RemoveAll(filepath.Join(root, "b")); err != nil {
				t.Fatal(err)
			}
		case "c":
			if err := os.Remove(filepath.Join(root, "c", "3.txt")); err != nil {
				t.Fatal(err)
			}
		}
		for doc, err := range part.Documents(t.Context()) {
			if err != nil {
				t.Fatalf("part %q: %v", part.Name(), err)
			}
			got = append(got, doc)
		}
	}
	if diff := cmp.Diff([]string{"c/4.txt"}, paths(t, got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScopeOf(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	values := func(raw map[string]any) field.Values {
		v, err := field.Parse(Type.Fields, raw)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	absolute := values(map[string]any{"directory": root})
	relative := values(map[string]any{"directory": root, "id_path": pathRelative})
	documents := values(map[string]any{"directory": root, "format": formatDocuments})
	system := values(map[string]any{"directory": string(filepath.Separator)})
	tests := []struct {
		rule   string
		v      field.Values
		fields map[string]any
		want   string
		ok     bool
	}{
		{"absolute, in the root", absolute, map[string]any{"path": filepath.Join(root, "a.txt")}, "", true},
		{"absolute, below", absolute, map[string]any{"path": filepath.Join(root, "x", "y", "a.txt")}, "x/y", true},
		{"of another directory", absolute, map[string]any{"path": root + "2" + string(filepath.Separator) + "a.txt"}, "", false},
		{"relative where absolute is configured", absolute, map[string]any{"path": "x/a.txt"}, "", false},
		{"the root of the system", system, map[string]any{"path": filepath.Join(string(filepath.Separator), "x", "a")}, "x", true},
		{"relative, in the root", relative, map[string]any{"path": "a.txt"}, "", true},
		{"relative, below", relative, map[string]any{"path": "x/y/a.txt"}, "x/y", true},
		{"a record", documents, map[string]any{"source_file": "x/a.csv", "path": "/elsewhere"}, "x/a.csv", true},
		{"a file where records are configured", documents, map[string]any{"path": "x/a.csv"}, "", false},
		{"a record where files are configured", relative, map[string]any{"source_file": "x/a.csv"}, "", false},
		{"another program's document", relative, map[string]any{"path": 1.0}, "", false},
	}
	for _, tt := range tests {
		if got, ok := Type.ScopeOf(tt.v, tt.fields); got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %q, %t; want %q, %t", tt.rule, got, ok, tt.want, tt.ok)
		}
	}
}

// Contents are opened only through the root, and late.
func TestContentOfAFileThatWasReplaced(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{"a.txt": "a"})
	d := read(t, map[string]any{"directory": root})["a.txt"]
	if err := os.Remove(filepath.Join(root, "a.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "a.txt"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := openContent(t.Context(), d); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

func openContent(ctx context.Context, d document.Document) (string, error) {
	r, err := d.Content.Open(ctx)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), errors.Join(err, r.Close())
}

// A file that is larger than memory is its metadata; nothing of it is read here.
func TestLargeSparseFile(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{"a.txt": ""})
	if err := os.Truncate(filepath.Join(root, "a.txt"), 2<<30); err != nil {
		t.Skipf("this file system has no sparse files: %v", err)
	}
	if d := read(t, map[string]any{"directory": root})["a.txt"]; d.Content.Size != 2<<30 {
		t.Errorf("got the size %d, want 2 GiB", d.Content.Size)
	}
}

// More entries than are held at a time.
func TestFolderOfManyFiles(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 2*files.Piece + 7 {
		many[fmt.Sprintf("f/%05d.txt", i)] = ""
	}
	docs, _, failed := readEach(t, opened(t, map[string]any{"directory": write(t, t.TempDir(), many)}))
	if len(docs) != len(many) || len(failed) != 0 {
		t.Errorf("got %d documents, failed %v; want %d", len(docs), failed, len(many))
	}
}

func TestDeepTree(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{strings.Repeat("d/", 120) + "a.txt": "a"})
	docs, scopes, _ := readEach(t, opened(t, map[string]any{"directory": root}))
	if len(docs) != 1 || len(scopes) != 121 {
		t.Errorf("got %d documents in %d folders, want 1 in 121", len(docs), len(scopes))
	}
}

func BenchmarkFiles(b *testing.B) {
	root := b.TempDir()
	for i := range 2000 {
		if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("%04d.txt", i)), []byte("text"), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	v, err := field.Parse(Type.Fields, map[string]any{"directory": root})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		src, err := Type.Open(b.Context(), v, source.Env{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		for part, err := range src.Parts(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			for _, err := range part.Documents(b.Context()) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := src.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(2000*b.N)/b.Elapsed().Seconds(), "docs/s")
}

// The folder of the first example of the documentation can be read in both formats.
func TestDemoFolder(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "testdata", "docs")
	files := read(t, map[string]any{"directory": root, "id_path": pathRelative, "pattern": "**/*"})
	if len(files) < 12 {
		t.Errorf("got %d files, want a dozen", len(files))
	}
	for name, d := range files {
		if got, err := openContent(t.Context(), d); err != nil || int64(len(got)) != d.Content.Size || !utf8.ValidString(got) {
			t.Errorf("%s: got %d bytes, %v; want %d of UTF-8", name, len(got), err, d.Content.Size)
		}
	}
	docs, _, failed := readEach(t, opened(t, map[string]any{
		"directory": root, "format": formatDocuments, "pattern": "records/*",
	}))
	ids := map[string]bool{}
	for _, d := range docs {
		ids[d.ID] = true
	}
	if len(docs) != 16 || len(ids) != 16 || ids[""] || len(failed) > 0 {
		t.Errorf("got %d records with %d ids, failed %v; want 16", len(docs), len(ids), failed)
	}
}
