package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// BulkItem is the answer to one operation of a bulk request.
type BulkItem struct {
	Status int
	Result string // created, updated, deleted, not_found, or noop where a pipeline dropped the document
	Type   string // of the error, "" when there is none
	Reason string
}

// BulkAnswer is the answer to a bulk request.
type BulkAnswer struct {
	Items     []BulkItem // in the order of the operations; nil when all went well and nothing else was asked for
	BodyInUse bool       // the transport may still be reading the body, which must not be overwritten
}

// AppendIndex appends the action line that writes a document; its _source follows on the next line.
func AppendIndex(dst []byte, id string) []byte {
	dst = append(dst, `{"index":{"_id":`...)
	dst = document.AppendString(dst, id)
	return append(dst, "}}\n"...)
}

// AppendCreate appends the action line that writes a document if there is none of that id.
func AppendCreate(dst []byte, id string) []byte {
	dst = append(dst, `{"create":{"_id":`...)
	dst = document.AppendString(dst, id)
	return append(dst, "}}\n"...)
}

// AppendReplace appends the action line that writes a document, if it still is as it was when it had
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

// AppendDelete appends the action line that deletes a document, if it still is as it was when it had
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

// Bulk sends operations, made by [AppendIndex] and its like, to one index. want is their number.
// With a pipeline every item is reported, since a document may have been dropped; without one, items
// are only reported when one of them failed.
func (c *Client) Bulk(ctx context.Context, index, pipeline string, body []byte, want int) (BulkAnswer, error) {
	lent := lend(body, compatibleNDJSON)
	op := fmt.Sprintf("write to index %q", index)
	raw, err := c.do(ctx, op, esapi.BulkRequest{
		Index: url.PathEscape(index), Pipeline: pipeline, Body: lent,
		FilterPath: []string{"errors", "items.*.status", "items.*.result", "items.*.error.type", "items.*.error.reason", "items.*.error.caused_by"},
	}, nil)
	answer := BulkAnswer{BodyInUse: lent.inUse()}
	if err != nil {
		return answer, err
	}
	if pipeline == "" && bytes.HasPrefix(raw, []byte(`{"errors":false`)) && bytes.HasSuffix(bytes.TrimSpace(raw), []byte("]}")) {
		return answer, nil
	}
	answer.Items, err = decodeBulk(raw, want)
	if err != nil {
		return answer, fmt.Errorf("%s: %w", op, err)
	}
	return answer, nil
}

func decodeBulk(raw []byte, want int) ([]BulkItem, error) {
	var answer struct {
		Items []map[string]struct {
			Status int    `json:"status"`
			Result string `json:"result"`
			Error  *cause `json:"error"`
		} `json:"items"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, fmt.Errorf("%w: %w", errCut, err)
	}
	if len(answer.Items) != want {
		return nil, fmt.Errorf("%d operations were sent and %d answered: %w", want, len(answer.Items), errCut)
	}
	items := make([]BulkItem, 0, want)
	for _, m := range answer.Items {
		for _, one := range m {
			item := BulkItem{Status: one.Status, Result: one.Result}
			if one.Error != nil {
				item.Type, item.Reason = one.Error.typed()
			}
			if item.Status == 0 {
				return nil, fmt.Errorf("an operation was answered without a status: %w", errCut)
			}
			items = append(items, item)
		}
	}
	if len(items) != want {
		return nil, errCut
	}
	return items, nil
}

// IsCut reports whether an answer came but was not whole; what it was about may have been done.
func IsCut(err error) bool { return errors.Is(err, errCut) }

// RetryAfter is how long the server asked to wait, 0 when it did not.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
