package extract

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// piece is how much is read at a time: a multiple of three bytes, so that the base64 of the pieces
// is that of the complete content.
const piece = 48 << 10

// AppendBase64 reads content of at most limit bytes and appends it to dst as a JSON text in base64.
// Otherwise dst is returned unchanged, with the reason or the error; fs.ErrNotExist among those means
// that the content was deleted.
func AppendBase64(ctx context.Context, dst []byte, c *document.Content, limit int64) (out []byte, skipped Skipped, err error) {
	if s := SkipAttachment(c, limit); s != "" {
		return dst, s, nil
	}
	start := len(dst)
	r, err := c.Open(ctx)
	if err != nil {
		return dst, "", fmt.Errorf("read content of %q: %w", c.Name, err)
	}
	defer func() { _ = r.Close() }() // it was only read
	if c.Size > 0 {
		dst = slices.Grow(dst, base64.StdEncoding.EncodedLen(int(c.Size))+2)
	}
	dst = append(dst, '"')
	limited := io.LimitReader(&cancelled{ctx, r}, limit+1)
	buf := make([]byte, piece)
	for total := int64(0); ; {
		n, err := fill(limited, buf)
		total += int64(n)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return dst[:start], "", fmt.Errorf("read content of %q: %w", c.Name, err)
		case total > limit: // it has grown since it was listed
			return dst[:start], TooLarge, nil
		case err != nil && total == 0:
			return dst[:start], Empty, nil
		}
		dst = base64.StdEncoding.AppendEncode(dst, buf[:n])
		if err != nil {
			return append(dst, '"'), "", nil
		}
	}
}

// fill reads until buf is full. [io.ReadFull] reports an end within buf by the same error as an HTTP
// body that was cut short.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}
