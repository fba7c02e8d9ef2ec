package planfile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// ErrInvalid means that a file is not a plan that this program can use. The text says why, and what to do.
var ErrInvalid = errors.New("cannot use the plan")

// Plan is a saved plan. It needs some 100 bytes of memory for each change. Its methods are safe for concurrent use.
type Plan struct {
	Header

	scopes      map[string]bool
	changes     map[ids.Key]planned
	same, moved atomic.Int64 // changes that were found again
}

// planned is a change of a plan.
type planned struct {
	kind   plan.Kind
	digest digest
}

// Match is how a change relates to a plan.
type Match int

// The relations of a change to a plan.
const (
	New   Match = iota // the plan has no change of this document
	Moved              // the plan has another change of this document
	Same               // the plan has this change
)

const (
	firstLine = 1 << 20 // longest header
	longest   = 16 << 10
)

// Load reads a plan. An error is of kind [ErrInvalid], or comes from the file system.
func Load(path string) (*Plan, error) {
	if err := ownfile.Check(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	p := &Plan{scopes: map[string]bool{}, changes: map[ids.Key]planned{}}
	if err := p.read(bufio.NewReaderSize(f, firstLine)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

const again = "; save a new plan with `diff --save`"

func (p *Plan) read(r *bufio.Reader) error {
	sum := sha256.New()
	for n := 1; ; n++ {
		raw, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, bufio.ErrBufferFull), n > 1 && len(raw) > longest:
			if n == 1 {
				return invalid("it is not a plan%s", again)
			}
			return invalid("it ends or breaks off at line %d%s", n, again)
		case err != nil:
			return err
		case n == 1:
			if err := p.begin(raw); err != nil {
				return err
			}
		case bytes.HasPrefix(raw, []byte(`{"kind":"`+kindEnd+`"`)):
			return p.end(raw, hex.EncodeToString(sum.Sum(nil)), r)
		default:
			if err := p.add(raw); err != nil {
				return invalid("line %d: %v%s", n, err, again)
			}
		}
		sum.Write(raw)
	}
}

// begin reads the header.
func (p *Plan) begin(raw []byte) error {
	if err := json.Unmarshal(raw, &p.Header); err != nil || p.Kind != kindPlan {
		return invalid("it is not a plan%s", again)
	}
	if p.Schema != Schema {
		return invalid("another version of this program wrote it (schema %d, not %d)%s", p.Schema, Schema, again)
	}
	return nil
}

// add reads a change.
func (p *Plan) add(raw []byte) error {
	var l line
	if err := json.Unmarshal(raw, &l); err != nil {
		return err
	}
	var c planned
	switch l.Kind {
	case plan.Create.String():
		c.kind = plan.Create
	case plan.Update.String():
		c.kind = plan.Update
	case plan.Delete.String():
		c.kind = plan.Delete
	default:
		return fmt.Errorf("unknown kind %q", l.Kind)
	}
	if n, err := hex.Decode(c.digest[:], []byte(l.Digest[:min(len(l.Digest), 2*digestBytes)])); err != nil || n != digestBytes || len(l.Digest) != 2*digestBytes {
		return errors.New("the digest is not one")
	}
	key := ids.KeyOf(l.ID)
	if _, twice := p.changes[key]; twice {
		return fmt.Errorf("the document %q occurs twice", l.ID)
	}
	p.changes[key] = c
	if !p.scopes[l.Scope] {
		p.scopes[strings.Clone(l.Scope)] = true
	}
	return nil
}

// end verifies that the plan is complete and unchanged.
func (p *Plan) end(raw []byte, sum string, r *bufio.Reader) error {
	var e end
	if err := json.Unmarshal(raw, &e); err != nil || e.SHA256 != sum || e.Changes != p.Len() {
		return invalid("it was edited since it was saved%s", again)
	}
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		return invalid("something follows its end%s", again)
	}
	return nil
}

// Len is the number of changes.
func (p *Plan) Len() int64 { return int64(len(p.changes)) }

// Concerns reports whether the plan changes documents of a table, collection, bucket or folder.
func (p *Plan) Concerns(scope string) bool { return p.scopes[scope] }

// Match compares a change that was found now with the plan, and counts it. It is called once for each change.
func (p *Plan) Match(c *plan.Change) (Match, error) {
	was, ok := p.changes[ids.KeyOf(c.ID)]
	if !ok {
		return New, nil
	}
	d, err := digestOf(c)
	if err != nil {
		return Moved, err
	}
	if was.kind != c.Kind || was.digest != d {
		p.moved.Add(1)
		return Moved, nil
	}
	p.same.Add(1)
	return Same, nil
}

// Counts are the changes of the plan that were found again, those whose documents have moved on, and those that no
// longer exist.
func (p *Plan) Counts() (same, moved, gone int64) {
	same, moved = p.same.Load(), p.moved.Load()
	return same, moved, p.Len() - same - moved
}
