package commands

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
)

// helpWidth is the maximum width of help texts on any terminal: they are pasted, searched and compared.
const helpWidth = 80

// firstExamples are what a new user runs first.
const firstExamples = "# what would a sync change?\n" + program.Name + " diff\n\n# make the changes\n" + program.Name + " sync"

// help is the help text of the program, or of one command, for a width: a sentence, examples, flags.
func help(app *cli.App, command *cli.Command, width int) string {
	width = min(max(width, term.NarrowestWidth), helpWidth)
	h := &helpText{width: width}
	if command == nil {
		h.paragraph(app.Usage)
		h.heading("Usage")
		h.line("  " + program.Name + " COMMAND [FLAGS] [CONNECTOR...]")
		h.heading("Examples")
		h.example(firstExamples)
		h.heading("Commands")
		h.commands(app.Commands)
		h.heading("Flags of every command")
		h.flags(app.Flags)
		h.line("")
		h.paragraph("Flags may stand anywhere; an argument after -- is never a flag. " + program.Name + " COMMAND --help prints the help of a command.")
		return h.b.String()
	}
	h.paragraph(command.Description)
	if len(command.Subcommands) > 0 {
		h.heading("Usage")
		h.line("  " + program.Name + " " + command.Name + " COMMAND [FLAGS] [ARGUMENT...]")
		h.heading("Commands")
		h.commands(command.Subcommands)
		h.line("")
		h.paragraph(program.Name + " " + command.Name + " COMMAND --help prints the help of a command.")
		return h.b.String()
	}
	h.heading("Usage")
	h.line(strings.TrimRight(fmt.Sprintf("  %s %s [FLAGS] %s", program.Name, fullName(app, command), command.ArgsUsage), " "))
	h.heading("Examples")
	h.example(command.UsageText)
	if len(command.Flags) > 0 {
		h.heading("Flags")
		h.flags(command.Flags)
	}
	if rows := exitRows(command.Name); len(rows) > 0 {
		h.heading("Exit codes")
		h.rows(rows)
	}
	h.line("")
	h.paragraph("Flags of every command, such as -c FILE and -q: " + program.Name + " --help")
	return h.b.String()
}

// helpText is a help text under construction.
type helpText struct {
	b     strings.Builder
	width int
}

func (h *helpText) line(s string) { h.b.WriteString(s + "\n") }

func (h *helpText) heading(s string) { h.line("\n" + s + ":") }

func (h *helpText) paragraph(s string) {
	for _, l := range term.Wrap(s, h.width) {
		h.line(l)
	}
}

func (h *helpText) example(s string) {
	for l := range strings.SplitSeq(s, "\n") {
		if l != "" {
			l = "  " + l
		}
		h.line(l)
	}
}

func (h *helpText) commands(commands []*cli.Command) {
	var rows [][2]string
	for _, c := range commands {
		if !c.Hidden {
			rows = append(rows, [2]string{c.Name, c.Usage})
		}
	}
	h.rows(rows)
}

func (h *helpText) flags(flags []cli.Flag) {
	var rows [][2]string
	for _, f := range flags {
		rows = append(rows, flagRow(f))
	}
	if !slices.ContainsFunc(rows, func(r [2]string) bool { return strings.Contains(r[0], "--config-file") }) {
		h.rows(rows)
		return
	}
	h.rows(append(rows, [2]string{"-h, --help", "print this help"}, [2]string{"    --version", "print version, commit and Go version"}))
}

// flagRow is a flag in the help text. Its usage begins with the placeholder of its value, between backquotes.
func flagRow(f cli.Flag) [2]string {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return [2]string{dashed(f.Names()[0])}
	}
	name := "    "
	for _, alias := range f.Names()[1:] {
		name = dashed(alias) + ", "
	}
	name += dashed(f.Names()[0])
	usage := d.GetUsage()
	if rest, found := strings.CutPrefix(usage, "`"); found {
		value, after, _ := strings.Cut(rest, "`: ")
		name += " " + value
		usage = after
	}
	return [2]string{name, usage}
}

// rows writes two columns; on a narrow terminal, the second below the first.
func (h *helpText) rows(rows [][2]string) {
	const most = 30
	left := 0
	for _, r := range rows {
		left = max(left, min(term.Columns(r[0]), most))
	}
	beside := h.width >= 2*most+10
	for _, r := range rows {
		indent := strings.Repeat(" ", left+4)
		first := "  " + term.Pad(r[0], left) + "  "
		if !beside || term.Columns(r[0]) > left {
			h.line("  " + r[0])
			first = indent
		}
		if !beside {
			indent, first = "        ", "        "
		}
		for _, l := range term.Wrap(r[1], h.width-len(indent)) {
			h.line(first + l)
			first = indent
		}
	}
}
