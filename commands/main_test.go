package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources"
)

func TestMain(m *testing.M) {
	testscript.Main(tidy{m}, map[string]func(){
		"elastic-ingest": func() {
			ctx, cut, gone, stop := Signals()
			l := &limit{}
			types := source.MustRegistry(append(sources.Builtin.Types(), scriptedWithin(l))...)
			a := &setup.App{Streams: term.SystemStreams(ctx), Registry: types, Env: config.OSEnv(), Now: stopped, OwnTime: true, Limit: l.begin}
			code := Ending(gone, func() int { return Run(ctx, cut, a, os.Args[1:]) })
			stop()
			os.Exit(code)
		},
	})
}

// ProgramDir is the folder of the built program, "" until a test needs it.
var ProgramDir string

// tidy removes the built program after the tests.
type tidy struct{ m *testing.M }

func (t tidy) Run() int {
	code := t.m.Run()
	if ProgramDir != "" {
		_ = os.RemoveAll(ProgramDir) // only space is lost
	}
	return code
}

// testRegistry has the built-in types and the scripted one.
func testRegistry() source.Registry {
	return source.MustRegistry(append(sources.Builtin.Types(), scripted)...)
}

// stopped is a fixed clock, so that output can be compared.
func stopped() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

func TestScripts(t *testing.T) {
	t.Parallel()
	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: golden.Updates(), RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ELASTIC_INGEST_STATE_DIR", e.WorkDir+"/state")
			e.Setenv("REPO", repository)
			e.Setenv("XDG_CONFIG_HOME", e.WorkDir+"/none")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exitcode": exitcode, "elastic": elasticHolds, "answering": answering, "record": record, "prepare": prepare,
		},
	})
}

// exitcode N PROGRAM ARGUMENT... runs a program, which must end with that code.
func exitcode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N program [argument...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\nstderr:\n%s", got, want, ts.ReadFile("stderr"))
	}
}

// elasticHolds prints the documents of an embedded destination: elastic DIR INDEX. The time of the run is left
// out.
func elasticHolds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: elastic dir index")
	}
	docs, err := held(ts.MkAbs(args[0]), args[1])
	ts.Check(err)
	if len(docs) == 0 {
		fmt.Fprintln(ts.Stdout(), "nothing")
	}
	for _, line := range docs {
		fmt.Fprintln(ts.Stdout(), line)
	}
}

var timestamp = regexp.MustCompile(`,"_timestamp":"[^"]*"`)

// held lists the documents of an index by their ids, one per line.
func held(dir, index string) (docs []string, err error) {
	server, err := embedded.Open(embedded.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	body := strings.NewReader(`{"size":10000,"query":{"match_all":{}}}`)
	req := httptest.NewRequest(http.MethodPost, "/"+index+"/_search", body)
	req.Header.Set("Content-Type", "application/json")
	res, err := server.Transport().RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode == http.StatusNotFound {
		return nil, err
	}
	hits, err := elastictest.Hits(answer)
	if err != nil {
		return nil, err
	}
	for _, h := range hits {
		docs = append(docs, h.ID+" "+string(timestamp.ReplaceAll(bytes.TrimSpace(h.Source), nil)))
	}
	slices.Sort(docs)
	return docs, nil
}

// answering STATUS starts a server that answers everything with that status, at $SERVER.
func answering(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: answering status")
	}
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"type":"scripted_exception","reason":"as the script says"},"status":%d}`, status)
	}))
	ts.Defer(server.Close)
	ts.Setenv("SERVER", server.URL)
}

// record DIR INDEX ID FILE writes a document into an embedded destination: a record that another program left.
func record(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: record dir index id file")
	}
	ts.Check(ask(ts.MkAbs(args[0]), http.MethodPut, "/"+args[1]+"/_doc/"+args[2]+"?refresh=true", ts.ReadFile(args[3])))
}

// prepare DIR creates the indices of the connector protocol in an embedded destination.
func prepare(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: prepare dir")
	}
	ts.Check(makeRecordIndices(context.Background(), ts.MkAbs(args[0])))
}

func makeRecordIndices(ctx context.Context, dir string) (err error) {
	server, err := embedded.Open(embedded.Options{Dir: dir}) //nolint:contextcheck // a store is opened without one
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	client, err := elastic.New(elastic.Config{URL: "http://embedded", Transport: server.Transport()})
	if err != nil {
		return err
	}
	store, err := protocol.Open(ctx, protocol.StoreOptions{Client: client, Log: slog.New(slog.DiscardHandler), Now: stopped})
	if err != nil {
		return err
	}
	return store.Ensure(ctx)
}

// ask sends one request to an embedded destination that no other program has open.
func ask(dir, method, path, body string) (err error) {
	server, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	res, err := server.Transport().RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, answer)
	}
	return err
}
