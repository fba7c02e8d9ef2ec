package commands

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/mirror"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
)

func newDiff(cut context.Context, a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "say what sync would do, and write nothing",
		ArgsUsage: "[CONNECTOR...]",
		Description: "Reads source and index as sync does and prints each change that sync would make, one a line. " +
			"The line begins with + for a document to create, ~ to update, - to delete, ! for a delete that would be withheld and why, " +
			"x for a document that cannot be written, = for one whose id another document has; " +
			"with --all-documents also . for an unchanged one and / for one that a rule keeps out. " +
			"The exit code is 1 when there are differences. What an ingest pipeline would drop cannot be predicted.",
		UsageText: `# what would a sync do?
elastic-ingest diff

# fail a CI job only when something is wrong, not when something differs
elastic-ingest diff docs --exit-zero

# the first 20 changes, then the counts of all
elastic-ingest diff docs --limit 20

# one JSON object a change, with the fields that differ
elastic-ingest diff docs -o ndjson --fields`,
		Flags: append(mirrorFlags(),
			outputFlag("`text|json|ndjson`: one line a change and the counts, the counts as one JSON object, or one object a change and then the counts"),
			fieldsFlag(),
			&cli.BoolFlag{Name: "exit-zero", Usage: "exit with 0 although there are differences"},
		),
		Action: func(c *cli.Context) error {
			o, err := readMirror(c)
			if err != nil {
				return err
			}
			o.Dry, o.Code = true, judge(Mode{DryRun: true, ExitZero: c.Bool("exit-zero")})
			return ended(mirror.Sync(c.Context, cut, a, o))
		},
	}
}
