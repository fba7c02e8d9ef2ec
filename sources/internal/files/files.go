// Package files is what sources of files share: walking a tree of folders, their parts and scopes, and the content of
// files. What differs is where the tree is, and which fields a document has.
//
// A folder is a scope, and the part of a folder is its entries without those below it. Paths are separated
// by slashes and begin at the root, which is "".
//
// Its invariant: a folder that could not be listed to its end is a part that fails, never an empty one.
package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Tree is a tree of folders and files. Its methods may be called concurrently. The error for something that no
// longer exists is fs.ErrNotExist, or one for which [Gone] reports true.
type Tree interface {
	// List lists a folder in pieces; a folder may have millions of entries. It ends with an error, which is io.EOF
	// after all entries. A tree that can resume after a temporary failure does so, and yields no entry twice.
	List(ctx context.Context, folder string) iter.Seq2[[]fs.DirEntry, error]
	// Stat describes what a path leads to, through links. [ErrStray] is about a link that is not followed.
	Stat(ctx context.Context, path string) (fs.FileInfo, error)
	// Open opens a regular file. One that has become something else no longer exists.
	Open(ctx context.Context, path string) (File, error)
}

// File is an opened file.
type File interface {
	io.ReadCloser
	Stat() (fs.FileInfo, error)
}

// ErrStray is about a link that is not followed, because it leaves the tree or forms a loop.
var ErrStray = errors.New("a link that is not followed")

// Choice says which paths are read.
type Choice interface {
	Match(path string) bool
	// CouldMatchBelow may report true although nothing below the folder matches, but not false although
	// something does.
	CouldMatchBelow(folder string) bool
}

// Walk is how a tree is read.
type Walk struct {
	Tree   Tree
	Roots  []string // the folders to read with everything below them; nil is the root
	Choice Choice
	Spared []string // paths that are excluded with everything below them

	// Document makes the document of a file, or of a folder where Folders is true.
	Document func(path string, info fs.FileInfo) document.Document
	Folders  bool // folders have documents, too
	// FilePart, if set, makes a part of a file, which then is a scope: its records are the documents. nil skips the
	// file.
	FilePart func(path string) source.Part

	// Explain says what an error about a folder or a file means.
	Explain func(path string, err error) *source.Error
	// Stray is called for links that are not followed.
	Stray func(path string)
	// Alike reports whether two folders, one of which lies within the other, may be the same one. It is for
	// trees that follow links to folders themselves. nil is for those that do not.
	Alike func(a, b fs.FileInfo) bool
}

// passedOver reports whether an entry is not content: excluded paths, and folders and links whose names begin with two
// dots. Kubernetes creates those for the files of a mounted volume, each of which is a link into one of them and would
// be read twice.
func (w *Walk) passedOver(path string, e fs.DirEntry) bool {
	if strings.HasPrefix(e.Name(), "..") && !e.Type().IsRegular() {
		return true
	}
	return slices.Contains(w.Spared, path)
}

// Follow describes a regular file, also through a link; nil for anything else, for links that are not followed, and
// for what no longer exists.
func (w *Walk) Follow(ctx context.Context, path string, e fs.DirEntry) (fs.FileInfo, error) {
	var info fs.FileInfo
	var err error
	if e.Type()&fs.ModeSymlink == 0 {
		info, err = e.Info()
	} else {
		info, err = w.Tree.Stat(ctx, path)
	}
	switch {
	case errors.Is(err, ErrStray):
		w.Stray(path)
		return nil, nil
	case err != nil && Gone(err):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, nil
	}
	return info, nil
}

// Gone reports whether err means that something no longer exists.
func Gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Parent is the folder of a path; "" for the root.
func Parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }

// Join is the path of a name in a folder.
func Join(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

// Name is what a folder or file is called in logs; the root has a name, too.
func Name(path string) string {
	if path == "" {
		return "."
	}
	return path
}

// Shown is a path as the index contains it: each byte that is not UTF-8 is U+FFFD.
func Shown(path string) string {
	if utf8.ValidString(path) {
		return path
	}
	return string([]rune(path))
}

// Time writes a time as Elastic's connectors do, in UTC, with microseconds, rounded down, if it has any. zone is the
// suffix that they use. Years that do not have four digits become the first or the last instant.
func Time(t time.Time, zone string) string {
	t = t.UTC()
	switch {
	case t.Year() > 9999:
		return "9999-12-31T23:59:59.999999" + zone
	case t.Year() < 1:
		return "0001-01-01T00:00:00" + zone
	case t.Nanosecond() < 1000:
		return t.Format("2006-01-02T15:04:05") + zone
	}
	return t.Format("2006-01-02T15:04:05.000000") + zone
}
