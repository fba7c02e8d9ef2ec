package sourcetest

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

// contents is how many documents' contents are read; the rest are like them.
const contents = 25

// contentTwice: content may be opened twice at the same time, gives the same bytes each time, as many
// as were listed, and may be given up in the middle.
func (s *suite) contentTwice(ctx context.Context) error {
	n := 0
	err := s.with(ctx, s.raw, func(src source.Source, _ field.Values) error {
		return eachContent(ctx, src, func(doc *document.Document) (more bool, err error) {
			n++
			if err := openTwice(ctx, doc.Content); err != nil {
				return false, fmt.Errorf("content of document %q: %w", doc.ID, err)
			}
			return n < contents, nil
		})
	})
	switch {
	case err != nil:
		return err
	case n > 0 && s.cfg.NoContent != "":
		return fmt.Errorf("Config.NoContent is given, but %d documents have content", n)
	case n == 0 && s.cfg.NoContent != "":
		return skip(s.cfg.NoContent)
	case n == 0:
		return errors.New("no document has content, and Config.NoContent does not say why")
	}
	return nil
}

// eachContent calls use for every document that has content, as long as it wants more.
func eachContent(ctx context.Context, src source.Source, use func(*document.Document) (bool, error)) error {
	for part, err := range src.Parts(ctx) {
		if err != nil {
			return err
		}
		for doc, err := range part.Documents(ctx) {
			if err != nil {
				return err
			}
			if doc.Content == nil {
				continue
			}
			if more, err := use(&doc); err != nil || !more {
				return err
			}
		}
	}
	return nil
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
			return fmt.Errorf("open it for the time no. %d: %w", i+1, err)
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
		return errors.New("opened twice at the same time, it gives different bytes")
	case c.Size >= 0 && int64(got[0].Len()) != c.Size:
		return fmt.Errorf("it has %d bytes; %d were listed", got[0].Len(), c.Size)
	}
	return nil
}

// contentFails: content that goes away or breaks says so, with an error that can be told.
func (s *suite) contentFails(ctx context.Context) error {
	switch {
	case s.cfg.NoContent != "":
		return skip(s.cfg.NoContent)
	case s.failingContent == nil && s.cfg.NoFailingContent != "":
		return skip(s.cfg.NoFailingContent)
	case s.failingContent == nil:
		return errors.New("neither Config.FailingContent nor the reason NoFailingContent is given")
	}
	f := s.failingContent()
	found := false
	err := s.with(ctx, f.Values, func(src source.Source, _ field.Values) error {
		return eachContent(ctx, src, func(doc *document.Document) (more bool, err error) {
			if doc.ID != f.ID {
				return true, nil
			}
			found = true
			if f.Break != nil {
				f.Break()
			}
			return false, mustFail(ctx, doc.Content, f.Want)
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
		_ = r.Close() // what matters is that reading failed
	}
	switch {
	case err == nil:
		return errors.New("broken content is read without error")
	case want != nil && !errors.Is(err, want):
		return fmt.Errorf("got %w, want %s", err, want.Error())
	}
	return nil
}
