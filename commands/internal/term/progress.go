package term

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
	newLine = 10 * time.Second       // between lines that stay, on an output that cannot be redrawn
)

// Progress shows the progress of a run. If screen is nil, nothing can be redrawn, and a line is written from
// time to time.
type Progress struct {
	Name     string
	Screen   *Screen
	Lines    io.Writer
	Width    func() int
	Now      func() time.Time
	Phase    func() string
	Counters *report.Counters
	Crashed  func(error) // the run continues without the display
}

// Start shows the progress until stop is called.
func (p *Progress) Start() (stop func()) {
	every, show := newLine, func(line string) {
		if line != "" {
			_, _ = io.WriteString(p.Lines, line+"\n")
		}
	}
	if p.Screen != nil {
		every, show = redraw, p.Screen.draw
	}
	began := p.Now()
	end, done := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(done)
		err := crash.Guarded(func() error {
			ticker := time.NewTicker(every)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					show(progressLine(p.Name, p.Phase(), p.Counters.Snapshot(), p.Now().Sub(began), p.Width()-1))
				case <-end:
					show("")
					return nil
				}
			}
		})
		if err != nil {
			p.Crashed(err)
		}
	}()
	return func() {
		close(end)
		<-done
	}
}

// progressLine is the state of a run in at most width columns; the least important items are left out first.
func progressLine(name, phase string, c report.Snapshot, elapsed time.Duration, width int) string {
	if c.Read == 0 {
		return Shorten(Plain(name)+": "+phase+" "+Took(elapsed), width)
	}
	rate := float64(c.Read) / max(elapsed.Seconds(), 0.001)
	fields := []struct {
		text string
		rank int // the highest is left out first
	}{
		{Number(c.Read) + " read", 0},
		{Number(c.Created+c.Updated) + " written", 1},
		{Number(c.Kept) + " kept", 3},
		{Number(c.Deleted) + " deleted", 4},
		{Number(int64(rate)) + "/s", 5},
		{byteSize(c.Bytes), 7},
		{Took(elapsed), 6},
		{eta(c, rate), 2},
	}
	for most := len(fields); ; most-- {
		var parts []string
		for _, f := range fields {
			if f.rank < most && f.text != "" {
				parts = append(parts, f.text)
			}
		}
		line := Plain(name) + ": " + strings.Join(parts, ", ")
		if most == 1 || Columns(line) <= width {
			return Shorten(line, width)
		}
	}
}

// eta is the remaining time, if the approximate number of documents is known.
func eta(c report.Snapshot, rate float64) string {
	if c.Expected <= c.Read || rate <= 0 {
		return ""
	}
	left := time.Duration(float64(c.Expected-c.Read) / rate * float64(time.Second))
	return fmt.Sprintf("about %s left", Took(left.Round(time.Second)))
}
