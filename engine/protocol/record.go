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

// Record is one record as it was last read or written.
type Record[T any] struct {
	ID   string
	Body T
	kept elastic.Record
}

// Errors of this package, in addition to those of engine/elastic.
var (
	// ErrLost means that a change is no longer wanted: another program was first.
	ErrLost = errors.New("another program was first")
	// ErrConfig means that a configured value cannot work.
	ErrConfig = errors.New("configuration")
	// ErrRecord means that this program cannot read a record.
	ErrRecord = errors.New("the record cannot be read")
)

// maxConflicts is how often an update is repeated because the record was written in the meantime. Each
// time another program has made progress, so programs that terminate never reach it.
const maxConflicts = 20

// Collection is the records of one kind.
type Collection[T any] struct {
	client *elastic.Client
	index  string
	retry  retry.Policy
}

// read decodes a record. Fields of an unexpected type are left out, so that one odd field does not
// make a record unreadable.
func read[T any](kept elastic.Record) (Record[T], error) {
	r := Record[T]{ID: kept.ID, kept: kept}
	err := json.Unmarshal(kept.Source, &r.Body)
	if _, odd := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !odd {
		return r, fmt.Errorf("record %q: %w: %w", kept.ID, ErrRecord, err)
	}
	return r, nil
}

// Get reads the current record.
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

// Find lists records as of the last refresh. A record that cannot be read is reported and left out.
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

// Create writes a new record. The error is of kind [elastic.ErrConflict] if the id exists.
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

// Update applies change and writes the fields that it altered, if the record has not been written since
// it was read; otherwise it reads the record again and calls change again. An error of change ends it:
// then nothing is written, and the record is returned as last read. If the response to a write was lost,
// change may be called with a record that already contains its own changes.
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
	return r, fmt.Errorf("record %q of %q: other programs wrote it %d times: %w", r.ID, c.index, maxConflicts, elastic.ErrConflict)
}

// Delete removes a record, even if it was written in the meantime.
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

// again repeats a request until it succeeds, as long as the policy allows.
func (c *Collection[T]) again(ctx context.Context, do func() error) error {
	backoff := c.retry.Start()
	for {
		err := do()
		if !errors.Is(err, elastic.ErrTemporary) && !errors.Is(err, elastic.ErrUnreachable) || !backoff.Wait(ctx, elastic.RetryAfter(err)) {
			return err
		}
	}
}

// changed is the complete record with the changes; source is nil if there are none.
func (r *Record[T]) changed(change func(*T) error) (source []byte, body T, err error) {
	old, err := read[T](r.kept) // a separate copy: change may alter what the body refers to
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

// edit applies the difference between before and after to record, and leaves everything else unchanged, at
// every depth of objects: fields that this program does not know belong to other programs.
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
		if !bytes.Equal(old[key], value) { // missing fields stay missing
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
