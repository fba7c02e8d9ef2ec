package protocol

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKilledAtAnyStep kills a program at each of its requests, before or after it, in every situation
// that a poll has to deal with. Whatever it leaves, the next polls bring to the same end, as soon
// as they see that no program runs the job: at once on the same machine, after some minutes elsewhere.
func TestKilledAtAnyStep(t *testing.T) {
	t.Parallel()
	pending := func(c *cluster, change ...func(*Job)) {
		c.t.Helper()
		s := c.store(c.transport)
		r := c.connector()
		j := NewJob(&r, JobFull, TriggerOnDemand, "9.5.3", c.clock())
		for _, f := range change {
			f(&j)
		}
		if _, err := s.Jobs.Create(c.t.Context(), "j", j); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name  string
		setUp func(*cluster)
		want  string // the jobs in the end
		runs  int    // jobs that come to their end by being run
	}{
		{"a schedule", func(c *cluster) {
			c.connect(every("0 0 * * * ?"))
			c.poll(c.program(c.transport))
			c.advance(time.Hour)
		}, "full completed", 1},
		{"a job on demand", func(c *cluster) { c.connect(); pending(c) }, "full completed", 1},
		{"a deletion job", func(c *cluster) {
			c.connect()
			pending(c, func(j *Job) { j.Metadata = j.Metadata.with(Details{Type: JobDeletion}) })
		}, "deletion completed", 1},
		{"the flag of the first generation", func(c *cluster) { c.connect(func(b *Connector) { b.SyncNow = true }) }, "full completed", 1},
		{"a suspended job", func(c *cluster) {
			c.connect()
			pending(c, func(j *Job) { j.Status = JobSuspended })
		}, "full completed", 1},
		{"a suspended job of other rules", func(c *cluster) {
			c.connect()
			pending(c, func(j *Job) {
				j.Status = JobSuspended
				j.Connector.Filtering.Rules.Rules = []Rule{{ID: "r", Policy: "exclude", Field: "f", Rule: "equals", Value: "v"}}
			})
		}, "full completed, full error", 1},
		{"a job that was canceled before it was begun", func(c *cluster) {
			c.connect()
			pending(c, func(j *Job) { j.Status = JobCanceling })
		}, "full canceled", 0},
		{"rules to validate, and a job", func(c *cluster) {
			c.connect(func(b *Connector) {
				b.Filtering[0].Draft.Rules = []Rule{{ID: "r", Policy: "exclude", Field: "f", Rule: "equals", Value: "v", Order: 1}}
				b.Filtering[0].Draft.Validation.State = ValidationEdited
			})
			pending(c) // of the rules before; where it is suspended, another one takes its place
		}, "full completed|full completed, full error", 1},
		{"two jobs of one connector", func(c *cluster) {
			c.connect(func(b *Connector) { b.SyncNow = true })
			pending(c, func(j *Job) { j.JobType = JobIncremental })
		}, "full completed, incremental completed", 2},
	} {
		for _, lost := range []bool{false, true} {
			for _, sameMachine := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, lost=%v same=%v", tt.name, lost, sameMachine), func(t *testing.T) {
					t.Parallel()
					for n, killed := 1, true; killed; n++ {
						c := newCluster(t)
						tt.setUp(c)
						killed = c.killAndRepair(n, lost, sameMachine)
						if got := c.statuses(); !slices.Contains(strings.Split(tt.want, "|"), got) {
							t.Fatalf("killed at request %d: jobs %q, want %q", n, got, tt.want)
						}
						c.checkSettled(n, tt.runs)
					}
				})
			}
		}
	}
}

// killAndRepair lets a program die at its nth request and others poll after it. It reports whether the
// first one got so far.
func (c *cluster) killAndRepair(n int, lost, sameMachine bool) (killed bool) {
	c.t.Helper()
	m := &mortal{next: c.transport, left: n + 1, lost: lost}
	if lost {
		m.left = n
	}
	victim := c.program(m)
	err := victim.Once(c.t.Context())
	killed = err != nil || len(victim.failures) > 0
	for range 4 {
		next := c.program(c.transport)
		if sameMachine {
			next.Dead = func(job, token string) bool { return token != "" && victim.held[job] == token }
		} else {
			c.advance(idleAfter + time.Second)
		}
		c.poll(next)
	}
	return killed
}

// checkSettled checks what must hold when nothing is left to do.
func (c *cluster) checkSettled(n, runs int) {
	c.t.Helper()
	b := c.connector().Body
	if runs > 0 && b.LastSyncStatus != JobCompleted || b.LastSyncStatus == JobInProgress || b.Status != ConnectorConnected || b.Error != "" || bool(b.SyncNow) {
		c.t.Fatalf("killed at request %d: the connector is %s, its last sync %s, error %q", n, b.Status, b.LastSyncStatus, b.Error)
	}
	if b.Filtering[0].Draft.Validation.State != ValidationValid || len(b.Filtering[0].Active.Rules) != len(b.Filtering[0].Draft.Rules) {
		c.t.Fatalf("killed at request %d: rules are %+v", n, b.Filtering[0])
	}
	for _, j := range c.jobs() {
		if j.Body.Status == JobCompleted && (j.Body.IndexedDocumentCount != 7 || j.Body.CompletedAt.IsZero()) || j.Body.Metadata.Details().Claim != "" {
			raw, _ := json.Marshal(j.Body)
			c.t.Fatalf("killed at request %d: job %s", n, raw)
		}
	}
}
