package objects

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

var _ source.Part = (*part)(nil)

// span is a range of keys: those after one key up to another.
type span struct {
	after string // "" is from the first key on
	upTo  string // "" is to the last key
}

// part is the objects of a bucket whose keys have a prefix and are in a range.
type part struct {
	*Source
	source.Ending
	scope scope
	span  span
}

func (p *part) Scope() string { return shown(p.scope.bucket) }

// Name is the bucket, with the prefix, and with the key after which it begins if that is not the first.
func (p *part) Name() string {
	name := p.Scope()
	if p.scope.prefix != "" {
		name += "/" + shown(p.scope.prefix)
	}
	if p.span.after != "" {
		name += fmt.Sprintf(" after %q", strings.TrimSuffix(p.span.after, last))
	}
	return name
}

// Documents lists the range page by page.
func (p *part) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		fail := func(err error) { yield(document.Document{}, p.failed(ctx, err)) }
		w := walk{span: p.span, strict: p.span != span{}}
		q := Query{Bucket: p.scope.bucket, Prefix: p.scope.prefix, After: p.span.after}
		for {
			page, err := p.page(ctx, q, &w)
			if err != nil {
				fail(err)
				return
			}
			for _, o := range page.Objects {
				if !w.within(o.Key) || !p.wanted(o.Key) {
					continue
				}
				if ctx.Err() != nil {
					fail(context.Cause(ctx))
					return
				}
				if !yield(p.document(o), nil) {
					return
				}
			}
			if page.Next == "" || w.done {
				p.End()
				return
			}
			q.Token = page.Next
		}
	}
}

// page lists one page.
func (p *part) page(ctx context.Context, q Query, w *walk) (page Page, err error) {
	if ctx.Err() != nil {
		return page, context.Cause(ctx)
	}
	err = p.patiently(ctx, func() error {
		page, err = p.Store.List(ctx, q)
		return err
	})
	if err == nil {
		err = w.check(page)
	}
	return page, err
}

func (p *part) failed(ctx context.Context, err error) error {
	failure := p.failure(ctx, p.Name(), err)
	failure.Err = fmt.Errorf("list the %s: %w", p.Noun, failure.Err)
	return failure
}

// wanted reports whether the rules of the bucket, if there are any, select the object.
func (p *part) wanted(key string) bool {
	if p.scope.rules == nil {
		return true
	}
	for i := range p.scope.rules {
		if p.scope.rules[i].matches(key) {
			return true
		}
	}
	return false
}

// document makes the document of an object, with its content.
func (p *part) document(o Object) document.Document {
	doc := o.Document()
	o.Document = nil // it has been called, and would keep the page in memory
	if o.Readable && !strings.HasSuffix(o.Key, "/") {
		doc.Content = &document.Content{Name: o.Key, Size: o.Size, Open: p.opener(o)}
	}
	return doc
}

// walk follows the pages of a listing. A listing that does not advance never ends: stores have been seen to return a
// page for its own token, or the first page for any token.
type walk struct {
	span   span
	strict bool // keys have to ascend: the range is part of a listing in byte order
	last   string
	any    bool
	done   bool // the end of the range was passed
	seen   map[uint64]bool
	empty  int // pages without an object, one after another
}

// mostEmpty is how many empty pages may follow each other. Azure returns some where many objects were deleted.
const mostEmpty = 10_000

var seed = maphash.MakeSeed()

// check notes a page, and returns an error if it is invalid.
func (w *walk) check(page Page) error {
	if w.seen == nil {
		w.seen = map[uint64]bool{}
	}
	marks := []uint64{}
	if page.Next != "" {
		marks = append(marks, maphash.String(seed, "token "+page.Next))
	}
	w.empty++
	if len(page.Objects) > 0 {
		marks = append(marks, maphash.String(seed, "key "+page.Objects[0].Key))
		w.empty = 0
	}
	for _, mark := range marks {
		if w.seen[mark] {
			return errEndless
		}
		w.seen[mark] = true
	}
	if w.empty > mostEmpty {
		return errEndless
	}
	if !w.strict {
		return nil
	}
	for i := range page.Objects {
		key := page.Objects[i].Key
		if w.any && key <= w.last {
			return errOrder
		}
		w.last, w.any = key, true
	}
	return nil
}

// within reports whether a key is in the range, and notes when its end is passed.
func (w *walk) within(key string) bool {
	if w.span.upTo != "" && key > w.span.upTo {
		w.done = true
		return false
	}
	return w.span.after == "" || key > w.span.after
}

// shown is a name as the index contains it: what is not UTF-8 is U+FFFD.
func shown(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }
