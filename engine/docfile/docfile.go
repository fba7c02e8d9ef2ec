// Package docfile writes and reads the two files of documents that a run saves: the dead-letter file, with
// documents that could not be written, and the file of deleted documents.
//
// They hold complete documents, so only their owner may read them. Its invariant: once a record is put, the
// operating system has the data.
package docfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
)

// records is a file of one JSON object a line. It is created with its first record, replaces the file of an
// earlier process, and is safe for concurrent use. After Close it can be appended to, for the next connector of
// the same command.
type records struct {
	what string
	path string
	mu   sync.Mutex
	file *os.File
	n    int
}

// Ready returns why the file cannot be created, before any document needs it.
func (r *records) Ready() error {
	if err := ownfile.Ready(r.path); err != nil {
		return fmt.Errorf("%s: %w", r.what, err)
	}
	return nil
}

// Path is the name of the file.
func (r *records) Path() string { return r.path }

// Count is the number of documents in the file.
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
		open := ownfile.Create // so that an earlier file's wider permissions do not remain
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
