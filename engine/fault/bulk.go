package fault

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// operation is one of a bulk request.
type operation struct {
	kind, id string
	quoted   string // the id, as it was sent
	lines    []byte
}

// Done responds to a bulk request as if all operations succeeded, fast enough to measure the sender.
func Done(r *http.Request) (*http.Response, error) {
	in := bufio.NewReaderSize(r.Body, 64<<10)
	index := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), "/_bulk")
	answer := []byte(`{"errors":false,"items":[`)
	for n := 0; ; n++ {
		action, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if n > 0 {
			answer = append(answer, ',')
		}
		_, id, _ := bytes.Cut(action, []byte(`"_id":"`))
		id, _, _ = bytes.Cut(id, []byte(`"`))
		answer = append(append(append(answer, `{"index":{"_index":"`...), index...), `","_id":"`...)
		answer = append(append(answer, id...), `","result":"created","status":201}}`...)
		if bytes.HasPrefix(action, []byte(`{"delete"`)) {
			continue
		}
		for err = bufio.ErrBufferFull; errors.Is(err, bufio.ErrBufferFull); {
			_, err = in.ReadSlice('\n')
		}
		if err != nil {
			return nil, err
		}
	}
	return JSON(http.StatusOK, string(append(answer, "]}"...)))(r, nil), nil
}

// answer is its item in the response; body is an object, to which index and id are added.
func (o *operation) answer(r *http.Request, body string) string {
	index := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), "/_bulk")
	return `{"` + o.kind + `":{"_index":"` + index + `","_id":` + o.quoted + `,` + strings.TrimPrefix(body, "{") + `}`
}

// operations parses a bulk request.
func operations(body []byte) []operation {
	var out []operation
	for line := range bytes.Lines(body) {
		for _, kind := range []string{"index", "create", "delete"} {
			if rest, ok := bytes.CutPrefix(line, []byte(`{"`+kind+`":{"_id":`)); ok {
				var quoted json.RawMessage
				var id string
				_ = json.NewDecoder(bytes.NewReader(rest)).Decode(&quoted) // what engine/elastic sends is JSON
				_ = json.Unmarshal(quoted, &id)
				out = append(out, operation{kind: kind, id: id, quoted: string(quoted)})
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

// refuse responds to some operations of a bulk request and forwards the others.
func refuse(next http.RoundTripper, r *http.Request, body []byte, item func(id string) string) (*http.Response, error) {
	var left []byte
	ops := operations(body)
	items := make([]string, len(ops))
	for i, op := range ops {
		if a := item(op.id); a != "" {
			items[i] = op.answer(r, a)
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
