// Package records is shared by the commands on connectors and sync jobs: it opens the records in
// Elasticsearch, finds the requested one, adds the configuration to it, and prints it for people and programs.
//
// It runs no sync and reads no source. Secrets are always masked, see shown.go.
package records

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

// Desk reads and writes records of connectors and sync jobs for a command. It runs no sync job.
type Desk struct {
	App         *setup.App
	g           *setup.Flags
	Config      *config.Config
	log         *slog.Logger
	Messages    *logs.Messages
	Destination *destination.Destination
	Store       *protocol.Store
}

// Open loads the configuration, connects to the destination and calls do with its records.
func Open(ctx context.Context, a *setup.App, g *setup.Flags, do func(context.Context, *Desk) error) error {
	d, err := newDesk(ctx, a, g)
	if err != nil {
		return err
	}
	if err := d.open(ctx, false, destination.PatienceOf(&d.Config.Elasticsearch)); err != nil {
		return err
	}
	return errors.Join(do(ctx, d), d.Destination.Close())
}

// lookPatience is how long read-only commands wait for the destination. They try once, because they print the
// present state.
const lookPatience = 5 * time.Second

// LookUp is [Open] for a command that writes nothing: it tries the destination once, and does not create a missing
// folder.
func LookUp(ctx context.Context, a *setup.App, g *setup.Flags, do func(context.Context, *Desk) error) error {
	return lookUp(ctx, a, g, func(*Desk) {}, do)
}

// lookUp is [LookUp]; it calls first with the configuration, before it connects.
func lookUp(ctx context.Context, a *setup.App, g *setup.Flags, first func(*Desk), do func(context.Context, *Desk) error) error {
	d, err := newDesk(ctx, a, g)
	if err != nil {
		return err
	}
	first(d)
	patient, cancel := context.WithTimeoutCause(ctx, lookPatience, &elastic.ConnError{
		Op: "reach Elasticsearch", Kind: elastic.ErrUnreachable, Err: fmt.Errorf("no answer within %s", lookPatience),
	})
	defer cancel()
	if err := d.open(patient, true, destination.Patience{}); err != nil {
		return err
	}
	return errors.Join(do(ctx, d), d.Destination.Close())
}

// newDesk loads the configuration; it does not connect yet.
func newDesk(ctx context.Context, a *setup.App, g *setup.Flags) (*Desk, error) {
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
	d := &Desk{App: a, g: g, Config: cfg, log: logs.New(a.Streams.Err, g.Format, level), Messages: a.Messages(g)}
	for _, w := range cfg.Warnings {
		d.Messages.Warn(w)
	}
	return d, nil
}

// open connects to the destination and opens its records. On an error the destination is closed again.
func (d *Desk) open(ctx context.Context, readOnly bool, p destination.Patience) (err error) {
	if d.Destination, err = destination.Open(d.Config, readOnly); err != nil { //nolint:contextcheck // a store is opened without one
		return err
	}
	if d.Store, err = d.Destination.Records(ctx, d.App, d.log, p); err != nil {
		err = errors.Join(err, d.Destination.Close())
	}
	return err
}

// Connector finds a connector by its name in the configuration, or by its id, name or index in Elasticsearch.
func (d *Desk) Connector(ctx context.Context, name string) (protocol.Record[protocol.Connector], error) {
	wanted := name
	entry := slices.IndexFunc(d.Config.Connectors, func(c config.Connector) bool { return c.Name == name && name != "" })
	if entry >= 0 && d.Config.Connectors[entry].ConnectorID != "" {
		wanted = d.Config.Connectors[entry].ConnectorID
	}
	c, err := Find(ctx, d.Store, wanted)
	switch {
	case !errors.Is(err, elastic.ErrNotFound):
		return c, err
	case wanted != name:
		return c, Missing(wanted)
	case entry >= 0:
		return c, &usage.Error{
			Problem: fmt.Sprintf("connector %s exists only in the configuration: Elasticsearch has no record of it", term.Quoted(name)),
			Hint:    fmt.Sprintf("%s connector create %s creates one; %s sync %s works without one", program.Name, term.ShellWord(name), program.Name, term.ShellWord(name)),
		}
	}
	return c, NoConnector(d.Config.Connectors, Registered(ctx, d.Store), name)
}

// SourceOf is the source type of a connector of Elasticsearch.
func (d *Desk) SourceOf(c *protocol.Record[protocol.Connector]) (source.Type, error) {
	entry := EntryOf(d.Config, c.ID)
	serviceType := string(c.Body.ServiceType)
	if serviceType == "" {
		serviceType = entry.ServiceType
	}
	return SourceType(d.App, d.Config, &config.Connector{Name: c.ID, ServiceType: serviceType})
}

// WithoutAccessControl says that a source type has no identities to mirror.
func WithoutAccessControl(serviceType string) string {
	return "source type " + serviceType + " has no access control"
}

// Lacking returns the fields of a connector's configuration that are missing or invalid; values from the file
// count.
func (d *Desk) Lacking(ctx context.Context, typ *source.Type, id string, stored protocol.Configuration) (field.Errors, error) {
	entry := config.UnnamedConnector(id)
	if id != "" { // an entry without an id belongs to another connector
		entry = EntryOf(d.Config, id)
	}
	_, err := ValuesOf(ctx, typ, &entry, stored)
	if wrong, ok := errors.AsType[field.Errors](err); ok {
		return wrong, nil
	}
	return nil, err
}

// Note prints a note, unless --quiet is set.
func (d *Desk) Note(text string) {
	if !d.g.Quiet {
		d.Messages.Note(text)
	}
}
