package protocol

import (
	"testing"
	"time"
)

// TestAnInstantFarAheadOfNowIsUnknown: a clock that was wrong once would otherwise keep everything from
// being done for years.
func TestAnInstantFarAheadOfNowIsUnknown(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.connect(every("0 0 * * * ?"))
	future := TimeOf(c.clock().AddDate(9, 0, 0))
	c.change(func(b *Connector) { b.LastSyncScheduledAt, b.LastSeen = future, future })
	p := c.program(c.transport)
	c.poll(p)
	if got := c.statuses(); got != "full completed" {
		t.Errorf("the last instant is ahead: jobs %q", got)
	}
	b := c.connector().Body
	if now := c.clock(); b.LastSyncScheduledAt.After(now) || b.LastSeen.After(now) {
		t.Errorf("scheduled at %v, seen at %v", b.LastSyncScheduledAt, b.LastSeen)
	}
	c.poll(p)
	if got := c.statuses(); got != "full completed" {
		t.Errorf("the same time again: jobs %q", got)
	}
}

// TestAnInstantALittleAheadStands: clocks differ by seconds, and minutes.
func TestAnInstantALittleAheadStands(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.connect(every("0 * * * * ?"))
	soon := TimeOf(c.clock().Add(50 * time.Minute))
	c.change(func(b *Connector) { b.LastSyncScheduledAt = soon })
	c.poll(c.program(c.transport))
	if got := c.statuses(); got != "" {
		t.Errorf("jobs %q", got)
	}
}

// TestAJobSeenFarInTheFutureIsOrphaned: it would never become idle.
func TestAJobSeenFarInTheFutureIsOrphaned(t *testing.T) {
	t.Parallel()
	c, _, claim := newClaimed(t)
	c.changeJob(claim.Job, func(j *Job) { j.LastSeen = TimeOf(c.clock().AddDate(9, 0, 0)) })
	p := c.program(c.transport)
	c.poll(p)
	if got := c.statuses(); got != "full completed" || len(p.ran) != 1 {
		t.Errorf("jobs %q, run %v", got, p.ran)
	}
}
