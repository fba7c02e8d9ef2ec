package commands_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/sources/mongodb/mongotest"
)

// changesBench is a bench whose source is a replica set with change streams.
type changesBench struct {
	*bench
	shop *mongotest.Server
}

func newChangesBench(t *testing.T, elasticsearch string) *changesBench {
	t.Helper()
	b := &changesBench{bench: newBenchOf(t, elasticsearch), shop: mongotest.New(t)}
	for i := range 50 {
		b.put(i, 0)
	}
	b.configure("change_streams: true")
	return b
}

func (b *changesBench) configure(more string) {
	b.t.Helper()
	b.writePlain("mongodb", fmt.Sprintf(`host: %q, database: shop, collection: orders, retry_count: 1, %s`, b.shop.URI(), more), "")
}

func (b *changesBench) put(id any, n int) {
	b.shop.Put("shop", "orders", bson.D{{Key: "_id", Value: id}, {Key: "n", Value: int32(n)}})
}

// TestIncrementalSyncOfMongoDB: what diff foretells is done, and only what changed is read.
func TestIncrementalSyncOfMongoDB(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newChangesBench(t, elasticsearch)
		o := b.run("sync", "--type", "incremental")
		if o.code != 0 || !strings.Contains(o.stderr, "reads everything, not only what changed") || !strings.Contains(o.stderr, "the index does not exist yet") {
			t.Fatalf("first: exit code %d\n%s", o.code, o.stderr)
		}
		b.must(0, "sync", "--type", "incremental") // the last change is at the time of the place
		b.put(1, 1)
		b.put("new", 1)
		b.shop.Remove("shop", "orders", 2)
		o = b.run("diff", "--type", "incremental", "-o", "ndjson", "--fields")
		want := map[string]string{"1": `update {"n":[0,1]}`, "2": "delete null", "new": "create null"}
		if d := cmp.Diff(want, changes(t, o.stdout)); d != "" || o.code != 1 {
			t.Errorf("diff, exit code %d (-want +got):\n%s\n%s", o.code, d, o.stderr)
		}
		if res := b.must(0, "sync", "--type", "incremental"); res != (result{Created: 1, Updated: 1, Deleted: 1}) {
			t.Errorf("incremental: %+v", res)
		}
		if res := b.must(0, "sync", "--type", "incremental"); res != (result{}) {
			t.Errorf("nothing changed: %+v", res)
		}
		b.must(0, "diff")

		// The oplog does not reach back: everything is read, which is said, and the run after it reads only changes.
		b.put(3, 1)
		b.shop.Forget()
		o = b.run("sync", "--type", "incremental")
		if o.code != 0 || !strings.Contains(o.stderr, "oplog no longer reaches back to the last sync") {
			t.Errorf("too old: exit code %d\n%s", o.code, o.stderr)
		}
		b.put(4, 1)
		if res := b.must(0, "sync", "--type", "incremental"); res.Updated != 1 || res.Kept > 1 {
			t.Errorf("after that: %+v", res)
		}
		b.must(0, "diff")
	})
}

// TestIncrementalSyncWithoutChangeStreams: a server that has none ends the run with 2 and the line to change; where
// they are not asked for, an incremental sync reads everything, as it always did.
func TestIncrementalSyncWithoutChangeStreams(t *testing.T) {
	t.Parallel()
	b := newChangesBench(t, "")
	alone := mongotest.Error{Code: 40573, Name: "Location40573", Message: "The $changeStream stage is only supported on replica sets"}
	b.shop.Fail(func(name string, _ bson.Raw) any {
		if name == "aggregate" {
			return alone
		}
		return nil
	})
	for _, kind := range []string{"incremental", "full"} {
		o := b.run("sync", "--type", kind)
		if o.code != 2 || !strings.Contains(o.stderr, alone.Message) || !strings.Contains(o.stderr, "set change_streams: false") {
			t.Errorf("%s: exit code %d\n%s", kind, o.code, o.stderr)
		}
	}
	b.configure("change_streams: false")
	if res := b.must(0, "sync", "--type", "incremental"); res.Created != 50 {
		t.Errorf("%+v", res)
	}
	b.put(1, 1)
	if res := b.must(0, "sync", "--type", "incremental"); res != (result{Updated: 1, Kept: 49}) {
		t.Errorf("%+v", res)
	}
}

// TestIncrementalDeletesAreHeldBack: until they are confirmed, however many runs there are in between.
func TestIncrementalDeletesAreHeldBack(t *testing.T) {
	t.Parallel()
	b := newChangesBench(t, "")
	b.must(0, "sync")
	for i := range 20 {
		b.shop.Remove("shop", "orders", i)
	}
	for range 2 {
		if res := b.must(4, "sync", "--type", "incremental"); res.Withheld != 20 || res.Deleted != 0 {
			t.Errorf("%+v", res)
		}
	}
	if res := b.must(0, "sync", "--type", "incremental", "--confirm-deletes", "20"); res.Deleted != 20 {
		t.Errorf("%+v", res)
	}
	b.must(0, "diff")
}
