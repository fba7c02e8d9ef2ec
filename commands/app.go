// Package commands is the command line: one file per command, the flags and the exit codes. The packages that
// commands share are in internal.
//
// It decides nothing about documents; the engine does. It reaches the terminal, the environment and the clock
// only through [setup.App], so that tests can replace them. Its invariant: stdout carries only results, stderr
// carries messages and logs, and only [ExitCode] chooses the exit code.
package commands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/sources"
)

// Main runs the program with the real streams, environment and source types and returns its exit code. When
// ctx ends, a run stops in order; when cut ends too, requests in progress are aborted.
func Main(ctx, cut context.Context, args []string) int {
	defer runtime.KeepAlive(tuneMemory())
	a := &setup.App{Streams: term.SystemStreams(ctx), Registry: sources.Builtin, Env: config.OSEnv(), Now: time.Now, Limit: context.WithTimeout}
	return Run(ctx, cut, a, args)
}

// The heap may grow by gcPercent between two collections. Nearly all of it is buffers and the id table, which
// hold no pointers and cost the collector nothing to walk, so a low percentage is cheap and keeps a large run
// near its memory budget. A small run would then collect all the time: the ballast counts as part of the heap,
// which lets the heap grow by another 16 MiB. The ballast is never touched, so it takes address space but no
// memory. Measured with 100,000 documents, see docs/benchmarks.md: 20 collections instead of 111, and a third
// less CPU.
const (
	gcPercent    = 25
	ballastBytes = 64 << 20
)

// tuneMemory returns the ballast, which counts as long as it is reachable.
func tuneMemory() []byte {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(gcPercent)
	return make([]byte, ballastBytes)
}

// Run runs one command line, without the program's name, and returns the exit code.
func Run(ctx, cut context.Context, a *setup.App, args []string) (code int) {
	defer func() {
		if v := recover(); v != nil {
			code = end(ctx, a, args, &crash.Error{Value: v, Stack: debug.Stack()})
		}
	}()
	err := dispatch(ctx, cut, a, args)
	if done, ok := errors.AsType[*finished](err); ok {
		return done.code
	}
	if err == nil {
		return ExitOK
	}
	return end(ctx, a, args, err)
}

// end reports the error that ends the program and returns its exit code.
func end(ctx context.Context, a *setup.App, args []string, err error) int {
	m := &logs.Messages{To: a.Streams.Err, Stacks: debugging(args), Actions: a.Streams.Commands}
	m.Conclude(ctx, "", err)
	return ExitCode(Mode{}, err)
}

// dispatch finds the command and runs it.
func dispatch(ctx, cut context.Context, a *setup.App, args []string) error {
	app := newCLI(cut, a)
	if len(args) > 0 && args[0] == completeCommand {
		return complete(app, a, args[1:])
	}
	line, err := arrange(app, args)
	if err != nil {
		return err
	}
	logIgnoredFlag(a, &line, args)
	switch {
	case line.help:
		return a.WriteOut(help(app, line.command, a.Streams.OutWidth()))
	case line.version:
		line.args = []string{program.Name, "version"}
	case line.args == nil: // no command, or only a group of commands
		fmt.Fprint(a.Streams.Err, help(app, line.command, a.Streams.ErrWidth()))
		return &finished{ExitUsage}
	}
	return app.RunContext(ctx, line.args)
}

// newCLI lists all commands. The library's own help is not used: it supports neither examples nor narrow
// terminals.
func newCLI(cut context.Context, a *setup.App) *cli.App {
	misused := func(_ *cli.Context, err error, _ bool) error { return &usage.Error{Problem: err.Error()} }
	app := &cli.App{
		Name: program.Name, HelpName: program.Name,
		Usage:     "Makes an Elasticsearch index a read-only mirror of a content source, once.",
		HideHelp:  true,
		Flags:     globalFlags(),
		Writer:    a.Streams.Out,
		ErrWriter: a.Streams.Err,
		// A file name may contain a comma.
		DisableSliceFlagSeparator: true,
		OnUsageError:              misused,
		ExitErrHandler:            func(*cli.Context, error) {}, // Run returns the code, and main exits with it
		Commands:                  []*cli.Command{newSync(cut, a), newDiff(cut, a), newCheck(a), newPoll(cut, a), newList(a), newConnector(a), newJob(a), newInit(a), newSchema(a), newCompletion(a), newMan(a), newVersion(a), newCleanup(cut, a)},
	}
	for _, c := range slices.Concat(app.Commands, leaves(app.Commands)) {
		c.HideHelp, c.OnUsageError = true, misused
	}
	return app
}
