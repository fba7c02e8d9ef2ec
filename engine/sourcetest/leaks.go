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

// leavesNothing runs a case twice and reports goroutines and open files that are left of the second
// time: what a process opens once and for all, such as the runtime's poller, comes with the first.
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

// filesGrace is for files that tests beside this one have open. Whoever waits longer may see the garbage collector
// close one that was left.
const filesGrace = 2 * time.Second

// filesReleased waits, because a network connection may be closed a moment after Close.
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

// open is what the process has open, where the system tells; elsewhere it is nothing.
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
