package commands

import (
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
)

// pollUntilBlocked starts a poll of a connector on a server whose source waits for the end of the run, and
// returns once it waits.
func pollUntilBlocked(t *testing.T, dir, host string, args ...string) (wait func() int, end func()) {
	t.Helper()
	writeFile(t, filepath.Join(dir, "config.yml"), `
elasticsearch: {host: "`+host+`", feature_use_connectors_api: false}
service.idling: 1
connectors:
  - {connector_id: kibana, service_type: scripted}
`)
	writeFile(t, filepath.Join(dir, "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}], "block": true}]}`)
	for _, line := range [][]string{
		{"connector", "create", "--service-type", "scripted", "--index-name", "search-kibana", "--id", "kibana"},
		{"connector", "configure", "kibana", "--set", "script=script.json"},
		{"job", "start", "kibana"},
	} {
		if out, err := programIn(t, dir, line...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	c := programIn(t, dir, args...)
	_, wait = startedUntil(t, c, "says=blocked")
	return wait, func() {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
}

// listedSyncJob is a sync job in the output of list.
type listedSyncJob struct{ ID, Status string }

// newest is the newest sync job in the output of list.
func newest(t *testing.T, dir string) (job listedSyncJob) {
	t.Helper()
	out, err := programIn(t, dir, "job", "list", "--limit", "1", "-o", "ndjson").Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := json.Unmarshal(out, &job); err != nil {
		t.Fatal(err)
	}
	return job
}

// TestACanceledJobEndsWithinSeconds: the program that runs the job notices the cancellation.
func TestACanceledJobEndsWithinSeconds(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(storeInMemory(t))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	wait, _ := pollUntilBlocked(t, dir, server.URL, "poll", "--once")
	id := newest(t, dir).ID
	c := programIn(t, dir, "connector", "delete", "kibana", "--yes")
	if code, out := exitOf(c); code != ExitLocked {
		t.Errorf("a connector was deleted while its job runs: exit %d\n%s", code, out)
	}
	out, err := programIn(t, dir, "job", "cancel", id).Output()
	if err != nil || !strings.Contains(string(out), "is canceling") {
		t.Errorf("%v: %s", err, out)
	}
	if code := wait(); code != ExitOK {
		t.Errorf("the poll ended with %d", code)
	}
	if job := newest(t, dir); job.ID != id || job.Status != "canceled" {
		t.Errorf("job %+v", job)
	}
}

// TestANamedSyncWaitsForTheRunningJob: with --lock-wait; without it, the message says where the job is running.
func TestANamedSyncWaitsForTheRunningJob(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	server := httptest.NewServer(storeInMemory(t))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	wait, end := pollUntilBlocked(t, dir, server.URL, "poll", "--once")
	writeFile(t, filepath.Join(dir, "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}, {"id": "2"}]}]}`)
	c := programIn(t, dir, "sync", "kibana")
	if code, out := exitOf(c); code != ExitLocked || !strings.Contains(out, "already syncing: sync job") || !strings.Contains(out, " is running on ") {
		t.Errorf("exit %d\n%s", code, out)
	}
	_, waits := startedUntil(t, programIn(t, dir, "sync", "kibana", "--lock-wait", "1h"), "waiting for another run")
	end()
	if code := wait(); code != ExitTerminated {
		t.Errorf("the poll ended with %d", code)
	}
	if code := waits(); code != ExitOK {
		t.Errorf("exit %d", code)
	}
	if job := newest(t, dir); job.Status != "completed" {
		t.Errorf("job %+v", job)
	}
}

// TestActionPollStays: as in Elastic's connector service, --action poll polls until a signal ends it; its job
// is then suspended.
func TestActionPollStays(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	server := httptest.NewServer(storeInMemory(t))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	wait, end := pollUntilBlocked(t, dir, server.URL, "--action", "poll", "-c", "config.yml")
	end()
	if code := wait(); code != ExitTerminated {
		t.Errorf("exit %d, want %d", code, ExitTerminated)
	}
	if job := newest(t, dir); job.Status != "suspended" {
		t.Errorf("job %+v", job)
	}
}

// TestDeleteAsksOnATerminal: only yes deletes.
func TestDeleteAsksOnATerminal(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]int{"": ExitUsage, "no": ExitUsage, "yess": ExitUsage, "y": ExitOK, "YES": ExitOK} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "config.yml"), "elasticsearch.host: embedded:./data\n")
		putConnector(t, filepath.Join(dir, "data"), "kibana", `{"index_name": "search-kibana"}`)
		s, out, errs := term.TestStreams(80, nil)
		s.In, s.InTTY = strings.NewReader(answer+"\n"), true
		a := &setup.App{Streams: s, Registry: testRegistry(), Now: stopped, OwnTime: true}
		got := Run(t.Context(), t.Context(), a, []string{"connector", "delete", "kibana", "-c", filepath.Join(dir, "config.yml")})
		if got != want || !strings.Contains(errs.String(), `delete 1 connector: "kibana" (index "search-kibana") and all their sync jobs? The indices and their documents stay. [y/N] `) {
			t.Errorf("%q: exit %d, want %d; stderr %q", answer, got, want, errs)
		}
		if deleted := strings.Contains(out.String(), "deleted connector kibana"); deleted != (want == ExitOK) {
			t.Errorf("%q: stdout %q", answer, out)
		}
	}
}

// TestAQuestionEndsWithTheRun: after Ctrl-C no answer is needed.
func TestAQuestionEndsWithTheRun(t *testing.T) {
	t.Parallel()
	read, write := io.Pipe()
	t.Cleanup(func() { _ = write.Close() })
	s, _, _ := term.TestStreams(80, nil)
	s.In = read
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&term.SignalError{Signal: syscall.SIGTERM})
	if yes, err := s.Ask(ctx, "sure?"); yes || ExitCode(Mode{}, err) != ExitTerminated {
		t.Errorf("%v, %v", yes, err)
	}
}
