package commands

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

const (
	redraw  = 200 * time.Millisecond // of the live line
	newLine = 10 * time.Second       // of lines that stay, where nothing can be redrawn
)

// live reports whether a line is kept up to date on the terminal.
func (s *session) live() bool {
	st := s.app.Streams
	if !st.errTTY || st.getenv("TERM") == "dumb" || s.o.format != asText {
		return false
	}
	return s.o.progress == always || s.o.progress == auto && !st.dumb() && !s.o.quiet
}

// startProgress shows how far a connector is until stop is called. Without a terminal, --progress
// always writes a line from time to time.
func (s *session) startProgress(o *outcome, counters *report.Counters) (stop func()) {
	every := redraw
	show := func(line string) { s.screen.draw(line) }
	if !s.live() {
		if s.o.progress != always || s.o.format != asText {
			return func() {}
		}
		every = newLine
		show = func(line string) {
			if line != "" {
				_, _ = io.WriteString(s.stderr, line+"\n")
			}
		}
	}
	began := s.app.Now()
	end, done := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(done)
		err := crash.Guarded(func() error {
			ticker := time.NewTicker(every)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					show(progressLine(o.name, o.watch.now(), counters.Snapshot(), s.app.Now().Sub(began), s.app.Streams.ErrWidth()-1))
				case <-end:
					show("")
					return nil
				}
			}
		})
		if err != nil { // mirroring goes on without a picture of it
			s.log.Error("the display of the progress crashed", report.Err, err.Error())
		}
	}()
	return func() {
		close(end)
		<-done
	}
}

// progressLine is the state of a run in at most width columns; what matters least is left out first.
func progressLine(name, phase string, c report.Snapshot, elapsed time.Duration, width int) string {
	if c.Read == 0 {
		return shorten(plain(name)+": "+phase+" "+took(elapsed), width)
	}
	rate := float64(c.Read) / max(elapsed.Seconds(), 0.001)
	fields := []struct {
		text string
		rank int // the highest goes first
	}{
		{number(c.Read) + " read", 0},
		{number(c.Created+c.Updated) + " written", 1},
		{number(c.Kept) + " kept", 3},
		{number(c.Deleted) + " deleted", 4},
		{number(int64(rate)) + "/s", 5},
		{byteSize(c.Bytes), 7},
		{took(elapsed), 6},
		{eta(c, rate), 2},
	}
	for most := len(fields); ; most-- {
		var parts []string
		for _, f := range fields {
			if f.rank < most && f.text != "" {
				parts = append(parts, f.text)
			}
		}
		line := plain(name) + ": " + strings.Join(parts, ", ")
		if most == 1 || columns(line) <= width {
			return shorten(line, width)
		}
	}
}

// eta is the time that is left, where it is known about how many documents there are.
func eta(c report.Snapshot, rate float64) string {
	if c.Expected <= c.Read || rate <= 0 {
		return ""
	}
	left := time.Duration(float64(c.Expected-c.Read) / rate * float64(time.Second))
	return fmt.Sprintf("about %s left", took(left.Round(time.Second)))
}
