package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

var (
	_ source.Selective = (*directory)(nil)
	_ source.Verifier  = (*directory)(nil)
)

// directory is the opened source.
type directory struct {
	settings
	log *slog.Logger

	mu     sync.Mutex
	handle *os.Root // nil before it is needed
	strays strays
	read   map[string]stamp // files of records that were read completely, by scope
}

// strays are the links that were not followed, logged once at the end.
type strays struct {
	n     int
	first string
}

// Parts lists the folders that the pattern can reach, or the files of records in them. Links to folders are
// not entered, so the walk has an end.
func (d *directory) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		root, err := d.connect()
		if err != nil {
			yield(nil, err)
			return
		}
		d.walk(root).Parts(ctx, func() {
			d.log.Warn("no file in the directory matches the pattern", slog.String("pattern", d.pattern.String()))
		})(yield)
	}
}

// Selects reports an error if no file matches the pattern.
func (d *directory) Selects(ctx context.Context) error {
	root, err := d.connect()
	if err != nil {
		return err
	}
	if found, err := d.walk(root).Any(ctx); found || err != nil {
		return err
	}
	return &source.Error{
		Kind: source.ErrConfig, Err: fmt.Errorf("no file in %q matches the pattern %q", d.root, d.pattern),
		Hint: "correct pattern: in the configuration; **/* matches every file",
	}
}

func (d *directory) walk(root *os.Root) *files.Walk {
	tree := &local{root}
	w := &files.Walk{Tree: tree, Choice: d.pattern, Spared: d.spared, Explain: d.explain, Stray: d.stray}
	if !d.documents {
		w.Document = func(path string, info fs.FileInfo) document.Document { return d.file(tree, path, info) }
		return w
	}
	w.FilePart = func(path string) source.Part {
		if read := readerFor(path); read != nil {
			return &recordFile{directory: d, tree: tree, path: path, read: read}
		}
		return nil
	}
	return w
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

// Close closes the directory and logs the links that were not followed.
func (d *directory) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.strays.n > 0 {
		d.log.Warn("links that leave the directory or form a loop were skipped",
			slog.Int("links", d.strays.n), slog.String("first", d.strays.first))
	}
	if d.handle == nil {
		return nil
	}
	return d.handle.Close()
}

// connect opens the directory. From then on the same directory is used, even if it is moved or replaced.
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

// rootError is about the directory itself. A missing directory must never look like an empty one.
func (d *directory) rootError(err error) *source.Error {
	e := &source.Error{Kind: kindOf(err), Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Kind = source.ErrConfig
		e.Err = fmt.Errorf("the directory %q does not exist", d.root)
		e.Hint = "correct directory: in the configuration, or mount the file system that belongs there"
	case errors.Is(err, syscall.ENOTDIR):
		e.Kind = source.ErrConfig
		e.Err = fmt.Errorf("%q is not a directory", d.root)
		e.Hint = "set directory: to a folder; pattern: selects files in it"
	case errors.Is(err, fs.ErrPermission):
		e.Err = fmt.Errorf("the directory %q cannot be read: permission denied", d.root)
		e.Hint = "grant the user who runs this program read and execute permission on it"
	}
	return e
}

// explain is about a folder or file, or the directory itself.
func (d *directory) explain(path string, err error) *source.Error {
	if path == "" && files.Gone(err) {
		return d.rootError(err)
	}
	e := &source.Error{Kind: kindOf(err), Part: files.Name(path), Err: reason(err)}
	if errors.Is(err, fs.ErrPermission) {
		e.Hint = "grant the user who runs this program read permission (for a folder also execute), or exclude it with pattern:"
	}
	return e
}

// reason is the error without the path, which the part already names.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	return err
}

// kindOf separates what may pass (a network file system that stalls, too many open files) from what a person has
// to fix.
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

// absolute is the path of a file on this system.
func (s *settings) absolute(path string) string {
	return inside(s.root) + filepath.FromSlash(path)
}
