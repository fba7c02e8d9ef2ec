package postgresql

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// A large table is read in several parts, ranges of its blocks, which several readers share.
// All of them read from the snapshot of the run and never from another one: between two
// snapshots an update moves a row to another block, so it could be missed, or come twice. A range that
// cannot read from that snapshot fails, and with it the scope.
//
// Nothing depends on the exact number of blocks: the last range has no end. So the number is taken
// from the statistics of the catalog; querying the size of a table would wait for a session that has locked it.

const (
	rangeBlocks = 4096 // in a range, at least: 32 MiB
	mostRanges  = 16   // of a table
	// tidRanges is the first version that can read a block range without reading the blocks before it.
	tidRanges = 14
)

// cutting defines how tables are cut.
type cutting struct {
	blocks, most int64 // in a range, at least; ranges of a table
}

// blocks is a range of the blocks of a table; nil: all of them.
type blocks struct {
	from uint32
	end  uint32 // the first after it; 0 in the last range, which has no end
}

func (b *blocks) String() string {
	if b.end == 0 {
		return fmt.Sprintf("blocks %d-", b.from)
	}
	return fmt.Sprintf("blocks %d-%d", b.from, b.end-1)
}

// condition is the condition for all rows of the range. The first place in a block is 1.
func (b *blocks) condition() string {
	switch {
	case b == nil:
		return ""
	case b.end == 0:
		return fmt.Sprintf("ctid >= '(%d,0)'", b.from)
	}
	return fmt.Sprintf("ctid >= '(%d,0)' AND ctid < '(%d,0)'", b.from, b.end)
}

// cut replaces the parts of large tables by their ranges. A table that cannot be read as
// configured stays one part, so that this is reported once.
func (d *database) cut(ctx context.Context, tables []*part) []*part {
	var all []*part
	asked, shared := false, false
	for _, p := range tables {
		n := d.cutting.ranges(p.Rel.Size)
		if n < 2 || p.Rel.Storage != simple || !p.Rel.Readable || p.snapshot == "" {
			all = append(all, p)
			continue
		}
		if !asked {
			asked, shared = true, d.shares(ctx, p)
		}
		if shared {
			if _, err := p.describe(ctx, d.control, oidOf(&p.Rel)); err == nil {
				all = append(all, p.cut(n)...)
				continue
			}
		}
		all = append(all, p)
	}
	return all
}

// ranges is the number of ranges for this number of blocks.
func (c cutting) ranges(blocks int64) int64 {
	if blocks > math.MaxUint32 {
		return 1
	}
	return min(c.most, blocks/c.blocks)
}

// shares reports whether other connections can read from the snapshot of the run.
func (d *database) shares(ctx context.Context, p *part) bool {
	if serverVersion(d.control.PgConn().ParameterStatus("server_version")) < tidRanges {
		return false
	}
	conn, err := p.begin(ctx, p.snapshot)
	if err != nil {
		if errors.Is(err, errNoSnapshot) {
			d.readApart(err)
		}
		return false
	}
	d.release(ctx, conn)
	return true
}

// cut makes n parts of a table.
func (p *part) cut(n int64) []*part {
	var parts []*part
	for i := range n {
		share := *p
		share.only = true
		share.blocks = &blocks{from: uint32(p.Rel.Size * i / n)}
		if i < n-1 {
			share.blocks.end = uint32(p.Rel.Size * (i + 1) / n)
		}
		share.Rel.Estimate = p.Rel.Estimate / n
		parts = append(parts, &share)
	}
	return parts
}

// first reports whether no other part of the table precedes it.
func (p *part) first() bool { return p.blocks == nil || p.blocks.from == 0 }

// openRange starts to read a range, from the snapshot of the run or not at all.
func (p *part) openRange(ctx context.Context) (*reader, error) {
	r, err := p.openFrom(ctx, p.snapshot, nil)
	cause := err
	switch {
	case errors.Is(err, errNoSnapshot) || errors.Is(err, errMoved):
	case state(err) == codeNoColumn:
		cause = verdicts.Shorten(err)
	default:
		return r, err
	}
	return nil, &source.Error{
		Kind: source.ErrTemporary, Part: p.Name(), Err: fmt.Errorf("start reading: %w", cause),
		Hint: "nothing in the table is deleted; run again",
	}
}
