package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A node is an Elasticsearch server, accessed with plain HTTP.
type node struct {
	url    string
	client *http.Client
}

func newNode(url string) *node {
	return &node{url: url, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
}

var errAbsent = errors.New("answered 404")

// do sends one request and decodes the response into out, unless out is nil.
func (n *node) do(ctx context.Context, method, path, contentType string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, n.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := n.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: read response: %w", method, path, err)
	}
	if resp.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%s %s: %w", method, path, errAbsent)
	}
	if resp.StatusCode > 299 {
		return fmt.Errorf("%s %s: status %d: %.200s", method, path, resp.StatusCode, data)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

const asJSON = "application/json"

// drop removes the index if it exists.
func (n *node) drop(ctx context.Context, index string) error {
	if err := n.do(ctx, http.MethodDelete, "/"+index, "", nil, nil); err != nil && !errors.Is(err, errAbsent) {
		return err
	}
	return nil
}

// load recreates the index and sends the bodies over that many connections. Only the sending is timed.
func (n *node) load(ctx context.Context, index string, shape []byte, bodies [][]byte, conns int) (time.Duration, error) {
	if err := n.drop(ctx, index); err != nil {
		return 0, err
	}
	if err := n.do(ctx, http.MethodPut, "/"+index, asJSON, shape, nil); err != nil {
		return 0, err
	}
	var next atomic.Int64
	var senders sync.WaitGroup
	failures := make([]error, conns)
	start := time.Now()
	for c := range conns {
		// Each sender ends when no bodies are left or one was rejected.
		senders.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(bodies)) && failures[c] == nil; i = next.Add(1) - 1 {
				failures[c] = n.bulk(ctx, index, bodies[i])
			}
		})
	}
	senders.Wait()
	return time.Since(start), errors.Join(failures...)
}

func (n *node) bulk(ctx context.Context, index string, body []byte) error {
	var answer struct{ Errors bool }
	err := n.do(ctx, http.MethodPost, "/"+index+"/_bulk?filter_path=errors", "application/x-ndjson", body, &answer)
	if err == nil && answer.Errors {
		err = errors.New("some documents were rejected")
	}
	return err
}

// copyOf reads what is needed to recreate an index: its mapping and settings, and all documents.
func (n *node) copyOf(ctx context.Context, index string) ([]byte, []doc, error) {
	var indices map[string]struct {
		Mappings json.RawMessage                       `json:"mappings"`
		Settings map[string]map[string]json.RawMessage `json:"settings"`
	}
	if err := n.do(ctx, http.MethodPost, "/"+index+"/_refresh", asJSON, nil, nil); err != nil {
		return nil, nil, err
	}
	if err := n.do(ctx, http.MethodGet, "/"+index, "", nil, &indices); err != nil {
		return nil, nil, err
	}
	for _, found := range indices {
		for _, own := range []string{"uuid", "version", "creation_date", "provided_name"} {
			delete(found.Settings["index"], own)
		}
		shape, err := json.Marshal(found)
		if err != nil {
			return nil, nil, err
		}
		docs, err := n.documents(ctx, index)
		return shape, docs, err
	}
	return nil, nil, fmt.Errorf("index %q: %w", index, errAbsent)
}

// documents reads all documents of the index, in the order in which it stores them.
func (n *node) documents(ctx context.Context, index string) ([]doc, error) {
	type page struct {
		ID   string `json:"_scroll_id"`
		Hits struct{ Hits []doc }
	}
	var docs []doc
	var p page
	err := n.do(ctx, http.MethodPost, "/"+index+"/_search?scroll=1m", asJSON, []byte(`{"size":2000,"sort":["_doc"]}`), &p)
	for err == nil && len(p.Hits.Hits) > 0 {
		docs = append(docs, p.Hits.Hits...)
		more := fmt.Appendf(nil, `{"scroll":"1m","scroll_id":%q}`, p.ID)
		p = page{}
		err = n.do(ctx, http.MethodPost, "/_search/scroll", asJSON, more, &p)
	}
	if p.ID != "" {
		_ = n.do(ctx, http.MethodDelete, "/_search/scroll", asJSON, fmt.Appendf(nil, `{"scroll_id":%q}`, p.ID), nil)
	}
	return docs, err
}
