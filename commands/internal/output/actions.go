package output

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// mostSummary is the maximum size of the summary of a step in GitHub Actions.
const mostSummary = 1 << 20

// StepFiles are the files that GitHub Actions reads after a step, "" for none.
type StepFiles struct {
	Summary string // GITHUB_STEP_SUMMARY, Markdown
	Outputs string // GITHUB_OUTPUT, lines of name=value
	Warn    func(string)
}

// InActions prints as p does, and appends a summary and outputs to the files of a step. A file that cannot be
// written is a warning: it never changes the result of a run.
func InActions(p Printer, o Options, files StepFiles) Printer {
	a := &actionsPrinter{Printer: p, files: files}
	o.Form, o.Limit = Markdown, documentLimit(Markdown)
	a.markdown = New(&a.summary, o)
	return a
}

type actionsPrinter struct {
	Printer

	files    StepFiles
	markdown Printer
	summary  firstBytes
}

// Change implements [Printer].
func (a *actionsPrinter) Change(c report.Change) {
	a.Printer.Change(c)
	a.markdown.Change(c)
}

// Connector implements [Printer].
func (a *actionsPrinter) Connector(o *Outcome) {
	a.Printer.Connector(o)
	a.markdown.Connector(o)
}

// End implements [Printer].
func (a *actionsPrinter) End(all *Total) {
	a.Printer.End(all)
	a.markdown.End(all)
	a.append("GITHUB_STEP_SUMMARY", a.files.Summary, a.summary.kept.Bytes(), mostSummary)
	a.append("GITHUB_OUTPUT", a.files.Outputs, []byte(outputs(all)), 0)
}

// outputs are the lines for GITHUB_OUTPUT. They contain only numbers, true and false, so that nothing can add a line.
func outputs(all *Total) string {
	var sum jsonResult
	changed := false
	for _, o := range all.Outcomes {
		c := &o.Result.Counts
		changed = changed || o.Result.Differences()
		sum.Created, sum.Updated, sum.Deleted = sum.Created+c.Created, sum.Updated+c.Updated, sum.Deleted+c.Deleted
		sum.Withheld, sum.Rejected = sum.Withheld+c.Withheld, sum.Rejected+c.Rejected
	}
	return fmt.Sprintf("changed=%t\nexit=%d\ncreated=%d\nupdated=%d\ndeleted=%d\nwithheld=%d\nrejected=%d\n",
		changed, all.Exit, sum.Created, sum.Updated, sum.Deleted, sum.Withheld, sum.Rejected)
}

// append adds text to a file of a step, up to a size; 0 is no limit.
func (a *actionsPrinter) append(variable, file string, text []byte, most int64) {
	if file == "" {
		return
	}
	if err := appendTo(file, text, most); err != nil {
		a.files.Warn(fmt.Sprintf("%s: %v", variable, err))
	}
}

func appendTo(file string, text []byte, most int64) (err error) {
	if info, err := os.Stat(file); err == nil {
		if !info.Mode().IsRegular() { // a pipe without a reader would block
			return fmt.Errorf("%s is not a regular file", file)
		}
		if room := most - info.Size(); most > 0 && int64(len(text)) > room {
			return fmt.Errorf("the summary of this step would be larger than %d bytes", most)
		}
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(text)
	return err
}

// firstBytes keeps what fits into the summary of a step, in complete lines.
type firstBytes struct {
	kept bytes.Buffer
	cut  bool
}

const cutNotice = "\n\nThe rest does not fit.\n"

// Write implements [io.Writer].
func (b *firstBytes) Write(p []byte) (int, error) {
	n := len(p)
	if b.cut {
		return n, nil
	}
	if room := mostSummary - len(cutNotice) - b.kept.Len(); n > room {
		p = p[:max(bytes.LastIndexByte(p[:room], '\n')+1, 0)]
		b.cut = true
	}
	_, _ = b.kept.Write(p)
	if b.cut {
		_, _ = b.kept.WriteString(cutNotice)
	}
	return n, nil
}

var _ io.Writer = (*firstBytes)(nil)
