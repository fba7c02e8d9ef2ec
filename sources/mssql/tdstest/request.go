package tdstest

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Param is one parameter of a statement.
type Param struct {
	Name string // including its @; empty for a procedure called by position
	// Value is nil, an int64, bool, float64, string (texts, and decimal, money and uniqueidentifier in their usual
	// form), []byte or time.Time, in UTC except for a datetimeoffset.
	Value any
}

// Statement is a request of a client.
type Statement struct {
	Session int    // number of the connection, from 1
	User    string // user of the session
	// Reset is true if the session was reset first, which undoes every SET.
	Reset bool
	// SQL is the text without spaces around it, or the name of a procedure. For transactions it is BEGIN TRANSACTION
	// followed by the number of the isolation level (5 is snapshot, 0 the current one), COMMIT TRANSACTION or
	// ROLLBACK TRANSACTION.
	SQL string
	// Declared is the declaration of parameters for sp_executesql, such as "@p1 bigint".
	Declared string
	Params   []Param
}

// Requests of the transaction manager, MS-TDS 2.2.6.9.
const (
	transactionBegin    = 5
	transactionCommit   = 7
	transactionRollback = 8
)

// procedureExecuteSQL is the number of sp_executesql in RPC requests.
const procedureExecuteSQL = 10

// parseRequest reads a statement from a batch, an RPC request or a transaction manager request.
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
	case packetTransaction:
		s.SQL = parseTransaction(r)
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

func parseTransaction(r *reader) string {
	switch kind := r.int(2); kind {
	case transactionBegin:
		return "BEGIN TRANSACTION " + strconv.Itoa(r.int(1))
	case transactionCommit:
		return "COMMIT TRANSACTION"
	case transactionRollback:
		return "ROLLBACK TRANSACTION"
	default:
		r.fail("request %d of the transaction manager is not known", kind)
		return ""
	}
}

func parseRPC(r *reader, s *Statement) {
	procedure := 0
	if n := r.int(2); n == 0xffff {
		procedure = r.int(2)
	} else {
		s.SQL = ucs2(r.bytes(2 * n))
	}
	r.bytes(2) // options
	for len(r.rest) > 0 && r.err == nil {
		s.Params = append(s.Params, parseParam(r))
	}
	switch {
	case procedure == 0 || r.err != nil:
		return
	case procedure != procedureExecuteSQL:
		r.fail("procedure number %d is not known, only sp_executesql (%d) is", procedure, procedureExecuteSQL)
	case !executeSQL(s):
		r.fail("sp_executesql wants a text and a declaration as its first parameters")
	}
}

// executeSQL splits the parameters of sp_executesql into statement, declaration and parameters.
func executeSQL(s *Statement) bool {
	texts := [2]string{}
	for i := range min(2, len(s.Params)) {
		text, ok := s.Params[i].Value.(string)
		if !ok {
			return false
		}
		texts[i] = text
	}
	if len(s.Params) == 0 {
		return false
	}
	s.SQL, s.Declared = texts[0], texts[1]
	s.Params = s.Params[min(2, len(s.Params)):]
	return true
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
	case idIntN, idBitN, idFloatN, idMoneyN, idDateTimeN, idUniqueIdentifier:
		r.byte()
		return fromBytes(r, id, 0, r.bytes(r.int(1)))
	case idDecimalN, idNumericN:
		r.bytes(2)
		scale := r.byte()
		return fromBytes(r, id, scale, r.bytes(r.int(1)))
	case idDate:
		return fromBytes(r, id, 0, r.bytes(r.int(1)))
	case idTime, idDateTime2, idDateTimeOffset:
		scale := r.byte()
		return fromBytes(r, id, scale, r.bytes(r.int(1)))
	case idBigVarChar, idBigChar, idNVarChar, idNChar, idBigVarBinary, idBigBinary:
		limit := r.int(2)
		if id != idBigVarBinary && id != idBigBinary {
			r.bytes(collationSize)
		}
		raw := parseLong(r, limit == unlimited)
		if raw == nil {
			return nil
		}
		return fromLong(r, id, raw)
	default:
		r.fail("parameters of type 0x%02x are not known", id)
		return nil
	}
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

func fromLong(r *reader, id byte, raw []byte) any {
	switch id {
	case idNVarChar, idNChar:
		if len(raw)%2 != 0 {
			r.fail("a text of %d bytes is no UTF-16", len(raw))
		}
		return ucs2(raw)
	case idBigVarChar, idBigChar:
		return string(raw) // the driver sends UTF-8
	default:
		return raw
	}
}

// fromBytes reads a value whose length is one byte; no bytes mean NULL.
func fromBytes(r *reader, id, scale byte, b []byte) any {
	if len(b) == 0 || r.err != nil {
		return nil
	}
	switch {
	case id == idIntN && (len(b) == 1 || len(b) == 2 || len(b) == 4 || len(b) == 8):
		return integer(b)
	case id == idBitN && len(b) == 1:
		return b[0] != 0
	case id == idFloatN && len(b) == 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case id == idFloatN && len(b) == 8:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	case id == idMoneyN && len(b) == 4:
		return decimalText(int32Big(b), moneyScale)
	case id == idMoneyN && len(b) == 8:
		return decimalText(moneyBig(b), moneyScale)
	case id == idDecimalN || id == idNumericN:
		return decimalText(decimalBig(b), int(scale))
	case id == idUniqueIdentifier && len(b) == 16:
		return guidText(b)
	case id == idDateTimeN || id == idDate || id == idTime || id == idDateTime2 || id == idDateTimeOffset:
		t, err := timeFrom(id, scale, b)
		if err != nil {
			r.fail("%w", err)
		}
		return t
	}
	r.fail("a parameter of type 0x%02x cannot have %d bytes", id, len(b))
	return nil
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

// timeFrom reads the times of day and dates of a parameter.
func timeFrom(id, scale byte, b []byte) (time.Time, error) {
	if want := timeBytes(id, scale, len(b)); scale > largestScale || len(b) != want {
		return time.Time{}, fmt.Errorf("a time of type 0x%02x and scale %d cannot have %d bytes", id, scale, len(b))
	}
	if id == idDateTimeN {
		return dateTimeFrom(b), nil
	}
	r := &reader{rest: b}
	var clock time.Duration
	if id != idDate {
		clock = time.Duration(r.uint(clockSize(scale))) * tick(scale)
	}
	day := dayZero()
	if id != idTime {
		day = day.AddDate(0, 0, r.int(3))
	}
	t := day.Add(clock)
	if id == idDateTimeOffset {
		minutes := int(int16(r.uint(2)))
		t = t.In(time.FixedZone("", 60*minutes))
	}
	return t, nil
}
