package commands

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/mirror"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
)

func newSync(cut context.Context, a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "sync",
		Usage:     "make the index a mirror of the source",
		ArgsUsage: "[CONNECTOR...]",
		Description: "Reads the source of each named connector and makes its index hold the same documents: creates new ones, " +
			"replaces changed ones, deletes those that are no longer in the source. Documents of a table or folder that could not be read " +
			"are never deleted, and unusually many deletes are held back until you confirm them. Without a name it syncs the only connector " +
			"of the configuration file.",
		UsageText: `# mirror the only connector of ./config.yml
elastic-ingest sync

# another configuration file; print only warnings and errors
elastic-ingest sync docs -c etc/mirror.yml --quiet

# all connectors, with the result for a script
elastic-ingest sync --all -o json

# only print what would change
elastic-ingest sync docs --dry-run

# read for at most 50 minutes; the next run starts with the rest
elastic-ingest sync docs --max-duration 50m

# send rejected documents again
elastic-ingest sync docs --replay dead.ndjson

# make the changes that were reviewed, and no others
elastic-ingest sync --plan docs.plan

# permit the 41 deletes that the last run held back
elastic-ingest sync docs --confirm-deletes 41`,
		Flags: slices.Concat(append(mirrorFlags(),
			outputFlag("text (a summary line), json (one object), ndjson (one object a change, then the result), junit (a test for each table), markdown (for a pull request) or html (one page; with --dry-run)"),
			&cli.BoolFlag{Name: "dry-run", Usage: "write nothing; same as diff"},
			fieldsFlag(),
			&cli.Int64Flag{Name: "confirm-deletes", Usage: "`N`: permit up to this many deletes once, including those in tables or folders that have vanished"},
			&cli.BoolFlag{Name: "allow-empty", Usage: "let an empty source empty the index"},
			&cli.BoolFlag{Name: "adopt", Usage: "take over an index that has documents and no owner, or another connector as owner"},
			&cli.BoolFlag{Name: "create-pipeline", Usage: "create the ingest pipeline that the connector names, if it does not exist; it extracts text from files"},
			&cli.BoolFlag{Name: "rebuild", Usage: "fill a new index, with the mapping that a new index has, and let the name of the old one stand for it if it is complete"},
			&cli.DurationFlag{Name: "max-duration", Usage: "`DURATION`: stop reading after this time, such as 50m; tables or folders that were read completely are mirrored, and the next run starts with the others"},
			&cli.StringFlag{Name: "dead-letter", Usage: "`FILE`: keep documents that could not be written in this file; default: one in the state folder"},
			&cli.StringFlag{Name: "replay", Usage: "`FILE`: send the rejected documents of this dead-letter file again, without reading the source; a document with a newer copy in the index is skipped"},
			&cli.StringFlag{Name: "plan", Usage: "`FILE`: make at most the changes of this plan, which diff --save has written; other changes, and documents that have changed since then, are held back"},
			&cli.StringFlag{Name: "deleted-to", Usage: "`FILE`: write each document into this file before it is deleted"},
		), cronFlags()),
		Action: func(c *cli.Context) error {
			o, err := readSync(c)
			if err != nil {
				return err
			}
			return ended(mirror.Sync(c.Context, cut, a, o))
		},
	}
}

// readSync reads the flags of sync.
func readSync(c *cli.Context) (*mirror.Options, error) {
	o, err := readMirror(c)
	if err != nil {
		return nil, err
	}
	if err := readCron(c, o); err != nil {
		return nil, err
	}
	if o.Pings = !c.Bool("dry-run"); !o.Pings {
		if err := excludes(c, "dry-run", "ping-url", "metrics-textfile"); err != nil {
			return nil, err
		}
	}
	if o.Output.Form == output.HTML && !c.Bool("dry-run") {
		return nil, &usage.Error{Problem: "--output html shows what a sync would change", Hint: "use diff, or sync --dry-run"}
	}
	o.Dry, o.Code = c.Bool("dry-run"), judge(Mode{DryRun: c.Bool("dry-run")})
	o.Permits.AllowEmpty, o.Permits.Adopt, o.Permits.CreatePipeline = c.Bool("allow-empty"), c.Bool("adopt"), c.Bool("create-pipeline")
	o.Files = mirror.Files{DeadLetter: c.String("dead-letter"), DeletedTo: c.String("deleted-to"), Replay: c.String("replay"), Plan: c.String("plan")}
	if err := checkPlanFlags(c, "plan", "all", "part", "type", "compare", "max-deletes", "confirm-deletes", "max-duration", "replay", "dry-run"); err != nil {
		return nil, err
	}
	if c.IsSet("confirm-deletes") {
		if o.Permits.Confirmed = c.Int64("confirm-deletes"); o.Permits.Confirmed < 0 {
			return nil, &usage.Error{Problem: "--confirm-deletes must not be negative"}
		}
	}
	if o.MaxDuration = c.Duration("max-duration"); o.MaxDuration < 0 || o.MaxDuration == 0 && c.IsSet("max-duration") {
		return nil, &usage.Error{Problem: "--max-duration must be greater than zero"}
	}
	if o.Permits.Confirmed >= 0 && o.Permits.Guard != nil {
		return nil, &usage.Error{Problem: "--confirm-deletes and --max-deletes exclude each other"}
	}
	if o.Permits.Rebuild = c.Bool("rebuild"); o.Permits.Rebuild {
		if err := excludes(c, "rebuild", "part", "type", "compare", "plan", "dry-run", "no-delete", "allow-empty", "adopt", "max-duration", "replay", "deleted-to"); err != nil {
			return nil, err
		}
	}
	if o.Files.Replay == "" {
		return o, nil
	}
	return o, excludes(c, "replay",
		"all", "part", "compare", "max-deletes", "no-delete", "dry-run", "confirm-deletes", "allow-empty", "adopt", "create-pipeline", "max-duration", "deleted-to")
}
