package commands

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/mirror"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// The command line of the connector service that this program stands in for: --action instead of a
// command, and some flags. A line of it is turned into one of ours:
//
//	--action poll, --action poll cleanup    poll, which cleans up as well
//	--action cleanup                        the clean-up of poll alone
//	--action list                           list sources
//	none of them, but flags of that program poll: that is what they meant there
//
// --uvloop chose how that program waited for the network; it is accepted and means nothing.

// cleanupCommand does the work of --action cleanup. It is no command of people's.
const cleanupCommand = "cleanup"

// seedFlags are the flags that stand in a line of that program. Their presence alone, without a command,
// makes a line one of it.
func seedFlags() []string { return []string{"config-file", "c", "log-level", "debug", "filebeat"} }

// successors says what does here the work of actions of later versions of that program.
func successors() map[string]string {
	const poll = program.Name + " poll does it, with all else that is due"
	return map[string]string{
		"schedule": poll, "sync_content": poll, "sync_access_control": poll, "execute": poll,
		"config": program.Name + " connector create --service-type TYPE publishes the fields of a type, and " + program.Name + " connector show prints them",
	}
}

// translate turns a line without a command into one with it, where it is one of that program.
func (a *arranger) translate() error {
	theirs := func(f typedFlag) bool { return slices.Contains(seedFlags(), f.name) }
	switch {
	case a.command != nil && a.acted:
		return &usage.Error{Problem: "--action and the command " + a.command.Name + " exclude each other", Hint: "--action stands in place of a command"}
	case a.command != nil && a.uvloop:
		return a.unknown(typedFlag{name: "uvloop"})
	case a.command != nil:
		return nil
	case !a.acted && !a.uvloop && len(a.flags) == 0: // nothing was typed at all
		return nil
	case !a.acted && slices.ContainsFunc(a.flags, func(f typedFlag) bool { return !theirs(f) }): // a command was forgotten
		return nil
	}
	command, err := commandOf(a.actions)
	if err != nil {
		return err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(a.flags, func(f typedFlag) bool { return f.name == name })
	}
	if has("log-level") && has("debug") {
		return &usage.Error{Problem: "--log-level and --debug exclude each other"}
	}
	a.seed = true
	if command == "list" {
		a.names = append(a.names, records.Sources)
	}
	a.command = a.app.Command(command)
	return nil
}

// commandOf is the command that does what actions ask for.
func commandOf(actions []string) (string, error) {
	for _, action := range actions {
		if hint, later := successors()[action]; later {
			return "", &usage.Error{Problem: fmt.Sprintf("--action %s: there is no such action", action), Hint: hint}
		}
		if !slices.Contains([]string{"poll", "list", "cleanup"}, action) {
			return "", &usage.Error{Problem: fmt.Sprintf("--action %s is not one of poll, list, cleanup", term.Quoted(action))}
		}
	}
	lists := slices.Contains(actions, "list")
	switch {
	case lists && slices.ContainsFunc(actions, func(action string) bool { return action != "list" }):
		return "", &usage.Error{Problem: "--action list and other actions exclude each other"}
	case lists:
		return "list", nil
	case len(actions) == 0 || slices.Contains(actions, "poll"):
		return "poll", nil
	}
	return cleanupCommand, nil
}

// action takes the words of --action, of which there may be several; i is where the flag stands, and
// what is returned is where its last word does.
func (a *arranger) action(args []string, i int) (last int, err error) {
	a.acted = true
	words := len(a.actions)
	if _, value, ok := strings.Cut(args[i], "="); ok {
		a.actions = append(a.actions, value)
	}
	for ; i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"); i++ {
		a.actions = append(a.actions, args[i+1])
	}
	if len(a.actions) == words {
		return i, &usage.Error{Problem: "--action needs a value", Hint: "poll, list or cleanup"}
	}
	return i, nil
}

// newCleanup is the command behind --action cleanup.
func newCleanup(cut context.Context, a *setup.App) *cli.Command {
	return &cli.Command{
		Name: cleanupCommand, Hidden: true,
		Flags: []cli.Flag{outputFlag("")},
		Action: func(c *cli.Context) error {
			o, err := readPoll(c)
			if err != nil {
				return err
			}
			return ended(mirror.Poll(c.Context, cut, a, o, (*protocol.Poller).Cleanup))
		},
	}
}

// tellSeed tells in the log what of a line of that program has no effect.
func tellSeed(a *setup.App, line *commandLine, args []string) {
	if !line.uvloop || !debugging(args) {
		return
	}
	format := logs.Text
	if slices.Contains(args, "--filebeat") {
		format = logs.ECS
	}
	logs.New(a.Streams.Err, format, slog.LevelDebug).Debug("the flag has no effect here", "flag", "--uvloop")
}
