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

// console is where a run speaks: its results on stdout, all else on stderr, and the live line among them.
type console struct {
	o        *Options
	streams  *term.Streams
	screen   *term.Screen
	out      *term.Results
	stderr   io.Writer
	log      *slog.Logger
	messages *logs.Messages
	printer  output.Printer
}

// newConsole makes it; stop ends the run when nobody reads what it prints.
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
	c.out = term.NewResults(out, func(err error) {
		if o.Dry { // what nobody reads need not be found out; a sync has more to do
			stop(err)
		}
	})
	p := o.Output
	p.Dry, p.Quiet, p.Several = o.Dry, o.Quiet, o.All
	p.Palette = streams.Palette(streams.OutTTY, o.Color)
	if streams.OutTTY {
		p.Width = streams.OutWidth()
	}
	c.printer = output.New(c.out, p)
	c.useLevel("")
	return c
}

// useLevel makes the log: from the level of the command line on, else from that of the configuration,
// else from what suits the reader.
func (c *console) useLevel(configured string) {
	level, ok := logs.Level(c.o.Level)
	if !ok {
		level, ok = logs.Level(configured)
	}
	if !ok {
		level = slog.LevelWarn
		if c.streams.ErrTTY && !c.o.Quiet {
			level = slog.LevelInfo
		}
	}
	c.log = logs.New(c.stderr, c.o.Format, level)
	c.messages = &logs.Messages{To: c.stderr, Stacks: level <= slog.LevelDebug}
	if c.o.Format != logs.Text {
		c.messages.Log = c.log
	}
	c.messages.Colors = c.streams.Palette(c.streams.ErrTTY, c.o.Color)
}

// tellSignal says, when a signal ends ctx, what happens now and what a second one does.
func (c *console) tellSignal(ctx, cut context.Context) (stop func()) {
	over := context.AfterFunc(ctx, func() {
		e, signaled := errors.AsType[*term.SignalError](context.Cause(ctx))
		if signaled && cut.Err() == nil && !c.o.Quiet {
			m := &logs.Messages{To: c.stderr} // that of the session is made anew when the configuration is read
			if c.o.Format != logs.Text {
				m.Log = logs.New(c.stderr, c.o.Format, slog.LevelWarn)
			}
			m.Note(e.Name() + ": " + endsHow(c.o.Dry) + "; a second signal ends the program at once")
		}
	})
	return func() { over() }
}

// endsHow says what a run does that is to end.
func endsHow(dry bool) string {
	if dry {
		return "nothing more is read"
	}
	return "nothing more is read, what was read is written, and nothing is deleted"
}

// live reports whether a line is kept up to date on the terminal.
func (c *console) live() bool {
	return c.o.Format == logs.Text && c.streams.Live(c.o.Progress, c.o.Quiet)
}

// startProgress shows how far a connector is until stop is called. Without a terminal, --progress
// always writes a line from time to time.
func (c *console) startProgress(o *ran, counters *report.Counters, now func() time.Time) (stop func()) {
	p := &term.Progress{
		Name: o.Name, Lines: c.stderr, Width: c.streams.ErrWidth, Now: now, Phase: o.watch.now, Counters: counters,
		Crashed: func(err error) { c.log.Error("the display of the progress crashed", report.Err, err.Error()) },
	}
	switch {
	case c.live():
		p.Screen = c.screen
	case c.o.Progress != term.Always || c.o.Format != logs.Text:
		return func() {}
	}
	return p.Start()
}

// tell says what came of a connector: its results on stdout, then what people have to know on stderr.
func (c *console) tell(ctx context.Context, o *ran) {
	c.printer.Connector(&o.Outcome)
	if o.watch != nil {
		if more := o.watch.failed - int64(len(o.watch.failures)); more > 0 {
			c.messages.Note(logs.Joined(o.where(), "and "+term.Number(more)+" more"))
		}
	}
	for _, line := range o.remarks(c.o) {
		c.messages.Note(logs.Joined(o.where(), line))
	}
	if o.Err != nil && (o.watch == nil || !o.watch.told(o.Err)) {
		c.messages.Conclude(ctx, o.where(), o.Err)
	}
	if o.Confirm != "" {
		c.messages.Note("to go on:\n" + o.Confirm)
	}
}
