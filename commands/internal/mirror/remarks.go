package mirror

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// remarks are the lines that follow the result of a connector.
func (o *ran) remarks(opt *Options) []string {
	var out []string
	if o.canceled && !opt.Quiet {
		out = append(out, "the sync job was canceled before the end")
	}
	r, c := &o.Result, &o.Result.Counts
	deleted, heldBack := "was deleted", "held back "
	if opt.Dry {
		deleted, heldBack = "would be deleted", "would hold back "
	}
	if r.Failed > 0 && o.watch != nil {
		if r.Scopes > 1 {
			out = append(out, fmt.Sprintf("%s of %s %ss were read completely", term.Number(r.ScopesRead), term.Number(r.Scopes), r.ScopeNoun))
		}
		switch n := len(o.watch.unread); {
		case o.watch.unlisted:
			out = append(out, fmt.Sprintf("nothing %s, because the listing of the source is incomplete", deleted))
		case n > 0:
			names := strings.Join(o.watch.unread, ", ")
			if o.watch.more {
				names += " and others"
			}
			out = append(out, fmt.Sprintf("nothing in %s %s, because it was not read completely", names, deleted))
		}
	}
	if c.Rejected > 0 {
		text := term.Plural(c.Rejected, "document was rejected", "documents were rejected")
		if opt.Dry {
			text = term.Plural(c.Rejected, "document cannot be written", "documents cannot be written")
		}
		if o.DeadLetter != "" {
			text += " and saved, with the reason, in " + o.DeadLetter
		}
		out = append(out, text)
	}
	if r.Passed > 0 {
		out = append(out, term.Plural(r.Passed, "record of the file was", "records of the file were")+" skipped (of another connector or index, or a delete)")
	}
	if n := len(r.TooLong); n > 0 && !opt.silent(o.Exit) {
		slices.Sort(r.TooLong)
		names := strings.Join(r.TooLong[:min(n, reportedFailures)], ", ")
		if n > reportedFailures {
			names += " and others"
		}
		out = append(out, "the time limit is too short to read "+names+" completely, so documents in it are never deleted; raise --max-duration")
	}
	if c.ContentErrors > 0 {
		out = append(out, "the content of "+term.Plural(c.ContentErrors, "document", "documents")+" could not be read; the next run tries again")
	}
	for _, reason := range withheldOrder {
		if n := r.Withheld[reason]; n > 0 {
			out = append(out, heldBack+term.Plural(n, "delete", "deletes")+o.heldIn(reason, n)+o.because(reason, opt))
		}
	}
	for _, reason := range []plan.Reason{plan.NotInPlan, plan.MovedSincePlan} {
		if n := r.Withheld[reason]; n > 0 {
			out = append(out, heldBack+term.Plural(n, "change", "changes")+": "+string(reason)+"; review them with `diff`, then sync, or save a new plan: diff --save, with --max-deletes for more deletes than the guard allows")
		}
	}
	if r.Replaced != "" && !opt.Quiet {
		out = append(out, o.replaced())
	}
	return append(out, o.planRemarks(opt)...)
}

// withheldOrder is the order in which reasons are reported.
var withheldOrder = [...]plan.Reason{
	plan.ForeignIndex, plan.EmptySource, plan.GuardRefused, plan.ScopeVanished, plan.ScopeUnknown, plan.PointInTimeLost,
	plan.RefreshRefused, plan.ListIncomplete, plan.ScopeFailed,
}

// replaced says what has become of the old index after a rebuild.
func (o *ran) replaced() string {
	if strings.HasPrefix(o.Result.Index, o.Result.Replaced+"-") {
		return fmt.Sprintf("%s is now an alias of the new index %s; the old index was deleted", o.Result.Replaced, o.Result.Index)
	}
	return fmt.Sprintf("the alias now stands for the new index %s; the old index %s stays until you delete it", o.Result.Index, o.Result.Replaced)
}

// heldIn names the tables of deletes that are held back for a reason. A run that could not look for the documents
// knows only their number.
func (o *ran) heldIn(reason plan.Reason, n int64) string {
	tables := o.Tally.HeldBack(reason)
	tables = slices.DeleteFunc(tables, func(c output.Count) bool { return c.Name == "" })
	switch {
	case len(tables) == 0:
		return ""
	case len(tables) == 1 && tables[0].N == n:
		return " in " + tables[0].Name
	}
	var parts []string
	for i, t := range tables {
		if i == namedTables {
			break
		}
		parts = append(parts, term.Number(t.N)+" in "+t.Name)
		n -= t.N
	}
	if n > 0 {
		parts = append(parts, term.Number(n)+" in others")
	}
	return ": " + strings.Join(parts, ", ")
}

// namedTables is the number of tables that one message names.
const namedTables = 10

// limitOf is the limit of a guard that held back deletes.
func limitOf(g engine.Guard) string {
	percent := strconv.FormatFloat(g.Percent, 'f', -1, 64) + " %"
	switch {
	case g.Confirmed >= 0:
		return "confirmed " + term.Number(g.Confirmed)
	case g.Percent == 0:
		return "limit " + term.Number(g.Deletes)
	case g.Deletes == 0:
		return "limit " + percent
	}
	return "limit " + term.Number(g.Deletes) + " and " + percent
}

// toConfirm is the number of deletes to confirm: the eligible ones are judged again, together with those of vanished
// tables.
func (o *ran) toConfirm() int64 {
	by := o.Result.Withheld
	return o.Result.Eligible + by[plan.ScopeVanished] + by[plan.ScopeUnknown]
}

// because is what follows the number of deletes that are held back: why, and what to do.
func (o *ran) because(reason plan.Reason, opt *Options) string {
	switch reason {
	case plan.GuardRefused:
		text := fmt.Sprintf(" (%s of %s; %s)", term.Number(o.Result.Eligible), term.Plural(o.Result.Judged, "document", "documents"), limitOf(o.guard))
		if o.toConfirm() != o.Result.Eligible {
			text += "; the number to confirm includes the deletes in vanished tables or folders"
		}
		if opt.Dry {
			return text
		}
		return fmt.Sprintf("%s; review with diff, then sync --confirm-deletes %d", text, o.toConfirm())
	case plan.ScopeVanished:
		if len(opt.Parts) > 0 {
			return ": their tables or folders have vanished; if these were dropped on purpose, confirm the deletes"
		}
		return ": their tables or folders have vanished; if the next sync still misses them, it deletes the documents, within the guard; " +
			"if these were dropped on purpose, confirm the deletes now"
	case plan.ScopeUnknown:
		return ": the index does not record their tables or folders; confirm the deletes if these documents must go"
	case plan.PointInTimeLost:
		return ": the point in time of the index was lost; run again"
	case plan.RefreshRefused:
		return ": the index could not be refreshed; grant the privilege `maintenance`"
	case plan.ForeignIndex:
		return ": the index was not filled by this connector, or was filled from another source; if its documents belong to this connector, adopt them"
	case plan.ScopeFailed:
		return ": the table or folder was not read completely"
	case plan.ListIncomplete:
		return ": the listing of the source is incomplete"
	case plan.EmptySource:
		return ": the source is empty, which may be a mistake"
	}
	return ": " + string(reason)
}

// confirmation is the command line that permits the deletes that were held back, or "". Adopting a foreign
// index comes first: until then it is unknown which other deletes are held back.
func (o *ran) confirmation(opt *Options) string {
	by := o.Result.Withheld
	words := []string{program.Name, "sync", o.Name}
	vanished := by[plan.ScopeVanished] + by[plan.ScopeUnknown]
	switch {
	case by[plan.ForeignIndex] > 0, errors.Is(o.Err, engine.ErrForeign):
		words = append(words, "--adopt")
	case by[plan.EmptySource] > 0:
		words = append(words, "--allow-empty")
	case by[plan.GuardRefused] > 0 && opt.Files.Save != "": // the plan is to have them
		words = []string{program.Name, "diff", o.Name, "--save", opt.Files.Save, "--max-deletes", fmt.Sprint(o.Result.Eligible)}
	case by[plan.GuardRefused] > 0 || opt.Dry && vanished > 0:
		words = append(words, "--confirm-deletes", fmt.Sprint(o.toConfirm()))
	case vanished > 0:
		words = append(words, "--confirm-deletes", fmt.Sprint(vanished))
	default:
		return ""
	}
	if opt.Permits.Rebuild && by[plan.EmptySource] == 0 && by[plan.ForeignIndex] == 0 && !errors.Is(o.Err, engine.ErrForeign) {
		words = append(words, "--rebuild")
	}
	if o.Result.Incremental {
		words = append(words, "--type", string(protocol.JobIncremental))
	}
	if opt.ConfigFile != "" {
		words = append(words, "-c", opt.ConfigFile)
	}
	for _, p := range opt.Parts {
		words = append(words, "--part", p)
	}
	if opt.MaxDuration > 0 {
		words = append(words, "--max-duration", opt.MaxDuration.String())
	}
	for i, w := range words {
		words[i] = term.ShellWord(w)
	}
	return strings.Join(words, " ")
}
