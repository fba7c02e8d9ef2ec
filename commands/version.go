package commands

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
)

// shownBuild is the output of version -o json.
type shownBuild struct {
	Schema int `json:"schema"`
	program.Build
}

func newVersion(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print version, commit and Go version",
		Description: "Prints how this program was built. The flag --version does the same.",
		UsageText:   "elastic-ingest version\nelastic-ingest version -o json",
		Flags:       []cli.Flag{outputFlag("text (lines) or json (one object)")},
		Action: func(c *cli.Context) error {
			if _, err := readGlobals(c); err != nil {
				return err
			}
			if err := oneOf("output", c.String("output"), []string{output.Text, output.JSON}); err != nil {
				return err
			}
			b := program.This()
			if c.String("output") == output.JSON {
				return a.WriteOut(output.JSONLine(shownBuild{output.Schema, b}))
			}
			return a.WriteOut(fmt.Sprintf("%s %s\ncommit %s\n%s\n", program.Name, b.Version, b.Commit, b.Go))
		},
	}
}
