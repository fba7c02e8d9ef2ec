package planfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/planfile"
)

var header = planfile.Header{Time: time.Date(2026, 3, 1, 2, 15, 0, 0, time.UTC), Connector: "shop", Parts: []string{"public.*"}, Compare: "auto"}

var target = planfile.Target{Owner: "postgresql/shop", Identity: "host=db", Index: "search-shop", UUID: "u1"}

func changes() []plan.Change {
	return []plan.Change{
		{Kind: plan.Create, ID: "a", Scope: "public.orders", Source: []byte(`{"id":"a","v":1,"_timestamp":"2026-01-01T00:00:00Z"}`)},
		{Kind: plan.Update, ID: "<b>\n", Scope: "public.orders", Source: []byte(`{"id":"<b>\n","v":2}`)},
		{Kind: plan.Delete, ID: "c", Scope: "public.items", At: &plan.At{SeqNo: 7, PrimaryTerm: 1}},
	}
}

// saved writes a plan and returns its path.
func saved(t testing.TB) string {
	t.Helper()
	w := planfile.NewWriter(filepath.Join(t.TempDir(), "shop.plan"), header)
	if err := w.Ready(); err != nil {
		t.Fatal(err)
	}
	if err := w.Begin(target); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes() {
		if err := w.Add(&c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(w.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the plan has its name before it is complete: %v", err)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	w.Abandon()
	return w.Path()
}

func TestAPlanIsReadAsItWasSaved(t *testing.T) {
	t.Parallel()
	path := saved(t)
	p, err := planfile.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := header
	want.Schema, want.Kind, want.Target = 1, "plan", target
	if d := cmp.Diff(want, p.Header); d != "" || p.Len() != 3 || !p.Concerns("public.items") || p.Concerns("public.other") {
		t.Errorf("%d changes, %s", p.Len(), d)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("files: %v", left)
	}
}

// TestMatch is the table of changes that a plan has or does not have.
func TestMatch(t *testing.T) {
	t.Parallel()
	p, err := planfile.Load(saved(t))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		rule string
		c    plan.Change
		want planfile.Match
	}{
		{"the timestamp of the run does not count", plan.Change{Kind: plan.Create, ID: "a", Source: []byte(`{"id":"a","v":1,"_timestamp":"2026-02-02T00:00:00Z"}`)}, planfile.Same},
		{"another value", plan.Change{Kind: plan.Create, ID: "a", Source: []byte(`{"id":"a","v":2}`)}, planfile.Moved},
		{"an update is no create", plan.Change{Kind: plan.Update, ID: "a", Source: []byte(`{"id":"a","v":1}`)}, planfile.Moved},
		{"the same update", changes()[1], planfile.Same},
		{"the same delete", changes()[2], planfile.Same},
		{"a copy that was written since", plan.Change{Kind: plan.Delete, ID: "c", At: &plan.At{SeqNo: 8, PrimaryTerm: 1}}, planfile.Moved},
		{"another document", plan.Change{Kind: plan.Delete, ID: "d", At: &plan.At{SeqNo: 7, PrimaryTerm: 1}}, planfile.New},
	}
	for _, tt := range tests {
		if got, err := p.Match(&tt.c); got != tt.want || err != nil {
			t.Errorf("%s: got %d, %v", tt.rule, got, err)
		}
	}
	if same, moved, gone := p.Counts(); same != 3 || moved != 3 || gone != -3 {
		t.Errorf("%d, %d, %d", same, moved, gone)
	}
}

// TestOnlyACompletePlanIsUsed: a plan that was cut, edited, or written by another program is refused, with what to
// do.
func TestOnlyACompletePlanIsUsed(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(saved(t))
	if err != nil {
		t.Fatal(err)
	}
	whole := string(raw)
	lines := strings.SplitAfter(whole, "\n")
	for name, text := range map[string]string{
		"empty":              "",
		"another file":       "hello\n",
		"binary":             strings.Repeat("\x00", 3<<20),
		"another version":    strings.Replace(whole, `"schema":1`, `"schema":2`, 1),
		"a change removed":   strings.Join(append(lines[:1:1], lines[2:]...), ""),
		"a change twice":     strings.Join(append(lines[:2:2], lines[1:]...), ""),
		"a kind changed":     strings.Replace(whole, `"create"`, `"update"`, 1),
		"an unknown kind":    strings.Replace(whole, `"create"`, `"drop"`, 1),
		"an id changed":      strings.Replace(whole, `"id":"c"`, `"id":"d"`, 1),
		"the index changed":  strings.Replace(whole, `"search-shop"`, `"search-other"`, 1),
		"a short digest":     strings.Replace(whole, `"digest":"`, `"digest":"00","was":"`, 1),
		"the end is missing": strings.Join(lines[:4], ""),
		"cut in a line":      whole[:len(whole)-10],
		"more follows":       whole + lines[1],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "plan")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := planfile.Load(path)
			if !errors.Is(err, planfile.ErrInvalid) || !strings.Contains(err.Error(), "save a new plan") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAnAbandonedPlanLeavesNothing(t *testing.T) {
	t.Parallel()
	w := planfile.NewWriter(filepath.Join(t.TempDir(), "plan"), header)
	w.Abandon()
	if err := w.Begin(target); err != nil {
		t.Fatal(err)
	}
	w.Abandon()
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(w.Path()), "*")); len(left) != 0 {
		t.Errorf("files: %v", left)
	}
}
