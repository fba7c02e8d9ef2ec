package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"sort"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Piece is how many entries of a folder are held at a time.
const Piece = 1000

// maxDepth is how many folders lie within each other in a tree that follows links itself.
const maxDepth = 256

// Listing is one walk over the folders that the choice can reach.
type Listing struct {
	*Walk
	yield   func(source.Part, error) bool
	pending []*step // folders to visit, the next one last
	matched bool    // there is something to read
	blind   bool    // a folder could not be listed
}

// step is a folder that is still to be visited, with those above it if loops are looked for.
type step struct {
	path  string
	root  bool // one of Walk.Roots
	info  fs.FileInfo
	up    *step
	depth int
	real  string // the rest of the path from a folder above that looks the same but is a different one; "" for none
}

// Parts lists the parts: each folder, or each file of records. A folder that cannot be listed is a part
// that fails. nothing is called at the end if no file was chosen, unless a folder could not be listed.
func (w *Walk) Parts(ctx context.Context, nothing func()) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		l := Listing{Walk: w, yield: yield}
		if l.run(ctx) && !l.matched && !l.blind {
			nothing()
		}
	}
}

// Any reports whether something is chosen, or may be in a folder that cannot be listed. The error is one
// that ends the list.
func (w *Walk) Any(ctx context.Context) (bool, error) {
	var failed error
	l := Listing{Walk: w}
	l.yield = func(_ source.Part, err error) bool {
		failed = err
		return err == nil && !l.matched
	}
	l.run(ctx)
	return l.matched || l.blind, failed
}

// run visits all folders. It reports whether it came to the end.
func (l *Listing) run(ctx context.Context) bool {
	roots := l.Roots
	if roots == nil {
		roots = []string{""}
	} else if !l.yield(&hollow{}, nil) { // says that the root was listed
		return false
	}
	for _, root := range roots {
		s := &step{path: root, root: true}
		if l.Alike != nil {
			s.info, _ = l.Tree.Stat(ctx, root) // errors show when it is listed
		}
		l.pending = append(l.pending, s)
	}
	slices.Reverse(l.pending)
	for len(l.pending) > 0 {
		last := len(l.pending) - 1
		s := l.pending[last]
		l.pending = l.pending[:last]
		if !l.visit(ctx, s) {
			return false
		}
	}
	return true
}

// visit yields the parts of one folder and notes the folders below it. It reports whether to continue.
func (l *Listing) visit(ctx context.Context, s *step) bool {
	if err := l.circle(ctx, s); err != nil {
		if errors.Is(err, ErrStray) {
			l.Stray(s.path)
			return true
		}
		return l.fails(s.path, err)
	}
	var below []*step
	for entries, err := range pieces(ctx, l.Tree, s.path) {
		switch {
		case err == nil:
		case ctx.Err() != nil:
			l.yield(nil, context.Cause(ctx))
			return false
		case Gone(err) && s.root && len(l.Roots) < 2:
			l.yield(nil, l.Explain(s.path, err))
			return false
		case Gone(err) && !s.root:
			return true
		default:
			return l.fails(s.path, err)
		}
		for _, e := range entries {
			path := Join(s.path, e.Name())
			if l.passedOver(path, e) {
				continue
			}
			if e.IsDir() && l.Choice.CouldMatchBelow(path) {
				below = append(below, l.step(path, e, s))
			}
			if more := l.entry(ctx, path, e); !more {
				return false
			}
		}
	}
	slices.SortFunc(below, func(a, b *step) int { return cmp.Compare(b.path, a.path) })
	l.pending = append(l.pending, below...)
	switch {
	case l.FilePart == nil:
		return l.yield(&folder{Walk: l.Walk, path: s.path}, nil)
	case s.path == "": // has no records itself, but says that the root was listed
		return l.yield(&hollow{}, nil)
	}
	return true
}

func (l *Listing) step(path string, e fs.DirEntry, up *step) *step {
	s := &step{path: path}
	if l.Alike != nil {
		s.info, _ = e.Info() // it was listed with it
		s.up, s.depth = up, up.depth+1
	}
	return s
}

// fails yields a part that fails.
func (l *Listing) fails(path string, err error) bool {
	l.blind = true
	return l.yield(&hollow{path: path, err: l.Explain(path, err)}, nil)
}

// entry notes that there is something to read, and yields a file of records.
func (l *Listing) entry(ctx context.Context, path string, e fs.DirEntry) bool {
	switch {
	case e.IsDir() && !l.Folders, l.matched && l.FilePart == nil, !l.Choice.Match(path):
		return true
	case l.FilePart == nil:
		l.matched = true
		return true
	}
	part := l.FilePart(path)
	if part == nil {
		return true
	}
	info, err := l.Follow(ctx, path, e)
	switch {
	case err != nil:
		return l.fails(path, err)
	case info == nil:
		return true
	}
	l.matched = true
	return l.yield(part, nil)
}

// circle reports that a folder is one of its own parents, or is nested too deeply. The tree does not say so itself: a
// folder that looks like one above it and has the same entries is checked by its path.
func (l *Listing) circle(ctx context.Context, s *step) error {
	if s.depth > maxDepth {
		return fmt.Errorf("the folder is more than %d folders deep", maxDepth)
	}
	for up := s.up; up != nil; up = up.up {
		if up.info == nil || s.info == nil || !l.Alike(up.info, s.info) {
			continue
		}
		round := strings.TrimPrefix("/"+s.path, strings.TrimSuffix("/"+up.path, "/"))
		if up.real == round || strings.HasSuffix("/"+s.path, strings.Repeat(round, 3)) { // otherwise it would have ended before
			s.real = round
			return nil
		}
		same, err := l.sameEntries(ctx, up.path, s.path)
		if err != nil {
			return err
		}
		if !same {
			continue
		}
		rounds, err := l.rounds(ctx, s.path, round)
		switch {
		case err != nil:
			return err
		case rounds >= 37 && rounds <= 44, rounds >= 58 && rounds <= 66, rounds >= mostRounds:
			return ErrStray
		}
		s.real = round
		return nil
	}
	return nil
}

// Folders of the same name may be nested and look the same, so a path around the suspected loop is tried. In a loop it
// exists up to the longest allowed path, or for some 40 or 63 rounds, which is how many links systems follow in one
// path. With any other number of rounds the folders are real.
const mostRounds = 1000

// rounds counts how often a path can be extended.
func (l *Listing) rounds(ctx context.Context, path, round string) (int, error) {
	exists := func(n int) bool {
		_, err := l.Tree.Stat(ctx, path+strings.Repeat(round, n))
		return err == nil
	}
	n := sort.Search(mostRounds, func(i int) bool { return ctx.Err() != nil || !exists(i+1) })
	return n, context.Cause(ctx)
}

// sameEntries compares the first entries of two folders.
func (l *Listing) sameEntries(ctx context.Context, a, b string) (bool, error) {
	var both [2][]fs.DirEntry
	for i, path := range []string{a, b} {
		for entries, err := range pieces(ctx, l.Tree, path) {
			if err != nil {
				return false, err
			}
			both[i] = entries
			break
		}
	}
	return slices.EqualFunc(both[0], both[1], func(x, y fs.DirEntry) bool {
		if x.Name() != y.Name() {
			return false
		}
		xi, xerr := x.Info()
		yi, yerr := y.Info()
		return xerr == nil && yerr == nil && xi.Size() == yi.Size() && xi.ModTime().Equal(yi.ModTime())
	}), nil
}

// pieces lists a folder, sorted within each piece.
func pieces(ctx context.Context, t Tree, folder string) iter.Seq2[[]fs.DirEntry, error] {
	return func(yield func([]fs.DirEntry, error) bool) {
		if err := context.Cause(ctx); err != nil {
			yield(nil, err)
			return
		}
		for entries, err := range t.List(ctx, folder) {
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
			if !yield(entries, nil) {
				return
			}
		}
		yield(nil, errQuiet)
	}
}

// errQuiet is about a listing that ends without io.EOF.
var errQuiet = errors.New("the listing ended without an error, and not at the end")
