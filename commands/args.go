package commands

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// commandLine is what was typed, in the order in which the parser wants it.
type commandLine struct {
	args    []string // the program's name, flags of all commands, the command, its flags, --, names
	command *cli.Command
	help    bool
	version bool
}

// arrange brings the arguments into that order: the parser stops at the first one that is no flag,
// while people write flags wherever they come to mind. An argument after -- is never a flag, and an
// unknown flag is an error here, before it could be read as a name.
func arrange(app *cli.App, args []string) (commandLine, error) {
	a := arranger{app: app}
	if err := a.read(args); err != nil {
		return commandLine{}, err
	}
	line := commandLine{command: a.command, help: a.help, version: a.version}
	if a.help || a.version {
		return line, nil
	}
	if a.command == nil {
		if len(a.flags) > 0 {
			return line, &usageError{
				problem: "no command is given",
				hint:    "one of " + strings.Join(commandNames(app), ", ") + "; see " + Program + " --help",
			}
		}
		return line, nil
	}
	var global, local []string
	for _, f := range a.flags {
		switch {
		case findFlag(app.Flags, f.name) != nil:
			global = append(global, f.args...)
		case findFlag(a.command.Flags, f.name) != nil:
			local = append(local, f.args...)
		default:
			return line, a.unknown(f)
		}
	}
	line.args = slices.Concat([]string{app.Name}, global, []string{a.command.Name}, local, []string{"--"}, a.names)
	return line, nil
}

// arranger sorts arguments.
type arranger struct {
	app           *cli.App
	command       *cli.Command
	flags         []typedFlag
	names         []string
	help, version bool
}

// typedFlag is a flag as it was typed, with its value.
type typedFlag struct {
	name string
	args []string
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
		name, _, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		switch name {
		case "help", "h":
			a.help = true
			continue
		case "version":
			a.version = true
			continue
		}
		f := typedFlag{name: name, args: []string{arg}}
		if !hasValue && a.takesValue(name) {
			if i++; i == len(args) {
				return &usageError{problem: fmt.Sprintf("%s needs a value", dashed(name))}
			}
			f.args = append(f.args, args[i])
		}
		a.flags = append(a.flags, f)
	}
	return nil
}

// word takes the command, then names.
func (a *arranger) word(word string) error {
	switch {
	case a.command != nil:
		a.names = append(a.names, word)
	case word == "help" && !a.help:
		a.help = true
	default:
		if a.command = a.app.Command(word); a.command == nil {
			e := &usageError{problem: fmt.Sprintf("there is no command %s", quoted(word))}
			if near := field.Nearest(word, commandNames(a.app)); near != "" {
				e.hint = fmt.Sprintf("did you mean %s?", near)
			} else {
				e.hint = "one of " + strings.Join(commandNames(a.app), ", ") + "; see " + Program + " --help"
			}
			return e
		}
	}
	return nil
}

// takesValue reports whether any command has a flag of that name that needs a value. A name means
// the same in all commands, so the command need not be known yet.
func (a *arranger) takesValue(name string) bool {
	f := findFlag(a.app.Flags, name)
	for _, c := range a.app.Commands {
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
	e := &usageError{problem: fmt.Sprintf("%s has no flag %s", a.command.Name, plain(dashed(f.name)))}
	var known, others []string
	for _, flag := range slices.Concat(a.command.Flags, a.app.Flags) {
		known = append(known, flag.Names()...)
	}
	for _, c := range a.app.Commands {
		if findFlag(c.Flags, f.name) != nil {
			others = append(others, c.Name)
		}
	}
	switch near := field.Nearest(f.name, known); {
	case len(others) > 0:
		e.hint = strings.Join(others, " and ") + " has it"
	case near != "":
		e.hint = fmt.Sprintf("did you mean %s?", dashed(near))
	default:
		e.hint = fmt.Sprintf("see %s %s --help", Program, a.command.Name)
	}
	return e
}

func findFlag(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func commandNames(app *cli.App) []string {
	var names []string
	for _, c := range app.Commands {
		names = append(names, c.Name)
	}
	return names
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
