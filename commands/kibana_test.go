package commands

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/kibanatest"
)

// These tests check how Kibana and polls of the program change the records, as stories in
// kibana_story_test.go. After each step every field of the connector, and of each new or changed job, is
// compared with a file in testdata/kibana; so an unexpected change of a job is found, too.

// stage is the setting of a story: a destination, a Kibana, a program that polls from time to time, and a
// clock that only the story moves.
type stage struct {
	t      *testing.T
	story  string // prefix of the file names
	source string // service type
	dir    string
	host   string  // of the configuration
	folder *folder // nil for a real server
	kibana *kibanatest.Kibana
	clock  time.Time

	connector, index string
	gone             bool              // the connector has no record any longer
	hides            []string          // values of this run alone, and their replacements in the files
	compared         map[string]string // jobs as last compared
}

// folder is an embedded destination as a transport. Only one program can have it open: before our program
// polls, Kibana closes it.
type folder struct {
	dir    string
	server *embedded.Server
}

// open opens the folder for Kibana.
func (f *folder) open() (*embedded.Server, error) {
	var err error
	if f.server == nil {
		f.server, err = embedded.Open(embedded.Options{Dir: f.dir})
	}
	return f.server, err
}

// RoundTrip implements [http.RoundTripper].
func (f *folder) RoundTrip(r *http.Request) (*http.Response, error) {
	server, err := f.open()
	if err != nil {
		return nil, err
	}
	return server.Transport().RoundTrip(r)
}

func (f *folder) close() (err error) {
	if f != nil && f.server != nil {
		err = f.server.Close()
		f.server = nil
	}
	return err
}

// stages runs a story on the embedded destination and on every Elasticsearch.
func stages(t *testing.T, story, source string, run func(*stage)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		f := &folder{dir: filepath.Join(t.TempDir(), "data")}
		t.Cleanup(func() { _ = f.close() })
		s := newStage(t, story, source, "embedded:"+f.dir, "http://embedded", f)
		s.folder = f
		run(s)
	})
	elastictest.Servers(t, func(t *testing.T, server string) {
		elastictest.Alone(t, server)
		s := newStage(t, story, source, withoutPipelines(t, server), server, http.DefaultTransport)
		if strings.HasPrefix(s.kibana.Version(), "8.") { // the files have the default pipeline of version 9
			s.hides = append(s.hides, pipelineOf8, pipelineOf9, pipelineOf9, pipelineOf8)
		}
		run(s)
	})
}

// The default pipelines of connectors, which Elasticsearch installs where it has all its modules.
const (
	pipelineOf8 = "ent-search-generic-ingestion"
	pipelineOf9 = "search-default-ingestion"
)

// withoutPipelines returns the address of a proxy in front of a server that hides the server's default
// pipelines, as the embedded destination has none. With them, other documents would be unchanged.
func withoutPipelines(t *testing.T, server string) string {
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		if path := "/_ingest/pipeline/"; r.In.URL.Path == path+pipelineOf8 || r.In.URL.Path == path+pipelineOf9 {
			r.Out.URL.Path = path + "absent"
		}
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// morning is the start of every story: a Monday.
func morning() time.Time { return time.Date(2030, 1, 7, 8, 0, 0, 0, time.UTC) }

func newStage(t *testing.T, story, source, host, url string, transport http.RoundTripper) *stage {
	name := strings.ToLower(rand.Text())[:16]
	s := &stage{
		t: t, story: story, source: source, dir: t.TempDir(), host: host, clock: morning(),
		connector: "connector-" + name, index: "kibana-" + name, compared: map[string]string{},
	}
	s.kibana = kibanatest.New(t, url, transport, s.now)
	s.hides = []string{s.connector, "CONNECTOR", s.index, "INDEX", s.dir, "DIR"}
	first, second := s.index, s.index+"-2"
	t.Cleanup(func() { s.kibana.Purge(s.connector, first, second, ".search-acl-filter-"+second) })
	return s
}

func (s *stage) now() time.Time { return s.clock }

// at sets the clock: to a time of a day, counted from the first day.
func (s *stage) at(day int, clock string) {
	s.t.Helper()
	of, err := time.Parse("15:04:05", clock)
	if err != nil {
		s.t.Fatal(err)
	}
	s.clock = morning().Truncate(24*time.Hour).AddDate(0, 0, day).
		Add(time.Duration(of.Hour())*time.Hour + time.Duration(of.Minute())*time.Minute + time.Duration(of.Second())*time.Second)
}

// script writes the file that the scripted source obeys.
func (s *stage) script(text string) { writeFile(s.t, filepath.Join(s.dir, "script.json"), text) }

// notes is a script with that many documents, with more keys for their part.
func notes(n int, more string) string {
	var docs []string
	for i := range n {
		docs = append(docs, fmt.Sprintf(`{"id": "%02d", "fields": {"kind": %q}}`, i, []string{"even", "odd"}[i%2]))
	}
	return fmt.Sprintf(`{"parts": [{"scope": "a", "documents": [%s]%s}], "identities": [{"id": "ann", "name": "Ann"}, {"id": "bob", "name": "Bob"}]}`,
		strings.Join(docs, ", "), more)
}

// polling is a poll in progress.
type polling struct {
	stderr  *notingBuffer
	blocked <-chan struct{} // closed once the source waits for the end of the run
	end     context.CancelCauseFunc
	done    chan struct{}
	code    int // valid once it is done, as is stdout
	stdout  *bytes.Buffer
}

// notingBuffer is a buffer that can be read while it is written, and signals when a text is written.
type notingBuffer struct {
	mu    sync.Mutex
	text  bytes.Buffer
	until string
	seen  chan struct{} // closed then
}

func (b *notingBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := strings.Contains(b.text.String(), b.until)
	n, err := b.text.Write(p)
	if !before && strings.Contains(b.text.String(), b.until) {
		close(b.seen)
	}
	return n, err
}

func (b *notingBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// start starts a poll, as cron would: a new program with only its state folder. Until it ends, Kibana reaches
// an embedded destination only if that is served.
func (s *stage) start(served bool) *polling {
	s.t.Helper()
	host := s.host
	if served && s.folder != nil {
		server, err := s.folder.open()
		if err != nil {
			s.t.Fatal(err)
		}
		listening := httptest.NewServer(server)
		s.t.Cleanup(listening.Close)
		host = listening.URL
	} else if err := s.folder.close(); err != nil {
		s.t.Fatal(err)
	}
	writeFile(s.t, filepath.Join(s.dir, "config.yml"), fmt.Sprintf(`
elasticsearch: {host: %q, max_wait_duration: 180, max_retries: 1, retry_interval: 1}
connectors:
  - {connector_id: %s, service_type: %s}
`, host, s.connector, s.source))
	seen := make(chan struct{})
	p := &polling{stderr: &notingBuffer{until: "says=blocked", seen: seen}, blocked: seen, done: make(chan struct{})}
	streams, stdout, _ := term.TestStreams(0, nil)
	streams.Err, p.stdout = p.stderr, stdout
	env := map[string]string{"ELASTIC_INGEST_STATE_DIR": filepath.Join(s.dir, "state"), "XDG_CONFIG_HOME": filepath.Join(s.dir, "none")}
	app := &setup.App{Streams: streams, Registry: testRegistry(), Now: s.now, OwnTime: true, Env: config.Env{Lookup: func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}}}
	ctx, cancel := context.WithCancelCause(s.t.Context())
	p.end = cancel
	go func() { // ends with the poll
		defer close(p.done)
		p.code = Run(ctx, s.t.Context(), app, []string{"poll", "--once", "-o", "json", "-c", filepath.Join(s.dir, "config.yml")})
	}()
	return p
}

// waitBlocked waits until the source of a poll waits for the end of the run.
func (s *stage) waitBlocked(p *polling) {
	s.t.Helper()
	select {
	case <-p.blocked:
	case <-p.done:
		s.t.Fatalf("the poll ended with %d instead of waiting\n%s", p.code, p.stderr)
	}
}

// ended waits for the end of a poll and compares its output and the records.
func (s *stage) ended(p *polling, step string, code int) {
	s.t.Helper()
	<-p.done
	p.end(nil)
	if p.code != code {
		s.t.Errorf("%s: exit code %d, want %d\n%s", step, p.code, code, p.stderr)
	}
	var result map[string]any
	if err := json.Unmarshal(p.stdout.Bytes(), &result); err != nil {
		s.t.Fatalf("%s: %v: %q\n%s", step, err, p.stdout, p.stderr)
	}
	if ran, ok := result["connectors"].([]any); ok {
		inAnyOrder(ran, s.jobs())
	}
	s.compare(step+"_poll", result)
	s.look(step)
}

// inAnyOrder sorts the results by the order of the jobs if all jobs were created at the same instant: then
// their order is undefined.
func inAnyOrder(ran []any, jobs []kibanatest.Hit) {
	place := func(of any) int {
		return slices.IndexFunc(jobs, func(j kibanatest.Hit) bool { return j.ID == of.(map[string]any)["job"] })
	}
	for _, one := range ran {
		if place(one) < 0 || jobs[place(one)].Source["created_at"] != jobs[place(ran[0])].Source["created_at"] {
			return
		}
	}
	slices.SortFunc(ran, func(a, b any) int { return place(a) - place(b) })
}

// poll polls once.
func (s *stage) poll(step string, code int) {
	s.t.Helper()
	s.ended(s.start(false), step, code)
}

// look compares the records with the files of a step.
func (s *stage) look(step string) {
	s.t.Helper()
	changed := []any{}
	for _, job := range s.jobs() {
		record := steady(job.Source)
		if text := indented(s.t, record); s.compared[job.ID] != text {
			s.compared[job.ID] = text
			changed = append(changed, record)
		}
	}
	s.compare(step+"_job", changed)
	if !s.gone {
		s.compare(step+"_connector", s.kibana.Connector(s.connector))
	}
}

// jobs lists the jobs of the connector. Their ids are named in order of appearance.
func (s *stage) jobs() []kibanatest.Hit {
	s.t.Helper()
	found := s.kibana.Jobs(s.connector)
	for _, job := range found {
		if _, known := s.compared[job.ID]; !known {
			s.compared[job.ID] = ""
			s.hides = append(s.hides, job.ID, fmt.Sprintf("JOB-%d", len(s.compared)))
		}
	}
	return found
}

// steady is a job without values of one machine and one claim. A finished claim must be removed, so a leftover
// one stays visible. The job of a deleted connector may be ended by any program that polls the same cluster,
// at the time of its own clock.
func steady(job kibanatest.Record) kibanatest.Record {
	out := maps.Clone(job)
	if host, err := os.Hostname(); err == nil && out["worker_hostname"] == host {
		out["worker_hostname"] = "HOST"
	}
	if out["error"] == "the connector of this job was deleted" && out["completed_at"] == out["last_seen"] {
		out["completed_at"], out["last_seen"] = "WHEN FOUND", "WHEN FOUND"
	}
	metadata, _ := out["metadata"].(map[string]any)
	ours, _ := metadata["elastic_ingest"].(map[string]any)
	if _, claimed := ours["claim"]; claimed && (out["status"] == "in_progress" || out["status"] == "canceling") {
		ours["claim"] = "CLAIM"
	}
	return out
}

// compare compares a value with the file of that name.
func (s *stage) compare(name string, value any) {
	s.t.Helper()
	got := strings.NewReplacer(s.hides...).Replace(indented(s.t, value))
	golden.Compare(s.t, filepath.Join("testdata", "kibana", s.story+"_"+name+".json"), got)
}

func indented(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// holds compares the ids of the documents of an index.
func (s *stage) holds(index string, want ...string) {
	s.t.Helper()
	var got []string
	for _, d := range s.kibana.Documents(index) {
		got = append(got, d.ID)
	}
	if d := cmp.Diff(want, got); d != "" {
		s.t.Errorf("index %s:\n%s", index, d)
	}
}
