package commands

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
)

func TestServiceLinesAreTranslated(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, line, want string }{
		{"poll", "--action poll", "poll --"},
		{"flags before and after", "-c f --action poll --debug", "-c f --debug poll --"},
		{"with an equals sign", "--action=poll --log-level INFO", "--log-level INFO poll --"},
		{"poll cleans up", "--action poll cleanup", "poll --"},
		{"repeated", "--action cleanup --action poll", "poll --"},
		{"cleanup alone", "--action cleanup --filebeat", "--filebeat cleanup --"},
		{"list is a list of sources", "--action list", "list -- sources"},
		{"flags of this program are kept", "--action poll --once -q -o json", "-q poll --once -o json --"},
		{"--uvloop is ignored", "--action poll --uvloop", "poll --"},
		{"shared flags alone mean poll", "-c f --debug", "-c f --debug poll --"},
		{"so does each of them", "--filebeat", "--filebeat poll --"},
		{"and --uvloop", "--uvloop", "poll --"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			line := arranged(t, tt.line)
			if d := cmp.Diff(program.Name+" "+tt.want, strings.Join(line.args, " ")); d != "" || !line.translated {
				t.Errorf("translated: %v\n%s", line.translated, d)
			}
		})
	}
}

func TestInvalidServiceLinesAreRefused(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"--action":                               "--action needs a value",
		"--action --debug":                       "--action needs a value",
		"--action pol":                           `--action "pol" is not one of poll, list, cleanup`,
		"--action list poll":                     "--action list and other actions exclude each other",
		"--action poll --action list":            "--action list and other actions exclude each other",
		"--action schedule":                      "--action schedule: unknown action",
		"--action sync_content cleanup":          "--action sync_content: unknown action",
		"--action sync_access_control":           "--action sync_access_control: unknown action",
		"--action execute":                       "--action execute: unknown action",
		"--action config":                        "--action config: unknown action",
		"--action poll --debug --log-level INFO": "--log-level and --debug exclude each other",
		"--debug --log-level INFO":               "--log-level and --debug exclude each other",
		"--action poll sync":                     `--action "sync" is not one of poll, list, cleanup`,
		"sync --action poll":                     "--action and the command sync exclude each other",
		"poll --uvloop":                          "poll has no flag --uvloop",
		"--limit 3":                              "no command given",
		"-c f --all":                             "no command given",
		"-q":                                     "no command given",
		"--action poll --all":                    "poll has no flag --all",
	} {
		_, err := arrange(newCLI(t.Context(), testApp(t)), strings.Fields(line))
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", line, err, want)
		}
	}
}
