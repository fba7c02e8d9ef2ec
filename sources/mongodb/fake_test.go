package mongodb

import (
	"context"
	"crypto/tls"
	"log/slog"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mongodb/mongotest"
)

// fake speaks MongoDB's wire protocol and answers what a test says. It knows no more of a server than what
// it takes to be greeted as one.
type fake struct {
	t       testing.TB
	address string
	wire    int32                                   // the version of the protocol that it says it speaks
	answer  func(name string, command bson.Raw) any // a document, a serverError, hangUp, or silence

	mu    sync.Mutex
	asked []bson.Raw // but for greetings
}

// What an answer may be beside a document.
type (
	serverError struct {
		code          int32
		name, message string
	}
	hangUp  struct{} // the connection ends
	silence struct{} // nothing comes, and the connection stays
)

// newFake starts a server for one test.
func newFake(t testing.TB, answer func(name string, command bson.Raw) any) *fake {
	t.Helper()
	return newTLSFake(t, nil, answer)
}

// newTLSFake starts one that speaks TLS, unless the configuration is nil.
func newTLSFake(t testing.TB, config *tls.Config, answer func(name string, command bson.Raw) any) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	f := &fake{t: t, address: l.Addr().String(), wire: 17, answer: answer}
	mongotest.Serve(t, l, f.reply)
	return f
}

// reply is what becomes of a command; ok is false where the connection ends.
func (f *fake) reply(command bson.Raw) (reply any, ok bool) {
	first, err := command.IndexErr(0)
	if err != nil {
		return nil, false
	}
	name := first.Key()
	switch strings.ToLower(name) {
	case "hello", "ismaster":
		return bson.D{
			{Key: "ismaster", Value: true},
			{Key: "isWritablePrimary", Value: true},
			{Key: "minWireVersion", Value: int32(0)},
			{Key: "maxWireVersion", Value: f.wire},
			{Key: "maxBsonObjectSize", Value: int32(16 << 20)},
			{Key: "maxMessageSizeBytes", Value: int32(48_000_000)},
			{Key: "maxWriteBatchSize", Value: int32(100_000)},
			{Key: "ok", Value: 1.0},
		}, true
	case "endsessions", "killcursors":
		return bson.D{{Key: "ok", Value: 1.0}}, true
	}
	f.mu.Lock()
	f.asked = append(f.asked, command)
	f.mu.Unlock()
	switch a := f.answer(name, command).(type) {
	case hangUp:
		return nil, false
	case silence:
		return nil, true
	case serverError:
		return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: a.message}, {Key: "code", Value: a.code}, {Key: "codeName", Value: a.name}}, true
	case nil:
		return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: "no such command: '" + name + "'"}, {Key: "code", Value: int32(59)}, {Key: "codeName", Value: "CommandNotFound"}}, true
	default:
		return a, true
	}
}

// commands are those that were asked by a name; "" is all.
func (f *fake) commands(name string) (all []bson.Raw) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.asked {
		if first, err := c.IndexErr(0); err == nil && (name == "" || first.Key() == name) {
			all = append(all, c)
		}
	}
	return all
}

// cursorOf answers with a batch of documents; id is 0 where there are no more.
func cursorOf(id int64, batch string, documents ...any) bson.D {
	if documents == nil {
		documents = []any{}
	}
	return bson.D{
		{Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: "shop.x"}, {Key: batch, Value: bson.A(documents)}}}, {Key: "ok", Value: 1.0},
	}
}

const (
	firstBatch = "firstBatch"
	nextBatch  = "nextBatch"
)

// listed answers to listCollections with collections, by their names and kinds.
func listed(command bson.Raw, kinds map[string]string) bson.D {
	var all []any
	wanted, filtered := command.Lookup("filter", "name").StringValueOK()
	for name, kind := range kinds {
		if !filtered || name == wanted {
			all = append(all, bson.D{{Key: "name", Value: name}, {Key: "type", Value: kind}})
		}
	}
	return cursorOf(0, firstBatch, all...)
}

// docs are documents whose _id are the numbers from one to the one before another.
func docs(from, to int) (all []any) {
	for i := from; i < to; i++ {
		all = append(all, bson.D{{Key: "_id", Value: int32(i)}, {Key: "n", Value: int32(i)}})
	}
	return all
}

// values is the configuration that reads the fake, with some keys changed.
func (f *fake) values(change map[string]any) map[string]any {
	v := map[string]any{"host": f.address, "database": "shop", "collection": "orders", "direct_connection": true, "retry_count": 3}
	maps.Copy(v, change)
	return v
}

// open opens a source on the fake that makes no pauses.
func (f *fake) open(change map[string]any, env source.Env) *database {
	f.t.Helper()
	d := sqltest.Open(f.t, &Type, f.values(change), env).(*database)
	d.pause, _ = sqltest.NoPauses()
	return d
}

// openErr is the first error of opening, validating and asking.
func openErr(t testing.TB, raw map[string]any, env source.Env) error {
	t.Helper()
	v, err := field.Parse(Type.Fields, raw)
	if err != nil {
		t.Fatal(err)
	}
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	s, err := Type.Open(t.Context(), v, env)
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = s.Close() })
	d := s.(*database)
	d.pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	if err := s.Validate(t.Context()); err != nil {
		return err
	}
	return s.Ping(t.Context())
}

// numbered answers as a server with collections of some kind, each with so many documents, in batches of ten.
func numbered(kind string, collections ...string) func(name string, command bson.Raw) any {
	kinds := map[string]string{}
	for _, c := range collections {
		kinds[c] = kind
	}
	return func(name string, command bson.Raw) any {
		switch name {
		case "saslStart": // of PLAIN, which asks for nothing more
			return bson.D{{Key: "conversationId", Value: int32(1)}, {Key: "done", Value: true}, {Key: "payload", Value: bson.Binary{}}, {Key: "ok", Value: 1.0}}
		case "ping":
			return bson.D{{Key: "ok", Value: 1.0}}
		case "listCollections":
			return listed(command, kinds)
		case "count":
			return bson.D{{Key: "n", Value: int32(30)}, {Key: "ok", Value: 1.0}}
		case "find", "aggregate":
			return cursorOf(7, firstBatch, docs(0, 10)...)
		case "getMore":
			return cursorOf(0, nextBatch, docs(10, 20)...)
		}
		return nil
	}
}
