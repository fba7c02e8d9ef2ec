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

// Elastic's connector service (https://github.com/elastic/connectors) has no commands: its crontab lines and
// container files call it with --action and a few flags. This program understands these lines, called service
// lines here, and translates them:
//
//	--action poll, --action poll cleanup    poll, which cleans up as well
//	--action cleanup                        only the clean-up of poll
//	--action list                           list sources
//	only flags that both programs have      poll, the default action of that service
//
// --uvloop chose the event loop of that service; it is accepted and ignored.

// cleanupCommand does the work of --action cleanup. It is hidden: poll cleans up as well.
const cleanupCommand = "cleanup"

// serviceFlags are the flags that both programs have. A line with only these flags and no command is a service
// line.
func serviceFlags() []string { return []string{"config-file", "c", "log-level", "debug", "filebeat"} }

// successors are the replacements for actions of later versions of that service.
func successors() map[string]string {
	const poll = program.Name + " poll does this, and everything else that is due"
	return map[string]string{
		"schedule": poll, "sync_content": poll, "sync_access_control": poll, "execute": poll,
		"config": program.Name + " connector create --service-type TYPE publishes the fields of a type, and " + program.Name + " connector show prints them",
	}
}

// translate adds the command to a service line.
func (a *arranger) translate() error {
	shared := func(f typedFlag) bool { return slices.Contains(serviceFlags(), f.name) }
	switch {
	case a.command != nil && a.acted:
		return &usage.Error{Problem: "--action and the command " + a.command.Name + " exclude each other", Hint: "--action replaces the command"}
	case a.command != nil && a.uvloop:
		return a.unknown(typedFlag{name: "uvloop"})
	case a.command != nil:
		return nil
	case !a.acted && !a.uvloop && len(a.flags) == 0: // an empty command line
		return nil
	case !a.acted && slices.ContainsFunc(a.flags, func(f typedFlag) bool { return !shared(f) }): // the command is missing
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
	a.translated = true
	if command == "list" {
		a.names = append(a.names, records.Sources)
	}
	a.command = a.app.Command(command)
	return nil
}

// commandOf is the command for the given actions.
func commandOf(actions []string) (string, error) {
	for _, action := range actions {
		if hint, later := successors()[action]; later {
			return "", &usage.Error{Problem: fmt.Sprintf("--action %s: unknown action", action), Hint: hint}
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

// action takes the values of --action, of which there may be several; i is the index of the flag, and last is
// the index of its last value.
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

// newCleanup is the command for --action cleanup.
func newCleanup(cut context.Context, a *setup.App) *cli.Command {
	return &cli.Command{
		Name: cleanupCommand, Hidden: true,
		Flags: []cli.Flag{outputFlag("")},
		Action: func(c *cli.Context) error {
			o, err := readPoll(c)
			if err != nil {
				return err
			}
			o.Daily = false // it does not find out whether a connector works
			return ended(mirror.Poll(c.Context, cut, a, o, (*protocol.Poller).Cleanup))
		},
	}
}

// logIgnoredFlag logs a flag of a service line that has no effect.
func logIgnoredFlag(a *setup.App, line *commandLine, args []string) {
	if !line.uvloop || !debugging(args) {
		return
	}
	format := logs.Text
	if slices.Contains(args, "--filebeat") {
		format = logs.ECS
	}
	logs.New(a.Streams.Err, format, slog.LevelDebug).Debug("the flag has no effect here", "flag", "--uvloop")
}
