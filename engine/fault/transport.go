package fault

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Rule is one way in which requests go wrong.
type Rule struct {
	Method string // requests of this method; "" is any
	Path   string // requests whose path contains this
	Skip   int    // so many of them pass first
	Times  int    // then so many are affected; 0 is all of them
	// Larger affects only requests whose body has at least that many bytes.
	Larger int64
	// Before is called first: it may wait, or do to the index what another program would. With Pass that is all that
	// happens, and the request proceeds.
	Before func()
	Pass   bool
	// Refuse returns the responses to those operations of a bulk request that do not reach the server; "" lets an
	// operation pass.
	Refuse func(id string) string
	// Answer responds instead of the server. nil loses the request.
	Answer func(r *http.Request, body []byte) *http.Response
	// After lets the server process the request and then loses the response, or truncates it after Cut bytes.
	After bool
	Cut   int
}

// ErrReset is the error of a request that was lost.
var ErrReset = errors.New("connection reset by the test")

// Transport applies the first rule that matches a request; other requests are passed to Next.
type Transport struct {
	Next  http.RoundTripper
	Rules []Rule

	mu   sync.Mutex
	hits map[int]int
	seen []string
}

// Requests lists method and path of what was sent, in order.
func (t *Transport) Requests() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.seen...)
}

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	rule := t.rule(r)
	if rule == nil {
		return t.Next.RoundTrip(r)
	}
	if rule.Before != nil {
		rule.Before()
	}
	if rule.Pass {
		return t.Next.RoundTrip(r)
	}
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	if rule.Refuse != nil {
		return refuse(t.Next, r, body, rule.Refuse)
	}
	if !rule.After {
		if rule.Answer == nil {
			return nil, ErrReset
		}
		return rule.Answer(r, body), nil
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	res, err := t.Next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // a test's answer
	whole, err := io.ReadAll(res.Body)
	if err != nil || rule.Cut == 0 {
		return nil, ErrReset
	}
	res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(whole[:min(rule.Cut, len(whole))]), broken{}))
	return res, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, ErrReset }

func (t *Transport) rule(r *http.Request) *Rule {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, r.Method+" "+r.URL.Path)
	if t.hits == nil {
		t.hits = map[int]int{}
	}
	for i := range t.Rules {
		rule := &t.Rules[i]
		if rule.Method != "" && rule.Method != r.Method || !strings.Contains(r.URL.Path, rule.Path) || rule.Larger > 0 && r.ContentLength < rule.Larger {
			continue
		}
		t.hits[i]++
		n := t.hits[i] - rule.Skip
		if n > 0 && (rule.Times == 0 || n <= rule.Times) {
			return rule
		}
	}
	return nil
}

// JSON makes a response.
func JSON(status int, body string) func(*http.Request, []byte) *http.Response {
	return func(r *http.Request, _ []byte) *http.Response {
		return &http.Response{
			StatusCode: status, Request: r, ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"X-Elastic-Product": {"Elasticsearch"}, "Content-Type": {"application/json"}},
			Body:   io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}
	}
}

// Items responds to a bulk request with one item for each of its operations.
func Items(item func(id string) string) func(*http.Request, []byte) *http.Response {
	return func(r *http.Request, body []byte) *http.Response {
		var items []string
		for _, op := range operations(body) {
			items = append(items, op.answer(r, item(op.id)))
		}
		return itemsAnswer(r, items)
	}
}
