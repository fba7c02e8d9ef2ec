// Package output is what runs print on stdout, in each of the forms of --output.
//
// A form is a [Printer]. It is handed values (a change, what came of a connector, what came of the whole command), and
// decides nothing: the exit code is one of those values. What people have to know beside their results goes to stderr,
// which is not the business of this package.
package output

import (
	"bufio"
	"io"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// The forms of output.
const (
	Text   = "text"
	JSON   = "json"
	NDJSON = "ndjson"
)

// Options are what is printed, and for whom.
type Options struct {
	Form    string // of --output
	Limit   int    // of changes; 0 for none
	All     bool   // documents that are left as they are, too
	Fields  bool   // those that differ, of an update
	Dry     bool   // nothing is written: the changes are the result
	Quiet   bool   // of a run that writes, nothing but what is asked for by form
	Several bool   // connectors were asked for, however many there are
	Width   int    // of the terminal; 0 for a file
	Palette term.Palette
}

// Printer writes results in one form. Change is called from several goroutines while a connector runs, the others
// between runs.
type Printer interface {
	Change(report.Change)
	// Connector is called when a connector is done.
	Connector(*Outcome)
	// End is called once, last.
	End(*Total)
}

// Outcome is what came of one connector.
type Outcome struct {
	Name, Type, Destination string // Type is its service type
	Result                  engine.Result
	Err                     error
	Exit                    int // the code of this connector
	Took                    time.Duration
	Job                     string   // the sync job, "" where there is none
	DeadLetter              string   // where rejected documents are, "" when there is none
	Confirm                 string   // the command line that permits what was withheld
	Unread                  []string // the first parts that were not read to their end
}

// Total is what came of the whole command.
type Total struct {
	Outcomes []*Outcome
	Exit     int
	Err      error // what ended or prevented the whole command
	Took     time.Duration
}

// New makes the printer of a form.
func New(w io.Writer, o Options) Printer {
	switch o.Form {
	case JSON:
		return &jsonPrinter{o: o, w: bufio.NewWriter(w)}
	case NDJSON:
		return &jsonPrinter{o: o, w: bufio.NewWriterSize(w, 64<<10)}
	}
	t := &textPrinter{o: o, w: bufio.NewWriterSize(w, 64<<10), value: longestValue}
	if o.Width > 0 {
		t.value = min(max(o.Width/4, shortestValue), longestValue)
	}
	return t
}
