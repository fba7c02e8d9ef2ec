package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// BulkItem is the response to one operation of a bulk request.
type BulkItem struct {
	Status int
	Result string // created, updated, deleted, not_found, or noop if a pipeline dropped the document
	Type   string // of the error, "" if there is none
	Reason string
	// Elsewhere names the other id or index that the operation was applied to, if a pipeline changed it:
	// by the id "…", in the index "…".
	Elsewhere string
}

// BulkAnswer is the response to a bulk request.
type BulkAnswer struct {
	Items     []BulkItem // in the order of the operations; nil if all were done and there is nothing else to report
	BodyInUse bool       // the transport may still be reading the body, which must not be overwritten
}

// AppendIndex appends the action line that writes a document; its _source follows on the next line.
func AppendIndex(dst []byte, id string) []byte {
	dst = append(dst, `{"index":{"_id":`...)
	dst = document.AppendString(dst, id)
	return append(dst, "}}\n"...)
}

// AppendCreate appends the action line that writes a document if the id does not exist.
func AppendCreate(dst []byte, id string) []byte {
	dst = append(dst, `{"create":{"_id":`...)
	dst = document.AppendString(dst, id)
	return append(dst, "}}\n"...)
}

// AppendReplace appends the action line that writes a document, if it has not changed since it had
// that sequence number.
func AppendReplace(dst []byte, id string, seqNo, primaryTerm int64) []byte {
	dst = append(dst, `{"index":{"_id":`...)
	dst = document.AppendString(dst, id)
	return append(appendGuard(dst, seqNo, primaryTerm), "}}\n"...)
}

func appendGuard(dst []byte, seqNo, primaryTerm int64) []byte {
	dst = append(dst, `,"if_seq_no":`...)
	dst = strconv.AppendInt(dst, seqNo, 10)
	dst = append(dst, `,"if_primary_term":`...)
	return strconv.AppendInt(dst, primaryTerm, 10)
}

// AppendDelete appends the action line that deletes a document, if it has not changed since it had
// that sequence number.
func AppendDelete(dst []byte, id, routing string, seqNo, primaryTerm int64) []byte {
	dst = append(dst, `{"delete":{"_id":`...)
	dst = document.AppendString(dst, id)
	dst = appendGuard(dst, seqNo, primaryTerm)
	if routing != "" {
		dst = append(dst, `,"routing":`...)
		dst = document.AppendString(dst, routing)
	}
	return append(dst, "}}\n"...)
}

// Bulk is operations on one index, built with [AppendIndex] and related functions.
type Bulk struct {
	Index    string // concrete
	Pipeline string // "" for none
	Body     []byte
	Count    int                // of operations
	ID       func(i int) string // the id sent with operation i
}

// Bulk sends operations. The response has one item per operation; if an operation was applied to another
// id or index than requested, its item says so.
func (c *Client) Bulk(ctx context.Context, b Bulk) (BulkAnswer, error) {
	discreet := c.discreet.Load()
	answer, err := c.bulk(ctx, b, discreet)
	if e, ok := errors.AsType[*Error](err); ok && discreet && e.Status == http.StatusBadRequest && strings.Contains(e.Reason, "include_source_on_error") {
		// A node of an older version, in a cluster that is being upgraded.
		c.discreet.Store(false)
		inUse := answer.BodyInUse
		answer, err = c.bulk(ctx, b, false)
		answer.BodyInUse = answer.BodyInUse || inUse
	}
	return answer, err
}

// bulk sends operations. If discreet is set, the server leaves documents out of its error messages.
func (c *Client) bulk(ctx context.Context, b Bulk, discreet bool) (BulkAnswer, error) {
	body := shared(b.Body, compatibleNDJSON)
	op := fmt.Sprintf("write to index %q", b.Index)
	var source *bool
	if discreet {
		source = new(bool)
	}
	raw, err := c.do(ctx, op, esapi.BulkRequest{
		Index: url.PathEscape(b.Index), Pipeline: b.Pipeline, Body: body, IncludeSourceOnError: source,
		FilterPath: []string{
			"errors", "items.*._index", "items.*._id", "items.*.status", "items.*.result",
			"items.*.error.type", "items.*.error.reason", "items.*.error.caused_by",
		},
	}, nil, smallAnswer+int64(b.Count)*bulkItem)
	answer := BulkAnswer{BodyInUse: body.inUse()}
	if err != nil {
		return answer, err
	}
	answer.Items, err = b.decode(raw)
	if err != nil {
		return answer, fmt.Errorf("%s: %w", op, err)
	}
	return answer, nil
}

// decode reads the items of a response; nil if everything was done as requested.
func (b *Bulk) decode(raw []byte) ([]BulkItem, error) {
	c := cursor{b: raw}
	n, sawItems := 0, false
	var items []BulkItem
	err := c.object(func(key []byte) error {
		if string(key) != "items" {
			_, err := c.value()
			return err
		}
		sawItems = true
		return c.array(func() error {
			if n == b.Count {
				return fmt.Errorf("the response has more items than the %d operations sent: %w", b.Count, errCut)
			}
			item, err := b.item(&c, n)
			if err != nil {
				return err
			}
			if items == nil && !item.plain() {
				items = make([]BulkItem, n, b.Count)
				for i := range items {
					items[i].Status = http.StatusOK
				}
			}
			if items != nil {
				items = append(items, item)
			}
			n++
			return nil
		})
	})
	switch {
	case err != nil:
		return nil, err
	case !sawItems:
		return nil, lacks("items", false)
	case n != b.Count:
		return nil, fmt.Errorf("sent %d operations and got %d items: %w", b.Count, n, errCut)
	}
	return items, c.end()
}

// item reads the response to operation i: an object with one member, whose name is the action.
func (b *Bulk) item(c *cursor, i int) (item BulkItem, err error) {
	members := 0
	err = c.object(func([]byte) error {
		members++
		return b.fields(c, i, &item)
	})
	switch {
	case err != nil:
		return item, err
	case members != 1:
		return item, fmt.Errorf("the response to an operation has %d members: %w", members, errCut)
	case item.Status == 0:
		return item, fmt.Errorf("the response to an operation has no status: %w", errCut)
	}
	return item, nil
}

func (b *Bulk) fields(c *cursor, i int, item *BulkItem) error {
	var sawID, sawIndex bool
	err := c.object(func(key []byte) error {
		v, err := c.value()
		if err != nil {
			return err
		}
		switch string(key) {
		case "_id":
			sawID = true
			err = elsewhere(v, b.ID(i), "by the id ", item)
		case "_index":
			sawIndex = true
			err = elsewhere(v, b.Index, "in the index ", item)
		case "status":
			item.Status, err = strconv.Atoi(string(v))
		case "result":
			item.Result, err = result(v)
		case "error":
			var e *cause
			if err = json.Unmarshal(v, &e); err == nil && e != nil {
				item.Type, item.Reason = e.typed()
			}
		}
		if err != nil {
			return fmt.Errorf("%s of an operation: %w: %w", key, errCut, err)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case item.Type == "" && item.Status < http.StatusBadRequest && (!sawID || !sawIndex):
		return lacks("_id or _index of an operation", false)
	}
	return nil
}

// elsewhere notes that an operation was applied to another id or index than requested.
func elsewhere(raw []byte, asked, what string, item *BulkItem) error {
	if n := len(raw) - 2; n == len(asked) && raw[0] == '"' && string(raw[1:n+1]) == asked {
		return nil
	}
	var got string
	if err := json.Unmarshal(raw, &got); err != nil || got == asked {
		return err
	}
	if item.Elsewhere != "" {
		item.Elsewhere += ", "
	}
	item.Elsewhere += what + strconv.Quote(got)
	return nil
}

// result reads a result. Known results are not allocated.
func result(raw []byte) (string, error) {
	switch string(raw) {
	case `"created"`:
		return "created", nil
	case `"updated"`:
		return "updated", nil
	case `"deleted"`:
		return "deleted", nil
	}
	return text(raw)
}

// plain reports that an operation was done and there is nothing else to report.
func (i *BulkItem) plain() bool {
	return i.Status < http.StatusMultipleChoices && i.Type == "" && i.Elsewhere == "" && i.Result != "noop"
}

// IsCut reports whether a response was incomplete; its operations may have been done.
func IsCut(err error) bool { return errors.Is(err, errCut) }

// RetryAfter is how long the server asked to wait, or 0.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
