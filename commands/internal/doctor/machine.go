package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/mirror"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
)

// state reports whether runs can keep their state on this machine.
func (x *examination) state(about string) {
	dir := string(x.runs.State())
	if err := x.runs.State().Writable(); err != nil {
		x.out.add(about, engine.Finding{
			Check: checkState, Status: engine.StatusError, Message: err.Error(), Err: engine.ErrConfig,
			Hint: "set ELASTIC_INGEST_STATE_DIR to a folder that this user can write to",
		})
		return
	}
	text := "the state folder is " + dir
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		text += "; sync creates it"
	}
	x.out.say(about, checkState, engine.StatusOK, text, "")
}

// lock reports a run that is under way.
func (x *examination) lock(ctx context.Context, s *server, name string, p *mirror.Prepared) {
	index := x.concrete(ctx, s, p.Job.Index)
	held := x.runs.State().Holder(cmp.Or(s.info.UUID, x.dest.LockName()), index)
	if !held.Held {
		return
	}
	by := "a process outside of this container"
	if held.PID > 0 {
		by = fmt.Sprintf("process %d", held.PID)
	}
	x.out.say(name, checkLock, engine.StatusNote, fmt.Sprintf("a run holds the lock of index %q: %s", index, by), "")
}

// mostRejected is the largest number of rejected documents that is counted.
const mostRejected = 100_000

// deadLetter reports documents that were rejected and not sent again.
func (x *examination) deadLetter(name string, p *mirror.Prepared) {
	if p.DeadLetter == "" {
		return
	}
	n := int64(0)
	var last time.Time
	for r, err := range docfile.Rejections(p.DeadLetter) {
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			x.out.say(name, checkDeadLetter, engine.StatusWarning, err.Error(), "")
			return
		}
		last = r.Time
		if n++; n == mostRejected {
			break
		}
	}
	if n == 0 {
		return
	}
	count := term.Plural(n, "rejected document waits", "rejected documents wait")
	if n == mostRejected {
		count = "at least " + count
	}
	command := fmt.Sprintf("%s sync %s --replay %s", program.Name, term.ShellWord(name), term.ShellWord(p.DeadLetter))
	if x.o.ConfigFile != "" {
		command += " -c " + term.ShellWord(x.o.ConfigFile)
	}
	x.out.say(name, checkDeadLetter, engine.StatusWarning,
		fmt.Sprintf("%s in %s, the last since %s", count, p.DeadLetter, last.UTC().Format("2006-01-02 15:04 UTC")), "send them again: "+command)
}
