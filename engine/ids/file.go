package ids

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"unsafe"
)

// ErrFile is the error of a file of ids that cannot be created, written or read.
var ErrFile = errors.New("ids beyond engine.ids_memory cannot be kept in a file")

const (
	recordBytes = 24
	blockBytes  = 4096 // a page of the system's cache, so that a look-up touches one, seldom two
	perBlock    = blockBytes / recordBytes
)

type block [perBlock]record

// backing is a temporary file.
type backing interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// file holds blocks of records that do not fit into memory. It is created with the first block. After
// the first error it answers nothing any more, so that a word that was not written is never read as
// if it had been.
type file struct {
	open    func() (backing, error)
	buffers sync.Pool // of *block
	failure atomic.Pointer[error]

	mu   sync.Mutex
	on   backing // set once, before any block is allocated
	next uint32
	free []uint32
	over bool
}

func newFile(open func() (backing, error)) *file {
	return &file{open: open, buffers: sync.Pool{New: func() any { return new(block) }}}
}

// bytesOf are the records in their memory layout: only this process reads the file.
func bytesOf(records []record) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(records))), len(records)*recordBytes)
}

// alloc allocates a block, a used one if there is one.
func (f *file) alloc() (uint32, error) {
	if err := f.failed(); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.on == nil {
		on, err := f.open()
		if err != nil {
			return 0, f.fail(err)
		}
		f.on = on
	}
	if n := len(f.free); n > 0 {
		b := f.free[n-1]
		f.free = f.free[:n-1]
		return b, nil
	}
	f.next++
	return f.next - 1, nil
}

// release releases blocks.
func (f *file) release(blocks []uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free = append(f.free, blocks...)
}

// append writes up to a block of records to a new block, which it records.
func (f *file) append(blocks *[]uint32, records []record) error {
	b, err := f.alloc()
	if err != nil {
		return err
	}
	*blocks = append(*blocks, b)
	return f.write(int64(b)*blockBytes, records)
}

func (f *file) write(at int64, records []record) error {
	return f.writeBytes(at, bytesOf(records))
}

// writeWord writes the word of the record at that place.
func (f *file) writeWord(at int64, r *record) error {
	const offset = int64(unsafe.Offsetof(r.word))
	return f.writeBytes(at+offset, bytesOf(unsafe.Slice(r, 1))[offset:])
}

func (f *file) writeBytes(at int64, raw []byte) error {
	if err := f.failed(); err != nil {
		return err
	}
	if _, err := f.on.WriteAt(raw, at); err != nil {
		return f.fail(err)
	}
	return nil
}

func (f *file) read(at int64, records []record) error {
	if err := f.failed(); err != nil {
		return err
	}
	if _, err := f.on.ReadAt(bytesOf(records), at); err != nil {
		return f.fail(err)
	}
	return nil
}

func (f *file) failed() error {
	if err := f.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// fail makes err the result of all further operations.
func (f *file) fail(err error) error {
	if errors.Is(err, io.EOF) { // it is shorter than what was written
		err = io.ErrUnexpectedEOF
	}
	err = fmt.Errorf("%w: %w", ErrFile, err)
	f.failure.CompareAndSwap(nil, &err)
	return f.failed()
}

// close removes the file.
func (f *file) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := fmt.Errorf("%w: %w", ErrFile, os.ErrClosed)
	f.failure.CompareAndSwap(nil, &err)
	if f.on == nil || f.over {
		return nil
	}
	f.over = true
	if err := f.on.Close(); err != nil {
		return fmt.Errorf("remove the file of ids: %w", err)
	}
	return nil
}

// temporary is a file that is unlinked immediately if the system allows that, so that a kill leaves
// nothing; otherwise it is removed when it is closed.
type temporary struct {
	*os.File
	named bool
}

const pattern = "ids-*.tmp"

func openTemporary(dir string) (backing, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sweep(dir)
	f, err := os.CreateTemp(dir, pattern) // mode 0600
	if err != nil {
		return nil, err
	}
	return &temporary{f, remove(f.Name()) != nil}, nil
}

// sweep removes files of runs that were killed before unlinking them. The file of a run that
// is still running cannot be removed, or does not need its name.
func sweep(dir string) {
	left, _ := fs.Glob(os.DirFS(dir), pattern) // if it cannot be listed, nothing is removed
	for _, name := range left {
		_ = remove(filepath.Join(dir, name))
	}
}

// remove ignores that the sweep of another run was faster.
func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (t *temporary) Close() error {
	err := t.File.Close()
	if t.named {
		err = errors.Join(err, remove(t.Name()))
	}
	return err
}
