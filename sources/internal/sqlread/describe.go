package sqlread

import (
	"slices"
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

// IDs is what is known of the ids of a table.
type IDs struct {
	Profile Profile
	Prefix  string // of the documents, as the profile has it
	// Nullable reports that all columns of the key may be NULL in one row, whose id then ends with the prefix.
	Nullable bool
	// Digits tells of each column of the key that ids have its values without other characters than digits and
	// "+-._E".
	Digits []bool
}

// Describe adds what is known of the ids to the described fields.
func (i *IDs) Describe(fields []source.DescribedField) source.Description {
	d := source.Description{Fields: fields}
	if i.Profile == Native || len(i.Digits) == 0 {
		return d // no two tables share an id; without a key there is none
	}
	d.IDPrefix, d.NumericIDs = i.Prefix, !slices.Contains(i.Digits, false)
	if i.Profile == Head && !i.Nullable {
		d.IDPrefix += "_" // it stands before each value; of the profile seed87 behind each, and behind the prefix
	}
	return d
}
