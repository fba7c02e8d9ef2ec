package dir

import (
	"context"
	"crypto/md5" //nolint:gosec // not for security: the seed makes the ids of files with it
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

var _ source.Part = (*folderPart)(nil)

// folderPart is the files of one folder, without those below it.
type folderPart struct {
	source.Ending
	*directory
	root   *os.Root
	folder string
}

func (p *folderPart) Scope() string { return shown(p.folder) }
func (p *folderPart) Name() string  { return partName(p.folder) }

// Documents lists the folder. A file that goes away meanwhile is left out; a folder that does is
// empty, because its parent, when it is listed next, will not name it.
func (p *folderPart) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		fail := func(err error) { yield(document.Document{}, partError(p.folder, err)) }
		for entries, err := range chunks(ctx, p.root, p.folder) {
			if err != nil && (p.folder == "" || !gone(err)) {
				fail(err)
				return
			}
			for _, e := range entries {
				if ctx.Err() != nil {
					fail(context.Cause(ctx))
					return
				}
				path := join(p.folder, e.Name())
				if !p.pattern.Match(path) || p.passedOver(path, e) {
					continue
				}
				info, err := p.follow(p.root, path, e)
				if err != nil {
					fail(err)
					return
				}
				if info != nil && !yield(p.file(path, info), nil) {
					return
				}
			}
		}
		p.End()
	}
}

// file makes the document of a file. What changes without the file changing is left out of it: the
// times of access and of inode change, the numbers of inode and device, the count of links.
func (p *folderPart) file(path string, info fs.FileInfo) document.Document {
	full := path
	if !p.relative {
		full = p.absolute(path)
	}
	sum := md5.Sum([]byte(full)) //nolint:gosec // see the import
	modified := isoUTC(info.ModTime())
	fields := []document.Field{
		{Name: pathField, Value: document.String(full)},
		{Name: "last_modified_time", Value: document.String(modified)},
	}
	fields = appendOwner(fields, info)
	fields = append(fields, document.Field{Name: "size", Value: document.Int(info.Size())})
	return document.Document{
		ID:        hex.EncodeToString(sum[:]),
		Timestamp: modified,
		Fields:    fields,
		Content:   &document.Content{Name: filepath.Base(path), Size: info.Size(), Open: p.opener(path)},
	}
}

// opener opens a file again by its path in the root. What is no file any more has gone away; a pipe
// in its place must not make us wait for a writer.
func (p *folderPart) opener(path string) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		return openRegular(p.root, path)
	}
}

func openRegular(root *os.Root, path string) (*os.File, error) {
	f, err := root.OpenFile(filepath.FromSlash(path), os.O_RDONLY|nonblock, 0)
	if err != nil {
		if gone(err) || isStray(root, err) {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		_ = f.Close() // what failed is told already
		return nil, err
	}
	return f, nil
}

// isStray reports whether err says that a path leads out of the root, or in a circle. The error of
// the first kind has no name, so one is made to compare with.
func isStray(root *os.Root, err error) bool {
	_, escape := root.Stat("..")
	e, ok := errors.AsType[*fs.PathError](escape)
	return errors.Is(err, syscall.ELOOP) || (ok && errors.Is(err, e.Err))
}

// isoUTC writes a time as the seed does: with microseconds, rounded down, where there are any.
func isoUTC(t time.Time) string {
	t = t.UTC()
	switch {
	case t.Year() > 9999:
		return "9999-12-31T23:59:59.999999+00:00"
	case t.Year() < 1:
		return "0001-01-01T00:00:00+00:00"
	case t.Nanosecond() < 1000:
		return t.Format("2006-01-02T15:04:05+00:00")
	}
	return t.Format("2006-01-02T15:04:05.000000+00:00")
}
