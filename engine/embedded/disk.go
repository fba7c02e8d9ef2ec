package embedded

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// disk is a layer between Pebble and the file system once the store is open. Pebble reacts to a failed write
// with a panic (one of them after it released a lock, which ends the process), with a fatal log line,
// or by retrying forever. So it never sees one: the first failure breaks the store, and the
// goroutine that met it blocks forever. guard releases the callers.
type disk struct {
	vfs.FS
	st *store
}

// halt passes errors through while the store is being opened, when Pebble returns them.
func (d *disk) halt(what, name string, err error) error {
	if err == nil || !d.st.live.Load() {
		return err
	}
	d.st.breakOff(fmt.Errorf("%s %s: %w", what, d.PathBase(name), err))
	select {}
}

func (d *disk) file(f vfs.File, what, name string, err error) (vfs.File, error) {
	if err != nil {
		return f, d.halt(what, name, err)
	}
	return &diskFile{File: f, disk: d, name: name}, nil
}

// Create implements [vfs.FS].
func (d *disk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.Create(name, category)
	return d.file(f, "create", name, err)
}

// ReuseForWrite implements [vfs.FS].
func (d *disk) ReuseForWrite(old, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.ReuseForWrite(old, name, category)
	return d.file(f, "create", name, err)
}

// OpenDir implements [vfs.FS]; a folder is opened to be synced.
func (d *disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.FS.OpenDir(name)
	return d.file(f, "open", name, err)
}

// Rename implements [vfs.FS].
func (d *disk) Rename(old, name string) error {
	return d.halt("rename", name, d.FS.Rename(old, name))
}

// Link implements [vfs.FS].
func (d *disk) Link(old, name string) error { return d.halt("link", name, d.FS.Link(old, name)) }

// Unwrap implements [vfs.FS].
func (d *disk) Unwrap() vfs.FS { return d.FS }

type diskFile struct {
	vfs.File
	disk *disk
	name string
}

func (f *diskFile) halt(err error) error { return f.disk.halt("write", f.name, err) }

// Write implements [vfs.File].
func (f *diskFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	return n, f.halt(err)
}

// WriteAt implements [vfs.File].
func (f *diskFile) WriteAt(b []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(b, at)
	return n, f.halt(err)
}

// Sync implements [vfs.File].
func (f *diskFile) Sync() error { return f.halt(f.File.Sync()) }

// SyncData implements [vfs.File].
func (f *diskFile) SyncData() error { return f.halt(f.File.SyncData()) }

// SyncTo implements [vfs.File].
func (f *diskFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.halt(err)
}

// Preallocate implements [vfs.File].
func (f *diskFile) Preallocate(at, length int64) error { return f.halt(f.File.Preallocate(at, length)) }
