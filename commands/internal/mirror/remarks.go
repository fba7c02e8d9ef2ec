package mirror

import (
	"errors"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// remarks are what people have to know about the result of a connector.
func (o *ran) remarks(opt *Options) []string {
	var out []string
	r, c := &o.Result, &o.Result.Counts
	deleted := "was deleted"
	if opt.Dry {
		deleted = "would be deleted"
	}
	if r.Failed > 0 && o.watch != nil {
		if c.Parts > 1 {
			out = append(out, fmt.Sprintf("%s of %s parts were read to their end", term.Number(c.PartsDone), term.Number(c.Parts)))
		}
		switch n := len(o.watch.unread); {
		case o.watch.unlisted:
			out = append(out, fmt.Sprintf("nothing %s, because the source was not listed to its end", deleted))
		case n > 0:
			names := strings.Join(o.watch.unread, ", ")
			if o.watch.more {
				names += " and others"
			}
			out = append(out, fmt.Sprintf("nothing of %s %s, because it was not read", names, deleted))
		}
	}
	if c.Rejected > 0 {
		text := term.Plural(c.Rejected, "document was rejected", "documents were rejected")
		if opt.Dry {
			text = term.Plural(c.Rejected, "document cannot be written", "documents cannot be written")
		}
		if o.DeadLetter != "" {
			text += " and kept, with the reason, in " + o.DeadLetter
		}
		out = append(out, text)
	}
	if r.Passed > 0 {
		out = append(out, term.Plural(r.Passed, "record of the file was", "records of the file were")+" passed over: of another connector or index, or a delete")
	}
	if c.ContentErrors > 0 {
		out = append(out, "the content of "+term.Plural(c.ContentErrors, "document", "documents")+" could not be read; the next run tries again")
	}
	for _, reason := range withheldOrder {
		if n := r.Withheld[reason]; n > 0 {
			out = append(out, term.Plural(n, "delete is", "deletes are")+" withheld: "+o.because(reason, opt))
		}
	}
	return out
}

// withheldOrder is the order in which reasons are told.
var withheldOrder = [...]plan.Reason{
	plan.ForeignIndex, plan.EmptySource, plan.GuardRefused, plan.ScopeVanished, plan.ScopeUnknown, plan.PointInTimeLost,
	plan.RefreshRefused, plan.ListIncomplete, plan.ScopeFailed,
}

func (o *ran) because(reason plan.Reason, opt *Options) string {
	switch reason {
	case plan.GuardRefused:
		of := "what was read"
		if o.Result.Incremental {
			of = "the index"
		}
		return fmt.Sprintf("%s of the %s in %s, more than the guard allows", term.Number(o.Result.Eligible), term.Plural(o.Result.Judged, "document", "documents"), of)
	case plan.ScopeVanished:
		if len(opt.Parts) > 0 {
			return "the tables or folders that held them have vanished; if they were dropped on purpose, confirm it"
		}
		return "the tables or folders that held them have vanished; the next sync that misses them deletes them, within the guard; " +
			"if they were dropped on purpose, confirm it"
	case plan.ScopeUnknown:
		return "the index does not show which tables or folders held them; if they are to go, confirm it"
	case plan.PointInTimeLost:
		return "the point in time of the index was lost; run again"
	case plan.RefreshRefused:
		return "the index could not be refreshed; grant the privilege maintenance"
	case plan.ForeignIndex:
		return "this connector has not mirrored the documents of the index, or it has from another source; if they are its own, adopt them"
	case plan.EmptySource:
		return "the source is empty, which may be a mistake"
	}
	return string(reason)
}

// confirmation is the command line that permits what was withheld, or "". An index that is not ours
// comes first: what else is withheld is not known before.
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
		// What is eligible is judged again, together with what has vanished.
		words = append(words, "--confirm-deletes", fmt.Sprint(o.Result.Eligible+vanished))
	case vanished > 0:
		words = append(words, "--confirm-deletes", fmt.Sprint(vanished))
	default:
		return ""
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
