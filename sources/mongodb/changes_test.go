package mongodb

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mongodb/mongotest"
)

// followed is a replica set whose collection orders has 30 documents, and is followed.
type followed struct {
	*mongotest.Server
	t testing.TB
}

func newFollowed(t testing.TB) *followed {
	t.Helper()
	f := &followed{mongotest.New(t), t}
	for i := range 30 {
		f.put("orders", i, 0)
	}
	return f
}

func (f *followed) put(collection string, id any, n int) {
	f.Put("shop", collection, bson.D{{Key: "_id", Value: id}, {Key: "n", Value: int32(n)}})
}

func (f *followed) values(change map[string]any) map[string]any {
	v := map[string]any{"host": f.URI(), "database": "shop", "collection": "orders", "change_streams": true, "retry_count": 3}
	maps.Copy(v, change)
	return v
}

func (f *followed) open(change map[string]any, env source.Env) *streaming {
	f.t.Helper()
	s := sqltest.Open(f.t, &Type, f.values(change), env).(*streaming)
	s.pause, _ = sqltest.NoPauses()
	return s
}

func (f *followed) position(s *streaming) source.Cursor {
	f.t.Helper()
	at, err := s.Position(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return at
}

// changed is what changed after a place: the documents that are there now, and the ids of those that are not.
type changed struct {
	there map[string]string
	gone  []string
	next  source.Cursor
	names []string // of the parts
}

func (f *followed) changes(s *streaming, since source.Cursor) changed {
	f.t.Helper()
	c, err := s.Changes(f.t.Context(), since)
	if err != nil {
		f.t.Fatal(err)
	}
	out := changed{there: map[string]string{}, next: c.Cursor}
	for _, p := range c.Parts {
		out.names = append(out.names, p.Name())
		r := sqltest.Read(f.t.Context(), p)
		if r.Err != nil || !p.Ended() {
			f.t.Fatalf("%s: %v", p.Name(), r.Err)
		}
		for i, id := range r.IDs {
			if !slices.Contains(slices.Collect(p.IDs()), id) {
				f.t.Errorf("%s yields %q, which it does not name", p.Name(), id)
			}
			out.there[id] = r.Docs[i]
		}
		for id := range p.IDs() {
			if _, there := out.there[id]; !there {
				out.gone = append(out.gone, id)
			}
		}
	}
	return out
}

// TestChangesAreWhatIsThereNow checks that changes are read as the documents are now, in whatever order they changed.
func TestChangesAreWhatIsThereNow(t *testing.T) {
	t.Parallel()
	f := newFollowed(t)
	f.put("others", 1, 1)
	s := f.open(nil, source.Env{})
	at := f.changes(s, f.position(s)).next // the time of the position is that of the last change
	f.put("orders", 1, 5)
	f.put("orders", 100, 1)
	f.put("orders", 100, 2)
	f.Remove("shop", "orders", 2)
	f.put("orders", 3, 9)
	f.Remove("shop", "orders", 3)
	f.Remove("shop", "orders", 4)
	f.put("orders", 4, 7)
	f.put("orders", "brief", 1)
	f.Remove("shop", "orders", "brief")
	f.put("others", 2, 1)
	c := f.changes(s, at)
	want := map[string]string{"1": `{"n":5}`, "4": `{"n":7}`, "100": `{"n":2}`}
	if !maps.Equal(c.there, want) || !slices.Equal(slices.Sorted(slices.Values(c.gone)), []string{"2", "3", "brief"}) {
		t.Errorf("there %v, gone %v", c.there, c.gone)
	}
	if again := f.changes(s, c.next); len(again.there)+len(again.gone) != 0 {
		t.Errorf("nothing changed since, but %+v", again)
	}
	if again := f.changes(s, at); !maps.Equal(again.there, want) {
		t.Errorf("the same position again: %+v", again)
	}
}

// TestPositionLosesNoChange checks that a change after the position is found, even one with the same time.
func TestPositionLosesNoChange(t *testing.T) {
	t.Parallel()
	f := newFollowed(t)
	s := f.open(nil, source.Env{})
	at := f.position(s)
	f.put("orders", 1, 5)
	if c := f.changes(s, at); c.there["1"] != `{"n":5}` {
		t.Errorf("%+v", c)
	}
}

// TestChangesOfSeveralCollections reads them from a stream of the database.
func TestChangesOfSeveralCollections(t *testing.T) {
	t.Parallel()
	f := newFollowed(t)
	f.put("log_1", 1, 1)
	f.put("log_2", 1, 1)
	s := f.open(map[string]any{"collection": "log_*"}, source.Env{})
	at := f.changes(s, f.position(s)).next
	f.put("orders", 1, 5)
	f.put("log_1", 2, 2)
	f.Remove("shop", "log_2", 1)
	f.Drop("shop", "orders")
	c := f.changes(s, at)
	if len(c.there) != 1 || !strings.Contains(c.there["shop.log_1/2"], `"n":2`) || !slices.Equal(c.gone, []string{"shop.log_2/1"}) {
		t.Errorf("%+v", c)
	}
	if !slices.Equal(c.names, []string{"log_1, changes", "log_2, changes"}) {
		t.Errorf("%q", c.names)
	}
}

// TestChangesInManyParts checks that each part has a limited number of documents.
func TestChangesInManyParts(t *testing.T) {
	t.Parallel()
	f := newFollowed(t)
	s := f.open(nil, source.Env{})
	at := f.position(s)
	for i := range 2500 {
		f.put("orders", i, 1)
	}
	f.Remove("shop", "orders", 2499)
	c := f.changes(s, at)
	if len(c.names) != 3 || len(c.there) != 2499 || !slices.Equal(c.gone, []string{"2499"}) {
		t.Errorf("%d parts, %d documents, gone %v", len(c.names), len(c.there), c.gone)
	}
}

// TestChangesOfIDsThatReadTheSame deletes one of two documents with the same id in the index, which keeps the other.
func TestChangesOfIDsThatReadTheSame(t *testing.T) {
	t.Parallel()
	f := newFollowed(t)
	oid := bson.NewObjectID()
	pairs := [][2]any{{int64(77), "77"}, {1.5, "1.5"}, {oid, oid.Hex()}, {true, "True"}, {nil, "None"}}
	for _, p := range pairs {
		f.put("orders", p[0], 1)
		f.put("orders", p[1], 2)
	}
	s := f.open(nil, source.Env{})
	for i := range 2 {
		at := f.changes(s, f.position(s)).next
		for _, p := range pairs {
			f.Remove("shop", "orders", p[i])
		}
		c := f.changes(s, at)
		if len(c.there) != len(pairs) || len(c.gone) != 0 {
			t.Errorf("%+v", c)
		}
		for _, p := range pairs {
			f.put("orders", p[i], 1)
		}
	}
}

// TestChangesThatAreUnknown checks that everything is to be read, with the reason.
func TestChangesThatAreUnknown(t *testing.T) {
	t.Parallel()
	streams := func(command bson.Raw, option string) bool {
		stages, err := command.Lookup("pipeline").Array().Values()
		if err != nil || len(stages) == 0 {
			return false
		}
		_, err = stages[0].Document().LookupErr("$changeStream", option)
		return err == nil
	}
	resumed := func(e mongotest.Error) func(*followed) {
		return func(f *followed) {
			f.Fail(func(name string, command bson.Raw) any {
				if name == "aggregate" && streams(command, "resumeAfter") {
					return e
				}
				return nil
			})
		}
	}
	for name, tt := range map[string]struct {
		values map[string]any
		happen func(*followed)
		since  func(source.Cursor) source.Cursor
		open   map[string]any // what is configured by then
		said   string
	}{
		"the oplog is too short":    {nil, func(f *followed) { f.put("orders", 1, 1); f.Forget() }, nil, nil, "oplog no longer reaches back"},
		"the token is fatal":        {nil, resumed(mongotest.Error{Code: 280, Name: "ChangeStreamFatalError", Message: "no"}), nil, nil, "error 280"},
		"the token is invalid":      {nil, resumed(mongotest.Error{Code: 260, Name: "InvalidResumeToken", Message: "no"}), nil, nil, "error 260"},
		"the place was overwritten": {nil, resumed(mongotest.Error{Code: 136, Name: "CappedPositionLost", Message: "no"}), nil, nil, "error 136"},
		"an event is too large": {nil, func(f *followed) {
			f.Fail(failing("getMore", mongotest.Error{Code: 10334, Name: "BSONObjectTooLarge", Message: "no"}))
		}, nil, nil, "error 10334"},
		"dropped":                     {nil, func(f *followed) { f.Drop("shop", "orders"); f.put("orders", 1, 1) }, nil, nil, "have changed since the last sync"},
		"another took its place":      {nil, func(f *followed) { f.put("new", 1, 1); f.Rename("shop", "new", "orders") }, nil, nil, "have changed since the last sync"},
		"a new collection":            {map[string]any{"collection": "*"}, func(f *followed) { f.put("new", 1, 1) }, nil, nil, "have changed since the last sync"},
		"other collections are read":  {nil, nil, nil, map[string]any{"collection": "orders, others"}, "have changed since the last sync"},
		"other fields are read":       {nil, nil, nil, map[string]any{"fields": []any{"n"}}, "have changed since the last sync"},
		"dates are written otherwise": {nil, nil, nil, map[string]any{"datetime_conversion": "DATETIME_MS"}, "have changed since the last sync"},
		"a place of another version":  {nil, nil, func(source.Cursor) source.Cursor { return `{"lsn":"1"}` }, nil, "has an unknown format"},
		"no JSON":                     {nil, nil, func(source.Cursor) source.Cursor { return `{` }, nil, "has an unknown format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFollowed(t)
			f.put("others", 1, 1)
			s := f.open(tt.values, source.Env{})
			at := f.changes(s, f.position(s)).next
			if tt.since != nil {
				at = tt.since(at)
			}
			if tt.happen != nil {
				tt.happen(f)
			}
			if tt.open != nil {
				s = f.open(tt.open, source.Env{})
			}
			_, err := s.Changes(t.Context(), at)
			lost, ok := errors.AsType[*source.LostError](err)
			if !ok || !strings.Contains(lost.Why, tt.said) {
				t.Errorf("got %v, want %q", err, tt.said)
			}
			f.Fail(nil)
			if at, err = s.Position(t.Context()); err != nil || at == "" {
				t.Errorf("a new place: %q, %v", at, err)
			}
		})
	}
}

func failing(command string, e any) func(string, bson.Raw) any {
	return func(name string, _ bson.Raw) any {
		if name == command {
			return e
		}
		return nil
	}
}

// TestDropsDuringTheStream drops and renames collections after they were listed.
func TestDropsDuringTheStream(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(*followed){
		"dropped":    func(f *followed) { f.Drop("shop", "orders") },
		"renamed":    func(f *followed) { f.Rename("shop", "orders", "old") },
		"taken over": func(f *followed) { f.Rename("shop", "others", "orders") },
	} {
		for _, collection := range []string{"orders", "orders, others"} {
			t.Run(name+" of "+collection, func(t *testing.T) {
				t.Parallel()
				f := newFollowed(t)
				f.put("others", 1, 1)
				s := f.open(map[string]any{"collection": collection}, source.Env{})
				at := f.changes(s, f.position(s)).next
				f.put("orders", 1, 1)
				done := false
				f.Fail(func(name string, _ bson.Raw) any {
					if name == "aggregate" && !done {
						done = true
						happen(f)
					}
					return nil
				})
				_, err := s.Changes(t.Context(), at)
				if lost, ok := errors.AsType[*source.LostError](err); !ok || !strings.Contains(lost.Why, "dropped, renamed or replaced") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// TestServersWithoutChangeStreams checks that they are refused at once, with the line to change.
func TestServersWithoutChangeStreams(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]mongotest.Error{
		"alone":    {Code: 40573, Name: "Location40573", Message: "The $changeStream stage is only supported on replica sets"},
		"FerretDB": {Code: 238, Name: "NotImplemented", Message: "`aggregate` stage \"$changeStream\" is not implemented yet"},
		"a view":   {Code: 166, Name: "CommandNotSupportedOnView", Message: "not a collection"},
		"older":    {Code: 40324, Name: "Location40324", Message: "Unrecognized pipeline stage name: '$changeStream'"},
		"disabled": {Code: 136, Name: "CappedPositionLost", Message: "enable change streams first"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFollowed(t)
			s := f.open(nil, source.Env{})
			at := f.position(s)
			f.Fail(failing("aggregate", e))
			_, err := s.Position(t.Context())
			_, err2 := s.Changes(t.Context(), at)
			for _, err := range []error{err, err2} {
				if !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), e.Message) || !strings.Contains(source.Hint(err), "change_streams: false") {
					t.Errorf("got %v (%s)", err, source.Hint(err))
				}
			}
		})
	}
}

// TestChangeStreamWithoutRights checks that the error names the missing rights.
func TestChangeStreamWithoutRights(t *testing.T) {
	t.Parallel()
	f := newFollowed(t)
	f.Fail(failing("aggregate", mongotest.Error{Code: 13, Name: "Unauthorized", Message: "not authorized on shop to execute command"}))
	s := f.open(nil, source.Env{})
	_, err := s.Position(t.Context())
	if !errors.Is(err, source.ErrAuth) || !strings.Contains(source.Hint(err), "changeStream") {
		t.Errorf("got %v (%s)", err, source.Hint(err))
	}
}

// TestChangeStreamThatBreaksOff checks that it resumes where it was.
func TestChangeStreamThatBreaksOff(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]any{
		"the connection": mongotest.HangUp{},
		"the cursor":     mongotest.Error{Code: 43, Name: "CursorNotFound", Message: "not found"},
		"the primary":    mongotest.Error{Code: 189, Name: "PrimarySteppedDown", Message: "not primary"},
	} {
		for _, command := range []string{"getMore", "aggregate", "find"} {
			t.Run(name+" at "+command, func(t *testing.T) {
				t.Parallel()
				f := newFollowed(t)
				s := f.open(nil, source.Env{})
				at := f.changes(s, f.position(s)).next
				for i := range 20 {
					f.put("orders", i, 1)
				}
				n := 0
				f.Fail(func(name string, _ bson.Raw) any {
					if name != command {
						return nil
					}
					if n++; n > 1 {
						return nil
					}
					return e
				})
				if c := f.changes(s, at); len(c.there) != 20 || n < 2 {
					t.Errorf("%d of 20 documents, %d times %s", len(c.there), n, command)
				}
			})
		}
	}
}

// TestChangeStreamThatKeepsBreakingOff checks that the run ends with an error.
func TestChangeStreamThatKeepsBreakingOff(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]any{
		"the connection": mongotest.HangUp{},
		"the cursor":     mongotest.Error{Code: 43, Name: "CursorNotFound", Message: "not found"},
		"the primary":    mongotest.Error{Code: 189, Name: "PrimarySteppedDown", Message: "not primary"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFollowed(t)
			s := f.open(nil, source.Env{})
			at := f.position(s)
			f.Fail(failing("getMore", e))
			_, err := s.Changes(t.Context(), at)
			if !errors.Is(err, source.ErrTemporary) && !errors.Is(err, source.ErrUnreachable) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestWhatCannotBeFollowed is refused when the configuration is read.
func TestWhatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	f := newFollowed(t)
	for name, tt := range map[string]struct {
		change map[string]any
		rule   string
		said   string
	}{
		"a secondary":             {map[string]any{"host": f.URI() + "&readPreference=secondary"}, ``, "readPreference"},
		"what may be rolled back": {map[string]any{"host": f.URI() + "&readConcernLevel=local"}, ``, "readConcernLevel=local"},
		"an aggregation":          {nil, `{"aggregate":{"pipeline":[{"$match":{"n":1}}]}}`, "aggregate"},
		"a limit":                 {nil, `{"find":{"limit":5}}`, "limit"},
		"a skip":                  {nil, `{"find":{"skip":5}}`, "skip"},
		"partial results":         {nil, `{"find":{"allow_partial_results":true}}`, "allowPartialResults"},
		"no _id":                  {nil, `{"find":{"projection":{"_id":0}}}`, "a projection without _id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := source.Env{}
			if tt.rule != "" {
				env.AdvancedRules = decoded(t, tt.rule)
			}
			err := openErr(t, f.values(tt.change), env)
			if !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), tt.said) || !strings.Contains(source.Hint(err), "change_streams: false") {
				t.Errorf("got %v (%s)", err, source.Hint(err))
			}
		})
	}
}

// TestChangesUnderARule checks that a document that no longer matches the rule counts as deleted.
func TestChangesUnderARule(t *testing.T) {
	t.Parallel()
	f := newFollowed(t)
	s := f.open(nil, source.Env{AdvancedRules: decoded(t, `{"find":{"filter":{"n":1},"projection":["n"]}}`)})
	at := f.changes(s, f.position(s)).next
	f.put("orders", 1, 1)
	f.put("orders", 2, 2)
	f.Put("shop", "orders", bson.D{{Key: "_id", Value: int32(3)}, {Key: "n", Value: int32(1)}, {Key: "secret", Value: "x"}})
	c := f.changes(s, at)
	if want := map[string]string{"1": `{"n":1}`, "3": `{"n":1}`}; !maps.Equal(c.there, want) || !slices.Equal(c.gone, []string{"2"}) {
		t.Errorf("%+v", c)
	}
}

// TestChangesAreReadFromAMajority checks that documents are read with a majority, and not from before the last event.
func TestChangesAreReadFromAMajority(t *testing.T) {
	t.Parallel()
	f := newFollowed(t)
	s := f.open(nil, source.Env{})
	at := f.position(s)
	f.put("orders", 1, 1)
	f.changes(s, at)
	found := f.Asked("find")
	if len(found) == 0 {
		t.Fatal("nothing was read")
	}
	for _, command := range found {
		level, _ := command.Lookup("readConcern", "level").StringValueOK()
		_, _, timed := command.Lookup("readConcern", "afterClusterTime").TimestampOK()
		if level != "majority" || !timed {
			t.Errorf("%s", command)
		}
	}
	for _, command := range f.Asked("aggregate") {
		level, _ := command.Lookup("readConcern", "level").StringValueOK()
		if text := command.Lookup("pipeline").String(); level != "majority" || strings.Contains(text, "fullDocument") || !strings.Contains(text, "$project") {
			t.Errorf("%s", command)
		}
	}
	if r := sqltest.ReadAll(t, s)["orders"]; r.Err != nil || len(r.IDs) != 30 {
		t.Errorf("%d documents, %v", len(r.IDs), r.Err)
	}
	all := f.Asked("find")
	if level, _ := all[len(all)-1].Lookup("readConcern", "level").StringValueOK(); level != "majority" {
		t.Errorf("a full read: %s", all[len(all)-1])
	}
}

// TestMoreChangesThanFitIntoMemory checks that everything is read instead.
func TestMoreChangesThanFitIntoMemory(t *testing.T) {
	t.Parallel()
	f := &follower{s: &streaming{}, read: whatIsRead{found: map[string]watched{"orders": {}}}, until: &bson.Timestamp{T: 1}, most: 1000, ids: map[string]map[string]struct{}{}}
	var err error
	n := 0
	for ; err == nil && n < 1010; n++ {
		raw, merr := bson.Marshal(bson.D{
			{Key: "operationType", Value: "insert"},
			{Key: "ns", Value: bson.D{{Key: "coll", Value: "orders"}}},
			{Key: "documentKey", Value: bson.D{{Key: "_id", Value: int64(n)}}},
		})
		if merr != nil {
			t.Fatal(merr)
		}
		_, err = f.event(raw)
	}
	if lost, ok := errors.AsType[*source.LostError](err); !ok || n != 1001 || !strings.Contains(lost.Why, "more than 1000 documents") {
		t.Errorf("after %d events: %v", n, err)
	}
}
