package engine_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// piped is a sync through a pipeline, to a destination that has pipelines and records the documents it receives:
// the embedded one has none.
type piped struct {
	*harness
	definition func(*http.Request, []byte) *http.Response

	mu   sync.Mutex
	docs map[string]map[string]any // of the last run, by id
}

func newPiped(t *testing.T, definition string) *piped {
	t.Helper()
	h := &piped{harness: newHarness(t), definition: fault.JSON(200, `{"p":`+definition+`}`)}
	h.job.Pipeline = "p"
	return h
}

const attaching = `{"processors":[{"attachment":{"field":"_attachment","target_field":"x"}}]}`

func (h *piped) sync(change ...func(*engine.Job)) engine.Result {
	h.t.Helper()
	h.docs = map[string]map[string]any{}
	h.rules = []fault.Rule{
		{Path: "_ingest/pipeline/called", Answer: fault.JSON(200, `{"called":`+attaching+`}`)},
		{Path: "_ingest/pipeline", Answer: h.definition},
		{Path: "_bulk", Answer: func(r *http.Request, body []byte) *http.Response {
			h.mu.Lock()
			defer h.mu.Unlock()
			lines := strings.Split(string(body), "\n")
			for i := 0; i+1 < len(lines); i += 2 {
				var doc map[string]any
				if err := json.Unmarshal([]byte(lines[i+1]), &doc); err != nil {
					h.t.Error(err)
				}
				h.docs[doc["id"].(string)] = doc
			}
			return fault.Items(func(string) string { return `{"status":201,"result":"created"}` })(r, body)
		}},
	}
	return h.harness.sync(change...)
}

// file is a document with a named content.
func file(id, name, data string) document.Document {
	d := contentDoc(id, "2024-01-01T00:00:00+00:00", data, nil)
	d.Content.Name, d.Content.Size = name, int64(len(data))
	return d
}

func TestAPipelineGetsAttachments(t *testing.T) {
	t.Parallel()
	h := newPiped(t, attaching)
	own := file("own", "a.pdf", "x")
	own.Fields = append(own.Fields, document.Field{Name: "_attachment", Value: document.String("b3du")})
	unknown := file("unknown", "a.docx", "of a size that was not listed")
	unknown.Content.Size = -1
	h.source.Parts["a"] = []document.Document{
		file("pdf", "a.pdf", "%PDF\x00"), file("text", "a.txt", "text"), file("binary", "a.bin", "x"), file("empty", "a.pdf", ""),
		file("large", "a.pdf", strings.Repeat("x", 1<<20+1)), own, unknown, doc("a", "bare", "v"),
	}
	if res := h.sync(); res.Counts.Created != 8 || res.Incomplete() {
		t.Fatalf("%+v", res)
	}
	got := map[string]string{}
	for id, d := range h.docs {
		if d["_extract_binary_content"] != true || d["_reduce_whitespace"] != true || d["_run_ml_inference"] != true || d["body"] != nil {
			t.Errorf("%s: %v", id, d)
		}
		text, _ := d["_attachment"].(string)
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Error(err)
		}
		got[id] = string(raw)
	}
	want := map[string]string{
		"pdf": "%PDF\x00", "text": "text", "binary": "", "empty": "", "large": "", "own": "own", "unknown": "of a size that was not listed", "bare": "",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestWhichPipelinesGetAttachments: other pipelines would store them in the index unchanged.
func TestWhichPipelinesGetAttachments(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		pipeline string
		answer   func(*http.Request, []byte) *http.Response
		attaches bool
	}{
		"one that reads them":               {"p", fault.JSON(200, `{"p":`+attaching+`}`), true},
		"inside foreach and on_failure":     {"p", fault.JSON(200, `{"p":{"processors":[{"set":{"field":"a","value":1,"on_failure":[{"attachment":{"field":"_attachment"}}]}}]}}`), true},
		"one that calls one":                {"p", fault.JSON(200, `{"p":{"processors":[{"pipeline":{"name":"called"}}]}}`), true},
		"one that calls itself":             {"p", fault.JSON(200, `{"p":{"processors":[{"pipeline":{"name":"p"}}]}}`), false},
		"one that reads another field":      {"p", fault.JSON(200, `{"p":{"processors":[{"attachment":{"field":"data"}}]}}`), false},
		"one that only sets a field":        {"p", fault.JSON(200, `{"p":{"processors":[{"set":{"field":"attachment","value":"_attachment"}}]}}`), false},
		"one that cannot be read":           {"p", fault.JSON(403, `{"error":{"type":"security_exception","reason":"no"},"status":403}`), false},
		"Elastic's own that cannot be read": {"ent-search-generic-ingestion", fault.JSON(403, `{"error":{"type":"security_exception","reason":"no"},"status":403}`), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newPiped(t, "{}")
			h.definition, h.job.Pipeline = tc.answer, tc.pipeline
			h.source.Parts["a"] = []document.Document{file("1", "a.txt", "text")}
			h.sync()
			d := h.docs["1"]
			if _, attached := d["_attachment"]; attached != tc.attaches || d["_extract_binary_content"] != tc.attaches || (d["body"] == "text") == tc.attaches {
				t.Errorf("%v", d)
			}
		})
	}
}

// TestAttachmentsThatCannotBeRead: counted, named, and tried again; a deleted file is not a failure.
func TestAttachmentsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := newPiped(t, attaching)
	h.source.ByVersion = true
	broken := func(id string, err error) document.Document {
		d := file(id, "a.pdf", "x")
		d.Content.Open = func(context.Context) (io.ReadCloser, error) { return nil, err }
		return d
	}
	h.source.Parts["a"] = []document.Document{broken("locked", fs.ErrPermission), broken("gone", fs.ErrNotExist), file("fine", "a.pdf", "x")}
	res := h.sync()
	if res.Counts.ContentErrors != 1 || res.Counts.Created != 3 || !strings.Contains(h.seen.failures(), "a locked: read the content") {
		t.Fatalf("%+v\n%s", res, h.seen.failures())
	}
	if ts := h.docs["locked"]["_timestamp"]; ts != "0000-01-01T00:00:00Z" || h.docs["locked"]["_attachment"] != nil {
		t.Fatalf("%v", h.docs["locked"])
	}
	// An older copy stays unchanged.
	h.write("locked", `{"id":"locked","scope":"a","body":"older","_timestamp":"2020-01-01T00:00:00+00:00"}`)
	res = h.sync()
	if res.Counts.ContentErrors != 1 || res.Counts.Kept != 1 || h.seen.of("keep")["locked"] != string(plan.ContentUnreadable) || h.docs["locked"] != nil {
		t.Fatalf("%+v %v", res, h.seen.of("keep"))
	}
}

// TestAttachmentsStayWithinTheBudget: content that grows while many readers wait for room, some of it larger than
// the complete budget.
func TestAttachmentsStayWithinTheBudget(t *testing.T) {
	t.Parallel()
	h := newPiped(t, attaching)
	h.deps.Readers, h.deps.Budget, h.deps.ContentLimit = 8, 64<<10, 96<<10
	for _, scope := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		var docs []document.Document
		for i := range 20 {
			d := file(scope+string(rune('a'+i)), "a.pdf", strings.Repeat("x", 1000*(i+1)))
			d.Fields[0].Value = document.String(scope)
			grown := strings.Repeat("x", 5000*(i+1))
			d.Content.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(grown)), nil }
			docs = append(docs, d)
		}
		h.source.Parts[scope] = docs
	}
	res := h.sync()
	if res.Counts.Created != 160 || res.Incomplete() {
		t.Fatalf("%+v", res)
	}
	for id, d := range h.docs {
		n := int(id[1]-'a') + 1
		text, _ := d["_attachment"].(string)
		if raw, err := base64.StdEncoding.DecodeString(text); err != nil || len(raw) != 5000*n && (5000*n <= 96<<10 || text != "") {
			t.Errorf("%s: %d bytes, %v", id, len(raw), err)
		}
	}
}

// TestASyncCanceledWhileContentIsRead: the error is the cause of the cancellation, not an error of the content.
func TestASyncCanceledWhileContentIsRead(t *testing.T) {
	t.Parallel()
	h := newPiped(t, attaching)
	ended := errors.New("ended")
	ctx, cancel := context.WithCancelCause(t.Context())
	d := file("1", "a.pdf", "x")
	d.Content.Open = func(ctx context.Context) (io.ReadCloser, error) {
		cancel(ended)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	h.source.Parts["a"] = []document.Document{d}
	h.rules = []fault.Rule{{Path: "_ingest/pipeline", Answer: h.definition}}
	if res, err := h.run(ctx); !errors.Is(err, ended) || res.Counts.ContentErrors != 0 || res.Counts.Created != 0 {
		t.Fatalf("%v %+v", err, res)
	}
}

// TestAReplacedDocumentIsReadInItsCurrentVersion: fields and text always belong to one version. A document that is
// replaced repeatedly keeps its older copy, and is named.
func TestAReplacedDocumentIsReadInItsCurrentVersion(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	replaced := func(id, to string, by document.Document) document.Document {
		return contentDoc(id, to, "", &document.Replaced{Document: by, Err: errors.New("replaced")})
	}
	const first, second, third = "2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00", "2024-01-03T00:00:00+00:00"
	now := contentDoc("once", third, "now", nil)
	now.Fields = append(now.Fields, document.Field{Name: "size", Value: document.Int(3)})
	h.source.Parts["a"] = []document.Document{contentDoc("once", first, "old", nil), contentDoc("ever", first, "old", nil), contentDoc("other", first, "old", nil)}
	h.sync()
	h.source.Parts["a"] = []document.Document{
		replaced("once", second, now),
		replaced("ever", second, replaced("ever", third, now)),
		replaced("other", second, contentDoc("another id", third, "of another", nil)),
	}
	if res := h.sync(); res.Counts.Updated != 1 || res.Counts.ContentErrors != 2 || res.Counts.Kept != 2 {
		t.Errorf("%+v", res.Counts)
	}
	want := map[string]string{"once": "now " + third, "ever": "old " + first, "other": "old " + first}
	sources := h.sources()
	for id, want := range want {
		var got map[string]any
		if err := json.Unmarshal(sources[id], &got); err != nil {
			t.Fatal(err)
		}
		if got["body"].(string)+" "+got["_timestamp"].(string) != want || (id == "once") != (got["size"] != nil) {
			t.Errorf("%s: got %v, want %s", id, got, want)
		}
	}
}
