package mongodb

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestOnlyWhatEveryServerKnows checks that a complete sync does not send the options of find and list that Amazon's
// DocumentDB and others refuse.
func TestOnlyWhatEveryServerKnows(t *testing.T) {
	t.Parallel()
	f := newFake(t, numbered("collection", "orders"))
	got := sqltest.ReadAll(t, f.open(nil, source.Env{}))
	if r := got["orders"]; r.Err != nil || len(r.IDs) != 20 {
		t.Fatalf("%d documents, %v", len(r.IDs), r.Err)
	}
	for _, c := range f.commands("") {
		for _, option := range []string{"noCursorTimeout", "min", "max", "hint", "returnKey", "showRecordId", "collation", "maxTimeMS", "readConcern"} {
			if _, err := c.LookupErr(option); err == nil {
				t.Errorf("%s was sent: %s", option, c)
			}
		}
		if _, err := c.LookupErr("filter", "type"); err == nil {
			t.Errorf("a filter by type was sent: %s", c)
		}
	}
}

// TestViewsAndTimeSeriesAreNotSorted, because they have no index on _id. No pattern matches the system's collections.
func TestViewsAndTimeSeriesAreNotSorted(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{"orders": "collection", "w": "timeseries", "v": "view", "system.views": "collection", "system.buckets.w": "collection", "system.profile": "collection"}
	plain := numbered("collection")
	f := newFake(t, func(name string, command bson.Raw) any {
		if name == "listCollections" {
			return listed(command, kinds)
		}
		return plain(name, command)
	})
	got := sqltest.ReadAll(t, f.open(map[string]any{"collection": "*"}, source.Env{}))
	for _, scope := range []string{"orders", "w", "v"} {
		if r := got[scope]; r.Err != nil || len(r.IDs) != 20 || !strings.HasPrefix(r.IDs[0], "shop."+scope+"/") {
			t.Errorf("%s: %d documents, %v", scope, len(r.IDs), r.Err)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d scopes were read", len(got))
	}
	for _, c := range f.commands("find") {
		_, err := c.LookupErr("sort")
		if name := c.Lookup("find").StringValue(); (err == nil) != (name == "orders") {
			t.Errorf("%s", c)
		}
	}
	for _, c := range f.commands("count") {
		if c.Lookup("count").StringValue() != "orders" {
			t.Errorf("%s", c)
		}
	}
}

// TestLossResumesAfterTheLastDocument has several losses, also of a primary that steps down.
func TestLossResumesAfterTheLastDocument(t *testing.T) {
	t.Parallel()
	for name, loss := range map[string]any{
		"the connection breaks":  hangUp{},
		"the primary steps down": serverError{10107, "NotWritablePrimary", "not primary"},
		"the cursor is lost":     serverError{43, "CursorNotFound", "cursor id 7 not found"},
		"the server shuts down":  serverError{11600, "InterruptedAtShutdown", "interrupted at shutdown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := numbered("collection", "orders")
			var n atomic.Int32
			f := newFake(t, func(name string, command bson.Raw) any {
				switch name {
				case "find": // what comes after the last document that was seen
					if seen := n.Add(1); seen > 1 {
						last := command.Lookup("filter", "$or", "0", "_id", "$gt").AsInt64()
						if want := int64(seen-1)*10 - 1; last != want {
							return serverError{2, "BadValue", "asked after another document"}
						}
						return cursorOf(7, firstBatch, docs(int(last)+1, int(last)+11)...)
					}
				case "getMore":
					if n.Load() < 4 {
						return loss
					}
					return cursorOf(0, nextBatch, docs(40, 45)...)
				}
				return plain(name, command)
			})
			r := sqltest.ReadAll(t, f.open(nil, source.Env{}))["orders"]
			if r.Err != nil || len(r.IDs) != 45 || len(slices.Compact(slices.Sorted(slices.Values(r.IDs)))) != 45 {
				t.Errorf("%d documents, %v", len(r.IDs), r.Err)
			}
		})
	}
}

// TestLossThatLasts checks that the part fails after the configured attempts, with one error.
func TestLossThatLasts(t *testing.T) {
	t.Parallel()
	plain := numbered("collection", "orders")
	f := newFake(t, func(name string, command bson.Raw) any {
		if name == "getMore" || name == "find" && len(command.Lookup("filter").Document()) > 5 {
			return hangUp{}
		}
		return plain(name, command)
	})
	r := sqltest.ReadAll(t, f.open(nil, source.Env{}))["orders"]
	if len(r.IDs) != 10 || !errors.Is(r.Err, source.ErrTemporary) {
		t.Errorf("%d documents, %v", len(r.IDs), r.Err)
	}
	if n := len(f.commands("find")); n != 3 {
		t.Errorf("%d attempts", n)
	}
}

// TestLossWithoutOrderStartsOver checks that an unordered read starts again only before its first document.
func TestLossWithoutOrderStartsOver(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lost string // the command that breaks
		ids  int
		kind error
	}{
		"before the first document": {"find", 20, nil},
		"after it":                  {"getMore", 10, source.ErrTemporary},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := numbered("view", "orders")
			var n atomic.Int32
			f := newFake(t, func(name string, command bson.Raw) any {
				if name == tt.lost && n.Add(1) == 1 {
					return hangUp{}
				}
				return plain(name, command)
			})
			r := sqltest.ReadAll(t, f.open(nil, source.Env{}))["orders"]
			if len(r.IDs) != tt.ids || !errors.Is(r.Err, tt.kind) {
				t.Errorf("%d documents, %v", len(r.IDs), r.Err)
			}
		})
	}
}

// TestSilentServer checks that no call of the driver waits for ever.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"find", "getMore"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			plain := numbered("collection", "orders")
			f := newFake(t, func(name string, c bson.Raw) any {
				if name == command {
					return silence{}
				}
				return plain(name, c)
			})
			d := f.open(map[string]any{"retry_count": 1}, source.Env{StallTimeout: sqltest.Patience})
			short := func() { d.stall = time.Millisecond } // for what is never answered alone
			for part, err := range d.Parts(t.Context()) {  // one
				if err != nil {
					t.Fatal(err)
				}
				if command == "find" {
					short()
				}
				_, err := sqltest.ReadWith(t, part, map[int]func(){10: short})
				if !errors.Is(err, source.ErrTemporary) || !strings.Contains(err.Error(), "nothing for 1ms") {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

// TestCollectionThatGoesAway checks that a collection that is dropped, or replaced by another of its name, fails.
func TestCollectionThatGoesAway(t *testing.T) {
	t.Parallel()
	uuid := func(n byte) bson.D {
		return bson.D{{Key: "name", Value: "orders"}, {Key: "type", Value: "collection"}, {Key: "info", Value: bson.D{{Key: "uuid", Value: bson.Binary{Subtype: 4, Data: slices.Repeat([]byte{n}, 16)}}}}}
	}
	for name, tt := range map[string]struct {
		after any // what listCollections says when the last document has come
		more  any // what getMore says
	}{
		"dropped":               {cursorOf(0, firstBatch), cursorOf(0, nextBatch)},
		"replaced":              {cursorOf(0, firstBatch, uuid(2)), cursorOf(0, nextBatch)},
		"dropped under a query": {cursorOf(0, firstBatch), serverError{175, "QueryPlanKilled", "collection dropped"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := numbered("collection", "orders")
			var over atomic.Bool
			f := newFake(t, func(name string, command bson.Raw) any {
				switch {
				case name == "getMore":
					over.Store(true)
					return tt.more
				case name == "listCollections" && over.Load():
					return tt.after
				case name == "listCollections":
					return cursorOf(0, firstBatch, uuid(1))
				case name == "find" && over.Load():
					return cursorOf(0, firstBatch)
				}
				return plain(name, command)
			})
			r := sqltest.ReadAll(t, f.open(nil, source.Env{}))["orders"]
			if len(r.IDs) != 10 || !errors.Is(r.Err, source.ErrTemporary) || !strings.Contains(r.Err.Error(), "dropped") {
				t.Errorf("%d documents, %v", len(r.IDs), r.Err)
			}
		})
	}
}

// TestRightsOfOneCollection checks that of three visible collections the two that may not be read fail alone.
func TestRightsOfOneCollection(t *testing.T) {
	t.Parallel()
	plain := numbered("collection", "a", "b", "c")
	f := newFake(t, func(name string, command bson.Raw) any {
		if name == "find" && command.Lookup("find").StringValue() != "b" || name == "count" {
			return serverError{13, "Unauthorized", "not authorized on shop to execute command"}
		}
		return plain(name, command)
	})
	got := sqltest.ReadAll(t, f.open(map[string]any{"collection": "*"}, source.Env{}))
	if r := got["b"]; r.Err != nil || len(r.IDs) != 20 {
		t.Errorf("b: %d documents, %v", len(r.IDs), r.Err)
	}
	for _, scope := range []string{"a", "c"} {
		r := got[scope]
		if !errors.Is(r.Err, source.ErrAuth) || !strings.Contains(source.Hint(r.Err), `collection: "`+scope+`"`) {
			t.Errorf("%s: %v, hint %q", scope, r.Err, source.Hint(r.Err))
		}
	}
}

// TestListingIsRefused checks that configured names are read without a list, but fail if they have no documents, since
// they may not exist.
func TestListingIsRefused(t *testing.T) {
	t.Parallel()
	plain := numbered("collection")
	f := newFake(t, func(name string, command bson.Raw) any {
		switch {
		case name == "listCollections":
			return serverError{13, "Unauthorized", "not authorized on shop to execute command"}
		case name == "find" && command.Lookup("find").StringValue() == "empty":
			return cursorOf(0, firstBatch)
		}
		return plain(name, command)
	})
	host := "mongodb://u:p@" + f.address + "/?authMechanism=PLAIN"
	got := sqltest.ReadAll(t, f.open(map[string]any{"host": host, "collection": "orders, empty"}, source.Env{}))
	if r := got["orders"]; r.Err != nil || len(r.IDs) != 20 {
		t.Errorf("orders: %d documents, %v", len(r.IDs), r.Err)
	}
	if r := got["empty"]; !errors.Is(r.Err, source.ErrConfig) {
		t.Errorf("empty: %v", r.Err)
	}
	if err := openErr(t, f.values(map[string]any{"host": host, "collection": "o*"}), source.Env{}); !errors.Is(err, source.ErrAuth) {
		t.Errorf("a pattern: %v", err)
	}
}

// TestNothingToRead checks that a database or collection that does not exist is an error.
func TestNothingToRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		collections []string
		collection  string
		says, hint  string
	}{
		"no database":        {nil, "orders", `database "shop" has no collection`, "the server has admin, shop2"},
		"no such collection": {[]string{"customers"}, "orders", `no collection "orders"`, "the database has customers"},
		"a slip":             {[]string{"orders2"}, "orders", `no collection "orders"`, "did you mean orders2?"},
		"nothing matches":    {[]string{"customers"}, "log_*", "no collection", "the database has customers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := numbered("collection", tt.collections...)
			f := newFake(t, func(name string, command bson.Raw) any {
				if name == "listDatabases" {
					return bson.D{{Key: "databases", Value: bson.A{bson.D{{Key: "name", Value: "admin"}}, bson.D{{Key: "name", Value: "shop2"}}}}, {Key: "ok", Value: 1.0}}
				}
				return plain(name, command)
			})
			err := openErr(t, f.values(map[string]any{"collection": tt.collection}), source.Env{})
			if !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(source.Hint(err), tt.hint) {
				t.Errorf("%v, hint %q", err, source.Hint(err))
			}
		})
	}
}

// TestMissingCollectionOfSeveral checks that it is a failing part, so that none of its documents is deleted.
func TestMissingCollectionOfSeveral(t *testing.T) {
	t.Parallel()
	f := newFake(t, numbered("collection", "orders"))
	got := sqltest.ReadAll(t, f.open(map[string]any{"collection": "orders, custmers"}, source.Env{}))
	if r := got["orders"]; r.Err != nil || len(r.IDs) != 20 {
		t.Errorf("orders: %d documents, %v", len(r.IDs), r.Err)
	}
	if r := got["custmers"]; !errors.Is(r.Err, source.ErrConfig) {
		t.Errorf("custmers: %v", r.Err)
	}
}

// TestOldServer checks that a server that is too old is reported, and not retried.
func TestOldServer(t *testing.T) {
	t.Parallel()
	f := newFake(t, numbered("collection", "orders"))
	f.wire = 7
	err := openErr(t, f.values(nil), source.Env{})
	if !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), "wire version 7") || !strings.Contains(source.Hint(err), "4.4") {
		t.Errorf("%v, hint %q", err, source.Hint(err))
	}
}

// TestUnreachableServer checks that it is tried as often as configured.
func TestUnreachableServer(t *testing.T) {
	t.Parallel()
	err := openErr(t, map[string]any{"host": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300", "database": "shop", "collection": "orders", "retry_count": 2}, source.Env{})
	if !errors.Is(err, source.ErrUnreachable) || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "Topology") {
		t.Errorf("%v", err)
	}
}

// TestReadPreference checks that the primary is read unless the address sets another member, which is read without the
// copies that do not belong to a shard.
func TestReadPreference(t *testing.T) {
	t.Parallel()
	for options, want := range map[string][2]string{
		"":                          {"primary", ""},
		"?readPreference=secondary": {"secondary", "local"},
		"?readPreference=nearest&readConcernLevel=majority": {"nearest", "majority"},
		"?readConcernLevel=snapshot":                        {"primary", "snapshot"},
	} {
		f := newFake(t, numbered("collection", "orders"))
		d := f.open(map[string]any{"host": "mongodb://" + f.address + "/" + options}, source.Env{})
		if p := d.set.client.ReadPreference; p != nil && p.Mode().String() != want[0] || p == nil && want[0] != "primary" {
			t.Errorf("%s: %v", options, p)
		}
		if r := sqltest.ReadAll(t, d)["orders"]; r.Err != nil {
			t.Errorf("%s: %v", options, r.Err)
		}
		level, _ := f.commands("find")[0].Lookup("readConcern", "level").StringValueOK()
		if level != want[1] {
			t.Errorf("%s: read concern %q", options, level)
		}
	}
	for _, options := range []string{"?readPreference=primary&maxStalenessSeconds=90", "?readPreference=odd"} {
		if err := openErr(t, map[string]any{"host": "mongodb://127.0.0.1:1/" + options, "database": "d", "collection": "c"}, source.Env{}); !errors.Is(err, source.ErrConfig) {
			t.Errorf("%s: %v", options, err)
		}
	}
}

// TestFieldsToRead checks that the server sends no other fields.
func TestFieldsToRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fields  any
		idsOnly bool
		want    string
	}{
		"all":      {nil, false, ""},
		"some":     {"name, address.city", false, `{"name":1,"address.city":1}`},
		"all but":  {"-secret", false, `{"secret":0}`},
		"ids only": {"name", true, `{"_id":1}`},
	} {
		f := newFake(t, numbered("collection", "orders"))
		change := map[string]any{}
		if tt.fields != nil {
			change["fields"] = tt.fields
		}
		if r := sqltest.ReadAll(t, f.open(change, source.Env{IDsOnly: tt.idsOnly}))["orders"]; r.Err != nil {
			t.Errorf("%s: %v", name, r.Err)
		}
		got := ""
		if p, ok := f.commands("find")[0].Lookup("projection").DocumentOK(); ok {
			b, _ := bson.MarshalExtJSON(p, false, false)
			got = string(b)
		}
		if got != tt.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	// Documents of a view may have no _id, and then their ids are made of all of them.
	f := newFake(t, numbered("view", "orders"))
	if r := sqltest.ReadAll(t, f.open(nil, source.Env{IDsOnly: true}))["orders"]; r.Err != nil {
		t.Error(r.Err)
	}
	if _, err := f.commands("find")[0].LookupErr("projection"); err == nil {
		t.Error("of a view only _id is read")
	}
	for _, fields := range []string{"a, -b", "_id", "$x", "a."} {
		if err := openErr(t, map[string]any{"host": "h", "database": "d", "collection": "c", "fields": fields}, source.Env{}); !errors.Is(err, source.ErrConfig) {
			t.Errorf("%s: %v", fields, err)
		}
	}
}
