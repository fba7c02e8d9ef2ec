package commands

import (
	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/doctor"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
)

func newCheck(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "examine what a sync needs, and say what to do",
		ArgsUsage: "[CONNECTOR...]",
		Description: "Examines the configuration, Elasticsearch, and for each connector privileges, index, mapping, state folder and source, " +
			"and prints a line for each finding: ok, note, warning or error, and below it what to do. It tries to read one document of each table " +
			"or folder, for at most two minutes a connector. It tries Elasticsearch once and does not wait. It writes nothing, takes no lock, and never " +
			"prints a secret.",
		UsageText: `# the only connector of ./config.yml
elastic-ingest check

# all connectors; print only warnings and errors
elastic-ingest check --all -q

# one object for a script
elastic-ingest check docs -o json

# every value of the configuration, and where it came from
elastic-ingest check --show-config`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "all connectors of the configuration file, one after the other"},
			outputFlag("text (a line for each finding) or json (one object)"),
			&cli.BoolFlag{Name: "show-config", Usage: "print every value of the configuration with its origin instead of checking; secrets are masked"},
		},
		Action: func(c *cli.Context) error {
			o, err := readCheck(c)
			if err != nil {
				return err
			}
			code, err := doctor.Check(c.Context, a, o)
			if err != nil {
				return err
			}
			return ended(code)
		},
	}
}

// readCheck reads the flags of check.
func readCheck(c *cli.Context) (*doctor.Options, error) {
	g, err := readGlobals(c)
	if err != nil {
		return nil, err
	}
	o := &doctor.Options{
		Flags: g, Names: c.Args().Slice(), All: c.Bool("all"), Form: c.String("output"), ShowConfig: c.Bool("show-config"), Code: judge(Mode{}),
	}
	switch {
	case o.All && len(o.Names) > 0:
		return nil, &usage.Error{Problem: "--all and the names of connectors exclude each other"}
	case o.ShowConfig && len(o.Names) > 0:
		return nil, &usage.Error{Problem: "--show-config and the names of connectors exclude each other", Hint: "it prints the complete configuration"}
	}
	return o, oneOf("output", o.Form, []string{output.Text, output.JSON})
}
