package doctor

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

// shownFinding is a finding in the output of -o json.
type shownFinding struct {
	Connector string        `json:"connector"` // "" for one that concerns all
	Check     string        `json:"check"`
	Status    engine.Status `json:"status"`
	Message   string        `json:"message"`
	Hint      string        `json:"hint"`
}

// shownOrigin is a value of the configuration in the output of --show-config.
type shownOrigin struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	From  string `json:"from"`
}

// shown is the output of -o json.
type shown struct {
	Schema   int            `json:"schema"`
	Exit     int            `json:"exit"`
	Findings []shownFinding `json:"findings"`
	Config   []shownOrigin  `json:"config,omitempty"` // of --show-config
	Error    string         `json:"error,omitempty"`  // what ended the check, such as a signal
}

// printer prints findings as they come, or all at the end as JSON. Its methods may be called concurrently.
type printer struct {
	o       *Options
	out     *term.Results
	width   int // of text; columns
	palette term.Palette

	mu       sync.Mutex
	findings []shownFinding
	outcomes []*output.Outcome // of the findings that are errors, for the exit code
	config   []shownOrigin
	heading  string // of the current connector, not printed yet
	headed   string // the connector whose heading was printed
}

func newPrinter(s *term.Streams, o *Options) *printer {
	p := &printer{o: o, out: term.NewResults(s.Out, nil), width: term.Unlimited, palette: s.Palette(s.OutTTY, o.Color)}
	if s.OutTTY {
		p.width = s.OutWidth()
	}
	return p
}

// about sets the heading of a connector's findings.
func (p *printer) about(connector string, c *config.Connector) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heading = term.Plain(connector)
	if c.ServiceType != "" && c.IndexName != "" {
		p.heading += fmt.Sprintf(" (%s -> %s)", term.Plain(c.ServiceType), term.Plain(c.IndexName))
	}
}

func (p *printer) say(connector, check string, status engine.Status, message, hint string) {
	p.add(connector, engine.Finding{Check: check, Status: status, Message: message, Hint: hint})
}

func (p *printer) fail(connector, check string, err error) {
	p.add(connector, engine.Finding{Check: check, Status: engine.StatusError, Message: err.Error(), Err: err})
}

// failAll reports each of the errors of a configuration.
func (p *printer) failAll(connector, check string, err error) {
	all, ok := errors.AsType[config.Errors](err)
	if !ok {
		p.fail(connector, check, err)
		return
	}
	for _, one := range all {
		bare := *one
		bare.Hint = ""
		p.add(connector, engine.Finding{Check: check, Status: engine.StatusError, Message: bare.Error(), Hint: one.Hint, Err: one})
	}
}

// add reports a finding.
func (p *printer) add(connector string, f engine.Finding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Err != nil {
		o := &output.Outcome{Err: f.Err}
		if f.Unread {
			o = &output.Outcome{Result: engine.Result{Failed: 1}}
		}
		p.outcomes = append(p.outcomes, o)
		if f.Hint == "" {
			f.Hint = logs.HintOf(f.Err)
		}
	}
	one := shownFinding{Connector: connector, Check: f.Check, Status: f.Status, Message: f.Message, Hint: f.Hint}
	p.findings = append(p.findings, one)
	if p.o.Form == output.Text && (!p.o.Quiet || f.Status == engine.StatusWarning || f.Status == engine.StatusError) {
		p.text(&one)
	}
}

// statusWidth is the width of the column of statuses.
const statusWidth = len("warning") + 1

// text prints a finding: its status, what was found, and in lines below what to do.
func (p *printer) text(f *shownFinding) {
	var b strings.Builder
	if f.Connector != "" && f.Connector != p.headed {
		p.headed = f.Connector
		b.WriteString("\n" + p.heading + "\n")
	}
	style := p.palette.Green
	switch f.Status {
	case engine.StatusNote:
		style = p.palette.Grey
	case engine.StatusWarning:
		style = p.palette.Yellow
	case engine.StatusError:
		style = p.palette.Red
	case engine.StatusOK:
	}
	indent := strings.Repeat(" ", statusWidth)
	first := term.Paint(style, string(f.Status)) + indent[len(f.Status):]
	for _, line := range lines(f.Message, p.width-statusWidth) {
		b.WriteString(first + line + "\n")
		first = indent
	}
	if f.Hint != "" {
		for line := range strings.SplitSeq(strings.TrimSpace("hint: "+f.Hint), "\n") {
			b.WriteString(indent + term.Plain(line) + "\n") // not broken, to be copied
		}
	}
	fmt.Fprint(p.out, b.String())
}

// lines are the lines of a text, each at most of a width.
func lines(text string, width int) (out []string) {
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		out = append(out, term.Wrap(term.Plain(line), width)...)
	}
	return out
}

// end prints what is left, and returns why the output could not be written.
func (p *printer) end(code int, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.o.Form == output.JSON:
		all := shown{Schema: output.Schema, Exit: code, Findings: p.findings, Config: p.config}
		if all.Findings == nil {
			all.Findings = []shownFinding{}
		}
		if err != nil {
			all.Error = err.Error()
		}
		fmt.Fprint(p.out, output.JSONLine(all))
	case p.config != nil:
		fmt.Fprint(p.out, p.configText())
	case !p.o.Quiet:
		fmt.Fprint(p.out, "\n"+p.summary()+"\n")
	}
	return p.out.Failure()
}

// summary counts the findings by status.
func (p *printer) summary() string {
	n := map[engine.Status]int64{}
	for i := range p.findings {
		n[p.findings[i].Status]++
	}
	return fmt.Sprintf("%s, %s, %s, %s ok", term.Plural(n[engine.StatusError], "error", "errors"), term.Plural(n[engine.StatusWarning], "warning", "warnings"),
		term.Plural(n[engine.StatusNote], "note", "notes"), term.Number(n[engine.StatusOK]))
}

// configText is the configuration as a table; on a narrow terminal, each value is a block of lines.
func (p *printer) configText() string {
	rows := [][]string{{"KEY", "VALUE", "FROM"}}
	for _, o := range p.config {
		rows = append(rows, []string{term.Plain(o.Key), term.Plain(o.Value), term.Plain(o.From)})
	}
	return term.RecordTable(p.width, rows)
}
