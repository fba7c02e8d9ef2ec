package engine_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

var nightSeed = flag.Uint64("night-seed", 0, "seed of the night in which everything breaks; 0 takes one from the clock")

func TestNights(t *testing.T) {
	t.Parallel()
	all := slices.Concat(nightsOfTheServer(), nightsOfTheNode(), nightsOfDocuments(), nightsOfOthers(), nightsOfTheSource())
	for _, n := range all {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			n.run(t)
		})
	}
}

// Responses as Elasticsearch sends them.
var (
	busy        = fault.JSON(429, `{"error":{"type":"es_rejected_execution_exception","reason":"rejected execution of coordinating operation"},"status":429}`)
	contextGone = fault.JSON(404, `{"error":{"root_cause":[{"type":"search_context_missing_exception","reason":"No search context found for id [1]"}],`+
		`"type":"search_phase_execution_exception","reason":"all shards failed"},"status":404}`)
	indexGone   = fault.JSON(404, `{"error":{"type":"index_not_found_exception","reason":"no such index"},"status":404}`)
	noPrivilege = fault.JSON(403, `{"error":{"type":"security_exception","reason":"action [indices:admin/refresh] is unauthorized"},"status":403}`)
	tooLong     = fault.JSON(413, "")
)

const (
	busyItem   = `{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"rejected execution of primary operation"}}`
	closedItem = `{"status":400,"error":{"type":"index_closed_exception","reason":"closed"}}`
	floodItem  = `{"status":429,"error":{"type":"cluster_block_exception","reason":"index blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded ` +
		`flood-stage watermark, index has read-only-allow-delete block];"}}`
	unparsable = `{"status":400,"error":{"type":"document_parsing_exception","reason":"[1:20] failed to parse field [v] of type [long]"}}`
)

// scripted turns faults of its requests into the script of a run.
func scripted(r ...fault.Rule) func(*dark) { return func(d *dark) { d.rules = r } }

// impatient gives up early, so that a storm can outlast it.
func impatient(d *dark) { d.deps.Retry.Patience = 20 * time.Millisecond }

// oneWriter makes bulk requests sequential, so that the fault of the first one comes before the others.
func oneWriter(d *dark) { d.deps.Writers = 1 }

func nightsOfTheServer() []night {
	return []night{
		{name: "a storm of 429 that ends", runs: []broken{{
			scripted(fault.Rule{Path: "_bulk", Times: 25, Answer: busy}, fault.Rule{Path: "_search", Times: 2, Answer: busy}), []string{undisturbed},
		}}},
		{name: "a storm of 429 that outlasts patience", set: impatient, runs: []broken{{
			scripted(fault.Rule{Path: "_bulk", Answer: busy}), []string{"exit 5: 0 created, 0 updated, 0 deleted", "es_rejected_execution_exception", "0 dead-lettered"},
		}}},
		{name: "single operations are refused for a time", runs: []broken{{
			scripted(fault.Rule{Path: "_bulk", Times: 6, Refuse: func(id string) string {
				if id[len(id)-1]%2 == 0 {
					return busyItem
				}
				return ""
			}}), []string{undisturbed},
		}}},
		{name: "one document is always refused while others succeed", runs: []broken{{
			scripted(fault.Rule{Path: "_bulk", Refuse: onlyFor(busyItem, "a-new3")}),
			[]string{"exit 3: 19 created, 2 updated, 3 deleted, 75 unchanged, 1 rejected", "a a-new3: ", "too large for this node", "1 dead-lettered"},
		}}},
		{name: "connections are reset before the server reads the request", runs: []broken{
			{scripted(fault.Rule{Path: "_pit", Times: 1}), []string{"exit 5: 0 created", "connection reset"}},
			{scripted(fault.Rule{Path: "_bulk", Times: 7}, fault.Rule{Path: "_search", Times: 3}), []string{undisturbed}},
		}},
		{name: "responses are lost after the server did the work", runs: []broken{{
			scripted(fault.Rule{Path: "_bulk", Times: 7, After: true}, fault.Rule{Path: "_search", Times: 3, After: true}),
			[]string{"exit 0: 20 created, 2 updated", "0 rejected, 0 held back"},
		}}},
		{name: "responses are cut in half", runs: []broken{{
			scripted(fault.Rule{Path: "_bulk", Times: 5, After: true, Cut: 20}, fault.Rule{Path: "_search", Times: 2, After: true, Cut: 60}),
			[]string{"exit 0: 20 created, 2 updated", "0 rejected, 0 held back"},
		}}},
		{name: "502, 503 and 504 in bursts", runs: []broken{{
			scripted(
				fault.Rule{Path: "_bulk", Times: 4, Answer: fault.JSON(502, "<html>bad gateway</html>")},
				fault.Rule{Path: "_bulk", Skip: 1, Times: 4, Answer: fault.JSON(503, `{"error":{"type":"unavailable_shards_exception","reason":"primary shard is not active"},"status":503}`)},
				fault.Rule{Path: "_search", Times: 3, Answer: fault.JSON(504, "")},
			), []string{undisturbed},
		}}},
	}
}

func nightsOfTheNode() []night {
	return []night{
		{name: "the node restarts while the source is read", runs: []broken{{
			scripted(fault.Rule{Path: "_bulk", Times: 9}, fault.Rule{Path: "_search", Skip: 1, Answer: contextGone}),
			[]string{"exit 4: 20 created, 2 updated, 0 deleted", "held back: 3: the point in time was lost"},
		}}},
		{name: "the node stops and is back for the next run", set: impatient, runs: []broken{
			{scripted(fault.Rule{Skip: 8}), []string{"exit 5: ", "0 rejected", "connection reset"}}, // how far it gets depends on timing
			{scripted(fault.Rule{Skip: 1, Times: 1}), []string{"exit 5: 0 created", "connection reset"}},
		}},
		{name: "the point in time is lost while the index is scanned", runs: []broken{
			{scripted(fault.Rule{Path: "_search", Answer: contextGone}), []string{"exit 5: 0 created, 0 updated, 0 deleted", "search_context_missing_exception"}},
			{scripted(fault.Rule{Path: "_search", Times: 2, Answer: contextGone}), []string{undisturbed}},
		}},
		{
			name: "the point in time is lost between deletes whose documents are saved",
			set:  func(d *dark) { d.source.Parts["c"] = numbered("c", "c", 300) },
			runs: []broken{{
				func(d *dark) {
					d.keepDeleted()
					// Two pages for the table, one to count, and the first of two with complete documents.
					d.rules = []fault.Rule{{Path: "_search", Skip: 4, Answer: contextGone}}
				}, []string{"exit 5: 20 created, 2 updated", "search_context_missing_exception"},
			}},
		},
		{name: "the refresh is refused", runs: []broken{{
			scripted(fault.Rule{Path: "_refresh", Answer: noPrivilege}),
			[]string{"exit 4: 20 created, 2 updated, 0 deleted", "held back: 3: the index could not be refreshed"},
		}}},
		{name: "the disk reaches the flood stage", set: oneWriter, runs: []broken{{
			func(d *dark) {
				d.rules = []fault.Rule{{Path: "_bulk", Skip: 1, Answer: fault.Items(func(string) string { return floodItem })}}
				if d.real() {
					d.rules = []fault.Rule{{Path: "_bulk", Times: 1, Before: func() { d.blocks("true") }, Pass: true}}
					d.after = func() { d.blocks("null") }
				}
			}, []string{"exit 5: ", " 0 deleted", "0 rejected", "flood", "0 dead-lettered"},
		}}},
	}
}

func nightsOfDocuments() []night {
	return []night{
		{name: "large requests are refused", runs: []broken{{
			scripted(fault.Rule{Path: "_bulk", Larger: 400, Answer: tooLong}), []string{undisturbed},
		}}},
		{name: "a document is larger than a request may be", repair: func(d *dark) { d.source.Parts["a"][5] = doc("a", "a5", "v") }, runs: []broken{{
			func(d *dark) {
				d.source.Parts["a"][5] = large("a", "a5", 2000)
				d.rules = []fault.Rule{{Path: "_bulk", Larger: 2000, Answer: tooLong}}
			}, []string{"exit 3: 20 created, 2 updated, 3 deleted, 74 unchanged, 1 rejected", "a a5: ", "too large", "1 dead-lettered"},
		}}},
		{name: "the mapping refuses single documents", runs: []broken{{
			scripted(fault.Rule{Path: "_bulk", Refuse: onlyFor(unparsable, "a0", "b-new7")}),
			[]string{"exit 3: 19 created, 1 updated, 3 deleted, 75 unchanged, 2 rejected", "a a0: ", "b b-new7: ", "failed to parse field [v]", "2 dead-lettered"},
		}}},
	}
}

// onlyFor rejects the operations of these ids.
func onlyFor(item string, ids ...string) func(string) string {
	return func(id string) string {
		if strings.Contains(" "+strings.Join(ids, " ")+" ", " "+id+" ") {
			return item
		}
		return ""
	}
}

// nightsOfOthers are the nights in which another program works on the index.
func nightsOfOthers() []night {
	atBulk := func(do func(*dark)) func(*dark) {
		return func(d *dark) {
			d.rules = []fault.Rule{{Path: "_bulk", Times: 1, Before: func() { do(d) }, Pass: true}}
		}
	}
	return []night{
		{name: "another program closes the index", set: oneWriter, runs: []broken{{
			func(d *dark) {
				d.rules = []fault.Rule{{Path: "_bulk", Skip: 1, Answer: fault.Items(func(string) string { return closedItem })}}
				if d.real() {
					atBulk(func(d *dark) { d.asOther(http.MethodPost, "/_close", "") })(d)
					d.after = func() { d.asOther(http.MethodPost, "/_open?wait_for_active_shards=1", "") }
				}
			}, []string{"exit 9: ", " 0 deleted", "0 rejected", "closed", "0 dead-lettered"},
		}}},
		{name: "another program deletes the index and creates it again", set: oneWriter, runs: []broken{{
			func(d *dark) { impatient(d); atBulk(func(d *dark) { d.recreate() })(d) }, []string{"exit 5: ", " 0 deleted", "0 rejected"},
		}}},
		{name: "another program recreates the index, and no document was deleted from the source", set: oneWriter, runs: []broken{{
			func(d *dark) {
				d.source.Parts["a"] = append(d.source.Parts["a"], doc("a", "a39", "v"))
				d.source.Parts["b"] = append(d.source.Parts["b"], doc("b", "b38", "v"), doc("b", "b39", "v"))
				atBulk(func(d *dark) { d.recreate() })(d)
			}, []string{"exit 5: 20 created, 2 updated, 0 deleted", "the index was replaced during the run"},
		}}},
		{name: "another program deletes the index while it is scanned for deletes", runs: []broken{{
			scripted(fault.Rule{Path: "_search", Skip: 1, Answer: indexGone}), []string{"exit 5: 20 created, 2 updated, 0 deleted", "the index was replaced during the run"},
		}}},
		{name: "another program deletes the index before it is refreshed", runs: []broken{{
			scripted(fault.Rule{Path: "_refresh", Skip: 1, Answer: indexGone}), []string{"exit 5: 20 created, 2 updated", "the index was replaced during the run"},
		}}},
		{name: "another program writes a document that is no longer in the source", runs: []broken{{
			func(d *dark) {
				d.rules = []fault.Rule{{Path: "_search", Skip: 1, Times: 1, Pass: true, Before: func() {
					d.others["b39"] = "theirs"
					d.write("b39", `{"id":"b39","scope":"b","v":"theirs"}`)
				}}}
			}, []string{"exit 0: 20 created, 2 updated, 2 deleted, 76 unchanged", "kept: b39: somebody wrote it since the scan"},
		}}},
		{name: "another program deletes documents", set: oneWriter, runs: []broken{{
			atBulk(func(d *dark) {
				for _, id := range []string{"a5", "b38"} {
					d.others[id] = ""
					d.asOther(http.MethodDelete, "/_doc/"+id, "")
				}
			}), []string{"exit 0: 20 created, 2 updated"},
		}}},
		{name: "the clock jumps by an hour, back and forth", runs: []broken{{
			func(d *dark) {
				var n atomic.Int64
				d.deps.Now = func() time.Time { return time.Now().Add(time.Duration(n.Add(1)%3-1) * time.Hour) }
			}, []string{undisturbed},
		}}},
	}
}

func nightsOfTheSource() []night {
	fails := func(kind error, at int) func(*dark) {
		return func(d *dark) {
			d.source.Fails = map[string]error{"a": &source.Error{Kind: kind, Part: "a", Err: errors.New("connection lost")}}
			d.source.FailsAt = at
		}
	}
	return []night{
		{name: "a part cannot be read completely", runs: []broken{{
			fails(source.ErrAuth, 20),
			[]string{"exit 3: 10 created, 2 updated, 2 deleted", "held back: 20: its part of the source was not read to the end", "a : a: connection lost"},
		}}},
		{name: "the source is unreachable for a time", runs: []broken{{
			fails(source.ErrUnreachable, 45), []string{"exit 5: ", "2 updated, 0 deleted", "connection lost"},
		}}},
		{name: "the source cannot be reached", runs: []broken{{
			func(d *dark) {
				d.source.PingErr = &source.Error{Kind: source.ErrUnreachable, Err: errors.New("no route to it")}
			},
			[]string{"exit 5: 0 created, 0 updated, 0 deleted", "no route to it"},
		}}},
		{name: "the list of parts ends early", runs: []broken{{
			func(d *dark) { d.source.ListErr = errors.New("the catalog ended early") },
			[]string{"exit 3: 20 created, 2 updated, 0 deleted", "held back: 3: the source was not listed to the end", "the catalog ended early"},
		}}},
		{
			name: "a part vanishes",
			set:  func(d *dark) { d.source.Parts["c"] = numbered("c", "c", 5) },
			runs: []broken{
				{func(d *dark) { delete(d.source.Parts, "c") }, []string{"exit 4: 20 created, 2 updated, 3 deleted", "held back: 5: its part of the source has vanished"}},
				{func(*dark) {}, []string{"exit 0: 0 created, 0 updated, 5 deleted"}},
			},
		},
		{
			name: "a part is emptied by mistake and filled again",
			set:  func(d *dark) { d.source.Parts["c"] = numbered("c", "c", 50) },
			runs: []broken{
				{func(d *dark) { d.source.Parts["c"] = nil }, []string{"exit 4: 20 created, 2 updated, 0 deleted", "held back: 53: more deletes than the guard allows"}},
				{func(d *dark) { d.source.Parts["c"] = numbered("c", "c", 50) }, []string{"exit 0: 0 created, 0 updated, 3 deleted"}},
			},
		},
	}
}

// TestNightOfASlowNode: every response takes longer than an unused point in time lives.
func TestNightOfASlowNode(t *testing.T) {
	t.Parallel()
	if *destination != "" {
		t.Skip("the clock of a server cannot be set")
	}
	slow := func(path string, d time.Duration) fault.Rule {
		return fault.Rule{Path: path, Pass: true, Before: func() { <-time.After(d) }}
	}
	synctest.Test(t, func(t *testing.T) {
		night{set: func(d *dark) { d.source.Parts["c"] = numbered("c", "c", 900) }, runs: []broken{{
			scripted(slow("_search", 4*time.Minute), slow("_bulk", 20*time.Minute), slow("_refresh", time.Hour)),
			[]string{"exit 0: 20 created, 2 updated, 3 deleted, 975 unchanged, 0 rejected, 0 held back"},
		}}}.run(t)
	})
}

// TestNightOfEverything draws the faults of six runs from those of the other nights.
func TestNightOfEverything(t *testing.T) {
	t.Parallel()
	seed := *nightSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-night-seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	all := night{set: impatient}
	for range 6 {
		all.runs = append(all.runs, broken{breaks: func(d *dark) {
			d.source.Parts["a"] = append(d.source.Parts["a"], doc("a", fmt.Sprint("more", rnd.Uint64()), "v"))
			d.source.Parts["b"] = append([]document.Document(nil), d.source.Parts["b"][1:]...)
			breakAnything(d, rnd)
		}})
	}
	all.run(t)
}

func breakAnything(d *dark, rnd *rand.Rand) {
	pool := []fault.Rule{
		{Path: "_bulk", Answer: busy},
		{Path: "_bulk"},
		{Path: "_bulk", After: true},
		{Path: "_bulk", After: true, Cut: 1 + rnd.IntN(80)},
		{Path: "_bulk", Refuse: func(id string) string { return map[bool]string{true: busyItem}[id[len(id)-1]%2 == 0] }},
		{Path: "_bulk", Refuse: onlyFor(unparsable, "a0", "b-new7")},
		{Path: "_bulk", Larger: 400, Answer: tooLong},
		{Path: "_bulk", Answer: fault.Items(func(string) string { return floodItem })},
		{Path: "_bulk", Answer: fault.JSON(503, "")},
		{Path: "_search", Answer: contextGone},
		{Path: "_search", Answer: busy},
		{Path: "_search", After: true, Cut: 1 + rnd.IntN(200)},
		{Path: "_refresh", Answer: noPrivilege},
		{Path: "_pit", Answer: fault.JSON(502, "")},
		{Path: ""},
	}
	for range 1 + rnd.IntN(5) {
		r := pool[rnd.IntN(len(pool))]
		r.Skip, r.Times = rnd.IntN(5), 1+rnd.IntN(3)
		d.rules = append(d.rules, r)
	}
	if rnd.IntN(3) == 0 {
		d.source.Fails = map[string]error{"b": &source.Error{Kind: source.ErrTemporary, Part: "b", Err: errors.New("connection lost")}}
		d.source.FailsAt = rnd.IntN(30)
	}
	if rnd.IntN(4) == 0 {
		d.source.ListErr = errors.New("the list ended early")
	}
}
