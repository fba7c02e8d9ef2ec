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
		Usage:     "print what sync would change, without writing anything",
		ArgsUsage: "[CONNECTOR...]",
		Description: "Reads source and index as sync does and prints each change that sync would make, one a line. " +
			"The first character says what happens to the document: + create, ~ update, - delete, ! a delete that is held back, and why, " +
			"x cannot be written, = another document has the same id; with --all-documents also . unchanged and / kept out by a rule. " +
			"It cannot predict what an ingest pipeline drops.",
		UsageText: `# what would a sync do?
elastic-ingest diff

# fail a CI job on errors, but not on differences
elastic-ingest diff docs --exit-zero

# print only the first 20 changes, and the counts of all
elastic-ingest diff docs --limit 20

# one JSON object a change, with the fields that differ
elastic-ingest diff docs -o ndjson --fields

# what a reviewer wants to read in a pull request
elastic-ingest diff docs -o markdown

# one page to review, without a server
elastic-ingest diff docs -o html

# save the changes; sync --plan docs.plan makes at most these
elastic-ingest diff docs --save docs.plan

# an hour later: which of these changes remain?
elastic-ingest diff --recheck docs.plan`,
		Flags: append(mirrorFlags(),
			outputFlag("text (one line a change, then the counts), json (the counts as one object), ndjson (one object a change, then the counts), junit (a test for each table), markdown (for a pull request) or html (one page)"),
			fieldsFlag(),
			&cli.StringFlag{Name: "save", Usage: "`FILE`: save the changes as a plan, for sync --plan FILE"},
			&cli.StringFlag{Name: "recheck", Usage: "`FILE`: read only the tables or folders in which this plan has changes, and print which of its changes remain"},
			&cli.BoolFlag{Name: "exit-zero", Usage: "exit with 0 even if there are differences"},
		),
		Action: func(c *cli.Context) error {
			o, err := readMirror(c)
			if err != nil {
				return err
			}
			o.Output.ExitZero = c.Bool("exit-zero")
			o.Dry, o.Code = true, judge(Mode{DryRun: true, ExitZero: c.Bool("exit-zero")})
			o.Files = mirror.Files{Save: c.String("save"), Plan: c.String("recheck")}
			if err := checkPlanFlags(c, "save", "type", "recheck"); err != nil {
				return err
			}
			if err := checkPlanFlags(c, "recheck", "all", "part", "type", "compare", "max-deletes"); err != nil {
				return err
			}
			return ended(mirror.Sync(c.Context, cut, a, o))
		},
	}
}
