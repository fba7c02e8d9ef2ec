package sourcecheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// memoryPart is a part of the in-memory source.
type memoryPart struct {
	source.Ending
	*memory
	scope string
	spent bool
}

func (p *memoryPart) Scope() string { return p.scope }

func (p *memoryPart) Name() string {
	switch {
	case p.twoPartsOneName:
		return "ab"
	case p.nameless:
		return ""
	case p.nameElsewhere:
		return "part " + fmt.Sprint(len(p.scope)+int(p.scope[0]))
	}
	return p.scope
}

func (p *memoryPart) Estimate() (int64, bool) {
	if p.estimateNegative || p.estimateSpent && p.spent {
		return -1, true
	}
	return 3, true
}

func (p *memoryPart) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if p.serialOnly && !p.alone(ctx) {
			yield(document.Document{}, errors.New("busy"))
			return
		}
		if p.spent = true; p.panics || p.panicsInParallel && p.run%2 == 0 {
			panic("never mind")
		}
		if p.scope == p.missing && !p.partSilent {
			if p.endsTooSoon {
				p.End()
			}
			if yield(document.Document{}, p.failure()); !p.failingContinues {
				return
			}
		}
		if p.read(ctx, yield) && !p.endless || p.endsTooSoon {
			p.End()
		}
	}
}

// read yields the documents, and reports whether those were all.
func (p *memoryPart) read(ctx context.Context, yield func(document.Document, error) bool) bool {
	number := 3
	if p.env.IDsOnly && p.idsOnlyFewer {
		number = 2
	}
	if p.deletedRead && p.scope == "a" {
		number++ // skip the deleted document
	}
	for i := 0; i < number; i++ {
		if ctx.Err() != nil {
			if !p.deafDocuments {
				yield(document.Document{}, ctx.Err())
			}
			return false
		}
		if i == 1 && p.broken.Load() && !p.lossNone && p.lost.Add(1) == 1 {
			switch {
			case p.lossRepeats:
				i = 0
			case p.lossSkips:
				i = 2
			case p.lossFails:
				yield(document.Document{}, &source.Error{Kind: source.ErrTemporary, Part: p.scope, Err: errors.New("lost")})
				return false
			}
		}
		if !yield(p.document(i), nil) && !p.documentsContinue {
			return false
		}
	}
	return true
}

func (p *memoryPart) Describe(context.Context) (source.Description, error) {
	d := source.Description{
		Fields:   []source.DescribedField{{Name: "n", Kind: source.Long}, {Name: "in.at", Kind: source.Date}, {Name: principals, Kind: source.Keyword}},
		IDPrefix: p.scope, NumericIDs: true,
	}
	switch {
	case p.describePanics:
		panic("never mind")
	case p.describeFails:
		return d, errors.New("cannot say")
	case p.undescribed:
		d.Fields = d.Fields[1:]
	case p.wrongKind:
		d.Fields[0].Kind = source.Boolean
	case p.strangeKind:
		d.Fields[0].Kind = "complete"
	case p.describedTwice:
		d.Fields = append(d.Fields, d.Fields[0])
	case p.unstableDescription && p.run%2 == 0:
		d.Fields[0].Kind = source.Double
	case p.wrongIDPrefix:
		d.IDPrefix += "_"
	case p.wrongNumericIDs:
		d.IDPrefix = ""
	}
	return d, nil
}

// alone reports whether no other part is read concurrently. Two readers meet whatever the scheduler does: in every
// second run, which is the parallel one, part a waits for part b.
func (p *memoryPart) alone(ctx context.Context) bool {
	if p.run%2 == 1 {
		return true
	}
	if p.scope == "b" {
		close(p.second)
		return true
	}
	select {
	case <-p.second:
		return false
	case <-ctx.Done():
		return true
	}
}

func (p *memoryPart) failure() error {
	err := fmt.Errorf("%s is locked", p.scope)
	switch {
	case p.partUntyped:
		return err
	case p.unmatchedNone || p.unmatchedAll:
		err = &source.UnmatchedError{Err: err, Of: func(string) bool { return p.unmatchedAll }}
	case p.partMisnamed:
		return &source.Error{Kind: source.ErrAuth, Part: "z", Err: err}
	}
	return &source.Error{Kind: source.ErrAuth, Part: p.scope, Err: err}
}

func (p *memoryPart) document(i int) document.Document {
	id := fmt.Sprintf("%s%d", p.scope, i)
	folder, text := p.scope, "text of "+id
	switch {
	case p.emptyID && i == 1:
		id = ""
	case p.doubleID && i == 1:
		id = "a0"
	case p.unstableID:
		id += fmt.Sprint(p.run)
	case p.wrongScope, p.idsOnlyScopeless && p.env.IDsOnly:
		folder = "elsewhere"
	}
	may := document.List([]document.Value{document.String("user:ann")})
	if p.unprefixed {
		may = document.String("ann")
	}
	doc := document.Document{
		ID: id, Timestamp: "2024-01-02T03:04:05Z",
		Fields: []document.Field{
			{Name: "folder", Value: document.String(folder)},
			{Name: "n", Value: document.Int(int64(i))},
			{Name: "in", Value: document.Object([]document.Field{{Name: "at", Value: document.String("2024-01-02T03:04:05.6Z")}})},
			{Name: principals, Value: may},
			{Name: "tag", Value: document.String("v1")},
		},
		Content: &document.Content{Name: id + ".txt", Size: int64(len(text)), Open: p.opener(text)},
	}
	p.spoil(&doc)
	return doc
}

// spoil applies faults to a document.
func (p *memoryPart) spoil(doc *document.Document) {
	switch {
	case p.doubleField:
		doc.Fields[1].Name = "folder"
	case p.badJSON:
		doc.Fields[1].Value = document.Raw("{")
	case p.unstableField:
		doc.Fields[1].Value = document.Int(p.run)
	case p.undated:
		doc.Timestamp = ""
	case p.unstableDate:
		doc.Timestamp = fmt.Sprint(p.run)
	case p.tagNumber:
		doc.Fields[4].Value = document.Int(1)
	case p.tagMissing:
		doc.Fields = doc.Fields[:4]
	case p.unrestricted:
		doc.Fields[3].Name = "n2"
	case p.contentUnopenable:
		doc.Content.Open = nil
	}
}

func (p *memoryPart) opener(text string) func(context.Context) (io.ReadCloser, error) {
	opened := 0
	return func(context.Context) (io.ReadCloser, error) {
		opened++
		switch {
		case p.gone.Load() && !p.contentImmortal:
			return nil, fs.ErrNotExist
		case p.contentDiffers:
			text = fmt.Sprint(text[:len(text)-1], opened)
		case p.contentLonger:
			return io.NopCloser(bytes.NewReader([]byte(text + "!"))), nil
		}
		return io.NopCloser(bytes.NewReader([]byte(text))), nil
	}
}
