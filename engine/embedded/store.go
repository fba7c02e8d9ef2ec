package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// store is an ordered map of bytes in a folder or in memory: the rest of the package uses Pebble only through get,
// commit, sync, snapshot, scan and close.
//
// A failed disk must neither hang a cron job nor look like success. So every call that can block on the
// disk runs under guard, and Pebble works on a disk that blocks instead of failing; see disk.
type store struct {
	db     *pebble.DB
	lock   *pebble.Lock
	memory bool

	live   atomic.Bool // open; from now on a failed write breaks the store
	once   sync.Once
	failed chan struct{} // closed when the store is broken
	broken error         // set before failed is closed
}

type storeOptions struct {
	dir      string // "": memory
	cache    int64
	readOnly bool
	fs       vfs.FS // nil: the system's, or memory
}

const (
	defaultCache = 64 << 20
	minMemTable  = 1 << 20
	// memTables is how many write buffers may wait for the disk before writers must wait.
	memTables = 4
)

// openStore opens or creates a store. A read-only open of a missing folder is an empty store.
func openStore(o storeOptions) (*store, error) {
	st := &store{memory: o.dir == "" && o.fs == nil, failed: make(chan struct{})}
	switch {
	case o.fs != nil:
	case st.memory:
		o.fs, o.dir = vfs.NewMem(), "memory"
	default:
		o.fs = vfs.Default
		abs, err := filepath.Abs(o.dir)
		if err != nil {
			return nil, fmt.Errorf("embedded folder %q: %w", o.dir, err)
		}
		o.dir = abs
	}
	exists, err := storeExists(o)
	if err != nil {
		return nil, fmt.Errorf("embedded folder %q: %w", o.dir, err)
	}
	if o.readOnly && !exists {
		return openStore(storeOptions{})
	}
	if !o.readOnly {
		if err := o.fs.MkdirAll(o.dir, 0o700); err != nil { // it holds complete documents
			return nil, fmt.Errorf("create the embedded folder: %w", err)
		}
		if err := tryToWrite(o); err != nil {
			return nil, fmt.Errorf("write to the embedded folder %q: %w", o.dir, err)
		}
	}
	lock, err := pebble.LockDirectory(o.dir, o.fs)
	if err != nil {
		if lockHeld(err) {
			return nil, fmt.Errorf("embedded folder %q: %w by another process", o.dir, ErrInUse)
		}
		return nil, fmt.Errorf("lock the embedded folder: %w", err)
	}
	o.fs = &disk{FS: o.fs, st: st}
	options := st.options(o)
	options.Lock = lock
	st.db, err = pebble.Open(o.dir, options)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the embedded store in %q: %w", o.dir, err), lock.Close())
	}
	st.lock = lock
	st.live.Store(true)
	return st, nil
}

// tryToWrite checks whether the folder has room for everything that opening the store may write. If Pebble
// ran out of room in the middle, a compaction in progress would continue without its files and end the process.
func tryToWrite(o storeOptions) error {
	name := o.fs.PathJoin(o.dir, "trial")
	f, err := o.fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 64<<10))
	return errors.Join(err, f.Close(), o.fs.Remove(name))
}

// storeExists checks without side effects; opening a folder would create a lock file in it.
func storeExists(o storeOptions) (bool, error) {
	desc, err := pebble.Peek(o.dir, o.fs)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return desc.Exists, nil
}

// lockHeld distinguishes a held lock from a folder that cannot be written. Opening the lock
// file fails with a path error, locking it with a bare number.
func lockHeld(err error) bool {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return false
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		if runtime.GOOS == "windows" {
			const sharingViolation = 32
			return errno == sharingViolation
		}
		return errno == syscall.EAGAIN || errno == syscall.EACCES
	}
	return strings.Contains(err.Error(), "held by current process")
}

func (st *store) options(o storeOptions) *pebble.Options {
	if o.cache <= 0 {
		o.cache = defaultCache
	}
	// Write buffers are part of the cache size, so the cache limits both.
	buffer := min(max(o.cache/4, minMemTable), 16<<20)
	options := &pebble.Options{
		FS:                          o.fs,
		ReadOnly:                    o.readOnly,
		CacheSize:                   o.cache,
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		Logger:                      (*silentLogger)(st),
		MemTableSize:                uint64(buffer),
		MemTableStopWritesThreshold: memTables,
		L0StopWritesThreshold:       1000, // scans are slower for a while; a stalled writer would be worse
		LBaseMaxBytes:               256 << 20,
		MaxOpenFiles:                500,
		DisableWAL:                  st.memory,
		EventListener: &pebble.EventListener{BackgroundError: func(err error) {
			if !errors.Is(err, pebble.ErrCancelledCompaction) {
				st.breakOff(err)
			}
		}},
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
	}
	for i := range options.Levels {
		options.Levels[i] = pebble.LevelOptions{
			BlockSize: 32 << 10,
			// A mirror needs as much disk space as its documents; compression would cost a bulk load
			// three quarters more CPU (BenchmarkBulk: 4.1 s for 300,000 documents without, 7.1 s with Snappy).
			Compression:  func() *sstable.CompressionProfile { return sstable.NoCompression },
			FilterPolicy: bloom.FilterPolicy(10), // most writes look up an id that does not exist
		}
	}
	return options
}

// breakOff records the first failure; from then on nothing is written.
func (st *store) breakOff(err error) {
	st.once.Do(func() {
		st.broken = err
		close(st.failed)
	})
}

// guard runs a call that may block on the disk. If the store breaks in the meantime, the call is
// abandoned: it may hang inside Pebble forever.
func (st *store) guard(call func() error) error {
	select {
	case <-st.failed:
		return st.broken
	default:
	}
	done := make(chan error, 1)
	go func() { // ends with the call
		returned := false
		defer func() {
			if !returned {
				err := fmt.Errorf("the store panicked: %v", recover())
				st.breakOff(err)
				done <- err
			}
		}()
		err := call()
		returned = true
		if err != nil {
			st.breakOff(err)
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-st.failed:
		return st.broken
	}
}

// get returns a copy of a key's value; nil if there is none.
func (st *store) get(key []byte) ([]byte, error) { return get(st.db, key) }

func get(r pebble.Reader, key []byte) ([]byte, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, len(v)), v...)
	return out, closer.Close()
}

// batch collects writes that happen together or not at all.
type batch struct{ b *pebble.Batch }

func (st *store) batch() *batch { return &batch{st.db.NewBatch()} }

func (b *batch) set(key, value []byte)       { _ = b.b.Set(key, value, nil) } // an unapplied batch accepts everything
func (b *batch) delete(key []byte)           { _ = b.b.Delete(key, nil) }
func (b *batch) deleteRange(from, to []byte) { _ = b.b.DeleteRange(from, to, nil) }

// reserve makes room for one pair, so that long values are copied once.
func (b *batch) reserve(keyLen, valueLen int, fill func(key, value []byte)) {
	op := b.b.SetDeferred(keyLen, valueLen)
	fill(op.Key, op.Value)
	_ = op.Finish()
}

// commit applies the batch; if forced, it waits until the batch is on disk.
func (st *store) commit(b *batch, forced bool) error {
	if b.b.Empty() {
		return b.b.Close()
	}
	how := pebble.NoSync
	if forced && !st.memory {
		how = pebble.Sync
	}
	return st.guard(func() error {
		if err := b.b.Commit(how); err != nil {
			return err
		}
		return b.b.Close()
	})
}

// sync waits until everything committed so far is on disk.
func (st *store) sync() error {
	if st.memory {
		return nil
	}
	return st.guard(func() error { return st.db.LogData(nil, pebble.Sync) })
}

// snapshot is the state of the store at one instant.
type snapshot struct {
	s  *pebble.Snapshot
	st *store
}

func (st *store) snapshot() (*snapshot, error) {
	var s *pebble.Snapshot
	err := st.guard(func() error { s = st.db.NewSnapshot(); return nil })
	if err != nil {
		return nil, err
	}
	return &snapshot{s, st}, nil
}

func (s *snapshot) get(key []byte) ([]byte, error) { return get(s.s, key) }
func (s *snapshot) close() error                   { return s.st.guard(s.s.Close) }

// scan calls do for every pair with from <= key < to, downwards if desc, until do returns false. Key
// and value are valid during the call only.
func (s *snapshot) scan(ctx context.Context, from, to []byte, desc bool, do func(key, value []byte) (bool, error)) (err error) {
	return scan(ctx, s.s, from, to, desc, do)
}

func (st *store) scan(ctx context.Context, from, to []byte, do func(key, value []byte) (bool, error)) error {
	return scan(ctx, st.db, from, to, false, do)
}

func scan(ctx context.Context, r pebble.Reader, from, to []byte, desc bool, do func(key, value []byte) (bool, error)) (err error) {
	it, err := r.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	start, step := it.First, it.Next
	if desc {
		start, step = it.Last, it.Prev
	}
	for n, ok := 0, start(); ok; n, ok = n+1, step() {
		if n%1024 == 1023 && ctx.Err() != nil {
			return ctx.Err()
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if more, err := do(it.Key(), value); err != nil || !more {
			return err
		}
	}
	return it.Error()
}

// close syncs and closes. A broken store stays open until the process ends, because closing it may hang.
func (st *store) close() error {
	if err := st.guard(st.db.Close); err != nil {
		return fmt.Errorf("the embedded store broke: %w", err)
	}
	return st.lock.Close()
}

// silentLogger silences Pebble. A fatal message ends the store, not the
// process: the goroutine that reports it blocks forever, and guard releases its caller.
type silentLogger store

func (*silentLogger) Infof(string, ...any)  {}
func (*silentLogger) Errorf(string, ...any) {}

func (l *silentLogger) Fatalf(format string, args ...any) {
	(*store)(l).breakOff(fmt.Errorf(format, args...))
	select {}
}
