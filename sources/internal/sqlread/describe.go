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

// Once returns the description that describe returned for the first caller.
func (d *Described) Once(describe func() (source.Description, error)) (source.Description, error) {
	d.once.Do(func() { d.description, d.err = describe() })
	return d.description, d.err
}

// IDs describes the ids of a table.
type IDs struct {
	Profile Profile
	Prefix  string // of the documents' ids, by the profile
	// Nullable reports that all columns of the key may be NULL in one row, whose id then ends with the prefix.
	Nullable bool
	// Digits reports for each column of the key that its values in ids consist only of digits and
	// "+-._E".
	Digits []bool
}

// Describe adds the description of the ids to the described fields.
func (i *IDs) Describe(fields []source.DescribedField) source.Description {
	d := source.Description{Fields: fields}
	if i.Profile == Native || len(i.Digits) == 0 {
		return d // no two tables share an id; without a key there is none
	}
	d.IDPrefix, d.NumericIDs = i.Prefix, !slices.Contains(i.Digits, false)
	if i.Profile == Head && !i.Nullable {
		d.IDPrefix += "_" // it precedes each value; in the profile seed87 it follows the prefix and each value
	}
	return d
}
