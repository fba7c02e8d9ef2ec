package commands

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// likeBuiltIn is the scripted type without what no built-in source has.
func likeBuiltIn() source.Type {
	t := scripted
	t.AccessControl = false
	return t
}

// crontabLine is the five fields of cron and the command.
var crontabLine = regexp.MustCompile(`^((?:(?:\*|\d+)(?:/\d+)?\s+){5})(elastic-ingest .*)$`)

// pageLine is a line of docs/crontab.md that can be run.
type pageLine struct {
	command string
	cron    bool
	silent  bool // its output is discarded
}

// pageLines are the lines in the blocks of the page, in order.
func pageLines(t *testing.T) (out []pageLine) {
	t.Helper()
	text, err := os.ReadFile("../docs/crontab.md")
	if err != nil {
		t.Fatal(err)
	}
	block := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			block = strings.TrimPrefix(line, "```")
		case block == "crontab" && strings.Contains(line, "elastic-ingest "):
			m := crontabLine.FindStringSubmatch(line)
			if m == nil {
				t.Errorf("not a crontab line: %s", line)
				continue
			}
			command, silent := strings.CutSuffix(m[2], " >/dev/null")
			out = append(out, pageLine{command, true, silent})
		case block == "sh":
			out = append(out, pageLine{command: line})
		}
	}
	return out
}

// TestCrontabPage runs the lines of docs/crontab.md in the order of the page.
func TestCrontabPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "elastic-ingest", "config.yml")
	entry := "elasticsearch.host: embedded:./data\nconnectors:\n  - {%IDname: shop, service_type: scripted, index_name: search-shop, configuration: {script: script.json}}\n"
	writeFile(t, file, strings.Replace(entry, "%ID", "", 1))
	writeFile(t, filepath.Join(dir, "elastic-ingest", "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}, {"id": "2"}]}]}`)
	env := map[string]string{"XDG_CONFIG_HOME": dir, "ELASTIC_INGEST_STATE_DIR": filepath.Join(dir, "state")}
	crons := 0
	for _, line := range pageLines(t) {
		s, out, errs := term.TestStreams(0, env)
		a := &setup.App{
			Streams: s, Registry: source.MustRegistry(likeBuiltIn()), Now: stopped, OwnTime: true,
			Env: config.Env{Lookup: func(name string) (string, bool) { value, ok := env[name]; return value, ok }},
		}
		code := Run(t.Context(), t.Context(), a, shellWords(t, line.command)[1:])
		if code != ExitOK {
			t.Errorf("%s: exit %d\n%s", line.command, code, errs)
		}
		if line.cron {
			crons++
			if !line.silent && out.Len() > 0 || errs.Len() > 0 {
				t.Errorf("%s: cron would mail %q and %q", line.command, out, errs)
			}
		}
		if id := bytes.TrimSpace(out.Bytes()); strings.Contains(line.command, "connector create") {
			writeFile(t, file, strings.Replace(entry, "%ID", "connector_id: "+string(id)+", ", 1))
		}
	}
	if crons != 5 {
		t.Errorf("%d lines of a crontab were found, want 5", crons)
	}
	for index, want := range map[string]int{"search-shop": 2, ".elastic-connectors-sync-jobs": 2} {
		docs, err := held(filepath.Join(dir, "elastic-ingest", "data"), index)
		if err != nil || len(docs) != want {
			t.Errorf("index %s holds %q (%v), want %d documents", index, docs, err, want)
		}
	}
}
