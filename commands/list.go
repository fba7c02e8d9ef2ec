package commands

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

func newList(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "print source types, connectors, sync jobs, indices or documents",
		ArgsUsage: "[sources|connectors|jobs|indices|documents] [NAME]",
		Description: "Prints the source types that this program knows and the connectors of the configuration and of Elasticsearch; or " +
			"the sync jobs of all connectors or of one, newest first; or the indices of connectors; or the documents of one connector's index. It writes nothing and reads no source.",
		UsageText: `# source types and connectors
elastic-ingest list

# only connectors, for a script
elastic-ingest list connectors -o ndjson

# the last sync jobs
elastic-ingest list jobs --limit 5

# which connector an index belongs to, and how many documents it holds
elastic-ingest list indices

# what did a sync write?
elastic-ingest list documents docs --limit 3 -o ndjson`,
		Flags: []cli.Flag{
			outputFlag("text (tables), json (one object) or ndjson (one object a line)"),
			limitFlag("jobs or documents"),
		},
		Action: func(c *cli.Context) error {
			o, err := readList(c)
			if err != nil {
				return err
			}
			return records.List(c.Context, a, o)
		},
	}
}

// readList reads the flags and arguments of list.
func readList(c *cli.Context) (*records.ListOptions, error) {
	o, err := readListed(c)
	if err != nil {
		return nil, err
	}
	args := c.Args().Slice()
	if len(args) == 0 {
		args = []string{""}
	}
	o.What = args[0]
	if words := []string{records.Sources, records.Connectors, records.Jobs, records.Indices, records.Documents}; o.What != "" && !slices.Contains(words, o.What) {
		e := &usage.Error{Problem: fmt.Sprintf("list cannot print %s", term.Quoted(o.What)), Hint: "use list sources, list connectors, list jobs, list indices or list documents; list alone prints the first two"}
		if near := field.Nearest(o.What, words); near != "" {
			e.Hint = fmt.Sprintf("did you mean list %s?", near)
		}
		return nil, e
	}
	named := o.What == records.Jobs || o.What == records.Documents
	if c.IsSet("limit") && !named {
		return nil, &usage.Error{Problem: "--limit works only with list jobs and list documents"}
	}
	if named && len(args) > 1 {
		o.Connector = args[1]
		args = args[1:]
	}
	if len(args) > 1 {
		return nil, &usage.Error{Problem: fmt.Sprintf("unexpected argument %s", term.Quoted(args[1])), Hint: "only list jobs and list documents take a name, that of one connector"}
	}
	return o, nil
}
