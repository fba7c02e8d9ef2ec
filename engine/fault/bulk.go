package fault

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// operation is one of a bulk request.
type operation struct {
	kind, id string
	lines    []byte
}

// answer is the item that answers it.
func (o *operation) answer(body string) string { return `{"` + o.kind + `":` + body + `}` }

// operations takes a bulk request apart. The ids of tests need no quoting.
func operations(body []byte) []operation {
	var out []operation
	for line := range bytes.Lines(body) {
		for _, kind := range []string{"index", "create", "delete"} {
			if rest, ok := bytes.CutPrefix(line, []byte(`{"`+kind+`":{"_id":"`)); ok {
				id, _, _ := bytes.Cut(rest, []byte(`"`))
				out = append(out, operation{kind: kind, id: string(id)})
			}
		}
		last := &out[len(out)-1]
		last.lines = append(last.lines, line...)
	}
	return out
}

func itemsAnswer(r *http.Request, items []string) *http.Response {
	failed := "false"
	for _, item := range items {
		if strings.Contains(item, `"error"`) {
			failed = "true"
		}
	}
	return JSON(http.StatusOK, `{"errors":`+failed+`,"items":[`+strings.Join(items, ",")+`]}`)(r, nil)
}

// refuse answers some operations of a bulk request and sends on the others.
func refuse(next http.RoundTripper, r *http.Request, body []byte, item func(id string) string) (*http.Response, error) {
	var left []byte
	ops := operations(body)
	items := make([]string, len(ops))
	for i, op := range ops {
		if a := item(op.id); a != "" {
			items[i] = op.answer(a)
		} else {
			left = append(left, op.lines...)
		}
	}
	var answer struct {
		Items []json.RawMessage `json:"items"`
	}
	if len(left) > 0 {
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(left)), int64(len(left))
		res, err := next.RoundTrip(r)
		if err != nil || res.StatusCode != http.StatusOK {
			return res, err
		}
		defer res.Body.Close() //nolint:errcheck // a test's answer
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			return nil, err
		}
	}
	for i := range items {
		if items[i] == "" && len(answer.Items) > 0 {
			items[i], answer.Items = string(answer.Items[0]), answer.Items[1:]
		}
	}
	return itemsAnswer(r, items), nil
}
