package postgresql

import (
	"encoding/binary"
	"testing"
)

// placed is the position of a row as the server sends it.
func placed(table, block uint32, n uint16) [][]byte {
	place := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(nil, block), n)
	return [][]byte{place, binary.BigEndian.AppendUint32(nil, table)}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		several bool
		rows    [][][]byte
		refused bool // the last of the rows
		after   string
	}{
		"nothing yet":            {after: ""},
		"one row":                {rows: [][][]byte{placed(1, 0, 1)}, after: "ctid > '(0,1)'"},
		"the next block":         {rows: [][][]byte{placed(1, 255, 65535), placed(1, 256, 1)}, after: "ctid > '(256,1)'"},
		"the same row twice":     {rows: [][][]byte{placed(1, 2, 1), placed(1, 2, 1)}, refused: true},
		"back in the block":      {rows: [][][]byte{placed(1, 2, 256), placed(1, 2, 255)}, refused: true},
		"back to another block":  {rows: [][][]byte{placed(1, 2, 1), placed(1, 1, 9)}, refused: true},
		"no position":            {rows: [][][]byte{{nil}}, refused: true},
		"no column":              {rows: [][][]byte{{}}, refused: true},
		"the first of several":   {several: true, rows: [][][]byte{placed(7, 5, 1)}, after: "tableoid <> ALL ('{}'::oid[]) AND (tableoid <> 7 OR ctid > '(5,1)')"},
		"the third of several":   {several: true, rows: [][][]byte{placed(7, 5, 1), placed(9, 0, 1), placed(8, 0, 2)}, after: "tableoid <> ALL ('{7,9}'::oid[]) AND (tableoid <> 8 OR ctid > '(0,2)')"},
		"back to one of several": {several: true, rows: [][][]byte{placed(7, 5, 1), placed(9, 0, 1), placed(7, 5, 2)}, refused: true},
		"several without tables": {several: true, rows: [][][]byte{placed(7, 5, 1)[:1]}, refused: true},
		"back within several":    {several: true, rows: [][][]byte{placed(7, 5, 1), placed(9, 3, 1), placed(9, 2, 1)}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &position{several: tt.several, losses: 2}
			for i, raw := range tt.rows {
				if got, want := a.advance(raw), !tt.refused || i < len(tt.rows)-1; got != want {
					t.Fatalf("row %d: advance is %t", i, got)
				}
			}
			if tt.refused {
				return
			}
			if got := a.condition(); got != tt.after {
				t.Errorf("got  %s\nwant %s", got, tt.after)
			}
			if got := a.losses == 0; got != (len(tt.rows) > 0) {
				t.Errorf("%d losses since the last row", a.losses)
			}
		})
	}
}
