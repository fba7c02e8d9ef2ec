package protocol

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// cluster is the records in memory, and a clock that tests move.
type cluster struct {
	t         *testing.T
	transport http.RoundTripper

	mu  sync.Mutex
	now time.Time
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	server := elastictest.Embedded(t, embedded.Options{})
	return &cluster{t: t, transport: server.Transport(), now: time.Date(2030, 1, 2, 3, 4, 5, 678_901_000, time.UTC)}
}

// newScheduled has a connector with an hourly schedule, and a program that has polled it once.
func newScheduled(t *testing.T) (*cluster, *program) {
	t.Helper()
	c := newCluster(t)
	c.connect(every("0 0 * * * ?"))
	p := c.program(c.transport)
	c.poll(p)
	return c, p
}

// newClaimed has a job that a program claimed.
func newClaimed(t *testing.T) (*cluster, *Store, *Claim) {
	t.Helper()
	c := newCluster(t)
	s := c.store(c.transport)
	claim := c.claimed(s)
	return c, s, claim
}

func (c *cluster) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *cluster) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// store is a program's view of the records, through its own transport.
func (c *cluster) store(transport http.RoundTripper) *Store {
	c.t.Helper()
	return openWith(c.t, transport, StoreOptions{Info: elastic.Info{Version: "9.5.3"}, Now: c.clock})
}

// openWith opens the records in an embedded store that is reached through a transport.
func openWith(t *testing.T, transport http.RoundTripper, o StoreOptions) *Store {
	t.Helper()
	var err error
	if o.Client, err = elastic.New(elastic.Config{URL: "http://embedded", Transport: transport}); err != nil {
		t.Fatal(err)
	}
	o.Log = slog.New(slog.DiscardHandler)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shop is the source type of the tests.
func shop() source.Type {
	return source.Type{
		Name: "shop", AdvancedRules: true, AccessControl: true,
		Fields: []field.Spec{{Name: "host", Label: "Host", Order: 1}, {Name: "port", Label: "Port", Order: 2, Type: field.Int, Value: 80}},
		Open:   func(context.Context, field.Values, source.Env) (source.Source, error) { return nil, source.ErrConfig },
	}
}

// program is one program that polls, and what it did.
type program struct {
	*Poller
	mu       sync.Mutex
	ran      []string // the jobs that it brought to their end
	failures []error
	// during is called while a job runs; nil is nothing.
	during func(context.Context, *Claim) error
	held   map[string]string // claims by job, as the state folder of a machine has them
}

// program makes one that serves the connector c.
func (c *cluster) program(transport http.RoundTripper) *program {
	c.t.Helper()
	p := &program{held: map[string]string{}}
	p.Poller = &Poller{
		Store: c.store(transport), Log: slog.New(slog.DiscardHandler), Host: "host",
		Scope: Scope{Own: []Own{{"c", "shop"}}}, Heartbeat: 5 * time.Minute,
		Type: func(name string) (source.Type, error) {
			if name != "shop" {
				return source.Type{}, errors.New("no such type")
			}
			return shop(), nil
		},
		Check:      func(context.Context, *Record[Connector]) error { return nil },
		CheckRules: func(context.Context, *Record[Connector], any) error { return nil },
		Run:        p.run,
		Hold: func(job, token string) (func(bool), bool) {
			p.held[job] = token
			return func(settled bool) {
				if settled {
					delete(p.held, job)
				}
			}, true
		},
		Dead: func(string, string) bool { return false },
		Failed: func(_ string, err error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.failures = append(p.failures, err)
		},
	}
	return p
}

// run runs a job that has nothing to do, unless the test says otherwise.
func (p *program) run(ctx context.Context, claim *Claim) error {
	e := Ending{Event: JobEventComplete, Counts: Counts{Indexed: 7, Deleted: 3, Bytes: 5 << 20}, Details: Details{Created: 7}}
	err := claim.Run(ctx, func() Counts { return e.Counts }, func(ctx context.Context) error {
		if p.during == nil {
			return nil
		}
		return p.during(ctx, claim)
	})
	switch {
	case errors.Is(err, ErrCanceled):
		e.Event = JobEventCancel
	case errors.Is(err, context.Canceled):
		e.Event = JobEventSuspend
	case err != nil:
		e.Event, e.Error = JobEventFail, err.Error()
	}
	if err := claim.Finish(ctx, e); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ran = append(p.ran, claim.Job.ID)
	return nil
}

// poll polls and fails the test on an error.
func (c *cluster) poll(p *program) {
	c.t.Helper()
	if err := p.Once(c.t.Context()); err != nil {
		c.t.Fatalf("poll: %v", err)
	}
	for _, err := range p.failures {
		c.t.Fatalf("poll: %v", err)
	}
}

// connect makes the connector c, configured, and lets change alter it first.
func (c *cluster) connect(change ...func(*Connector)) Record[Connector] {
	c.t.Helper()
	s := c.store(c.transport)
	typ := shop()
	b := s.NewConnector("Shop", "search-shop", "", &typ)
	b.Status = ConnectorConfigured
	for _, f := range change {
		f(&b)
	}
	r, err := s.CreateConnector(c.t.Context(), "c", b)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// change alters the connector as Kibana would.
func (c *cluster) change(f func(*Connector)) {
	c.t.Helper()
	s := c.store(c.transport)
	_, err := s.Connectors.Update(c.t.Context(), c.connector(), func(b *Connector) error {
		f(b)
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// changeJob alters a job as another program would.
func (c *cluster) changeJob(r Record[Job], f func(*Job)) Record[Job] {
	c.t.Helper()
	changed, err := c.store(c.transport).Jobs.Update(c.t.Context(), r, func(j *Job) error {
		f(j)
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return changed
}

func (c *cluster) connector() Record[Connector] {
	c.t.Helper()
	r, err := c.store(c.transport).Connectors.Get(c.t.Context(), "c")
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// jobs are all there are, the oldest first.
func (c *cluster) jobs() []Record[Job] {
	c.t.Helper()
	found, err := c.store(c.transport).findJobs(c.t.Context(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return found
}

// statuses are those of all jobs, sorted.
func (c *cluster) statuses() string {
	c.t.Helper()
	var out []string
	for _, j := range c.jobs() {
		out = append(out, string(j.Body.Type())+" "+string(j.Body.Status))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// every makes a schedule of full jobs.
func every(interval string) func(*Connector) {
	return func(c *Connector) { c.Scheduling.Full = Schedule{Enabled: true, Interval: interval} }
}

// mortal is a transport that dies at a request and stays dead: with it dies the program that uses it.
type mortal struct {
	next http.RoundTripper
	left int  // requests that it still does
	lost bool // of the last one the answer is lost

	mu sync.Mutex
}

var errDead = errors.New("the program is dead")

// RoundTrip implements [http.RoundTripper].
func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left--
	switch {
	case m.left == 0 && m.lost:
		if res, err := m.next.RoundTrip(r); err == nil {
			_ = res.Body.Close()
		}
		return nil, errDead
	case m.left <= 0:
		return nil, errDead
	}
	return m.next.RoundTrip(r)
}
