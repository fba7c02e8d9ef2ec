package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// destination is the index of a run. It may be created until it is prepared; after that it does not change.
type destination struct {
	*task

	info    elastic.Info
	index   *elastic.Index
	absent  bool // it does not exist; once prepared, only in a dry run
	created bool // by this run
}

// reach waits until the destination responds, and looks up the index. If the index does not exist, the error is
// [elastic.ErrNotFound], and the returned destination marks the index as absent.
func (t *task) reach(ctx context.Context) (*destination, error) {
	c := t.deps.Client
	t.phase("reaching the destination")
	connecting, stop := t.limited(ctx)
	defer stop()
	d := &destination{task: t, index: &elastic.Index{Name: t.job.Index}, absent: true}
	info, err := c.Await(connecting, t.deps.Await, t.deps.silence(ctx))
	if err != nil {
		return d, t.inTime(ctx, err)
	}
	d.info = info
	t.deps.Log.Debug("destination", "version", info.Version, "flavor", info.Flavor, "cluster", info.Cluster)
	index, err := c.Index(ctx, t.job.Index)
	if err == nil {
		err = t.job.mayHold(index)
	}
	if err != nil {
		return d, err
	}
	d.index, d.absent = index, false
	t.outcome.note(func(res *Result) { res.Index = d.index.Name })
	return d, nil
}

// silence returns what reports that the destination does not respond yet: once as a warning, since each attempt of an
// outage would be one more line of a mail.
func (d *Deps) silence(ctx context.Context) func(error) {
	level := slog.LevelWarn
	return func(err error) {
		d.Log.Log(ctx, level, "Elasticsearch does not respond yet; retrying", report.Err, err.Error())
		level = slog.LevelDebug
	}
}

// sameIdentity reports whether the index mirrors the source of the job, as far as that is known.
func (d *destination) sameIdentity() bool { return d.job.sameIdentity(d.index) }

// refresh makes written documents searchable. If the user may not do that, Elasticsearch does it later: unseen is
// the error of a job that has to wait for it.
func (d *destination) refresh(ctx context.Context) (unseen, err error) {
	err = d.deps.Client.Refresh(ctx, d.index.Name)
	switch {
	case !errors.Is(err, elastic.ErrAuth):
		return nil, err
	case d.job.WaitRefresh:
		return fmt.Errorf("the documents are written, but may not be searchable yet: %w", err), nil
	}
	return nil, nil
}

// replaced is the error of a run whose index is no longer the one that it began with.
func (d *destination) replaced() error {
	return fmt.Errorf("index %q: %w: run again", d.index.Name, ErrReplaced)
}

// memoryOf identifies the owner of the memory that the state folder keeps for the next run: another owner, or a
// new index of the same name, starts without it.
func (d *destination) memoryOf() string { return d.job.Owner + " " + d.index.UUID }

// fullSource asks for all of _source. Since version 9.2, Elasticsearch leaves out vectors unless the index or the
// request includes them, see https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/dense-vector.
func (d *destination) fullSource() json.RawMessage {
	if m := &d.index.Mapping; m.HasVectors() && !m.KeepsVectors {
		return json.RawMessage(`{"exclude_vectors":false}`)
	}
	return json.RawMessage("true")
}

// settled counts and reports a change that needs no write.
func (d *destination) settled(c plan.Change) {
	n := d.deps.Counters
	switch c.Kind {
	case plan.Keep:
		n.Kept.Add(1)
	case plan.Drop:
		n.Dropped.Add(1)
	case plan.Duplicate:
		n.Duplicates.Add(1)
		d.deps.Observer.Failed(report.Failure{
			Part: c.Part, Scope: c.Scope, ID: c.ID,
			Err: &report.DuplicateError{First: c.First},
		})
	case plan.Reject:
		n.Rejected.Add(1)
	}
	d.deps.Observer.Changed(reported(d.index.Name, c))
}

// reject saves a document that cannot be written in the dead-letter file.
func (d *destination) reject(c plan.Change) error {
	err := d.deps.DeadLetter.Put(docfile.Rejection{
		Schema: 1, Time: d.deps.Now().UTC(), Connector: d.job.Connector, Index: d.index.Name, ID: c.ID, Part: c.Part,
		Kind: plan.Create.String(), Type: "invalid_id", Reason: string(c.Reason), Document: c.Source,
	})
	if err != nil {
		return err
	}
	d.deps.Observer.Failed(report.Failure{Part: c.Part, Scope: c.Scope, ID: c.ID, Err: errors.New(string(c.Reason))})
	d.settled(c)
	return nil
}

// holdBack counts and reports a delete that is held back.
func (d *destination) holdBack(reason plan.Reason, c plan.Change) {
	d.outcome.holdBack(reason, 1)
	d.deps.Counters.Withheld.Add(1)
	c.Kind, c.Reason = plan.Withheld, reason
	d.deps.Observer.Changed(reported(d.index.Name, c))
}

// reported is a change as the observer receives it.
func reported(index string, c plan.Change) report.Change {
	return report.Change{
		Kind: c.Kind.String(), Reason: string(c.Reason), Index: index, ID: c.ID, Title: c.Title, Part: c.Part, Scope: c.Scope, First: c.First,
	}
}
