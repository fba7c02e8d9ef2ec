// Package doctor examines what a sync needs, for check: the configuration, the destination, and for each connector
// its record, privileges, index, state on this machine, and source. Each finding says what to do.
//
// It writes nothing, neither to Elasticsearch nor to a source nor to the state folder, and takes no lock. The engine
// examines index and source, see [engine.Examine]; the exit code is chosen by the commands, see [Options].
package doctor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/mirror"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
)

// Options are the options of check.
type Options struct {
	setup.Flags
	Names      []string // of connectors
	All        bool     // those of the configuration
	Form       string   // the value of --output
	ShowConfig bool     // print the configuration instead of checking it
	// Code chooses the exit code from an error of the command and those of its findings.
	Code func(error, ...*output.Outcome) int
}

// The names of what is examined, in addition to those of the engine.
const (
	checkConfig      = "config"
	checkDestination = "destination"
	checkClock       = "clock"
	checkConnector   = "connector"
	checkPrivileges  = "privileges"
	checkState       = "state"
	checkLock        = "lock"
	checkDeadLetter  = "dead_letter"
)

// patience is how long the source of a connector is examined, at most.
const patience = 2 * time.Minute

// examination is one run of check.
type examination struct {
	app     *setup.App
	o       *Options
	log     *slog.Logger // of what is no finding
	out     *printer
	cfg     *config.Config
	dest    *destination.Destination // nil if it cannot be opened
	servers map[string]*server       // by API key; nil for one that cannot be used
	runs    *mirror.Rehearsal
}

// Check examines everything and returns the exit code. Its error prevented or ended that.
func Check(ctx context.Context, a *setup.App, o *Options) (int, error) {
	x := &examination{app: a, o: o, out: newPrinter(a.Streams, o), servers: map[string]*server{}}
	err := x.examine(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	code := o.Code(err, x.out.outcomes...)
	if failure := x.out.end(code, err); failure != nil {
		return code, failure
	}
	if err != nil && o.Form == output.Text {
		return code, err // it is reported as every error is
	}
	return code, nil
}

// examine returns only errors that are no finding: a signal, or a crash.
func (x *examination) examine(ctx context.Context) error {
	cfg, err := x.app.Config(ctx, x.o.ConfigFile)
	if err != nil {
		if ctx.Err() == nil {
			x.out.failAll("", checkConfig, err)
		}
		return nil
	}
	x.cfg = cfg
	level, ok := logs.Level(x.o.Level)
	if !ok {
		level, ok = logs.Level(cfg.Service.LogLevel)
	}
	if !ok {
		level = slog.LevelWarn
	}
	x.log = logs.New(x.app.Streams.Err, x.o.Format, level)
	if x.o.ShowConfig {
		x.out.config = x.origins()
		return nil
	}
	x.configuration()
	x.open() //nolint:contextcheck // a store is opened without one
	defer x.close()
	x.runs = mirror.NewRehearsal(ctx, x.app, x.o.Flags, cfg, x.dest)
	x.state("")
	if len(cfg.Connectors) == 0 && len(x.o.Names) == 0 {
		x.server(ctx, &config.Connector{})
		x.out.say("", checkConfig, engine.StatusNote, "the configuration has no connector to check", "")
		return nil
	}
	chosen, err := x.runs.Choose(x.o.Names, x.o.All)
	if err != nil {
		x.out.fail("", checkConfig, err)
		return nil
	}
	for i := range chosen {
		if err := x.connector(ctx, &chosen[i]); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// open opens the destination; a folder that another process has open is not an error.
func (x *examination) open() {
	dest, err := destination.Open(x.cfg, true)
	switch {
	case errors.Is(err, embedded.ErrInUse):
		x.out.say("", checkLock, engine.StatusNote, err.Error()+": the index was not checked", "")
	case err != nil:
		x.out.fail("", checkDestination, err)
	default:
		x.dest = dest
	}
}

func (x *examination) close() {
	if x.dest == nil {
		return
	}
	if err := x.dest.Close(); err != nil {
		x.out.fail("", checkDestination, err)
	}
}

// connector examines one connector.
func (x *examination) connector(ctx context.Context, c *config.Connector) error {
	name := records.ConnectorName(c)
	x.out.about(name, c)
	server := x.server(ctx, c)
	if ctx.Err() != nil {
		return nil
	}
	p, err := x.prepare(ctx, c, server, name)
	switch {
	case errors.Is(err, mirror.ErrNoRecords):
		x.out.say(name, checkConnector, engine.StatusNote, "not checked: "+err.Error(), "")
		return nil
	case err != nil:
		if ctx.Err() == nil {
			x.out.failAll(name, checkConnector, err)
		}
		return nil
	}
	x.out.about(name, &p.Connector)
	if c.ConnectorID != "" {
		x.record(name, &p)
	}
	var client *elastic.Client
	if server != nil {
		client = server.client
		x.privileges(ctx, server, name, &p)
		x.lock(ctx, server, name, &p)
	}
	x.deadLetter(name, &p)
	until, stop := x.app.Limit(ctx, patience)
	defer stop()
	return engine.Examine(ctx, p.Job, x.runs.Deps(until, client), func(f engine.Finding) { x.out.add(name, f) })
}

// record reports what the record of a connector of Elasticsearch says.
func (x *examination) record(name string, p *mirror.Prepared) {
	x.out.say(name, checkConnector, engine.StatusOK, fmt.Sprintf("its record can be used: %s into index %q", p.Connector.ServiceType, p.Job.Index), "")
	if p.LastError != "" {
		x.out.say(name, checkConnector, engine.StatusNote, "the error in its record: "+p.LastError, "")
	}
	if p.Running != "" {
		x.out.say(name, checkLock, engine.StatusNote, fmt.Sprintf("sync job %q is running", p.Running), "")
	}
}

// prepare creates the connector's job.
func (x *examination) prepare(ctx context.Context, c *config.Connector, server *server, name string) (mirror.Prepared, error) {
	if c.ConnectorID != "" && server == nil {
		return mirror.Prepared{}, mirror.ErrNoRecords
	}
	limited, cancel := limited(ctx)
	defer cancel()
	return x.runs.Prepare(limited, *c, x.warnings(name))
}
