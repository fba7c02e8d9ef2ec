package dir

import (
	"context"
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
