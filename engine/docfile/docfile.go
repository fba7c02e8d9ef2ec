// Package docfile writes and reads the two files that a run keeps of documents: the dead-letter file, of those that
// could not be written, and the file of those that it deletes.
//
// They hold complete documents, so only their owner may read them. Its invariant: when a record was put, the operating
// system has it.
package docfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
)

// records is a file of one JSON object a line. It is created for the first record, in place of an earlier process's,
// and is safe for concurrent use. After Close it continues where it was, for the next connector of the same command.
type records struct {
	what string
	path string
	mu   sync.Mutex
	file *os.File
	n    int
}

// Ready returns why the file could not be created, before there is a document that needs it.
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
