package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// choose picks the connectors that are named on the command line. Names missing from the configuration are
// returned as unknown: they may belong to connectors of Elasticsearch.
func choose(connectors []config.Connector, names []string, all bool) (chosen []config.Connector, unknown []string, err error) {
	switch {
	case len(connectors) == 0 && len(names) == 0:
		return nil, nil, &usage.Error{Problem: "the configuration has no connector", Hint: "add one under connectors:"}
	case all, len(names) == 0 && len(connectors) == 1:
		return connectors, nil, nil
	case len(names) == 0:
		return nil, nil, &usage.Error{
			Problem: fmt.Sprintf("the configuration has %d connectors: %s", len(connectors), term.Plain(strings.Join(records.ConnectorNames(connectors), ", "))),
			Hint:    "name one or more of them, or use --all",
		}
	}
	var taken []int
	for _, name := range names {
		at := slices.IndexFunc(connectors, func(c config.Connector) bool { return c.Name == name || c.ConnectorID == name && name != "" })
		switch {
		case at < 0 && !slices.Contains(unknown, name):
			unknown = append(unknown, name)
		case at >= 0 && !slices.Contains(taken, at):
			taken, chosen = append(taken, at), append(chosen, connectors[at])
		}
	}
	return chosen, unknown, nil
}

// Sync is sync and diff: it runs the chosen connectors one after the other, reports their results, and returns
// the exit code.
func Sync(ctx, cut context.Context, a *setup.App, o *Options) (code int) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	b := &batch{session: newSession(cut, a, o, stop)}
	defer b.reportSignal(ctx, cut)()
	defer b.reported(ctx, &code)()
	err := b.run(ctx)
	return b.finish(ctx, err)
}

// batch is the run of the chosen connectors.
type batch struct {
	*session
	works   []work
	unknown []string // names missing from the configuration
}

// work is the run of one connector.
type work struct {
	connector config.Connector
	job       engine.Job
	record    *protocol.Record[protocol.Connector] // nil for a connector of the file
}

// run runs the connectors. Its error prevented or ended all of them.
func (b *batch) run(ctx context.Context) error {
	stop, err := b.start(ctx)
	defer stop()
	if err != nil {
		return err
	}
	if err := b.openPlan(); err != nil {
		return err
	}
	if err := b.ofFile(ctx); err != nil {
		return err
	}
	if err := b.open(ctx, b.o.Dry); err != nil {
		return err
	}
	if b.o.Permits.Rebuild && b.dest.Folder() != "" {
		return errors.Join(&usage.Error{
			Problem: "--rebuild needs Elasticsearch: an embedded destination has no aliases", Hint: "remove the folder " + b.dest.Folder() + " and sync again",
		}, b.closeDestination())
	}
	return errors.Join(b.runAll(ctx), b.closeDestination())
}

// ofFile creates the runs of the chosen connectors of the file. It finds every error that can be found without
// a connection, before anything runs.
func (b *batch) ofFile(ctx context.Context) error {
	chosen, unknown, err := choose(b.cfg.Connectors, b.o.Names, b.o.All)
	if err != nil {
		return err
	}
	b.unknown = unknown
	for _, c := range chosen {
		w := work{connector: c}
		if c.ConnectorID == "" {
			if w.job, err = JobOf(ctx, b.app, b.cfg, &c, b.o); err != nil {
				return err
			}
		}
		b.works = append(b.works, w)
	}
	return nil
}

// ofElasticsearch adds the records of connectors of Elasticsearch to their runs.
func (b *batch) ofElasticsearch(ctx context.Context) error {
	for _, name := range b.unknown {
		b.works = append(b.works, work{connector: config.Connector{ConnectorID: name}})
	}
	for i := range b.works {
		id := b.works[i].connector.ConnectorID
		if id == "" {
			continue
		}
		if err := b.openRecords(ctx); err != nil {
			return err
		}
		record, err := records.Find(ctx, b.records, id)
		if errors.Is(err, elastic.ErrNotFound) && slices.Contains(b.unknown, id) {
			return records.NoConnector(b.cfg.Connectors, records.Registered(ctx, b.records), id)
		}
		if errors.Is(err, elastic.ErrNotFound) {
			return records.Missing(id)
		}
		if err != nil {
			return err
		}
		if b.works[i], err = b.planned(ctx, &record); err != nil {
			return err
		}
	}
	return nil
}

// runAll runs the connectors once the destination is open.
func (b *batch) runAll(ctx context.Context) error {
	if err := b.ofElasticsearch(ctx); err != nil {
		return err
	}
	files := &b.o.Files
	if files.Replay != "" && sameFile(files.Replay, files.DeadLetter) {
		return &usage.Error{Problem: "--replay and --dead-letter name the same file", Hint: "documents that are rejected again would overwrite those not sent yet"}
	}
	if files.DeadLetter != "" {
		b.kept.dead = docfile.NewDeadLetter(files.DeadLetter)
	}
	if files.DeletedTo != "" {
		b.kept.deleted = docfile.NewDeleted(files.DeletedTo)
	}
	if err := b.savePlan(); err != nil {
		return err
	}
	if err := b.filesReady(); err != nil {
		return err
	}
	err := b.each(ctx)
	if b.kept.deleted != nil {
		err = errors.Join(err, b.kept.deleted.Close())
	}
	return err
}

// filesReady checks, before the first document is sent, that the files named on the command line are writable.
func (b *batch) filesReady() error {
	if b.o.Dry {
		return nil
	}
	if b.kept.dead != nil {
		if err := b.kept.dead.Ready(); err != nil {
			return &usage.Error{Problem: err.Error(), Hint: "--dead-letter needs the name of a writable file"}
		}
	}
	if b.kept.deleted != nil {
		if err := b.kept.deleted.Ready(); err != nil {
			return &usage.Error{Problem: err.Error(), Hint: "--deleted-to needs the name of a writable file"}
		}
	}
	return nil
}

// each runs one connector after the other. An error of one does not stop the next, unless it would fail for
// the same reason.
func (b *batch) each(ctx context.Context) error {
	if err := b.apart(ctx); err != nil {
		return err
	}
	b.inTurns()
	for i := range b.works {
		if ctx.Err() != nil {
			if i > 0 && b.outcomes[i-1].Err != nil {
				return nil // already reported, and counted in the exit code
			}
			return context.Cause(ctx)
		}
		w := &b.works[i]
		o := b.begin(&w.connector)
		switch late := b.late(); {
		case late != nil:
			o.Err = late
		case w.record != nil && !b.o.Dry && b.o.Files.Replay == "":
			j := jobs{b.session}
			j.runNamed(ctx, w, o)
		default:
			b.one(ctx, w, o, attended{})
		}
		b.done(ctx, o)
		if left := len(b.works) - i - 1; left > 0 && errors.Is(o.Err, elastic.ErrUnreachable) {
			b.messages.Note(fmt.Sprintf("%s skipped, because the destination cannot be reached", term.Plural(int64(left), "connector was", "connectors were")))
			return nil
		}
	}
	return nil
}

// apart refuses two connectors whose index names are aliases of one index: each would delete the documents of
// the other. If the destination cannot resolve aliases, this is detected later.
func (b *batch) apart(ctx context.Context) error {
	if len(b.works) < 2 {
		return nil
	}
	taken := map[string]string{}
	for i := range b.works {
		c := &b.works[i].connector
		client, err := b.dest.Client(c)
		if err != nil {
			return err
		}
		index, err := client.Index(ctx, b.works[i].job.Index)
		if errors.Is(err, elastic.ErrUnreachable) {
			return nil
		}
		if err != nil {
			continue
		}
		if other, ok := taken[index.Name]; ok {
			return &usage.Error{
				Problem: fmt.Sprintf("connectors %s and %s use the same index %s", term.Quoted(other), term.Quoted(c.Name), term.Quoted(index.Name)),
				Hint:    "give each connector its own index",
			}
		}
		taken[index.Name] = c.Name
	}
	return nil
}

// inTurns sorts the connectors by their last run with a time limit, the oldest first.
func (b *batch) inTurns() {
	if b.until == nil {
		return
	}
	soon := b.app.Now().Add(time.Hour)
	last := func(w work) time.Time {
		at := b.state.LastTurn(b.dest.LockName(), w.job.Index)
		if at.After(soon) { // a wrong clock; the connector would be last until then
			return time.Time{}
		}
		return at
	}
	slices.SortStableFunc(b.works, func(x, y work) int { return last(x).Compare(last(y)) })
}
