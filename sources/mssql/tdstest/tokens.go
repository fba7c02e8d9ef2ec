package tdstest

import "encoding/binary"

// Tokens, MS-TDS 2.2.7.
const (
	tokenReturnStatus = 0x79
	tokenColumns      = 0x81
	tokenError        = 0xaa
	tokenLoginAck     = 0xad
	tokenRow          = 0xd1
	tokenNBCRow       = 0xd2
	tokenEnvironment  = 0xe3
	tokenDone         = 0xfd
	tokenDoneProc     = 0xfe
	tokenDoneInProc   = 0xff
)

// Bits of DONE.
const (
	doneMore      = 0x01
	doneError     = 0x02
	doneCount     = 0x10
	doneAttention = 0x20
	// doneServerError means that the result must be discarded.
	doneServerError = 0x100
)

// Types of ENVCHANGE.
const (
	changeDatabase   = 1
	changePacketSize = 4
	changeCollation  = 7
	changeReset      = 18
)

const (
	commandSelect = 0xc1
	version74     = 0x74000004
)

// Numbers of errors that the server generates.
const (
	errorLogin    = 18456
	errorDatabase = 4060
	errorUnknown  = 50000
)

// fatal is the lowest class of errors that close the connection.
const fatal = 20

// Message is an error in the form that a server sends.
type Message struct {
	Number int32
	State  uint8
	Class  uint8 // the severity; zero means 16
	Text   string
}

// append appends the token ERROR.
func (m Message) append(b []byte) []byte {
	if m.Class == 0 {
		m.Class = 16
	}
	body := appendUint(nil, uint64(uint32(m.Number)), 4)
	body = append(body, m.State, m.Class)
	body = appendText(body, m.Text, 2)
	body = appendText(body, "tdstest", 1)
	body = appendUint(appendText(body, "", 1), 0, 4) // neither a procedure nor a line
	return append(appendUint(append(b, tokenError), uint64(len(body)), 2), body...)
}

// appendDone is DONE, DONEPROC or DONEINPROC.
func appendDone(b []byte, token byte, status, command uint16, count int64) []byte {
	b = appendUint(append(b, token), uint64(status), 2)
	return appendUint(appendUint(b, uint64(command), 2), uint64(count), 8)
}

// appendTextChange is an ENVCHANGE between texts.
func appendTextChange(b []byte, kind byte, now, before string) []byte {
	body := appendText(appendText([]byte{kind}, now, 1), before, 1)
	return append(appendUint(append(b, tokenEnvironment), uint64(len(body)), 2), body...)
}

// appendBytesChange is an ENVCHANGE between bytes.
func appendBytesChange(b []byte, kind byte, now, before []byte) []byte {
	body := append([]byte{kind, byte(len(now))}, now...)
	body = append(append(body, byte(len(before))), before...)
	return append(appendUint(append(b, tokenEnvironment), uint64(len(body)), 2), body...)
}

func appendLoginAck(b []byte) []byte {
	body := binary.BigEndian.AppendUint32([]byte{1}, version74) // 1: Transact-SQL
	body = appendText(body, "tdstest", 1)
	body = append(body, 16, 0, 0, 0)
	return append(appendUint(append(b, tokenLoginAck), uint64(len(body)), 2), body...)
}
