package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
)

// isFull fails the test unless a run ended because the disk is full, with the exit code for that.
func isFull(t *testing.T, res engine.Result, err error) {
	t.Helper()
	code := commands.ExitCode(commands.Mode{}, nil, commands.Outcome{Result: res, Err: err})
	if !errors.Is(err, syscall.ENOSPC) || code != commands.ExitFailed {
		t.Fatalf("exit code %d: %v, %+v", code, err, res)
	}
}

// completeRecords returns the documents of complete lines in a file of records, by id.
func completeRecords(t *testing.T, path string) map[string]json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]json.RawMessage{}
	for line := range bytes.Lines(raw) {
		var r docfile.Deletion
		if json.Unmarshal(line, &r) == nil && len(r.Document) > 0 {
			out[r.ID] = r.Document
		}
	}
	return out
}

// TestAFullDiskUnderDeletedDocuments: every document deleted from the index is complete in the file, and documents
// that did not fit are still in the index.
func TestAFullDiskUnderDeletedDocuments(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	disk := fault.Disk(t, 64)
	long := strings.Repeat("x", 3000)
	for i := range 100 {
		h.source.Parts["a"] = append(h.source.Parts["a"], doc("a", fmt.Sprint("a", i), long))
	}
	h.sync()
	h.source.Parts["a"] = h.source.Parts["a"][:50]
	sure := func(j *engine.Job) { j.Guard.Confirmed = 1000 }
	h.deleted = docfile.NewDeleted(filepath.Join(disk, "deleted.ndjson"))
	res, err := h.run(t.Context(), sure)
	isFull(t, res, err)
	if err := h.deleted.Close(); err != nil {
		t.Fatal(err)
	}
	kept, held := completeRecords(t, h.deleted.Path()), h.held()
	if len(kept) < 10 || len(kept) > 25 {
		t.Errorf("%d documents were saved on a disk with room for about 20", len(kept))
	}
	for i := range 100 {
		id := fmt.Sprint("a", i)
		if _, there := held[id]; !there && (i < 50 || len(kept[id]) < len(long)) {
			t.Errorf("%s was deleted, and %d bytes of it were saved", id, len(kept[id]))
		}
	}
	// With room for all of them, the others are deleted.
	h.deleted = docfile.NewDeleted(filepath.Join(t.TempDir(), "deleted.ndjson"))
	h.sync(sure)
	if err := h.deleted.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(h.held()); n != 50 {
		t.Errorf("%d documents are left", n)
	}
}

// TestAFullDiskUnderRejectedDocuments: the run ends with the first document that can neither be written nor saved,
// and deletes nothing.
func TestAFullDiskUnderRejectedDocuments(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	disk := fault.Disk(t, 64)
	h.source.Parts["a"] = numbered("a", "old", 5)
	h.sync()
	h.source.Parts["a"] = nil
	for i := range 100 {
		h.source.Parts["a"] = append(h.source.Parts["a"], doc("a", fmt.Sprint("a", i), strings.Repeat("x", 3000)))
	}
	kept := h.dead
	h.dead = filepath.Join(disk, "dead.ndjson")
	h.rules = []fault.Rule{{Path: "_bulk", Refuse: func(id string) string {
		return map[bool]string{true: unparsable}[strings.HasPrefix(id, "a")]
	}}}
	res, err := h.run(t.Context())
	isFull(t, res, err)
	saved := int64(len(completeRecords(t, h.dead)))
	if res.Counts.Rejected != saved || saved < 10 || saved > 25 || res.Counts.Deleted != 0 || len(h.held()) != 5 {
		t.Errorf("%+v, %d of them saved, %d documents are left", res.Counts, saved, len(h.held()))
	}
	h.dead = kept
	if res := h.sync(); res.Counts.Created != 100 || res.Counts.Deleted != 5 {
		t.Errorf("with room again: %+v", res.Counts)
	}
}
