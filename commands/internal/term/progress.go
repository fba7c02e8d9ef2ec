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
	redraw  = 200 * time.Millisecond // of the live lines
	newLine = time.Minute            // between lines that stay, on an output that cannot be redrawn
	// steady is the number of redraws after which a part gets a line: lines of small parts would only flicker.
	steady    = 5
	mostParts = 4 // with a line of their own
)

// Progress shows the progress of a run: a line for the run, and below it a line for each of the parts that take
// longer. If Screen is nil, nothing can be redrawn, and a line is written once a minute.
type Progress struct {
	Name     string
	Screen   *Screen
	Lines    io.Writer
	Width    func() int
	Now      func() time.Time
	Phase    func() string
	Counters *report.Counters
	Crashed  func(error) // the run continues without the display

	seen map[*report.PartCount]int // redraws
}

// Start shows the progress until stop is called.
func (p *Progress) Start() (stop func()) {
	every, show := newLine, func(lines ...string) {
		if len(lines) > 0 {
			_, _ = io.WriteString(p.Lines, lines[0]+"\n")
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
					show(p.lines(p.Now().Sub(began))...)
				case <-end:
					show()
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

// lines are the line of the run and those of its parts.
func (p *Progress) lines(elapsed time.Duration) []string {
	c, width := p.Counters.Snapshot(), p.Width()-1
	lines := []string{progressLine(p.Name, p.Phase(), c, elapsed, width)}
	before := p.seen
	p.seen = map[*report.PartCount]int{}
	for _, part := range p.Counters.Reading() {
		if p.seen[part] = before[part] + 1; p.seen[part] > steady && c.Parts > 1 && len(lines) <= mostParts {
			lines = append(lines, partLine(part, width))
		}
	}
	return lines
}

// partLine is the state of one part in at most width columns.
func partLine(p *report.PartCount, width int) string {
	const name = 16 // columns that it has at least, before the text is shortened
	read := p.Read.Load()
	text := ": " + Number(read) + " read"
	if p.Expected > read {
		long := fmt.Sprintf(": %s of about %s read, %d %%", Number(read), Number(p.Expected), 100*read/p.Expected)
		if text += fmt.Sprintf(", %d %%", 100*read/p.Expected); Columns(long)+name <= width {
			text = long
		}
	}
	return Shorten("  "+ShortenMiddle(Plain(p.Name), max(width-2-Columns(text), 1))+text, width)
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
		{after(phase), 2},
		{share(c), 4},
		{Number(c.Created+c.Updated) + " written", 1},
		{Number(c.Kept) + " kept", 5},
		{Number(c.Deleted) + " deleted", 6},
		{Number(int64(rate)) + "/s", 7},
		{byteSize(c.Bytes), 9},
		{Took(elapsed), 8},
		{eta(c, rate), 3},
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

// after is a phase that follows the reading, and "" while documents are read: their number says that.
func after(phase string) string {
	if phase == report.Reading {
		return ""
	}
	return phase
}

// share is the part of the documents that was read, if their approximate number is known.
func share(c report.Snapshot) string {
	if c.Expected <= c.Read {
		return ""
	}
	return fmt.Sprintf("%d %%", 100*c.Read/c.Expected)
}

// eta is the remaining time, if the approximate number of documents is known.
func eta(c report.Snapshot, rate float64) string {
	if c.Expected <= c.Read || rate <= 0 {
		return ""
	}
	left := time.Duration(float64(c.Expected-c.Read) / rate * float64(time.Second))
	return fmt.Sprintf("about %s left", Took(left.Round(time.Second)))
}
