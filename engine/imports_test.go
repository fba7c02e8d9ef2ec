package engine_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/golden"
)

const module = "github.com/elastic-ingest/elastic-ingest"

// TestImportTable compares the imports of each package, our own and third-party ones, with the table in
// testdata/imports.txt. A new line there is a decision: see docs/architecture.md.
func TestImportTable(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var table []string
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		name := strings.TrimPrefix(strings.TrimPrefix(words[0], module), "/")
		if name == "" {
			name = "main"
		}
		table = append(table, name+": "+strings.Join(imports(words[1:]), " "))
	}
	slices.Sort(table)
	got := strings.Join(table, "\n") + "\n"
	golden.Compare(t, filepath.Join("testdata", "imports.txt"), got)
}

// imports are the imports beyond the standard library, our own without the module's name.
func imports(all []string) []string {
	var out []string
	for _, path := range all {
		if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
			continue
		}
		out = append(out, strings.TrimPrefix(path, module+"/"))
	}
	slices.Sort(out)
	return out
}

// TestNoFileIsTooLong keeps every file readable: at most 900 lines, except generated code.
func TestNoFileIsTooLong(t *testing.T) {
	t.Parallel()
	root := os.DirFS("..")
	files := []string{"main.go"}
	for _, dir := range []string{"commands", "engine", "sources", "testdata"} {
		err := walkGo(root, dir, func(path string) { files = append(files, path) })
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 50 {
		t.Fatalf("only %d files were found", len(files))
	}
	for _, path := range files {
		raw, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(raw, []byte("\n")); n > 900 {
			t.Errorf("%s has %d lines", path, n)
		}
	}
}

func walkGo(root fs.FS, dir string, found func(path string)) error {
	return fs.WalkDir(root, dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".go") {
			found(path)
		}
		return err
	})
}
