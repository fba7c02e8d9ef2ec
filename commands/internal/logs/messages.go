package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Messages reports errors, warnings and notes with their hints: as lines that begin with the program's name,
// or as log records if the log has a format for machines.
type Messages struct {
	To     io.Writer
	Log    *slog.Logger // nil for lines
	Colors term.Palette
	// Actions, if not nil, takes every message also as a command for GitHub Actions.
	Actions io.Writer
	Stacks  bool   // crashes are reported with their stacks
	hint    string // the last hint, which is not repeated for each of many errors
}

// Fail reports an error and its hint. where, if not empty, names the connector or command that failed.
func (m *Messages) Fail(where string, err error) {
	if all, ok := errors.AsType[config.Errors](err); ok {
		for _, one := range all {
			m.failOne(where, one)
		}
		return
	}
	m.failOne(where, err)
}

// FailAmong reports one of many errors. Each hint is reported only once: tables that one GRANT statement would
// fix may fail with other errors in between.
func (m *Messages) FailAmong(where string, err error, hints map[string]bool) {
	if hint := HintOf(err); hints[hint] {
		m.hint = hint
	} else {
		hints[hint] = true
	}
	m.failOne(where, err)
}

func (m *Messages) failOne(where string, err error) {
	text, hint := err.Error(), HintOf(err)
	if c, ok := errors.AsType[*config.Error](err); ok {
		bare := *c
		bare.Hint = ""
		text = bare.Error()
	}
	if where != "" {
		text = where + ": " + text
	}
	if hint != "" && hint != m.hint {
		term.Command(m.Actions, "error", program.Name, text+"\nhint: "+hint)
	} else {
		term.Command(m.Actions, "error", program.Name, text)
	}
	if m.Log != nil {
		m.Log.Error("failed", report.Err, text, "hint", hint)
		return
	}
	m.lines(term.Paint(m.Colors.Red, "error:"), text)
	if hint != "" && hint != m.hint {
		m.lines("hint:", hint)
	}
	m.hint = hint
}

// HintOf is the hint for err, or "".
func HintOf(err error) string {
	if u, ok := errors.AsType[*usage.Error](err); ok && u.Hint != "" {
		return u.Hint
	}
	if c, ok := errors.AsType[*config.Error](err); ok {
		return c.Hint
	}
	if hint := source.Hint(err); hint != "" {
		return hint
	}
	if errors.Is(err, engine.ErrForeign) {
		return "use another index, or take this one over with sync --adopt: it deletes the other connector's documents that this source does not have; " +
			"sync --adopt --dry-run shows them"
	}
	if _, ok := errors.AsType[*report.DuplicateError](err); ok {
		return "give every document an id of its own: columns or fields that together are unique (id_columns, id_field), or leave one of the two out"
	}
	if errors.Is(err, ids.ErrFile) {
		return "free space in the state folder, set ELASTIC_INGEST_STATE_DIR to another one, or raise engine.ids_memory"
	}
	return elastic.Hint(err)
}

// Warn reports a problem that does not stop the run.
func (m *Messages) Warn(text string) {
	term.Command(m.Actions, "warning", program.Name, text)
	if m.Log != nil {
		m.Log.Warn("warning", "detail", text)
		return
	}
	m.lines(term.Paint(m.Colors.Yellow, "warning:"), text)
}

// Note reports information, or a next step.
func (m *Messages) Note(text string) {
	term.Command(m.Actions, "notice", program.Name, text)
	if m.Log != nil {
		m.Log.Warn("note", "detail", text)
		return
	}
	m.lines("", text)
}

// lines writes text; lines after the first are indented.
func (m *Messages) lines(kind, text string) {
	if kind != "" {
		kind += " "
	}
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if i == 0 {
			fmt.Fprintf(&b, "%s: %s%s\n", program.Name, kind, term.Plain(line))
		} else {
			fmt.Fprintf(&b, "    %s\n", term.Plain(line))
		}
	}
	_, _ = io.WriteString(m.To, b.String())
}

// Conclude reports the error that ended a command or a connector, in the form for its kind.
func (m *Messages) Conclude(ctx context.Context, where string, err error) {
	if p, ok := errors.AsType[*crash.Error](err); ok {
		m.crash(ctx, where, p)
		return
	}
	switch _, interrupted := errors.AsType[*term.SignalError](err); {
	case errors.Is(err, term.ErrOutputClosed):
	case interrupted, errors.Is(err, engine.ErrTimeIsUp):
		m.Note(Joined(where, err.Error()))
	default:
		m.Fail(where, err)
	}
}

func (m *Messages) crash(ctx context.Context, where string, p *crash.Error) {
	text := Joined(where, "the program crashed: "+fmt.Sprint(p.Value))
	term.Command(m.Actions, "error", program.Name, text)
	stack := ""
	if m.Stacks {
		stack = string(p.Stack)
	}
	if m.Log != nil {
		m.Log.Log(ctx, critical, "the program crashed", report.Err, text, stackKey, stack)
		return
	}
	m.lines(term.Paint(m.Colors.Red, "error:"), text)
	if stack == "" {
		m.lines("hint:", "this is a bug; run the command with --debug and report the output")
		return
	}
	_, _ = io.WriteString(m.To, stack)
}

// Joined is the text with its place in front.
func Joined(where, text string) string {
	if where == "" {
		return text
	}
	return where + ": " + text
}
