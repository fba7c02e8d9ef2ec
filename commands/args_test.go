package commands

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
)

func testApp(t *testing.T) *setup.App {
	t.Helper()
	s, _, _ := term.TestStreams(0, nil)
	return &setup.App{Streams: s, Registry: testRegistry(), Now: stopped, OwnTime: true}
}

// arranged is a command line that must be accepted.
func arranged(t *testing.T, text string) commandLine {
	t.Helper()
	line, err := arrange(newCLI(t.Context(), testApp(t)), strings.Fields(text))
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestArrange(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, line, want string }{
		{"already in the parser's order", "-c f sync --all -- a", "-c f sync --all -- a"},
		{"global flags after the command", "sync -c f --debug", "-c f --debug sync --"},
		{"flags of the command before it", "--limit 3 -o json diff", "diff --limit 3 -o json --"},
		{"flags after names", "sync a b --limit 3 c -q", "-q sync --limit 3 -- a b c"},
		{"values with an equals sign", "sync a --limit=3 --fields=false", "sync --limit=3 --fields=false -- a"},
		{"one dash or two", "sync -limit 3 --o json", "sync -limit 3 --o json --"},
		{"a value that looks like a flag", "sync --part -x a", "sync --part -x -- a"},
		{"a value that is a command's name", "--log-level diff sync", "--log-level diff sync --"},
		{"-- ends flags", "sync a -- -q --limit", "sync -- a -q --limit"},
		{"-- before the command", "-q -- sync --all", "-q sync -- --all"},
		{"a single dash is a name", "sync -", "sync -- -"},
		{"a command of two words", "connector show a", "connector show -- a"},
		{"flags between its words and after names", "-q connector -o json show a -c f", "-q -c f connector show -o json -- a"},
		{"a name that is a command's word", "connector show show", "connector show -- show"},
		{"a value that is its second word", "job --output list list", "job list --output list --"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			line := arranged(t, tt.line)
			if d := cmp.Diff(program.Name+" "+tt.want, strings.Join(line.args, " ")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestArrangeAsksForHelp(t *testing.T) {
	t.Parallel()
	for line, command := range map[string]string{
		"--help": "", "-h": "", "help": "", "sync --help": "sync", "--help sync": "sync", "help diff": "diff", "diff a -q -h": "diff",
		"connector -h": "connector", "job start --help": "start", "help job list": "list", "--debug --help": "", "--uvloop -h": "",
	} {
		got := arranged(t, line)
		name := ""
		if got.command != nil {
			name = got.command.Name
		}
		if !got.help || name != command {
			t.Errorf("%s: help %v for %q, want it for %q", line, got.help, name, command)
		}
	}
}

func TestArrangeRefuses(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"sync --nonsense":    "sync has no flag --nonsense",
		"sync a --late":      "sync has no flag --late",
		"sync --exit-zero":   "sync has no flag --exit-zero",
		"snyc":               `unknown command "snyc"`,
		"\x1b[2J":            `unknown command "\x1b[2J"`,
		"sync --limit":       "--limit needs a value",
		"-c":                 "-c needs a value",
		"--all":              "no command given",
		"list --all":         "list has no flag --all",
		"sync --\x1b[2J":     `sync has no flag --\x1b[2J`,
		"version --limit=12": "version has no flag --limit",
		"job run":            `job has no command "run"`,
		"job start --yes":    "job start has no flag --yes",
		"cleanup":            `unknown command "cleanup"`,
	} {
		_, err := arrange(newCLI(t.Context(), testApp(t)), strings.Fields(line))
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", line, err, want)
		}
	}
}

// TestValuesOfTheWrongTypeAreRefused for every flag that has a duration, a number or true and false.
func TestValuesOfTheWrongTypeAreRefused(t *testing.T) {
	t.Parallel()
	const long, whole, truth = "is not a duration such as 90s or 5m", "is not a whole number", "is neither true nor false"
	for line, want := range map[string]string{
		"sync --jitter 3":                                "--jitter \"3\" " + long,
		"sync --lock-wait 5":                             "--lock-wait \"5\" " + long,
		"sync --max-duration=soon":                       "--max-duration \"soon\" " + long,
		"poll --once --jitter 1.5":                       "--jitter \"1.5\" " + long,
		"poll --once -lock-wait 10":                      "--lock-wait \"10\" " + long,
		"poll --once --max-duration 1h30":                "--max-duration \"1h30\" " + long,
		"sync --jitter \x1b[2J":                          "--jitter \"\\x1b[2J\" " + long,
		"sync --jitter 3000000h":                         "--jitter \"3000000h\" " + long,
		"sync --limit x":                                 "--limit \"x\" " + whole,
		"diff --limit=2.5":                               "--limit \"2.5\" " + whole,
		"list jobs --limit ten":                          "--limit \"ten\" " + whole,
		"job list --limit 1,000":                         "--limit \"1,000\" " + whole,
		"sync --confirm-deletes all":                     "--confirm-deletes \"all\" " + whole,
		"sync --confirm-deletes 99999999999999999999999": "--confirm-deletes \"99999999999999999999999\" is out of range",
		"diff --limit 99999999999999999999999":           "--limit \"99999999999999999999999\" is out of range",
		"sync --all=yes":                                 "--all \"yes\" " + truth,
		"sync -q=1s":                                     "-q \"1s\" " + truth,
		"diff --fields=":                                 "--fields \"\" " + truth,
	} {
		code, stderr := runLine(t, strings.Fields(line)...)
		if wanted := "elastic-ingest: error: " + want + "\n"; code != ExitUsage || stderr != wanted {
			t.Errorf("%q: exit %d: %swant %s", line, code, stderr, wanted)
		}
	}
}

// TestEveryTypeOfFlagIsChecked: a flag of another type would have the parser's error.
func TestEveryTypeOfFlagIsChecked(t *testing.T) {
	t.Parallel()
	app := newCLI(t.Context(), testApp(t))
	for _, c := range append(leaves(app.Commands), &cli.Command{Flags: app.Flags}) {
		for _, f := range c.Flags {
			one := typedFlag{name: f.Names()[0], value: "x", given: true}
			switch f.(type) {
			case *cli.StringFlag, *cli.StringSliceFlag:
			default:
				if one.check(f) == nil {
					t.Errorf("%s %s: %T is not checked", c.Name, dashed(one.name), f)
				}
			}
		}
	}
}

// runLine runs a command line and returns its exit code and stderr.
func runLine(t *testing.T, args ...string) (code int, stderr string) {
	t.Helper()
	s, _, errs := term.TestStreams(0, nil)
	a := &setup.App{Streams: s, Registry: testRegistry(), Now: stopped, OwnTime: true}
	return Run(t.Context(), t.Context(), a, args), errs.String()
}

func FuzzArrange(f *testing.F) {
	for _, line := range []string{"sync -c f a --limit 3", "-- sync -- -", "diff --fields=false --help", "--version", "help help", "- -- ---", "connector show a -o json", "job", "--action poll cleanup --debug", "--uvloop"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, " ")
		got, err := arrange(newCLI(t.Context(), testApp(t)), args)
		if err != nil || got.help || got.version || got.args == nil || got.translated {
			return
		}
		// All arguments except the separators come out, and no others.
		in, out := map[string]int{}, map[string]int{}
		for _, a := range args {
			in[a]++
		}
		for _, a := range got.args[1:] {
			out[a]++
		}
		in["--"], out["--"] = 0, 0
		if d := cmp.Diff(in, out); d != "" {
			t.Errorf("%q became %q", args, got.args)
		}
	})
}
