package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

func newList(a *App) *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "print the source types and the connectors of the configuration",
		ArgsUsage: "[sources|connectors]",
		Description: "Prints the source types that this program knows and the connectors of the configuration file. " +
			"It asks neither sources nor the destination.",
		UsageText: `# source types and connectors
elastic-ingest list

# the connectors alone, for a script
elastic-ingest list connectors -o ndjson`,
		Flags: []cli.Flag{outputFlag("`text|json|ndjson`: tables, one JSON object, or one object a line")},
		Action: func(c *cli.Context) error {
			g, err := readGlobals(c)
			if err != nil {
				return err
			}
			if err := oneOf("output", c.String("output"), []string{asText, asJSON, asNDJSON}); err != nil {
				return err
			}
			what := c.Args().First()
			if err := oneOfList(c.Args().Slice()); err != nil {
				return err
			}
			return a.list(c.Context, &g, what, c.String("output"))
		},
	}
}

func oneOfList(args []string) error {
	switch {
	case len(args) == 0, len(args) == 1 && (args[0] == "sources" || args[0] == "connectors"):
		return nil
	case len(args) > 1:
		return &usageError{problem: "list takes one argument at most: sources or connectors"}
	}
	return &usageError{problem: fmt.Sprintf("list knows no %s", quoted(args[0])), hint: "list sources, list connectors, or list for both"}
}

// listed is what list -o json prints.
type listed struct {
	Schema     int               `json:"schema"`
	Sources    []listedSource    `json:"sources,omitempty"`
	Connectors []listedConnector `json:"connectors,omitempty"`
}

type listedSource struct {
	Schema int    `json:"schema,omitempty"` // of ndjson, as kind
	Kind   string `json:"kind,omitempty"`   // "source", of ndjson
	Name   string `json:"name"`
	Title  string `json:"title"`
}

type listedConnector struct {
	Schema      int    `json:"schema,omitempty"` // of ndjson, as kind
	Kind        string `json:"kind,omitempty"`   // "connector", of ndjson
	Name        string `json:"name"`
	Source      string `json:"source"`
	Index       string `json:"index"`
	Destination string `json:"destination"`
}

func (a *App) list(ctx context.Context, g *globals, what, output string) error {
	l := listed{Schema: schema}
	if what != "connectors" {
		for _, t := range a.Registry.Types() {
			l.Sources = append(l.Sources, listedSource{Name: t.Name, Title: t.Title})
		}
	}
	if what != "sources" {
		cfg, err := a.config(ctx, g.configFile)
		usage, ok := errors.AsType[*usageError](err)
		switch missing := ok && usage.missing; {
		case missing && what == "":
			a.messages(g).warn(err.Error())
		case err != nil:
			return err
		default:
			l.Connectors = listConnectors(cfg)
		}
	}
	switch output {
	case asJSON:
		return a.writeOut(jsonLine(l))
	case asNDJSON:
		return a.writeOut(l.lines())
	}
	return a.writeOut(l.text(a.Streams.OutWidth()))
}

func listConnectors(cfg *config.Config) []listedConnector {
	var out []listedConnector
	d := destination{es: &cfg.Elasticsearch}
	for i := range cfg.Connectors {
		c := &cfg.Connectors[i]
		out = append(out, listedConnector{Name: connectorName(c), Source: c.ServiceType, Index: c.IndexName, Destination: d.name()})
	}
	return out
}

func (l *listed) lines() string {
	var b strings.Builder
	for _, s := range l.Sources {
		s.Schema, s.Kind = schema, "source"
		b.WriteString(jsonLine(s))
	}
	for _, c := range l.Connectors {
		c.Schema, c.Kind = schema, "connector"
		b.WriteString(jsonLine(c))
	}
	return b.String()
}

// text writes tables; where they do not fit, cells are shortened.
func (l *listed) text(width int) string {
	var blocks []string
	if len(l.Sources) > 0 {
		rows := [][]string{{"SOURCE TYPE", "NAME"}}
		for _, s := range l.Sources {
			rows = append(rows, []string{plain(s.Name), plain(s.Title)})
		}
		blocks = append(blocks, tableText(width, rows))
	}
	if len(l.Connectors) > 0 {
		rows := [][]string{{"CONNECTOR", "SOURCE TYPE", "INDEX", "DESTINATION"}}
		for _, c := range l.Connectors {
			rows = append(rows, []string{plain(c.Name), plain(c.Source), plain(c.Index), plain(c.Destination)})
		}
		blocks = append(blocks, tableText(width, rows))
	}
	return strings.Join(blocks, "\n")
}
