package protocol

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/kibanatest"
)

// before lets something happen before the first request of a kind.
type before struct {
	http.RoundTripper
	method, path string // which is part of the request's
	happens      func()
}

// RoundTrip implements [http.RoundTripper].
func (b *before) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.happens != nil && r.Method == b.method && strings.Contains(r.URL.Path, b.path) {
		do := b.happens
		b.happens = nil
		do()
	}
	return b.RoundTripper.RoundTrip(r)
}

// TestRecordsVanishWithinAPoll: a record that is removed while a poll is about to write it is no
// failure of the poll.
func TestRecordsVanishWithinAPoll(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		method, path string
		happens      func(k *kibanatest.Kibana)
		gone         bool // the connector, before the poll
	}{
		{
			name: "a job of a connector that is gone", method: http.MethodPut, path: "sync-jobs/_doc/", gone: true,
			happens: func(k *kibanatest.Kibana) { k.Purge("c") },
		},
		{
			name: "connector and job, before the job is claimed", method: http.MethodGet, path: "sync-jobs/_doc/",
			happens: func(k *kibanatest.Kibana) { k.Purge("c") },
		},
		{
			name: "the connector, before the job is claimed", method: http.MethodGet, path: "sync-jobs/_doc/",
			happens: func(k *kibanatest.Kibana) { k.HardDelete("c") },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := elastictest.Embedded(t, embedded.Options{})
			r := &race{t: t, now: time.Date(2030, 1, 7, 9, 0, 5, 0, time.UTC)}
			transport := &before{RoundTripper: server.Transport(), method: tt.method, path: tt.path}
			r.stores = []*Store{openStore(t, "http://embedded", transport, r.clock)}
			if err := r.stores[0].Ensure(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.kibana = kibanatest.New(t, "http://embedded", server.Transport(), r.clock)
			r.kibana.CreateConnector(kibanatest.Connector{ID: "c", Name: "c", Index: "c", ServiceType: "race"})
			r.due("c", r.now)
			r.kibana.StartJob("c", kibanatest.Full)
			if tt.gone {
				r.kibana.HardDelete("c")
			}
			p := r.poller(r.stores[0], "c", false)
			p.Failed = func(_ string, err error) {
				if !errors.Is(err, ErrMissing) {
					t.Errorf("failed: %v", err)
				}
			}
			transport.happens = func() { tt.happens(r.kibana) }
			if err := p.Once(t.Context()); err != nil || transport.happens != nil || r.runs.Load() != 0 {
				t.Errorf("%v; %d runs", err, r.runs.Load())
			}
		})
	}
}
