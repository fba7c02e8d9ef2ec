package commands

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/mirror"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
)

func newSync(cut context.Context, a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "sync",
		Usage:     "make the index a mirror of the source",
		ArgsUsage: "[CONNECTOR...]",
		Description: "Reads the source of each named connector to its end and makes its index hold the same documents: " +
			"new ones are created, changed ones replaced, those that are gone deleted. Documents of a part that could not be read " +
			"are never deleted, and many deletes at once wait for a confirmation. Without a name the only connector of the file is meant.",
		UsageText: `# mirror the only connector of ./config.yml
elastic-ingest sync

# mirror one connector of another file, and say nothing unless something is wrong
elastic-ingest sync docs -c etc/mirror.yml --quiet

# mirror all connectors and print the result for a script
elastic-ingest sync --all -o json

# see what would be done
elastic-ingest sync docs --dry-run

# read for 50 minutes at most; the next run begins with what is left
elastic-ingest sync docs --max-duration 50m

# send what was rejected again, once the index takes it
elastic-ingest sync docs --replay dead.ndjson

# permit the 41 deletes that the last run withheld
elastic-ingest sync docs --confirm-deletes 41`,
		Flags: append(mirrorFlags(),
			outputFlag("`text|json|ndjson`: a summary line, one JSON object, or one object a change and then the result"),
			&cli.BoolFlag{Name: "dry-run", Usage: "write nothing: the same as diff"},
			fieldsFlag(),
			&cli.Int64Flag{Name: "confirm-deletes", Usage: "permit up to `N` deletes this once, those in tables or roots that have vanished among them"},
			&cli.BoolFlag{Name: "allow-empty", Usage: "an empty source may empty the index"},
			&cli.BoolFlag{Name: "adopt", Usage: "take over an index that has documents and belongs to nobody or to another connector"},
			&cli.BoolFlag{Name: "create-pipeline", Usage: "create the ingest pipeline that the connector names, if it does not exist: it makes text of files"},
			&cli.DurationFlag{Name: "max-duration", Usage: "stop reading after `DURATION`, such as 50m; the tables or folders read to their end are mirrored whole, the next run begins with the others"},
			&cli.StringFlag{Name: "dead-letter", Usage: "keep documents that could not be written in `FILE`; otherwise in the state folder"},
			&cli.StringFlag{Name: "replay", Usage: "send the rejected documents of `FILE`, a dead-letter file, again; the source is not read. Documents of which the index has a newer copy are passed over"},
			&cli.StringFlag{Name: "deleted-to", Usage: "write each document into `FILE` before it is deleted"},
		),
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
	o.Dry, o.Code = c.Bool("dry-run"), judge(Mode{DryRun: c.Bool("dry-run")})
	o.Permits.AllowEmpty, o.Permits.Adopt, o.Permits.CreatePipeline = c.Bool("allow-empty"), c.Bool("adopt"), c.Bool("create-pipeline")
	o.Files = mirror.Files{DeadLetter: c.String("dead-letter"), DeletedTo: c.String("deleted-to"), Replay: c.String("replay")}
	if c.IsSet("confirm-deletes") {
		if o.Permits.Confirmed = c.Int64("confirm-deletes"); o.Permits.Confirmed < 0 {
			return nil, &usage.Error{Problem: "--confirm-deletes must not be negative"}
		}
	}
	if o.MaxDuration = c.Duration("max-duration"); o.MaxDuration < 0 || o.MaxDuration == 0 && c.IsSet("max-duration") {
		return nil, &usage.Error{Problem: "--max-duration must be more than nothing"}
	}
	if o.Permits.Confirmed >= 0 && o.Permits.Guard != nil {
		return nil, &usage.Error{Problem: "--confirm-deletes and --max-deletes exclude each other"}
	}
	if o.Files.Replay == "" {
		return o, nil
	}
	for _, other := range []string{
		"all", "part", "compare", "max-deletes", "dry-run", "confirm-deletes", "allow-empty", "adopt", "create-pipeline", "max-duration", "deleted-to",
	} {
		if c.IsSet(other) {
			return nil, &usage.Error{Problem: "--replay and --" + other + " exclude each other"}
		}
	}
	return o, nil
}
