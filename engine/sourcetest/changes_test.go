package sourcetest

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

// following is the source in memory where it tells its changes: documents 0 to 2 of part a are there.
type following struct{ *memory }

func (f following) place() source.Cursor {
	if f.placeNested {
		return source.Cursor(fmt.Sprintf(`{"at":%d}`, len(f.history)))
	}
	return source.Cursor(fmt.Sprintf(`{"at":"%d"}`, len(f.history)))
}

func (f following) Position(context.Context) (source.Cursor, error) { return f.place(), nil }

func (f following) Changes(_ context.Context, since source.Cursor) (c source.Changes, err error) {
	var place map[string]any
	if err := json.Unmarshal([]byte(since), &place); err != nil {
		return c, err
	}
	from, err := strconv.Atoi(fmt.Sprint(place["at"]))
	if err != nil && !f.placeOfAnother {
		return c, &source.LostError{Why: "it is of another source"}
	}
	c.Cursor = f.place()
	if f.placeStays {
		c.Cursor = since
	}
	changed := f.history[min(from, len(f.history)):]
	switch {
	case f.changeMissed && len(changed) > 0:
		changed = changed[1:]
	case f.changeInvented:
		changed = append(slices.Clone(changed), 0)
	}
	if len(changed) > 0 {
		c.Parts = []source.ChangedPart{&followedPart{memoryPart{memory: f.memory, scope: "a"}, changed}}
	}
	return c, nil
}

type followedPart struct {
	memoryPart
	changed []int
}

func (p *followedPart) IDs() iter.Seq[string] {
	return func(yield func(string) bool) {
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
			there := n < 3 || p.deletedYielded
			if (slices.Contains(p.changed, n) && there || n == 0 && p.changeUnnamed) && !yield(p.document(n), nil) {
				return
			}
		}
		if !p.changeEndless {
			p.End()
		}
	}
}
