// Package setup is what every command needs: the streams and the environment of the process, the global flags,
// and the configuration.
//
// The commands reach the terminal, the environment and the clock only through [App], so that tests can replace
// them.
package setup

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// App is shared by all commands.
type App struct {
	Streams  *term.Streams
	Registry source.Registry
	Env      config.Env
	Now      func() time.Time
	// OwnTime makes records of connectors use Now instead of Elasticsearch's time: for tests with a fixed
	// clock.
	OwnTime bool
	// Limit starts a time limit: the returned context ends when the limit is over.
	Limit func(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc)
}

// Flags are the global flags.
type Flags struct {
	ConfigFile string // "" to search for it
	Level      string // "" if not given
	Format     string // of the log
	Color      string
	Progress   string
	Quiet      bool
}

// Config finds and loads the configuration file.
func (a *App) Config(ctx context.Context, flag string) (*config.Config, error) {
	file, err := config.Find(flag, a.Getenv)
	if err != nil {
		return nil, &usage.Error{Problem: err.Error(), NoFile: true}
	}
	// The file may be a pipe that no process writes to: the goroutine is abandoned when the program has to end.
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

// Getenv is an environment variable, "" if it is not set.
func (a *App) Getenv(name string) string {
	if a.Env.Lookup == nil {
		return os.Getenv(name)
	}
	value, _ := a.Env.Lookup(name)
	return value
}

// Messages are the messages of a command without a log of its own.
func (a *App) Messages(g *Flags) *logs.Messages {
	m := &logs.Messages{To: a.Streams.Err, Actions: a.Streams.Commands}
	if g.Format != logs.Text {
		m.Log = logs.New(a.Streams.Err, g.Format, slog.LevelWarn)
	}
	m.Colors = a.Streams.Palette(a.Streams.ErrTTY, g.Color)
	return m
}

// WriteOut writes a result to stdout.
func (a *App) WriteOut(text string) error {
	out := term.NewResults(a.Streams.Out, nil)
	fmt.Fprint(out, text)
	return out.Failure()
}

// mostOfFile is the maximum size for ReadFile; the largest files are mappings, in which Elasticsearch accepts
// 1000 fields by default.
const mostOfFile = 10 << 20

// ReadFile reads a file that is named on the command line or in the configuration.
func ReadFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s %w", name, ownfile.ErrKind)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, mostOfFile+1))
	if err == nil && int64(len(raw)) > mostOfFile {
		err = fmt.Errorf("%s is larger than %d bytes", name, mostOfFile)
	}
	return raw, err
}
