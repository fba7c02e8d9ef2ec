package commands

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// desk is what a command works with that reads or writes records of connectors and sync jobs, and runs
// none of them.
type desk struct {
	app      *App
	g        *globals
	cfg      *config.Config
	log      *slog.Logger
	messages *logs.Messages
	dest     *destination
	store    *protocol.Store
}

// atDesk loads the configuration, reaches the destination and lets do work with its records.
func (a *App) atDesk(ctx context.Context, g *globals, do func(context.Context, *desk) error) error {
	d, err := a.newDesk(ctx, g)
	if err != nil {
		return err
	}
	settings := settingsOf(d.cfg, "")
	if err := d.open(ctx, false, settings.Await, settings.Retry); err != nil {
		return err
	}
	return errors.Join(do(ctx, d), d.dest.close())
}

// newDesk loads the configuration; nobody is asked yet.
func (a *App) newDesk(ctx context.Context, g *globals) (*desk, error) {
	cfg, err := a.config(ctx, g.configFile)
	if err != nil {
		return nil, err
	}
	level, ok := logs.Level(g.level)
	if !ok {
		level, ok = logs.Level(cfg.Service.LogLevel)
	}
	if !ok {
		level = slog.LevelWarn
	}
	d := &desk{app: a, g: g, cfg: cfg, log: logs.New(a.Streams.Err, g.format, level), messages: a.messages(g)}
	for _, w := range cfg.Warnings {
		d.messages.Warn(w)
	}
	return d, nil
}

// open reaches the destination and its records. When it fails the destination is closed again.
func (d *desk) open(ctx context.Context, readOnly bool, await, again retry.Policy) (err error) {
	if d.dest, err = openDestination(d.cfg, readOnly); err != nil { //nolint:contextcheck // a store is opened without one
		return err
	}
	if d.store, err = d.dest.records(ctx, d.log, d.app, await, again); err != nil {
		err = errors.Join(err, d.dest.close())
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
	return d.app.sourceType(d.cfg, &config.Connector{Name: c.ID, ServiceType: serviceType})
}

// note tells people what else there is to know, unless they want to hear nothing.
func (d *desk) note(text string) {
	if !d.g.quiet {
		d.messages.Note(text)
	}
}

// instant is a time of a record for people and for programs; "" for none.
func instant(t protocol.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC3339)
}
