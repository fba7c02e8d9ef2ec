package tdstest

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Options of PRELOGIN, MS-TDS 2.2.6.5.
const (
	optionVersion    = 0
	optionEncryption = 1
	optionMARS       = 4
	optionsEnd       = 0xff
)

// Values of the encryption option in PRELOGIN.
const (
	encryptOff          = 0 // only the login
	encryptOn           = 1
	encryptNotSupported = 2
	encryptRequired     = 3
)

// parsePrelogin returns the client's encryption option.
func parsePrelogin(body []byte) (byte, error) {
	for at := 0; at < len(body) && body[at] != optionsEnd; at += 5 {
		if at+5 > len(body) {
			break
		}
		if body[at] != optionEncryption {
			continue
		}
		offset := int(binary.BigEndian.Uint16(body[at+1:]))
		if offset >= len(body) || binary.BigEndian.Uint16(body[at+3:]) != 1 {
			return 0, errors.New("PRELOGIN: the option for encryption is not one byte of the message")
		}
		return body[offset], nil
	}
	return 0, errors.New("PRELOGIN: there is no option for encryption")
}

// prelogin is the server's response to it.
func prelogin(encryption byte) []byte {
	options := []struct {
		token byte
		data  []byte
	}{
		{optionVersion, []byte{16, 0, 0, 0, 0, 0}},
		{optionEncryption, []byte{encryption}},
		{optionMARS, []byte{0}},
	}
	var head, data []byte
	offset := 5*len(options) + 1
	for _, o := range options {
		head = append(head, o.token)
		head = binary.BigEndian.AppendUint16(head, uint16(offset+len(data)))
		head = binary.BigEndian.AppendUint16(head, uint16(len(o.data)))
		data = append(data, o.data...)
	}
	return append(append(head, optionsEnd), data...)
}

// login is the part of LOGIN7 that the server reads, MS-TDS 2.2.6.4.
type login struct {
	packetSize                    int
	user, password, app, database string
}

// Offsets in LOGIN7's fixed part.
const (
	loginPacketSize = 8
	loginUser       = 40
	loginPassword   = 44
	loginApp        = 48
	loginDatabase   = 68
	loginFixed      = 94
)

func parseLogin(body []byte) (login, error) {
	if len(body) < loginFixed {
		return login{}, fmt.Errorf("LOGIN7 has %d bytes, but its fixed part alone has %d", len(body), loginFixed)
	}
	l := login{packetSize: int(binary.LittleEndian.Uint32(body[loginPacketSize:]))}
	password := []byte(nil)
	for place, put := range map[int]func(b []byte){
		loginUser:     func(b []byte) { l.user = ucs2(b) },
		loginPassword: func(b []byte) { password = b },
		loginApp:      func(b []byte) { l.app = ucs2(b) },
		loginDatabase: func(b []byte) { l.database = ucs2(b) },
	} {
		offset := int(binary.LittleEndian.Uint16(body[place:]))
		length := 2 * int(binary.LittleEndian.Uint16(body[place+2:]))
		if offset+length > len(body) {
			return login{}, fmt.Errorf("LOGIN7: the text at %d ends at %d, after the message of %d bytes", place, offset+length, len(body))
		}
		put(body[offset : offset+length])
	}
	l.password = ucs2(reveal(password))
	return l, nil
}

// reveal undoes what LOGIN7 does to a password: the halves of each byte swapped, then xor 0xA5.
func reveal(password []byte) []byte {
	out := make([]byte, len(password))
	for i, b := range password {
		b ^= 0xa5
		out[i] = b<<4 | b>>4
	}
	return out
}
