package bulk

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
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

// DeadLetter is the file of a run's rejected documents: one JSON object a line, with the whole
// document, so nobody else may read it. It is made at the first rejection, in place of an earlier
// run's, and is safe for concurrent use.
type DeadLetter struct {
	path string
	mu   sync.Mutex
	file *os.File
	n    int
}

// NewDeadLetter names the file; nothing is made yet.
func NewDeadLetter(path string) *DeadLetter { return &DeadLetter{path: path} }

// Path is the name of the file.
func (d *DeadLetter) Path() string { return d.path }

// Count is how many documents the file has got.
func (d *DeadLetter) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}

// Put writes a rejection. When it returns, the operating system has it.
func (d *DeadLetter) Put(r Rejection) error {
	if len(r.Document) > 0 && !json.Valid(r.Document) {
		return fmt.Errorf("dead-letter file %s: the document %q is not JSON", d.path, r.ID)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("dead-letter file %s: %w", d.path, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		f, err := open(d.path)
		if err != nil {
			return fmt.Errorf("dead-letter file: %w", err)
		}
		d.file = f
	}
	if _, err := d.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("dead-letter file: %w", err)
	}
	d.n++
	return nil
}

// Close closes the file, if there is one.
func (d *DeadLetter) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	return err
}

// open makes the file anew, so that no earlier file's wider rights remain. What is not an ordinary
// file, such as a pipe, is opened as it is.
func open(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(path); err == nil {
		if !info.Mode().IsRegular() {
			return os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}
