package commands

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// desk is what a command works with that reads or writes records of connectors and sync jobs, and runs
// none of them.
type desk struct {
	app      *setup.App
	g        *setup.Flags
	cfg      *config.Config
	log      *slog.Logger
	messages *logs.Messages
	dest     *destination.Destination
	store    *protocol.Store
}

// atDesk loads the configuration, reaches the destination and lets do work with its records.
func atDesk(ctx context.Context, a *setup.App, g *setup.Flags, do func(context.Context, *desk) error) error {
	d, err := newDesk(ctx, a, g)
	if err != nil {
		return err
	}
	if err := d.open(ctx, false, destination.PatienceOf(&d.cfg.Elasticsearch)); err != nil {
		return err
	}
	return errors.Join(do(ctx, d), d.dest.Close())
}

// lookPatience is how long a look waits for the destination, which it asks once: who looks wants to see
// what there is now.
const lookPatience = 5 * time.Second

// lookUp loads the configuration, with which first is done, and then asks the destination once. Nothing
// is written, not even by opening a folder.
func lookUp(ctx context.Context, a *setup.App, g *setup.Flags, do func(context.Context, *desk) error, first ...func(*desk)) error {
	d, err := newDesk(ctx, a, g)
	if err != nil {
		return err
	}
	for _, f := range first {
		f(d)
	}
	patient, cancel := context.WithTimeoutCause(ctx, lookPatience, &elastic.ConnError{
		Op: "reach Elasticsearch", Kind: elastic.ErrUnreachable, Err: fmt.Errorf("no answer within %s", lookPatience),
	})
	defer cancel()
	if err := d.open(patient, true, destination.Patience{}); err != nil {
		return err
	}
	return errors.Join(do(ctx, d), d.dest.Close())
}

// newDesk loads the configuration; nobody is asked yet.
func newDesk(ctx context.Context, a *setup.App, g *setup.Flags) (*desk, error) {
	cfg, err := a.Config(ctx, g.ConfigFile)
	if err != nil {
		return nil, err
	}
	level, ok := logs.Level(g.Level)
	if !ok {
		level, ok = logs.Level(cfg.Service.LogLevel)
	}
	if !ok {
		level = slog.LevelWarn
	}
	d := &desk{app: a, g: g, cfg: cfg, log: logs.New(a.Streams.Err, g.Format, level), messages: a.Messages(g)}
	for _, w := range cfg.Warnings {
		d.messages.Warn(w)
	}
	return d, nil
}

// open reaches the destination and its records. When it fails the destination is closed again.
func (d *desk) open(ctx context.Context, readOnly bool, p destination.Patience) (err error) {
	if d.dest, err = destination.Open(d.cfg, readOnly); err != nil { //nolint:contextcheck // a store is opened without one
		return err
	}
	if d.store, err = d.dest.Records(ctx, d.app, d.log, p); err != nil {
		err = errors.Join(err, d.dest.Close())
	}
	return err
}

// connector finds the connector that people call by a name of the configuration, or by its id, name or
// index in Elasticsearch.
func (d *desk) connector(ctx context.Context, name string) (protocol.Record[protocol.Connector], error) {
	wanted := name
	entry := slices.IndexFunc(d.cfg.Connectors, func(c config.Connector) bool { return c.Name == name && name != "" })
	if entry >= 0 && d.cfg.Connectors[entry].ConnectorID != "" {
		wanted = d.cfg.Connectors[entry].ConnectorID
	}
	c, err := findConnector(ctx, d.store, wanted)
	switch {
	case !errors.Is(err, elastic.ErrNotFound):
		return c, err
	case wanted != name:
		return c, missing(wanted)
	case entry >= 0:
		return c, &usage.Error{
			Problem: fmt.Sprintf("connector %s is one of the configuration alone: Elasticsearch has no record of it", term.Quoted(name)),
			Hint:    fmt.Sprintf("%s connector create %s makes one; %s sync %s needs none", program.Name, term.ShellWord(name), program.Name, term.ShellWord(name)),
		}
	}
	return c, noConnector(d.cfg.Connectors, name)
}

// sourceOf is the source type of a connector of Elasticsearch.
func (d *desk) sourceOf(c *protocol.Record[protocol.Connector]) (source.Type, error) {
	entry := entryOf(d.cfg, c.ID)
	serviceType := string(c.Body.ServiceType)
	if serviceType == "" {
		serviceType = entry.ServiceType
	}
	return sourceType(d.app, d.cfg, &config.Connector{Name: c.ID, ServiceType: serviceType})
}

// lacking says which fields of a connector's configuration are not as they must be, those of the file
// counted in.
func (d *desk) lacking(ctx context.Context, typ *source.Type, id string, stored protocol.Configuration) (field.Errors, error) {
	entry := config.UnnamedConnector(id)
	if id != "" { // an entry without one is of another connector
		entry = entryOf(d.cfg, id)
	}
	_, err := valuesOf(ctx, typ, &entry, stored)
	if wrong, ok := errors.AsType[field.Errors](err); ok {
		return wrong, nil
	}
	return nil, err
}

// note tells people what else there is to know, unless they want to hear nothing.
func (d *desk) note(text string) {
	if !d.g.Quiet {
		d.messages.Note(text)
	}
}
