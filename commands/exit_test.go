package commands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

func wrapped(err error) error { return fmt.Errorf("while doing something: %w", err) }

func ofCounts(c report.Snapshot) Outcome { return Outcome{Result: engine.Result{Counts: c}} }

func withheldFor(reason plan.Reason) Outcome {
	return Outcome{Result: engine.Result{Withheld: map[plan.Reason]int64{reason: 1}}}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	dry := Mode{DryRun: true}
	tests := []struct {
		name string
		mode Mode
		err  error
		outs []Outcome
		want int
	}{
		{name: "no error", want: 0},
		{name: "a sync that wrote", outs: []Outcome{ofCounts(report.Snapshot{Created: 1, Updated: 1, Deleted: 1})}, want: 0},
		{name: "a diff without differences", mode: dry, outs: []Outcome{ofCounts(report.Snapshot{Kept: 9, Dropped: 1})}, want: 0},
		{name: "a diff with a create", mode: dry, outs: []Outcome{ofCounts(report.Snapshot{Created: 1})}, want: 1},
		{name: "a diff with an update", mode: dry, outs: []Outcome{ofCounts(report.Snapshot{Updated: 1})}, want: 1},
		{name: "a diff with a delete", mode: dry, outs: []Outcome{ofCounts(report.Snapshot{Deleted: 1})}, want: 1},
		{name: "--exit-zero turns 1 into 0", mode: Mode{DryRun: true, ExitZero: true}, outs: []Outcome{ofCounts(report.Snapshot{Created: 1})}, want: 0},
		{name: "--exit-zero leaves 4", mode: Mode{DryRun: true, ExitZero: true}, outs: []Outcome{withheldFor(plan.GuardRefused)}, want: 4},
		{name: "a wrong command line", err: &usage.Error{Problem: "no"}, want: 2},
		{name: "a wrong file", err: config.Errors{{Problem: "no"}}, want: 2},
		{name: "a wrong field of a source", err: wrapped(field.Errors{{Field: "host"}}), want: 2},
		{name: "a configuration error of the engine", outs: []Outcome{{Err: wrapped(engine.ErrConfig)}}, want: 2},
		{name: "a configuration error of the source", outs: []Outcome{{Err: &source.Error{Kind: source.ErrConfig, Err: errors.New("no such folder")}}}, want: 2},
		{name: "a configuration error of the destination", outs: []Outcome{{Err: &elastic.ConnError{Kind: elastic.ErrConfig, Err: errors.New("certificate")}}}, want: 2},
		{name: "documents rejected", outs: []Outcome{ofCounts(report.Snapshot{Rejected: 1})}, want: 3},
		{name: "duplicate ids", outs: []Outcome{ofCounts(report.Snapshot{Duplicates: 1})}, want: 3},
		{name: "content unreadable", outs: []Outcome{ofCounts(report.Snapshot{ContentErrors: 1})}, want: 3},
		{name: "a part unread", outs: []Outcome{{Result: engine.Result{Failed: 1}}}, want: 3},
		{name: "a diff that could not see everything", mode: dry, outs: []Outcome{{Result: engine.Result{Failed: 1, Counts: report.Snapshot{Created: 1}}}}, want: 3},
		{name: "the guard", outs: []Outcome{withheldFor(plan.GuardRefused)}, want: 4},
		{name: "a lost point in time", outs: []Outcome{withheldFor(plan.PointInTimeLost)}, want: 4},
		{name: "a vanished part", outs: []Outcome{withheldFor(plan.ScopeVanished)}, want: 4},
		{name: "a foreign index", outs: []Outcome{withheldFor(plan.ForeignIndex)}, want: 4},
		{name: "an empty source", outs: []Outcome{withheldFor(plan.EmptySource)}, want: 4},
		{name: "a refused refresh", outs: []Outcome{withheldFor(plan.RefreshRefused)}, want: 4},
		{name: "deletes of an unread part have the part's code", outs: []Outcome{withheldFor(plan.ScopeFailed)}, want: 0},
		{name: "the source unreachable", outs: []Outcome{{Err: wrapped(source.ErrUnreachable)}}, want: 5},
		{name: "the source busy", outs: []Outcome{{Err: wrapped(source.ErrTemporary)}}, want: 5},
		{name: "Elasticsearch unreachable", outs: []Outcome{{Err: &elastic.ConnError{Kind: elastic.ErrUnreachable, Err: errors.New("refused")}}}, want: 5},
		{name: "Elasticsearch throttles", outs: []Outcome{{Err: &elastic.Error{Status: 429}}}, want: 5},
		{name: "no point in time to scan", outs: []Outcome{{Err: &elastic.Error{Status: 404, Type: "search_context_missing_exception"}}}, want: 5},
		{name: "an index replaced during the run", outs: []Outcome{{Err: wrapped(engine.ErrReplaced)}}, want: 5},
		{name: "the source's credentials", outs: []Outcome{{Err: &source.Error{Kind: source.ErrAuth, Err: errors.New("no")}}}, want: 6},
		{name: "Elasticsearch's credentials", outs: []Outcome{{Err: &elastic.Error{Status: 401}}}, want: 6},
		{name: "a missing privilege", outs: []Outcome{{Err: &elastic.Error{Status: 403}}}, want: 6},
		{name: "a time limit", outs: []Outcome{{Err: wrapped(engine.ErrTimeIsUp), Result: engine.Result{Late: true}}}, want: 8},
		{name: "another run", outs: []Outcome{{Err: wrapped(state.ErrLocked)}}, want: 7},
		{name: "the folder is open elsewhere", err: wrapped(embedded.ErrInUse), want: 7},
		{name: "something else", outs: []Outcome{{Err: errors.New("disk full")}}, want: 9},
		{name: "an index that may not be written", outs: []Outcome{{Err: &elastic.Error{Status: 403, Type: "cluster_block_exception"}}}, want: 9},
		{name: "a context that ended for no reason", outs: []Outcome{{Err: context.Canceled}}, want: 9},
		{name: "a crash", outs: []Outcome{{Err: wrapped(&crash.Error{Value: source.ErrConfig})}}, want: 70},
		{name: "SIGINT", outs: []Outcome{{Err: wrapped(&term.SignalError{Signal: os.Interrupt})}}, want: 130},
		{name: "SIGTERM", err: &term.SignalError{Signal: syscall.SIGTERM}, want: 143},
		{name: "SIGHUP", err: &term.SignalError{Signal: syscall.SIGHUP}, want: 143},
		{name: "a closed output", err: term.ErrOutputClosed, want: 141},
		{name: "an error of two kinds counts as the worse", err: errors.Join(source.ErrTemporary, elastic.ErrAuth), want: 6},
		{name: "an error takes precedence over the results", outs: []Outcome{{Result: engine.Result{Failed: 1}, Err: source.ErrTemporary}}, want: 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := ExitCode(tt.mode, tt.err, tt.outs...); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// TestTheWorstExitCodeWins runs a connector for each code, and removes the worst one until none is left.
func TestTheWorstExitCodeWins(t *testing.T) {
	t.Parallel()
	outs := []Outcome{
		{Err: &crash.Error{}},
		{Err: engine.ErrConfig},
		{Err: source.ErrAuth},
		{Err: source.ErrUnreachable},
		{Err: errors.New("something")},
		{Err: &term.SignalError{Signal: syscall.SIGTERM}},
		{Err: &term.SignalError{Signal: os.Interrupt}},
		{Result: engine.Result{Failed: 1}},
		withheldFor(plan.GuardRefused),
		{Err: state.ErrLocked},
		ofCounts(report.Snapshot{Created: 1}),
	}
	var got []int
	for ; len(outs) > 0; outs = outs[1:] {
		shuffled := append(slices.Clone(outs[1:]), outs[0])
		got = append(got, ExitCode(Mode{DryRun: true}, nil, shuffled...))
	}
	want := []int{70, 2, 6, 5, 9, 143, 130, 3, 4, 7, 1}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestExitCodesAreDocumented compares the table of the README with the code. The program never returns 141:
// shells report it for any program whose reader is gone.
func TestExitCodesAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[int]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+)(?: / (\d+))? \|`).FindAllSubmatch(text, -1) {
		for _, cell := range row[1:] {
			if code, err := strconv.Atoi(string(cell)); err == nil {
				documented[code] = true
			}
		}
	}
	coded := map[int]bool{}
	for _, code := range worstFirst {
		coded[code] = true
	}
	delete(coded, ExitPipe)
	delete(documented, ExitPipe)
	if d := cmp.Diff(coded, documented); d != "" {
		t.Errorf("code and README differ:\n%s", d)
	}
}
