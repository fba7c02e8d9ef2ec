package networkdrive

import (
	"encoding/binary"
	"net"
)

// tap is a connection that reads the response to the login, which says whether the server let a user in as a guest,
// see [MS-SMB2] 2.2.6; the client library does not expose it. That response is never encrypted.
type tap struct {
	net.Conn
	head  []byte // what was read but not examined
	done  bool
	guest bool
}

// Offsets in a response, counted from the length before it.
const (
	tapLength  = 4
	tapStatus  = tapLength + 8
	tapCommand = tapLength + 12
	tapFlags   = tapLength + 64 + 2
	tapEnd     = tapFlags + 2

	sessionSetup     = 1
	guestOrAnonymous = 1 | 2
	longestAnswer    = 1 << 20 // a longer one is not a response to a login
)

// Read implements [net.Conn]. It is called by one goroutine.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.look(p[:n])
	return n, err
}

func (t *tap) look(read []byte) {
	if t.done {
		return
	}
	t.head = append(t.head, read...)
	for len(t.head) >= tapLength {
		size := tapLength + int(binary.BigEndian.Uint32(t.head)&0xffffff)
		if size > longestAnswer {
			t.done, t.head = true, nil
			return
		}
		if len(t.head) < size {
			return
		}
		answer := t.head[:size]
		t.head = t.head[size:]
		if size >= tapEnd && binary.LittleEndian.Uint16(answer[tapCommand:]) == sessionSetup && binary.LittleEndian.Uint32(answer[tapStatus:]) == 0 {
			t.guest = binary.LittleEndian.Uint16(answer[tapFlags:])&guestOrAnonymous != 0
			t.done, t.head = true, nil
			return
		}
	}
}
