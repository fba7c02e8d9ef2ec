package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// Record is one record as it was read or written last.
type Record[T any] struct {
	ID   string
	Body T
	kept elastic.Record
}

// Errors of this package, beside those of engine/elastic.
var (
	// ErrLost is what a change returns that is no longer wanted: somebody else was first.
	ErrLost = errors.New("somebody else was first")
	// ErrConfig is what somebody has configured and that cannot work.
	ErrConfig = errors.New("configuration")
	// ErrRecord is a record that this program cannot read.
	ErrRecord = errors.New("the record cannot be read")
)

// maxConflicts is how often an update is made anew because somebody wrote the record meanwhile. Each
// time somebody else has got something done, so it is never reached by programs that come to an end.
const maxConflicts = 20

// Collection is the records of one kind.
type Collection[T any] struct {
	client *elastic.Client
	index  string
	retry  retry.Policy
}

// read decodes a record. Fields of another type than ours are left out, so that one odd field does not
// make a record unreadable.
func read[T any](kept elastic.Record) (Record[T], error) {
	r := Record[T]{ID: kept.ID, kept: kept}
	err := json.Unmarshal(kept.Source, &r.Body)
	if _, odd := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !odd {
		return r, fmt.Errorf("record %q: %w: %w", kept.ID, ErrRecord, err)
	}
	return r, nil
}

// Get reads a record as it is now.
func (c *Collection[T]) Get(ctx context.Context, id string) (r Record[T], err error) {
	err = c.again(ctx, func() error {
		kept, err := c.client.Record(ctx, c.index, id)
		if err == nil {
			r, err = read[T](kept)
		}
		return err
	})
	return r, err
}

// Find lists records, as of the last refresh. One that cannot be read is left out and told.
func (c *Collection[T]) Find(ctx context.Context, s elastic.Search) (found []Record[T], unreadable []error, err error) {
	var all []elastic.Record
	err = c.again(ctx, func() (err error) {
		all, err = c.client.Records(ctx, c.index, s)
		return err
	})
	for _, kept := range all {
		if r, err := read[T](kept); err != nil {
			unreadable = append(unreadable, err)
		} else {
			found = append(found, r)
		}
	}
	return found, unreadable, err
}

// Create writes a new record. The error is of kind [elastic.ErrConflict] when there is one by that id.
func (c *Collection[T]) Create(ctx context.Context, id string, body T) (Record[T], error) {
	source, err := json.Marshal(body)
	if err != nil {
		return Record[T]{}, fmt.Errorf("new record %q: %w", id, err)
	}
	r := Record[T]{ID: id, Body: body}
	err = c.again(ctx, func() error {
		r.kept, err = c.client.CreateRecord(ctx, c.index, id, source)
		return err
	})
	return r, err
}

// Update applies change and writes the fields that it altered, if nobody has written the record since
// it was read; otherwise the record is read anew and change asked again. An error of change ends it:
// then nothing is written, and the record is returned as it was seen last. change may be asked about a
// record that holds what it wrote itself, where the answer to that write was lost.
func (c *Collection[T]) Update(ctx context.Context, r Record[T], change func(*T) error) (Record[T], error) {
	for range maxConflicts {
		source, body, err := r.changed(change)
		if err != nil || source == nil {
			return r, err
		}
		err = c.again(ctx, func() error {
			kept, err := c.client.ReplaceRecord(ctx, c.index, r.kept, source)
			if err == nil {
				r.Body, r.kept = body, kept
			}
			return err
		})
		if !errors.Is(err, elastic.ErrConflict) {
			return r, err
		}
		id := r.ID
		if r, err = c.Get(ctx, id); err != nil {
			return r, err
		}
	}
	return r, fmt.Errorf("record %q of %q: it was written by others %d times: %w", r.ID, c.index, maxConflicts, elastic.ErrConflict)
}

// Delete removes a record, whoever wrote it meanwhile.
func (c *Collection[T]) Delete(ctx context.Context, id string) error {
	for range maxConflicts {
		r, err := c.Get(ctx, id)
		if err != nil {
			return err
		}
		err = c.again(ctx, func() error { return c.client.DeleteRecord(ctx, c.index, r.kept) })
		if !errors.Is(err, elastic.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("record %q of %q: %w", id, c.index, elastic.ErrConflict)
}

// again does a request until it is answered, as long as the policy allows.
func (c *Collection[T]) again(ctx context.Context, do func() error) error {
	backoff := c.retry.Start()
	for {
		err := do()
		if !errors.Is(err, elastic.ErrTemporary) && !errors.Is(err, elastic.ErrUnreachable) || !backoff.Wait(ctx, elastic.RetryAfter(err)) {
			return err
		}
	}
}

// changed is the whole record with what change altered; source is nil when that is nothing.
func (r *Record[T]) changed(change func(*T) error) (source []byte, body T, err error) {
	old, err := read[T](r.kept) // a copy of its own: change may alter what the body refers to
	if err != nil {
		return nil, body, err
	}
	before, err := json.Marshal(old.Body)
	if err != nil {
		return nil, body, fmt.Errorf("record %q: %w", r.ID, err)
	}
	if err := change(&old.Body); err != nil {
		return nil, body, err
	}
	after, err := json.Marshal(old.Body)
	if err != nil || bytes.Equal(before, after) {
		return nil, body, err
	}
	return edit(r.kept.Source, before, after), old.Body, nil
}

// edit makes of a record what turns before into after, and leaves the rest as it is, at every depth of
// objects: fields that this program does not know belong to somebody else.
func edit(record, before, after json.RawMessage) json.RawMessage {
	if bytes.Equal(before, after) {
		return record
	}
	old, ok := fieldsOf(before)
	now, also := fieldsOf(after)
	out, too := fieldsOf(record)
	if !ok || !also || !too {
		return after
	}
	for key, value := range now {
		if !bytes.Equal(old[key], value) { // what is absent stays so
			out[key] = edit(out[key], old[key], value)
		}
	}
	for key := range old {
		if _, stays := now[key]; !stays {
			delete(out, key)
		}
	}
	edited, err := json.Marshal(out)
	if err != nil { // these are values that were read from JSON
		panic(err)
	}
	return edited
}

func fieldsOf(raw json.RawMessage) (map[string]json.RawMessage, bool) {
	var m map[string]json.RawMessage
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &m) != nil {
		return nil, false
	}
	return m, true
}
