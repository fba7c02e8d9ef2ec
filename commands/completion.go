package commands

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// The scripts are thin: they ask the program, see completeCommand, and quote what it answers.
//
//go:embed completions
var completionScripts embed.FS

// shells are the shells that have a script, and the ends of its name.
func shells() [][2]string {
	return [][2]string{{"bash", "bash"}, {"zsh", "zsh"}, {"fish", "fish"}, {"powershell", "ps1"}}
}

func newCompletion(a *setup.App) *cli.Command {
	var names []string
	for _, s := range shells() {
		names = append(names, s[0])
	}
	return &cli.Command{
		Name:      "completion",
		Usage:     "print the completion script of a shell",
		ArgsUsage: strings.Join(names, "|"),
		Description: "Prints a script that makes the tab key complete commands, flags, their values, files and the names of the connectors " +
			"in the configuration file. Names are read from the file alone; nothing is connected to.",
		UsageText: `# bash, for this session; for all sessions put the line into ~/.bashrc
# source <(elastic-ingest completion bash)
elastic-ingest completion bash

# zsh: write it to a folder in $fpath, under the name _elastic-ingest
elastic-ingest completion zsh

# fish: write it to ~/.config/fish/completions/elastic-ingest.fish
elastic-ingest completion fish

# PowerShell: add it to the file that $PROFILE names
elastic-ingest completion powershell`,
		Action: func(c *cli.Context) error {
			if _, err := readGlobals(c); err != nil {
				return err
			}
			if c.Args().Len() != 1 {
				return &usage.Error{Problem: "completion takes one argument: the name of a shell", Hint: "one of " + strings.Join(names, ", ")}
			}
			name := c.Args().First()
			at := slices.Index(names, name)
			if at < 0 {
				e := &usage.Error{Problem: fmt.Sprintf("there is no completion for %s", term.Quoted(name)), Hint: "one of " + strings.Join(names, ", ")}
				if near := field.Nearest(name, names); near != "" {
					e.Hint = fmt.Sprintf("did you mean %s?", near)
				}
				return e
			}
			script, err := completionScripts.ReadFile("completions/" + program.Name + "." + shells()[at][1])
			if err != nil {
				return err
			}
			return a.WriteOut(string(script))
		},
	}
}
