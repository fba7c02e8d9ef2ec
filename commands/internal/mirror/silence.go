package mirror

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// A crontab polls every minute and mails what a poll prints. So poll --quiet reports a failure of a connector once a
// day while it stays the same, and once when it is over. The exit code is always that of the poll.

// sayAgain is how long an unchanged failure is not reported again.
const sayAgain = 24 * time.Hour

// mostSaid is the number of different failures of a connector that are remembered.
const mostSaid = 50

// held is an output that keeps what is written, until it is known whether it is worth reporting.
type held struct {
	to   io.Writer
	mu   sync.Mutex
	off  bool // what is written passes
	kept bytes.Buffer
}

// mostHeld is the number of bytes that are kept; with more, everything passes.
const mostHeld = 1 << 20

// Write implements [io.Writer].
func (h *held) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.off {
		return h.to.Write(p)
	}
	h.kept.Write(p)
	if h.kept.Len() > mostHeld {
		return len(p), h.pass()
	}
	return len(p), nil
}

// pass writes what was kept. h.mu is held.
func (h *held) pass() error {
	_, err := h.to.Write(h.kept.Bytes())
	h.kept.Reset()
	return err
}

// end writes what was kept, or forgets it. It does nothing without a held output.
func (h *held) end(say bool) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if say {
		_ = h.pass()
	}
	h.kept.Reset()
}

// open makes everything that follows pass, after what was kept.
func (h *held) open() {
	if h == nil {
		return
	}
	h.end(true)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.off = true
}

// settle decides about the messages of a connector since the last call. job reports that they come from a sync, not
// from a check of the connector.
func (s *session) settle(o *ran, job bool) {
	if s.held == nil {
		return
	}
	switch {
	case o.canceled, interrupted(o.Err):
		s.held.end(true)
	case o.Exit == 0:
		s.held.end(true)
		s.works(o.id, o.where(), job)
	case s.o.silent(o.Exit):
		s.held.end(false)
	default:
		s.held.end(s.news(o.id, job, o.Exit, o.problems(s.o)))
	}
}

// settlePoll does the same for the poll itself. Its name is "", which no connector has.
func (s *session) settlePoll(err error) {
	if s.held == nil || s.cfg == nil {
		s.held.end(true)
		return
	}
	switch code := s.o.Code(err); {
	case interrupted(err):
		s.held.end(true)
	case err == nil:
		s.held.end(true)
		s.works("", "the poll", true)
	case s.o.silent(code):
		s.held.end(false)
	default:
		s.held.end(s.news("", true, code, []string{err.Error()}))
	}
}

// interrupted reports the error of a run that a signal ended, which says nothing about the connector.
func interrupted(err error) bool {
	_, ok := errors.AsType[*term.SignalError](err)
	return ok
}

// troubleAt names the destination in the state folder.
func (s *session) troubleAt() string {
	return cmp.Or(s.cfg.Elasticsearch.CloudID, s.cfg.Elasticsearch.Host)
}

// news reports whether a failure has to be reported, and remembers that it was. If the state folder cannot be read
// or written, it is reported each time.
func (s *session) news(connector string, job bool, exit int, problems []string) bool {
	now, mark := s.app.Now(), fingerprint(exit, problems)
	t, err := s.state.Trouble(s.troubleAt(), connector)
	if err != nil || t.Since.IsZero() {
		t = state.Trouble{Since: now}
	}
	said, known := t.Said[mark]
	say := !known || now.Before(said) || now.Sub(said) >= sayAgain
	if !say && (t.Job || !job) {
		return false
	}
	t.Job = t.Job || job
	if t.Said == nil {
		t.Said = map[string]time.Time{}
	}
	if say {
		t.Said[mark] = now
	}
	maps.DeleteFunc(t.Said, func(_ string, at time.Time) bool { return now.Sub(at) >= sayAgain })
	for len(t.Said) > mostSaid {
		delete(t.Said, slices.MinFunc(slices.Collect(maps.Keys(t.Said)), func(a, b string) int { return t.Said[a].Compare(t.Said[b]) }))
	}
	if err := s.state.KeepTrouble(s.troubleAt(), connector, t); err != nil {
		s.log.Debug("cannot remember that a failure was reported", "reason", err.Error())
	}
	return say
}

// works reports that a connector works again, if its last failure was reported.
func (s *session) works(connector, where string, job bool) {
	if s.held == nil {
		return
	}
	t, err := s.state.Trouble(s.troubleAt(), connector)
	if err != nil || len(t.Said) == 0 || t.Job && !job {
		return
	}
	if err := s.state.KeepTrouble(s.troubleAt(), connector, state.Trouble{}); err != nil {
		return // it would be reported each time
	}
	s.messages.Note(logs.Joined(where, "works again after "+term.Took(max(s.app.Now().Sub(t.Since), 0))))
	s.held.end(true)
}

// problems are the failures of a connector, without how many documents they concern.
func (o *ran) problems(opt *Options) []string {
	var out []string
	if o.watch != nil {
		for _, f := range o.watch.failures {
			out = append(out, (&placedError{f}).Error())
		}
	}
	if o.Err != nil {
		out = append(out, o.Err.Error())
	}
	return append(out, o.remarks(opt)...)
}

// variable is what differs between two reports of one failure: words with digits, such as numbers, times and ids.
var variable = regexp.MustCompile(`[\pL\pN_-]*\pN[\pL\pN_-]*`)

// fingerprint identifies failures by their exit code and their texts, regardless of their order, and of numbers and ids
// in them.
func fingerprint(exit int, problems []string) string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, variable.ReplaceAllString(p, "0"))
	}
	slices.Sort(lines)
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s", exit, strings.Join(slices.Compact(lines), "\n")))
	return hex.EncodeToString(sum[:8])
}
