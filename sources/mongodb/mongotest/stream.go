package mongotest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// event is one entry of the log.
type event struct {
	at       bson.Timestamp
	kind     string
	db, coll string
	to       string // rename
	id       bson.RawValue
}

// epoch is the second in which everything happens.
const epoch = 1_700_000_000

func (s *Server) now() bson.Timestamp { return bson.Timestamp{T: epoch, I: s.clock} }

// Put creates or replaces documents, whose first field is their _id.
func (s *Server) Put(db, name string, docs ...bson.D) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.collections[db+"."+name]
	if c == nil {
		uuid := make([]byte, 16)
		_, _ = rand.Read(uuid)
		c = &collection{uuid: bson.Binary{Subtype: bson.TypeBinaryUUID, Data: uuid}}
		s.collections[db+"."+name] = c
	}
	for _, d := range docs {
		doc := raw(d)
		id := doc.Lookup("_id")
		at, known := c.place(id)
		kind := "replace"
		if known {
			c.docs[at] = doc
		} else {
			kind = "insert"
			c.docs = slices.Insert(c.docs, at, doc)
		}
		s.note(event{kind: kind, db: db, coll: name, id: id})
	}
}

// Remove deletes documents by their _id.
func (s *Server) Remove(db, name string, ids ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.collections[db+"."+name]
	for _, v := range ids {
		id := raw(bson.D{{Key: "_id", Value: v}}).Lookup("_id")
		if at, known := c.place(id); known {
			c.docs = slices.Delete(c.docs, at, at+1)
			s.note(event{kind: "delete", db: db, coll: name, id: id})
		}
	}
}

// Drop drops a collection.
func (s *Server) Drop(db, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.collections, db+"."+name)
	s.note(event{kind: "drop", db: db, coll: name})
}

// Rename renames a collection, and replaces one with the new name.
func (s *Server) Rename(db, from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collections[db+"."+to] = s.collections[db+"."+from]
	delete(s.collections, db+"."+from)
	s.note(event{kind: "rename", db: db, coll: from, to: to})
}

// Forget removes all events from the log.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgotten, s.log = s.now(), nil
	s.clock++
}

func (s *Server) note(e event) {
	s.clock++
	e.at = s.now()
	s.log = append(s.log, e)
}

func (c *collection) place(id bson.RawValue) (int, bool) {
	return slices.BinarySearchFunc(c.docs, id, func(d bson.Raw, id bson.RawValue) int { return order(d.Lookup("_id"), id) })
}

// stream is the position of a change stream.
type stream struct {
	db, coll string         // coll is "" for all of the database
	after    bson.Timestamp // events up to it were sent
	token    bson.D         // the token of that position
	ended    bool           // it was invalidated
}

// Tokens are hexadecimal and in the order of events. One that stands for a moment comes before that of an
// event of the same time.
const (
	ofMoment = "00"
	ofEvent  = "01"
)

func token(at bson.Timestamp, of string) bson.D {
	return bson.D{{Key: "_data", Value: fmt.Sprintf("82%08x%08x%s", at.T, at.I, of)}}
}

func parseToken(v bson.RawValue) (at bson.Timestamp, of string, ok bool) {
	d, isDocument := v.DocumentOK()
	if !isDocument {
		return at, "", false
	}
	text, _ := d.Lookup("_data").StringValueOK()
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 10 || b[0] != 0x82 {
		return at, "", false
	}
	_, err = fmt.Sscanf(text, "82%08x%08x%s", &at.T, &at.I, &of)
	return at, of, err == nil
}

// watch opens a change stream, the only aggregation supported.
func (s *Server) watch(db string, command bson.Raw) any {
	x := &stream{db: db, after: s.now()}
	x.coll, _ = command.Lookup("aggregate").StringValueOK()
	stages, _ := command.Lookup("pipeline").Array().Values()
	if len(stages) == 0 {
		return Error{40324, "Location40324", "only change streams are known"}
	}
	o, ok := stages[0].Document().Lookup("$changeStream").DocumentOK()
	if !ok {
		return Error{40324, "Location40324", "only change streams are known"}
	}
	x.token = token(bson.Timestamp{T: epoch, I: s.clock + 1}, ofMoment)
	if t, i, ok := o.Lookup("startAtOperationTime").TimestampOK(); ok {
		x.after = bson.Timestamp{T: t, I: i - 1}
		x.token = token(bson.Timestamp{T: t, I: i}, ofMoment)
	}
	if v, err := o.LookupErr("resumeAfter"); err == nil {
		at, of, ok := parseToken(v)
		if !ok {
			return Error{260, "InvalidResumeToken", "the resume token is none"}
		}
		if x.after = at; of == ofMoment {
			x.after.I--
		}
		x.token = token(at, of)
	}
	if s.forgotten.After(x.after) && s.forgotten.I != 0 {
		return Error{286, "ChangeStreamHistoryLost", "Resume of change stream was not possible, as the resume point may no longer be in the oplog."}
	}
	ns := db + ".$cmd.aggregate"
	if x.coll != "" {
		ns = db + "." + x.coll
	}
	id := s.open(&cursor{ns: ns, stream: x})
	reply := batch(id, ns, "firstBatch", bson.A{})
	return withToken(reply, x.token)
}

func withToken(reply, token bson.D) bson.D {
	c := reply[0].Value.(bson.D)
	reply[0].Value = slices.Concat(c, bson.D{{Key: "postBatchResumeToken", Value: token}})
	return reply
}

// nextEvents sends the new events of the log. A real server would wait for one.
func (s *Server) nextEvents(id int64, c *cursor, size int) bson.D {
	x := c.stream
	events := bson.A{}
	for _, e := range s.log {
		if x.ended || !e.at.After(x.after) || !x.sees(e) {
			continue
		}
		if len(events) == size {
			break
		}
		events = append(events, e.document())
		x.after, x.token = e.at, token(e.at, ofEvent)
		if x.coll != "" && (e.kind == "drop" || e.kind == "rename") {
			x.ended = true
			events = append(events, bson.D{{Key: "_id", Value: x.token}, {Key: "operationType", Value: "invalidate"}, {Key: "clusterTime", Value: e.at}})
		}
	}
	if now := s.now(); len(events) == 0 && now.After(x.after) {
		x.after, x.token = now, token(now, ofMoment)
	}
	if x.ended {
		delete(s.cursors, id)
		id = 0
	}
	return withToken(batch(id, c.ns, "nextBatch", events), x.token)
}

func (x *stream) sees(e event) bool {
	return e.db == x.db && (x.coll == "" || e.coll == x.coll || e.to == x.coll)
}

func (e *event) document() bson.D {
	d := bson.D{
		{Key: "_id", Value: token(e.at, ofEvent)},
		{Key: "operationType", Value: e.kind},
		{Key: "clusterTime", Value: e.at},
		{Key: "ns", Value: bson.D{{Key: "db", Value: e.db}, {Key: "coll", Value: e.coll}}},
	}
	switch e.kind {
	case "rename":
		return append(d, bson.E{Key: "to", Value: bson.D{{Key: "db", Value: e.db}, {Key: "coll", Value: e.to}}})
	case "insert", "replace", "delete":
		return append(d, bson.E{Key: "documentKey", Value: bson.D{{Key: "_id", Value: e.id}}})
	}
	return d
}
