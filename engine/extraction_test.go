package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/extract"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// tika is a server with Apache Tika's protocol, in this process. The text of a content is "text of CONTENT";
// content that begins with BAD is refused.
type tika struct {
	mu     sync.Mutex
	asked  []string // contents whose text was requested
	failed error    // response to every request
	answer func(content string) string
}

func (x *tika) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte{}
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.failed != nil {
		return nil, x.failed
	}
	status, text := 200, "This is Tika Server (Apache Tika 3.3.1). Please PUT"
	switch {
	case r.URL.Path != "/tika":
		status, text = 404, ""
	case r.Method == http.MethodPut:
		x.asked = append(x.asked, string(body))
		if text = "text of " + string(body); x.answer != nil {
			text = x.answer(string(body))
		}
		if bytes.HasPrefix(body, []byte("BAD")) {
			status, text = 422, ""
		}
	}
	return &http.Response{
		StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader(text)),
	}, nil
}

// service returns a client for it.
func (x *tika) service() *extract.Service {
	return extract.NewService(extract.ServiceOptions{
		URL: "http://tika", Timeout: patience, Piece: 64 << 10, MaxText: 1 << 20, Transport: x, Patience: time.Millisecond,
		Retry: retry.Policy{First: time.Microsecond, Max: time.Microsecond, Patience: patience},
	})
}

// newExtracting is a harness with versioned documents, and a service.
func newExtracting(t *testing.T) (*harness, *tika) {
	t.Helper()
	h, x := newHarness(t), &tika{}
	h.source.ByVersion = true
	h.deps.Service = x.service()
	return h, x
}

// bodies are the texts in the index, by id.
func (h *harness) bodies() map[string]string {
	h.t.Helper()
	return h.texts("body")
}

// TestChoiceOfExtraction: the configured one, otherwise the best available.
func TestChoiceOfExtraction(t *testing.T) {
	t.Parallel()
	const plain = `{"processors":[]}`
	no := &document.Flags{ReduceWhitespace: true}
	for rule, tc := range map[string]struct {
		way      extract.Way
		pipeline string // its definition, "" for none
		flags    *document.Flags
		service  bool
		want     string // the way of the content
		err      string
	}{
		"auto: a pipeline that reads attachments":          {extract.Auto, attaching, nil, true, "pipeline", ""},
		"auto: else a service":                             {extract.Auto, plain, nil, true, "service", ""},
		"auto: else a service, also without a pipeline":    {extract.Auto, "", nil, true, "service", ""},
		"auto: else in process":                            {extract.Auto, plain, nil, false, "inline", ""},
		"auto: off if the record says so":                  {extract.Auto, attaching, no, true, "", ""},
		"the default is auto":                              {"", attaching, nil, true, "pipeline", ""},
		"a service, although a pipeline reads attachments": {extract.ByService, attaching, nil, true, "service", ""},
		"a service, although the record wants no content":  {extract.ByService, attaching, no, true, "service", ""},
		"a service that is not configured":                 {extract.ByService, attaching, nil, false, "", "none is configured"},
		"in process, although others exist":                {extract.Inline, attaching, nil, true, "inline", ""},
		"off, although others exist":                       {extract.Off, attaching, nil, true, "", ""},
		"a pipeline, although the record wants no content": {extract.Pipeline, attaching, no, true, "pipeline", ""},
		"a pipeline that does not read attachments":        {extract.Pipeline, plain, nil, true, "", "has no attachment processor"},
		"a pipeline that is not configured":                {extract.Pipeline, "", nil, true, "", "the connector has none"},
		"an unreadable pipeline may extract":               {extract.Pipeline, "403", nil, true, "pipeline", ""},
		"auto: an unreadable pipeline is not used":         {extract.Auto, "403", nil, false, "inline", ""},
		"auto: a pipeline with its own text limit":         {extract.Auto, attaching, nil, false, "pipeline", ""},
		"auto: a pipeline without a text limit":            {extract.Auto, strings.Replace(attaching, `"field"`, `"indexed_chars_field":"_attachment_indexed_chars","field"`, 1), nil, false, "complete pipeline", ""},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			h := newPiped(t, tc.pipeline)
			if tc.pipeline == "403" {
				h.definition = fault.JSON(403, `{"error":{"type":"security_exception","reason":"no"},"status":403}`)
			}
			if tc.pipeline == "" {
				h.job.Pipeline = ""
			}
			if tc.service {
				h.deps.Service = (&tika{}).service()
			}
			h.job.Extraction, h.job.Flags = tc.way, tc.flags
			h.source.Parts["a"] = []document.Document{file("1", "a.txt", "text")}
			if tc.err != "" {
				h.rules = []fault.Rule{{Path: "_ingest/pipeline", Answer: h.definition}}
				if _, err := h.run(t.Context()); !errors.Is(err, engine.ErrConfig) || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("%v", err)
				}
				return
			}
			h.sync()
			d := h.docs["1"]
			got := map[any]string{"text of text": "service", "text": "inline"}[d["body"]]
			if d["_attachment"] != nil {
				got += "pipeline"
			}
			if d["_attachment_indexed_chars"] == -1.0 {
				got = "complete " + got
			}
			if got != tc.want {
				t.Errorf("got %q, want %q: %v", got, tc.want, d)
			}
			if flag, there := d["_extract_binary_content"]; there != (tc.pipeline != "") || there && flag != strings.HasSuffix(tc.want, "pipeline") {
				t.Errorf("the pipeline receives %v", flag)
			}
		})
	}
}

// TestTextByAService: a file that the service cannot read is named, and does not affect its neighbors; unchanged
// files are neither read nor sent again.
func TestTextByAService(t *testing.T) {
	t.Parallel()
	h, x := newExtracting(t)
	const first, second = "2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00"
	opened := map[string]int{}
	pdf := func(id, version, data string) document.Document {
		d := contentDoc(id, version, data, nil)
		d.Content.Name = id + ".pdf"
		open := d.Content.Open
		d.Content.Open = func(ctx context.Context) (io.ReadCloser, error) {
			opened[id]++
			return open(ctx)
		}
		return d
	}
	h.deps.Readers = 1
	bare := doc("a", "bare", "v")
	bare.Timestamp = first
	h.source.Parts["a"] = []document.Document{
		pdf("good", first, "good"), pdf("bad", first, "BAD"), file("binary", "a.bin", "x"), file("empty", "a.pdf", ""), bare, pdf("other", first, "other"),
	}
	res := h.sync()
	if res.Counts.Created != 6 || res.Counts.ContentErrors != 1 || !strings.Contains(h.seen.failures(), `a bad: read the content: extract text of "bad.pdf"`) {
		t.Fatalf("%+v\n%s", res, h.seen.failures())
	}
	want := map[string]string{"good": "text of good", "bad": "", "binary": "", "empty": "", "bare": "", "other": "text of other"}
	for id, body := range h.bodies() {
		if body != want[id] {
			t.Errorf("%s: %q", id, body)
		}
	}
	// The unreadable file is tried again; nothing is written.
	clear(opened)
	if res := h.sync(); res.Counts.Kept != 6 || res.Counts.ContentErrors != 1 || len(opened) != 1 || opened["bad"] != 1 {
		t.Errorf("the second run: %+v, opened %v", res.Counts, opened)
	}
	// An older copy stays until the new content can be read.
	h.source.Parts["a"][0] = pdf("good", second, "BAD, too")
	h.source.Parts["a"][1] = pdf("bad", second, "mended")
	if res := h.sync(); res.Counts.Updated != 1 || res.Counts.Kept != 5 || res.Counts.ContentErrors != 1 {
		t.Errorf("the third run: %+v", res.Counts)
	}
	if got := h.bodies(); got["good"] != "text of good" || got["bad"] != "text of mended" {
		t.Errorf("%v", got)
	}
	h.source.Parts["a"][0] = pdf("good", second, "newer")
	if res := h.sync(); res.Counts.Updated != 1 || res.Incomplete() || h.bodies()["good"] != "text of newer" {
		t.Errorf("the last run: %+v", res.Counts)
	}
	x.asked = nil
	if res := h.sync(); res.Counts.Kept != 6 || len(x.asked) != 0 {
		t.Errorf("when nothing has changed: %+v, the service was asked for %q", res.Counts, x.asked)
	}
}

// TestAnUnreachableServiceLosesNoDocument: new documents are written without text, others stay unchanged; the next
// run that reaches the service adds the texts.
func TestAnUnreachableServiceLosesNoDocument(t *testing.T) {
	t.Parallel()
	h, x := newExtracting(t)
	var log bytes.Buffer
	h.deps.Log = slog.New(slog.NewTextHandler(&log, nil))
	h.source.Parts["a"] = []document.Document{contentDoc("old", "2024-01-01T00:00:00+00:00", "old", nil)}
	h.sync()
	x.failed = errors.New("connection refused")
	h.deps.Service = x.service()
	docs := []document.Document{contentDoc("old", "2024-01-02T00:00:00+00:00", "newer", nil)}
	for i := range 100 {
		docs = append(docs, contentDoc(fmt.Sprint(i), "2024-01-02T00:00:00+00:00", "text", nil))
	}
	h.source.Parts["a"] = docs
	res := h.sync()
	if res.Counts.Created != 100 || res.Counts.Kept != 1 || res.Counts.ContentErrors != 101 || !res.Incomplete() {
		t.Fatalf("%+v", res.Counts)
	}
	if !strings.Contains(log.String(), "the extraction service does not respond") || !strings.Contains(h.seen.failures(), "connection refused") {
		t.Errorf("%s\n%s", log.String(), h.seen.failures())
	}
	if got := h.bodies(); got["old"] != "text of old" || len(got) != 101 {
		t.Errorf("%v", got)
	}
	x.mu.Lock()
	x.failed = nil
	x.mu.Unlock()
	h.deps.Service = x.service()
	if res := h.sync(); res.Counts.Updated != 101 || res.Incomplete() {
		t.Errorf("with the service again: %+v", res.Counts)
	}
	if res := h.sync(); res.Counts.Kept != 101 {
		t.Errorf("after that: %+v", res.Counts)
	}
}

// TestAnotherExtractionWritesDocumentsAgain: they are compared by version, and still every text is replaced.
func TestAnotherExtractionWritesDocumentsAgain(t *testing.T) {
	t.Parallel()
	h, _ := newExtracting(t)
	h.source.Parts["a"] = []document.Document{contentDoc("1", "2024-01-01T00:00:00+00:00", "words", nil)}
	for _, tc := range []struct {
		way  extract.Way
		want string
	}{{extract.Inline, "words"}, {extract.ByService, "text of words"}, {extract.Off, ""}, {extract.Inline, "words"}} {
		way := func(j *engine.Job) { j.Extraction = tc.way }
		h.sync(way)
		if got := h.bodies()["1"]; got != tc.want {
			t.Errorf("%s: %q", tc.way, got)
		}
		if res := h.sync(way); res.Counts.Kept != 1 {
			t.Errorf("%s, again: %+v", tc.way, res.Counts)
		}
	}
}

// TestTextsOfAServiceStayWithinTheBudget: long responses while many readers wait for room, some longer than the
// complete budget.
func TestTextsOfAServiceStayWithinTheBudget(t *testing.T) {
	t.Parallel()
	h, x := newExtracting(t)
	h.deps.Readers, h.deps.Budget = 8, 256<<10
	x.answer = func(content string) string { return strings.Repeat(content, 20_000) }
	for _, scope := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		for i := range 10 {
			d := file(scope+string(rune('a'+i)), "a.pdf", strings.Repeat("x", i+1))
			d.Fields[0].Value = document.String(scope)
			h.source.Parts[scope] = append(h.source.Parts[scope], d)
		}
	}
	if res := h.sync(); res.Counts.Created != 80 || res.Incomplete() {
		t.Fatalf("%+v", res.Counts)
	}
	for id, body := range h.bodies() {
		if want := 20_000 * int(id[1]-'a'+1); len(body) != want {
			t.Errorf("%s: %d bytes, want %d", id, len(body), want)
		}
	}
}

// TestAReplacedDocumentIsSentInItsCurrentVersion: fields and text belong to one version also if a service extracts
// the text.
func TestAReplacedDocumentIsSentInItsCurrentVersion(t *testing.T) {
	t.Parallel()
	h, x := newExtracting(t)
	now := contentDoc("1", "2024-01-03T00:00:00+00:00", "now", nil)
	now.Fields = append(now.Fields, document.Field{Name: "size", Value: document.Int(3)})
	h.source.Parts["a"] = []document.Document{contentDoc("1", "2024-01-02T00:00:00+00:00", "", &document.Replaced{Document: now, Err: errors.New("replaced")})}
	h.sync()
	if got := string(h.sources()["1"]); !strings.Contains(got, `"size":3`) || !strings.Contains(got, "text of now") || !strings.Contains(got, "2024-01-03") || len(x.asked) != 1 {
		t.Errorf("%s, asked for %q", got, x.asked)
	}
}

// TestAPanicWhileContentIsSentEndsTheRun: it does not end the program, although net/http reads the content in a
// goroutine of its own.
func TestAPanicWhileContentIsSentEndsTheRun(t *testing.T) {
	t.Parallel()
	h, _ := newExtracting(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer server.Close()
	h.deps.Service = extract.NewService(extract.ServiceOptions{URL: server.URL, Kind: extract.Tika, Timeout: patience, Piece: 1, MaxText: 1})
	d := contentDoc("1", "2024-01-01T00:00:00+00:00", "text", nil)
	d.Content.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(panicking{}), nil }
	h.source.Parts["a"] = []document.Document{d}
	res, err := h.run(t.Context())
	if _, crashed := errors.AsType[*crash.Error](err); !crashed || res.Counts.ContentErrors != 0 {
		t.Errorf("%v, %+v", err, res.Counts)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("a fault of the driver") }

// TestAWrongServiceAddressFailsBeforeAnythingIsWritten: and problems with texts are logged at the end.
func TestAWrongServiceAddressFailsBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	h, x := newExtracting(t)
	h.deps.Service = extract.NewService(extract.ServiceOptions{URL: "http://other/path", Timeout: patience, Piece: 1, MaxText: 1, Transport: x})
	h.source.Parts["a"] = []document.Document{contentDoc("1", "2024-01-01T00:00:00+00:00", "text", nil)}
	if res, err := h.run(t.Context()); !errors.Is(err, engine.ErrConfig) || res.Counts.Created != 0 {
		t.Errorf("%+v, %v", res.Counts, err)
	}
	var log bytes.Buffer
	h.deps.Log = slog.New(slog.NewTextHandler(&log, nil))
	h.deps.Service = x.service()
	x.answer = func(string) string { return strings.Repeat("a\x00", 1<<20) }
	if res := h.sync(); res.Counts.Created != 1 || res.Incomplete() {
		t.Errorf("%+v", res.Counts)
	}
	for _, want := range []string{`because="an extraction service is configured`, "service=tika", "were cut there", "docs=1 first=1", "U+FFFD"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in\n%s", want, log.String())
		}
	}
}

// TestAMissingPipelineIsCreatedOnRequest: an existing one is never changed.
func TestAMissingPipelineIsCreatedOnRequest(t *testing.T) {
	t.Parallel()
	create := func(j *engine.Job) { j.CreatePipeline = true }
	dry := func(j *engine.Job) { j.DryRun = true }
	for rule, tc := range map[string]struct {
		exists  bool
		put     int // status of the request that creates it
		changes []func(*engine.Job)
		err     error
		says    string
		created bool
	}{
		"not without the flag":             {false, 200, nil, engine.ErrConfig, "sync --create-pipeline", false},
		"not by a diff":                    {false, 200, []func(*engine.Job){dry}, engine.ErrConfig, "does not exist", false},
		"with the flag":                    {false, 200, []func(*engine.Job){create}, nil, "", true},
		"not if it exists":                 {true, 200, []func(*engine.Job){create}, nil, "", false},
		"a dry run continues as if it did": {false, 200, []func(*engine.Job){create, dry}, nil, "", false},
		"without the privilege":            {false, 403, []func(*engine.Job){create}, elastic.ErrAuth, "manage_ingest_pipelines", false},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			h := newPiped(t, attaching)
			var mu sync.Mutex
			var made string
			exists := tc.exists
			h.definition = func(r *http.Request, body []byte) *http.Response {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case r.Method == http.MethodPut && tc.put != 200:
					return fault.JSON(tc.put, `{"error":{"type":"security_exception","reason":"no"},"status":403}`)(r, body)
				case r.Method == http.MethodPut:
					made, exists = string(body), true
					return fault.JSON(200, `{"acknowledged":true}`)(r, body)
				case !exists:
					return fault.JSON(404, `{}`)(r, body)
				case made != "":
					return fault.JSON(200, `{"p":`+made+`}`)(r, body)
				}
				return fault.JSON(200, `{"p":`+attaching+`}`)(r, body)
			}
			h.source.Parts["a"] = []document.Document{file("1", "a.pdf", "words")}
			h.docs = map[string]map[string]any{}
			h.rules = []fault.Rule{{Path: "_ingest/pipeline", Answer: h.definition}}
			if tc.err != nil {
				res, err := h.run(t.Context(), tc.changes...)
				if !errors.Is(err, tc.err) || !strings.Contains(err.Error(), tc.says) || res.Counts.Created != 0 || made != "" {
					t.Errorf("%v, %+v, created %s", err, res.Counts, made)
				}
				return
			}
			res := h.sync(tc.changes...)
			if res.Counts.Created != 1 || res.Incomplete() || (made != "") != tc.created {
				t.Errorf("%+v, created %s", res.Counts, made)
			}
			if tc.created && h.docs["1"]["_attachment_indexed_chars"] != -1.0 {
				t.Errorf("%v", h.docs["1"])
			}
		})
	}
}
