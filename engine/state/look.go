package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Held is what is known about the lock of an index without taking it.
type Held struct {
	Known bool // the operating system can report who holds a lock
	Held  bool
	PID   int // of the holder; 0 if the holder is outside of this container
}

// Holder looks at the lock of an index; it changes nothing and keeps no other run waiting.
func (d Dir) Holder(destination, index string) Held { return holder(d.lockFile(destination, index)) }

// Writable returns why this user cannot write into the folder, or could not create it. It writes nothing.
func (d Dir) Writable() error {
	at := string(d)
	for {
		info, err := os.Stat(at)
		switch {
		case err == nil && !info.IsDir():
			return fmt.Errorf("state folder: %s is not a folder", at)
		case err == nil:
			if err := writable(at); err != nil {
				return fmt.Errorf("state folder: cannot write into %s: %w", at, err)
			}
			return nil
		case !errors.Is(err, fs.ErrNotExist), filepath.Dir(at) == at:
			return fmt.Errorf("state folder: %w", err)
		}
		at = filepath.Dir(at) // the nearest folder that exists
	}
}
