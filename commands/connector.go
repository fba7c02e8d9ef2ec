package commands

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

func newConnector(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:        "connector",
		Usage:       "create, show, configure or delete connectors in Elasticsearch",
		Description: "Works with the records of connectors that Kibana shows, without Kibana. It does not connect to their sources.",
		Subcommands: []*cli.Command{newConnectorCreate(a), newConnectorShow(a), newConnectorConfigure(a), newConnectorDelete(a)},
	}
}

func newConnectorShow(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:        "show",
		Usage:       "print one connector",
		ArgsUsage:   "ID|NAME|INDEX",
		Description: "Prints the record of a connector. Secrets, and any field not known to be public, are masked. It writes nothing.",
		UsageText: `elastic-ingest connector show kibana

# for a script
elastic-ingest connector show kibana -o json`,
		Flags:  []cli.Flag{outputFlag("text (lines) or json (one object)")},
		Action: onRecords(a, readOne(records.LookUp, "connector show", "the id, name or index of a connector"), showConnector),
	}
}

func showConnector(ctx context.Context, d *records.Desk, o *oneRecord) error {
	c, err := d.Connector(ctx, o.name)
	if err != nil {
		return err
	}
	shown := d.ShownConnector(&c)
	if err := o.print(d, shown, records.ConnectorText(&c, shown.Connector.Configuration)); err != nil {
		return err
	}
	noteOfFile(d, c.ID, d.OfFile(c.ID, slices.Sorted(maps.Keys(c.Body.Configuration))))
	return nil
}

func newConnectorDelete(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Usage:     "delete connectors and their sync jobs",
		ArgsUsage: "ID...",
		Description: "Deletes the records of connectors, named by id, name or index, and of their sync jobs. Their indices and the " +
			"documents in them stay. On a terminal it asks first; elsewhere it needs --yes.",
		UsageText: "elastic-ingest connector delete kibana --yes",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "yes", Usage: "do not ask for confirmation"},
			&cli.BoolFlag{Name: "force", Usage: "also delete connectors with running sync jobs; those jobs end with an error"},
		},
		Action: onRecords(a, func(c *cli.Context) (*deleteOptions, error) { return readDelete(c, a) }, deleteConnectors),
	}
}

type deleteOptions struct {
	recordOptions
	names       []string
	sure, force bool
}

func readDelete(c *cli.Context, a *setup.App) (*deleteOptions, error) {
	g, err := readGlobals(c)
	if err != nil {
		return nil, err
	}
	o := &deleteOptions{recordOptions: recordOptions{Flags: g, open: records.Open}, names: c.Args().Slice(), sure: c.Bool("yes"), force: c.Bool("force")}
	switch {
	case len(o.names) == 0:
		return nil, &usage.Error{Problem: "connector delete needs the id, name or index of at least one connector", Hint: program.Name + " list connectors prints them all"}
	case !o.sure && !a.Streams.Asks():
		return nil, &usage.Error{Problem: "connector delete asks for confirmation, but there is no terminal", Hint: "use --yes to delete without confirmation"}
	}
	return o, nil
}

// deleteConnectors deletes all named connectors, or none if one of them must not be deleted.
func deleteConnectors(ctx context.Context, d *records.Desk, o *deleteOptions) error {
	var doomed []protocol.Record[protocol.Connector]
	var what []string
	for _, name := range o.names {
		c, err := d.Connector(ctx, name)
		if err != nil {
			return err
		}
		running, err := d.Store.RunningJobs(ctx, c.ID)
		switch {
		case err != nil && !errors.Is(err, elastic.ErrNotFound):
			return err
		case len(running) > 0 && !o.force:
			return fmt.Errorf("%w: sync job %s of connector %s is running; cancel it first, or use --force", records.ErrBusy, term.Quoted(running[0].ID), term.Quoted(c.ID))
		}
		doomed = append(doomed, c)
		what = append(what, fmt.Sprintf("%s (index %s)", term.Quoted(c.ID), term.Quoted(string(c.Body.IndexName))))
	}
	if !o.sure {
		yes, err := d.App.Streams.Ask(ctx, fmt.Sprintf("delete %s %s and all their sync jobs? The indices and their documents stay.",
			term.Plural(int64(len(doomed)), "connector:", "connectors:"), strings.Join(what, ", ")))
		if err != nil {
			return err
		}
		if !yes {
			return &usage.Error{Problem: "nothing was deleted"}
		}
	}
	for _, c := range doomed {
		err := d.Store.DeleteConnector(ctx, c.ID)
		if err != nil && !errors.Is(err, elastic.ErrNotFound) { // named twice, or another process deleted it first
			return err
		}
		err = d.App.WriteOut(fmt.Sprintf("deleted connector %s and its sync jobs; index %s and its documents stay\n", term.Plain(c.ID), term.Quoted(string(c.Body.IndexName))))
		if err != nil {
			return err
		}
	}
	return nil
}
