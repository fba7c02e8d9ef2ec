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

// night is one scripted night. In the evening the index mirrors the source; during the day the source
// changed; then come the runs, with what breaks them; in the morning all is whole again, and one more
// run must bring the index to what the source holds, and another one find nothing to do.
type night struct {
	name string
	set  func(*dark) // before the evening's run: settings, or another source
	runs []broken
	// repair is what somebody does in the morning before the run that must converge.
	repair func(*dark)
}

// broken is one run of a night.
type broken struct {
	breaks func(*dark)
	// finds is what the person who looks in the morning finds: what the report of the run contains.
	finds []string
}

// whole is what a run reports that nothing could harm.
const whole = "exit 0: 20 created, 2 updated, 3 deleted, 75 unchanged, 0 rejected, 0 withheld"

// dark is the state of a night.
type dark struct {
	*harness
	// others are the values that somebody else wrote, and "" for the documents that somebody else deleted.
	others map[string]string
	// after, if it is not nil, comes right after the run: to look at it, or to undo what keeps everybody
	// from the index.
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

// day changes the source: in all 20 documents are new, 2 have changed and 3 are gone.
func (d *dark) day() {
	for _, scope := range []string{"a", "b"} {
		docs := d.source.Parts[scope]
		gone := map[string]int{"a": 1, "b": 2}[scope]
		docs = append(slices.Clone(docs[:len(docs)-gone]), numbered(scope, scope+"-new", 10)...)
		docs[0] = doc(scope, docs[0].ID, "changed")
		d.source.Parts[scope] = docs
	}
}

// mend ends what a run's script has broken.
func (d *dark) mend() {
	s := d.source
	s.Fails, s.FailsAt, s.ListErr, s.PingErr, s.Each, s.Silent, d.rules, d.gone = nil, 0, nil, nil, nil, nil, nil, nil
}

// report is what a run says to a person.
func (d *dark) report(res engine.Result, err error) string {
	var b strings.Builder
	c := res.Counts
	code := commands.ExitCode(commands.Mode{}, nil, commands.Outcome{Result: res, Err: err})
	fmt.Fprintf(&b, "exit %d: %d created, %d updated, %d deleted, %d unchanged, %d rejected, %d withheld\n",
		code, c.Created, c.Updated, c.Deleted, c.Kept, c.Rejected, c.Withheld)
	for _, reason := range slices.Sorted(maps.Keys(res.Withheld)) {
		fmt.Fprintf(&b, "withheld: %d: %s\n", res.Withheld[reason], reason)
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
	dead, _ := os.ReadFile(d.dead) // absent when nothing was rejected
	fmt.Fprintf(&b, "%d dead-lettered", strings.Count(string(dead), "\n"))
	return b.String()
}

// truth is what the source holds: value by id.
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

// keepsPromises checks what must hold after any run, whatever broke.
func (d *dark) keepsPromises(run int, before map[string]string, res engine.Result, err error) {
	d.t.Helper()
	after, truth := d.heldIfThere(), d.truth()
	for id, value := range after {
		other, touched := d.others[id]
		if value != before[id] && value != truth[id] && (!touched || value != other) {
			d.t.Errorf("run %d: %q holds %q, which nobody wrote", run, id, value)
		}
	}
	missing := int64(0)
	for id := range before {
		if _, there := after[id]; there || d.takenByOthers(id) {
			continue
		}
		missing++
		if _, there := truth[id]; there {
			d.t.Errorf("run %d: %q was deleted and is in the source", run, id)
		}
	}
	// Where the answer to a delete was lost, the same delete sent again finds the document changed.
	told := res.Counts.Deleted
	for _, reason := range d.seen.of("keep") {
		if reason == string(plan.ChangedSince) {
			told++
		}
	}
	if err == nil && missing > told { // an error may come before the answer to a delete that was done
		d.t.Errorf("run %d: %d documents are missing and %d deletes were told", run, missing, told)
	}
	for id, value := range d.others {
		if value != "" && after[id] != value {
			d.t.Errorf("run %d: %q, which somebody else wrote, holds %q", run, id, after[id])
		}
	}
}

// real reports whether the destination is a server.
func (d *dark) real() bool { return *destination != "" }

// asOther asks the destination for something that another program wants of the index.
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

// blocks sets the block that a server sets when its disk is nearly full.
func (d *dark) blocks(value string) {
	d.t.Helper()
	d.asOther(http.MethodPut, "/_settings", `{"index.blocks.read_only_allow_delete":`+value+`}`)
}

// makeAnew deletes the index and makes an empty one of the same name.
func (d *dark) makeAnew() {
	d.others[everything] = ""
	d.asOther(http.MethodDelete, "", "")
	d.asOther(http.MethodPut, "", "{}")
}

// everything is the key of others that says that the whole index was deleted by somebody else.
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

// keepDeleted lets the next run keep whole documents before it deletes them.
func (d *dark) keepDeleted() {
	kept := docfile.NewDeleted(d.dead + ".deleted")
	d.t.Cleanup(func() {
		if err := kept.Close(); err != nil {
			d.t.Error(err)
		}
	})
	d.gone = kept
}

// large makes a document with a text of so many bytes.
func large(scope, id string, bytes int) document.Document {
	return doc(scope, id, strings.Repeat("x", bytes))
}
