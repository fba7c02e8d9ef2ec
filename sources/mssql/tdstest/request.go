package tdstest

import (
	"encoding/binary"
)

// Param is one parameter of a statement.
type Param struct {
	Name  string // including its @
	Value any    // nil, an int64, bool, string or []byte
}

// Statement is a request of a client.
type Statement struct {
	Session int    // number of the connection, from 1
	User    string // user of the session
	// Reset is true if the session was reset first, which undoes every SET.
	Reset bool
	SQL   string // the text without spaces around it
	// Declared is the declaration of parameters for sp_executesql, such as "@p1 bigint".
	Declared string
	Params   []Param
}

// procedureExecuteSQL is the number of sp_executesql in RPC requests.
const procedureExecuteSQL = 10

// parseRequest reads a statement from a batch or an RPC request.
func parseRequest(m message) (Statement, error) {
	r := &reader{rest: m.body}
	skipHeaders(r)
	s := Statement{Reset: m.reset}
	switch m.kind {
	case packetBatch:
		s.SQL = ucs2(r.rest)
		if len(r.rest)%2 != 0 {
			r.fail("the text of a batch has %d bytes, which is no UTF-16", len(r.rest))
		}
	case packetRPC:
		parseRPC(r, &s)
	default:
		r.fail("a packet of type %d is no request", m.kind)
	}
	return s, r.err
}

// skipHeaders reads ALL_HEADERS: the transaction descriptor, which a server for one test can ignore.
func skipHeaders(r *reader) {
	if total := r.int(4); total < 4 {
		r.fail("ALL_HEADERS says that it has %d bytes, less than its length", total)
	} else {
		r.bytes(total - 4)
	}
}

// parseRPC reads a call of sp_executesql: a statement, a declaration of parameters, and the parameters.
func parseRPC(r *reader, s *Statement) {
	if name, procedure := r.int(2), r.int(2); name != 0xffff || procedure != procedureExecuteSQL {
		r.fail("procedures other than sp_executesql (%d) are not known", procedureExecuteSQL)
	}
	r.bytes(2) // options
	for len(r.rest) > 0 && r.err == nil {
		s.Params = append(s.Params, parseParam(r))
	}
	if r.err == nil && !executeSQL(s) {
		r.fail("sp_executesql wants a text and a declaration as its first parameters")
	}
}

// executeSQL splits the parameters of sp_executesql into statement, declaration and parameters.
func executeSQL(s *Statement) (ok bool) {
	if len(s.Params) < 2 {
		return false
	}
	if s.SQL, ok = s.Params[0].Value.(string); !ok {
		return false
	}
	s.Declared, ok = s.Params[1].Value.(string)
	s.Params = s.Params[2:]
	return ok
}

func parseParam(r *reader) Param {
	p := Param{Name: r.text(1)}
	r.bytes(1) // flags: by reference, default
	p.Value = parseValue(r, r.byte())
	return p
}

// parseValue reads TYPE_INFO after its first byte, and the value.
func parseValue(r *reader, id byte) any {
	switch id {
	case idNull:
		return nil
	case idIntN, idBitN:
		r.byte()
		b := r.bytes(r.int(1))
		switch n := len(b); {
		case id == idBitN && n == 1:
			return b[0] != 0
		case id == idIntN && (n == 1 || n == 2 || n == 4 || n == 8):
			return integer(b)
		case n > 0:
			r.fail("a parameter of type 0x%02x cannot have %d bytes", id, n)
		}
		return nil
	case idNVarChar, idBigVarBinary:
		limit := r.int(2)
		if id == idNVarChar {
			r.bytes(collationSize)
		}
		raw := parseLong(r, limit == unlimited)
		switch {
		case raw == nil:
			return nil
		case id == idBigVarBinary:
			return raw
		case len(raw)%2 != 0:
			r.fail("a text of %d bytes is no UTF-16", len(raw))
		}
		return ucs2(raw)
	}
	r.fail("parameters of type 0x%02x are not known", id)
	return nil
}

// parseLong reads a value with a length of two bytes, or in chunks; nil is NULL.
func parseLong(r *reader, chunks bool) []byte {
	if !chunks {
		n := r.int(2)
		if n == unlimited {
			return nil
		}
		return r.bytes(n)
	}
	if r.uint(8) == plpNull {
		return nil
	}
	raw := []byte{}
	for {
		n := r.int(4)
		if n == 0 || r.err != nil {
			return raw
		}
		raw = append(raw, r.bytes(n)...)
	}
}

// integer reads a signed integer; the one-byte type, tinyint, is unsigned.
func integer(b []byte) int64 {
	switch len(b) {
	case 1:
		return int64(b[0])
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	default:
		return int64(binary.LittleEndian.Uint64(b))
	}
}
