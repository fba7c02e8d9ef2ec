package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// opener opens the content of an object that was listed.
func (p *part) opener(o Object) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		c := &content{part: p, ctx: ctx, object: o}
		err := c.open()
		if errors.Is(err, ErrReplaced) {
			err = p.replaced(ctx, o.Key, err)
		}
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// replaced finds the object that replaced another one, by listing its key again.
func (p *part) replaced(ctx context.Context, key string, cause error) error {
	page, err := p.Store.List(ctx, Query{Bucket: p.scope.bucket, Prefix: key, Most: 1})
	if err != nil || len(page.Objects) == 0 || page.Objects[0].Key != key {
		return cause // it keeps changing; the next run reads what it is then
	}
	return &document.Replaced{Document: p.document(page.Objects[0]), Err: cause}
}

// content reads an object and resumes after a broken connection: each request is conditional on the listed version, so
// that what is read is one object.
type content struct {
	part    *part
	ctx     context.Context //nolint:containedctx // lives no longer than the reading of one object
	object  Object
	body    io.ReadCloser
	offset  int64
	resumed int // without a byte since then
}

// mostResumed is how often in a row reading is resumed.
const mostResumed = 3

// open starts reading at the offset.
func (c *content) open() error {
	err := c.part.patiently(c.ctx, func() (err error) {
		c.body, err = c.part.Store.Open(c.ctx, c.part.scope.bucket, c.object, c.offset)
		return err
	})
	switch {
	case err == nil:
		return nil
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case errors.Is(err, ErrGone):
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case errors.Is(err, ErrReplaced):
		return err
	}
	return c.part.Store.Failure(err)
}

func (c *content) Read(p []byte) (int, error) {
	for {
		n, err := c.body.Read(p)
		c.offset += int64(n)
		if n > 0 {
			c.resumed = 0
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && c.offset >= c.object.Size:
			return n, err
		case c.ctx.Err() != nil:
			return n, context.Cause(c.ctx)
		case errors.Is(err, io.EOF):
			err = io.ErrUnexpectedEOF
		}
		if n > 0 {
			return n, nil // the error shows at the next call
		}
		c.resumed++
		if c.resumed > mostResumed || c.object.Version == "" || c.object.Size >= 0 && c.offset >= c.object.Size {
			return 0, c.part.Store.Failure(err)
		}
		_ = c.body.Close() // it is broken
		c.body = nil
		if err := c.open(); err != nil {
			return 0, err
		}
	}
}

func (c *content) Close() error {
	if c.body == nil {
		return nil
	}
	return c.body.Close()
}
