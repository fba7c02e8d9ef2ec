package mongotest

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Server is a replica set of one member. Its methods may be called while it responds.
type Server struct {
	t       testing.TB
	address string

	mu          sync.Mutex
	collections map[string]*collection // by database, a dot, and name
	log         []event
	forgotten   bson.Timestamp // events up to it were removed from the log
	clock       uint32
	cursors     map[int64]*cursor
	last        int64 // cursor
	asked       []bson.Raw

	failing sync.Mutex // held while fail runs, which may call methods; taken before mu
	fail    func(name string, command bson.Raw) any
}

// collection keeps its documents in the order of their _id.
type collection struct {
	uuid bson.Binary
	docs []bson.Raw
}

// Error is an error response to a command.
type Error struct {
	Code    int32
	Name    string
	Message string
}

// HangUp closes the connection instead of responding.
type HangUp struct{}

// New starts a server that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		t: t, address: l.Addr().String(), collections: map[string]*collection{}, cursors: map[int64]*cursor{}, clock: 1,
	}
	Serve(t, l, func(command bson.Raw) (any, bool) { return s.reply(command) })
	return s
}

// URI is the address of the server.
func (s *Server) URI() string { return "mongodb://" + s.address + "/?replicaSet=rs0" }

// Fail lets commands fail: before the response to one, f returns what to respond instead: an [Error], [HangUp], or nil
// for nothing. A nil f ends that. f is called by one at a time, and may call all methods but Fail.
func (s *Server) Fail(f func(name string, command bson.Raw) any) {
	s.failing.Lock()
	defer s.failing.Unlock()
	s.fail = f
}

// Asked are the commands received so far with this name.
func (s *Server) Asked(name string) (all []bson.Raw) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.asked {
		if first, err := c.IndexErr(0); err == nil && first.Key() == name {
			all = append(all, c)
		}
	}
	return all
}

// reply responds to a command; ok is false if the connection ends.
func (s *Server) reply(command bson.Raw) (reply bson.D, ok bool) {
	first, err := command.IndexErr(0)
	if err != nil {
		return nil, false
	}
	name := first.Key()
	s.mu.Lock()
	s.asked = append(s.asked, slices.Clone(command))
	s.mu.Unlock()
	answer := s.failure(name, command)
	s.mu.Lock()
	defer s.mu.Unlock()
	if answer == nil {
		answer = s.answer(name, command)
	}
	switch a := answer.(type) {
	case HangUp:
		return nil, false
	case Error:
		reply = bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: a.Message}, {Key: "code", Value: a.Code}, {Key: "codeName", Value: a.Name}}
	case bson.D:
		reply = slices.Concat(a, bson.D{{Key: "ok", Value: 1.0}})
	}
	now := s.now()
	return append(reply,
		bson.E{Key: "operationTime", Value: now},
		bson.E{Key: "$clusterTime", Value: bson.D{
			{Key: "clusterTime", Value: now},
			{Key: "signature", Value: bson.D{{Key: "hash", Value: bson.Binary{Data: make([]byte, 20)}}, {Key: "keyId", Value: int64(0)}}},
		}}), true
}

// failure is what to respond to a command instead; nil is nothing.
func (s *Server) failure(name string, command bson.Raw) any {
	s.failing.Lock()
	defer s.failing.Unlock()
	if s.fail == nil {
		return nil
	}
	return s.fail(name, command)
}

// answer is a bson.D or an Error.
func (s *Server) answer(name string, command bson.Raw) any {
	db, _ := command.Lookup("$db").StringValueOK()
	switch strings.ToLower(name) {
	case "hello", "ismaster":
		return bson.D{
			{Key: "ismaster", Value: true},
			{Key: "isWritablePrimary", Value: true},
			{Key: "setName", Value: "rs0"},
			{Key: "setVersion", Value: int32(1)},
			{Key: "hosts", Value: bson.A{s.address}},
			{Key: "primary", Value: s.address},
			{Key: "me", Value: s.address},
			{Key: "minWireVersion", Value: int32(0)},
			{Key: "maxWireVersion", Value: int32(21)},
			{Key: "maxBsonObjectSize", Value: int32(16 << 20)},
			{Key: "maxMessageSizeBytes", Value: int32(48_000_000)},
			{Key: "maxWriteBatchSize", Value: int32(100_000)},
			{Key: "logicalSessionTimeoutMinutes", Value: int32(30)},
		}
	case "ping", "endsessions":
		return bson.D{}
	case "killcursors":
		list, _ := command.Lookup("cursors").ArrayOK()
		ids, _ := list.Values() // none if there is no list
		for _, id := range ids {
			delete(s.cursors, id.AsInt64())
		}
		return bson.D{}
	case "listcollections":
		return s.list(db, command)
	case "count":
		c := s.collections[db+"."+command.Lookup("count").StringValue()]
		if c == nil {
			return bson.D{{Key: "n", Value: int32(0)}}
		}
		return bson.D{{Key: "n", Value: int32(len(c.docs))}}
	case "find":
		return s.find(db, command)
	case "aggregate":
		return s.watch(db, command)
	case "getmore":
		return s.more(db, command)
	}
	return Error{59, "CommandNotFound", fmt.Sprintf("no such command: '%s'", name)}
}

func (s *Server) list(db string, command bson.Raw) bson.D {
	wanted, filtered := command.Lookup("filter", "name").StringValueOK()
	all := bson.A{}
	for full, c := range s.collections {
		name, here := strings.CutPrefix(full, db+".")
		if here && (!filtered || name == wanted) {
			all = append(all, bson.D{
				{Key: "name", Value: name},
				{Key: "type", Value: "collection"},
				{Key: "info", Value: bson.D{{Key: "readOnly", Value: false}, {Key: "uuid", Value: c.uuid}}},
			})
		}
	}
	return batch(0, db+".$cmd.listCollections", "firstBatch", all)
}

func batch(id int64, ns, name string, docs bson.A) bson.D {
	return bson.D{{Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: ns}, {Key: name, Value: docs}}}}
}

// cursor is the rest of a find, or a change stream.
type cursor struct {
	ns     string
	docs   []bson.Raw
	stream *stream
}

func (s *Server) open(c *cursor) int64 {
	s.last++
	s.cursors[s.last] = c
	return s.last
}

func (s *Server) more(db string, command bson.Raw) any {
	id, _ := command.Lookup("getMore").AsInt64OK()
	c := s.cursors[id]
	if c == nil {
		return Error{43, "CursorNotFound", fmt.Sprintf("cursor id %d not found", id)}
	}
	size := sizeOf(command.Lookup("batchSize"))
	if c.stream != nil {
		return s.nextEvents(id, c, size)
	}
	some := c.docs[:min(size, len(c.docs))]
	c.docs = c.docs[len(some):]
	if len(c.docs) == 0 {
		delete(s.cursors, id)
		id = 0
	}
	return batch(id, db+"."+command.Lookup("collection").StringValue(), "nextBatch", listOf(some))
}

func sizeOf(v bson.RawValue) int {
	if n, ok := v.AsInt64OK(); ok && n > 0 {
		return int(n)
	}
	return 101
}

func listOf(docs []bson.Raw) bson.A {
	all := bson.A{}
	for _, d := range docs {
		all = append(all, d)
	}
	return all
}
