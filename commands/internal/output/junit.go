package output

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// junitPrinter writes the XML that CI systems read as test results: a suite for each connector, with a test for
// each table. All text passes [term.Plain], which leaves no character that XML 1.0 forbids.
type junitPrinter struct {
	o Options
	w io.Writer
}

// junitName is the name of the suites, and of the one for an error of the complete command.
const junitName = "elastic-ingest"

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property,omitempty"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out,omitempty"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Failure *junitResult `xml:"failure,omitempty"`
	Error   *junitResult `xml:"error,omitempty"`
}

// junitResult is why a test did not pass.
type junitResult struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// Change implements [Printer]. The tally has what is printed.
func (*junitPrinter) Change(report.Change) {}

// Connector implements [Printer].
func (*junitPrinter) Connector(*Outcome) {}

// End implements [Printer].
func (p *junitPrinter) End(all *Total) {
	out := junitSuites{Name: junitName, Time: fmt.Sprintf("%.3f", all.Took.Seconds())}
	for _, o := range all.Outcomes {
		out.Suites = append(out.Suites, p.suite(o))
	}
	if all.Err != nil {
		out.Suites = append(out.Suites, junitSuite{Name: junitName, Time: "0.000", Cases: []junitCase{{
			Class: junitName, Name: "run", Error: junitError(all.Err, all.Exit),
		}}})
	}
	for i := range out.Suites {
		s := &out.Suites[i]
		s.Tests = len(s.Cases)
		for _, c := range s.Cases {
			if c.Failure != nil {
				s.Failures++
			}
			if c.Error != nil {
				s.Errors++
			}
		}
		out.Tests, out.Failures, out.Errors = out.Tests+s.Tests, out.Failures+s.Failures, out.Errors+s.Errors
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil { // only for types without an XML form
		panic(err)
	}
	xmlText := strings.ReplaceAll(string(text), "##[", "&#35;#[") // a command of GitHub Actions, see term
	_, _ = io.WriteString(p.w, xml.Header+xmlText+"\n")           // the writer keeps the error
}

// suite is the suite of a connector. A connector without tables has a test, so that it is not missing from a
// report.
func (p *junitPrinter) suite(o *Outcome) junitSuite {
	s := junitSuite{Name: term.Plain(o.Name), Time: fmt.Sprintf("%.3f", o.Took.Seconds())}
	for _, property := range [...][2]string{
		{"source", o.Type},
		{"index", o.Result.Index},
		{"destination", o.Destination},
		{"exit", fmt.Sprint(o.Exit)},
	} {
		s.Properties = append(s.Properties, junitProperty{property[0], term.Plain(property[1])})
	}
	tables, rest := o.Tally.Tables()
	for _, t := range tables {
		s.Cases = append(s.Cases, junitCase{Class: s.Name, Name: term.Plain(tableName(t.Name)), Failure: p.failure(t)})
	}
	if rest != nil {
		s.Cases = append(s.Cases, junitCase{Class: s.Name, Name: "(other tables)", Failure: p.failure(rest)})
	}
	if o.Err != nil || len(s.Cases) == 0 {
		s.Cases = append(s.Cases, junitCase{Class: s.Name, Name: "(connector)", Error: junitError(o.Err, o.Exit)})
	}
	var lines []string
	for _, text := range append([]string{countsOf(o, p.o.Dry)}, o.Remarks...) {
		lines = append(lines, term.Plain(text))
	}
	if o.Confirm != "" {
		lines = append(lines, "to continue: "+term.Plain(o.Confirm))
	}
	s.Out = strings.Join(lines, "\n")
	return s
}

// failure is why the test of a table fails, nil if it passes. In a diff, differences fail it.
func (p *junitPrinter) failure(t *Table) *junitResult {
	kind := ""
	switch {
	case t.Unread != "":
		kind = "unread"
	case t.Rejected+t.Duplicates+t.ContentErrors > 0:
		kind = "incomplete"
	case t.Withheld > 0:
		kind = "held back"
	case p.o.Dry && !p.o.ExitZero && t.Changes() > 0:
		kind = "differs"
	default:
		return nil
	}
	return &junitResult{Type: kind, Message: describe(t, term.Plain), Text: term.Plain(t.Unread)}
}

func junitError(err error, exit int) *junitResult {
	if err == nil {
		return nil
	}
	return &junitResult{Type: fmt.Sprintf("exit %d", exit), Message: term.Plain(err.Error()), Text: term.Plain(logs.HintOf(err))}
}
