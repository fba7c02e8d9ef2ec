package protocol

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// TestSleptThroughFiveInstants: one job makes up for all of them, and the next instant counts again.
func TestSleptThroughFiveInstants(t *testing.T) {
	t.Parallel()
	c, p := newScheduled(t)
	if len(c.jobs()) != 0 {
		t.Fatalf("a job was created before an instant came: %s", c.statuses())
	}
	c.advance(5*time.Hour + time.Minute)
	c.poll(p)
	c.poll(p)
	if got := c.statuses(); got != "full completed" || len(p.ran) != 1 {
		t.Errorf("jobs %q, run %v", got, p.ran)
	}
	if got, want := c.connector().Body.LastSyncScheduledAt.Time, at("2030-01-02T08:00:00Z"); !got.Equal(want) {
		t.Errorf("scheduled at %v, want %v", got, want)
	}
	c.advance(time.Hour)
	c.poll(p)
	if got := c.statuses(); got != "full completed, full completed" {
		t.Errorf("after the next instant: %q", got)
	}
}

// TestAScheduledTimeIsNotLostWhileTheSourceIsUnreachable: it is caught up with when the source is back.
func TestAScheduledTimeIsNotLostWhileTheSourceIsUnreachable(t *testing.T) {
	t.Parallel()
	c, p := newScheduled(t)
	p.Check = func(context.Context, *Record[Connector]) error {
		return &source.Error{Kind: source.ErrUnreachable, Err: errors.New("no server responds")}
	}
	c.advance(time.Hour)
	for range 3 {
		if err := p.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.advance(10 * time.Minute)
	}
	b := c.connector().Body
	if len(p.failures) != 3 || b.Status != ConnectorError || b.Error != "no server responds" || len(c.jobs()) != 0 {
		t.Errorf("failures %v, connector %s %q, jobs %s", p.failures, b.Status, b.Error, c.statuses())
	}
	if now := c.clock(); now.Sub(b.LastSeen.Time) > 15*time.Minute {
		t.Errorf("the heartbeat stopped at %v, it is %v", b.LastSeen, now)
	}
	next := c.program(c.transport)
	c.poll(next)
	b = c.connector().Body
	if len(next.ran) != 1 || b.Status != ConnectorConnected || b.Error != "" {
		t.Errorf("run %v, connector %s %q", next.ran, b.Status, b.Error)
	}
}

// TestNewConnectorsAreFilledIn: what Kibana needs to know of a source is published, and nothing is synced
// before it is configured.
func TestNewConnectorsAreFilledIn(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.connect(every("0 0 * * * ?"), func(b *Connector) {
		b.Status, b.Configuration, b.Features, b.ServiceType = ConnectorCreated, nil, Features{}, ""
	})
	p := c.program(c.transport)
	c.poll(p)
	c.advance(2 * time.Hour)
	c.poll(p)
	b := c.connector().Body
	if b.Status != ConnectorNeedsConfiguration || len(b.Configuration) != 2 || !b.Features.BasicRules() || b.ServiceType != "shop" || len(c.jobs()) != 0 {
		t.Errorf("%s, %v, %v, %q, jobs %s", b.Status, b.Configuration, b.Features, b.ServiceType, c.statuses())
	}
	if !b.LastSeen.Equal(TimeOf(c.clock()).Time) {
		t.Errorf("last seen %v", b.LastSeen)
	}
	c.change(func(b *Connector) { b.Status = ConnectorConfigured })
	c.poll(p)
	if len(p.ran) != 1 {
		t.Error("the scheduled time that passed in the meantime was lost")
	}
}

// TestOneJobWaits: an instant that comes while a job of its type waits makes no other one.
func TestOneJobWaits(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect(every("0 0 * * * ?"))
	c.poll(c.program(c.transport))
	s := c.store(c.transport)
	if _, err := s.StartJob(t.Context(), &r, JobFull); err != nil {
		t.Fatal(err)
	}
	if _, err := s.StartJob(t.Context(), &r, JobDeletion); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	p := c.program(c.transport)
	c.poll(p)
	if got := c.statuses(); got != "deletion completed, full completed" {
		t.Errorf("jobs: %q", got)
	}
	if got := c.connector().Body.LastSyncScheduledAt; got.Before(at("2030-01-02T04:00:00Z")) {
		t.Errorf("scheduled at %v", got)
	}
}

// TestOneJobOfAFamilyRuns: content jobs of a connector run one after the other, wherever; identities are
// another family.
func TestOneJobOfAFamilyRuns(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect()
	first := c.program(c.transport)
	start := func(typ JobType) {
		t.Helper()
		if _, err := c.store(c.transport).StartJob(t.Context(), &r, typ); err != nil {
			t.Fatal(err)
		}
	}
	start(JobFull)
	other := c.program(c.transport)
	first.during = func(context.Context, *Claim) error {
		first.during = nil
		start(JobIncremental)
		start(JobAccessControl)
		c.poll(other) //nolint:contextcheck // another program has a context of its own
		return nil
	}
	c.poll(first)
	if len(other.ran) != 1 {
		t.Errorf("while a job ran, another program ran %v", other.ran)
	}
	if got := c.statuses(); got != "access_control completed, full completed, incremental completed" {
		t.Errorf("jobs: %q", got)
	}
	b := c.connector().Body
	if b.LastSyncStatus != JobCompleted || b.LastAccessControlSyncStatus != JobCompleted {
		t.Errorf("connector: %s, %s", b.LastSyncStatus, b.LastAccessControlSyncStatus)
	}
}

// TestJobsThatCannotBeRunAreEnded: no user waits for them in vain.
func TestJobsThatCannotBeRunAreEnded(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect()
	p := c.program(c.transport)
	c.poll(p)
	c.change(func(b *Connector) { _ = b.Features.UnmarshalJSON([]byte(`{}`)) })
	s := c.store(c.transport)
	for _, typ := range []JobType{JobAccessControl, JobIncremental} {
		if _, err := s.StartJob(t.Context(), &r, typ); err != nil {
			t.Fatal(err)
		}
	}
	// Each poll publishes the features of a source again, so the jobs are looked at directly.
	for _, j := range c.jobs() {
		if _, _, err := p.take(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
	for _, j := range c.jobs() {
		if j.Body.Status != JobError || !strings.Contains(string(j.Body.Error), "not enabled") || j.Body.CompletedAt.IsZero() {
			t.Errorf("%s: %s %q", j.Body.JobType, j.Body.Status, j.Body.Error)
		}
	}
}

// TestTheConnectorShowsAFailedJob: until the next good sync.
func TestTheConnectorShowsAFailedJob(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect()
	s := c.store(c.transport)
	p := c.program(c.transport)
	p.during = func(context.Context, *Claim) error { return errors.New(strings.Repeat("é", 5000)) }
	if _, err := s.StartJob(t.Context(), &r, JobFull); err != nil {
		t.Fatal(err)
	}
	c.poll(p)
	b, j := c.connector().Body, c.jobs()[0].Body
	if j.Status != JobError || len(j.Error) > maxError+3 || b.Status != ConnectorError || b.LastSyncStatus != JobError || b.LastSyncError != j.Error || b.Error != j.Error {
		t.Errorf("job %s, error of %d bytes; connector %s, %s, %d, %d", j.Status, len(j.Error), b.Status, b.LastSyncStatus, len(b.LastSyncError), len(b.Error))
	}
	p.during = nil
	if _, err := s.StartJob(t.Context(), &r, JobFull); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Second)
	c.poll(p)
	b = c.connector().Body
	if b.Status != ConnectorConnected || b.LastSyncStatus != JobCompleted || b.LastSyncError != "" || b.Error != "" {
		t.Errorf("connector %s, %s, %q, %q", b.Status, b.LastSyncStatus, b.LastSyncError, b.Error)
	}
}

// TestDraftRules: right ones become active, wrong ones are reported, and where the source has to be asked and
// cannot be, the verdict waits.
func TestDraftRules(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	rule := func(value string) []Rule {
		return []Rule{{ID: "r", Policy: "exclude", Field: "f", Rule: "regex", Value: value, Order: 1}}
	}
	edited := func(value, snippet string) func(*Connector) {
		return func(b *Connector) {
			b.Filtering[0].Draft.Rules = rule(value)
			b.Filtering[0].Draft.AdvancedSnippet.Value = []byte(snippet)
			b.Filtering[0].Draft.Validation = Validation{State: ValidationEdited}
		}
	}
	c.connect(edited("a.*", "{}"))
	p := c.program(c.transport)
	c.poll(p)
	f := c.connector().Body.Filtering[0]
	if f.Active.Validation.State != ValidationValid || f.Active.Rules[0].Value != "a.*" {
		t.Errorf("right ones: %+v", f)
	}
	c.change(edited("(", "{}"))
	c.poll(p)
	f = c.connector().Body.Filtering[0]
	if f.Draft.Validation.State != ValidationInvalid || len(f.Draft.Validation.Errors) != 1 || f.Active.Rules[0].Value != "a.*" {
		t.Errorf("wrong ones: %+v", f)
	}
	c.change(edited("b.*", `[{"tables":["x"]}]`))
	p.CheckRules = func(context.Context, *Record[Connector], any) error { return source.ErrUnreachable }
	if err := p.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f = c.connector().Body.Filtering[0]; f.Draft.Validation.State != ValidationEdited {
		t.Errorf("while the source is out of reach: %+v", f)
	}
	p = c.program(c.transport)
	p.CheckRules = func(_ context.Context, _ *Record[Connector], rules any) error {
		if list, ok := rules.([]any); !ok || len(list) != 1 {
			t.Errorf("asked about %v", rules)
		}
		return errors.New("there is no table x")
	}
	c.poll(p)
	f = c.connector().Body.Filtering[0]
	if v := f.Draft.Validation; v.State != ValidationInvalid || v.Errors[0].IDs[0] != SnippetID || v.Errors[0].Messages[0] != "there is no table x" {
		t.Errorf("advanced ones: %+v", v)
	}
}

// TestAnInvalidScheduleIsShownInKibana: and the other connectors have their turns.
func TestAnInvalidScheduleIsShownInKibana(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.connect(every("0 61 * * * ?"))
	p := c.program(c.transport)
	p.Scope.Own = append(p.Scope.Own, Own{"absent", "shop"})
	if err := p.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := c.connector().Body; b.Status != ConnectorError || !strings.Contains(string(b.Error), "61") {
		t.Errorf("connector %s %q", b.Status, b.Error)
	}
	if len(p.failures) != 2 || !errors.Is(p.failures[0], ErrMissing) || !errors.Is(p.failures[1], ErrConfig) {
		t.Errorf("failures: %v", p.failures)
	}
}

// TestOrphans: jobs of a connector that is gone end, but for one that is alive; nothing else is touched.
func TestOrphans(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect()
	s := c.store(c.transport)
	for id, change := range map[string]func(*Job){
		"waits":     func(*Job) {},
		"idle":      func(j *Job) { j.Status, j.LastSeen = JobInProgress, TimeOf(c.clock().Add(-time.Hour)) },
		"alive":     func(j *Job) { j.Status = JobInProgress },
		"of others": func(j *Job) { j.Connector.ID = "other" },
	} {
		j := NewJob(&r, JobFull, TriggerOnDemand, "9.5.3", c.clock())
		j.Connector.ID = "gone"
		change(&j)
		if _, err := s.Jobs.Create(t.Context(), id, j); err != nil {
			t.Fatal(err)
		}
	}
	other := r.Body
	other.IndexName = "search-other"
	if _, err := s.CreateConnector(t.Context(), "other", other); err != nil {
		t.Fatal(err)
	}
	c.poll(c.program(c.transport))
	got := map[string]JobStatus{}
	for _, j := range c.jobs() {
		got[j.ID] = j.Body.Status
	}
	for id, want := range map[string]JobStatus{"waits": JobError, "idle": JobError, "alive": JobInProgress, "of others": JobPending} {
		if got[id] != want {
			t.Errorf("%s: %s, want %s", id, got[id], want)
		}
	}
}

// TestAJobThatCrashesTheProgramIsNotStartedForever: after the third program it is an error.
func TestAJobThatCrashesTheProgramIsNotStartedForever(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect()
	s := c.store(c.transport)
	id, err := s.StartJob(t.Context(), &r, JobFull)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= maxLost; n++ {
		job, err := s.Jobs.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Claim(t.Context(), job, "host", NewToken()); err != nil {
			t.Fatalf("claim %d: %v", n, err)
		}
		c.advance(idleAfter + time.Second)
		p := c.program(c.transport)
		if err := p.cleanup(t.Context(), []Record[Connector]{c.connector()}); err != nil {
			t.Fatal(err)
		}
		job, err = s.Jobs.Get(t.Context(), id)
		want := JobSuspended
		if n == maxLost {
			want = JobError
		}
		if err != nil || job.Body.Status != want || c.connector().Body.LastSyncStatus != want {
			t.Errorf("after %d: %s, connector %s", n, job.Body.Status, c.connector().Body.LastSyncStatus)
		}
	}
	if b := c.connector().Body; !strings.Contains(string(b.Error), "like 2 programs before it") {
		t.Errorf("the connector says %q", b.Error)
	}
}

// TestDeleteConnector: its records go; no index is asked for.
func TestDeleteConnector(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect()
	s := c.store(c.transport)
	for range 3 {
		if _, err := s.StartJob(t.Context(), &r, JobFull); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DeleteConnector(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	if len(c.jobs()) != 0 {
		t.Errorf("jobs: %s", c.statuses())
	}
	if _, err := s.Connectors.Get(t.Context(), "c"); !errors.Is(err, elastic.ErrNotFound) {
		t.Error(err)
	}
}

func TestAnIndexHasOneConnector(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect()
	s := c.store(c.transport)
	for _, id := range []string{"", "other", "c"} {
		if _, err := s.CreateConnector(t.Context(), id, r.Body); !errors.Is(err, ErrExists) {
			t.Errorf("by the id %q: %v", id, err)
		}
	}
	c.change(func(b *Connector) { b.Deleted = true })
	if _, err := s.CreateConnector(t.Context(), "", r.Body); err != nil {
		t.Errorf("once the first is deleted: %v", err)
	}
}

// TestRunnableJob: who runs a job at once takes the one that waits, if that does the same.
func TestRunnableJob(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	r := c.connect()
	s := c.store(c.transport)
	first, created, err := s.RunnableJob(t.Context(), &r, JobFull)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	if id, created, err := s.RunnableJob(t.Context(), &r, JobFull); id != first || created || err != nil {
		t.Errorf("with one that waits: %s, %v, %v", id, created, err)
	}
	if id, created, err := s.RunnableJob(t.Context(), &r, JobDeletion); id == first || !created || err != nil {
		t.Errorf("of another type: %s, %v, %v", id, created, err)
	}
	c.change(func(b *Connector) { b.IndexName = "search-other" })
	r = c.connector()
	id, created, err := s.RunnableJob(t.Context(), &r, JobFull)
	if id == first || !created || err != nil {
		t.Errorf("with one that would do something else: %s, %v, %v", id, created, err)
	}
	job, err := s.Jobs.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Claim(t.Context(), job, "host", NewToken()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.RunnableJob(t.Context(), &r, JobFull); !errors.Is(err, ErrLost) {
		t.Errorf("while one runs: %v", err)
	}
	if _, _, err := s.RunnableJob(t.Context(), &r, JobAccessControl); err != nil {
		t.Errorf("of another family: %v", err)
	}
}

// TestASourceWithoutFieldsNeedsNoConfiguration: it is configured as soon as a program serves it.
func TestASourceWithoutFieldsNeedsNoConfiguration(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.connect(func(b *Connector) { b.Status, b.Configuration = ConnectorCreated, nil })
	p := c.program(c.transport)
	p.Type = func(string) (source.Type, error) {
		typ := shop()
		typ.Fields = nil
		return typ, nil
	}
	c.poll(p)
	c.poll(p)
	if b := c.connector().Body; b.Status != ConnectorConnected || len(b.Configuration) != 0 {
		t.Errorf("%s, %v", b.Status, b.Configuration)
	}
}
