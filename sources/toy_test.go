package sources_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/testdata/toy"
)

const config = `
elasticsearch: {host: "embedded:./data"}
connectors:
  - {name: toy, service_type: toy, index_name: search-toy, configuration: {words: [one, two, three]}}
`

// TestAddingASource builds the program with one more source, by nothing but its folder, an import and
// an entry in the list, and mirrors from it.
func TestAddingASource(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("sources.go")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(list), "import (\n", "import (\n\t\"github.com/elastic-ingest/elastic-ingest/sources/toy\"\n", 1)
	text = strings.Replace(text, "MustRegistry(", "MustRegistry(toy.Type, ", 1)

	dir := t.TempDir()
	changed := filepath.Join(dir, "sources.go")
	write(t, changed, text)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(root, "sources", "sources.go"):    changed,
		filepath.Join(root, "sources", "toy", "toy.go"): filepath.Join(root, "testdata", "toy", "toy.go"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), string(overlay))
	program := filepath.Join(dir, "elastic-ingest")
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, root)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	write(t, filepath.Join(dir, "config.yml"), config)
	for _, step := range []struct{ command, want string }{
		{"sync", `"created":3`},
		{"diff", `"kept":3`},
	} {
		cmd := exec.CommandContext(t.Context(), program, step.command, "-c", filepath.Join(dir, "config.yml"), "-o", "json")
		cmd.Env = append(os.Environ(), "ELASTIC_INGEST_STATE_DIR="+filepath.Join(dir, "state"))
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), step.want) {
			t.Fatalf("%s: %v, want %s in\n%s", step.command, err, step.want, out)
		}
	}
}

// TestTheToyKeepsTheContract: who copies it begins with a source that does.
func TestTheToyKeepsTheContract(t *testing.T) {
	sourcetest.Run(t, sourcetest.Config{
		Type:          toy.Type,
		Values:        func(*testing.T) map[string]any { return map[string]any{"words": []any{"one", "two", "three"}} },
		Broken:        map[string]sourcetest.Broken{"twice": {Values: map[string]any{"words": "a,b,a"}, Kind: source.ErrConfig}},
		NoFailingPart: "the words are in memory",
		NoContent:     "a word is all fields",
		NoLoss:        "the words are in memory",
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
