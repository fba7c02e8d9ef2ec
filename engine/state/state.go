// Package state keeps what a run must know about other runs on this machine: the run lock and who holds it, the
// scopes that had vanished when the last one ended, when each was read under a time limit, and which failures of
// a connector were reported.
//
// It holds no documents. Its invariant: the state folder may be deleted at any time between runs, and
// the only loss is which scopes had vanished, whose deletes are then held back again, which scopes
// are next, and which failures were reported.
package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
)

// ErrLocked is the error of a lock that another run holds.
var ErrLocked = errors.New("another run holds the lock")

// Dir is a state folder; it is created when it is first needed.
type Dir string

// Lock keeps other runs on this machine away from an index of a destination. The operating system
// releases the lock when the process ends, however that happens. The error is [ErrLocked] if another run holds
// it, and names that run if it is known.
func (d Dir) Lock(destination, index string, now time.Time) (unlock func(), err error) {
	file := d.lockFile(destination, index)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	if err := ownfile.Check(file); err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	l := flock.New(file)
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("state folder: lock: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("index %q: %w%s", index, ErrLocked, d.HeldBy(destination, index))
	}
	remove := d.NoteHolder(destination, index, now)
	return func() {
		remove()
		_ = l.Unlock()
	}, nil // the file stays: removing it would let two runs lock two files
}

func (d Dir) lockFile(destination, index string) string {
	return filepath.Join(string(d), "locks", Key(destination, index)+".lock")
}

// Key names an index of a destination in the state folder.
func Key(destination, index string) string {
	sum := sha256.Sum256([]byte(destination + "\x00" + index))
	return hex.EncodeToString(sum[:8])
}
