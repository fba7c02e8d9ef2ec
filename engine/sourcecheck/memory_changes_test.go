package sourcecheck

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// following is the in-memory source with change tracking: documents 0 to 2 of part a exist, and 0 was changed
// once.
type following struct{ *memory }

var _ source.Changer = following{}

func (f following) Position(context.Context) (source.Cursor, error) {
	if f.asked++; f.placeBack && f.asked > 1 {
		return f.place(0), nil
	}
	return f.place(len(f.history)), nil
}

func (f following) Changes(_ context.Context, since source.Cursor) (c source.Changes, err error) {
	var place map[string]any
	if err := json.Unmarshal([]byte(since), &place); err != nil {
		return c, err
	}
	from, err := strconv.Atoi(fmt.Sprint(place["at"]))
	if err != nil && !f.placeOfAnother {
		return c, &source.LostError{Why: "it belongs to another source"}
	}
	c = source.Changes{Cursor: f.place(len(f.history)), Scopes: []string{"a", "b"}}
	changed := f.history[min(from, len(f.history)):]
	switch {
	case f.placeStays:
		c.Cursor = since
	case f.changeMissed && len(changed) > 0:
		changed = changed[1:]
	case f.changeInvented:
		changed = append(slices.Clone(changed), 0)
	case f.changeForgets && len(changed) == 0:
		c.Scopes = nil
	case f.scopesVanish && len(changed) == 0:
		c.Scopes = c.Scopes[:1]
	case f.changeScopeless:
		c.Scopes = c.Scopes[1:]
	}
	if len(changed) > 0 || f.emptyChange {
		c.Parts = []source.ChangedPart{&followedPart{memoryPart: memoryPart{memory: f.memory, scope: "a"}, changed: changed}}
	}
	return c, nil
}

type followedPart struct {
	memoryPart
	changed []int
	named   bool
}

func (p *followedPart) IDs() iter.Seq[string] {
	return func(yield func(string) bool) {
		if p.named && p.namesOnce {
			return
		}
		p.named = true
		for _, n := range p.changed {
			if !yield(fmt.Sprint("a", n)) {
				return
			}
		}
	}
}

func (p *followedPart) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		for n := range 4 {
			exists := n < 3 || p.deletedYielded
			doc := p.document(n)
			if p.changeStale {
				doc.Fields[1].Value = document.Int(-1)
			}
			if (slices.Contains(p.changed, n) && exists || n == 0 && p.changeUnnamed) && !yield(doc, nil) {
				return
			}
		}
		if !p.changeEndless {
			p.End()
		}
	}
}
