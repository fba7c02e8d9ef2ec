package dir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

var _ files.Tree = (*local)(nil)

// local is the tree below an opened folder, which nothing leads out of.
type local struct{ root *os.Root }

// List implements [files.Tree]. A pipe in place of a folder must not make us wait for a writer.
func (l *local) List(_ context.Context, folder string) iter.Seq2[[]fs.DirEntry, error] {
	return func(yield func([]fs.DirEntry, error) bool) {
		f, err := l.root.OpenFile(filepath.FromSlash(files.Name(folder)), os.O_RDONLY|nonblock, 0)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		for {
			entries, err := f.ReadDir(files.Piece)
			if len(entries) > 0 && !yield(entries, nil) {
				return
			}
			if err != nil { // the end, too
				yield(nil, err)
				return
			}
		}
	}
}

// Stat implements [files.Tree].
func (l *local) Stat(_ context.Context, path string) (fs.FileInfo, error) {
	info, err := l.root.Stat(filepath.FromSlash(path))
	if err != nil && l.isStray(err) {
		return nil, files.ErrStray
	}
	return info, err
}

// Open implements [files.Tree].
func (l *local) Open(ctx context.Context, path string) (files.File, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	f, err := l.root.OpenFile(filepath.FromSlash(path), os.O_RDONLY|nonblock, 0)
	if err != nil {
		if files.Gone(err) || l.isStray(err) {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		_ = f.Close() // the failure is already reported
		return nil, err
	}
	return f, nil
}

// opener opens the content of a file.
func (l *local) opener(path string) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		f, err := l.Open(ctx, path)
		if err != nil {
			return nil, err
		}
		info, err := f.Stat()
		if err != nil {
			_ = f.Close() // the failure is already reported
			return nil, err
		}
		return files.Content(f, info), nil
	}
}

// isStray reports whether err says that a path leads out of the root or forms a loop. The first error has no
// exported name, so one is produced to compare with.
func (l *local) isStray(err error) bool {
	_, escape := l.root.Stat("..")
	e, ok := errors.AsType[*fs.PathError](escape)
	return errors.Is(err, syscall.ELOOP) || (ok && errors.Is(err, e.Err))
}
