package postgresql

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// position is how far a table was read, so that reading can resume after it on another connection.
//
// A heap is read in the order of the places of its rows (ctid), and in one snapshot a row keeps its
// place unless the table is rewritten, which is checked. Several tables in one, such as
// partitions, are read one after the other. Reading the places makes bare streaming about a tenth slower; the
// order of a key makes it 3 times slower if the rows are stored in another order, see BenchmarkWays. If
// rows do not arrive in the order of their places after all, [position.advance] reports it.
type position struct {
	several bool
	begun   bool
	table   uint32
	place   [placeSize]byte // big endian, so that bytes compare as places do
	done    []uint32        // tables that were read completely
	losses  int             // of connections, since the last row
}

const (
	placeSize = 6 // four bytes of block, two of the place in it
	oidSize   = 4
)

// start is the position before the first row, nil if reading cannot resume after a loss.
func (p *part) start(r *reader) *position {
	if r.snapshot == "" || !p.Rel.IsTable() || !r.seen.heap || len(r.seen.secured) > 0 {
		return nil
	}
	return &position{several: r.seen.several}
}

// columns are what a statement reads in addition to the table's own columns.
func (a *position) columns() []string {
	switch {
	case a == nil:
		return nil
	case a.several:
		return []string{"ctid", "tableoid"}
	}
	return []string{"ctid"}
}

// advance reads the columns of the next row. It returns false if that row is not after the last one:
// then the position is meaningless.
func (a *position) advance(raw [][]byte) bool {
	if len(raw) == 0 || len(raw[0]) != placeSize {
		return false
	}
	if a.several {
		if len(raw) < 2 || len(raw[1]) != oidSize {
			return false
		}
		table := binary.BigEndian.Uint32(raw[1])
		if a.begun && table != a.table {
			a.done = append(a.done, a.table)
			a.begun = false
		}
		if !a.begun && slices.Contains(a.done, table) {
			return false
		}
		a.table = table
	}
	if a.begun && bytes.Compare(raw[0], a.place[:]) <= 0 {
		return false
	}
	a.begun, a.losses = true, 0
	copy(a.place[:], raw[0])
	return true
}

// condition is the condition for all rows after the position; "" before the first one.
func (a *position) condition() string {
	if a == nil || !a.begun {
		return ""
	}
	after := fmt.Sprintf("ctid > '(%d,%d)'", binary.BigEndian.Uint32(a.place[:]), binary.BigEndian.Uint16(a.place[4:]))
	if !a.several {
		return after
	}
	done := make([]string, len(a.done))
	for i, oid := range a.done {
		done[i] = fmt.Sprint(oid)
	}
	return fmt.Sprintf("tableoid <> ALL ('{%s}'::oid[]) AND (tableoid <> %d OR %s)", strings.Join(done, ","), a.table, after)
}
