package commands

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/mirror"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

func newPoll(cut context.Context, a *setup.App) *cli.Command {
	return &cli.Command{
		Name:  "poll",
		Usage: "run the sync jobs that are due or that Kibana asks for",
		Description: "Serves the connectors that the configuration names by connector_id or by their types. One poll publishes the fields " +
			"of their configuration, sends a heartbeat to Kibana, checks that their sources can be reached, validates edited sync rules, " +
			"creates the sync jobs that are due by their schedules, and runs all pending jobs, one after the other. Missed schedules run at " +
			"the next poll. Any number of machines may poll the same connectors: each job runs once. Without --once it polls until a signal ends it.",
		UsageText: `# what a crontab runs every minute
elastic-ingest poll --once --quiet -c config.yml

# one poll, with its result for a script
elastic-ingest poll --once -o json`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "once", Usage: "poll once and exit"},
			maxDeletesFlag(),
			&cli.DurationFlag{Name: "max-duration", Usage: "`DURATION`: stop reading after this time, such as 50m; a job that is cut short is suspended, and the next poll resumes it"},
			outputFlag("text (one line a job), json (one object), ndjson (one object a change, then the result), junit (a test for each table) or markdown (for a pull request)"),
		}, cronFlags()...),
		Action: func(c *cli.Context) error {
			o, err := readPoll(c)
			if err != nil {
				return err
			}
			if c.Bool("once") {
				return ended(mirror.Poll(c.Context, cut, a, o, (*protocol.Poller).Once))
			}
			return pollOn(c.Context, cut, a, o)
		},
	}
}

// readPoll reads the flags of poll.
func readPoll(c *cli.Context) (*mirror.Options, error) {
	g, err := readGlobals(c)
	if err != nil {
		return nil, err
	}
	if c.Args().Present() {
		return nil, &usage.Error{Problem: "poll takes no arguments", Hint: "the configuration names the connectors; " + program.Name + " sync CONNECTOR syncs one of them"}
	}
	o := &mirror.Options{
		Flags: g, All: true, Compare: engine.Auto, Output: output.Options{Form: c.String("output")},
		Kind: protocol.JobFull, Permits: mirror.Permits{Confirmed: -1}, MaxDuration: c.Duration("max-duration"), Code: judge(Mode{}), Quieted: quieted, Daily: true,
	}
	if err := readCron(c, o); err != nil {
		return nil, err
	}
	o.Pings = c.Bool("once")
	for _, flag := range []string{"ping-url", "metrics-textfile"} {
		if !o.Pings && c.IsSet(flag) {
			return nil, &usage.Error{Problem: "--" + flag + " needs --once", Hint: "a poll without it does not end, so there is nothing to report"}
		}
	}
	if err := oneOf("output", o.Output.Form, mirrorForms()); err != nil {
		return nil, err
	}
	if err := o.Output.Limited(false); err != nil {
		return nil, err
	}
	if o.MaxDuration < 0 || o.MaxDuration == 0 && c.IsSet("max-duration") {
		return nil, &usage.Error{Problem: "--max-duration must be greater than zero"}
	}
	o.Permits.Guard, err = parseGuard(c.String("max-deletes"))
	return o, err
}

// pollOn polls until it is ended, or until too many polls have failed in too short a time.
func pollOn(ctx, cut context.Context, a *setup.App, o *mirror.Options) error {
	var failed []time.Time
	for {
		cfg, err := a.Config(ctx, o.ConfigFile)
		if err != nil {
			return err
		}
		code := mirror.Poll(ctx, cut, a, o, (*protocol.Poller).Once)
		if ctx.Err() != nil || code == ExitUsage { // waiting does not fix that
			return ended(code)
		}
		o.Jitter = 0 // only before the first poll
		if lasting(code) {
			failed = append(failed, a.Now())
			for len(failed) > 0 && a.Now().Sub(failed[0]) > cfg.Service.MaxErrorsSpan {
				failed = failed[1:]
			}
			if len(failed) > cfg.Service.MaxErrors {
				return ended(code)
			}
		}
		if !retry.Sleep(ctx, cfg.Service.Idling) {
			return ended(ExitCode(Mode{}, context.Cause(ctx)))
		}
	}
}

// lasting reports whether a poll failed in a way that counts for service.max_errors.
func lasting(code int) bool {
	return code == ExitTemporary || code == ExitAuth || code == ExitFailed || code == ExitCrash
}
