package networkdrive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"

	"github.com/hirochachacha/go-smb2"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

var _ files.Tree = (*share)(nil)

// share is the tree of a server: its shares are the folders of the root, which is never listed.
type share struct {
	server *server
	leave  func(path string, e *entry) bool
}

// entry is a file or folder as the server lists it.
type entry struct {
	stat *smb2.FileStat
	link bool           // a symbolic link, which is not followed
	at   *smb2.FileStat // the folder that it leads to, if any
}

func (e *entry) Name() string               { return e.stat.FileName }
func (e *entry) Size() int64                { return e.stat.EndOfFile }
func (e *entry) ModTime() time.Time         { return e.stat.LastWriteTime }
func (e *entry) IsDir() bool                { return e.Mode().IsDir() }
func (e *entry) Sys() any                   { return e }
func (e *entry) Type() fs.FileMode          { return e.Mode().Type() }
func (e *entry) Info() (fs.FileInfo, error) { return e, nil }

func (e *entry) Mode() fs.FileMode {
	if e.stat.FileAttributes&attributeDirectory != 0 && !e.link {
		return fs.ModeDir
	}
	return 0
}

func (e *entry) target() *smb2.FileStat {
	if e.at != nil {
		return e.at
	}
	return e.stat
}

// split parts a path into share and path below it.
func split(path string) (name, below string) {
	name, below, _ = strings.Cut(path, "/")
	return name, strings.ReplaceAll(below, "/", `\`)
}

// List implements [files.Tree]. A listing whose connection is lost starts over and skips the entries that it has
// already yielded.
func (t *share) List(ctx context.Context, folder string) iter.Seq2[[]fs.DirEntry, error] {
	return func(yield func([]fs.DirEntry, error) bool) {
		l := listing{share: t, folder: folder, yield: yield}
		err := t.server.try(ctx, func() (progress bool, err error) {
			before := len(l.yielded)
			err = t.server.with(ctx, func(s *session) error { return l.read(ctx, s) })
			return len(l.yielded) > before, err
		})
		switch {
		case err == nil:
			yield(nil, io.EOF)
		case !errors.Is(err, errLeft):
			yield(nil, err)
		}
	}
}

// errLeft says that no more entries are wanted.
var errLeft = errors.New("left")

type listing struct {
	*share
	folder  string
	yield   func([]fs.DirEntry, error) bool
	yielded [][16]byte // digests of names
}

// read lists the folder from its beginning.
func (l *listing) read(ctx context.Context, s *session) error {
	name, below := split(l.folder)
	mount, err := s.mount(ctx, name)
	if err != nil {
		return err
	}
	var dir *smb2.File
	if err := s.call(ctx, func() (err error) { dir, err = mount.Open(below); return err }); err != nil {
		return err
	}
	defer func() { _ = s.call(ctx, dir.Close) }() // it was only read
	known := map[[16]byte]bool{}
	for _, digest := range l.yielded {
		known[digest] = true
	}
	for {
		var infos []fs.FileInfo
		err := s.call(ctx, func() (err error) { infos, err = dir.Readdir(files.Piece); return err })
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		piece := make([]fs.DirEntry, 0, len(infos))
		for _, info := range infos {
			digest := digestOf(info.Name())
			if known[digest] {
				continue
			}
			e, err := l.entry(ctx, s, mount, info.Sys().(*smb2.FileStat))
			if err != nil {
				return err
			}
			l.yielded = append(l.yielded, digest)
			if e != nil {
				piece = append(piece, e)
			}
		}
		if len(piece) > 0 && !l.yield(piece, nil) {
			return errLeft
		}
	}
}

func digestOf(name string) [16]byte {
	sum := sha256.Sum256([]byte(name))
	return [16]byte(sum[:16])
}

// entry resolves what the attributes leave open: whether a reparse point is a symbolic link, and where a folder of
// another kind leads. It returns nil for an entry that is skipped.
func (l *listing) entry(ctx context.Context, s *session, mount *smb2.Share, stat *smb2.FileStat) (*entry, error) {
	e := &entry{stat: stat}
	path := files.Join(l.folder, stat.FileName)
	if l.leave(path, e) {
		return nil, nil
	}
	if stat.FileAttributes&attributeReparse == 0 {
		return e, nil
	}
	_, below := split(path)
	err := s.call(ctx, func() error { _, err := mount.Readlink(below); return err })
	if e.link = err == nil; e.link || s.broken {
		return e, err
	}
	if e.IsDir() {
		_ = s.call(ctx, func() error { // errors show when it is listed
			info, err := mount.Stat(below)
			if err == nil {
				e.at, _ = info.Sys().(*smb2.FileStat)
			}
			return err
		})
	}
	return e, s.lost()
}

// Stat implements [files.Tree].
func (t *share) Stat(ctx context.Context, path string) (info fs.FileInfo, err error) {
	err = t.once(ctx, path, func(s *session, mount *smb2.Share, below string) error {
		return s.call(ctx, func() error {
			found, err := mount.Stat(below)
			if err == nil {
				info = &entry{stat: found.Sys().(*smb2.FileStat)}
			}
			return err
		})
	})
	return info, err
}

// once performs an operation on a path, and repeats it if the connection was lost.
func (t *share) once(ctx context.Context, path string, do func(s *session, mount *smb2.Share, below string) error) error {
	name, below := split(path)
	return t.server.try(ctx, func() (bool, error) {
		return false, t.server.with(ctx, func(s *session) error {
			mount, err := s.mount(ctx, name)
			if err != nil {
				return err
			}
			return do(s, mount, below)
		})
	})
}

// Open implements [files.Tree]. The file keeps its session until it is closed.
func (t *share) Open(ctx context.Context, path string) (files.File, error) {
	name, below := split(path)
	f := &file{ctx: ctx, server: t.server}
	err := t.server.try(ctx, func() (progress bool, err error) {
		if f.s, err = t.server.take(ctx); err != nil {
			return false, err
		}
		mount, err := f.s.mount(ctx, name)
		if err == nil {
			err = f.s.call(ctx, func() (err error) { f.f, err = mount.Open(below); return err })
		}
		if err != nil {
			t.server.give(f.s)
		}
		return false, err
	})
	if err != nil {
		return nil, contentError(path, err)
	}
	return f, nil
}

// file is an open file.
type file struct {
	ctx    context.Context //nolint:containedctx // lives no longer than the reading of one file
	server *server
	s      *session
	f      *smb2.File
}

func (f *file) Read(p []byte) (n int, err error) {
	err = f.s.call(f.ctx, func() (err error) { n, err = f.f.Read(p); return err })
	return n, contentError(f.f.Name(), err)
}

func (f *file) Stat() (info fs.FileInfo, err error) {
	err = f.s.call(f.ctx, func() (err error) { info, err = f.f.Stat(); return err })
	return info, err
}

// Close is not asked about errors: the file was only read.
func (f *file) Close() error {
	_ = f.s.call(f.ctx, f.f.Close)
	f.server.give(f.s)
	return nil
}

// explain says what an error about a path means.
func (d *drive) explain(path string, err error) *source.Error {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return &source.Error{Kind: e.Kind, Part: files.Name(path), Err: e.Err, Hint: e.Hint}
	}
	e := &source.Error{Part: files.Name(path), Err: err}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		e.Err = fmt.Errorf("%s: %w", pe.Op, pe.Err)
	}
	code := statusOf(err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.Kind = source.ErrAuth
		e.Hint = "grant this user read access to the folder and its content, in the permissions of both the share and the folder"
	case code == statusPathNotCovered:
		e.Err = errors.New("it is a link of a DFS namespace, which leads to another server")
		e.Hint = "add a connector for the server and the share that it leads to, or exclude it"
	case code == statusBadNetworkName, files.Gone(err):
		e.Kind = source.ErrConfig
		e.Err = fmt.Errorf("the share or the folder does not exist: %w", e.Err)
		e.Hint = "correct " + fieldPath + ": the name of the share, then the folders in it"
	case isLost(err):
		e.Kind = source.ErrTemporary
	}
	return e
}

// contentError is about the content of a file. A file that is deleted, or about to be, is not an error.
func contentError(path string, err error) error {
	switch statusOf(err) {
	case statusDeletePending, statusFileIsADirectory, statusNotADirectory:
		return &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	case statusSharingViolation, statusFileLockConflict:
		return fmt.Errorf("another program has locked the file: %w", err)
	}
	return err
}
