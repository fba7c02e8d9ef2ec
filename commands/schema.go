package commands

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/schema"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func newSchema(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "schema",
		Usage:     "print the JSON Schema of the configuration file",
		ArgsUsage: "[SERVICE_TYPE]",
		Description: "Prints the JSON Schema (draft-07) of the configuration file, or of the configuration of one source type. With it an " +
			"editor completes keys, explains them and marks mistakes. A comment in the first line of the file names the schema.",
		UsageText: `# for an editor; then begin config.yml with the line
# yaml-language-server: $schema=elastic-ingest.schema.json
elastic-ingest schema

# the fields of one source type
elastic-ingest schema postgresql`,
		Action: func(c *cli.Context) error {
			if _, err := readGlobals(c); err != nil {
				return err
			}
			switch c.Args().Len() {
			case 0:
				return a.WriteOut(schema.Text(schema.File(a.Registry.Types())))
			case 1:
				t, err := sourceType(a.Registry, c.Args().First())
				if err != nil {
					return err
				}
				return a.WriteOut(schema.Text(schema.Source(t)))
			}
			return &usage.Error{Problem: fmt.Sprintf("unexpected argument %s", term.Quoted(c.Args().Get(1))), Hint: "schema takes one source type"}
		},
	}
}

// sourceType finds a built-in source type by its name.
func sourceType(types source.Registry, name string) (source.Type, error) {
	t, ok := types.Lookup(name)
	if ok {
		return t, nil
	}
	e := &usage.Error{Problem: fmt.Sprintf("there is no source type %s", term.Quoted(name)), Hint: "one of " + strings.Join(types.Names(), ", ")}
	if near := field.Nearest(name, types.Names()); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", near)
	}
	return t, e
}
