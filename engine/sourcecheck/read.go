package sourcecheck

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// partID is what is known about a part without reading it.
type partID struct{ Scope, Name string }

// docRead is the data of a document by which two runs are compared.
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

// errContinues reports a sequence that does not end where it must.
var errContinues = errors.New("the sequence continues")

// each runs a sequence until use returns false or fails. It calls the sequence directly: a range loop panics if
// the sequence continues after a break, and hides that it continues after an error.
func each[T any](seq iter.Seq2[T, error], use func(T) (more bool, err error)) (err error) {
	after, continues := "", false
	seq(func(v T, failed error) bool {
		switch {
		case after != "":
			continues = true
			return false
		case failed != nil:
			after, err = "an error", failed
			return true // it should end by itself
		}
		var more bool
		if more, err = use(v); !more || err != nil {
			after = "its loop was left"
			return false
		}
		return true
	})
	if continues {
		return errors.Join(err, fmt.Errorf("%w after %s", errContinues, after))
	}
	return err
}

// eachPart lists the parts, and passes those that the engine reads to use.
func eachPart(ctx context.Context, src source.Source, use func(source.Part) (more bool, err error)) error {
	used := false
	err := each(src.Parts(ctx), func(part source.Part) (more bool, err error) {
		if _, hidden := part.(source.Hidden); hidden {
			return true, nil
		}
		more, err = use(part)
		used = err != nil
		return more, err
	})
	if err != nil && !used {
		return fmt.Errorf("list the parts: %w", err)
	}
	return err
}

// listParts returns the parts to read.
func listParts(ctx context.Context, src source.Source) (parts []source.Part, err error) {
	err = eachPart(ctx, src, func(part source.Part) (bool, error) {
		parts = append(parts, part)
		return true, nil
	})
	return parts, err
}

// readPart reads a part completely.
func readPart(ctx context.Context, part source.Part) (docs []docRead, err error) {
	kept := false
	err = each(part.Documents(ctx), func(doc document.Document) (bool, error) {
		d, err := keep(part, &doc)
		kept = err != nil
		docs = append(docs, d)
		return true, err
	})
	switch {
	case kept:
		return docs, err
	case err != nil:
		return docs, inPart(part.Name(), "read: %w", err)
	case !part.Ended():
		return docs, inPart(part.Name(), "it does not report that it was read completely")
	}
	return docs, nil
}

// readAll reads all parts one after the other, each before the list continues.
func readAll(ctx context.Context, src source.Source) (all []docRead, err error) {
	err = eachPart(ctx, src, func(part source.Part) (bool, error) {
		docs, err := readPart(ctx, part)
		all = append(all, docs...)
		return true, err
	})
	slices.SortFunc(all, byID)
	return all, err
}

// keep checks one document and copies the data for comparison, because the source may reuse its memory.
func keep(part source.Part, doc *document.Document) (docRead, error) {
	fail := func(format string, args ...any) (docRead, error) {
		return docRead{}, of(part.Name(), doc.ID, format, args...)
	}
	if doc.ID == "" {
		return docRead{}, inPart(part.Name(), "the id of a document is empty")
	}
	names := map[string]bool{}
	for _, f := range doc.Fields {
		if names[f.Name] {
			return fail("it has the field %q twice", f.Name)
		}
		names[f.Name] = true
	}
	encoded, end := document.AppendSource(nil, doc, document.Trailer{})
	switch {
	case !json.Valid(encoded):
		return fail("its JSON is not valid")
	case bytes.ContainsAny(encoded, "\r\n"):
		return fail("its JSON has a line break")
	}
	if c := doc.Content; c != nil && (c.Open == nil || c.Name == "" || c.Size < -1) {
		return fail("content without Open, without a name or of size %d", c.Size)
	}
	return docRead{
		ID: strings.Clone(doc.ID), Scope: part.Scope(), Part: part.Name(), Timestamp: strings.Clone(doc.Timestamp), Source: string(encoded[:end]),
	}, nil
}

// differ reports the difference between two runs that should have read the same; both are sorted by byID.
func differ(first, second []docRead) error {
	for i := range max(len(first), len(second)) {
		switch {
		case i == len(second) || i < len(first) && first[i].ID < second[i].ID:
			return of(first[i].Part, first[i].ID, "the first run reads it, the second does not")
		case i == len(first) || second[i].ID < first[i].ID:
			return of(second[i].Part, second[i].ID, "the second run reads it, the first did not")
		case first[i] != second[i]:
			return of(first[i].Part, first[i].ID, "the first run reads %+v, the second %+v", first[i], second[i])
		}
	}
	return nil
}

// repeated finds an id that occurs twice in documents sorted by byID.
func repeated(docs []docRead) error {
	for i := 1; i < len(docs); i++ {
		if docs[i-1].ID == docs[i].ID {
			return of(docs[i].Part, docs[i].ID, "it occurs twice; the other one is in part %q", docs[i-1].Part)
		}
	}
	return nil
}

// undated removes timestamps, which may be the time of the run.
func undated(docs []docRead) []docRead {
	for i := range docs {
		docs[i].Timestamp = ""
	}
	return docs
}

// topLevel decodes an encoded document, keeping only the named fields.
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
