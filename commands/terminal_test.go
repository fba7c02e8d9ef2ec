package commands

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

// TestTerminal runs a sync of several connectors on terminals.
func TestTerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		width    int
		args     []string
		out, err string // expected texts
		no       string // in neither output
	}{
		{100, []string{"sync", "--all"}, "CONNECTOR  INDEX       CREATED", "", "one: scripted -> search-one"},
		{40, []string{"sync", "--all"}, "one: scripted -> search-one", "", "CONNECTOR"},
		{100, []string{"sync", "one"}, "one: scripted -> search-one", "", "level="},
		{100, []string{"sync", "--all", "-q"}, "", "", "CONNECTOR"},
		{100, []string{"diff", "one"}, "\x1b[32m+ search-one  1\x1b[0m\n", "", "level="},
		{100, []string{"diff", "one", "--log-level", "INFO"}, "+ search-one", "msg=\"reading the source\" connector=one", "CONNECTOR"},
	} {
		t.Run(strings.Join(tt.args, "_"), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`)
			writeFile(t, filepath.Join(dir, "c.yml"), `
elasticsearch.host: embedded:./data
connectors:
  - {name: one, service_type: scripted, index_name: search-one, configuration: {script: script.json}}
  - {name: two, service_type: scripted, index_name: search-two, configuration: {script: script.json}}
`)
			env := map[string]string{"ELASTIC_INGEST_STATE_DIR": filepath.Join(dir, "state")}
			streams, out, errs := term.TestStreams(tt.width, env)
			lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
			a := &setup.App{Streams: streams, Registry: testRegistry(), Env: config.Env{Lookup: lookup}, Now: stopped, OwnTime: true}
			code := Run(t.Context(), t.Context(), a, append(tt.args, "-c", filepath.Join(dir, "c.yml")))
			if code != ExitOK && code != ExitDiffers {
				t.Errorf("exit %d", code)
			}
			if !strings.Contains(out.String(), tt.out) || !strings.Contains(errs.String(), tt.err) || strings.Contains(out.String()+errs.String(), tt.no) {
				t.Errorf("stdout:\n%s\nstderr:\n%s", out, errs)
			}
		})
	}
}
