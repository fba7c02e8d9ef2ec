package protocol

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/kibanatest"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// TestPollersStartedAtOnce: 8 pollers started in the same instant run each due job exactly once.
func TestPollersStartedAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		server := elastictest.Embedded(t, embedded.Options{})
		startAtOnce(t, "http://embedded", func() http.RoundTripper { return server.Transport() })
	})
	t.Run("elasticsearch", func(t *testing.T) {
		t.Parallel()
		server := elastictest.Server(t)
		elastictest.Alone(t, server)
		startAtOnce(t, server, func() http.RoundTripper {
			transport := &http.Transport{MaxIdleConnsPerHost: 2} // as machines of their own
			t.Cleanup(transport.CloseIdleConnections)
			return transport
		})
	})
}

const (
	pollers  = 8
	rounds   = 100
	patience = 3 * time.Minute // for what takes no time, on whatever machine
)

func startAtOnce(t *testing.T, url string, transport func() http.RoundTripper) {
	r := &race{t: t, now: time.Date(2030, 1, 7, 0, 0, 5, 0, time.UTC)}
	for range pollers {
		r.stores = append(r.stores, openStore(t, url, transport(), r.clock))
	}
	if err := r.stores[0].Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.kibana = kibanatest.New(t, url, transport(), r.clock)
	for n := range rounds {
		r.now = r.now.Add(time.Hour)
		r.round(n)
	}
}

func openStore(t *testing.T, url string, transport http.RoundTripper, now func() time.Time) *Store {
	t.Helper()
	client, err := elastic.New(elastic.Config{URL: url, Transport: transport, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	info, err := client.Ping(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), StoreOptions{Client: client, Info: info, Log: slog.New(slog.DiscardHandler), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// race is the pollers and what they come to in one round. The clock stands still in a round.
type race struct {
	t      *testing.T
	now    time.Time
	stores []*Store // one for each poller
	kibana *kibanatest.Kibana

	runs    atomic.Int32
	through atomic.Int32  // polls that have ended
	others  chan struct{} // closed when all polls but one have ended
}

func (r *race) clock() time.Time { return r.now }

// round lets all pollers find the same job due. In every other round it runs until the others have gone.
func (r *race) round(n int) {
	r.t.Helper()
	id := fmt.Sprintf("race-%d-%s", n, strings.ToLower(rand.Text()))
	instant := r.now.Truncate(time.Hour)
	r.kibana.CreateConnector(kibanatest.Connector{ID: id, Name: id, Index: id, ServiceType: "race"})
	defer r.kibana.Purge(id)
	r.due(id, instant)

	r.runs.Store(0)
	r.through.Store(0)
	r.others = make(chan struct{})
	start := make(chan struct{})
	var wg sync.WaitGroup
	for _, store := range r.stores {
		p := r.poller(store, id, n%2 == 1)
		wg.Go(func() { // ends with its poll
			<-start
			if err := p.Once(r.t.Context()); err != nil {
				r.t.Errorf("round %d: %v", n, err)
			}
			if r.through.Add(1) == pollers-1 {
				close(r.others)
			}
		})
	}
	close(start)
	wg.Wait()
	if d := cmp.Diff(r.want(instant), r.got(id)); d != "" {
		r.t.Fatalf("round %d (-want +got):\n%s", n, d)
	}
}

// due makes a connector one that is configured, and whose next full job is due at instant.
func (r *race) due(id string, instant time.Time) {
	r.t.Helper()
	store := r.stores[0]
	c, err := store.Connectors.Get(r.t.Context(), id)
	if err == nil {
		_, err = store.Connectors.Update(r.t.Context(), c, func(b *Connector) error {
			b.Status, b.Scheduling.Full = ConnectorConfigured, Schedule{Enabled: true, Interval: "0 0 * * * ?"}
			b.Configuration, _, _ = Published(racing().Fields, nil)
			b.Filtering = nil // most of a record, and nothing here is about it
			b.LastSyncScheduledAt = TimeOf(instant.Add(-time.Hour))
			return nil
		})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// racing is the source type of all rounds.
func racing() source.Type {
	return source.Type{Name: "race", Fields: []field.Spec{{Name: "place", Label: "Place"}}}
}

// poller is one of a machine of its own: no marks of claims are shared.
func (r *race) poller(store *Store, id string, linger bool) *Poller {
	return &Poller{
		Store: store, Log: slog.New(slog.DiscardHandler), Host: "race", Heartbeat: time.Minute,
		Scope:      Scope{Own: []Own{{ID: id, ServiceType: "race"}}},
		Type:       func(string) (source.Type, error) { return racing(), nil },
		Check:      func(context.Context, *Record[Connector]) error { return nil },
		CheckRules: func(context.Context, *Record[Connector], any) error { return nil },
		Run: func(ctx context.Context, c *Claim) error {
			r.runs.Add(1)
			if linger {
				select {
				case <-r.others:
				case <-time.After(patience):
					r.t.Error("the other polls do not end while a job runs")
				}
			}
			return c.Finish(ctx, Ending{Event: JobEventComplete})
		},
		Hold:   func(string, string) (func(bool), bool) { return func(bool) {}, true },
		Dead:   func(string, string) bool { return false },
		Failed: func(id string, err error) { r.t.Errorf("connector %q: %v", id, err) },
	}
}

// finding is what stands in the records after a round.
type finding struct {
	Runs        int32
	Jobs        []string // status, trigger and whether a claim is left
	Status      ConnectorStatus
	LastSync    JobStatus
	ScheduledAt time.Time
	Error       Text
}

func (r *race) want(instant time.Time) finding {
	return finding{
		Runs: 1, Jobs: []string{"completed scheduled false"}, Status: ConnectorConnected, LastSync: JobCompleted, ScheduledAt: instant,
	}
}

func (r *race) got(id string) finding {
	r.t.Helper()
	c, err := r.stores[0].Connectors.Get(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	jobs, err := r.stores[0].JobsOf(r.t.Context(), id, 100)
	if err != nil {
		r.t.Fatal(err)
	}
	f := finding{
		Runs: r.runs.Load(), Status: c.Body.Status, LastSync: c.Body.LastSyncStatus, ScheduledAt: c.Body.LastSyncScheduledAt.Time, Error: c.Body.Error,
	}
	for _, j := range jobs {
		f.Jobs = append(f.Jobs, fmt.Sprintf("%s %s %t", j.Body.Status, j.Body.TriggerMethod, j.Body.Metadata.Details().Claim != ""))
	}
	return f
}
