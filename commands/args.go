package commands

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// commandLine is the typed command line, in the order that the parser expects.
type commandLine struct {
	args       []string     // the program's name, global flags, the command, its flags, --, names
	command    *cli.Command // nil if none was typed
	help       bool
	version    bool
	translated bool // translated from a line of Elastic's connector service, see service_line.go
	uvloop     bool
}

// arrange reorders the arguments: the parser stops at the first argument that is not a flag, but people write
// flags anywhere. An argument after -- is never a flag. An unknown flag is an error here, before it could be
// taken for a name.
func arrange(app *cli.App, args []string) (commandLine, error) {
	a := arranger{app: app}
	if err := a.read(args); err != nil {
		return commandLine{}, err
	}
	if !a.help && !a.version {
		if err := a.translate(); err != nil {
			return commandLine{}, err
		}
	}
	line := commandLine{command: a.command, help: a.help, version: a.version, translated: a.translated, uvloop: a.uvloop}
	if a.help || a.version {
		return line, nil
	}
	if a.command == nil {
		if len(a.flags) > 0 {
			return line, &usage.Error{
				Problem: "no command given",
				Hint:    "one of " + strings.Join(commandNames(app.Commands), ", ") + "; see " + program.Name + " --help",
			}
		}
		return line, nil
	}
	if len(a.command.Subcommands) > 0 { // the subcommand is missing
		return line, nil
	}
	var global, local []string
	for _, f := range a.flags {
		known, to := findFlag(app.Flags, f.name), &global
		if known == nil {
			known, to = findFlag(a.command.Flags, f.name), &local
		}
		if known == nil {
			return line, a.unknown(f)
		}
		if err := f.check(known); err != nil {
			return line, err
		}
		*to = append(*to, f.args...)
	}
	line.args = slices.Concat([]string{app.Name}, global, strings.Fields(fullName(app, a.command)), local, []string{"--"}, a.names)
	return line, nil
}

// arranger sorts arguments.
type arranger struct {
	app           *cli.App
	command       *cli.Command
	flags         []typedFlag
	names         []string
	help, version bool

	acted, uvloop bool     // flags of Elastic's connector service, see service_line.go
	actions       []string // the values of --action
	translated    bool     // the command was translated, not typed
}

// typedFlag is a flag from the command line, with its value.
type typedFlag struct {
	name  string
	args  []string
	value string
	given bool // with a value; a switch needs none
}

// check refuses a value that is not of the type of the flag. The parser's own error names neither the type nor the
// flag as it was typed.
func (t *typedFlag) check(f cli.Flag) error {
	if !t.given {
		return nil
	}
	var err error
	want := "is not a whole number"
	switch f.(type) {
	case *cli.DurationFlag:
		_, err = time.ParseDuration(t.value)
		want = "is not a duration such as 90s or 5m"
	case *cli.IntFlag:
		_, err = strconv.ParseInt(t.value, 0, strconv.IntSize)
	case *cli.Int64Flag:
		_, err = strconv.ParseInt(t.value, 0, 64)
	case *cli.BoolFlag:
		_, err = strconv.ParseBool(t.value)
		want = "is neither true nor false"
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, strconv.ErrRange):
		want = "is out of range"
	}
	return &usage.Error{Problem: fmt.Sprintf("%s %s %s", dashed(t.name), term.Quoted(t.value), want)}
}

func (a *arranger) read(args []string) error {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			for _, name := range args[i+1:] {
				if err := a.word(name); err != nil {
					return err
				}
			}
			return nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			if err := a.word(arg); err != nil {
				return err
			}
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		switch name {
		case "help", "h":
			a.help = true
			continue
		case "version":
			a.version = true
			continue
		case "uvloop":
			a.uvloop = true
			continue
		case "action":
			var err error
			if i, err = a.action(args, i); err != nil {
				return err
			}
			continue
		}
		f := typedFlag{name: name, args: []string{arg}, value: value, given: hasValue}
		if !hasValue && a.takesValue(name) {
			if i++; i == len(args) {
				return &usage.Error{Problem: fmt.Sprintf("%s needs a value", dashed(name))}
			}
			f.args, f.value, f.given = append(f.args, args[i]), args[i], true
		}
		a.flags = append(a.flags, f)
	}
	return nil
}

// word takes the command, or its two words; further words are names.
func (a *arranger) word(word string) error {
	among := a.app.Commands
	switch {
	case a.command != nil && len(a.command.Subcommands) == 0:
		a.names = append(a.names, word)
		return nil
	case word == "help" && !a.help:
		a.help = true
		return nil
	case a.command != nil:
		among = a.command.Subcommands
	}
	at := slices.IndexFunc(among, func(c *cli.Command) bool { return c.Name == word && !c.Hidden })
	if at >= 0 {
		a.command = among[at]
		return nil
	}
	names := commandNames(among)
	e := &usage.Error{Problem: fmt.Sprintf("unknown command %s", term.Quoted(word)), Hint: "one of " + strings.Join(names, ", ") + "; see " + program.Name + " --help"}
	if a.command != nil {
		e.Problem = fmt.Sprintf("%s has no command %s", a.command.Name, term.Quoted(word))
		e.Hint = "one of " + strings.Join(names, ", ")
	}
	if near := field.Nearest(word, names); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", near)
	}
	return e
}

// takesValue reports whether any command has a flag with that name that needs a value. A name means the same
// in all commands, so the command need not be known yet.
func (a *arranger) takesValue(name string) bool {
	f := findFlag(a.app.Flags, name)
	for _, c := range leaves(a.app.Commands) {
		if f == nil {
			f = findFlag(c.Flags, name)
		}
	}
	if f == nil {
		return false
	}
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

func (a *arranger) unknown(f typedFlag) error {
	own := fullName(a.app, a.command)
	e := &usage.Error{Problem: fmt.Sprintf("%s has no flag %s", own, term.Plain(dashed(f.name)))}
	var known, others []string
	for _, flag := range slices.Concat(a.command.Flags, a.app.Flags) {
		known = append(known, flag.Names()...)
	}
	for _, c := range leaves(a.app.Commands) {
		if findFlag(c.Flags, f.name) != nil && !c.Hidden {
			others = append(others, fullName(a.app, c))
		}
	}
	switch near := field.Nearest(f.name, known); {
	case len(others) == 1:
		e.Hint = others[0] + " has it"
	case len(others) > 1:
		e.Hint = strings.Join(others[:len(others)-1], ", ") + " and " + others[len(others)-1] + " have it"
	case near != "":
		e.Hint = fmt.Sprintf("did you mean %s?", dashed(near))
	default:
		e.Hint = fmt.Sprintf("see %s %s --help", program.Name, own)
	}
	return e
}

// leaves are the commands that run something: a group is replaced by its subcommands.
func leaves(commands []*cli.Command) []*cli.Command {
	var out []*cli.Command
	for _, c := range commands {
		if len(c.Subcommands) > 0 {
			out = append(out, leaves(c.Subcommands)...)
		} else {
			out = append(out, c)
		}
	}
	return out
}

// fullName is the full name of a command, such as "job start".
func fullName(app *cli.App, command *cli.Command) string {
	for _, group := range app.Commands {
		if slices.Contains(group.Subcommands, command) {
			return group.Name + " " + command.Name
		}
	}
	return command.Name
}

func findFlag(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func commandNames(commands []*cli.Command) []string {
	var names []string
	for _, c := range commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// debugging checks the unparsed arguments for --debug, because a crash may happen before flags are parsed.
func debugging(args []string) bool {
	for i, arg := range args {
		if arg == "--debug" || arg == "--log-level=DEBUG" || arg == "--log-level" && i+1 < len(args) && args[i+1] == "DEBUG" {
			return true
		}
	}
	return false
}
