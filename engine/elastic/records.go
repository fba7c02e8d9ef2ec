package elastic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Record is a document that is read and written individually, with the version that guards its writes.
type Record struct {
	ID          string
	Source      []byte
	SeqNo       int64
	PrimaryTerm int64
}

// maxRecords is how many hits one search may have, see index.max_result_window.
const maxRecords = 10_000

// oneRecord is the average size that one of many records may have in a response.
const oneRecord = 16 << 10

// Search defines the records to search for.
type Search struct {
	Query any // nil: everything
	Sort  any // nil for no order
	Size  int // maximum number; 0: all, and more than 10,000 are an error
}

// Records lists the records of an index that a search finds, as of the last
// refresh.
func (c *Client) Records(ctx context.Context, index string, s Search) ([]Record, error) {
	size := maxRecords
	if s.Size > 0 {
		size = s.Size
	}
	body := map[string]any{"size": size, "track_total_hits": false, "seq_no_primary_term": true, "_source": true}
	if s.Query != nil {
		body["query"] = s.Query
	}
	if s.Sort != nil {
		body["sort"] = s.Sort
	}
	partial := false
	op := fmt.Sprintf("search index %q", index)
	r := esapi.SearchRequest{Index: []string{url.PathEscape(index)}, Body: asJSON(body), AllowPartialSearchResults: &partial}
	raw, err := c.do(ctx, op, r, nil, smallAnswer+int64(size)*oneRecord)
	if err != nil {
		return nil, err
	}
	var found []Record
	_, err = decodePage(raw, func(h Hit) error {
		found = append(found, Record{ID: h.ID, Source: h.Source, SeqNo: h.SeqNo, PrimaryTerm: h.PrimaryTerm})
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", op, err)
	case s.Size == 0 && len(found) == maxRecords:
		return nil, fmt.Errorf("%s: it finds %d records or more, too many for one search", op, maxRecords)
	}
	return found, nil
}

// Record reads the current version of one record, without a refresh. The error is of kind ErrNotFound if
// it does not exist.
func (c *Client) Record(ctx context.Context, index, id string) (Record, error) {
	a := recordAnswer{want: id}
	if id == "" { // it would be a different request
		return Record{}, fmt.Errorf("read a record of index %q that has no id: %w", index, ErrNotFound)
	}
	op := fmt.Sprintf("read record %q of index %q", id, index)
	err := c.call(ctx, op, esapi.GetRequest{Index: url.PathEscape(index), DocumentID: url.PathEscape(id)}, &a)
	if err == nil && !*a.Found {
		err = fmt.Errorf("%s: %w", op, ErrNotFound)
	}
	return Record{ID: id, Source: a.Source, SeqNo: a.SeqNo, PrimaryTerm: a.PrimaryTerm}, err
}

// recordAnswer is the response to a request for one record.
type recordAnswer struct {
	want        string
	ID          string          `json:"_id"`
	Found       *bool           `json:"found"`
	SeqNo       int64           `json:"_seq_no"`
	PrimaryTerm int64           `json:"_primary_term"`
	Source      json.RawMessage `json:"_source"`
}

func (a *recordAnswer) check() error {
	if err := lacks("found", a.Found != nil); err != nil || !*a.Found {
		return err
	}
	if a.ID != a.want {
		return fmt.Errorf("the response is about record %q: %w", a.ID, errCut)
	}
	return lacks("_source and _primary_term", len(a.Source) > 0 && a.PrimaryTerm > 0)
}

// written is the response to a write of one record.
type written struct {
	want        string // "" if the destination generates the id
	ID          string `json:"_id"`
	Result      string `json:"result"`
	SeqNo       int64  `json:"_seq_no"`
	PrimaryTerm int64  `json:"_primary_term"`
}

func (w *written) check() error {
	switch {
	case w.Result != "created" && w.Result != "updated":
		return fmt.Errorf("the response says %q instead of confirming that the record was written: %w", w.Result, errCut)
	case w.want != "" && w.ID != w.want:
		return fmt.Errorf("the record was written with another id, %q: %w", w.ID, errCut)
	}
	return lacks("_id and _primary_term", w.ID != "" && w.PrimaryTerm > 0)
}

// CreateRecord writes a record that does not exist yet; with an empty id the destination generates one.
// The error is of kind ErrConflict if the id exists.
func (c *Client) CreateRecord(ctx context.Context, index, id string, source []byte) (Record, error) {
	r := esapi.IndexRequest{Index: url.PathEscape(index), DocumentID: url.PathEscape(id), Body: shared(source, compatibleJSON)}
	op := fmt.Sprintf("write a new record of index %q", index)
	if id != "" {
		r.OpType = "create"
		op = fmt.Sprintf("write the new record %q of index %q", id, index)
	}
	w := written{want: id}
	err := c.call(ctx, op, r, &w)
	return Record{ID: w.ID, Source: source, SeqNo: w.SeqNo, PrimaryTerm: w.PrimaryTerm}, err
}

// ReplaceRecord overwrites a record if it has not changed since it was read. The error is of kind
// ErrConflict if it was written or deleted since.
func (c *Client) ReplaceRecord(ctx context.Context, index string, r Record, source []byte) (Record, error) {
	seqNo, term := int(r.SeqNo), int(r.PrimaryTerm)
	request := esapi.IndexRequest{
		Index: url.PathEscape(index), DocumentID: url.PathEscape(r.ID), Body: shared(source, compatibleJSON), IfSeqNo: &seqNo, IfPrimaryTerm: &term,
	}
	w := written{want: r.ID}
	err := c.call(ctx, fmt.Sprintf("write record %q of index %q", r.ID, index), request, &w)
	return Record{ID: r.ID, Source: source, SeqNo: w.SeqNo, PrimaryTerm: w.PrimaryTerm}, err
}

// DeleteRecord removes a record if it has not changed since it was read.
func (c *Client) DeleteRecord(ctx context.Context, index string, r Record) error {
	seqNo, term := int(r.SeqNo), int(r.PrimaryTerm)
	request := esapi.DeleteRequest{Index: url.PathEscape(index), DocumentID: url.PathEscape(r.ID), IfSeqNo: &seqNo, IfPrimaryTerm: &term}
	return c.call(ctx, fmt.Sprintf("delete record %q of index %q", r.ID, index), request, nil)
}

// Count is how many documents an index holds, as of its last refresh.
func (c *Client) Count(ctx context.Context, index string) (int64, error) {
	var a countAnswer
	r := esapi.CountRequest{Index: []string{url.PathEscape(index)}}
	err := c.call(ctx, fmt.Sprintf("count the documents of index %q", index), r, &a)
	if err != nil {
		return 0, err
	}
	return *a.Count, nil
}

type countAnswer struct {
	Count  *int64  `json:"count"`
	Shards *shards `json:"_shards"`
}

func (a *countAnswer) check() error {
	if err := lacks("count and _shards", a.Count != nil && a.Shards != nil); err != nil {
		return err
	}
	return a.Shards.check()
}
