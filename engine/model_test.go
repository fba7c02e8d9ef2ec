package engine_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

var (
	modelSeed = flag.Uint64("model-seed", 0, "the one seed that TestModel runs; 0 is a few new ones")
	modelRuns = flag.Int("model-runs", 20, "how many seeds TestModel runs")
)

// TestModel edits a source at random, makes source and destination fail at random, checks after every run that
// nothing forbidden happened, and at the end that everything is mirrored.
func TestModel(t *testing.T) {
	t.Parallel()
	seeds := []uint64{*modelSeed}
	if *modelSeed == 0 {
		seeds = nil
		for i := range *modelRuns {
			seeds = append(seeds, uint64(time.Now().UnixNano())+uint64(i))
		}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			m := &model{h: newHarness(t), rnd: rand.New(rand.NewPCG(seed, 1)), truth: map[string]map[string]string{}}
			if m.rnd.IntN(2) == 0 {
				m.mute = "s3"
			}
			m.h.job.Guard = engine.Guard{Deletes: 1 << 40, Confirmed: -1}
			for range 12 {
				m.edit()
				m.faultyRun()
			}
			m.converges()
		})
	}
}

type model struct {
	h     *harness
	rnd   *rand.Rand
	truth map[string]map[string]string // scope → id → value
	// missed are the scopes that the last run may have found missing from a complete list.
	missed   map[string]bool
	missedBy string // the owner of that run
	mute     string // the scope whose documents do not name their scope; "" for none
	next     int
}

// edit changes the source.
func (m *model) edit() {
	for range m.rnd.IntN(20) {
		scope := fmt.Sprint("s", m.rnd.IntN(4))
		switch docs := m.truth[scope]; {
		case docs == nil:
			m.truth[scope] = map[string]string{}
		case m.rnd.IntN(30) == 0:
			delete(m.truth, scope)
		case m.rnd.IntN(3) > 0 || len(docs) == 0:
			m.next++
			docs[fmt.Sprint(scope, "-", m.next)] = fmt.Sprint("v", m.next)
		case m.rnd.IntN(2) == 0:
			m.next++
			docs[m.pick(docs)] = fmt.Sprint("w", m.next)
		default:
			delete(docs, m.pick(docs))
		}
	}
	m.h.source.Parts = map[string][]document.Document{}
	for scope, docs := range m.truth {
		m.h.source.Parts[scope] = nil
		for _, id := range slices.Sorted(maps.Keys(docs)) {
			d := doc(scope, id, docs[id])
			if scope == m.mute {
				d.Fields = d.Fields[1:]
			}
			m.h.source.Parts[scope] = append(m.h.source.Parts[scope], d)
		}
	}
}

func (m *model) pick(docs map[string]string) string {
	return slices.Sorted(maps.Keys(docs))[m.rnd.IntN(len(docs))]
}

// faultyRun runs once with a fault and checks what must hold in any case.
func (m *model) faultyRun() {
	t, s := m.h.t, m.h.source
	before := m.heldOrNothing()
	s.Fails, s.FailsAt, s.ListErr, s.Quiet, s.Each, s.Unsure = nil, m.rnd.IntN(5), nil, nil, nil, nil
	if m.rnd.IntN(3) == 0 && len(m.truth) > 0 {
		scope := slices.Sorted(maps.Keys(m.truth))[m.rnd.IntN(len(m.truth))]
		kind := []error{nil, source.ErrAuth, source.ErrTemporary}[m.rnd.IntN(3)]
		s.Fails = map[string]error{scope: &source.Error{Kind: kind, Part: scope, Err: errors.New("broken by the model")}}
	}
	if m.rnd.IntN(8) == 0 {
		s.ListErr = errors.New("the list ended early")
	}
	if m.rnd.IntN(6) == 0 && len(m.truth) > 0 {
		s.Quiet = map[string]bool{slices.Sorted(maps.Keys(m.truth))[m.rnd.IntN(len(m.truth))]: true}
	}
	if m.rnd.IntN(6) == 0 && len(m.truth) > 0 {
		s.Unsure = map[string]error{slices.Sorted(maps.Keys(m.truth))[m.rnd.IntN(len(m.truth))]: errors.New("changed since it was read")}
	}
	lost := m.rnd.IntN(12) == 0
	if lost {
		s.Each = func(_ string, n int) {
			if n == s.FailsAt {
				runtime.Goexit()
			}
		}
	}
	m.h.rules = m.faults()
	owner := m.owner()
	runner := []string{m.h.job.Owner, "memory/stranger"}[max(0, m.rnd.IntN(8)-6)]
	adopts := m.rnd.IntN(3) == 0
	foreign := owner != "" && owner != runner && !adopts
	if runner != m.missedBy && !foreign { // a refused run changes nothing in the memory of the index
		m.missed = nil
	}
	res, err := m.h.run(t.Context(), func(j *engine.Job) { j.Owner, j.Adopt = runner, adopts })
	after := m.heldOrNothing()
	if foreign && (!maps.Equal(before, after) || m.owner() != owner) {
		t.Fatalf("%s changed the index of %s: %v, %+v", runner, owner, err, res.Counts)
	}
	if foreign && err == nil {
		t.Fatalf("%s got no error although the index belongs to %s", runner, owner)
	}

	for id, value := range after {
		if value != before[id] && value != m.valueOf(id) {
			t.Fatalf("%q holds %q, which is neither the old nor the new value", id, value)
		}
	}
	for id := range before {
		if _, left := after[id]; left {
			continue
		}
		scope, _, _ := cut(id)
		_, there := m.truth[scope]
		switch {
		case m.valueOf(id) != "":
			t.Fatalf("%q was deleted, but is in the source", id)
		case s.Fails[scope] != nil:
			t.Fatalf("%q was deleted, but its scope was not read completely", id)
		case s.Quiet[scope] && len(m.truth[scope]) > s.FailsAt:
			t.Fatalf("%q was deleted, but its scope never confirmed its end", id)
		case s.Unsure[scope] != nil:
			t.Fatalf("%q was deleted, but its scope may have changed since it was read", id)
		case scope == m.mute:
			t.Fatalf("%q was deleted, but does not name its scope", id)
		case lost && m.anyLonger(s.FailsAt):
			t.Fatalf("%q was deleted, but a reader was lost", id)
		case s.ListErr != nil:
			t.Fatalf("%q was deleted, but the list of parts was incomplete", id)
		case !there && !m.missed[scope]:
			t.Fatalf("%q was deleted, but its scope is missing for the first time", id)
		}
	}
	if foreign {
		return // it recorded nothing
	}
	m.missed, m.missedBy = map[string]bool{}, runner
	for n := range 4 {
		scope := fmt.Sprint("s", n)
		m.missed[scope] = m.truth[scope] == nil && s.ListErr == nil
	}
	if err == nil && !res.Incomplete() && res.WithheldDeletes() == 0 {
		if d := cmp.Diff(m.wanted(), after); d != "" {
			t.Fatalf("a run without complaint did not mirror:\n%s", d)
		}
	}
}

// anyLonger reports whether a scope that neither fails nor stops there has more documents than n.
func (m *model) anyLonger(n int) bool {
	for scope, docs := range m.truth {
		if len(docs) > n && m.h.source.Fails[scope] == nil && !m.h.source.Quiet[scope] {
			return true
		}
	}
	return false
}

func cut(id string) (scope, rest string, ok bool) {
	for i := range id {
		if id[i] == '-' {
			return id[:i], id[i+1:], true
		}
	}
	return id, "", false
}

func (m *model) valueOf(id string) string {
	scope, _, _ := cut(id)
	return m.truth[scope][id]
}

func (m *model) wanted() map[string]string {
	out := map[string]string{}
	for _, docs := range m.truth {
		maps.Copy(out, docs)
	}
	return out
}

// faults breaks a few requests of the next run.
func (m *model) faults() []fault.Rule {
	var rules []fault.Rule
	for range m.rnd.IntN(4) {
		r := fault.Rule{Path: []string{"_bulk", "_bulk", "_search", "_refresh", "_pit", "_mapping"}[m.rnd.IntN(6)], Skip: m.rnd.IntN(4), Times: 1 + m.rnd.IntN(2)}
		switch m.rnd.IntN(8) {
		case 0: // lost on the way to the server
		case 1:
			r.After = true // lost on the way back
		case 2:
			r.After, r.Cut = true, 1+m.rnd.IntN(60)
		case 3:
			r.Answer = fault.JSON(503, `{"error":{"type":"unavailable","reason":"model"},"status":503}`)
		case 4:
			r.Answer = fault.JSON(404, `{"error":{"root_cause":[{"type":"search_context_missing_exception","reason":"model"}],"type":"search_phase_execution_exception","reason":"x"},"status":404}`)
			r.Path = "_search"
		case 5:
			r.Path = "_bulk"
			r.Answer = fault.Items(func(string) string {
				return `{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"model"}}`
			})
		case 6: // a response that reports success without a result
			r.Answer = fault.JSON(200, []string{
				`{}`, `null`, `[]`, `{"hits":{}}`, `{"_shards":{"failed":1},"hits":{"hits":[]}}`, `{"took":1,"errors":false,"items":[]}`,
				`{"took":1,"errors":false,"items":[{"index":{"_index":"other","_id":"other","status":200}}]}`,
			}[m.rnd.IntN(7)])
		case 7: // the response of another server
			r.Answer = fault.JSON([]int{301, 200}[m.rnd.IntN(2)], `<html>`)
		}
		rules = append(rules, r)
	}
	return rules
}

// owner is the owner of the index; "" for none, or no index.
func (m *model) owner() string {
	index, err := m.h.client().Index(m.h.t.Context(), m.h.job.Index)
	if err != nil {
		return ""
	}
	return index.Marker.Owner
}

func (m *model) heldOrNothing() map[string]string {
	if _, err := m.h.client().Index(m.h.t.Context(), m.h.job.Index); err != nil {
		return map[string]string{}
	}
	return m.h.held()
}

// converges runs once without faults, with all deletes confirmed, and expects that another run finds nothing to
// do.
func (m *model) converges() {
	s := m.h.source
	s.Fails, s.ListErr, s.Quiet, s.Each, s.Unsure, m.h.rules = nil, nil, nil, nil, nil, nil
	sure := func(j *engine.Job) { j.Guard.Confirmed, j.AllowEmpty, j.Adopt = 1<<40, true, true }
	m.h.sync(sure)
	if d := cmp.Diff(m.wanted(), m.h.held()); d != "" {
		m.h.t.Fatal(d)
	}
	if res := m.h.sync(sure); res.Differences() {
		m.h.t.Fatalf("a second run wrote: %+v", res.Counts)
	}
}
