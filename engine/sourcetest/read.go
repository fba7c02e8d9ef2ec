package sourcetest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// partID is what is known of a part without reading it.
type partID struct{ Scope, Name string }

// docRead is what the suite keeps of a document: all that a run compares.
type docRead struct {
	ID, Scope, Part, Timestamp string
	Source                     string // encoded, without _timestamp
}

func byID(a, b docRead) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Source, b.Source))
}

func byName(a, b partID) int {
	return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Name, b.Name))
}

// listParts returns the parts in an order that is always the same.
func listParts(ctx context.Context, src source.Source) ([]partID, error) {
	var ids []partID
	for part, err := range src.Parts(ctx) {
		if err != nil {
			return nil, fmt.Errorf("list the parts: %w", err)
		}
		ids = append(ids, partID{part.Scope(), part.Name()})
	}
	slices.SortFunc(ids, byName)
	return ids, nil
}

// readPart reads a part to its end.
func readPart(ctx context.Context, part source.Part) ([]docRead, error) {
	var docs []docRead
	for doc, err := range part.Documents(ctx) {
		if err != nil {
			return docs, fmt.Errorf("read part %q: %w", part.Name(), err)
		}
		d, err := keep(part, &doc)
		if err != nil {
			return docs, err
		}
		docs = append(docs, d)
	}
	if !part.Ended() {
		return docs, fmt.Errorf("part %q does not say that it was read to its end", part.Name())
	}
	return docs, nil
}

// readAll reads all parts, one after the other, each while the list still goes on.
func readAll(ctx context.Context, src source.Source) ([]docRead, error) {
	var all []docRead
	for part, err := range src.Parts(ctx) {
		if err != nil {
			return nil, fmt.Errorf("list the parts: %w", err)
		}
		docs, err := readPart(ctx, part)
		if err != nil {
			return nil, err
		}
		all = append(all, docs...)
	}
	slices.SortFunc(all, byID)
	return all, nil
}

// keep checks one document and copies what is compared of it, since the source may reuse its memory.
func keep(part source.Part, doc *document.Document) (docRead, error) {
	where := fmt.Sprintf("part %q: document %q", part.Name(), doc.ID)
	if doc.ID == "" {
		return docRead{}, fmt.Errorf("%s: the id is empty", where)
	}
	names := map[string]bool{}
	for _, f := range doc.Fields {
		if names[f.Name] {
			return docRead{}, fmt.Errorf("%s: the field %q is there twice", where, f.Name)
		}
		names[f.Name] = true
	}
	encoded, end := document.AppendSource(nil, doc, document.Trailer{})
	switch {
	case !json.Valid(encoded):
		return docRead{}, fmt.Errorf("%s: its JSON is not valid", where)
	case bytes.ContainsAny(encoded, "\r\n"):
		return docRead{}, fmt.Errorf("%s: its JSON has a line break", where)
	}
	if c := doc.Content; c != nil && (c.Open == nil || c.Name == "" || c.Size < -1) {
		return docRead{}, fmt.Errorf("%s: content without Open, without a name or of size %d", where, c.Size)
	}
	return docRead{
		ID: doc.ID, Scope: part.Scope(), Part: part.Name(), Timestamp: doc.Timestamp, Source: string(encoded[:end]),
	}, nil
}

// topLevel decodes an encoded document, keeping only the fields that names lists.
func topLevel(encoded string, names []string, useNumber bool) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(encoded + "}")))
	if useNumber {
		dec.UseNumber()
	}
	var all map[string]any
	if err := dec.Decode(&all); err != nil {
		return nil, err
	}
	some := map[string]any{}
	for _, n := range names {
		if v, ok := all[n]; ok {
			some[n] = v
		}
	}
	return some, nil
}
