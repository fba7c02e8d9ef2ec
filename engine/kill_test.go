package engine_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

var (
	kills = flag.Int("kills", 5, "how many runs TestKilledAtAnyInstantTheNextRunConverges kills")
	seed  = flag.Uint64("seed", 0, "seed of the instants; 0 takes one from the clock")
)

const killChild = "ELASTIC_INGEST_TEST_KILL_CHILD" // "DESTINATION INDEX DEAD-LETTER"

func init() { // the child is this test binary, so it starts here, before any test runs
	arg, ok := os.LookupEnv(killChild)
	if !ok {
		return
	}
	part := strings.Split(arg, " ")
	_, err := killRun(context.Background(), part[0], part[1], part[2], afterwards())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// before and afterwards are the source before and after the change that the killed run mirrors.
func before() *fault.Memory {
	return &fault.Memory{Parts: map[string][]document.Document{"a": numbered("a", "a", 1500), "b": numbered("b", "b", 1500)}}
}

func afterwards() *fault.Memory {
	m := &fault.Memory{Parts: map[string][]document.Document{
		"a": append(numbered("a", "a", 1450), numbered("a", "new", 700)...),
		"b": numbered("b", "b", 1500),
	}}
	for i := range m.Parts["b"] {
		if i%2 == 0 {
			m.Parts["b"][i] = doc("b", m.Parts["b"][i].ID, strings.Repeat("changed ", 40))
		}
	}
	return m
}

// killRun mirrors a source into an index of a server, or of a folder.
func killRun(ctx context.Context, destination, index, dead string, source *fault.Memory) (res engine.Result, err error) {
	url, rt := destination, http.RoundTripper(&http.Transport{})
	if !strings.HasPrefix(destination, "http") {
		server, err := embedded.Open(embedded.Options{Dir: destination}) //nolint:contextcheck // opening cannot be cancelled
		if err != nil {
			return res, err
		}
		defer func() {
			if cerr := server.Close(); err == nil {
				err = cerr
			}
		}()
		url, rt = "http://embedded", server.Transport()
	}
	client, err := elastic.New(elastic.Config{URL: url, Transport: rt})
	if err != nil {
		return res, err
	}
	if tr, ok := rt.(*http.Transport); ok {
		defer tr.CloseIdleConnections()
	}
	return engine.Run(ctx, engine.Job{
		Connector: "kill", Owner: "memory/kill", Index: index, Compare: engine.Auto, Type: source.Type(),
		Guard: engine.Guard{Deletes: 10, Percent: 10, Confirmed: -1},
	}, engine.Deps{
		Settings: engine.Settings{
			Readers: 2, Writers: 2, Operations: 50, RequestBytes: 1 << 20, Budget: 1 << 20, ContentLimit: 1 << 20,
			IDsMemory: 1, IDsDir: filepath.Join(filepath.Dir(dead), "ids"),
			Retry: retry.Policy{First: time.Millisecond, Max: time.Second, Patience: patience},
		},
		Client: client, Log: slog.New(slog.DiscardHandler), Observer: report.Unobserved{}, Counters: &report.Counters{},
		DeadLetter: docfile.NewDeadLetter(dead), Lock: func(context.Context, string, string) (func(), bool, error) { return func() {}, false, nil },
		Cut: context.Background(), Now: time.Now,
	})
}

func TestKilledAtAnyInstantTheNextRunConverges(t *testing.T) {
	t.Parallel()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	rnd := rand.New(rand.NewPCG(*seed, 0))
	h := newHarness(t) // provides the index, and reads it
	h.source = afterwards()
	h.sync()
	want := withoutTimestamps(h.sources())
	typical := time.Duration(0)
	for n := range *kills {
		at := time.Duration(rnd.Int64N(int64(max(typical, 300*time.Millisecond))))
		took, killed, got := killAndRepair(t, h, at)
		t.Logf("seed %d, kill %d: after %s of %s, killed %v", *seed, n, at, took, killed)
		if !killed {
			typical = took
		} else {
			typical = max(typical, at)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("seed %d, kill %d after %s: the next run did not converge:\n%.2000s", *seed, n, at, d)
		}
	}
}

// killAndRepair mirrors the source in its state before, kills a run that mirrors its state afterwards, lets the
// next run finish, and returns the content of the index.
func killAndRepair(t *testing.T, h *harness, at time.Duration) (took time.Duration, killed bool, held map[string]string) {
	t.Helper()
	destination, index, dead := *destination, h.job.Index+"-kill", h.dead
	if destination == "" {
		destination = filepath.Join(t.TempDir(), "store")
	} else {
		defer removeIndex(t, h.store, h.url+"/"+index)
	}
	if _, err := killRun(t.Context(), destination, index, dead, before()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killChild+"="+strings.Join([]string{destination, index, dead}, " "))
	var out strings.Builder
	cmd.Stderr = &out
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(at, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	took, killed = time.Since(start), !timer.Stop() && err != nil
	if err != nil && !killed {
		t.Fatalf("the child failed: %v\n%s", err, out.String())
	}
	if _, err := killRun(t.Context(), destination, index, dead, afterwards()); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(dead), "ids", "*")); err != nil || runtime.GOOS != "windows" && len(left) > 0 {
		t.Fatalf("%v, temporary files of ids remain: %q", err, left)
	}
	res, err := killRun(t.Context(), destination, index, dead, afterwards())
	if err != nil || res.Differences() || res.WithheldDeletes() != 0 {
		t.Fatalf("a run after the repair: %v, %+v", err, res)
	}
	return took, killed, withoutTimestamps(heldBy(t, destination, index))
}

// heldBy reads an index of a server, or of a folder.
func heldBy(t *testing.T, destination, index string) map[string][]byte {
	t.Helper()
	reader := &harness{t: t, url: destination, store: &http.Transport{DisableKeepAlives: true}, job: engine.Job{Index: index}}
	if !strings.HasPrefix(destination, "http") {
		server, err := embedded.Open(embedded.Options{Dir: destination, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		reader.url, reader.store = "http://embedded", server.Transport()
	}
	return reader.sources()
}

// withoutTimestamps removes the fields that every run writes again.
func withoutTimestamps(sources map[string][]byte) map[string]string {
	out := map[string]string{}
	for id, s := range sources {
		text, _, _ := strings.Cut(string(s), `,"_timestamp"`)
		out[id] = text
	}
	return out
}
