package records

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/cron"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// NoConnector is the error of a name that no connector has. registered are the names in Elasticsearch.
func NoConnector(connectors []config.Connector, registered []string, name string) error {
	known := ConnectorNames(connectors)
	e := &usage.Error{Problem: "neither the configuration nor Elasticsearch has a connector " + term.Quoted(name), Hint: "the configuration has " + term.Plain(strings.Join(known, ", "))}
	if len(known) == 0 {
		e.Hint = program.Name + " list connectors prints them all"
	}
	if near := field.Nearest(name, slices.Concat(known, registered)); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", term.Quoted(near))
	}
	return e
}

// ConnectorNames are the names of connectors on the command line, in the order of the file.
func ConnectorNames(connectors []config.Connector) []string {
	var names []string
	for i := range connectors {
		names = append(names, ConnectorName(&connectors[i]))
	}
	return names
}

// ConnectorName is the name of a connector on the command line.
func ConnectorName(c *config.Connector) string {
	if c.Name != "" {
		return c.Name
	}
	return c.ConnectorID
}

// refuse names the first key of a connector that this version does not support. Ignoring it would write other
// documents than the file asks for.
func refuse(cfg *config.Config, c *config.Connector) error {
	if _, external := cfg.SourceCommand(c.ServiceType); external {
		return &usage.Error{
			Problem: fmt.Sprintf("connector %s: sources.%s: exec: is not supported yet", term.Quoted(ConnectorName(c)), c.ServiceType),
			Hint:    "use a built-in source type, see " + program.Name + " list sources",
		}
	}
	return nil
}

// SourceType finds the built-in source type for a connector's service type.
func SourceType(a *setup.App, cfg *config.Config, c *config.Connector) (source.Type, error) {
	if err := refuse(cfg, c); err != nil {
		return source.Type{}, err
	}
	name := c.ServiceType
	if builtin, ok := strings.CutPrefix(cfg.Sources[name], "builtin:"); ok {
		name = strings.TrimSpace(builtin)
	}
	typ, ok := a.Registry.Lookup(name)
	if ok {
		return typ, nil
	}
	known := a.Registry.Names()
	e := &usage.Error{
		Problem: fmt.Sprintf("connector %s: unknown source type %s", term.Quoted(ConnectorName(c)), term.Quoted(name)),
		Hint:    "one of " + strings.Join(known, ", "),
	}
	if near := field.Nearest(name, known); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", near)
	}
	return source.Type{}, e
}

// EntryOf is the configuration entry of a connector of Elasticsearch, or the defaults if there is none.
func EntryOf(cfg *config.Config, id string) config.Connector {
	for i := range cfg.Connectors {
		if cfg.Connectors[i].ConnectorID == id {
			return cfg.Connectors[i]
		}
	}
	return config.UnnamedConnector(id)
}

// OfFile are the fields among names that the file sets for a connector of Elasticsearch: poll uses those values.
func (d *Desk) OfFile(id string, names []string) (set []string) {
	entry := EntryOf(d.Config, id)
	for _, name := range names {
		if _, ok := entry.Configuration[name]; ok {
			set = append(set, name)
		}
	}
	return set
}

// ValuesOf are the configuration values of a connector of Elasticsearch; those of the file override those of
// the record.
func ValuesOf(ctx context.Context, typ *source.Type, c *config.Connector, stored protocol.Configuration) (field.Values, error) {
	raw := stored.Values(typ.Fields)
	own, err := c.ResolveConfiguration(ctx, typ.Fields)
	if err != nil {
		return field.Values{}, err
	}
	maps.Copy(raw, own)
	values, err := field.Parse(typ.Fields, raw)
	if err != nil {
		err = fmt.Errorf("connector %s: configuration: %w", term.Quoted(c.Name), err)
	}
	return values, err
}

// ScheduleOf is an enabled schedule of a type of sync jobs.
func ScheduleOf(now time.Time, kind, expression string) (protocol.Schedule, error) {
	schedule, err := cron.Parse(expression)
	if err != nil {
		return protocol.Schedule{}, &usage.Error{Problem: fmt.Sprintf("schedule of %s: %v", kind, err), Hint: `a Quartz cron expression in UTC: seconds, minutes, hours, day of month, month, day of week; such as "0 15 2 * * ?"`}
	}
	if _, ever := schedule.Next(now); !ever {
		return protocol.Schedule{}, &usage.Error{Problem: fmt.Sprintf("schedule of %s: %s never occurs", kind, term.Quoted(expression))}
	}
	return protocol.Schedule{Enabled: true, Interval: expression}, nil
}
