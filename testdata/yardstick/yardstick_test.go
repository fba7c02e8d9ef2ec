package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// TestMain lets the test binary stand in for the program where it starts itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "measure" {
		main()
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "fill" { // a command for TestPairs: fill URL INDEX
		n := newNode(os.Args[2])
		if _, err := n.load(context.Background(), os.Args[3], []byte(emptyShape), requests(made(newGenerator(1), 50)), 1); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestRowsAreTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	a, b, other := newGenerator(1), newGenerator(1), newGenerator(2)
	b.row(7) // what was made before does not matter
	if diff := cmp.Diff(a.row(42), b.row(42), cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("same seed, another row (-first +second):\n%s", diff)
	}
	if a.row(42) == other.row(42) {
		t.Error("another seed gave the same row")
	}
}

func TestDocumentsAreJSONOfAboutOneKilobyte(t *testing.T) {
	t.Parallel()
	total, docs := 0, made(newGenerator(1), 200)
	for _, d := range docs {
		var fields map[string]any
		if err := json.Unmarshal(d.Source, &fields); err != nil {
			t.Fatalf("document %s: %v", d.ID, err)
		}
		if fields["id"] != d.ID {
			t.Errorf("document %s has id %v", d.ID, fields["id"])
		}
		total += len(d.Source)
	}
	if mean := total / len(docs); mean < 1000 || mean > 1400 {
		t.Errorf("a document has %d bytes on average, want about 1 KB", mean)
	}
}

func TestRequestsKeepTheirLimits(t *testing.T) {
	t.Parallel()
	big := json.RawMessage(`"` + strings.Repeat("x", 2<<20) + `"`)
	tests := []struct {
		name string
		docs []doc
		want []int // operations of each request
	}{
		{"no document, no request", nil, nil},
		{"as many operations as allowed", make([]doc, maxOperations), []int{maxOperations}},
		{"one operation more", make([]doc, maxOperations+1), []int{maxOperations, 1}},
		{"bytes end a request", []doc{{"a", big}, {"b", big}, {"c", big}}, []int{2, 1}},
		{"one document above the limit goes alone", []doc{{"a", bytes.Repeat(big, 3)}, {"b", big}}, []int{1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []int
			for _, body := range requests(tt.docs) {
				got = append(got, bytes.Count(body, []byte("\n"))/2)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("operations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 2, 9}, 3},
	} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.values, got, tt.want)
		}
	}
}

// The peak memory of a command must not hold that of the program that measures it.
func TestApartCountsTheCommandAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("this system does not report the peak memory")
	}
	ballast := bytes.Repeat([]byte{1}, 256<<20)
	got, err := apart(t.Context(), []string{"true"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got.RSS <= 0 || got.RSS > int64(len(ballast))/2 {
		t.Errorf("peak memory of true is %d bytes", got.RSS)
	}
	if got.Wall <= 0 {
		t.Errorf("wall time is %v", got.Wall)
	}
	runtime.KeepAlive(ballast)
}

func TestMeasureFailsWithTheCommand(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"measure", "-n", "1", "--", "false"}, &out, io.Discard); err == nil {
		t.Errorf("no error, printed %q", out.String())
	}
}

func TestLoadSendsEveryDocumentOnce(t *testing.T) {
	t.Parallel()
	fake := &fakeNode{}
	server := httptest.NewServer(fake)
	defer server.Close()
	var out bytes.Buffer
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	args := []string{"-url", server.URL, "-index", "plain", "-n", "1201", "-conns", "3", "-times", "1"}
	if err := load(t.Context(), flags, args, &out); err != nil {
		t.Fatal(err)
	}
	if got := len(fake.ids); got != 1201 {
		t.Errorf("%d documents arrived, want 1201", got)
	}
	for id, n := range fake.ids {
		if n != 1 {
			t.Errorf("document %s arrived %d times", id, n)
		}
	}
	if want := "1201 documents in 3 requests"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

func TestLoadFailsWhenDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&fakeNode{refuse: true})
	defer server.Close()
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	if err := load(t.Context(), flags, []string{"-url", server.URL, "-index", "plain", "-n", "1", "-times", "1"}, io.Discard); err == nil {
		t.Error("no error")
	}
}

// A fakeNode counts the ids of bulk requests and agrees to everything else.
type fakeNode struct {
	refuse bool

	mu  sync.Mutex
	ids map[string]int
}

func (f *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/_bulk") {
		_, _ = io.WriteString(w, "{}")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ids == nil {
		f.ids = map[string]int{}
	}
	for text := range bytes.Lines(body) {
		var action struct {
			Index *struct {
				ID string `json:"_id"`
			}
		}
		if json.Unmarshal(text, &action) == nil && action.Index != nil {
			f.ids[action.Index.ID]++
		}
	}
	_, _ = fmt.Fprintf(w, `{"errors":%t}`, f.refuse)
}

// On a real node, a copy of an index has the documents and the mapping of the first.
func TestCopyOfAnIndexLoadsAgain(t *testing.T) {
	t.Parallel()
	url := elastictest.Server(t)
	n := newNode(url)
	first, second := "yardstick-test-first", "yardstick-test-second"
	dropAfter(t, n, first, second)
	docs := made(newGenerator(3), 2500)
	shape := []byte(`{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"properties":{"database":{"type":"keyword"}}}}`)
	if _, err := n.load(t.Context(), first, shape, requests(docs), 2); err != nil {
		t.Fatal(err)
	}
	copied, got, err := n.copyOf(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.load(t.Context(), second, copied, requests(got), 2); err != nil {
		t.Fatal(err)
	}
	_, again, err := n.copyOf(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(byID(docs), byID(again)); diff != "" {
		t.Errorf("documents (-written +copied):\n%.2000s", diff)
	}
	if !bytes.Contains(copied, []byte(`"database":{"type":"keyword"}`)) {
		t.Errorf("the mapping was not copied: %.500s", copied)
	}
}

func TestPairs(t *testing.T) {
	t.Parallel()
	url := elastictest.Server(t)
	index := "yardstick-test-pairs"
	dropAfter(t, newNode(url), index, index+"-plain")
	var out bytes.Buffer
	args := []string{"pairs", "-url", url, "-index", index, "-n", "1", "--", os.Args[0], "fill", url, index}
	if err := run(t.Context(), args, &out, os.Stderr); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"50 documents, ", "pair 1 ", "median ", "first run / plain load: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if _, _, err := newNode(url).copyOf(t.Context(), index); !errors.Is(err, errAbsent) {
		t.Errorf("the index is still there: %v", err)
	}
}

// dropAfter removes the indices when the test has ended, whatever became of it.
func dropAfter(t *testing.T, n *node, indices ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		for _, index := range indices {
			if err := n.drop(ctx, index); err != nil {
				t.Errorf("remove index %q: %v", index, err)
			}
		}
	})
}

func byID(docs []doc) map[string]string {
	m := make(map[string]string, len(docs))
	for _, d := range docs {
		m[d.ID] = string(d.Source)
	}
	return m
}

// What is put into a place is there, and nothing is there after it was emptied.
func TestObjectsFillAPlace(t *testing.T) {
	t.Parallel()
	for in, variable := range map[string]string{
		"s3": "TEST_S3_ENDPOINT", "google_cloud_storage": "TEST_GCS_ENDPOINT", "azure_blob_storage": "TEST_AZURE_ENDPOINT", "network_drive": "TEST_SMB_PATH",
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			testenv.Required(t, variable)
			name := "yardstick-" + strings.ToLower(rand.Text())
			for _, n := range []string{"30", "20", "0", "0"} { // it is recreated, removed, and absent
				if err := run(t.Context(), []string{"objects", "-in", in, "-name", name, "-n", n}, io.Discard, io.Discard); err != nil {
					t.Fatalf("%s: %v", n, err)
				}
			}
		})
	}
	if err := run(t.Context(), []string{"objects", "-in", "ftp"}, io.Discard, io.Discard); err == nil {
		t.Error("no error of a place that is not known")
	}
}
