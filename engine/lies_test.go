package engine_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
)

// TestAFalseResponseIsNotTrusted: the run ends with an error or names its documents, deletes nothing, and the next
// run with correct responses mirrors everything.
func TestAFalseResponseIsNotTrusted(t *testing.T) {
	t.Parallel()
	html := func(r *http.Request, _ []byte) *http.Response {
		res := fault.JSON(200, `<html>all is well</html>`)(r, nil)
		res.Header.Set("Content-Type", "text/html")
		return res
	}
	moved := func(r *http.Request, _ []byte) *http.Response {
		res := fault.JSON(301, "")(r, nil)
		res.Header.Set("Location", "https://elsewhere.example/")
		return res
	}
	for name, tt := range map[string]struct {
		lie  fault.Rule
		want int
	}{
		"a scan finds nothing":                  {fault.Rule{Path: "_search", Answer: fault.JSON(200, `{}`)}, commands.ExitFailed},
		"a scan finds no hits":                  {fault.Rule{Path: "_search", Answer: fault.JSON(200, `{"_shards":{"failed":0},"hits":{}}`)}, commands.ExitFailed},
		"a scan without a shard report":         {fault.Rule{Path: "_search", Answer: fault.JSON(200, `{"hits":{"hits":[]}}`)}, commands.ExitFailed},
		"a scan misses shards":                  {fault.Rule{Path: "_search", Answer: fault.JSON(200, `{"_shards":{"failed":2},"hits":{"hits":[]}}`)}, commands.ExitTemporary},
		"no point in time is opened":            {fault.Rule{Path: "_pit", Times: 1, Answer: fault.JSON(200, `{}`)}, commands.ExitFailed},
		"a page of a proxy instead of a scan":   {fault.Rule{Path: "_search", Answer: html}, commands.ExitUsage},
		"a scan is redirected":                  {fault.Rule{Path: "_search", Answer: moved}, commands.ExitUsage},
		"a refresh is redirected":               {fault.Rule{Path: "_refresh", Answer: moved}, commands.ExitUsage},
		"a refresh is not done":                 {fault.Rule{Path: "_refresh", Answer: fault.JSON(200, `{}`)}, commands.ExitFailed},
		"a refresh misses shards":               {fault.Rule{Path: "_refresh", Answer: fault.JSON(200, `{"_shards":{"failed":1}}`)}, commands.ExitTemporary},
		"a bulk request is redirected":          {fault.Rule{Path: "_bulk", Answer: moved}, commands.ExitUsage},
		"a page of a proxy instead of a write":  {fault.Rule{Path: "_bulk", Answer: html}, commands.ExitUsage},
		"no operation is answered":              {fault.Rule{Path: "_bulk", Answer: fault.JSON(200, `{"errors":false,"items":[]}`)}, commands.ExitTemporary},
		"one operation is not answered":         {fault.Rule{Path: "_bulk", Answer: withoutFirst}, commands.ExitTemporary},
		"the response is about other documents": {fault.Rule{Path: "_bulk", Answer: ofAnother}, commands.ExitIncomplete},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newSynced(t, map[string]int{"a": 30})
			before := h.held()
			h.source.Parts["a"] = append(numbered("a", "a", 28), numbered("a", "new", 5)...)
			h.rules, h.deps.Retry.Patience = []fault.Rule{tt.lie}, 1
			res, err := h.run(t.Context())
			if code := commands.ExitCode(commands.Mode{}, nil, commands.Outcome{Result: res, Err: err}); code != tt.want {
				t.Errorf("exit code %d, want %d: %v", code, tt.want, err)
			}
			h.rules = nil
			if after := h.held(); len(after) < len(before) {
				t.Errorf("%d documents before, %d after: %v", len(before), len(after), err)
			}
			if res := h.sync(); res.Counts.Deleted != 2 || len(h.held()) != 33 {
				t.Errorf("the run after it: %+v, %d documents", res.Counts, len(h.held()))
			}
		})
	}
}

// withoutFirst answers all operations but the first.
func withoutFirst(r *http.Request, body []byte) *http.Response {
	_, rest, _ := strings.Cut(string(body), "\n")
	_, rest, _ = strings.Cut(rest, "\n")
	return fault.Items(func(string) string { return `{"status":200,"result":"updated"}` })(r, []byte(rest))
}

// ofAnother answers like a server whose pipeline gives documents other ids.
func ofAnother(r *http.Request, body []byte) *http.Response {
	return fault.Items(func(string) string { return `{"status":201,"result":"created"}` })(r, []byte(strings.ReplaceAll(string(body), `"_id":"`, `"_id":"x-`)))
}
