package commands

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// The exit codes. They are a contract, see README.md.
const (
	ExitOK          = 0
	ExitDiffers     = 1 // diff, and sync --dry-run
	ExitUsage       = 2
	ExitIncomplete  = 3
	ExitWithheld    = 4
	ExitTemporary   = 5
	ExitAuth        = 6
	ExitLocked      = 7
	ExitUnfinished  = 8 // --max-duration
	ExitFailed      = 9
	ExitCrash       = 70
	ExitInterrupted = 130
	ExitPipe        = 141 // the reader of stdout closed it; shells use the same code
	ExitTerminated  = 143
)

// worstFirst orders the codes by precedence, for a run with several results.
var worstFirst = [...]int{
	ExitCrash, ExitUsage, ExitAuth, ExitTemporary, ExitFailed, ExitTerminated, ExitInterrupted, ExitPipe,
	ExitIncomplete, ExitWithheld, ExitUnfinished, ExitLocked, ExitDiffers, ExitOK,
}

// meanings are the exit codes as help lists them; a row with commands applies only to those commands.
var meanings = [...]struct {
	codes    string
	commands []string
	text     string
}{
	{"0", []string{"sync"}, "done"},
	{"0", []string{"diff"}, "no differences"},
	{"0", []string{"poll"}, "done, or nothing was due"},
	{"0", []string{"check"}, "no error was found; warnings are allowed"},
	{"1", []string{"diff"}, "differences found"},
	{"1", []string{"sync"}, "differences found (with --dry-run)"},
	{"2", nil, "usage or configuration error"},
	{"3", []string{"sync", "diff", "poll"}, "incomplete: documents rejected, or part of the source unreadable"},
	{"3", []string{"check"}, "tables or folders cannot be read, or have no key"},
	{"4", []string{"sync", "diff", "poll"}, "deletes held back; review them with diff, then confirm them"},
	{"5", nil, "temporary: source or Elasticsearch unreachable or too busy"},
	{"6", nil, "authentication or permission error"},
	{"7", []string{"sync", "diff", "poll"}, "another run holds the lock, or the connector is already syncing"},
	{"8", []string{"sync", "poll"}, "--max-duration reached; the next run continues"},
	{"9", nil, "any other error"},
	{"70", nil, "the program crashed"},
	{"130, 143", nil, "ended by SIGINT, or by SIGTERM or SIGHUP"},
}

// exitRows are the exit codes of a command and their meanings; none for a command without special codes.
func exitRows(command string) (rows [][2]string) {
	if !slices.Contains([]string{"sync", "diff", "poll", "check"}, command) {
		return nil
	}
	for i := range meanings {
		m := &meanings[i]
		if m.commands == nil || slices.Contains(m.commands, command) {
			rows = append(rows, [2]string{m.codes, m.text})
		}
	}
	return rows
}

// Outcome is the result of running one connector.
type Outcome struct {
	Result engine.Result
	Err    error
}

// Mode is how the results of a run are judged.
type Mode struct {
	DryRun   bool // differences have an exit code
	ExitZero bool // except with --exit-zero
}

// ExitCode maps the error of the command, if any, and the results of its connectors to the exit code.
func ExitCode(mode Mode, err error, outcomes ...Outcome) int {
	codes := codesOf(err)
	for i := range outcomes {
		o := &outcomes[i]
		codes = append(codes, codesOf(o.Err)...)
		if o.Result.Incomplete() {
			codes = append(codes, ExitIncomplete)
		}
		if o.Result.WithheldDeletes() > 0 {
			codes = append(codes, ExitWithheld)
		}
		if mode.DryRun && !mode.ExitZero && o.Result.Differences() {
			codes = append(codes, ExitDiffers)
		}
	}
	for _, code := range worstFirst {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return ExitOK
}

// quieted are the codes that --quiet does not report: the next run does what this one left.
var quieted = []int{ExitLocked, ExitUnfinished}

// judge is [ExitCode] for the results of the connectors.
func judge(mode Mode) func(error, ...*output.Outcome) int {
	return func(err error, outcomes ...*output.Outcome) int {
		all := make([]Outcome, len(outcomes))
		for i, o := range outcomes {
			all[i] = Outcome{Result: o.Result, Err: o.Err}
		}
		return ExitCode(mode, err, all...)
	}
}

// kinds are the errors that have their own exit code.
var kinds = [...]struct {
	err  error
	code int
}{
	{engine.ErrConfig, ExitUsage},
	{source.ErrConfig, ExitUsage},
	{elastic.ErrConfig, ExitUsage},
	{source.ErrAuth, ExitAuth},
	{elastic.ErrAuth, ExitAuth},
	{source.ErrUnreachable, ExitTemporary},
	{source.ErrTemporary, ExitTemporary},
	{elastic.ErrUnreachable, ExitTemporary},
	{elastic.ErrTemporary, ExitTemporary},
	{elastic.ErrPITLost, ExitTemporary},
	{engine.ErrReplaced, ExitTemporary},
	{engine.ErrForeign, ExitWithheld},
	{engine.ErrTimeIsUp, ExitUnfinished},
	{state.ErrLocked, ExitLocked},
	{embedded.ErrInUse, ExitLocked},
	{records.ErrBusy, ExitLocked},
	{protocol.ErrTaken, ExitLocked},
	{protocol.ErrConfig, ExitUsage},
	{protocol.ErrExists, ExitUsage},
	{term.ErrOutputClosed, ExitPipe},
}

// codesOf returns the codes of all errors that err wraps; ExitFailed if none has one.
func codesOf(err error) []int {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*crash.Error](err); ok {
		return []int{ExitCrash}
	}
	if s, ok := errors.AsType[*term.SignalError](err); ok {
		return []int{signalCode(s)}
	}
	var codes []int
	if isUsage(err) {
		codes = append(codes, ExitUsage)
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			codes = append(codes, k.code)
		}
	}
	if codes == nil {
		return []int{ExitFailed}
	}
	return codes
}

func isUsage(err error) bool {
	if _, ok := errors.AsType[*usage.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*config.Error](err); ok {
		return true
	}
	_, ok := errors.AsType[*field.Error](err)
	return ok
}

// signalCode is the exit code of a program ended by a signal.
func signalCode(e *term.SignalError) int {
	if e.Signal == os.Interrupt {
		return ExitInterrupted
	}
	return ExitTerminated
}

// ended is the error of a command that has reported everything itself and exits with code; nil for [ExitOK].
func ended(code int) error {
	if code == ExitOK {
		return nil
	}
	return &finished{code}
}

// finished is the error of a command that has already reported everything; only the code is left.
type finished struct{ code int }

func (f *finished) Error() string { return fmt.Sprintf("exit %d", f.code) }
