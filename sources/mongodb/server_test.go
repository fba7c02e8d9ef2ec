package mongodb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// testDB is a database that one test has for itself.
type testDB struct {
	*mongo.Database
	t   testing.TB
	uri string
}

// newDB names a database, and drops it when the test ends.
func newDB(t testing.TB) *testDB {
	t.Helper()
	return newDBAt(t, testenv.Required(t, "TEST_MONGODB_URI"))
}

// newDBAt does so at an address.
func newDBAt(t testing.TB, uri string) *testDB {
	t.Helper()
	db := &testDB{t: t, uri: uri}
	client, err := mongo.Connect(options.Client().ApplyURI(db.uri))
	if err != nil {
		t.Fatal(err)
	}
	db.Database = client.Database("e_" + strings.ToLower(rand.Text()[:12]))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_ = db.Drop(ctx)
		_ = client.Disconnect(ctx)
	})
	return db
}

// insert puts documents into a collection.
func (db *testDB) insert(collection string, docs ...any) {
	db.t.Helper()
	for batch := range slices.Chunk(docs, 1000) {
		if _, err := db.Collection(collection).InsertMany(db.t.Context(), batch); err != nil {
			db.t.Fatal(err)
		}
	}
}

// values is the configuration that reads the database, with some keys changed.
func (db *testDB) values(change map[string]any) map[string]any {
	v := map[string]any{"host": db.uri, "database": db.Name(), "collection": "*", "retry_count": 3}
	maps.Copy(v, change)
	return v
}

// open opens a source that makes no pauses.
func (db *testDB) open(change map[string]any, env source.Env) *database {
	db.t.Helper()
	d := sqltest.Open(db.t, &Type, db.values(change), env).(*database)
	d.pause, _ = sqltest.NoPauses()
	return d
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, sourcetest.Config{
		Type: Type,
		Values: func(t *testing.T) map[string]any {
			db := newDB(t)
			db.insert("orders", docs(0, 300)...)
			n := 0
			for _, d := range everyType(t) {
				for _, e := range d {
					// The stand-in ends the connection at some types.
					_, err := db.Collection("types.of all").InsertOne(t.Context(), bson.D{{Key: "_id", Value: fmt.Sprint("d", n)}, e})
					if mongo.IsNetworkError(err) {
						t.Logf("the server does not take %s", e.Key)
						continue
					}
					if n++; err != nil {
						t.Fatalf("%s: %v", e.Key, err)
					}
				}
			}
			if n < 30 {
				t.Errorf("the server takes only %d kinds of values", n)
			}
			return db.values(nil)
		},
		Broken: map[string]sourcetest.Broken{
			"away": {
				Values: map[string]any{"host": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100", "database": "d", "collection": "c", "retry_count": 1},
				Kind:   source.ErrUnreachable,
			},
			"address": {Values: map[string]any{"host": "http://h", "database": "d", "collection": "c"}, Kind: source.ErrConfig},
			"no such database": {
				Values: map[string]any{"host": os.Getenv("TEST_MONGODB_URI"), "database": "e_absent", "collection": "c"}, Kind: source.ErrConfig,
			},
		},
		FailingPart: func(t *testing.T) sourcetest.FailingPart {
			db := newDB(t)
			db.insert("orders", docs(0, 10)...)
			return sourcetest.FailingPart{Values: db.values(map[string]any{"collection": "orders, absent"}), Scope: "absent", Kind: source.ErrConfig}
		},
		Loss: func(t *testing.T) sourcetest.Loss {
			db := newDB(t)
			db.insert("orders", docs(0, 2000)...)
			at, err := url.Parse(db.uri)
			if err != nil {
				t.Fatal(err)
			}
			r := sourcetest.NewRelay(t, at.Host)
			at.Host = r.Addr()
			return sourcetest.Loss{
				Values: db.values(map[string]any{"host": at.String(), "direct_connection": true}),
				Break:  func() { r.BreakAfter(30_000) }, Lost: r.Lost,
			}
		},
		Changing: func(t *testing.T) sourcetest.Changing {
			f := newFollowed(t)
			return sourcetest.Changing{Values: f.values(nil), Change: func() (created, changed, deleted []string) {
				f.put("orders", "new", 1)
				f.put("orders", 1, 1)
				f.Remove("shop", "orders", 2)
				return []string{"new"}, []string{"1"}, []string{"2"}
			}}
		},
		NoContent: "documents have fields, no files",
	})
}

// TestChangesOnServer checks that a server returns the changes, or a configuration error.
func TestChangesOnServer(t *testing.T) {
	t.Parallel()
	for _, variable := range []string{"TEST_MONGODB_URI", "TEST_MONGODB_AUTH_URI"} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			db := newDBAt(t, testenv.Required(t, variable))
			db.insert("orders", docs(0, 50)...)
			s := sqltest.Open(t, &Type, db.values(map[string]any{"collection": "orders", "change_streams": true}), source.Env{}).(*streaming)
			at, err := s.Position(t.Context())
			if err != nil {
				if !errors.Is(err, source.ErrConfig) || !strings.Contains(source.Hint(err), "change_streams: false") {
					t.Errorf("got %v (%s)", err, source.Hint(err))
				}
				t.Logf("the server has no change streams: %v", err)
				return
			}
			f := &followed{t: t}
			at = f.changes(s, at).next
			orders := db.Collection("orders")
			for _, change := range []func() error{
				func() error { _, err := orders.InsertOne(t.Context(), bson.D{{Key: "_id", Value: "new"}}); return err },
				func() error {
					_, err := orders.UpdateByID(t.Context(), int32(1), bson.D{{Key: "$set", Value: bson.D{{Key: "n", Value: int32(7)}}}})
					return err
				},
				func() error {
					_, err := orders.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: int32(2)}})
					return err
				},
			} {
				if err := change(); err != nil {
					t.Fatal(err)
				}
			}
			if c := f.changes(s, at); len(c.there) != 2 || !strings.Contains(c.there["1"], `"n":7`) || !slices.Equal(c.gone, []string{"2"}) {
				t.Errorf("%+v", c)
			}
		})
	}
}

// idsOfAllTypes are documents whose ids have several types.
func idsOfAllTypes(t testing.TB) (all []any) {
	t.Helper()
	add := func(id any) { all = append(all, bson.D{{Key: "_id", Value: id}, {Key: "n", Value: int32(len(all))}}) }
	for i := range 300 {
		add(fmt.Sprintf("text %04d", i))
		add(bson.NewObjectID())
	}
	for i := range 5 {
		add(int32(i))
	}
	for _, id := range []any{
		5.5, int64(1) << 40, decimal(t, "7.25"),
		bson.D{{Key: "a", Value: int32(1)}},
		bson.D{{Key: "a", Value: "x"}},
		bson.Binary{Data: []byte("b")},
		uuidBinary(4), true, false, bson.DateTime(5), nil, "",
		bson.Timestamp{T: 1, I: 2},
		bson.MinKey{},
		bson.MaxKey{},
	} {
		add(id)
	}
	return all
}

// TestIDsOfAllTypesAfterLosses has losses between ids of all types: the server sorts all types, but compares only values
// of one type.
func TestIDsOfAllTypesAfterLosses(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	all := idsOfAllTypes(t)
	db.insert("mixed", all...)
	for _, bytes := range []int{3000, 7000, 20_000} {
		d := db.open(map[string]any{"collection": "mixed", "retry_count": 20}, source.Env{})
		cutDial, cuts := sqltest.CutAfter(dial, bytes)
		d.dial = dialer(cutDial)
		r := readSmall(t, d)
		want := len(all)
		if r.Err != nil || len(r.IDs) != want || len(slices.Compact(slices.Sorted(slices.Values(r.IDs)))) != want {
			t.Errorf("cut after %d bytes: %d of %d documents, %v", bytes, len(r.IDs), want, r.Err)
		}
		if cuts.Load() == 0 {
			t.Errorf("no connection was cut after %d bytes", bytes)
		}
	}
}

// readSmall reads the one part of a source in small batches.
func readSmall(t *testing.T, d *database) sqltest.Result {
	t.Helper()
	d.batch = 20
	var only source.Part
	for p, err := range d.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		only = p
	}
	return sqltest.Read(t.Context(), only)
}

// TestFiltersFollowTheOrderOfTypes checks that the filter after each document selects exactly those that are sorted
// after it.
func TestFiltersFollowTheOrderOfTypes(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.insert("mixed", idsOfAllTypes(t)...)
	c, err := db.Collection("mixed").Find(t.Context(), bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	var sorted []bson.Raw
	if err := c.All(t.Context(), &sorted); err != nil {
		t.Fatal(err)
	}
	for i, doc := range sorted {
		if i%50 != 0 && i > 20 && i < len(sorted)-20 {
			continue
		}
		id := doc.Lookup("_id")
		b := bounds{after: id}
		filter := b.filter()
		n, err := db.Collection("mixed").CountDocuments(t.Context(), filter)
		if err != nil || int(n) != len(sorted)-i-1 {
			t.Errorf("after %v (%s), no. %d: %d of %d, %v", id, id.Type, i, n, len(sorted)-i-1, err)
		}
	}
}

// TestRanges checks that the ranges have every document once, also of types that the ends do not have.
func TestRanges(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.insert("numbers", docs(-500, 500)...)
	var oids []any
	for range 300 {
		oids = append(oids, bson.D{{Key: "_id", Value: bson.NewObjectID()}})
	}
	db.insert("oids", oids...)
	for collection, want := range map[string]int{"numbers": 1000, "oids": 300} {
		d := db.open(map[string]any{"collection": collection}, source.Env{})
		d.cutting = cutting{documents: 50, most: 4}
		var parts []source.Part
		for p, err := range d.Parts(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, p)
		}
		// Between listing and reading, ids of other types turn up.
		db.insert(collection, bson.D{{Key: "_id", Value: "text"}}, bson.D{{Key: "_id", Value: nil}}, bson.D{{Key: "_id", Value: true}}, bson.D{{Key: "_id", Value: bson.DateTime(1)}})
		times, least := map[string]int{}, 1<<30
		for _, p := range parts {
			r := sqltest.Read(t.Context(), p)
			if r.Err != nil {
				t.Errorf("%s: %v", p.Name(), r.Err)
			}
			least = min(least, len(r.IDs))
			for _, id := range r.IDs {
				times[id]++
			}
		}
		if len(parts) != 4 || least < want/8 {
			t.Errorf("%s: %d parts, the smallest of %d documents", collection, len(parts), least)
		}
		sqltest.Once(t, times, want+4)
	}
}

// TestRuleOnServer reads a find and an aggregation with extended JSON.
func TestRuleOnServer(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	oid := bson.NewObjectID()
	db.insert("orders",
		bson.D{{Key: "_id", Value: int32(1)}, {Key: "at", Value: bson.DateTime(1704067200000)}, {Key: "owner", Value: oid}, {Key: "name", Value: "Anna"}},
		bson.D{{Key: "_id", Value: int32(2)}, {Key: "at", Value: bson.DateTime(0)}, {Key: "owner", Value: oid}, {Key: "name", Value: "Bert"}},
		bson.D{{Key: "_id", Value: int32(3)}, {Key: "at", Value: bson.DateTime(1704067200001)}, {Key: "name", Value: "anton"}})
	for rule, want := range map[string][]string{
		`{"find":{"filter":{"at":{"$gte":{"$date":"2024-01-01T00:00:00Z"}}}}}`:                   {"1", "3"},
		`{"find":{"filter":{"owner":{"$oid":"` + oid.Hex() + `"}},"projection":["name"]}}`:       {"1", "2"},
		`{"find":{"filter":{"name":{"$regex":"^a","$options":"i"}}}}`:                            {"1", "3"},
		`{"aggregate":{"pipeline":[{"$match":{"_id":{"$gt":1}}},{"$project":{"name":1}}]}}`:      {"2", "3"},
		`{"aggregate":{"pipeline":[{"$group":{"_id":"$owner","n":{"$sum":1}}}]}}`:                {oid.Hex(), "None"},
		`{"aggregate":{"pipeline":[{"$match":{"_id":1}},{"$project":{"_id":0,"name":"same"}}]}}`: nil,
	} {
		r := sqltest.ReadAll(t, db.open(map[string]any{"collection": "orders"}, source.Env{AdvancedRules: decoded(t, rule)}))["orders"]
		slices.Sort(r.IDs)
		if want == nil && (len(r.IDs) != 1 || len(r.IDs[0]) != 32) || want != nil && !slices.Equal(r.IDs, want) || r.Err != nil {
			t.Errorf("%s: %v, %v", rule, r.IDs, r.Err)
		}
	}
}

// TestCollectionDroppedWhileItIsRead checks that its part fails.
func TestCollectionDroppedWhileItIsRead(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.insert("orders", docs(0, 500)...)
	db.insert("others", docs(0, 5)...)
	d := db.open(map[string]any{"collection": "orders"}, source.Env{})
	d.batch = 50
	for p, err := range d.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		_, err = sqltest.ReadWith(t, p, map[int]func(){10: func() {
			if err := db.Collection("orders").Drop(t.Context()); err != nil {
				t.Error(err)
			}
		}})
		if !errors.Is(err, source.ErrTemporary) {
			t.Errorf("%v", err)
		}
	}
}

// TestLogin logs in with a user and a password in the fields and in the address, and with wrong ones.
func TestLogin(t *testing.T) {
	t.Parallel()
	uri := testenv.Required(t, "TEST_MONGODB_AUTH_URI")
	o := options.Client().ApplyURI(uri)
	client, err := mongo.Connect(o)
	if err != nil {
		t.Fatal(err)
	}
	name := "e_" + strings.ToLower(rand.Text()[:12])
	db := client.Database(name)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_ = db.Drop(ctx)
		_ = client.Disconnect(ctx)
	})
	if _, err := db.Collection("orders").InsertMany(t.Context(), docs(0, 5)); err != nil {
		t.Fatal(err)
	}
	host := o.Hosts[0]
	fields := map[string]any{"host": host, "user": o.Auth.Username, "password": o.Auth.Password}
	for name, tt := range map[string]struct {
		change map[string]any
		kind   error
	}{
		"in the address":        {map[string]any{"host": uri}, nil},
		"in the fields":         {fields, nil},
		"SCRAM-SHA-256":         {map[string]any{"host": "mongodb://" + host + "/?authMechanism=SCRAM-SHA-256", "user": o.Auth.Username, "password": o.Auth.Password}, nil},
		"a wrong password":      {map[string]any{"host": host, "user": o.Auth.Username, "password": "wrong"}, source.ErrAuth},
		"an unknown user":       {map[string]any{"host": host, "user": "nobody", "password": "x"}, source.ErrAuth},
		"the fields come first": {map[string]any{"host": "mongodb://nobody:x@" + host, "user": o.Auth.Username, "password": o.Auth.Password}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := map[string]any{"database": db.Name(), "collection": "orders", "retry_count": 2}
			maps.Copy(raw, tt.change)

			if err := openErr(t, raw, source.Env{}); !errors.Is(err, tt.kind) {
				t.Errorf("got %v, want %v", err, tt.kind)
			}
			if tt.kind != nil {
				return
			}
			if r := sqltest.ReadAll(t, sqltest.Open(t, &Type, raw, source.Env{}))["orders"]; r.Err != nil || len(r.IDs) != 5 {
				t.Errorf("%d documents, %v", len(r.IDs), r.Err)
			}
		})
	}
}
