package docfile

import (
	"encoding/json"
	"time"
)

// Deletion is one document that is about to be deleted, with its content in the index.
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

// Deleted is the file of deleted documents. A document is written to it before its delete is sent.
type Deleted struct{ records }

// NewDeleted names the file, which is created with its first record.
func NewDeleted(path string) *Deleted {
	return &Deleted{records{what: "file of deleted documents", path: path}}
}

// Put writes a deletion. When it returns, the operating system has the data.
func (d *Deleted) Put(r Deletion) error { return d.put(r) }
