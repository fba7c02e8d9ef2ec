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

// maxScans is how often a scan is begun again because its point in time was lost.
const maxScans = 3

// scanned is what the index holds at one point in time, and whose it is.
type scanned struct {
	*prepared

	table     *ids.Table
	view      *view        // nil where nothing was scanned
	stale     error        // why the index could not be refreshed before the scan
	owned     bool         // deletes are ours to do
	nextSeqNo atomic.Int64 // after the highest sequence number that the index holds
}

// scan makes the id table of what the index holds at one point in time, and settles whose the index is. The table of
// what it returns is to be closed, also where there is an error.
func (p *prepared) scan(ctx context.Context) (s *scanned, err error) {
	s = &scanned{prepared: p, owned: p.absent || p.created}
	if p.absent || p.nothingChanged() {
		s.table, err = p.deps.collectIDs().Table()
		s.owned = true // changes are followed only in an index of our own
		return s, err
	}
	p.phase("scanning the index")
	if err := p.deps.Client.Refresh(ctx, p.index.Name); err != nil {
		if !errors.Is(err, elastic.ErrAuth) {
			return s, err
		}
		s.stale = err
		p.deps.Log.Warn("the index may not be refreshed: nothing will be deleted; grant the privilege maintenance", report.Err, err.Error())
	}
	for attempt := 1; ; attempt++ {
		err := s.scanOnce(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, elastic.ErrPITLost) || attempt == maxScans {
			return s, err
		}
		p.deps.Log.Warn("the point in time was lost, the scan begins again", report.Attempt, attempt)
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
	// Sequence numbers tell which documents carry the fingerprint, where not all of them do.
	scan := elastic.Scan{Source: s.wholeSource(), SeqNo: s.makesOtherwise(), Retry: s.deps.Retry}
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
				return fmt.Errorf("%w: index %q: document %q has a routing of its own, and would become two: mirror into another index",
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

// scanHeld scans what the run is about: all of the point in time, or what changed.
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

// withScope is what a scan asks of _source: the fields, and those that say its scope where ids may clash.
func (p *prepared) withScope(fields ...string) json.RawMessage {
	if p.described.clash.Possible() && !p.index.SourceDisabled {
		fields = append(fields, p.job.Type.ScopeFields...)
	}
	if len(fields) == 0 {
		return json.RawMessage("false")
	}
	list, _ := json.Marshal(fields) // names of fields always have a JSON form
	return list
}

// noteHolder notes which scope a document of the index belongs to, where that may matter.
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

// closeIDs removes what does not fit into memory.
func (t *task) closeIDs(c io.Closer) {
	if err := c.Close(); err != nil {
		t.deps.Log.Warn("a temporary file was left behind", report.Err, err.Error())
	}
}
