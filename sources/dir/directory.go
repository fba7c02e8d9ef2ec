package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

var _ source.Source = (*directory)(nil)

// directory is the opened source.
type directory struct {
	settings
	log *slog.Logger

	mu     sync.Mutex
	handle *os.Root // nil before it is needed
	strays strays
}

// strays are the links that were not followed, told once at the end.
type strays struct {
	n     int
	first string
}

// Validate checks that the directory is one.
func (d *directory) Validate(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	info, err := os.Stat(d.root)
	switch {
	case err != nil:
		return d.rootError(err)
	case !info.IsDir():
		return d.rootError(&fs.PathError{Op: "open", Path: d.root, Err: syscall.ENOTDIR})
	}
	return nil
}

// Ping checks that the directory can be listed.
func (d *directory) Ping(ctx context.Context) error {
	if err := d.Validate(ctx); err != nil {
		return err
	}
	f, err := os.Open(d.root)
	if err != nil {
		return d.rootError(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if _, err := f.Readdirnames(1); err != nil && !errors.Is(err, io.EOF) {
		return d.rootError(err)
	}
	return nil
}

// Close gives the directory back, and tells about links that were not followed.
func (d *directory) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.strays.n > 0 {
		d.log.Warn("links that leave the directory, or lead in a circle, were skipped",
			slog.Int("links", d.strays.n), slog.String("first", d.strays.first))
	}
	if d.handle == nil {
		return nil
	}
	return d.handle.Close()
}

// connect opens the directory. From then on it is the same one, even if it is moved or replaced.
func (d *directory) connect() (*os.Root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.handle == nil {
		handle, err := os.OpenRoot(d.root)
		if err != nil {
			return nil, d.rootError(err)
		}
		d.handle = handle
	}
	return d.handle, nil
}

func (d *directory) stray(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.strays.n++; d.strays.n == 1 {
		d.strays.first = path
	}
}

// rootError is about the directory itself. That it is absent must never look like an empty one.
func (d *directory) rootError(err error) error {
	e := &source.Error{Kind: kindOf(err), Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Kind = source.ErrConfig
		e.Err = fmt.Errorf("the directory %q does not exist", d.root)
		e.Hint = "correct directory: in the configuration, or mount what belongs there"
	case errors.Is(err, syscall.ENOTDIR):
		e.Kind = source.ErrConfig
		e.Err = fmt.Errorf("%q is not a directory", d.root)
		e.Hint = "directory: names a folder; which files of it are read is said by pattern:"
	case errors.Is(err, fs.ErrPermission):
		e.Err = fmt.Errorf("the directory %q may not be read", d.root)
		e.Hint = "let the user who runs this program read and enter it"
	}
	return e
}

// partError is about a folder or file below the directory; path is relative.
func partError(path string, err error) *source.Error {
	e := &source.Error{Kind: kindOf(err), Part: partName(path), Err: reason(err)}
	if errors.Is(err, fs.ErrPermission) {
		e.Hint = "let the user who runs this program read it (a folder also entered), or leave it out by pattern:"
	}
	return e
}

// reason is the error without the path, which the part names already.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	return err
}

// kindOf tells what may pass (a network file system that stalls, too many open files) from what
// needs a person.
func kindOf(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return source.ErrAuth
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.ESTALE), errors.Is(err, syscall.ETIMEDOUT),
		errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return source.ErrTemporary
	}
	return nil
}

// gone reports whether err means that something is not there any more.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// partName is what a folder or file is called in logs; the root has a name, too.
func partName(path string) string {
	if path == "" {
		return "."
	}
	return path
}

// absolute is the path of a file on this system.
func (s *settings) absolute(path string) string {
	return inside(s.root) + filepath.FromSlash(path)
}
