package tdstest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
)

// Types of packets, MS-TDS 2.2.3.1.1.
const (
	packetBatch     = 1
	packetRPC       = 3
	packetReply     = 4
	packetAttention = 6
	packetLogin     = 16
	packetPrelogin  = 18
)

// Bits of a packet's status, MS-TDS 2.2.3.1.2.
const (
	statusEnd    = 0x01 // the last packet of its message
	statusIgnore = 0x02 // the client canceled its message
	statusReset  = 0x08 // the session is reset first
)

const (
	headerSize = 8
	// packetSize is the default packet size, and the size for every response to a login.
	packetSize = 4096
	// largestPacket and smallestPacket are the limits of MS-TDS.
	largestPacket, smallestPacket = 32767, 512
	// largestMessage limits a client that sends without end.
	largestMessage = 16 << 20
)

// message is the content of the packets of one request.
type message struct {
	kind  byte
	reset bool
	body  []byte
}

// readMessage reads the packets of one message. A message that the client canceled has no kind.
func readMessage(r io.Reader) (message, error) {
	var m message
	for {
		var header [headerSize]byte
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return m, err
		}
		size := int(binary.BigEndian.Uint16(header[2:])) - headerSize
		if size < 0 {
			return m, fmt.Errorf("a packet says that it has %d bytes, which is less than its header", size+headerSize)
		}
		if len(m.body)+size > largestMessage {
			return m, fmt.Errorf("a message has over %d bytes", largestMessage)
		}
		m.kind = header[0]
		m.reset = m.reset || header[1]&statusReset != 0
		start := len(m.body)
		m.body = append(m.body, make([]byte, size)...)
		if _, err := io.ReadFull(r, m.body[start:]); err != nil {
			return m, errors.Join(err, io.ErrUnexpectedEOF)
		}
		if header[1]&statusEnd == 0 {
			continue
		}
		if header[1]&statusIgnore != 0 {
			m = message{}
		}
		return m, nil
	}
}

// packetWriter writes a message of tokens in packets. The first error stays, and [packetWriter.end]
// returns it.
type packetWriter struct {
	to   io.Writer
	size int // packet size including the header
	buf  []byte
	id   byte
	err  error
}

func newPacketWriter(to io.Writer, size int) *packetWriter {
	return &packetWriter{to: to, size: size, buf: make([]byte, headerSize, size)}
}

func (w *packetWriter) bytes(b []byte) {
	for len(b) > 0 && w.err == nil {
		n := copy(w.buf[len(w.buf):w.size], b)
		w.buf = w.buf[:len(w.buf)+n]
		if b = b[n:]; len(b) > 0 {
			w.send(0)
		}
	}
}

// flush sends the buffered bytes, so that the client gets them while the rest is generated.
func (w *packetWriter) flush() {
	if len(w.buf) > headerSize {
		w.send(0)
	}
}

// end sends the last packet of the message.
func (w *packetWriter) end() error {
	w.send(statusEnd)
	return w.err
}

func (w *packetWriter) send(status byte) {
	if w.err != nil {
		return
	}
	w.id++
	w.buf[0], w.buf[1] = packetReply, status
	binary.BigEndian.PutUint16(w.buf[2:], uint16(len(w.buf)))
	binary.BigEndian.PutUint16(w.buf[4:], 0)
	w.buf[6], w.buf[7] = w.id, 0
	_, w.err = w.to.Write(w.buf)
	w.buf = w.buf[:headerSize]
}

// cutWriter writes so many bytes and fails afterwards; a limit below zero is none.
type cutWriter struct {
	to    io.Writer
	limit int
}

var errCut = errors.New("the answer was cut by the test")

func (w *cutWriter) Write(b []byte) (int, error) {
	if w.limit < 0 {
		return w.to.Write(b)
	}
	n, err := w.to.Write(b[:min(len(b), w.limit)])
	w.limit -= n
	if err == nil && n < len(b) {
		err = errCut
	}
	return n, err
}

// Little-endian numbers and texts, in the form of the tokens.

func appendUint(b []byte, v uint64, size int) []byte {
	for range size {
		b = append(b, byte(v))
		v >>= 8
	}
	return b
}

func appendUCS2(b []byte, s string) []byte {
	for _, unit := range utf16.Encode([]rune(s)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return b
}

// units is the length of a text in UTF-16.
func units(s string) int { return len(utf16.Encode([]rune(s))) }

// appendText is a B_VARCHAR for a length of one byte, a US_VARCHAR for one of two.
func appendText(b []byte, s string, lengthSize int) []byte {
	return appendUCS2(appendUint(b, uint64(units(s)), lengthSize), s)
}

func ucs2(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}

// reader reads a message. After the first error everything is empty.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.rest = nil
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.fail("%d bytes should follow, but there are %d", n, len(r.rest))
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint(size int) uint64 {
	var v uint64
	for i, b := range r.bytes(size) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

func (r *reader) byte() byte { return byte(r.uint(1)) }
func (r *reader) int(size int) int {
	return int(r.uint(size))
}

// text is a B_VARCHAR for a length of one byte, a US_VARCHAR for one of two.
func (r *reader) text(lengthSize int) string { return ucs2(r.bytes(2 * r.int(lengthSize))) }
