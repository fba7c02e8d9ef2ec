// Package kibanatest changes the records of connectors and sync jobs as a person does in Kibana: it creates a connector,
// saves its configuration, sets schedules, edits sync rules, starts and cancels jobs. Tests let the program poll in
// between, and compare the records with the expected ones.
//
// It is not a client: it does not look at what the program writes. What it writes follows the pages of the connector
// protocol, see https://github.com/elastic/connectors/blob/main/docs/CONNECTOR_PROTOCOL.md.
//
// Its invariant: it shares no code with the program, so that a misreading of the protocol is not made twice and thereby
// hidden.
package kibanatest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// The indices of the records, by the names that Kibana uses.
const (
	connectors = ".elastic-connectors"
	jobs       = ".elastic-connectors-sync-jobs"
)

// Kibana is one user of Kibana. Any failure fails the test.
type Kibana struct {
	t      testing.TB
	url    string
	client *http.Client
	now    func() time.Time
}

// Record is a document as it is stored; numbers are [json.Number]s.
type Record map[string]any

// New is the Kibana of the Elasticsearch at url, which is reached through transport. now is the time that it writes into
// records.
func New(t testing.TB, url string, transport http.RoundTripper, now func() time.Time) *Kibana {
	return &Kibana{t: t, url: strings.TrimRight(url, "/"), client: &http.Client{Transport: transport}, now: now}
}

// Version returns the version of the server.
func (k *Kibana) Version() string {
	k.t.Helper()
	var answer struct{ Version struct{ Number string } }
	k.ask(k.t.Context(), http.MethodGet, "/", nil, &answer)
	return answer.Version.Number
}

// stamp is the time as Kibana writes it: in UTC with milliseconds and a Z.
func (k *Kibana) stamp() string { return k.now().UTC().Format("2006-01-02T15:04:05.000Z") }

// ask sends a request and decodes the response's body into out, unless that is nil. It returns the status; any that is
// neither a success nor allowed fails the test.
func (k *Kibana) ask(ctx context.Context, method, path string, body, out any, allowed ...int) (status int) {
	k.t.Helper()
	status, err := k.request(ctx, method, path, body, out)
	if err == nil && status >= http.StatusMultipleChoices && !slices.Contains(allowed, status) {
		err = fmt.Errorf("status %d", status)
	}
	if err != nil {
		k.t.Fatalf("Kibana: %s %s: %v", method, path, err)
	}
	return status
}

func (k *Kibana) request(ctx context.Context, method, path string, body, out any) (status int, err error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, k.url+path, content)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Elastic-Product-Origin", "kibana") // without it newer servers hide these indices
	res, err := k.client.Do(req)
	if err != nil {
		return 0, err
	}
	raw, err := io.ReadAll(res.Body)
	if cerr := res.Body.Close(); err == nil {
		err = cerr
	}
	if err == nil && res.StatusCode >= http.StatusMultipleChoices && res.StatusCode != http.StatusNotFound {
		return res.StatusCode, fmt.Errorf("status %d: %s", res.StatusCode, raw)
	}
	if err == nil && out != nil {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		err = d.Decode(out)
	}
	return res.StatusCode, err
}

// create writes a new document.
func (k *Kibana) create(index, id string, r Record) {
	k.t.Helper()
	k.ask(k.t.Context(), http.MethodPut, "/"+index+"/_doc/"+id+"?op_type=create&refresh=true", r, nil)
}

// update writes some fields of a document; objects are merged with what is there.
func (k *Kibana) update(index, id string, fields Record) {
	k.t.Helper()
	k.ask(k.t.Context(), http.MethodPost, "/"+index+"/_update/"+id+"?refresh=true", Record{"doc": fields}, nil)
}

// remove deletes a document, if there is one.
func (k *Kibana) remove(ctx context.Context, index, id string) {
	k.t.Helper()
	k.ask(ctx, http.MethodDelete, "/"+index+"/_doc/"+id+"?refresh=true", nil, nil, http.StatusNotFound)
}

// read reads a document in its current state; it is nil if there is none.
func (k *Kibana) read(index, id string) Record {
	k.t.Helper()
	var answer struct {
		Source Record `json:"_source"`
	}
	k.ask(k.t.Context(), http.MethodGet, "/"+index+"/_doc/"+id, nil, &answer, http.StatusNotFound)
	return answer.Source
}

// existing reads a document that must exist.
func (k *Kibana) existing(index, id string) Record {
	k.t.Helper()
	r := k.read(index, id)
	if r == nil {
		k.t.Fatalf("Kibana: %s has no document %q", index, id)
	}
	return r
}

// Hit is a document of an index, and its id.
type Hit struct {
	ID     string `json:"_id"`
	Source Record `json:"_source"`
}

// search lists the documents of an index that a query finds, by their ids. An index that does not exist
// has none.
func (k *Kibana) search(ctx context.Context, index string, query Record) []Hit {
	k.t.Helper()
	if k.ask(ctx, http.MethodPost, "/"+index+"/_refresh", nil, nil, http.StatusNotFound) == http.StatusNotFound {
		return nil
	}
	var answer struct {
		Hits struct {
			Hits []Hit `json:"hits"`
		} `json:"hits"`
	}
	k.ask(ctx, http.MethodPost, "/"+index+"/_search", Record{"size": 1000, "query": query}, &answer)
	found := answer.Hits.Hits
	slices.SortFunc(found, func(a, b Hit) int { return strings.Compare(a.ID, b.ID) })
	return found
}

// Documents are those of a content index, as a search shows them.
func (k *Kibana) Documents(index string) []Hit {
	k.t.Helper()
	return k.search(k.t.Context(), index, Record{"match_all": Record{}})
}
