package bulk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// Rejection is one document that could not be written.
type Rejection struct {
	Schema    int             `json:"schema"`
	Time      time.Time       `json:"time"`
	Connector string          `json:"connector"`
	Index     string          `json:"index"`
	ID        string          `json:"id"`
	Part      string          `json:"part,omitempty"`
	Kind      string          `json:"kind"` // create, update or delete
	Type      string          `json:"type"` // of the error
	Reason    string          `json:"reason"`
	Document  json.RawMessage `json:"document,omitempty"`
}

// DeadLetter is the file of rejected documents.
type DeadLetter struct{ records }

// NewDeadLetter names the file; nothing is made yet.
func NewDeadLetter(path string) *DeadLetter {
	return &DeadLetter{records{what: "dead-letter file", path: path}}
}

// Put writes a rejection. When it returns, the operating system has it.
func (d *DeadLetter) Put(r Rejection) error {
	if len(r.Document) > 0 && !json.Valid(r.Document) {
		return fmt.Errorf("dead-letter file %s: the document %q is not JSON", d.path, r.ID)
	}
	return d.put(r)
}

// Rejections reads a dead-letter file. An error names the line and ends the sequence.
func Rejections(path string) iter.Seq2[Rejection, error] {
	return func(yield func(Rejection, error) bool) {
		info, err := os.Stat(path)
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s %w", path, ownfile.ErrKind)
		}
		var f *os.File
		if err == nil {
			f, err = os.Open(path)
		}
		if err != nil {
			yield(Rejection{}, err)
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		lines := bufio.NewReader(f)
		for n := 1; ; n++ {
			line, err := lines.ReadBytes('\n')
			if errors.Is(err, io.EOF) && len(line) == 0 {
				return
			}
			var r Rejection
			if err == nil || errors.Is(err, io.EOF) {
				err = r.parse(line)
			}
			if err != nil {
				err = fmt.Errorf("%s:%d: %w", path, n, err)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (r *Rejection) parse(line []byte) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return errors.New("the line is empty")
	}
	if err := json.Unmarshal(line, r); err != nil {
		return fmt.Errorf("not a rejected document: %w", err)
	}
	switch {
	case r.Schema != 1:
		return fmt.Errorf("not a rejected document of schema 1, but of %d", r.Schema)
	case r.Kind != plan.Delete.String() && !bytes.HasPrefix(r.Document, []byte("{")):
		return fmt.Errorf("the rejected document %q has no fields", r.ID)
	}
	return nil
}

// Deletion is one document that is about to be deleted, as the index held it.
type Deletion struct {
	Schema    int             `json:"schema"`
	Time      time.Time       `json:"time"`
	Connector string          `json:"connector"`
	Index     string          `json:"index"`
	ID        string          `json:"id"`
	Part      string          `json:"part,omitempty"`
	Reason    string          `json:"reason"`
	Routing   string          `json:"routing,omitempty"`
	Document  json.RawMessage `json:"document"`
}

// Deleted is the file of deleted documents. A document stands in it before its delete is sent.
type Deleted struct{ records }

// NewDeleted names the file; nothing is made yet.
func NewDeleted(path string) *Deleted {
	return &Deleted{records{what: "file of deleted documents", path: path}}
}

// Put writes a deletion. When it returns, the operating system has it.
func (d *Deleted) Put(r Deletion) error { return d.put(r) }

// records is a file of one JSON object a line, with whole documents, so nobody else may read it. It
// is made for the first record, in place of an earlier process's, and is safe for concurrent use.
// After Close it goes on where it was, for the next connector of the same command.
type records struct {
	what string
	path string
	mu   sync.Mutex
	file *os.File
	n    int
}

// Ready returns why the file could not be made, before there is a document that needs it.
func (r *records) Ready() error {
	if err := ownfile.Ready(r.path); err != nil {
		return fmt.Errorf("%s: %w", r.what, err)
	}
	return nil
}

// Path is the name of the file.
func (r *records) Path() string { return r.path }

// Count is how many documents the file has got.
func (r *records) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

func (r *records) put(v any) error {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("%s: %w", r.what, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		open := ownfile.Create // so that no earlier file's wider rights remain
		if r.n > 0 {
			open = ownfile.Append
		}
		f, err := open(r.path)
		if err != nil {
			return fmt.Errorf("%s: %w", r.what, err)
		}
		r.file = f
	}
	if _, err := r.file.Write(line.Bytes()); err != nil {
		return fmt.Errorf("%s: %w", r.what, err)
	}
	r.n++
	return nil
}

// Close closes the file, if there is one.
func (r *records) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}
