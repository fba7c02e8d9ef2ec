package networkdrive

import (
	"encoding/binary"
	"net"
)

// tap is a connection that looks at the answer to the login: whether the server let a user in as a guest is
// written there, see [MS-SMB2] 2.2.6, and the client keeps it to itself. That answer is never encrypted.
type tap struct {
	net.Conn
	head  []byte // of what was read and not looked at
	done  bool
	guest bool
}

// The places in an answer, from the length that stands before it.
const (
	tapLength  = 4
	tapStatus  = tapLength + 8
	tapCommand = tapLength + 12
	tapFlags   = tapLength + 64 + 2
	tapEnd     = tapFlags + 2

	sessionSetup     = 1
	guestOrAnonymous = 1 | 2
	longestAnswer    = 1 << 20 // a longer one is no answer to a login
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
