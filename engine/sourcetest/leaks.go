package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"go.uber.org/goleak"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// earlyBreakReleases: a loop that is left early lets go of everything, so that each part can be begun
// and left, and Close leaves neither goroutine nor open file behind.
func (s *suite) earlyBreakReleases(ctx context.Context) error {
	return s.leaveNothing(ctx, func() error {
		err := s.with(ctx, s.raw, func(src source.Source, _ field.Values) error { return breakParts(ctx, src) })
		if err != nil {
			return err
		}
		return s.with(ctx, s.raw, func(src source.Source, _ field.Values) error {
			for part, err := range src.Parts(ctx) {
				if err != nil {
					return err
				}
				return breakPart(ctx, part)
			}
			return errors.New("there is no part")
		})
	})
}

// breakParts leaves every part after its first document. A source that kept rows or connections
// would run out of them.
func breakParts(ctx context.Context, src source.Source) error {
	for part, err := range src.Parts(ctx) {
		if err != nil {
			return err
		}
		if err := breakPart(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func breakPart(ctx context.Context, part source.Part) error {
	for _, err := range part.Documents(ctx) {
		return err
	}
	return nil
}

// noGoroutineLeft: after a whole run nothing is left.
func (s *suite) noGoroutineLeft(ctx context.Context) error {
	return s.leaveNothing(ctx, func() error {
		return s.with(ctx, s.raw, func(src source.Source, _ field.Values) error {
			if err := errors.Join(src.Validate(ctx), src.Ping(ctx)); err != nil {
				return err
			}
			_, err := readAll(ctx, src)
			return err
		})
	})
}

// leaveNothing runs use twice and reports goroutines and open files that are left of the second
// time: what a process opens once and for all, such as the runtime's poller, comes with the first.
func (s *suite) leaveNothing(ctx context.Context, use func() error) error {
	if err := use(); err != nil {
		return err
	}
	before := openFiles()
	running := append(slices.Clone(s.cfg.Leaks), goleak.IgnoreCurrent())
	if err := use(); err != nil {
		return err
	}
	if err := goleak.Find(running...); err != nil {
		return fmt.Errorf("after Close: %w", err)
	}
	return filesReleased(ctx, before)
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
			return fmt.Errorf("after Close %d files are open, before Open %d", now.files, before.files)
		case now.files <= before.files && now.connections <= before.connections:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("after Close %d connections are open, before Open %d", now.connections, before.connections)
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
