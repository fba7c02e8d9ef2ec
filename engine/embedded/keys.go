package embedded

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// The layout of the store. An index is identified by a number, so that no name is the prefix of another
// and a deleted index is a few ranges. While the store is open no number is used twice, so records of a deleted
// index in a snapshot are never mistaken for another's.
//
//	f                      format of the layout
//	m <name>               index: number, uuid, mapping, settings, as JSON
//	n <number>             counters of the index: next _seq_no, documents, both 8 bytes
//	d <number> <_id>       the place of the document: _seq_no, version
//	s <number> <_seq_no>   the document: version, _id, routing, in a checked index _ignored, source
//
// Documents are stored in the order in which they were written. A scan reads them in sequence, a bulk load
// appends to the end of the range, and only the small d records are spread over it.
const (
	spaceFormat  = 'f'
	spaceIndex   = 'm'
	spaceCounter = 'n'
	spaceID      = 'd'
	spaceDoc     = 's'
)

// layoutFormat is the layout of a folder in which this version created an index. olderFormat has no checked
// indices, and is read and written as before until one is created.
const (
	layoutFormat = "2"
	olderFormat  = "1"
)

func indexKey(name string) []byte { return append([]byte{spaceIndex}, name...) }

func counterKey(number uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{spaceCounter}, number)
}

func idKey(b []byte, number uint32, id []byte) []byte {
	b = append(b[:0], spaceID)
	b = binary.BigEndian.AppendUint32(b, number)
	return append(b, id...)
}

const docKeyLen = 1 + 4 + 8

func docKey(b []byte, number uint32, seq uint64) []byte {
	b = append(b[:0], spaceDoc)
	b = binary.BigEndian.AppendUint32(b, number)
	return binary.BigEndian.AppendUint64(b, seq)
}

// counters belong to an index and are written in the batch of the documents that they count.
type counters struct {
	next uint64 // the next _seq_no
	docs uint64
}

func (c counters) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, c.next)
	return binary.BigEndian.AppendUint64(b, c.docs)
}

var errDamaged = errors.New("a record of the embedded store is damaged")

func decodeCounters(b []byte) (counters, error) {
	if b == nil {
		return counters{}, nil
	}
	if len(b) != 16 {
		return counters{}, errDamaged
	}
	return counters{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}, nil
}

// place is the place of a document and its number of writes.
type place struct{ seq, version uint64 }

func (p place) append(b []byte) []byte {
	return binary.AppendUvarint(binary.BigEndian.AppendUint64(b[:0], p.seq), p.version)
}

func decodePlace(b []byte) (place, error) {
	if len(b) < 9 {
		return place{}, errDamaged
	}
	version, n := binary.Uvarint(b[8:])
	if n <= 0 {
		return place{}, errDamaged
	}
	return place{binary.BigEndian.Uint64(b), version}, nil
}

// record is a stored document. Its slices point into the bytes that it was decoded from.
type record struct {
	place
	id, routing []byte
	checked     bool   // the record has a place for ignored
	ignored     []byte // the fields of _ignored as a JSON list; empty: none
	source      []byte
}

// encodedLen is how many bytes append writes.
func (r *record) encodedLen() int {
	n := uvarintLen(r.version) + uvarintLen(uint64(len(r.id))) + len(r.id) +
		uvarintLen(uint64(len(r.routing))) + len(r.routing) + len(r.source)
	if r.checked {
		n += uvarintLen(uint64(len(r.ignored))) + len(r.ignored)
	}
	return n
}

func uvarintLen(n uint64) int { return max(1, (bits.Len64(n)+6)/7) }

func (r *record) append(b []byte) []byte {
	b = binary.AppendUvarint(b[:0], r.version)
	b = binary.AppendUvarint(b, uint64(len(r.id)))
	b = append(b, r.id...)
	b = binary.AppendUvarint(b, uint64(len(r.routing)))
	b = append(b, r.routing...)
	if r.checked {
		b = binary.AppendUvarint(b, uint64(len(r.ignored)))
		b = append(b, r.ignored...)
	}
	return append(b, r.source...)
}

// decodeRecord reads a record of an index; checked reports whether its documents are checked.
func decodeRecord(key, value []byte, checked bool) (record, error) {
	if len(key) != docKeyLen {
		return record{}, errDamaged
	}
	r := record{place: place{seq: binary.BigEndian.Uint64(key[5:])}, checked: checked}
	version, n := binary.Uvarint(value)
	if n <= 0 {
		return record{}, errDamaged
	}
	r.version, value = version, value[n:]
	parts := []*[]byte{&r.id, &r.routing, &r.ignored}
	if !checked {
		parts = parts[:2]
	}
	for _, part := range parts {
		size, n := binary.Uvarint(value)
		if n <= 0 || size > uint64(len(value)-n) {
			return record{}, errDamaged
		}
		*part, value = value[n:n+int(size)], value[n+int(size):]
	}
	r.source = value
	return r, nil
}
