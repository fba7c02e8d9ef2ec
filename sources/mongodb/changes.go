package mongodb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// Changes are read from a change stream: of the collection, or of the database if several may be
// read. Of an event only its kind and the _id of its document are used; the documents themselves are then read
// in their current state. So no event is too large, and neither the order nor the number of events matters.
//
// The stream shows what a majority of the replica set has. Everything else is therefore read with read
// concern majority, from the primary: the full sync, so that no failover undoes it without an
// event, and the changed documents, not from before the stream's last event.

// streaming is a database whose changes can be followed.
type streaming struct{ *database }

var _ source.Changer = (*streaming)(nil)

const (
	// mostChanged is how many changed documents are collected, at some 100 bytes each.
	mostChanged = 500_000
	// streamWait is how long the server waits for another event before it responds that there is none.
	streamWait = 100 * time.Millisecond
	// streamBatch is how many events the server sends at a time.
	streamBatch = 10_000
)

// stream is an open change stream, with the session that knows the server's time.
type stream struct {
	*mongo.ChangeStream
	session *mongo.Session
}

// watch opens a change stream.
func (s *streaming) watch(ctx context.Context, from *place) (*stream, error) {
	client, err := s.connect()
	if err != nil {
		return nil, err
	}
	session, err := client.StartSession(options.Session().SetCausalConsistency(false))
	if err != nil {
		return nil, err
	}
	o := options.ChangeStream().SetMaxAwaitTime(streamWait).SetBatchSize(streamBatch)
	switch {
	case from == nil:
	case from.token != nil:
		o.SetResumeAfter(from.token)
	default:
		o.SetStartAtOperationTime(from.time)
	}
	only := mongo.Pipeline{{{Key: "$project", Value: bson.D{
		{Key: "operationType", Value: 1}, {Key: "ns", Value: 1}, {Key: "to", Value: 1}, {Key: "documentKey._id", Value: 1}, {Key: "clusterTime", Value: 1},
	}}}}
	ctx, stop := bounded(ctx, s.stall)
	defer stop()
	ctx = mongo.NewSessionContext(ctx, session)
	var opened *mongo.ChangeStream
	if names := s.set.collections; names.single() {
		c := client.Database(s.set.database).Collection(names[0].text, options.Collection().SetReadPreference(readpref.Primary()).SetReadConcern(readconcern.Majority()))
		opened, err = c.Watch(ctx, only, o)
	} else {
		db := client.Database(s.set.database, options.Database().SetReadPreference(readpref.Primary()).SetReadConcern(readconcern.Majority()))
		opened, err = db.Watch(ctx, only, o)
	}
	if err != nil {
		session.EndSession(ctx)
		return nil, s.handshakes.explain(causeOf(ctx, err))
	}
	return &stream{opened, session}, nil
}

func (x *stream) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpTimeout)
	defer cancel()
	_ = x.Close(ctx) // the server will end it eventually
	x.session.EndSession(ctx)
}

// now opens a stream that begins now, which proves that the server has change streams and that the user may read them, and
// returns the server's time and the token of the stream's beginning.
func (s *streaming) now(ctx context.Context) (at *bson.Timestamp, token bson.Raw, err error) {
	x, err := link.Connect(ctx, s.attempts(), func(ctx context.Context) (*stream, error) { return s.watch(ctx, nil) })
	if err != nil {
		return nil, nil, s.streamError(ctx, err)
	}
	defer x.close(ctx)
	at, token = x.session.OperationTime(), x.ResumeToken()
	if at == nil {
		return nil, nil, noStreams(errors.New("the server does not report the time of its change stream"))
	}
	return at, token, nil
}

// Position implements [source.Changer]. It is a time, not a token: a token says what the server has, and the
// time of the response what a majority of the replica set has.
func (s *streaming) Position(ctx context.Context) (source.Cursor, error) {
	read, err := s.whatIsRead(ctx)
	if err != nil {
		return "", err
	}
	at, _, err := s.now(ctx)
	if err != nil {
		return "", err
	}
	return place{time: at, read: read.digest}.cursor(), nil
}

// Changes implements [source.Changer].
func (s *streaming) Changes(ctx context.Context, since source.Cursor) (c source.Changes, err error) {
	read, err := s.whatIsRead(ctx)
	if err != nil {
		return c, err
	}
	from, err := parsePlace(since)
	if err != nil {
		return c, &source.LostError{Why: err.Error()}
	}
	if from.read != read.digest {
		return c, &source.LostError{Why: "the collections, the server or the fields to read have changed since the last sync"}
	}
	until, token, err := s.now(ctx)
	if err != nil {
		return c, err
	}
	f := &follower{s: s, read: read, until: until, token: token, most: mostChanged, ids: map[string]map[string]struct{}{}}
	if err := f.follow(ctx, from); err != nil {
		return c, err
	}
	c.Cursor = from.cursor()
	for _, name := range slices.Sorted(maps.Keys(read.found)) {
		c.Scopes = append(c.Scopes, scopeName(name))
	}
	for _, collection := range slices.Sorted(maps.Keys(f.ids)) {
		keys := slices.Collect(maps.Keys(f.ids[collection]))
		delete(f.ids, collection)
		c.Parts = append(c.Parts, s.changedParts(read.found[collection], keys, f.last)...)
	}
	return c, nil
}

// follower collects the events of a stream.
type follower struct {
	s       *streaming
	read    whatIsRead
	until   *bson.Timestamp                // later events are read by the next run
	token   bson.Raw                       // the same as a token, if tokens can be compared
	ids     map[string]map[string]struct{} // type and bytes of each _id, by collection
	n, most int
	last    *bson.Timestamp // the server's time after the last event
}

// follow reads the stream from a position up to now, and advances the position.
func (f *follower) follow(ctx context.Context, from *place) error {
	losses := 0
	for {
		before := string(from.token)
		x, err := f.s.watch(ctx, from)
		if err == nil {
			err = f.events(ctx, x, from)
			x.close(ctx)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if lost := f.s.lost(err); lost != nil {
			return lost
		}
		if losses++; string(from.token) != before {
			losses = 1
		}
		if losses >= f.s.set.attempts || !worthRetrying(err) {
			return f.s.streamError(ctx, err)
		}
		f.s.log.Warn("the change stream broke off; reopening it", "attempt", losses, "err", f.s.shorten(err).Error())
		if err := f.s.pause(ctx, link.BackOff(losses)); err != nil {
			return err
		}
	}
}

// events reads the events of an open stream until it has reached the current time.
func (f *follower) events(ctx context.Context, x *stream, from *place) error {
	quiet, reopened := time.Now(), 0
	for first := true; ; first = false {
		before, id := x.ResumeToken(), x.ID()
		bound, stop := bounded(ctx, f.s.stall)
		more := x.TryNext(bound)
		err := causeOf(bound, x.Err())
		stop()
		if err != nil {
			return err
		}
		if token := x.ResumeToken(); token != nil {
			from.token, from.time = slices.Clone(token), nil
		}
		f.last = x.session.OperationTime()
		switch {
		case more:
			done, err := f.event(x.Current)
			if done || err != nil {
				return err
			}
			quiet, reopened = time.Now(), 0
		case x.ID() == 0:
			return &source.LostError{Why: "the server ended the change stream"}
		case first, x.ID() != id:
			// This was the batch that arrived when the driver opened or reopened the stream: more events
			// were not requested yet.
			if reopened++; reopened > max(1, f.s.set.attempts) {
				return errBreaksOff
			}
		case f.reached(from.token), !f.read.sharded && string(before) == string(from.token):
			return nil
		case string(before) != string(from.token):
			quiet = time.Now()
		case f.s.stall > 0 && time.Since(quiet) > f.s.stall:
			return &source.Error{Kind: source.ErrTemporary, Err: fmt.Errorf("the change stream of the shards did not reach the current time within %v", f.s.stall)}
		}
	}
}

var errBreaksOff = &source.Error{Kind: source.ErrTemporary, Err: errors.New("the change stream keeps breaking off")}

// event reads one event. done reports that it is too late for this run.
func (f *follower) event(raw bson.Raw) (done bool, err error) {
	kind, _ := raw.Lookup("operationType").StringValueOK()
	collection, _ := raw.Lookup("ns", "coll").StringValueOK()
	_, ours := f.read.found[collection]
	switch kind {
	case "insert", "update", "replace", "delete":
		if !ours {
			break
		}
		id, err := raw.LookupErr("documentKey", "_id")
		if err != nil {
			return false, &source.LostError{Why: "the change stream has an event that names no document"}
		}
		if _, err := appendIDText(nil, idOfKey(keyOf(id))); err != nil {
			return false, &source.LostError{Why: fmt.Sprintf("the _id of a changed document of %s: %v", scopeName(collection), err)}
		}
		if f.add(collection, keyOf(id)); f.n > f.most {
			return false, &source.LostError{Why: fmt.Sprintf("more than %d documents changed", f.most)}
		}
	case "drop", "rename":
		to, _ := raw.Lookup("to", "coll").StringValueOK()
		if _, target := f.read.found[to]; ours || target {
			return false, &source.LostError{Why: fmt.Sprintf("the collection %s was dropped, renamed or replaced", scopeName(collection))}
		}
	case "dropDatabase", "invalidate":
		return false, &source.LostError{Why: "the collection or the database was dropped, renamed or replaced"}
	}
	t, i, ok := raw.Lookup("clusterTime").TimestampOK()
	return ok && (bson.Timestamp{T: t, I: i}).After(*f.until), nil
}

func (f *follower) add(collection, key string) {
	ids := f.ids[collection]
	if ids == nil {
		ids = map[string]struct{}{}
		f.ids[collection] = ids
	}
	if _, known := ids[key]; !known {
		ids[key] = struct{}{}
		f.n++
	}
}

// reached reports whether a token is of now or later. Tokens of MongoDB are hexadecimal and sorted like
// events; those of other servers are not compared.
func (f *follower) reached(token bson.Raw) bool {
	at, ok := token.Lookup("_data").StringValueOK()
	until, ok2 := f.token.Lookup("_data").StringValueOK()
	return ok && ok2 && strings.HasPrefix(until, "82") && strings.HasPrefix(at, "82") && at >= until
}

// lost reports that the stream cannot be resumed from its position: any error of the server that is neither a
// missing privilege nor temporary. That the server has change streams at all was checked before.
func (s *streaming) lost(err error) error {
	if lost, ok := errors.AsType[*source.LostError](err); ok {
		return lost
	}
	c := code(err)
	switch {
	case c == codeHistoryLost:
		return &source.LostError{Why: "the server's oplog no longer reaches back to the last sync"}
	case c == 0, refused(err), c != codeCappedLost && slices.Contains(temporary, c):
		return nil
	}
	return &source.LostError{Why: "the server cannot resume its change stream: " + s.shorten(err).Error()}
}

const noStreamsHint = "set change_streams: false, and an incremental sync reads everything; change streams need a replica set or a sharded cluster"

func noStreams(err error) error {
	return form.ConfigError(fmt.Errorf("change_streams: %w", err), noStreamsHint)
}

// streamError explains why there is no change stream.
func (s *streaming) streamError(ctx context.Context, err error) error {
	c := code(err)
	switch {
	case c == codeUnauthorized:
		return &source.Error{
			Kind: source.ErrAuth, Err: fmt.Errorf("open the change stream of %s: %w", s.set.database, s.shorten(err)),
			Hint: "let the user read it: " + s.grant("") + ", or give a custom role the actions find and changeStream",
		}
	case c == codeCappedLost, c != 0 && !refused(err) && !slices.Contains(temporary, c), strings.Contains(err.Error(), "does not support sessions"):
		return noStreams(fmt.Errorf("the server has no change stream: %w", s.shorten(err)))
	}
	return s.connectError(ctx, err, fmt.Sprintf("open the change stream of %s at %s", s.set.database, s.set.address.hosts()))
}
