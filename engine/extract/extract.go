// Package extract turns the content of a document into text. It does so in process, for formats that are
// text already (HTML becomes its visible text, title first; everything else stays unchanged,
// except for its character set), or with an extraction service, which also reads formats such as PDF and DOCX.
// Or it converts the content to base64, for the attachment processor of an ingest pipeline.
//
// It does not decide how a connector's content is processed, nor what happens to a document without text.
//
// Its invariant: text is valid UTF-8 without NUL characters, and neither content nor responses take more
// memory than the given limit, whatever size was listed or announced.
package extract

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// Way is how content is processed.
type Way string

// The ways. Auto leaves the choice to the engine.
const (
	Auto      Way = "auto"
	Pipeline  Way = "pipeline" // by the attachment processor of an ingest pipeline
	ByService Way = "service"  // by an extraction service
	Inline    Way = "inline"   // in process, text formats only
	Off       Way = "off"      // not at all
)

// Skipped says why there is no text; "" means that there is. None of the reasons is a failure: the
// document is written without text.
type Skipped string

// The reasons.
const (
	NotText  Skipped = "not a text format"
	TooLarge Skipped = "larger than the limit"
	Empty    Skipped = "empty"
	Binary   Skipped = "binary, although its name says text"
)

// Skip reports, without opening it, whether content will be skipped, so that neither budget nor a
// request is spent on it. [Text] may still skip content that passes.
func Skip(c *document.Content, limit int64) Skipped {
	return skip(c, limit, formatOf(c.Name) != noText)
}

// SkipAttachment is Skip for [AppendBase64].
func SkipAttachment(c *document.Content, limit int64) Skipped {
	return skip(c, limit, attachable(c.Name))
}

func skip(c *document.Content, limit int64, known bool) Skipped {
	switch {
	case !known:
		return NotText
	case c.Size > limit:
		return TooLarge
	case c.Size == 0:
		return Empty
	}
	return ""
}

// Text reads content of at most limit bytes and returns its text, or why there is none. An error comes
// from Open or from reading; fs.ErrNotExist among them means that the content was deleted.
func Text(ctx context.Context, c *document.Content, limit int64) (text string, skipped Skipped, err error) {
	if s := Skip(c, limit); s != "" {
		return "", s, nil
	}
	data, err := read(ctx, c, limit)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("read content of %q: %w", c.Name, err)
	case int64(len(data)) > limit: // it has grown since it was listed
		return "", TooLarge, nil
	}
	f := formatOf(c.Name)
	text = decode(data, f)
	if strings.IndexByte(text, 0) >= 0 {
		return "", Binary, nil
	}
	if f == markup {
		text = visible(text)
	}
	if strings.TrimSpace(text) == "" {
		return "", Empty, nil
	}
	return text, "", nil
}

// firstRead is the initial buffer size if the size is unknown or cannot be trusted.
const firstRead = 64 << 10

// read reads at most limit and one byte.
func read(ctx context.Context, c *document.Content, limit int64) (string, error) {
	r, err := c.Open(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }() // it was only read
	var b strings.Builder
	if c.Size > 0 {
		b.Grow(int(min(c.Size, limit)) + 1)
	} else {
		b.Grow(int(min(limit, firstRead)))
	}
	_, err = io.Copy(&b, io.LimitReader(&cancelled{ctx, r}, limit+1))
	return b.String(), err
}

// cancelled stops reading when the run ends; a local file ignores contexts.
type cancelled struct {
	ctx context.Context //nolint:containedctx // lives no longer than one call of read
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
