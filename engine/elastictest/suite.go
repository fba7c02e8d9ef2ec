// Package elastictest is the contract between this program and its destinations: one suite of raw
// HTTP requests, with the part of each answer that the program reads. It always runs on engine/embedded,
// and on each Elasticsearch whose address is set, see [Servers]. It knows none of them.
//
// Every case makes its own indices and removes them, so the suite may run on a server that others
// use. The invariant is that no case has an exception for a destination of version 9; the few things
// that version 8 answers otherwise are listed, with what it does.
package elastictest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Run runs the suite over a transport; base is the address that requests go to, without a slash.
func Run(t *testing.T, rt http.RoundTripper, base string) {
	t.Helper()
	for _, group := range [][]testCase{indexCases(), bulkCases(), documentCases(), searchCases(), pitCases(), valueCases(), fieldCases()} {
		for _, tc := range group {
			t.Run(tc.name, func(t *testing.T) {
				t.Parallel()
				c := newClient(t, rt, base)
				if why, differs := otherwiseIn8[tc.name]; differs && c.major(t) < 9 {
					t.Skipf("Elasticsearch 8: %s", why)
				}
				c.run(t, tc)
			})
		}
	}
}

// otherwiseIn8 are the cases that Elasticsearch 8 answers otherwise, and how. What this program relies on
// is not among them.
var otherwiseIn8 = map[string]string{
	"fields: the settings are kept and shown":   "exclude_source_vectors is not known before 9.2",
	"fields: each kind of value gives its type": "a new list of two kinds of numbers is refused",
	"value: ip":                             "an address with a zone is ignored, not taken",
	"value: date":                           "an empty object is refused, not taken",
	"conflict: names that are none":         "errors within one new document have another type",
	"conflict: a scalar where an object is": "errors within one new document have another type",
	"conflict: an object where a scalar is": "errors within one new document have another type",
}

// major is the major version of the destination.
func (c *client) major(t *testing.T) int {
	t.Helper()
	var info struct {
		Version struct{ Number string }
	}
	_, answer, err := c.send(t.Context(), http.MethodGet, "/", "")
	if err == nil {
		err = json.Unmarshal(answer, &info)
	}
	n := 0
	if err == nil {
		_, err = fmt.Sscanf(info.Version.Number, "%d", &n)
	}
	if err != nil {
		t.Fatalf("the destination's version: %v", err)
	}
	return n
}

// testCase is a conversation. Its steps see what the steps before them did.
type testCase struct {
	name  string
	steps []step
}

// step is one request and what is expected of its answer. In do, body and want, {i} and {j} are two
// index names of this case and {name} is a value that an earlier step captured.
type step struct {
	do     string // METHOD /path
	body   string
	status int
	// want is JSON of which the answer must have every field, and every element of an array. Three
	// texts are special: "*" is anything, "!" is nothing, and "$name" captures the value.
	want string
	// raw is a text that must stand in the answer byte for byte.
	raw string
}

type client struct {
	rt     http.RoundTripper
	base   string
	values map[string]string
}

func newClient(t *testing.T, rt http.RoundTripper, base string) *client {
	c := &client{rt: rt, base: base, values: map[string]string{}}
	suffix := strings.ToLower(rand.Text()[:12])
	c.values["i"], c.values["j"] = "a-suite-"+suffix, "a-suite-"+suffix+"-j"
	t.Cleanup(func() {
		for _, name := range []string{c.values["i"], c.values["j"]} {
			// The context of the test is over when it is cleaned up.
			if _, _, err := c.send(context.WithoutCancel(t.Context()), http.MethodDelete, "/"+name, ""); err != nil {
				t.Errorf("remove index %s: %v", name, err)
			}
		}
	})
	return c
}

// fill puts captured values into a text.
func (c *client) fill(s string) string {
	for name, value := range c.values {
		s = strings.ReplaceAll(s, "{"+name+"}", value)
	}
	return s
}

func (c *client) send(ctx context.Context, method, path, body string) (status int, answer []byte, err error) {
	const media = "application/vnd.elasticsearch+json;compatible-with=8"
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, in)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Accept", media)
	if body != "" {
		r.Header.Set("Content-Type", media)
	}
	resp, err := c.rt.RoundTrip(r)
	if err != nil {
		return 0, nil, err
	}
	answer, err = io.ReadAll(resp.Body)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if got := resp.Header.Get("X-Elastic-Product"); got != "Elasticsearch" {
		return 0, nil, fmt.Errorf("header X-Elastic-Product is %q", got)
	}
	if got := resp.Header.Get("Content-Type"); got != media && method != http.MethodHead {
		return 0, nil, fmt.Errorf("header Content-Type is %q", got)
	}
	return resp.StatusCode, answer, err
}

func (c *client) run(t *testing.T, tc testCase) {
	for n, st := range tc.steps {
		method, path, _ := strings.Cut(c.fill(st.do), " ")
		status, body, err := c.send(t.Context(), method, path, c.fill(st.body))
		if err != nil {
			t.Fatalf("step %d %s: %v", n+1, st.do, err)
		}
		if status != st.status {
			t.Fatalf("step %d %s %s: status %d, want %d: %s", n+1, st.do, st.body, status, st.status, body)
		}
		if st.raw != "" && !strings.Contains(string(body), c.fill(st.raw)) {
			t.Errorf("step %d %s: answer has not the bytes %s: %s", n+1, st.do, c.fill(st.raw), body)
		}
		if st.want == "" {
			continue
		}
		var got, want any
		if err := unmarshal(body, &got); err != nil {
			t.Fatalf("step %d %s: answer is no JSON: %v: %s", n+1, st.do, err, body)
		}
		if err := unmarshal([]byte(c.fill(st.want)), &want); err != nil {
			t.Fatalf("step %d %s: the case itself is wrong: %v: %s", n+1, st.do, err, c.fill(st.want))
		}
		if problem := c.compare("", got, want); problem != "" {
			t.Fatalf("step %d %s %s:%s\nanswer: %s", n+1, st.do, st.body, problem, body)
		}
	}
}

// compare returns where got lacks something of want.
func (c *client) compare(at string, got, want any) string {
	switch want := want.(type) {
	case string:
		if name, capture := strings.CutPrefix(want, "$"); capture {
			c.values[name] = fmt.Sprint(got)
			return ""
		}
		if want == "*" {
			return ""
		}
	case map[string]any:
		return c.compareObject(at, got, want)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("%s is %v, want %v", at, got, want)
		}
		for i := range want {
			if problem := c.compare(fmt.Sprintf("%s[%d]", at, i), list[i], want[i]); problem != "" {
				return problem
			}
		}
		return ""
	}
	if got != want && !sameNumber(got, want) {
		return fmt.Sprintf("%s is %v, want %v", at, got, want)
	}
	return ""
}

// unmarshal keeps numbers as they are written: a document may hold one that no float64 holds.
func unmarshal(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(v)
}

func sameNumber(got, want any) bool {
	a, okA := got.(json.Number)
	b, okB := want.(json.Number)
	if !okA || !okB {
		return false
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
}

func (c *client) compareObject(at string, got any, want map[string]any) string {
	object, ok := got.(map[string]any)
	if !ok {
		return fmt.Sprintf("%s is %v, want an object", at, got)
	}
	keys := make([]string, 0, len(want))
	for key := range want {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		value, has := object[key]
		switch {
		case want[key] == "!" && has:
			return fmt.Sprintf("%s.%s is %v, want nothing", at, key, value)
		case want[key] == "!":
		case !has:
			return fmt.Sprintf("%s has no %s", at, key)
		default:
			if problem := c.compare(at+"."+key, value, want[key]); problem != "" {
				return problem
			}
		}
	}
	return ""
}

// failure is the want of an error as an answer of its own.
func failure(typ string) string {
	return fmt.Sprintf(`{"error":{"type":%q,"reason":"*","root_cause":"*"}}`, typ)
}

// shardFailure is the want of an error that all shards gave.
func shardFailure(typ string) string {
	return fmt.Sprintf(`{"error":{"type":"search_phase_execution_exception","reason":"all shards failed","root_cause":[{"type":%q}]}}`, typ)
}
