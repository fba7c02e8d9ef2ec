package sqlread

import "database/sql/driver"

// Position is how far a table was read, so that reading can resume after it on another connection: the
// key of the last row, because rows are read in the order of the key. Only the server compares it:
// this program does not know the order of text.
type Position struct {
	Key    []driver.Value // nil before the first row
	Losses int            // of connections, or of snapshots, since the last row
}

// Start is the position before the first row, nil if reading cannot resume after a loss.
func (t *Table[V]) Start() *Position {
	if !t.Sorted {
		return nil
	}
	return &Position{}
}

// Advance stores the key of the next row, whose values may change afterwards. key are the places of the key in the row.
func (a *Position) Advance(key []int, row []driver.Value) {
	if a.Key == nil {
		a.Key = make([]driver.Value, len(key))
	}
	a.Losses = 0
	for i, k := range key {
		if b, ok := row[k].([]byte); ok {
			before, _ := a.Key[i].([]byte)
			a.Key[i] = append(before[:0], b...)
			continue
		}
		a.Key[i] = row[k]
	}
}

// Condition is the condition for all rows after the position, "" before the first one. compare is that of [After].
func (a *Position) Condition(compare func(i int, operator string) string) string {
	if a == nil || a.Key == nil {
		return ""
	}
	return After(len(a.Key), compare)
}
