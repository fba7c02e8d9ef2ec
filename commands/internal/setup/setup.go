// Package setup is how every command begins: with what the process hands in, the flags that all commands have, and the
// configuration.
//
// The commands reach the terminal, the environment and the clock only through [App], so that tests hand in their own.
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

// Flags are the flags of every command.
type Flags struct {
	ConfigFile string // "" where it is to be found
	Level      string // "" when not given
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

// Getenv is a variable of the environment, "" where it is not set.
func (a *App) Getenv(name string) string {
	if a.Env.Lookup == nil {
		return os.Getenv(name)
	}
	value, _ := a.Env.Lookup(name)
	return value
}

// Messages are those of a command that has no log of its own.
func (a *App) Messages(g *Flags) *logs.Messages {
	m := &logs.Messages{To: a.Streams.Err}
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

// mostOfFile is how much ReadFile reads; the largest files are mappings, of which Elasticsearch takes 1000 fields by
// default.
const mostOfFile = 10 << 20

// ReadFile reads a file that the command line or the configuration names.
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
