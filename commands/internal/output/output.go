// Package output prints the results of runs to stdout, in each format of --output.
//
// A format is a [Printer]. It receives values (a change, the result of a connector, the result of the command)
// and decides nothing: the exit code is one of those values. Messages and the log go to stderr and are written
// elsewhere.
package output

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// The output formats.
const (
	Text     = "text"
	JSON     = "json"
	NDJSON   = "ndjson"
	JUnit    = "junit"
	Markdown = "markdown"
	HTML     = "html"
)

// documentLimit is the default of --limit for a format that is one document, 0 for others. Its changes are
// collected in memory.
func documentLimit(form string) int {
	switch form {
	case Markdown:
		return 50
	case HTML:
		return mostOrdered
	}
	return 0
}

// Limited sets the default of --limit. The error says which limits a format accepts.
func (o *Options) Limited(given bool) error {
	usual := documentLimit(o.Form)
	switch {
	case usual == 0:
		return nil
	case !given:
		o.Limit = usual
	case o.Limit < 1 || o.Limit > mostOrdered:
		return fmt.Errorf("--limit must be between 1 and %d with --output %s", mostOrdered, o.Form)
	}
	return nil
}

// Options choose what is printed, and for which reader.
type Options struct {
	Form     string // the value of --output
	Limit    int    // maximum number of changes; 0 for no limit
	All      bool   // also unchanged documents
	Fields   bool   // the changed fields of an update
	Dry      bool   // nothing is written: the changes are the result
	Quiet    bool   // for a run that writes: only output that a flag requests
	ExitZero bool   // differences are no failure
	Several  bool   // several connectors may run, even if there is only one
	Width    int    // of the terminal; 0 for a file
	Palette  term.Palette
}

// lists reports whether a format that lists the changes shows those of a kind.
func (o *Options) lists(kind string) bool {
	return o.All || kind != plan.Keep.String() && kind != plan.Drop.String()
}

// limited counts the changes that are printed under [Options].Limit, and those that it omits.
type limited struct {
	printed int
	omitted int64
}

// takes counts one more change and reports whether it is printed.
func (l *limited) takes(most int) bool {
	if most > 0 && l.printed >= most {
		l.omitted++
		return false
	}
	l.printed++
	return true
}

// Printer writes results in one format. Change is called from several goroutines while a connector runs, the
// other methods between runs.
type Printer interface {
	Change(report.Change)
	// Connector is called when a connector is done.
	Connector(*Outcome)
	// End is called once, last.
	End(*Total)
}

// Outcome is the result of one connector.
type Outcome struct {
	Name, Type, Destination string // Type is its service type
	Result                  engine.Result
	Err                     error
	Exit                    int // the exit code of this connector
	Took                    time.Duration
	Job                     string   // the sync job, "" if there is none
	DeadLetter              string   // the file of rejected documents, "" if there is none
	Confirm                 string   // the command line that permits the deletes that were held back
	Unread                  []string // the first parts that were not read completely
	Tally                   *Tally   // nil if the run did not begin
	Remarks                 []string // what a person should know about the run
	Failures                []string // the first errors about tables and documents
	Language                string   // of the analysis in a new index, "" for none
	Plan                    *Plan    // nil if the run neither saved nor used one
}

// Plan is a saved plan, and how its changes compare with those that a run found.
type Plan struct {
	File    string `json:"file"`
	Changes int64  `json:"changes"`
	Same    int64  `json:"same"`  // found again
	Moved   int64  `json:"moved"` // another change of the same document was found
	Gone    int64  `json:"gone"`  // no longer needed
}

// Total is the result of the complete command.
type Total struct {
	Outcomes []*Outcome
	Exit     int
	Err      error // the error that ended or prevented the command
	Took     time.Duration
}

// New creates the printer of a format.
func New(w io.Writer, o Options) Printer {
	switch o.Form {
	case JSON:
		return &jsonPrinter{o: o, w: bufio.NewWriter(w)}
	case NDJSON:
		return &jsonPrinter{o: o, w: bufio.NewWriterSize(w, 64<<10)}
	case JUnit:
		return &junitPrinter{o: o, w: w}
	case HTML:
		p := &htmlPrinter{o: o, w: bufio.NewWriterSize(w, 64<<10)}
		p.changes.limit = o.Limit
		p.changes.write = func(list []item[string]) { p.listed = append(p.listed, list...) }
		return p
	case Markdown:
		p := &markdownPrinter{o: o, w: bufio.NewWriterSize(w, 64<<10)}
		p.changes.limit, p.changes.write = o.Limit, p.block
		return p
	}
	t := &textPrinter{o: o, w: bufio.NewWriterSize(w, 64<<10), occurred: map[string]bool{}}
	t.lines.limit, t.lines.write = o.Limit, t.block
	return t
}
