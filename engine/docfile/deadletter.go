package docfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
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

// NewDeadLetter names the file, which is created with its first record.
func NewDeadLetter(path string) *DeadLetter {
	return &DeadLetter{records{what: "dead-letter file", path: path}}
}

// Put writes a rejection. When it returns, the operating system has the data.
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
		defer func() { _ = f.Close() }() // only read from
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
		return fmt.Errorf("not a rejected document of schema 1 but of schema %d", r.Schema)
	case r.Kind != plan.Delete.String() && !bytes.HasPrefix(r.Document, []byte("{")):
		return fmt.Errorf("the rejected document %q has no fields", r.ID)
	}
	return nil
}
