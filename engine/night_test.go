package engine_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/commands"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// night is one scripted night. In the evening the index mirrors the source; during the day the source changes;
// then runs follow, with faults. In the morning all faults end: one more run must make the index equal to the
// source, and another one must find nothing to do.
type night struct {
	name string
	set  func(*dark) // before the evening's run: settings, or another source
	runs []broken
	// repair is what an operator does in the morning before the run that must converge.
	repair func(*dark)
}

// broken is one run of a night.
type broken struct {
	breaks func(*dark)
	// finds is the text that the report of the run must contain.
	finds []string
}

// undisturbed is the report of a run that no fault could harm.
const undisturbed = "exit 0: 20 created, 2 updated, 3 deleted, 75 unchanged, 0 rejected, 0 held back"

// dark is the state of a night.
type dark struct {
	*harness
	// others are the values that another program wrote, and "" for the documents that it deleted.
	others map[string]string
	// after, if not nil, runs right after the run: to inspect it, or to remove a block of the index.
	after func()
}

func (n night) run(t *testing.T) {
	t.Helper()
	d := &dark{harness: newHarness(t), others: map[string]string{}}
	d.evening()
	if n.set != nil {
		n.set(d)
	}
	d.sync()
	d.day()
	for i, b := range n.runs {
		before := d.heldIfThere()
		b.breaks(d)
		res, err := d.run(t.Context())
		report := d.report(res, err)
		t.Logf("run %d, %s", i+1, report)
		for _, want := range b.finds {
			if !strings.Contains(report, want) {
				t.Errorf("run %d does not report %q", i+1, want)
			}
		}
		if d.after != nil {
			d.after()
			d.after = nil
		}
		d.keepsPromises(i+1, before, res, err)
		d.mend()
	}
	if n.repair != nil {
		n.repair(d)
	}
	d.morning()
}

// evening puts 40 documents into each of two parts.
func (d *dark) evening() {
	d.source.Parts["a"], d.source.Parts["b"] = numbered("a", "a", 40), numbered("b", "b", 40)
}

// day changes the source: in total 20 documents are new, 2 have changed and 3 are deleted.
func (d *dark) day() {
	for _, scope := range []string{"a", "b"} {
		docs := d.source.Parts[scope]
		deleted := map[string]int{"a": 1, "b": 2}[scope]
		docs = append(slices.Clone(docs[:len(docs)-deleted]), numbered(scope, scope+"-new", 10)...)
		docs[0] = doc(scope, docs[0].ID, "changed")
		d.source.Parts[scope] = docs
	}
}

// mend ends the faults of a run's script.
func (d *dark) mend() {
	s := d.source
	s.Fails, s.FailsAt, s.ListErr, s.PingErr, s.Each, s.Silent, d.rules, d.deleted = nil, 0, nil, nil, nil, nil, nil, nil
}

// report is the output of a run for people.
func (d *dark) report(res engine.Result, err error) string {
	var b strings.Builder
	c := res.Counts
	code := commands.ExitCode(commands.Mode{}, nil, commands.Outcome{Result: res, Err: err})
	fmt.Fprintf(&b, "exit %d: %d created, %d updated, %d deleted, %d unchanged, %d rejected, %d held back\n",
		code, c.Created, c.Updated, c.Deleted, c.Kept, c.Rejected, c.Withheld)
	for _, reason := range slices.Sorted(maps.Keys(res.Withheld)) {
		fmt.Fprintf(&b, "held back: %d: %s\n", res.Withheld[reason], reason)
	}
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	b.WriteString(d.seen.failures())
	for id, reason := range d.seen.of("keep") {
		if reason != "unchanged" {
			fmt.Fprintf(&b, "kept: %s: %s\n", id, reason)
		}
	}
	dead, _ := os.ReadFile(d.dead) // missing if nothing was rejected
	fmt.Fprintf(&b, "%d dead-lettered", strings.Count(string(dead), "\n"))
	return b.String()
}

// truth is the content of the source: value by id.
func (d *dark) truth() map[string]string {
	out := map[string]string{}
	for _, docs := range d.source.Parts {
		for i := range docs {
			v, _ := docs[i].Lookup("v")
			out[docs[i].ID] = v.Text()
		}
	}
	return out
}

// keepsPromises checks what must hold after any run, whatever the faults.
func (d *dark) keepsPromises(run int, before map[string]string, res engine.Result, err error) {
	d.t.Helper()
	after, truth := d.heldIfThere(), d.truth()
	for id, value := range after {
		other, touched := d.others[id]
		if value != before[id] && value != truth[id] && (!touched || value != other) {
			d.t.Errorf("run %d: %q holds %q, which no program wrote", run, id, value)
		}
	}
	missing := int64(0)
	for id := range before {
		if _, there := after[id]; there || d.takenByOthers(id) {
			continue
		}
		missing++
		if _, there := truth[id]; there {
			d.t.Errorf("run %d: %q was deleted, but is in the source", run, id)
		}
	}
	// If the response to a delete was lost, the same delete sent again finds the document changed.
	reported := res.Counts.Deleted
	for _, reason := range d.seen.of("keep") {
		if reason == string(plan.ChangedSince) {
			reported++
		}
	}
	if err == nil && missing > reported { // an error may come before the response to a delete that was done
		d.t.Errorf("run %d: %d documents are missing and %d deletes were reported", run, missing, reported)
	}
	for id, value := range d.others {
		if value != "" && after[id] != value {
			d.t.Errorf("run %d: %q, which another program wrote, holds %q", run, id, after[id])
		}
	}
}

// real reports whether the destination is a server.
func (d *dark) real() bool { return *destination != "" }

// asOther sends a request of another program about the index.
func (d *dark) asOther(method, path, body string) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+"/"+d.job.Index+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := d.store.RoundTrip(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, _ := io.ReadAll(res.Body); res.StatusCode >= 300 {
		d.t.Errorf("%s %s: %s: %s", method, path, res.Status, answer)
	}
}

// blocks sets the block that a server sets if its disk is nearly full.
func (d *dark) blocks(value string) {
	d.t.Helper()
	d.asOther(http.MethodPut, "/_settings", `{"index.blocks.read_only_allow_delete":`+value+`}`)
}

// recreate deletes the index and creates an empty one with the same name.
func (d *dark) recreate() {
	d.others[everything] = ""
	d.asOther(http.MethodDelete, "", "")
	d.asOther(http.MethodPut, "", "{}")
}

// everything is the key of others for an index that another program deleted completely.
const everything = "*"

func (d *dark) takenByOthers(id string) bool {
	value, touched := d.others[id]
	_, all := d.others[everything]
	return all || touched && value == ""
}

func (d *dark) heldIfThere() map[string]string {
	d.t.Helper()
	if _, err := d.client().Index(d.t.Context(), d.job.Index); err != nil {
		return map[string]string{}
	}
	return d.held()
}

// morning: an unbroken run converges, and a further one writes nothing.
func (d *dark) morning() {
	d.t.Helper()
	res, err := d.run(d.t.Context())
	report := d.report(res, err)
	if err != nil || res.Incomplete() || res.WithheldDeletes() > 0 {
		d.t.Fatalf("the morning's run, %s", report)
	}
	if diff := cmp.Diff(d.truth(), d.held()); diff != "" {
		d.t.Fatalf("the morning's run, %s\ndid not converge:\n%s", report, diff)
	}
	res, err = d.run(d.t.Context())
	if err != nil || res.Differences() || res.Incomplete() || res.WithheldDeletes() > 0 {
		d.t.Fatalf("one more run, %s", d.report(res, err))
	}
	for _, r := range d.sent {
		if strings.Contains(r, "_bulk") || strings.Contains(r, "_mapping") {
			d.t.Errorf("one more run sent %s", r)
		}
	}
}

// keepDeleted makes the next run save complete documents before it deletes them.
func (d *dark) keepDeleted() {
	kept := docfile.NewDeleted(d.dead + ".deleted")
	d.t.Cleanup(func() {
		if err := kept.Close(); err != nil {
			d.t.Error(err)
		}
	})
	d.deleted = kept
}

// large is a document with a text of the given length.
func large(scope, id string, bytes int) document.Document {
	return doc(scope, id, strings.Repeat("x", bytes))
}
