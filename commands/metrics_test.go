package commands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMetricsOfRuns: the file has the values of each run, keeps the last success, and its problems change no exit
// code.
func TestMetricsOfRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "ei.prom")
	const (
		fine   = `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`
		labels = `{connector="notes",index="search-notes",source_type="scripted"} `
		now    = "1893553445"
	)
	for _, tt := range []struct {
		name, conf, script string
		code               int
		want               []string
	}{
		{"done", pingConfig, fine, ExitOK, []string{
			"last_run_documents_created" + labels + "1", "last_success_timestamp_seconds" + labels + now, "last_run_exit_code" + labels + "0", "command_exit_code 0",
		}},
		{"unreachable", pingConfig, `{"ping": "unreachable: no route"}`, ExitTemporary, []string{
			"last_run_documents_created" + labels + "0", "last_success_timestamp_seconds" + labels + now, "last_run_exit_code" + labels + "5", "command_exit_code 5",
		}},
		{"wrong file", "elasticsearch: {hots: x}", fine, ExitUsage, []string{
			"last_success_timestamp_seconds" + labels + now, "last_run_exit_code" + labels + "5", "command_exit_code 2",
		}},
	} {
		code, _, stderr := runPinged(t, &pinged{}, tt.conf, tt.script, nil, stopped, "sync", "-q", "--metrics-textfile", file)
		if code != tt.code || strings.Contains(stderr, "metrics") {
			t.Errorf("%s: exit %d: %s", tt.name, code, stderr)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.want {
			if !strings.Contains(string(got), "\nelastic_ingest_"+want+"\n") {
				t.Errorf("%s: no %s in\n%s", tt.name, want, got)
			}
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o444 != 0o444 {
			t.Errorf("%s: the collector cannot read it: %v, %v", tt.name, info.Mode(), err)
		}
	}
	code, _, stderr := runPinged(t, &pinged{}, pingConfig, fine, nil, stopped, "sync", "-q", "--metrics-textfile", filepath.Join(dir, "none", "ei.prom"))
	if code != ExitOK || !strings.HasPrefix(stderr, "elastic-ingest: warning: --metrics-textfile: ") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("a missing folder: exit %d: %s", code, stderr)
	}
	if code, _, _ := runPinged(t, &pinged{}, pingConfig, fine, nil, stopped, "poll", "--metrics-textfile", file); code != ExitUsage {
		t.Errorf("a poll without an end: exit %d", code)
	}
	if code, _, stderr := runPinged(t, &pinged{}, pingConfig, fine, nil, stopped, "sync", "--metrics-textfile", "metrics.txt"); code != ExitUsage || !strings.Contains(stderr, "does not end with .prom") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if code, _, _ := runPinged(t, &pinged{}, pingConfig, fine, nil, stopped, "sync", "--dry-run", "--metrics-textfile", file); code != ExitUsage {
		t.Errorf("a dry run: exit %d", code)
	}
}

// TestMetricsOfAPoll: a job has the labels of its index; a check of a connector that fails is no run, and leaves the
// values of its last job.
func TestMetricsOfAPoll(t *testing.T) {
	t.Parallel()
	p := newCrontabbed(t)
	file := filepath.Join(p.dir, "ei.prom")
	poll := func(code int) string {
		t.Helper()
		if got, stderr := p.run("poll", "--once", "-q", "--metrics-textfile", file); got != code {
			t.Fatalf("exit %d: %s", got, stderr)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const labels = `{connector="shop",index="search-kibana",source_type="scripted"} `
	p.must("job", "start", "kibana", "-q")
	if text := poll(ExitOK); !strings.Contains(text, "last_run_documents_created"+labels+"1\n") {
		t.Errorf("after a job:\n%s", text)
	}
	p.script(`{"ping": "auth: wrong password"}`)
	text := poll(ExitAuth)
	if strings.Count(text, "exit_code{") != 1 || !strings.Contains(text, "last_run_exit_code"+labels+"0\n") || !strings.Contains(text, "command_exit_code 6\n") {
		t.Errorf("after a check that failed:\n%s", text)
	}
}
