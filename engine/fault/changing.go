package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// History makes a [Memory] a source that knows its changes.
type History struct {
	Events []Event
	Lost   string // why the changes are unknown; "" if they are known
	Err    error  // returned by every method
	Share  int    // most ids in a part; 0 is all
	// Asked counts how often the position and the changes were asked for.
	Positions, Changes int
}

// Event says that something happened to a document.
type Event struct{ Scope, ID string }

// following is a source that knows its changes.
type following struct{ opened }

var _ source.Changer = following{}

type place struct {
	At string `json:"at"`
}

func (f following) here() source.Cursor {
	raw, _ := json.Marshal(place{strconv.Itoa(len(f.m.History.Events))}) // texts always have a JSON form
	return source.Cursor(raw)
}

// Position implements [source.Changer].
func (f following) Position(context.Context) (source.Cursor, error) {
	f.m.History.Positions++
	return f.here(), f.m.History.Err
}

// Changes implements [source.Changer].
func (f following) Changes(_ context.Context, since source.Cursor) (c source.Changes, err error) {
	h := f.m.History
	h.Changes++
	if h.Err != nil {
		return c, h.Err
	}
	if h.Lost != "" {
		return c, &source.LostError{Why: h.Lost}
	}
	var p place
	if err := json.Unmarshal([]byte(since), &p); err != nil {
		return c, fmt.Errorf("the cursor %q: %w", since, err)
	}
	from, err := strconv.Atoi(p.At)
	if err != nil {
		return c, err
	}
	byScope := map[string][]string{}
	var scopes []string
	for _, e := range h.Events[from:] {
		if byScope[e.Scope] == nil {
			scopes = append(scopes, e.Scope)
		}
		if !slices.Contains(byScope[e.Scope], e.ID) {
			byScope[e.Scope] = append(byScope[e.Scope], e.ID)
		}
	}
	c.Cursor, c.Scopes = f.here(), slices.Sorted(maps.Keys(f.m.Parts))
	for _, scope := range scopes {
		share := h.Share
		if share == 0 {
			share = len(byScope[scope])
		}
		for ids := range slices.Chunk(byScope[scope], share) {
			c.Parts = append(c.Parts, &changedPart{memoryPart{opened: f.opened, name: scope}, ids})
		}
	}
	return c, nil
}

// changedPart reads some documents of a part.
type changedPart struct {
	memoryPart
	ids []string
}

// IDs implements [source.ChangedPart].
func (p *changedPart) IDs() iter.Seq[string] { return slices.Values(p.ids) }

// Estimate implements [source.Estimator].
func (p *changedPart) Estimate() (int64, bool) { return int64(len(p.ids)), true }

// Documents yields those of the part that changed, with the faults that the part has.
func (p *changedPart) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		for doc, err := range p.memoryPart.Documents(ctx) {
			if err == nil && !slices.Contains(p.ids, doc.ID) {
				continue
			}
			if !yield(doc, err) {
				return
			}
		}
	}
}
