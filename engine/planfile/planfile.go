// Package planfile writes and reads saved plans: the changes that a diff found, so that a later sync makes at most
// those that were reviewed.
//
// A plan holds ids and digests and no values of fields. It is a file of one JSON object a line: a header, the
// changes in no particular order, and an end with a digest of everything before it. Its invariant: [Load] returns
// only a complete plan that was not edited. docs/plans.md describes the format.
package planfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// Schema is the version of the format. A program refuses plans of any other version.
const Schema = 1

// The kinds of the first and the last line.
const (
	kindPlan = "plan"
	kindEnd  = "end"
)

// Header is the first line of a plan: what was compared with what.
type Header struct {
	Schema    int       `json:"schema"`
	Kind      string    `json:"kind"`
	Time      time.Time `json:"time"`
	Connector string    `json:"connector"`
	Parts     []string  `json:"parts,omitempty"` // patterns; none for all parts
	Compare   string    `json:"compare"`
	Target
}

// Target is the index of a plan, and what it mirrors.
type Target struct {
	Owner    string `json:"owner"`
	Identity string `json:"identity,omitempty"`
	Index    string `json:"index"`
	UUID     string `json:"uuid,omitempty"` // "" if the index did not exist
}

// line is a change of a plan.
type line struct {
	Kind  string `json:"kind"` // create, update or delete
	ID    string `json:"id"`
	Scope string `json:"part"`
	// Digest identifies the document to write; for a delete, the copy in the index.
	Digest string `json:"digest"`
}

// end is the last line of a plan.
type end struct {
	Kind    string `json:"kind"`
	Changes int64  `json:"changes"`
	SHA256  string `json:"sha256"` // of all lines before this one
}

// digestBytes is the length of a digest: two documents with the same one are found only on purpose.
const digestBytes = 16

type digest [digestBytes]byte

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// digestOf identifies what a change does. The fields that every run writes again do not count.
func digestOf(c *plan.Change) (d digest, err error) {
	var state []byte
	if c.Kind == plan.Delete {
		state = strconv.AppendInt(strconv.AppendInt(state, c.At.SeqNo, 10), -c.At.PrimaryTerm, 10)
	} else if state, err = document.Canonical(nil, c.Source, nil); err != nil {
		return d, fmt.Errorf("document %q: %w", c.ID, err)
	}
	sum := sha256.Sum256(state)
	return digest(sum[:digestBytes]), nil
}
