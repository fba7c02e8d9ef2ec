package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// delay waits for a random part of --jitter, so that many machines with the same crontab line do not start in the
// same second. It returns the cause of ctx if that ends first.
func (s *session) delay(ctx context.Context) error {
	if s.o.Jitter <= 0 {
		return nil
	}
	wait := rand.N(s.o.Jitter + 1) //nolint:gosec // jitter needs no secrecy
	s.log.Debug("waiting before the start (--jitter)", report.Took, wait)
	if !retry.Sleep(ctx, wait) {
		return context.Cause(ctx)
	}
	s.started = s.app.Now()
	return nil
}

// The pause between two attempts to get a lock doubles up to a second.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = time.Second
)

// awaitLock calls try again while it reports that another run holds a lock, for as long as --lock-wait,
// --max-duration and ctx permit, and returns its last error. waited reports that another run held it.
func (s *session) awaitLock(ctx context.Context, try func() error) (waited bool, err error) {
	ctx, stop := s.limited(ctx)
	defer stop()
	backoff := retry.Policy{First: firstPause, Max: longestPause, Patience: s.o.LockWait}.Start()
	for {
		if err = try(); !isLocked(err) {
			return waited, err
		}
		if !waited && s.o.LockWait > 0 && !s.o.Quiet {
			s.messages.Note("waiting for another run: " + err.Error())
		}
		if !backoff.Wait(ctx, 0) {
			if ctx.Err() != nil {
				err = fmt.Errorf("%w: %s", context.Cause(ctx), err.Error())
			}
			return waited, err
		}
		waited = true
	}
}

// isLocked reports the errors that end with the run of another process.
func isLocked(err error) bool {
	return errors.Is(err, state.ErrLocked) || errors.Is(err, records.ErrBusy) || destination.InUse(err)
}

// lock locks an index of the destination.
func (s *session) lock(ctx context.Context, cluster, index string) (unlock func(), waited bool, err error) {
	waited, err = s.awaitLock(ctx, func() (err error) {
		unlock, err = s.state.Lock(cluster, index, s.app.Now())
		if _, ok := errors.AsType[*fs.PathError](err); ok && !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EIO) {
			err = &usage.Error{Problem: err.Error(), Hint: "set ELASTIC_INGEST_STATE_DIR to a folder that this user can write to"}
		}
		return err
	})
	return unlock, waited, err
}

// claimInTime claims a new job of a named connector, once the connector is not syncing. After a wait its record is
// read again, since it may have changed.
func (j jobs) claimInTime(ctx context.Context, w *work) (claim *protocol.Claim, release func(settled bool), err error) {
	again := false
	_, err = j.awaitLock(ctx, func() error {
		if again {
			if err := j.reload(ctx, w); err != nil {
				return err
			}
		}
		again = true
		var err error
		claim, release, err = j.claimNamed(ctx, w)
		return err
	})
	return claim, release, err
}

// reload updates a run from the record of its connector.
func (j jobs) reload(ctx context.Context, w *work) error {
	record, err := j.records.Connectors.Get(ctx, w.record.ID)
	if err != nil {
		return err
	}
	fresh, err := j.planned(ctx, &record)
	if err == nil {
		*w = fresh
	}
	return err
}
