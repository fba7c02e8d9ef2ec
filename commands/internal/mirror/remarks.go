package mirror

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// remarks are the lines that follow the result of a connector.
func (o *ran) remarks(opt *Options) []string {
	var out []string
	r, c := &o.Result, &o.Result.Counts
	deleted, heldBack := "was deleted", "held back "
	if opt.Dry {
		deleted, heldBack = "would be deleted", "would hold back "
	}
	if r.Failed > 0 && o.watch != nil {
		if c.Parts > 1 {
			out = append(out, fmt.Sprintf("%s of %s parts were read completely", term.Number(c.PartsDone), term.Number(c.Parts)))
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
			out = append(out, heldBack+term.Plural(n, "delete", "deletes")+": "+o.because(reason, opt))
		}
	}
	for _, reason := range []plan.Reason{plan.NotInPlan, plan.MovedSincePlan} {
		if n := r.Withheld[reason]; n > 0 {
			out = append(out, heldBack+term.Plural(n, "change", "changes")+": "+string(reason)+"; review them with `diff`, then sync or save a new plan")
		}
	}
	if r.Replaced != "" {
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

func (o *ran) because(reason plan.Reason, opt *Options) string {
	switch reason {
	case plan.GuardRefused:
		of := "read"
		if o.Result.Incremental {
			of = "in the index"
		}
		return fmt.Sprintf("%s of the %s %s, more than the guard allows", term.Number(o.Result.Eligible), term.Plural(o.Result.Judged, "document", "documents"), of)
	case plan.ScopeVanished:
		if len(opt.Parts) > 0 {
			return "their tables or folders have vanished; if these were dropped on purpose, confirm the deletes"
		}
		return "their tables or folders have vanished; if the next sync still misses them, it deletes the documents, within the guard; " +
			"if these were dropped on purpose, confirm the deletes now"
	case plan.ScopeUnknown:
		return "the index does not record their tables or folders; confirm the deletes if these documents must go"
	case plan.PointInTimeLost:
		return "the point in time of the index was lost; run again"
	case plan.RefreshRefused:
		return "the index could not be refreshed; grant the privilege `maintenance`"
	case plan.ForeignIndex:
		return "the index was not filled by this connector, or was filled from another source; if its documents belong to this connector, adopt them"
	case plan.EmptySource:
		return "the source is empty, which may be a mistake"
	}
	return string(reason)
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
	case by[plan.GuardRefused] > 0 || opt.Dry && vanished > 0:
		// The eligible deletes are judged again, together with those of vanished parts.
		words = append(words, "--confirm-deletes", fmt.Sprint(o.Result.Eligible+vanished))
	case vanished > 0:
		words = append(words, "--confirm-deletes", fmt.Sprint(vanished))
	default:
		return ""
	}
	if opt.Permits.Rebuild && !errors.Is(o.Err, engine.ErrForeign) {
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
