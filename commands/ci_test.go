package commands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

// blocksOf are the blocks of code of a page, by language.
func blocksOf(t *testing.T, page string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for i, part := range strings.Split(string(text), "```") {
		if i%2 == 1 {
			language, code, _ := strings.Cut(part, "\n")
			blocks[language] = append(blocks[language], code)
		}
	}
	return blocks
}

// TestCIPage runs the fixtures of docs/ci.md: the configuration and the commands, as printed.
func TestCIPage(t *testing.T) {
	t.Parallel()
	blocks := blocksOf(t, "../docs/ci.md")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"fixtures.yml":                   blocks["yaml"][0],
		"fixtures/products/tools.ndjson": "{\"sku\": \"a1\", \"name\": \"hammer\"}\n{\"sku\": \"a2\", \"name\": \"nail\"}\n",
		"fixtures/customers.csv":         "number,name\n7,Ann\n8,Bob\n",
		"fixtures/orders.json":           `[{"year": 2030, "number": 1, "sku": "a1"}, {"year": 2031, "number": 1, "sku": "a2"}]`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, name), text)
	}
	env := map[string]string{"ELASTIC_INGEST_STATE_DIR": filepath.Join(dir, "state")}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	var all strings.Builder
	for line := range strings.Lines(strings.Join(blocks["sh"], "")) {
		args := strings.Fields(strings.ReplaceAll(line, "fixtures.yml", filepath.Join(dir, "fixtures.yml")))
		streams, out, errs := term.TestStreams(0, env)
		a := &setup.App{Streams: streams, Registry: testRegistry(), Env: config.Env{Lookup: lookup}, Now: stopped, OwnTime: true}
		if code := Run(t.Context(), t.Context(), a, args[1:]); code != ExitOK {
			t.Errorf("%s: exit %d\n%s%s", line, code, out, errs)
		}
		all.WriteString(out.String())
	}
	for _, want := range []string{
		"products: dir -> products at embedded:", "customers: 0 to create, 0 to update, 0 to delete, 2 unchanged", `"name":"nail"`,
		`{"schema":1,"kind":"document","index":"orders","id":`, `"year":2031`, "dir/orders",
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no %q in\n%s", want, all.String())
		}
	}
}
