package dir

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

const (
	// quiet is how long a file must have been unchanged before its records are read. A program that writes a file in
	// place leaves it half written between two writes, and half a file is not a file with half of the records.
	quiet = 100 * time.Millisecond
	// patience is how long to wait for that.
	patience = 2 * time.Second
)

// settled waits until a file has not changed for a moment, and returns its information. A time of
// change in the future says nothing.
func settled(ctx context.Context, f files.File) (fs.FileInfo, error) {
	for deadline := time.Now().Add(patience); ; {
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		wait := quiet - time.Since(info.ModTime())
		if wait <= 0 || wait > 2*quiet {
			return info, nil
		}
		if time.Now().After(deadline) {
			return nil, files.ErrChanged
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// verified is how long a file must have been unchanged before documents are deleted because it lacks them. A busy
// machine may stop a program in the middle of a file for longer than quiet.
const verified = time.Second

// stamp is a file as it was read.
type stamp struct {
	path     string
	size     int64
	modified time.Time
}

// wasRead records a file of records that was read completely.
func (d *directory) wasRead(path string, info fs.FileInfo) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.read == nil {
		d.read = map[string]stamp{}
	}
	d.read[files.Shown(path)] = stamp{path, info.Size(), info.ModTime()}
}

// Verify reports a file of records that has changed since it was read. A file that changed shortly before is
// watched for a moment: its program may not have finished.
func (d *directory) Verify(ctx context.Context, scope string) error {
	d.mu.Lock()
	was, known := d.read[scope]
	d.mu.Unlock()
	if !known {
		return nil
	}
	root, err := d.connect()
	if err != nil {
		return err
	}
	for waited := false; ; waited = true {
		now, err := root.Stat(was.path)
		if err == nil && (now.Size() != was.size || !now.ModTime().Equal(was.modified)) {
			err = fmt.Errorf("%w, or shortly after", files.ErrChanged)
		}
		if err != nil {
			e := d.explain(was.path, err)
			e.Hint = "run again; nothing in the file is deleted until it stays unchanged for a second"
			return e
		}
		wait := verified - time.Since(was.modified)
		if waited || wait <= 0 || wait > verified { // a time in the future says nothing
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}
