package commands

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/docs"
)

func newMan(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:  "man",
		Usage: "print the man page",
		Description: "Prints a man page with the help of all commands, exit codes, environment variables and files, in the format of man(7). " +
			"Packages install it; man displays it from a file too.",
		UsageText: `# read it without installing it, if man displays standard input
# elastic-ingest man | man -l -
elastic-ingest man`,
		Action: func(c *cli.Context) error {
			if _, err := readGlobals(c); err != nil {
				return err
			}
			b := program.This()
			date := b.Date
			if date == "" { // not built from a commit
				date = a.Now().Format("2006-01-02")
			}
			return a.WriteOut(manPage(c.App, b.Version, date))
		},
	}
}

// manPage is the man page, made of what --help prints. date is as 2006-01-02.
func manPage(app *cli.App, version, date string) string {
	p := &roff{}
	p.macro(fmt.Sprintf(`.TH %s 1 %s "%s %s"`, strings.ToUpper(roffText(program.Name)), date, roffText(program.Name), roffText(version)))
	p.macro(".nh") // a flag is not divided
	p.macro(".ad l")
	p.section("NAME")
	p.text(program.Name + " - " + lowerFirst(strings.TrimSuffix(app.Usage, ".")))
	p.section("SYNOPSIS")
	p.bold(program.Name, " COMMAND [FLAGS] [ARGUMENT...]")
	p.section("DESCRIPTION")
	p.text(app.Usage + " It runs once, from cron or CI, and exits with a code that a script can act on.")
	p.paragraph("Flags may stand anywhere; an argument after -- is never a flag. " + program.Name + " COMMAND --help prints the help of a command.")
	p.section("COMMANDS")
	for _, c := range leaves(app.Commands) {
		if !c.Hidden {
			p.command(app, c)
		}
	}
	p.section("FLAGS")
	p.text("These are the flags of every command.")
	for _, row := range append(flagRows(app.Flags), [2]string{"-h, --help", "print the help of a command"}, [2]string{"    --version", "print version, commit and Go version"}) {
		p.entry(strings.TrimSpace(row[0]), row[1])
	}
	p.section("EXIT CODES")
	for i := range meanings {
		m := &meanings[i]
		text := m.text
		if m.commands != nil {
			text = strings.Join(m.commands, " and ") + ": " + text
		}
		p.entry(m.codes, text)
	}
	p.section("ENVIRONMENT")
	p.entry("ELASTIC_INGEST__SECTION__KEY", "sets a key of the configuration file, such as ELASTIC_INGEST__ELASTICSEARCH__HOST")
	for _, v := range docs.Variables() {
		p.entry(v[0], v[1])
	}
	p.section("FILES")
	p.entry("./config.yml", "the configuration file")
	p.entry("$XDG_CONFIG_HOME/elastic-ingest/config.yml, /etc/elastic-ingest/config.yml", "the configuration file, if there is none in the working directory")
	p.entry(".env", "variables, one NAME=value a line, beside the configuration file")
	p.section("EXAMPLES")
	p.text("Examples of each command, and first what a new user runs:")
	p.example(firstExamples)
	for _, c := range leaves(app.Commands) {
		if !c.Hidden {
			p.example(c.UsageText)
		}
	}
	return p.b.String()
}

func flagRows(flags []cli.Flag) (rows [][2]string) {
	for _, f := range flags {
		rows = append(rows, flagRow(f))
	}
	return rows
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// roff is a page under construction. Text never becomes a request or an escape: every line begins with a macro
// or passes roffText.
type roff struct{ b strings.Builder }

func (p *roff) macro(line string) { p.b.WriteString(line + "\n") }

func (p *roff) section(title string) { p.macro(".SH " + title) }

// text writes text. Its lines are short, because escapes make them longer.
func (p *roff) text(s string) {
	for _, line := range term.Wrap(s, 72) {
		p.macro(roffText(line))
	}
}

func (p *roff) paragraph(s string) {
	p.macro(".PP")
	p.text(s)
}

// bold writes a line that begins in bold.
func (p *roff) bold(first, rest string) { p.macro(`\fB` + roffText(first) + `\fR` + roffText(rest)) }

// entry writes a name and its explanation.
func (p *roff) entry(name, text string) {
	p.macro(".TP")
	p.bold(name, "")
	p.text(text)
}

// command writes the part of one command.
func (p *roff) command(app *cli.App, c *cli.Command) {
	name := fullName(app, c)
	p.macro(".SS " + roffText(name))
	p.bold(program.Name+" "+name, strings.TrimRight(" [FLAGS] "+c.ArgsUsage, " "))
	p.paragraph(c.Description)
	for _, row := range flagRows(c.Flags) {
		p.entry(strings.TrimSpace(row[0]), row[1])
	}
}

// example writes lines unchanged.
func (p *roff) example(text string) {
	p.macro(".PP")
	p.macro(".nf")
	p.macro(".RS 4")
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			line = " "
		}
		p.macro(roffText(line))
	}
	p.macro(".RE")
	p.macro(".fi")
}

// roffText makes text literal: characters with a meaning in roff are replaced by their names, and a dot or
// quote at the beginning of a line is not a request. A hyphen is a minus, so that copied flags work.
func roffText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\(rs`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '\'':
			b.WriteString(`\(aq`)
		case r == '"':
			b.WriteString(`\(dq`)
		case r == '^':
			b.WriteString(`\(ha`)
		case r == '~':
			b.WriteString(`\(ti`)
		case r == '`':
			b.WriteString(`\(ga`)
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case r > '~':
			fmt.Fprintf(&b, `\[u%04X]`, r)
		case r < ' ': // has no meaning in text
		default:
			b.WriteRune(r)
		}
	}
	text := b.String()
	if strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}
