package commands_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// mongoBench is a bench whose source is a database of MongoDB.
type mongoBench struct {
	*bench
	uri string
	db  *mongo.Database
}

func newMongoBench(t *testing.T, elasticsearch string) *mongoBench {
	t.Helper()
	b := &mongoBench{bench: newBenchOf(t, elasticsearch), uri: testenv.Required(t, "TEST_MONGODB_URI")}
	client, err := mongo.Connect(options.Client().ApplyURI(b.uri))
	if err != nil {
		t.Fatal(err)
	}
	b.db = client.Database(b.database)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_ = b.db.Drop(ctx)
		_ = client.Disconnect(ctx)
	})
	b.configure("*")
	return b
}

func (b *mongoBench) configure(collection string) {
	b.t.Helper()
	config := fmt.Sprintf(`
elasticsearch:
  host: %q
connectors:
  - name: shop
    service_type: mongodb
    index_name: %s
    configuration: {host: %q, database: %s, collection: %q}
`, b.destination, b.index, b.uri, b.database, collection)
	b.do(os.WriteFile(filepath.Join(b.dir, "config.yml"), []byte(config), 0o600))
}

// do fails the test if the action failed.
func (b *mongoBench) do(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *mongoBench) insert(collection string, docs ...any) {
	b.t.Helper()
	_, err := b.db.Collection(collection).InsertMany(b.t.Context(), docs)
	b.do(err)
}

// TestMirrorOfMongoDB: the first sync, a sync without changes, predicted and applied changes, a dropped
// collection, and a missing database.
func TestMirrorOfMongoDB(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newMongoBench(t, elasticsearch)
		price, err := bson.ParseDecimal128("12.50")
		b.do(err)
		for i := range 50 {
			b.insert("orders", bson.D{{Key: "_id", Value: i}, {Key: "price", Value: price}, {Key: "at", Value: bson.DateTime(i)}, {Key: "lines", Value: bson.A{bson.D{{Key: "n", Value: i}, {Key: "x", Value: 1.5}}}}})
			b.insert("customers", bson.D{{Key: "name", Value: fmt.Sprint("customer ", i)}, {Key: "ratio", Value: float64(i)}})
		}
		b.must(1, "diff")
		if res := b.must(0, "sync"); res != (result{Created: 100}) {
			t.Fatalf("first sync: %+v", res)
		}
		if res := b.must(0, "sync"); res != (result{Kept: 100}) {
			t.Fatalf("nothing changed: %+v", res)
		}
		orders := b.db.Collection("orders")
		_, err = orders.UpdateByID(t.Context(), 1, bson.D{{Key: "$set", Value: bson.D{{Key: "state", Value: "paid"}}}})
		b.do(err)
		_, err = orders.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: 2}})
		b.do(err)
		b.insert("orders", bson.D{{Key: "_id", Value: "new"}})
		o := b.run("diff", "-o", "ndjson", "--fields")
		want := map[string]string{
			b.database + ".orders/1":   `update {"state":[null,"paid"]}`,
			b.database + ".orders/2":   "delete null",
			b.database + ".orders/new": "create null",
		}
		if d := cmp.Diff(want, changes(t, o.stdout)); d != "" {
			t.Errorf("diff (-want +got):\n%s\n%s", d, o.stderr)
		}
		if res := b.must(0, "sync"); res != (result{Created: 1, Updated: 1, Deleted: 1, Kept: 98}) {
			t.Fatalf("changes: %+v", res)
		}
		b.do(b.db.Collection("customers").Drop(t.Context()))
		if res := b.must(4, "sync", "--max-deletes", "1000"); res.Deleted != 0 || res.Withheld != 50 {
			t.Fatalf("a dropped collection: %+v", res)
		}
		b.do(orders.Drop(t.Context()))
		o = b.run("sync", "--max-deletes", "1000")
		if o.code != 2 || !strings.Contains(o.stderr, "has no collection") {
			t.Errorf("no database: exit code %d\n%s", o.code, o.stderr)
		}
		b.insert("orders", bson.D{{Key: "_id", Value: 1}})
		b.configure("orders, absent")
		if o = b.run("sync"); o.code != 3 && o.code != 4 || !strings.Contains(o.stderr, "absent: the collection does not exist") {
			t.Errorf("one of two: exit code %d\n%s", o.code, o.stderr)
		}
	})
}

// TestMongoDBDocumentsThatDoNotFit: a document that the index cannot hold is reported, and the others are
// written.
func TestMongoDBDocumentsThatDoNotFit(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newMongoBench(t, elasticsearch)
		b.configure("odd")
		deep := bson.D{{Key: "leaf", Value: 1}}
		for range 80 {
			deep = bson.D{{Key: "o", Value: deep}}
		}
		wide := bson.D{{Key: "_id", Value: "wide"}}
		for i := range 3000 {
			wide = append(wide, bson.E{Key: fmt.Sprint("field", i), Value: i})
		}
		b.insert("odd",
			bson.D{{Key: "_id", Value: "fine"}, {Key: "c", Value: 1}},
			bson.D{{Key: "_id", Value: "clash"}, {Key: "c", Value: bson.D{{Key: "d", Value: 1}}}},
			bson.D{{Key: "_id", Value: ""}, {Key: "n", Value: 1}},
			bson.D{{Key: "_id", Value: strings.Repeat("i", 600)}},
			bson.D{{Key: "_id", Value: "names"}, {Key: "a.b", Value: 1}, {Key: "a", Value: 2}, {Key: "", Value: 3}, {Key: ".", Value: 4}, {Key: "$x", Value: 5}, {Key: "_source", Value: 6}, {Key: "id", Value: 42}},
			bson.D{{Key: "_id", Value: "numbers"}, {Key: "x", Value: math.NaN()}, {Key: "late", Value: bson.DateTime(1 << 62)}, {Key: "mixed", Value: bson.A{1, 2.5}}},
			append(bson.D{{Key: "_id", Value: "deep"}}, deep...), wide)
		o := b.run("sync")
		if o.code != 3 || !strings.Contains(o.stderr, "odd: a document has no id") || !strings.Contains(o.stderr, "[c]") {
			t.Errorf("exit code %d\n%s", o.code, o.stderr)
		}
		// c is an object in one document and a number in another; only one of them is in the index.
		if res := b.must(3, "sync"); res != (result{Exit: 3, Kept: 6, Rejected: 2}) {
			t.Errorf("again: %+v", res)
		}
	})
}
