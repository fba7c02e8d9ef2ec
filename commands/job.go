package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

func newJob(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:        "job",
		Usage:       "create, list, view or cancel sync jobs in Elasticsearch",
		Description: "Works with the sync jobs that Kibana shows. It runs none of them; poll does.",
		Subcommands: []*cli.Command{newJobStart(a), newJobList(a), newJobView(a), newJobCancel(a)},
	}
}

func newJobStart(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "start",
		Usage:     "create a sync job for the next poll",
		ArgsUsage: "CONNECTOR",
		Description: "Creates a sync job of a connector, named by its id, name or index, and prints the id of the job. The next poll, on any " +
			"machine, runs it. To sync immediately, use elastic-ingest sync.",
		UsageText: `# a job that the next poll runs
elastic-ingest job start kibana

# only remove documents that are no longer in the source
elastic-ingest job start kibana --type deletion`,
		Flags:  []cli.Flag{typeFlag(), outputFlag("text (the id of the job) or json (one object)")},
		Action: onRecords(a, readStart, startJob),
	}
}

// startOptions describe a new sync job.
type startOptions struct {
	oneRecord // the connector
	kind      protocol.JobType
}

func readStart(c *cli.Context) (*startOptions, error) {
	of, err := readOne(records.Open, "job start", "CONNECTOR")(c)
	if err != nil {
		return nil, err
	}
	o := &startOptions{*of, protocol.JobType(c.String("type"))}
	return o, oneOf("type", string(o.kind), jobTypes())
}

// startedJob is the output of job start -o json.
type startedJob struct {
	Schema    int    `json:"schema"`
	ID        string `json:"id"`
	Connector string `json:"connector"`
	Type      string `json:"type"`
	Status    string `json:"status"`
}

func startJob(ctx context.Context, d *records.Desk, o *startOptions) error {
	c, err := d.Connector(ctx, o.name)
	if err != nil {
		return err
	}
	if !c.Body.Status.MaySync() {
		return records.NotConfigured(&c)
	}
	if err := offers(d, &c, o.kind); err != nil {
		return err
	}
	id, err := d.Store.StartJob(ctx, &c, o.kind)
	if err != nil {
		return err
	}
	if err := o.printNew(d, "sync job", id, startedJob{output.Schema, id, c.ID, string(o.kind), string(protocol.JobPending)}); err != nil {
		return err
	}
	d.Note(fmt.Sprintf("the next poll runs it; %s job view %s shows its progress", program.Name, term.ShellWord(id)))
	return nil
}

// offers refuses a job that a poll would end immediately, because the connector does not support it.
func offers(d *records.Desk, c *protocol.Record[protocol.Connector], kind protocol.JobType) error {
	if typ, err := d.SourceOf(c); err == nil && kind == protocol.JobAccessControl && !typ.AccessControl { // otherwise another program may serve it
		return &usage.Error{Problem: fmt.Sprintf("connector %s: %s", term.Quoted(c.ID), records.WithoutAccessControl(typ.Name))}
	}
	problem := ""
	switch {
	case kind == protocol.JobAccessControl && !c.Body.Features.DocumentLevelSecurity():
		problem = "document level security"
	case kind == protocol.JobIncremental && !c.Body.Features.IncrementalSync():
		problem = "incremental syncs"
	default:
		return nil
	}
	return &usage.Error{
		Problem: fmt.Sprintf("connector %s does not have %s enabled", term.Quoted(c.ID), problem),
		Hint:    "a poll enables the features of its source type",
	}
}

func newJobList(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:        "list",
		Usage:       "print sync jobs, newest first",
		ArgsUsage:   "[CONNECTOR]",
		Description: "Prints the sync jobs of all connectors of Elasticsearch, or of one, newest first. Same as elastic-ingest list jobs.",
		UsageText: `# the last sync jobs of one connector
elastic-ingest job list kibana --limit 5

# all of them, for a script
elastic-ingest job list --limit 0 -o ndjson`,
		Flags: []cli.Flag{outputFlag("text (a table), json (one object) or ndjson (one object a line)"), limitFlag("jobs")},
		Action: func(c *cli.Context) error {
			o, err := readListed(c)
			if err != nil {
				return err
			}
			if c.Args().Len() > 1 {
				return &usage.Error{Problem: "job list takes at most one name of a connector"}
			}
			o.What, o.Connector = records.Jobs, c.Args().First()
			return records.List(c.Context, a, o)
		},
	}
}

func newJobView(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:        "view",
		Usage:       "print one sync job",
		ArgsUsage:   "JOB",
		Description: "Prints the complete record of a sync job, with the secrets of its configuration masked. It writes nothing.",
		UsageText: `elastic-ingest job view nightly

# for a script
elastic-ingest job view nightly -o json`,
		Flags:  []cli.Flag{outputFlag("text (lines) or json (one object)")},
		Action: onRecords(a, readOne(records.LookUp, "job view", "JOB"), viewJob),
	}
}

func viewJob(ctx context.Context, d *records.Desk, o *oneRecord) error {
	job, err := d.Store.Jobs.Get(ctx, o.name)
	if err != nil {
		return jobError(o.name, err)
	}
	shown := d.ShownJob(&job)
	return o.print(d, shown, records.JobText(&job, shown.Job.Connector.Configuration))
}

// jobError is the error of a request for a job.
func jobError(id string, err error) error {
	if errors.Is(err, elastic.ErrNotFound) {
		return &usage.Error{Problem: "unknown sync job " + term.Quoted(id), Hint: program.Name + " list jobs prints them all"}
	}
	return err
}

func newJobCancel(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "cancel",
		Usage:     "cancel a sync job that is pending or running",
		ArgsUsage: "JOB",
		Description: "Cancels a sync job. A pending job ends immediately; a running one ends within seconds, and what it has written " +
			"stays. Canceling a job that has ended changes nothing and is not an error.",
		UsageText: "elastic-ingest job cancel nightly",
		Flags:     []cli.Flag{outputFlag("text (a line) or json (one object)")},
		Action:    onRecords(a, readOne(records.Open, "job cancel", "JOB"), cancelJob),
	}
}

// canceledJob is the output of job cancel -o json.
type canceledJob struct {
	Schema  int    `json:"schema"`
	ID      string `json:"id"`
	Status  string `json:"status"`
	Changed bool   `json:"changed"` // false if the job had already ended
}

func cancelJob(ctx context.Context, d *records.Desk, o *oneRecord) error {
	job, ok, err := d.Store.CancelJob(ctx, o.name)
	if err != nil {
		return jobError(o.name, err)
	}
	state := "is canceled"
	switch {
	case !ok:
		state = "has already ended: it is " + term.Plain(string(job.Body.Status))
	case job.Body.Status == protocol.JobCanceling:
		state = "is canceling: the program that runs it ends it within seconds; if that program is gone, the next poll ends it"
	}
	text := fmt.Sprintf("sync job %s %s\n", term.Plain(o.name), state)
	return o.print(d, canceledJob{output.Schema, job.ID, string(job.Body.Status), ok}, text)
}
