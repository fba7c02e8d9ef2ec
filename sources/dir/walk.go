package dir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// chunk is how many entries of a folder are held at a time; a folder may have millions.
const chunk = 1000

// Parts walks over the folders that the pattern can reach. Links to folders are not entered, so the
// walk has an end. A folder that cannot be listed is a part that fails.
func (d *directory) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		w := walk{directory: d, yield: yield}
		if w.run(ctx) && !w.matched && !w.blind {
			d.log.Warn("no file in the directory matches the pattern", slog.String("pattern", d.pattern.String()))
		}
	}
}

// Selects reports an error if no file matches the pattern.
func (d *directory) Selects(ctx context.Context) error {
	var failed error
	w := walk{directory: d}
	w.yield = func(_ source.Part, err error) bool {
		failed = err
		return err == nil && !w.matched
	}
	if !w.run(ctx) || w.matched || w.blind {
		return failed
	}
	return &source.Error{
		Kind: source.ErrConfig, Err: fmt.Errorf("no file in %q matches the pattern %q", d.root, d.pattern),
		Hint: "correct pattern: in the configuration; **/* matches every file",
	}
}

// walk is one listing of the parts.
type walk struct {
	*directory
	root    *os.Root
	yield   func(source.Part, error) bool
	pending []string // folders to visit, the next one last
	matched bool     // there is a file to read
	blind   bool     // a folder could not be listed
}

// run visits all folders. It reports whether it came to the end.
func (w *walk) run(ctx context.Context) bool {
	var err error
	if w.root, err = w.connect(); err != nil {
		w.yield(nil, err)
		return false
	}
	w.pending = []string{""}
	for len(w.pending) > 0 {
		last := len(w.pending) - 1
		folder := w.pending[last]
		w.pending = w.pending[:last]
		if !w.visit(ctx, folder) {
			return false
		}
	}
	return true
}

// visit yields the parts of one folder and notes the folders below it. It reports whether to go on.
func (w *walk) visit(ctx context.Context, folder string) bool {
	var below []string
	for entries, err := range chunks(ctx, w.root, folder) {
		switch {
		case err == nil:
		case ctx.Err() != nil:
			w.yield(nil, context.Cause(ctx))
			return false
		case gone(err) && folder == "":
			w.yield(nil, w.rootError(err))
			return false
		case gone(err):
			return true
		default:
			w.blind = true
			return w.yield(&hollow{path: folder, err: partError(folder, err)}, nil)
		}
		for _, e := range entries {
			path := join(folder, e.Name())
			switch {
			case w.passedOver(path, e):
			case e.IsDir() && w.pattern.CouldMatchBelow(path):
				below = append(below, path)
			case e.IsDir() || (w.matched && !w.documents) || !w.pattern.Match(path):
			case !w.documents:
				w.matched = true
			default:
				if more := w.visitFile(path, e); !more {
					return false
				}
			}
		}
	}
	slices.Sort(below)
	slices.Reverse(below)
	w.pending = append(w.pending, below...)
	switch {
	case !w.documents:
		return w.yield(&folderPart{directory: w.directory, root: w.root, folder: folder}, nil)
	case folder == "": // has no records itself, but says that the root was listed
		return w.yield(&hollow{path: folder}, nil)
	}
	return true
}

// passedOver reports whether an entry is no content: what this program itself writes, and folders and links
// whose names begin with two dots. Kubernetes makes those for the files of a mounted map, each of which is
// a link into one of them, and so would be read twice.
func (d *directory) passedOver(path string, e fs.DirEntry) bool {
	if strings.HasPrefix(e.Name(), "..") && !e.Type().IsRegular() {
		return true
	}
	return slices.Contains(d.spared, path)
}

// visitFile yields a file of records.
func (w *walk) visitFile(path string, e fs.DirEntry) bool {
	read := readerFor(path)
	if read == nil {
		return true
	}
	info, err := w.follow(w.root, path, e)
	switch {
	case err != nil:
		return w.yield(&hollow{path: path, err: partError(path, err)}, nil)
	case info == nil:
		return true
	}
	w.matched = true
	return w.yield(&recordFile{directory: w.directory, root: w.root, path: path, read: read}, nil)
}

// follow returns what is known of a regular file, also through a link that stays in the directory;
// nil for anything else and for what is not there any more.
func (d *directory) follow(root *os.Root, path string, e fs.DirEntry) (fs.FileInfo, error) {
	var info fs.FileInfo
	var err error
	if e.Type()&fs.ModeSymlink == 0 {
		info, err = e.Info()
	} else {
		info, err = root.Stat(filepath.FromSlash(path))
		if err != nil && isStray(root, err) {
			d.stray(path)
			return nil, nil
		}
	}
	switch {
	case err != nil && gone(err):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, nil
	}
	return info, nil
}

// chunks lists a folder, sorted within each chunk.
func chunks(ctx context.Context, root *os.Root, folder string) iter.Seq2[[]fs.DirEntry, error] {
	return func(yield func([]fs.DirEntry, error) bool) {
		if err := context.Cause(ctx); err != nil {
			yield(nil, err)
			return
		}
		f, err := root.OpenFile(filepath.FromSlash(partName(folder)), os.O_RDONLY|nonblock, 0)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		for {
			entries, err := f.ReadDir(chunk)
			slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
			if len(entries) > 0 && !yield(entries, nil) {
				return
			}
			if err == nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					yield(nil, err)
				}
				return
			}
		}
	}
}

// hollow is a part without documents: what cannot be read, or, without an error, the root where the
// parts are the files of records.
type hollow struct {
	source.Ending
	path string
	err  error
}

func (p *hollow) Scope() string { return shown(p.path) }
func (p *hollow) Name() string  { return partName(p.path) }

func (p *hollow) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if err := cmp.Or(p.err, context.Cause(ctx)); err != nil {
			yield(document.Document{}, err)
			return
		}
		p.End()
	}
}
