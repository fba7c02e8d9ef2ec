package dir

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Files that the program itself writes are not read, wherever they are; their neighbors are.
func TestOwnFilesAreLeftOut(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{
		"a.txt": "", "data/store.txt": "", "data2/b.txt": "", "sub/state/lock.txt": "", "sub/c.txt": "", "dead.ndjson": "",
	})
	v, err := field.Parse(Type.Fields, map[string]any{"directory": root, "id_path": pathRelative})
	if err != nil {
		t.Fatal(err)
	}
	src, err := Type.Open(t.Context(), v, source.Env{Log: slog.New(slog.DiscardHandler), Own: []string{
		filepath.Join(root, "data"), filepath.Join(root, "sub", "state"), filepath.Join(root, "dead.ndjson"),
		filepath.Join(root, "not", "yet", "there"), t.TempDir(), root, filepath.Dir(root),
	}})
	if err != nil {
		t.Fatal(err)
	}
	docs, _, failed := readEach(t, src)
	if diff := cmp.Diff([]string{"a.txt", "data2/b.txt", "sub/c.txt"}, paths(t, docs)); diff != "" || len(failed) > 0 {
		t.Errorf("(-want +got), failed %v:\n%s", failed, diff)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
}

// A pattern that matches nothing is reported, once by a warning, and by an error where that is asked for.
func TestPatternThatMatchesNothing(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{"a.txt": "", "sub/b.md": ""})
	tests := []struct {
		pattern, format string
		nothing         bool
	}{
		{"**/*.md", formatFiles, false},
		{"*.txt", formatFiles, false},
		{"**/*.jsonl", formatFiles, true},
		{"sub", formatFiles, true},
		{"**/*.md", formatDocuments, true},
	}
	for _, tt := range tests {
		var log bytes.Buffer
		src := openedLog(t, map[string]any{"directory": root, "pattern": tt.pattern, "format": tt.format}, &log)
		err := src.(source.Selective).Selects(t.Context())
		if (err != nil) != tt.nothing || (tt.nothing && (!errors.Is(err, source.ErrConfig) || source.Hint(err) == "")) {
			t.Errorf("%s %s: Selects gives %v", tt.format, tt.pattern, err)
		}
		if log.Len() > 0 {
			t.Errorf("%s %s: Selects logs %s", tt.format, tt.pattern, &log)
		}
		readEach(t, src)
		if warned := bytes.Contains(log.Bytes(), []byte("matches the pattern")); warned != tt.nothing {
			t.Errorf("%s %s: the log says %q", tt.format, tt.pattern, &log)
		}
	}
}
