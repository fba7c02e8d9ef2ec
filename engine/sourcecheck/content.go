package sourcecheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// contents is how many documents' contents are read; the others are assumed to be alike.
const contents = 25

// contentTwice opens content twice concurrently, and closes another reader in the middle.
func (s *Source) contentTwice(ctx context.Context) error {
	n := 0
	err := s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		return eachContent(ctx, src, func(part source.Part, doc *document.Document) (more bool, err error) {
			n++
			if err := openTwice(ctx, doc.Content); err != nil {
				return false, of(part.Name(), doc.ID, "content: %w", err)
			}
			return n < contents, nil
		})
	})
	switch {
	case err != nil:
		return err
	case n > 0 && s.NoContent != "":
		return fmt.Errorf("NoContent is given, but %d documents have content", n)
	case n == 0 && s.NoContent != "":
		return leftOut(s.NoContent)
	case n == 0:
		return errors.New("no document has content, and NoContent does not say why")
	}
	return nil
}

// eachContent calls use for documents with content until use returns false.
func eachContent(ctx context.Context, src source.Source, use func(source.Part, *document.Document) (bool, error)) error {
	return eachPart(ctx, src, func(part source.Part) (more bool, err error) {
		more = true
		err = each(part.Documents(ctx), func(doc document.Document) (bool, error) {
			if doc.Content == nil {
				return true, nil
			}
			more, err = use(part, &doc)
			return more, err
		})
		return more, err
	})
}

func openTwice(ctx context.Context, c *document.Content) (err error) {
	var readers [3]io.ReadCloser // the first is opened and never read, the others are read in turns
	defer func() {
		for _, r := range readers {
			if r != nil {
				err = errors.Join(err, r.Close())
			}
		}
	}()
	for i := range readers {
		if readers[i], err = c.Open(ctx); err != nil {
			return fmt.Errorf("open it (time %d): %w", i+1, err)
		}
	}
	var got [2]bytes.Buffer
	for open := true; open; {
		open = false
		for i := range got {
			n, err := io.CopyN(&got[i], readers[i+1], 1000)
			if err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("read it: %w", err)
			}
			open = open || n > 0
		}
	}
	switch {
	case !bytes.Equal(got[0].Bytes(), got[1].Bytes()):
		return errors.New("two concurrent readers return different bytes")
	case c.Size >= 0 && int64(got[0].Len()) != c.Size:
		return fmt.Errorf("it has %d bytes; %d were listed", got[0].Len(), c.Size)
	}
	return nil
}

func (s *Source) contentFails(ctx context.Context) error {
	switch {
	case s.NoContent != "":
		return leftOut(s.NoContent)
	case s.FailingContent == nil:
		return notGiven("FailingContent", s.NoFailingContent)
	}
	f := s.FailingContent()
	found := false
	err := s.with(ctx, f.Values, func(src source.Source, _ field.Values) error {
		return eachContent(ctx, src, func(part source.Part, doc *document.Document) (more bool, err error) {
			if doc.ID != f.ID {
				return true, nil
			}
			found = true
			if f.Break != nil {
				f.Break()
			}
			if err := mustFail(ctx, doc.Content, f.Want); err != nil {
				return false, of(part.Name(), doc.ID, "content: %w", err)
			}
			return false, nil
		})
	})
	if err == nil && !found {
		return fmt.Errorf("there is no document %q with content", f.ID)
	}
	return err
}

func mustFail(ctx context.Context, c *document.Content, want error) error {
	r, err := c.Open(ctx)
	if err == nil {
		_, err = io.Copy(io.Discard, r)
		_ = r.Close() // only the read error matters
	}
	switch {
	case err == nil:
		return errors.New("broken content is read without error")
	case want != nil && !errors.Is(err, want):
		return fmt.Errorf("got %w, want %s", err, want.Error())
	}
	return nil
}
