package files

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

var (
	_ source.Part = (*folder)(nil)
	_ source.Part = (*hollow)(nil)
)

// folder is the entries of one folder, without those below it.
type folder struct {
	source.Ending
	*Walk
	path string
}

func (p *folder) Scope() string { return Shown(p.path) }
func (p *folder) Name() string  { return Name(p.path) }

// Documents lists the folder. A file that disappears in the meantime is skipped; a folder that disappears is empty,
// because its parent, when it is listed next, will not contain it.
func (p *folder) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		fail := func(err error) { yield(document.Document{}, p.Explain(p.path, err)) }
		for entries, err := range pieces(ctx, p.Tree, p.path) {
			if err != nil && !p.isRoot() && Gone(err) {
				break
			}
			if err != nil {
				fail(err)
				return
			}
			for _, e := range entries {
				if ctx.Err() != nil {
					fail(context.Cause(ctx))
					return
				}
				path := Join(p.path, e.Name())
				if !p.Choice.Match(path) || p.passedOver(path, e) {
					continue
				}
				info, err := p.describe(ctx, path, e)
				if err != nil {
					fail(err)
					return
				}
				if info != nil && !yield(p.Document(path, info), nil) {
					return
				}
			}
		}
		p.End()
	}
}

func (p *folder) isRoot() bool {
	return p.path == "" || slices.Contains(p.Roots, p.path)
}

// describe is Follow, and describes folders too if they have documents.
func (p *folder) describe(ctx context.Context, path string, e fs.DirEntry) (fs.FileInfo, error) {
	if !e.IsDir() {
		return p.Follow(ctx, path, e)
	}
	if !p.Folders {
		return nil, nil
	}
	return e.Info()
}

// hollow is a part without documents: something that cannot be read, or, without an error, a root that has no
// documents of its own.
type hollow struct {
	source.Ending
	path string
	err  error
}

func (p *hollow) Scope() string { return Shown(p.path) }
func (p *hollow) Name() string  { return Name(p.path) }

func (p *hollow) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if err := cmp.Or(p.err, context.Cause(ctx)); err != nil {
			yield(document.Document{}, err)
			return
		}
		p.End()
	}
}

// ErrChanged is about a file that was written to while it was read.
var ErrChanged = errors.New("the file changed while it was read")

// Unchanged checks that a file is still what it was.
func Unchanged(f File, before fs.FileInfo) error {
	after, err := f.Stat()
	if err == nil && (after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime())) {
		err = ErrChanged
	}
	return err
}

// Content reads as much of a file as it contained before. If it has changed by then, the end is an error.
func Content(f File, before fs.FileInfo) io.ReadCloser { return &content{f, before, before.Size()} }

type content struct {
	File
	before fs.FileInfo
	left   int64
}

func (c *content) Read(p []byte) (n int, err error) {
	if c.left > 0 {
		n, err = c.File.Read(p[:min(int64(len(p)), c.left)])
		c.left -= int64(n)
	} else {
		err = io.EOF // on a share, asking for it costs a request
	}
	if errors.Is(err, io.EOF) {
		if changed := Unchanged(c.File, c.before); changed != nil {
			err = changed
		}
	}
	return n, err
}
