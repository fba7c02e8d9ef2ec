package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// maxScans is how many times a scan starts again after its point in time was lost.
const maxScans = 3

// scanned is the content of the index at one point in time, and its owner.
type scanned struct {
	*prepared

	table     *ids.Table
	view      *view        // nil if nothing was scanned
	stale     error        // why the index could not be refreshed before the scan
	owned     bool         // this run may delete
	nextSeqNo atomic.Int64 // after the highest sequence number in the index
}

// scan builds the id table of the index at one point in time, and settles the owner of the index. The caller
// closes the table of the result, even after an error.
func (p *prepared) scan(ctx context.Context) (s *scanned, err error) {
	s = &scanned{prepared: p, owned: p.absent || p.created}
	if p.absent || p.nothingChanged() {
		s.table, err = p.deps.collectIDs().Table()
		s.owned = true // changes are followed only in an index that this connector owns
		return s, err
	}
	p.phase("scanning the index")
	if err := p.deps.Client.Refresh(ctx, p.index.Name); err != nil {
		if !errors.Is(err, elastic.ErrAuth) {
			return s, err
		}
		s.stale = err
		p.deps.Log.Warn("cannot refresh the index: nothing will be deleted; grant the privilege maintenance", report.Err, err.Error())
	}
	for attempt := 1; ; attempt++ {
		err := s.scanOnce(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, elastic.ErrPITLost) || attempt == maxScans {
			return s, err
		}
		p.deps.Log.Warn("the point in time was lost; scanning again", report.Attempt, attempt)
	}
	p.outcome.note(func(res *Result) { res.Held = int64(s.table.Len()) })
	err = s.settleOwner(ctx)
	return s, err
}

func (s *scanned) scanOnce(ctx context.Context) error {
	v, err := s.openView(ctx)
	if err != nil {
		return err
	}
	collected := s.deps.collectIDs()
	// If only some documents carry the fingerprint, sequence numbers identify them.
	scan := elastic.Scan{Source: s.fullSource(), SeqNo: s.buildsDifferently(), Retry: s.deps.Retry}
	switch s.options.Compare {
	case plan.ByVersion:
		scan.Source = s.withScope(append([]string{"_timestamp"}, s.options.VersionFields...)...)
	case plan.Always:
		scan.Source = s.withScope()
	}
	err = s.scanHeld(ctx, v, scan, func(int) func(elastic.Hit) error {
		b := collected.Builder()
		return func(h elastic.Hit) error {
			if h.Routing != "" && !s.options.Pipeline {
				return fmt.Errorf("%w: index %q: document %q has a custom routing, so a sync would duplicate it: mirror into another index",
					ErrConfig, s.index.Name, h.ID)
			}
			s.noteHolder(h)
			s.noteSeqNo(h.SeqNo)
			return b.Add(h.ID, s.heldVersion(&s.index.Marker, h))
		}
	})
	if err == nil {
		s.view = v
		s.table, err = collected.Table()
	}
	if err != nil {
		s.view = nil
		v.close(ctx)
		s.closeIDs(collected)
	}
	return err
}

// scanHeld scans everything in the point in time, or only the changed ids.
func (p *prepared) scanHeld(ctx context.Context, v *view, scan elastic.Scan, open func(slice int) func(elastic.Hit) error) error {
	if !p.incremental() {
		return v.pit.Scan(ctx, scan, open)
	}
	scan.Slices = 1
	hit := open(0)
	for list := range p.changedIDs(p.job.Wants) {
		query, err := json.Marshal(map[string]any{"ids": map[string]any{"values": list}})
		if err != nil {
			return fmt.Errorf("look documents up: %w", err)
		}
		scan.Query = query
		if err := v.pit.Scan(ctx, scan, func(int) func(elastic.Hit) error { return hit }); err != nil {
			return err
		}
	}
	return nil
}

// withScope is the fields that a scan requests from _source: the given ones, and those of the scope if ids may
// clash.
func (p *prepared) withScope(fields ...string) json.RawMessage {
	if p.described.clash.Possible() && !p.index.SourceDisabled {
		fields = append(fields, p.job.Type.ScopeFields...)
	}
	if len(fields) == 0 {
		return json.RawMessage("false")
	}
	list, _ := json.Marshal(fields) // field names can always be encoded
	return list
}

// noteHolder records the scope of a document in the index, if it may matter.
func (p *prepared) noteHolder(h elastic.Hit) {
	c := &p.described.clash
	if !c.Possible() || !c.Concern(h.ID) {
		return
	}
	fields := map[string]any{}
	for _, name := range p.job.Type.ScopeFields {
		if raw := elastic.Member(h.Source, name); raw != nil {
			var v any
			if json.Unmarshal(raw, &v) == nil {
				fields[name] = v
			}
		}
	}
	scope, _ := p.job.Type.ScopeOf(p.job.Values, fields)
	c.Hold(h.ID, scope)
}

func (s *Settings) collectIDs() *ids.Collection {
	return ids.Collect(ids.Options{Memory: s.IDsMemory, Dir: s.IDsDir})
}

// closeIDs removes the part of the id table that did not fit into memory.
func (t *task) closeIDs(c io.Closer) {
	if err := c.Close(); err != nil {
		t.deps.Log.Warn("cannot remove a temporary file", report.Err, err.Error())
	}
}
