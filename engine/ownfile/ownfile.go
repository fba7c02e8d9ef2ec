// Package ownfile opens the files that this program writes: complete documents, locks and the
// state that one run keeps for the next.
//
// They are regular files that only their owner can read, unless [Replace] is given other permissions. A link would
// redirect the write to another file, with that file's mode; a pipe would block the program until another process reads, which no signal
// ends. Both are refused before anything is opened.
package ownfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrKind means that the path is something other than a regular file.
var ErrKind = errors.New("is not a regular file")

// Check returns an error if path is something other than a regular file.
func Check(path string) error {
	_, err := look(path)
	return err
}

// look returns what is at path; nil if nothing is.
func look(path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s %w, but %s: name another file", path, ErrKind, kind(info.Mode()))
	}
	return info, err
}

func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "a link"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m.IsDir():
		return "a folder"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

// Create creates a file in place of an earlier one, so that no wider mode of that remains. Folders on
// the path are created.
func Create(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	info, err := look(path)
	if err == nil && info != nil {
		err = os.Remove(path)
	}
	if err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// Append opens a file that this program created, to append to it.
func Append(path string) (*os.File, error) {
	before, err := look(path)
	if err != nil {
		return nil, err
	}
	if before == nil {
		return Create(path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	now, err := f.Stat()
	if err == nil && !os.SameFile(before, now) {
		err = fmt.Errorf("%s was replaced by something else: %w", path, ErrKind)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Replace replaces a file by one with this content and mode, completely or not at all. The new file is written beside
// the old one, under a hidden name that ends with .tmp.
func Replace(path string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// Ready returns why [Create] could not create a file, and changes nothing.
func Ready(path string) error {
	info, err := look(path)
	if err != nil {
		return err
	}
	if info != nil {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		return f.Close()
	}
	f, err := Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(path))
}
