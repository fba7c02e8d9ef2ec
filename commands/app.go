// Package commands is the command line: flags, wiring, printing and exit codes, one file a command.
//
// It decides nothing about documents; what a run does is the engine's. It reaches the terminal, the
// environment and the clock only through what [App] holds, so that tests hand in their own. Its
// invariant: stdout carries results and nothing else, stderr everything for people and logs, and the
// exit code is made by [ExitCode] alone.
package commands

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources"
)

// App is what the commands share.
type App struct {
	Streams  *term.Streams
	Registry source.Registry
	Env      config.Env
	Now      func() time.Time
	// OwnTime lets Now count for records of connectors too, whatever time Elasticsearch has: for tests whose
	// clock stands still.
	OwnTime bool
	// Limit begins a time limit: the context that it returns ends when the limit is over.
	Limit func(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc)
}

// Main runs the program with the real streams, environment and source types and returns its exit
// code. When ctx ends, a run stops in order; when cut ends too, requests under way are cut.
func Main(ctx, cut context.Context, args []string) int {
	tuneMemory()
	a := &App{Streams: term.SystemStreams(ctx), Registry: sources.Builtin, Env: config.OSEnv(), Now: time.Now, Limit: context.WithTimeout}
	return a.Run(ctx, cut, args)
}

// gcPercent is how much the heap may grow between two collections. Nearly all of it is buffers and the
// id table, which hold no pointers and cost the collector nothing to walk, so collecting often is cheap
// and keeps a run near the memory that its budget promises.
const gcPercent = 25

func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// Run runs one command line, without the program's name, and returns the exit code.
func (a *App) Run(ctx, cut context.Context, args []string) (code int) {
	defer func() {
		if v := recover(); v != nil {
			code = a.end(ctx, args, &crash.Error{Value: v, Stack: debug.Stack()})
		}
	}()
	err := a.run(ctx, cut, args)
	if done, ok := errors.AsType[*finished](err); ok {
		return done.code
	}
	if err == nil {
		return ExitOK
	}
	return a.end(ctx, args, err)
}

// end reports the error that ends the program and returns its code.
func (a *App) end(ctx context.Context, args []string, err error) int {
	m := &logs.Messages{To: a.Streams.Err, Stacks: debugging(args)}
	m.Conclude(ctx, "", err)
	return ExitCode(Mode{}, err)
}

// run finds the command and runs it.
func (a *App) run(ctx, cut context.Context, args []string) error {
	app := a.cli(cut)
	line, err := arrange(app, args)
	if err != nil {
		return err
	}
	a.tellSeed(&line, args)
	switch {
	case line.help:
		return a.writeOut(help(app, line.command, a.Streams.OutWidth()))
	case line.version:
		line.args = []string{program.Name, "version"}
	case line.args == nil: // no command, or a group of commands alone
		fmt.Fprint(a.Streams.Err, help(app, line.command, a.Streams.ErrWidth()))
		return &finished{ExitUsage}
	}
	return app.RunContext(ctx, line.args)
}

// cli lists all commands. Its own help is not used: it knows neither examples nor narrow terminals.
func (a *App) cli(cut context.Context) *cli.App {
	misused := func(_ *cli.Context, err error, _ bool) error { return &usage.Error{Problem: err.Error()} }
	app := &cli.App{
		Name: program.Name, HelpName: program.Name,
		Usage:     "Makes an Elasticsearch index a read-only mirror of a content source, once.",
		HideHelp:  true,
		Flags:     globalFlags(),
		Writer:    a.Streams.Out,
		ErrWriter: a.Streams.Err,
		// A name in a file may hold a comma.
		DisableSliceFlagSeparator: true,
		OnUsageError:              misused,
		ExitErrHandler:            func(*cli.Context, error) {}, // Run returns the code, main ends the program
		Commands:                  []*cli.Command{newSync(cut, a), newDiff(cut, a), newPoll(cut, a), newList(a), newConnector(a), newJob(a), newVersion(a), newCleanup(cut, a)},
	}
	for _, c := range slices.Concat(app.Commands, leaves(app.Commands)) {
		c.HideHelp, c.OnUsageError = true, misused
	}
	return app
}

// config finds and loads the configuration file.
func (a *App) config(ctx context.Context, flag string) (*config.Config, error) {
	file, err := config.Find(flag, a.getenv)
	if err != nil {
		return nil, &usage.Error{Problem: err.Error(), NoFile: true}
	}
	// The file may be a pipe into which nothing is ever written: it is left behind when the program is to end.
	var cfg *config.Config
	loaded := make(chan error, 1)
	go func() { // ends with the file
		loaded <- crash.Guarded(func() (err error) {
			cfg, err = config.Load(ctx, file, a.Env)
			return err
		})
	}()
	select {
	case err := <-loaded:
		return cfg, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (a *App) getenv(name string) string {
	if a.Env.Lookup == nil {
		return os.Getenv(name)
	}
	value, _ := a.Env.Lookup(name)
	return value
}

// debugging tells from the bare arguments whether stacks are wanted: a crash may have happened before
// flags were read.
func debugging(args []string) bool {
	for i, arg := range args {
		if arg == "--debug" || arg == "--log-level=DEBUG" || arg == "--log-level" && i+1 < len(args) && args[i+1] == "DEBUG" {
			return true
		}
	}
	return false
}

// messages are those of a command that has no log of its own.
func (a *App) messages(g *globals) *logs.Messages {
	m := &logs.Messages{To: a.Streams.Err}
	if g.format != logs.Text {
		m.Log = logs.New(a.Streams.Err, g.format, slog.LevelWarn)
	}
	m.Colors = a.Streams.Palette(a.Streams.ErrTTY, g.color)
	return m
}

// writeOut writes a result to stdout.
func (a *App) writeOut(text string) error {
	out := term.NewResults(a.Streams.Out, nil)
	fmt.Fprint(out, text)
	return out.Failure()
}

// finished is the error of a command that has told everything itself; only the code is left.
type finished struct{ code int }

func (f *finished) Error() string { return fmt.Sprintf("exit %d", f.code) }
