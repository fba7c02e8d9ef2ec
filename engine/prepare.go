package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/extract"
	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/indexname"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// madeBy changes when documents are made differently from the same source: then copies that look
// unchanged by their version are not.
const madeBy = 3

// maxScans is how often a scan is begun again because its point in time was lost.
const maxScans = 3

// reach waits for the destination to answer and looks the index up.
func (r *run) reach(ctx context.Context) error {
	c := r.deps.Client
	r.phase("reaching the destination")
	connecting, stop := r.limited(ctx)
	defer stop()
	info, err := c.Await(connecting, r.deps.Await, func(err error) {
		r.deps.Log.Warn("Elasticsearch does not answer yet", report.Err, err.Error())
	})
	if err != nil {
		return r.inTime(ctx, err)
	}
	r.info = info
	r.deps.Log.Debug("destination", "version", info.Version, "flavor", info.Flavor, "cluster", info.Cluster)
	index, err := c.Index(ctx, r.job.Index)
	if err == nil {
		err = r.mayHold(index)
	}
	if err == nil {
		r.index = index
	}
	return err
}

// mayHold refuses an index that is not for documents of a source, whatever alias leads there.
func (r *run) mayHold(ix *elastic.Index) error {
	switch {
	case indexname.OfProtocol(ix.Name):
		return fmt.Errorf("%w: %q leads to %q, where connectors and sync jobs are kept: name another index", ErrConfig, r.job.Index, ix.Name)
	case ix.Hidden && !r.job.Hidden:
		return fmt.Errorf("%w: index %q is hidden: name it by index_name in the configuration, if it really is the one", ErrConfig, ix.Name)
	}
	return nil
}

// prepare finds or makes the index and takes the lock.
func (r *run) prepare(ctx context.Context, src source.Source) (unlock func(), err error) {
	err = r.reach(ctx)
	if errors.Is(err, elastic.ErrNotFound) {
		r.absent, r.owned = true, true
		r.index, err = &elastic.Index{Name: r.job.Index}, selects(ctx, src)
	}
	if err != nil {
		return nil, err
	}
	if lacking := r.index.Lacks(r.job.Create); len(lacking) > 0 && !r.absent {
		r.deps.Log.Warn("the index exists and is not changed: it lacks analysis that is configured; to have it, sync into a new index",
			report.Index, r.index.Name, "lacks", strings.Join(lacking, ", "))
	}
	unlock = func() {}
	if !r.job.DryRun {
		if unlock, err = r.deps.Lock(r.info.UUID, r.index.Name); err != nil {
			return nil, err
		}
	}
	if err = r.settle(ctx, src); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// settle describes the source, creates the index where there is none, and decides how documents are
// compared and made.
func (r *run) settle(ctx context.Context, src source.Source) error {
	created := r.absent && !r.job.DryRun
	if !created {
		if err := r.decideOptions(ctx); err != nil {
			return err
		}
	}
	if err := r.follow(ctx, src); err != nil || r.nothingChanged() {
		return err
	}
	if err := r.describeSource(ctx, src); err != nil {
		return err
	}
	if created {
		if err := r.create(ctx); err != nil {
			return err
		}
	}
	r.recallVanished()
	if created {
		if err := r.decideOptions(ctx); err != nil {
			return err
		}
	}
	if !r.absent && r.job.Kind == Mirror {
		r.noteDrift()
		r.extend(ctx, r.index)
	}
	return nil
}

// selects reports that the configuration chooses nothing of the source, where that can be told.
func selects(ctx context.Context, src source.Source) error {
	if s, ok := src.(source.Selective); ok {
		return s.Selects(ctx)
	}
	return nil
}

// decideOptions decides how documents are compared and made.
func (r *run) decideOptions(ctx context.Context) error {
	byVersion := r.job.Compare == Version ||
		r.job.Compare == Auto && r.job.Type.VersionPerDocument != nil && r.job.Type.VersionPerDocument(r.job.Values)
	o := plan.Options{Trailer: document.Trailer{Timestamp: r.timestamp}}
	switch {
	case r.job.Compare == Always, r.job.Kind == Deletion: // which compares nothing
		o.Compare = plan.Always
	case byVersion && r.index.SourceDisabled:
		return fmt.Errorf("%w: index %q: versions cannot be compared, because %s: run with --compare always",
			ErrConfig, r.index.Name, r.index.SourceTrouble)
	case byVersion:
		o.Compare, o.VersionFields = plan.ByVersion, r.job.Type.VersionFields
	case r.index.SourceTrouble != "":
		return fmt.Errorf("%w: index %q: contents cannot be compared, because %s: run with --compare always",
			ErrConfig, r.index.Name, r.index.SourceTrouble)
	}
	through, err := r.lookUpPipelines(ctx)
	if err != nil {
		return err
	}
	if r.job.Kind == Mirror {
		if err := r.chooseWay(through); err != nil {
			return err
		}
	}
	if r.job.Pipeline != "" && r.job.Kind != AccessControl {
		r.flags.ExtractBinaryContent = r.extraction.way == extract.Pipeline
		r.wholeText = r.flags.ExtractBinaryContent && through.wholeText
		o.Trailer.Flags = &r.flags
	}
	o.Pipeline = r.job.Pipeline != "" || r.index.Pipeline != ""
	if m := &r.index.Mapping; m.HasVectors() {
		o.Vector = m.IsVector
	}
	made := []any{madeBy, r.flags, r.job.Type.Name, r.job.Profile, r.job.Encoding, r.job.Advanced, r.job.Rules, through.definitions, r.deps.ContentLimit}
	fingerprint, err := json.Marshal(append(made, r.madeByWay()...))
	if err != nil {
		return fmt.Errorf("fingerprint: %w", err)
	}
	sum := sha256.Sum256(fingerprint)
	r.print = hex.EncodeToString(sum[:16])
	// Comparing contents sees by itself what is made differently; versions and pipelines hide it.
	r.printed = o.Compare == plan.ByVersion || o.Compare == plan.ByContent && o.Pipeline
	if m := &r.index.Marker; r.printed && (m.Owner != r.job.Owner || !r.sameIdentity() || m.Fingerprint != r.print && m.Pending != r.print) {
		o.Compare = plan.Always
	}
	r.options = o
	return nil
}

// scan makes the id table of what the index holds at one point in time, and settles whose the index is.
func (r *run) scan(ctx context.Context) error {
	if r.absent || r.nothingChanged() {
		var err error
		r.table, err = r.collectIDs().Table()
		r.owned = true // changes are followed only in an index of our own
		return err
	}
	r.phase("scanning the index")
	if err := r.deps.Client.Refresh(ctx, r.index.Name); err != nil {
		if !errors.Is(err, elastic.ErrAuth) {
			return err
		}
		r.stale = err
		r.deps.Log.Warn("the index may not be refreshed: nothing will be deleted; grant the privilege maintenance", report.Err, err.Error())
	}
	for attempt := 1; ; attempt++ {
		err := r.scanOnce(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, elastic.ErrPITLost) || attempt == maxScans {
			return err
		}
		r.deps.Log.Warn("the point in time was lost, the scan begins again", report.Attempt, attempt)
	}
	return r.settleOwner(ctx)
}

func (r *run) scanOnce(ctx context.Context) error {
	pit, err := r.deps.Client.OpenPIT(ctx, r.index)
	if err != nil {
		return err
	}
	collected := r.collectIDs()
	// Sequence numbers tell which documents carry the fingerprint, where not all of them do.
	scan := elastic.Scan{Source: r.wholeSource(), SeqNo: r.makesOtherwise(), Retry: r.deps.Retry}
	switch r.options.Compare {
	case plan.ByVersion:
		scan.Source = r.withScope(append([]string{"_timestamp"}, r.options.VersionFields...)...)
	case plan.Always:
		scan.Source = r.withScope()
	}
	err = r.scanHeld(ctx, pit, scan, func(int) func(elastic.Hit) error {
		b := collected.Builder()
		return func(h elastic.Hit) error {
			if h.Routing != "" && !r.options.Pipeline {
				return fmt.Errorf("%w: index %q: document %q has a routing of its own, and would become two: mirror into another index",
					ErrConfig, r.index.Name, h.ID)
			}
			r.noteHolder(h)
			r.noteSeqNo(h.SeqNo)
			return b.Add(h.ID, r.heldVersion(h))
		}
	})
	r.pit = pit
	if err == nil {
		r.table, err = collected.Table()
	}
	if err != nil {
		r.closePIT(ctx)
		r.pit = nil
		r.closeIDs(collected)
	}
	return err
}

// wholeSource asks for all of _source. Since version 9.2 Elasticsearch leaves vectors out unless the index
// or the request says otherwise, see
// https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/dense-vector.
func (r *run) wholeSource() json.RawMessage {
	if m := &r.index.Mapping; m.HasVectors() && !m.KeepsVectors {
		return json.RawMessage(`{"exclude_vectors":false}`)
	}
	return json.RawMessage("true")
}

// withScope is what a scan asks of _source: the fields, and those that tell the scope where ids may clash.
func (r *run) withScope(fields ...string) json.RawMessage {
	if r.described.clash.Possible() && !r.index.SourceDisabled {
		fields = append(fields, r.job.Type.ScopeFields...)
	}
	if len(fields) == 0 {
		return json.RawMessage("false")
	}
	list, _ := json.Marshal(fields) // names of fields always have a JSON form
	return list
}

func (r *run) collectIDs() *ids.Collection {
	return ids.Collect(ids.Options{Memory: r.deps.IDsMemory, Dir: r.deps.IDsDir})
}

// closeIDs removes what does not fit into memory.
func (r *run) closeIDs(c io.Closer) {
	if err := c.Close(); err != nil {
		r.deps.Log.Warn("a temporary file was left behind", report.Err, err.Error())
	}
}

func (r *run) heldVersion(h elastic.Hit) document.Version {
	if r.printed && !r.index.Marker.Carries(r.print, h.SeqNo) {
		return 0
	}
	return r.options.HeldVersion(h.Source, func(name string) string { return elastic.StringField(h.Source, name) })
}

// noteHolder notes which scope a document of the index belongs to, where that may matter.
func (r *run) noteHolder(h elastic.Hit) {
	c := &r.described.clash
	if !c.Possible() || !c.Concern(h.ID) {
		return
	}
	fields := map[string]any{}
	for _, name := range r.job.Type.ScopeFields {
		if raw := elastic.Member(h.Source, name); raw != nil {
			var v any
			if json.Unmarshal(raw, &v) == nil {
				fields[name] = v
			}
		}
	}
	scope, _ := r.job.Type.ScopeOf(r.job.Values, fields)
	c.Hold(h.ID, scope)
}
