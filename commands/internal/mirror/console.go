package mirror

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// console writes the output of a run: results to stdout, everything else to stderr, including the live line.
type console struct {
	o        *Options
	streams  *term.Streams
	screen   *term.Screen
	out      *term.Results
	stderr   io.Writer
	held     *held // what stderr keeps back until it is settled; nil if nothing is
	log      *slog.Logger
	messages *logs.Messages
	printer  output.Printer
	printing output.Options // of the printer
}

// newConsole creates a console; stop ends the run when the reader of stdout is gone.
func newConsole(streams *term.Streams, o *Options, stop context.CancelCauseFunc) *console {
	c := &console{o: o, streams: streams, screen: &term.Screen{}, stderr: streams.Err}
	out := streams.Out
	if c.live() {
		c.screen.Live = streams.Err
		c.stderr = c.screen.Over(streams.Err)
		if streams.OutTTY {
			out = c.screen.Over(out)
		}
	}
	if o.Quiet && o.Daily {
		c.held = &held{to: c.stderr}
		c.stderr = c.held
	}
	c.out = term.NewResults(out, func(err error) {
		if o.Dry { // a diff without a reader has nothing to do; a sync still has
			stop(err)
		}
	})
	p := o.Output
	p.Dry, p.Quiet, p.Several = o.Dry, o.Quiet, o.All
	p.Palette = streams.Palette(streams.OutTTY, o.Color)
	if streams.OutTTY {
		p.Width = streams.OutWidth()
	}
	c.printing = p
	c.printer = output.New(c.out, p)
	c.useLevel("")
	return c
}

// printSteps also prints into the files that GitHub Actions reads after a step.
func (c *console) printSteps(getenv func(string) string) {
	if c.streams.Commands == nil {
		return
	}
	c.printer = output.InActions(c.printer, c.printing, output.StepFiles{
		Summary: getenv("GITHUB_STEP_SUMMARY"), Outputs: getenv("GITHUB_OUTPUT"), Warn: func(text string) { c.messages.Warn(text) },
	})
}

// useLevel creates the log. Its level comes from the command line, else from the configuration. Without either,
// it has warnings and errors, on a terminal as messages.
func (c *console) useLevel(configured string) {
	level, ok := logs.Level(c.o.Level)
	if !ok {
		level, ok = logs.Level(configured)
	}
	c.messages = &logs.Messages{To: c.stderr, Stacks: ok && level <= slog.LevelDebug, Colors: c.streams.Palette(c.streams.ErrTTY, c.o.Color), Actions: c.streams.Commands}
	if !ok && c.streams.ErrTTY && c.o.Format == logs.Text { // the live lines show the rest
		c.log = logs.OnTerminal(c.messages)
		return
	}
	if !ok {
		level = slog.LevelWarn
	}
	if level < slog.LevelWarn { // the log was asked for
		c.held.open()
		c.held = nil
	}
	c.log = logs.New(c.stderr, c.o.Format, level)
	if c.o.Format != logs.Text {
		c.messages.Log = c.log
	}
}

// reportSignal reports, when a signal ends ctx, what happens now and what a second signal does.
func (c *console) reportSignal(ctx, cut context.Context) (stop func()) {
	over := context.AfterFunc(ctx, func() {
		e, signaled := errors.AsType[*term.SignalError](context.Cause(ctx))
		if signaled && cut.Err() == nil && !c.o.Quiet {
			m := &logs.Messages{To: c.stderr, Actions: c.streams.Commands} // the session's own messages are replaced when the configuration is loaded
			if c.o.Format != logs.Text {
				m.Log = logs.New(c.stderr, c.o.Format, slog.LevelWarn)
			}
			m.Note(e.Name() + ": " + endsHow(c.o.Dry) + "; a second signal ends the program at once")
		}
	})
	return func() { over() }
}

// endsHow describes how an interrupted run ends.
func endsHow(dry bool) string {
	if dry {
		return "reading stops"
	}
	return "reading stops, documents read so far are written, and nothing is deleted"
}

// live reports whether the terminal shows a live line.
func (c *console) live() bool {
	return c.o.Format == logs.Text && c.streams.Live(c.o.Progress, c.o.Quiet)
}

// startProgress shows the progress of a connector until stop is called: on a terminal as live lines, elsewhere as a
// line a minute.
func (c *console) startProgress(o *ran, counters *report.Counters, now func() time.Time) (stop func()) {
	p := &term.Progress{
		Name: o.Name, Lines: c.stderr, Width: c.streams.ErrWidth, Now: now, Phase: o.watch.now, Counters: counters,
		Crashed: func(err error) { c.log.Error("the progress display crashed", report.Err, err.Error()) },
	}
	switch {
	case c.live():
		p.Screen = c.screen
	case c.o.Format != logs.Text, c.o.Progress == term.Never, c.o.Quiet && c.o.Progress != term.Always:
		return func() {}
	}
	return p.Start()
}

// reportResult reports the result of a connector: its results on stdout, then remarks and errors on stderr.
func (c *console) reportResult(ctx context.Context, o *ran) {
	c.printer.Connector(&o.Outcome)
	if o.watch != nil {
		if more := o.watch.failed - int64(len(o.watch.failures)); more > 0 {
			c.messages.Note(logs.Joined(o.where(), "and "+term.Number(more)+" more"))
		}
	}
	for _, line := range o.Remarks {
		c.messages.Note(logs.Joined(o.where(), line))
	}
	if o.Err != nil && (o.watch == nil || !o.watch.reported(o.Err)) && !c.o.silent(c.o.Code(o.Err)) {
		c.messages.Conclude(ctx, o.where(), o.Err)
	}
	if o.Confirm != "" {
		c.messages.Note("to continue:\n" + o.Confirm)
	}
}
