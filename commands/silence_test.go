package commands

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

// crontabbed is a connector of an embedded destination that a crontab polls.
type crontabbed struct {
	t   *testing.T
	dir string
	now time.Time
}

func newCrontabbed(t *testing.T) *crontabbed {
	t.Helper()
	p := &crontabbed{t, t.TempDir(), stopped()}
	writeFile(t, filepath.Join(p.dir, "config.yml"), "elasticsearch.host: embedded:./data\nconnectors:\n  - {connector_id: kibana, service_type: scripted}\n")
	p.script(`{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`)
	p.must("connector", "create", "--service-type", "scripted", "--index-name", "search-kibana", "--id", "kibana", "--name", "shop")
	p.must("connector", "configure", "kibana", "--set", "script="+filepath.Join(p.dir, "script.json"))
	return p
}

func (p *crontabbed) script(text string) { writeFile(p.t, filepath.Join(p.dir, "script.json"), text) }

func (p *crontabbed) run(args ...string) (code int, stderr string) {
	p.t.Helper()
	streams, _, errs := term.TestStreams(0, nil)
	lookup := func(name string) (string, bool) {
		if name != "ELASTIC_INGEST_STATE_DIR" {
			return "", false
		}
		return filepath.Join(p.dir, "state"), true
	}
	a := &setup.App{Streams: streams, Registry: testRegistry(), Env: config.Env{Lookup: lookup}, Now: func() time.Time { return p.now }, OwnTime: true}
	code = Run(p.t.Context(), p.t.Context(), a, append(args, "-c", filepath.Join(p.dir, "config.yml")))
	return code, errs.String()
}

func (p *crontabbed) must(args ...string) {
	p.t.Helper()
	if code, stderr := p.run(args...); code != ExitOK {
		p.t.Fatalf("%q: exit %d: %s", args, code, stderr)
	}
}

// polls polls once and expects an exit code, and on stderr nothing or one of each text.
func (p *crontabbed) polls(after time.Duration, code int, want ...string) {
	p.t.Helper()
	p.now = p.now.Add(after)
	got, stderr := p.run("poll", "--once", "-q")
	if got != code || len(want) == 0 && stderr != "" {
		p.t.Fatalf("exit %d, want %d: %s", got, code, stderr)
	}
	for _, text := range want {
		if strings.Count(stderr, text) != 1 {
			p.t.Fatalf("want one %q in %s", text, stderr)
		}
	}
}

// TestAnUnchangedFailureIsReportedOnceADay, also if a job fails for the same reason as the check of its connector;
// that it is over is reported once.
func TestAnUnchangedFailureIsReportedOnceADay(t *testing.T) {
	t.Parallel()
	p := newCrontabbed(t)
	const again = `elastic-ingest: scripted "kibana": works again after `
	p.must("job", "start", "kibana", "-q")
	p.polls(0, ExitOK)
	p.script(`{"ping": "unreachable: no route to 10.0.0.1"}`)
	p.must("job", "start", "kibana", "-q")
	p.polls(time.Minute, ExitTemporary, "no route to 10.0.0.1", "hint: ")
	for i := range 3 {
		p.script(fmt.Sprintf(`{"ping": "unreachable: no route to 10.0.0.%d"}`, i)) // only a number differs
		p.polls(time.Minute, ExitTemporary)
	}
	p.script(`{"ping": "unreachable: connection refused"}`)
	p.polls(time.Minute, ExitTemporary, "connection refused")
	p.script(`{"ping": "unreachable: no route to 10.0.0.1"}`)
	p.polls(time.Minute, ExitTemporary) // the first one again
	p.polls(24*time.Hour, ExitTemporary, "no route to 10.0.0.1")
	p.polls(time.Minute, ExitTemporary)
	p.script(`{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`)
	p.polls(time.Minute, ExitOK) // a sync had failed, and no sync has worked yet
	p.must("job", "start", "kibana", "-q")
	p.polls(time.Minute, ExitOK, strings.Replace(again, "kibana", "shop", 1)+"24 h 08 min")
	p.must("job", "start", "kibana", "-q")
	p.polls(time.Minute, ExitOK)
}

// TestACheckThatWorksAgainIsReported without a sync, if no sync has failed.
func TestACheckThatWorksAgainIsReported(t *testing.T) {
	t.Parallel()
	p := newCrontabbed(t)
	p.script(`{"ping": "auth: wrong password"}`)
	p.polls(0, ExitAuth, "wrong password", "hint: ")
	p.polls(time.Minute, ExitAuth)
	p.script(`{"parts": []}`)
	p.polls(time.Hour, ExitOK, "works again after 1 h 01 min")
	p.polls(time.Minute, ExitOK)
	p.script(`{"ping": "auth: wrong password"}`)
	p.polls(time.Minute, ExitAuth, "wrong password")
}

// TestAFailureOfThePollIsReportedOnceADay: it concerns all connectors.
func TestAFailureOfThePollIsReportedOnceADay(t *testing.T) {
	t.Parallel()
	p := newCrontabbed(t)
	file := filepath.Join(p.dir, "config.yml")
	right, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, "elasticsearch.host: embedded:./data\nconnectors:\n  - {name: x, service_type: scripted, index_name: x, configuration: {script: s}}\n")
	p.polls(0, ExitUsage, "has a connector_id; poll serves only those")
	p.polls(time.Minute, ExitUsage)
	writeFile(t, file, string(right))
	p.polls(time.Minute, ExitOK, "elastic-ingest: the poll: works again after 2 min 00 s")
	p.polls(time.Minute, ExitOK)
}

// TestWithoutAStateFolderEachFailureIsReported: so it is with a log for a reader.
func TestWithoutAStateFolderEachFailureIsReported(t *testing.T) {
	t.Parallel()
	p := newCrontabbed(t)
	p.script(`{"ping": "auth: wrong password"}`)
	writeFile(t, filepath.Join(p.dir, "state", "trouble"), "a file in place of the folder")
	for range 3 {
		p.polls(time.Minute, ExitAuth, "wrong password")
	}
	if err := os.Remove(filepath.Join(p.dir, "state", "trouble")); err != nil {
		t.Fatal(err)
	}
	p.polls(time.Minute, ExitAuth, "wrong password")
	files, err := filepath.Glob(filepath.Join(p.dir, "state", "trouble", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	for _, text := range []string{"", "{", `{"of":"kibana","kept":{"said":7}}`, `{"of":"other","kept":{}}`, `{"of":"kibana","kept":{"since":"2130-01-01T00:00:00Z"}}`} {
		writeFile(t, files[0], text)
		p.polls(time.Minute, ExitAuth, "wrong password")
	}
	for _, flag := range []string{"--debug", "--log-level=INFO"} {
		for range 2 {
			if _, stderr := p.run("poll", "--once", "-q", flag); !strings.Contains(stderr, "wrong password") {
				t.Errorf("%s: %s", flag, stderr)
			}
		}
	}
	for range 2 {
		if _, stderr := p.run("poll", "--once"); !strings.Contains(stderr, "wrong password") {
			t.Errorf("without -q: %s", stderr)
		}
	}
}
