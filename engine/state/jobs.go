package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
)

// HoldJob marks that this program is running a sync job: with a lock, which ends with the process, and a
// file with the token of its claim. ok is false while another program holds it.
func (d Dir) HoldJob(job, token string) (release func(settled bool), ok bool, err error) {
	lock, claim := d.jobFiles(job)
	if err := os.MkdirAll(filepath.Dir(lock), 0o700); err != nil {
		return nil, false, fmt.Errorf("state folder: %w", err)
	}
	if err := errors.Join(ownfile.Check(lock), ownfile.Check(claim)); err != nil {
		return nil, false, fmt.Errorf("state folder: %w", err)
	}
	l := flock.New(lock)
	if ok, err = l.TryLock(); err != nil || !ok {
		if err != nil {
			err = fmt.Errorf("state folder: lock: %w", err)
		}
		return nil, false, err
	}
	if err := ownfile.Replace(claim, []byte(token), 0o600); err != nil {
		_ = l.Unlock()
		return nil, false, fmt.Errorf("state folder: %w", err)
	}
	return func(settled bool) {
		if settled {
			_ = os.Remove(claim)
		}
		_ = l.Unlock()
		_ = os.Remove(lock) // a job is claimed once, so waiting for it is rare
	}, true, nil
}

// JobLeft reports whether a claim was held in this folder and its program has ended without releasing it.
// It is false if that is unknown, for example for a job of another machine.
func (d Dir) JobLeft(job, token string) bool {
	lock, claim := d.jobFiles(job)
	if ownfile.Check(lock) != nil || ownfile.Check(claim) != nil {
		return false
	}
	if held, err := os.ReadFile(claim); err != nil || string(held) != token || token == "" {
		return false
	}
	l := flock.New(lock)
	if ok, err := l.TryLock(); err != nil || !ok {
		return false
	}
	defer l.Unlock()                //nolint:errcheck // nothing was written
	held, err := os.ReadFile(claim) // it may belong to another program by now
	return err == nil && string(held) == token
}

// jobFiles are two, because on some systems a locked file cannot be written.
func (d Dir) jobFiles(job string) (lock, claim string) {
	file := filepath.Join(string(d), "locks", "job-"+Key("job", job))
	return file + ".lock", file + ".claim"
}
