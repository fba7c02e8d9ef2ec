package sqlread

import (
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Described keeps the description of a table for all of its parts. The zero value is ready for use.
type Described struct {
	once        sync.Once
	description source.Description
	err         error
}

// Once returns the description that describe made for the first part that asked.
func (d *Described) Once(describe func() (source.Description, error)) (source.Description, error) {
	d.once.Do(func() { d.description, d.err = describe() })
	return d.description, d.err
}
