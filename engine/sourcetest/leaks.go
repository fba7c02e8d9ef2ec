package sourcetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"go.uber.org/goleak"

	"github.com/elastic-ingest/elastic-ingest/engine/sourcecheck"
)

// leavesNothing runs a case twice and reports goroutines and files that the second run left open: whatever a
// process opens only once, such as the runtime's poller, is open after the first.
func leavesNothing(name string, leaks []goleak.Option, check func(context.Context, *sourcecheck.Source) error) func(context.Context, *sourcecheck.Source) error {
	return func(ctx context.Context, s *sourcecheck.Source) error {
		if err := check(ctx, s); err != nil {
			return err
		}
		before := openFiles()
		running := append(slices.Clone(leaks), goleak.IgnoreCurrent())
		if err := check(ctx, s); err != nil {
			return err
		}
		err := goleak.Find(running...)
		if err == nil {
			err = filesReleased(ctx, before)
		}
		if err != nil {
			return &sourcecheck.Failure{Case: name, Promise: "Close releases everything", Err: fmt.Errorf("after Close: %w", err)}
		}
		return nil
	}
}

// filesGrace is for files that concurrent tests have open. With a longer wait, the garbage collector might close a
// leaked one.
const filesGrace = 2 * time.Second

// filesReleased waits, because a network connection may close shortly after Close.
func filesReleased(ctx context.Context, before open) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begun := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		now := openFiles()
		switch {
		case now.files > before.files && (time.Since(begun) > filesGrace || ctx.Err() != nil):
			return fmt.Errorf("%d files are open, before Open %d", now.files, before.files)
		case now.files <= before.files && now.connections <= before.connections:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d connections are open, before Open %d", now.connections, before.connections)
		}
	}
}

// open counts what the process has open, if the system reports it; otherwise it is nothing.
type open struct{ files, connections int }

func openFiles() (o open) {
	if runtime.GOOS != "linux" {
		return o
	}
	const descriptors = "/proc/self/fd"
	entries, err := os.ReadDir(descriptors)
	if err != nil {
		return o
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(descriptors, e.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			o.connections++
		} else {
			o.files++
		}
	}
	return o
}
