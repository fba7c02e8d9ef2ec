package planfile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"os"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// Writer writes a plan. The file appears under its name only when the plan is complete. Its methods are safe for
// concurrent use.
type Writer struct {
	path   string
	header Header

	mu   sync.Mutex
	file *os.File
	w    *bufio.Writer
	sum  hash.Hash
	n    int64
	err  error // the first one
}

// NewWriter names the file of a plan. Nothing is created before Begin.
func NewWriter(path string, h Header) *Writer {
	h.Schema, h.Kind = Schema, kindPlan
	return &Writer{path: path, header: h, sum: sha256.New()}
}

// Path is the name of the file.
func (w *Writer) Path() string { return w.path }

// Len is the number of changes.
func (w *Writer) Len() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

// Unfinished is added to the name of a plan's file until the plan is complete.
const Unfinished = ".unfinished"

func (w *Writer) unfinished() string { return w.path + Unfinished }

// Ready returns why the file cannot be created, before anything is read.
func (w *Writer) Ready() error {
	return errors.Join(ownfile.Ready(w.path), ownfile.Ready(w.unfinished()))
}

// Begin creates the file and writes the header.
func (w *Writer) Begin(t Target) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.header.Target = t
	f, err := ownfile.Create(w.unfinished())
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	w.file, w.w = f, bufio.NewWriterSize(f, 64<<10)
	w.write(w.header)
	return w.failure()
}

// Add writes a change, which must be a create, an update or a delete.
func (w *Writer) Add(c *plan.Change) error {
	d, err := digestOf(c)
	if err != nil {
		return fmt.Errorf("plan %s: %w", w.path, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write(line{Kind: c.Kind.String(), ID: c.ID, Scope: c.Scope, Digest: d.String()})
	w.n++
	return w.failure()
}

// write writes one line. The caller holds the lock.
func (w *Writer) write(v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	if err == nil {
		w.sum.Write(b.Bytes())
		_, err = w.w.Write(b.Bytes())
	}
	if w.err == nil {
		w.err = err
	}
}

// failure is the first error. The caller holds the lock.
func (w *Writer) failure() error {
	if w.err == nil {
		return nil
	}
	return fmt.Errorf("plan %s: %w", w.path, w.err)
}

// Finish completes the plan, which then replaces an earlier file of its name.
func (w *Writer) Finish() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	w.write(end{Kind: kindEnd, Changes: w.n, SHA256: hex.EncodeToString(w.sum.Sum(nil))})
	w.err = errors.Join(w.err, w.w.Flush(), w.file.Sync(), w.file.Close())
	w.file = nil
	if w.err == nil {
		w.err = os.Rename(w.unfinished(), w.path)
	}
	if w.err != nil {
		w.err = errors.Join(w.err, os.Remove(w.unfinished()))
	}
	return w.failure()
}

// Abandon removes a plan that is not complete. After Finish it does nothing.
func (w *Writer) Abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file != nil {
		_ = w.file.Close() // it is removed
		_ = os.Remove(w.unfinished())
		w.file = nil
	}
}
