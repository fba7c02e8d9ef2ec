package commands_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/sources/mongodb/mongotest"
)

// changesBench is a bench whose source is a replica set with change streams.
type changesBench struct {
	*bench
	shop *mongotest.Server
}

func newChangesBench(t testing.TB, elasticsearch string) *changesBench {
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
	b.writePlain("mongodb", fmt.Sprintf(`host: %q, database: shop, collection: orders, retry_count: 10, %s`, b.shop.URI(), more), "")
}

func (b *changesBench) put(id any, n int) {
	b.shop.Put("shop", "orders", bson.D{{Key: "_id", Value: id}, {Key: "n", Value: int32(n)}})
}

// prints runs the program, which must succeed, and returns its output.
func (b *changesBench) prints(args ...string) string {
	b.t.Helper()
	o := b.run(args...)
	if o.code != 0 {
		b.t.Fatalf("%v: exit code %d\n%s%s", args, o.code, o.stdout, o.stderr)
	}
	return o.stdout
}

// config and writeConfig are the configuration as text.
func (b *changesBench) config() string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "config.yml"))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func (b *changesBench) writeConfig(text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, "config.yml"), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// TestIncrementalSyncOfMongoDB: sync makes the changes that diff predicts, and reads only changed documents.
func TestIncrementalSyncOfMongoDB(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newChangesBench(t, elasticsearch)
		o := b.run("sync", "--type", "incremental")
		if o.code != 0 || !strings.Contains(o.stderr, "reads everything, not only what changed") || !strings.Contains(o.stderr, "the index does not exist yet") {
			t.Fatalf("first: exit code %d\n%s", o.code, o.stderr)
		}
		b.must(0, "sync", "--type", "incremental") // the last change is at the time of the saved position
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

		// The oplog does not reach back far enough: the run logs this and reads everything, and the next run
		// reads only changes.
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

// TestIncrementalSyncWithoutChangeStreams: on a server without change streams the run ends with 2 and the
// setting to change; without that setting, an incremental sync reads everything.
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

// TestIncrementalDeletesAreHeldBack: until they are confirmed, even if other runs come first.
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

// TestIncrementalOfAChosenCollection: a collection without changes is not an error, a missing one is.
func TestIncrementalOfAChosenCollection(t *testing.T) {
	t.Parallel()
	b := newChangesBench(t, "")
	b.shop.Put("shop", "others", bson.D{{Key: "_id", Value: "a"}})
	b.writePlain("mongodb", fmt.Sprintf(`host: %q, database: shop, collection: "*", change_streams: true`, b.shop.URI()), "")
	b.must(0, "sync")
	b.must(0, "sync", "--type", "incremental")
	b.put(1, 1)
	b.must(0, "sync", "--type", "incremental", "--part", "others")
	if o := b.run("sync", "--type", "incremental", "--part", "otters"); o.code != 2 || !strings.Contains(o.stderr, `did you mean "others"?`) {
		t.Errorf("exit code %d\n%s", o.code, o.stderr)
	}
	if res := b.must(0, "sync", "--type", "incremental"); res.Updated != 1 {
		t.Errorf("a collection without changes: %+v", res)
	}
}

// TestIncrementalKilledInTheMiddle: the next run completes the work of the killed one.
func TestIncrementalKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newChangesBench(t, elasticsearch)
		b.must(0, "sync")
		for i := range 4000 {
			b.put(i, 7)
		}
		for i := range 5 {
			b.shop.Remove("shop", "orders", i)
		}
		for at := 1; at <= 4; at += 3 { // the first batch of changed documents, and the last
			cmd := b.command("sync", "--type", "incremental")
			n, started := 0, make(chan struct{})
			b.shop.Fail(func(name string, command bson.Raw) any {
				if _, err := command.LookupErr("readConcern", "afterClusterTime"); name != "find" || err != nil {
					return nil
				}
				if n++; n >= at {
					<-started
					_ = cmd.Process.Kill()
					return mongotest.HangUp{}
				}
				return nil
			})
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			close(started)
			if err := cmd.Wait(); err == nil {
				t.Fatal("the run was not killed")
			}
		}
		b.shop.Fail(nil)
		o := b.run("sync", "--type", "incremental", "-o", "json")
		if o.code != 0 || strings.Contains(o.stderr, "reads everything") {
			t.Errorf("after it: exit code %d\n%s", o.code, o.stderr)
		}
		if res := b.must(0, "diff"); res.Kept != 3995 {
			t.Errorf("%+v", res)
		}
	})
}

// TestIncrementalThroughAPipeline: fields that the pipeline adds are not changes.
func TestIncrementalThroughAPipeline(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		b := newChangesBench(t, elasticsearch)
		pipeline := b.index + "-pipeline"
		b.call(http.MethodPut, "/_ingest/pipeline/"+pipeline, `{"processors":[{"set":{"field":"added","value":"yes"}}]}`)
		t.Cleanup(func() { b.call(http.MethodDelete, "/_ingest/pipeline/"+pipeline, "") })
		b.writePlain("mongodb", fmt.Sprintf(`host: %q, database: shop, collection: orders, change_streams: true`, b.shop.URI()), "    pipeline: "+pipeline)
		b.must(0, "sync")
		b.must(0, "sync", "--type", "incremental")
		b.put(1, 0) // the same
		b.put(2, 1)
		b.shop.Remove("shop", "orders", 3)
		if res := b.must(0, "sync", "--type", "incremental"); res != (result{Updated: 1, Deleted: 1, Kept: 1}) {
			t.Errorf("%+v", res)
		}
		b.call(http.MethodPut, "/_ingest/pipeline/"+pipeline, `{"processors":[{"set":{"field":"added","value":"no"}}]}`)
		o := b.run("sync", "--type", "incremental", "-o", "json")
		if o.code != 0 || !strings.Contains(o.stderr, "the pipeline or the way documents are built have changed") || !strings.Contains(o.stdout, `"updated":49`) {
			t.Errorf("another pipeline: exit code %d\n%s%s", o.code, o.stdout, o.stderr)
		}
	})
}

// TestIncrementalJobsOfARecord: a poll runs them, reads only changes, and the record stores the same position
// as the index.
func TestIncrementalJobsOfARecord(t *testing.T) {
	t.Parallel()
	b := newChangesBench(t, "")
	b.prints("connector", "create", "shop", "--id", "shop-1")
	config := strings.Replace(b.config(), "- name: shop\n", "- connector_id: shop-1\n", 1)
	b.writeConfig(strings.Replace(config, "    index_name: "+b.index+"\n", "", 1))
	cursor := func() string {
		var shown struct {
			Connector struct {
				SyncCursor map[string]string `json:"sync_cursor"`
			}
		}
		if err := json.Unmarshal([]byte(b.prints("connector", "show", "shop-1", "-o", "json")), &shown); err != nil {
			t.Fatal(err)
		}
		c := shown.Connector.SyncCursor
		return c["operation_time"] + c["resume_token"]
	}
	poll := func(kind string) string {
		b.prints("job", "start", "shop-1", "--type", kind, "-q")
		return b.prints("poll", "--once", "-o", "ndjson")
	}
	b.prints("poll", "--once")
	var kept []string
	for i, kind := range []string{"full", "incremental", "incremental"} {
		out := poll(kind)
		if want := []string{`"created":50`, `"updated":1`, `"read":1,`}[i]; !strings.Contains(out, want) {
			t.Errorf("%s: %s", kind, out)
		}
		kept = append(kept, cursor())
		if kept[i] == "" || i > 0 && kept[i] == kept[i-1] {
			t.Errorf("cursors %q", kept)
		}
		b.put(i+10, 5)
	}
}

// BenchmarkIncrementalSync changes 100 of 100,000 documents of 1 KB before each run, on the newest
// Elasticsearch if there is one. full is a run that finds nothing to do.
func BenchmarkIncrementalSync(b *testing.B) {
	c := newChangesBench(b, os.Getenv("TEST_ELASTICSEARCH_URL"))
	put := func(i, n int) {
		c.shop.Put("shop", "orders", bson.D{{Key: "_id", Value: int32(i)}, {Key: "n", Value: int32(n)}, {Key: "t", Value: strings.Repeat("x", 960)}})
	}
	for i := range 100_000 {
		put(i, 0)
	}
	c.must(0, "sync")
	n := 0
	for _, kind := range []string{"full", "incremental"} {
		b.Run(kind, func(b *testing.B) {
			cpu := time.Duration(0)
			for b.Loop() {
				b.StopTimer()
				if n++; kind == "incremental" {
					for i := range 100 {
						put(i*1000, n)
					}
				}
				cmd := c.command("sync", "--type", kind, "-q")
				b.StartTimer()
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
				cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
			b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/op")
		})
	}
}
