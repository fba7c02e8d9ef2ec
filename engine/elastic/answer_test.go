package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// patience is the time limit for events that must happen: no machine is so busy that they take longer.
const patience = 3 * time.Minute

// patient waits as long as a test may take: what waits by it does not pass.
var patient = retry.Policy{First: time.Hour, Max: time.Hour, Patience: time.Hour}

// scripted answers every request in process.
type scripted func(r *http.Request) *http.Response

func (s scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return s(r), nil
}

func answered(status int, header map[string]string, body io.Reader) *http.Response {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body)}
	for k, v := range header {
		res.Header.Set(k, v)
	}
	return res
}

func json200(body string) func(*http.Request) *http.Response {
	return func(*http.Request) *http.Response {
		return answered(200, map[string]string{"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json"}, strings.NewReader(body))
	}
}

// everything is each request of the client, with its error.
func everything(ctx context.Context, c *Client) map[string]error {
	errs := map[string]error{}
	_, errs["ping"] = c.Ping(ctx)
	_, errs["index"] = c.Index(ctx, "x")
	_, _, errs["create"] = c.CreateIndex(ctx, "x", Marker{Owner: "me"}, Creation{})
	errs["create from"] = c.CreateFrom(ctx, "x", []byte("{}"))
	errs["marker"] = c.SetMarker(ctx, &Index{Name: "x"}, Marker{Owner: "me"})
	errs["refresh"] = c.Refresh(ctx, "x")
	_, _, errs["what is not indexed"] = c.Ignored(ctx, "x")
	_, errs["pipeline"] = c.Pipeline(ctx, "p")
	errs["create pipeline"] = c.CreatePipeline(ctx, "p", []byte("{}"))
	_, _, errs["having"] = c.Having(ctx, "x", "f", 1)
	_, errs["point in time"] = c.OpenPIT(ctx, &Index{Name: "x"})
	errs["close"] = (&PIT{c: c, index: &Index{Name: "x"}, id: "i"}).Close(ctx)
	errs["scan"] = (&PIT{c: c, index: &Index{Name: "x", Shards: 1, ResultWindow: 10_000}, id: "i"}).Scan(ctx, Scan{Source: []byte("true")},
		func(int) func(Hit) error { return func(Hit) error { return nil } })
	_, errs["bulk"] = c.Bulk(ctx, *sentTo("a"))
	_, errs["records"] = c.Records(ctx, "x", Search{})
	_, errs["record"] = c.Record(ctx, "x", "a")
	_, errs["new record"] = c.CreateRecord(ctx, "x", "a", []byte("{}"))
	_, errs["write record"] = c.ReplaceRecord(ctx, "x", Record{ID: "a"}, []byte("{}"))
	errs["delete record"] = c.DeleteRecord(ctx, "x", Record{ID: "a"})
	_, errs["count"] = c.Count(ctx, "x")
	_, errs["connector API"] = c.HasConnectorAPI(ctx)
	errs["check in"] = c.CheckIn(ctx, "a")
	errs["job stats"] = c.SetJobStats(ctx, "a", nil)
	_, errs["new job"] = c.NewJob(ctx, "a", "full", "on_demand")
	errs["put connector"] = c.PutConnector(ctx, "a", nil)
	errs["delete connector"] = c.DeleteConnector(ctx, "a")
	return errs
}

// TestNoRequestBelievesAnAnswerToNothing: whatever was asked, an answer that could be one to anything
// answers nothing.
func TestNoRequestBelievesAnAnswerToNothing(t *testing.T) {
	t.Parallel()
	html := map[string]string{"X-Elastic-Product": "Elasticsearch", "Content-Type": "text/html"}
	plain := map[string]string{"Content-Type": "application/json"}
	for name, lie := range map[string]scripted{
		"an empty object": json200(`{}`),
		"no text":         json200(``),
		"a null":          json200(`null`),
		"a list":          json200(`[]`),
		"a page": func(*http.Request) *http.Response {
			return answered(200, html, strings.NewReader(`{"acknowledged":true}`))
		},
		"another program": func(*http.Request) *http.Response {
			return answered(200, plain, strings.NewReader(`{"acknowledged":true}`))
		},
		"another program's 404": func(*http.Request) *http.Response { return answered(404, plain, strings.NewReader(`{"error":"no"}`)) },
		"nothing has changed":   func(*http.Request) *http.Response { return answered(304, nil, strings.NewReader("")) },
		"a redirection": func(*http.Request) *http.Response {
			return answered(302, map[string]string{"Location": "https://other.example/"}, strings.NewReader("{}"))
		},
		"an object of somewhere": json200(`{"_shards":{"failed":1},"acknowledged":false,"count":1,"id":"","hits":{},"items":{}}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Config{URL: "http://liar", Transport: lie})
			for request, err := range everything(t.Context(), c) {
				if err == nil && request != "connector API" || errors.Is(err, ErrNotFound) {
					t.Errorf("%s: %v", request, err)
				}
			}
		})
	}
}

// spaces has no end.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestHowMuchOfAnAnswerIsRead: as much as what was asked for can be, and not more.
func TestHowMuchOfAnAnswerIsRead(t *testing.T) {
	t.Parallel()
	read := int64(0)
	c := newClient(t, Config{URL: "http://liar", Transport: scripted(func(*http.Request) *http.Response {
		header := map[string]string{"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json"}
		body := io.MultiReader(strings.NewReader(`{"_shards":{"failed":0},"hits":{"hits":[{"_id":"a","_source":"`), spaces{})
		return answered(200, header, io.TeeReader(body, counting{&read}))
	})})
	for _, tt := range []struct {
		name string
		do   func() error
		most int64
	}{
		{"one thing", func() error { _, err := c.Count(t.Context(), "x"); return err }, smallAnswer},
		{"an item", func() error { _, err := c.Bulk(t.Context(), *sentTo("a")); return err }, smallAnswer + bulkItem},
		{"documents", func() error {
			pit := &PIT{c: c, index: &Index{Name: "x", Shards: 1, ResultWindow: 10}, id: "p"}
			return pit.Scan(t.Context(), Scan{Source: []byte("true")}, func(int) func(Hit) error { return func(Hit) error { return nil } })
		}, pageAnswer + documentAnswer},
	} {
		read = 0
		if err := tt.do(); !errors.Is(err, errTooLarge) || read > tt.most+1<<20 {
			t.Errorf("%s: %d bytes: %v", tt.name, read, err)
		}
	}
}

type counting struct{ n *int64 }

func (c counting) Write(p []byte) (int, error) { *c.n += int64(len(p)); return len(p), nil }

// TestALargePageIsAskedForInPieces: documents may be much larger than those that came before them.
func TestALargePageIsAskedForInPieces(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 9<<20)
	sizes := []int{}
	at := 0
	c := newClient(t, Config{URL: "http://node", Transport: scripted(func(r *http.Request) *http.Response {
		size := sizeOf(r)
		sizes = append(sizes, size)
		var hits []string
		for n := at; n < min(at+size, 6); n++ {
			hits = append(hits, fmt.Sprintf(`{"_id":"%d","_source":{"t":%q},"sort":[%d]}`, n, large, n))
		}
		if len(hits) <= 3 {
			at += len(hits)
		}
		return json200(`{"pit_id":"p","_shards":{"failed":0},"hits":{"hits":[` + strings.Join(hits, ",") + `]}}`)(r)
	})})
	got := 0
	pit := &PIT{c: c, index: &Index{Name: "x", Shards: 1, ResultWindow: 10_000}, id: "p"}
	err := pit.Scan(t.Context(), Scan{Source: []byte("true")}, func(int) func(Hit) error { return func(Hit) error { got++; return nil } })
	if err != nil || got != 6 {
		t.Errorf("%d of 6 documents, %v; pages of %v", got, err, sizes)
	}
}

// sizeOf is how many hits a search asked for.
func sizeOf(r *http.Request) int {
	var search struct {
		Size int `json:"size"`
	}
	_ = json.NewDecoder(r.Body).Decode(&search)
	return search.Size
}

// TestAPageThatLeadsNowhereEndsTheScan: with sort values that are no list, or those of the page before,
// the scan would crash or never end.
func TestAPageThatLeadsNowhereEndsTheScan(t *testing.T) {
	t.Parallel()
	for name, sort := range map[string]string{"none": "", "no JSON": `,"sort":[nil]`, "no list": `,"sort":7`, "the same again": `,"sort":[7]`} {
		hit := `{"_id":"a"` + sort + `}`
		page := `{"_shards":{"failed":0},"hits":{"hits":[` + strings.Repeat(hit+",", 9) + hit + `]}}`
		c := newClient(t, Config{URL: "http://liar", Transport: scripted(json200(page))})
		for _, window := range []int{10, 5} { // the page is full, or holds more than was asked for
			pit := &PIT{c: c, index: &Index{Name: "x", Shards: 1, ResultWindow: window}, id: "p"}
			err := pit.Scan(t.Context(), Scan{Source: []byte("false")}, func(int) func(Hit) error { return func(Hit) error { return nil } })
			if !IsCut(err) {
				t.Errorf("sort values %s, window %d: %v", name, window, err)
			}
		}
	}
}

// TestAPanicInAScanIsItsError: it would otherwise end the program with the runtime's exit code.
func TestAPanicInAScanIsItsError(t *testing.T) {
	t.Parallel()
	c := newClient(t, Config{URL: "http://node", Transport: scripted(json200(`{"_shards":{"failed":0},"hits":{"hits":[{"_id":"a"}]}}`))})
	pit := &PIT{c: c, index: &Index{Name: "x", Shards: 2, ResultWindow: 10}, id: "p"}
	err := pit.Scan(t.Context(), Scan{Source: []byte("false")}, func(int) func(Hit) error { return func(Hit) error { panic("a bug") } })
	if err == nil || !strings.Contains(err.Error(), "a bug") {
		t.Error(err)
	}
}

// TestARedirectionNamesItsTarget: it is what has to be written into the configuration.
func TestARedirectionNamesItsTarget(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"https://search.example:9243/":                  "https://search.example:9243",
		"https://u:secret@search.example/?token=secret": "https://search.example",
		"https://search.example/behind/a/proxy/":        "https://search.example/behind/a/proxy",
		"/login":                                        "http://node/login",
		"":                                              "a redirect without a target",
		"%zz":                                           "a redirect without a target",
	} {
		c := newClient(t, Config{URL: "http://node", Transport: scripted(func(*http.Request) *http.Response {
			return answered(301, map[string]string{"Location": location}, strings.NewReader(""))
		})})
		_, err := c.Await(t.Context(), patient, func(error) { t.Error("another attempt") })
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") ||
			!strings.Contains(Hint(err), "elasticsearch") {
			t.Errorf("%q: %v, hint %q", location, err, Hint(err))
		}
	}
}
