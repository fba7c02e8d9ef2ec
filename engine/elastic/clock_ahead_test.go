package elastic

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestClockAhead: the node's statistics count, or else the date of the answer; what the way may have made
// is no difference.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		date   string
		body   string
		took   time.Duration
		want   time.Duration
		fails  bool
	}{
		{name: "ahead by an hour", status: 200, body: `{"nodes":{"a":{"timestamp":1893459600000}}}`, took: 2 * time.Second, want: time.Hour - time.Second},
		{name: "slow by half a minute", status: 200, body: `{"nodes":{"a":{"timestamp":1893455970000}}}`, want: -30 * time.Second},
		{name: "within the time of the request", status: 200, body: `{"nodes":{"a":{"timestamp":1893456001900}}}`, took: 2 * time.Second},
		{name: "the node counts, not a proxy's date", status: 200, date: "Tue, 01 Jan 2030 05:00:00 GMT", body: `{"nodes":{"a":{"timestamp":1893456000000}}}`},
		{name: "statistics are not to be had", status: 410, date: "Tue, 01 Jan 2030 01:00:00 GMT", body: `{"error":"gone"}`, want: time.Hour},
		{name: "a date has whole seconds", status: 403, date: "Mon, 31 Dec 2029 23:59:59 GMT", body: `{}`},
		{name: "nothing is said", status: 403, body: `{"error":"no"}`, fails: true},
		{name: "no node", status: 200, body: `{"nodes":{}}`, fails: true},
		{name: "no JSON", status: 200, body: `<html>`, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := time.Unix(1893456000, 0) // 2030-01-01T00:00:00Z
			c, err := New(Config{URL: "http://scripted", Transport: scripted(func(*http.Request) *http.Response {
				now = now.Add(tt.took)
				header := map[string]string{"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json", "Date": tt.date}
				return answered(tt.status, header, strings.NewReader(tt.body))
			})})
			if err != nil {
				t.Fatal(err)
			}
			ahead, err := c.ClockAhead(t.Context(), func() time.Time { return now })
			if ahead != tt.want || (err != nil) != tt.fails {
				t.Errorf("ahead by %v, want %v: %v", ahead, tt.want, err)
			}
		})
	}
}
