// Package mongotest is a replica set with one member, in memory: the part of MongoDB that this program's source uses, with
// change streams as MongoDB's documentation and the specification of its drivers describe them. Tests change its data by
// methods, since the program writes nothing.
//
// It is imported by tests only. Its invariant: an unsupported request is an error, never a guess.
package mongotest

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The protocol, see https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/.
const (
	opReply = 1
	opQuery = 2004
	opMsg   = 2013
)

// Serve responds to requests on connections to a listener until the test ends. answer may be called concurrently; nil is
// no response, and ok is false if the connection ends.
func Serve(t testing.TB, l net.Listener, answer func(command bson.Raw) (reply any, ok bool)) {
	var mu sync.Mutex
	conns := map[net.Conn]bool{}
	var wg sync.WaitGroup
	wg.Go(func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[c] = true
			mu.Unlock()
			wg.Go(func() { serve(t, c, answer) }) // ends with the connection
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
}

func serve(t testing.TB, c net.Conn, answer func(command bson.Raw) (reply any, ok bool)) {
	defer func() { _ = c.Close() }()
	for {
		request, op, command := readCommand(c)
		if command == nil {
			return
		}
		reply, ok := answer(command)
		if !ok {
			return
		}
		if reply == nil {
			continue
		}
		b, err := bson.Marshal(reply)
		if err != nil {
			t.Errorf("a response of the test is not BSON: %v", err)
			return
		}
		writeReply(c, request, op, b)
	}
}

// readCommand reads one message; the command is nil if there is no other.
func readCommand(c net.Conn) (request int32, op uint32, command bson.Raw) {
	var head [16]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return 0, 0, nil
	}
	rest := make([]byte, binary.LittleEndian.Uint32(head[:])-16)
	if _, err := io.ReadFull(c, rest); err != nil {
		return 0, 0, nil
	}
	request, op = int32(binary.LittleEndian.Uint32(head[4:])), binary.LittleEndian.Uint32(head[12:])
	if op == opQuery { // flags, the name of a collection, two numbers
		end := 4
		for rest[end] != 0 {
			end++
		}
		rest = rest[end+9:]
	} else { // flags, and the kind of the first section
		rest = rest[5:]
	}
	return request, op, bson.Raw(rest[:binary.LittleEndian.Uint32(rest)])
}

// writeReply responds to a message with a document.
func writeReply(c net.Conn, request int32, op uint32, doc []byte) {
	before := []byte{0, 0, 0, 0, 0}
	kind := uint32(opMsg)
	if op == opQuery {
		before, kind = make([]byte, 20), opReply
		before[16] = 1 // one document
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(16+len(before)+len(doc)))
	out = binary.LittleEndian.AppendUint32(out, 1)
	out = binary.LittleEndian.AppendUint32(out, uint32(request))
	out = binary.LittleEndian.AppendUint32(out, kind)
	_, _ = c.Write(append(append(out, before...), doc...))
}
