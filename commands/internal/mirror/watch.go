package mirror

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// reportedFailures is the number of failures of a connector that are reported one by one; further ones are only
// counted.
const reportedFailures = 20

// reportedDuplicates is the number of duplicate ids of a table that are reported one by one.
const reportedDuplicates = 3

// watcher observes a run. It prints changes and failures as they come.
type watcher struct {
	console *console
	where   string
	log     *slog.Logger
	tally   *output.Tally

	mu       sync.Mutex
	phase    string
	failures []report.Failure // the first ones
	hints    map[string]bool  // hints that were reported
	failed   int64
	unread   []string // the first scopes that were not read completely
	more     bool     // more scopes than unread lists

	duplicates map[string]int // reported and unreported, by scope
	unlisted   bool           // the listing of the parts is incomplete
	absent     []absent       // configured names that the source does not have
}

// absent is the failure of a configured name that the source does not have, and whether the index has
// documents of it.
type absent struct {
	err  error
	is   *source.UnmatchedError
	held bool
}

var _ report.Observer = (*watcher)(nil)

func newWatcher(c *console, o *ran, log *slog.Logger) *watcher {
	return &watcher{console: c, where: o.where(), log: log, tally: o.Tally, hints: map[string]bool{}}
}

// where is the place of this connector in messages.
func (o *ran) where() string {
	if o.Type == "" {
		return "connector " + term.Quoted(o.Name)
	}
	return term.Plain(o.Type) + " " + term.Quoted(o.Name)
}

// Changed implements [report.Observer].
func (w *watcher) Changed(c report.Change) {
	if c.Kind == plan.Withheld.String() || c.Kind == plan.Delete.String() {
		w.mu.Lock()
		for i := range w.absent {
			w.absent[i].held = w.absent[i].held || w.absent[i].is.Of(c.Part)
		}
		w.mu.Unlock()
	}
	w.tally.Change(&c)
	w.console.printer.Change(c)
}

// Failed implements [report.Observer].
func (w *watcher) Failed(f report.Failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed++
	if is, ok := errors.AsType[*source.UnmatchedError](f.Err); ok {
		w.absent = append(w.absent, absent{err: f.Err, is: is})
	}
	switch {
	case wholePart(f):
		if f.Part != "" {
			w.tally.Unread(cmp.Or(f.Scope, f.Part), f.Err.Error())
		}
	case errors.Is(f.Err, report.ErrContent):
		w.tally.ContentError(f.Scope)
	}
	if wholePart(f) {
		w.unlisted = w.unlisted || f.Part == ""
		if f.Part != "" {
			w.leaves(f.Part, f.Scope)
		}
	}
	if len(w.failures) >= reportedFailures || w.manyDuplicates(f) {
		return
	}
	w.failures = append(w.failures, f)
	w.console.messages.FailAmong(w.where, &placedError{f}, w.hints)
}

// manyDuplicates reports whether enough duplicate ids of a table are reported: their reason is mostly the same.
func (w *watcher) manyDuplicates(f report.Failure) bool {
	if _, ok := errors.AsType[*report.DuplicateError](f.Err); !ok {
		return false
	}
	if w.duplicates == nil {
		w.duplicates = map[string]int{}
	}
	w.duplicates[f.Scope]++
	return w.duplicates[f.Scope] > reportedDuplicates
}

// Read implements [report.Observer].
func (w *watcher) Read(p report.PartRead) { w.tally.Read(p) }

// leaves records a part that was not read completely; a scope counts once, however many of its parts failed.
func (w *watcher) leaves(part, scope string) {
	if scope == "" { // the root of a tree has its own name
		scope = part
	}
	if slices.Contains(w.unread, scope) {
		return
	}
	if len(w.unread) < reportedFailures {
		w.unread = append(w.unread, scope)
	} else {
		w.more = true
	}
}

// wholePart reports that a failure is not about one document. A document without an id counts as one, too.
func wholePart(f report.Failure) bool { return f.ID == "" && f.Err.Error() != string(plan.EmptyID) }

// Phase implements [report.Observer].
func (w *watcher) Phase(name string, elapsed time.Duration) {
	w.mu.Lock()
	w.phase = name
	w.mu.Unlock()
	w.log.Info(name, report.Took, elapsed.Round(time.Millisecond)) //nolint:sloglint // the engine's phases are constants
}

func (w *watcher) now() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.phase
}

// reported returns whether an error was already reported as a failure.
func (w *watcher) reported(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.failures {
		if errors.Is(err, f.Err) {
			return true
		}
	}
	return false
}

// unmatched is the error of configured names that matched nothing, or nil. A name with documents in the index
// existed before: it vanished, and is not a mistake in the configuration. If documents were left in the index
// without a look at them, this cannot be decided.
func (w *watcher) unmatched(parts *partFilter, r *engine.Result) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	if parts != nil && !w.unlisted {
		if err := parts.unmatched(); err != nil {
			return err
		}
	}
	if r.Withheld[plan.PointInTimeLost] == 0 && r.Withheld[plan.RefreshRefused] == 0 && r.Spared == 0 {
		for _, a := range w.absent {
			if !a.held {
				errs = append(errs, a.err)
			}
		}
	}
	return errors.Join(errs...)
}

// placedError is a failure with its place in front, only once.
type placedError struct{ f report.Failure }

func (e *placedError) Error() string {
	text := e.f.Err.Error()
	switch {
	case wholePart(e.f):
	case e.f.ID == "":
		text = "a document has no id"
	case !strings.Contains(text, fmt.Sprintf("document %q", e.f.ID)):
		text = fmt.Sprintf("document %q: %s", e.f.ID, text)
	}
	if e.f.Part != "" && !strings.HasPrefix(text, e.f.Part+":") {
		text = e.f.Part + ": " + text
	}
	return text
}

func (e *placedError) Unwrap() error { return e.f.Err }
