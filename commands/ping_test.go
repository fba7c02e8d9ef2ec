package commands

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

// pinged is a service that keeps what is reported to it.
type pinged struct {
	mu     sync.Mutex
	paths  []string
	bodies []string
	status int
}

func (p *pinged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paths, p.bodies = append(p.paths, r.URL.Path), append(p.bodies, string(body))
	if p.status > 0 {
		w.WriteHeader(p.status)
	}
}

const pingConfig = "elasticsearch.host: embedded:./data\nconnectors:\n" +
	"  - {name: notes, service_type: scripted, index_name: search-notes, configuration: {script: script.json, password: hunter2}}\n"

// runPinged runs a command line in a folder with a configuration and a script, and returns what was reported.
func runPinged(t *testing.T, service *pinged, conf, script string, env map[string]string, now func() time.Time, args ...string) (code int, url, stderr string) {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yml")
	writeFile(t, file, strings.ReplaceAll(conf, "%URL", server.URL+"/token"))
	writeFile(t, filepath.Join(dir, "script.json"), script)
	lookup := func(name string) (string, bool) {
		value, ok := env[name]
		if name == "ELASTIC_INGEST_STATE_DIR" {
			return filepath.Join(dir, "state"), true
		}
		return strings.ReplaceAll(value, "%URL", server.URL+"/token"), ok
	}
	streams, _, errs := term.TestStreams(0, env)
	a := &setup.App{Streams: streams, Registry: testRegistry(), Env: config.Env{Lookup: lookup}, Now: now, OwnTime: true}
	args = slices.Clone(args)
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "%URL", server.URL+"/token")
	}
	code = Run(t.Context(), t.Context(), a, append(args, "-c", file))
	return code, server.URL, errs.String()
}

// TestEachEndOfARunIsReported with its exit code, and with what the mail would say; no secret is in it.
func TestEachEndOfARunIsReported(t *testing.T) {
	t.Parallel()
	const fine = `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`
	sync := []string{"sync", "-q", "--ping-url", "%URL"}
	for name, tt := range map[string]struct {
		conf, script string
		env          map[string]string
		args         []string
		want         []string // the paths
		says         string
	}{
		"done":               {pingConfig, fine, nil, sync, []string{"/token/start", "/token"}, "notes: scripted -> search-notes at embedded:"},
		"incomplete":         {pingConfig, `{"parts": [{"scope": "a", "documents": [], "fail": "failure: a\u001b[31m broken page"}]}`, nil, sync, []string{"/token/start", "/token/3"}, "broken page"},
		"unreachable":        {pingConfig, `{"ping": "unreachable: no route"}`, nil, sync, []string{"/token/start", "/token/5"}, "hint: do something about unreachable"},
		"crashed source":     {pingConfig, `{"ping": "panic: oh"}`, nil, sync, []string{"/token/start", "/token/70"}, "oh"},
		"wrong file":         {"elasticsearch: {hots: x}", fine, nil, sync, []string{"/token/start", "/token/2"}, "elasticsearch.hots"},
		"from the variable":  {pingConfig, fine, map[string]string{"ELASTIC_INGEST_PING_URL": "%URL"}, []string{"sync", "-q"}, []string{"/token/start", "/token"}, ""},
		"from the file":      {pingConfig + "service.ping_url: %URL\n", fine, nil, []string{"sync", "-q"}, []string{"/token/start", "/token"}, ""},
		"the flag wins":      {pingConfig + "service.ping_url: http://127.0.0.1:1/\n", fine, map[string]string{"ELASTIC_INGEST_PING_URL": "http://127.0.0.1:1/"}, sync, []string{"/token/start", "/token"}, ""},
		"a diff reports not": {pingConfig + "service.ping_url: %URL\n", fine, nil, []string{"diff", "--exit-zero"}, nil, ""},
		"nor a dry run":      {pingConfig + "service.ping_url: %URL\n", fine, nil, []string{"sync", "--dry-run"}, nil, ""},
		"a poll":             {pingConfig, fine, nil, []string{"poll", "--once", "-q", "--ping-url", "%URL"}, []string{"/token/start", "/token/2"}, "has a connector_id; poll serves only those"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := &pinged{}
			_, url, stderr := runPinged(t, service, tt.conf, tt.script, tt.env, stopped, tt.args...)
			if d := cmp.Diff(tt.want, service.paths); d != "" {
				t.Fatalf("-want +got:\n%s\n%s", d, stderr)
			}
			if len(tt.want) > 0 {
				if body := service.bodies[1]; !strings.Contains(body, tt.says) || strings.ContainsAny(body, "\x1b") || strings.Contains(body, "hunter2") {
					t.Errorf("the body is %q, want %q", body, tt.says)
				}
			}
			if strings.Contains(stderr, "token") || strings.Contains(stderr, url) {
				t.Errorf("stderr contains the address: %s", stderr)
			}
		})
	}
}

// TestACrashIsReported even if it happens between the steps of a run.
func TestACrashIsReported(t *testing.T) {
	t.Parallel()
	asked := 0
	crashes := func() time.Time {
		if asked++; asked > 2 {
			panic("the clock stopped")
		}
		return stopped()
	}
	service := &pinged{}
	code, _, _ := runPinged(t, service, pingConfig, `{"parts": []}`, nil, crashes, "sync", "--ping-url", "%URL")
	if d := cmp.Diff([]string{"/token/start", "/token/70"}, service.paths); code != ExitCrash || d != "" {
		t.Errorf("exit %d, -want +got:\n%s", code, d)
	}
}

// TestAPingThatFailsChangesNothing but a line on stderr.
func TestAPingThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	const fine = `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`
	for name, tt := range map[string]struct {
		url   string
		quiet bool
		says  string
	}{
		"refused":        {url: "%URL", says: "elastic-ingest: warning: cannot report the run to 127.0.0.1:"},
		"refused, quiet": {url: "%URL", quiet: true},
		"wrong":          {url: "token", quiet: true, says: "elastic-ingest: warning: the ping URL is not an http:// or https:// address; the run is not reported\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"sync", "--ping-url", tt.url}
			if tt.quiet {
				args = append(args, "-q")
			}
			code, _, stderr := runPinged(t, &pinged{status: http.StatusNotFound}, pingConfig, fine, nil, stopped, args...)
			if code != ExitOK || !strings.HasPrefix(stderr, tt.says) || tt.says == "" && stderr != "" || strings.Contains(stderr, "/token") || strings.Count(stderr, "\n") > 1 {
				t.Errorf("exit %d: %s", code, stderr)
			}
		})
	}
}

// TestASignalIsReported: the run ends in order, and reports that.
func TestASignalIsReported(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	service := &pinged{}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	c, stderr, wait := blockedRun(t, t.TempDir(), "embedded:./data", "notes", "--ping-url", server.URL+"/token")
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := wait(); got != ExitTerminated {
		t.Errorf("exit %d: %s", got, stderr)
	}
	if d := cmp.Diff([]string{"/token/start", "/token/143"}, service.paths); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestWhatCannotBeReportedIsRefused: a poll without an end, and a run that is only a look.
func TestWhatCannotBeReportedIsRefused(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"poll --ping-url %URL", "sync --dry-run --ping-url %URL"} {
		service := &pinged{}
		code, _, stderr := runPinged(t, service, pingConfig, `{"parts": []}`, nil, stopped, strings.Fields(line)...)
		if code != ExitUsage || len(service.paths) > 0 || strings.Contains(stderr, "token") {
			t.Errorf("%s: exit %d, %v: %s", line, code, service.paths, stderr)
		}
	}
}
