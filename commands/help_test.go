package commands

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// flagTable is the contract of the command line: the flags of each command.
var flagTable = map[string]string{
	"config-file": "all", "log-level": "all", "debug": "all", "filebeat": "all", "log-format": "all",
	"color": "all", "progress": "all", "quiet": "all", "help": "all", "version": "all",
	"output": "sync, diff, check, poll, list, version, job start, job list, job view, job cancel, connector create, connector show, connector configure",
	"limit":  "sync, diff, list, job list", "fields": "sync, diff", "all-documents": "sync, diff",
	"all": "sync, diff, check", "show-config": "check", "dry-run": "sync", "compare": "sync, diff", "part": "sync, diff", "max-deletes": "sync, diff, poll",
	"type": "sync, diff, job start", "once": "poll",
	"confirm-deletes": "sync", "allow-empty": "sync", "adopt": "sync", "create-pipeline": "sync", "dead-letter": "sync", "deleted-to": "sync", "max-duration": "sync, poll", "replay": "sync",
	"exit-zero": "diff", "save": "diff", "recheck": "diff", "plan": "sync", "rebuild": "sync",
	"no-delete": "sync, diff", "wait-refresh": "sync, poll", "lock-wait": "sync, poll", "jitter": "sync, poll", "ping-url": "sync, poll", "metrics-textfile": "sync, poll",

	"service-type": "connector create, init", "non-interactive": "init", "index-name": "connector create", "language": "connector create", "native": "connector create",
	"id": "connector create", "store-secrets": "connector create", "from-file": "connector create, connector configure",
	"name": "connector create, connector configure", "pipeline": "connector configure", "schedule": "connector configure",
	"set": "connector configure", "set-file": "connector configure", "unset": "connector configure",
	"yes": "connector delete", "force": "connector delete, init",
}

var shortFlags = map[string]string{"config-file": "c", "quiet": "q", "output": "o", "help": "h"}

func runApp(t *testing.T, width int, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	s, out, errs := term.TestStreams(width, nil)
	a := &setup.App{Streams: s, Registry: testRegistry(), Now: stopped, OwnTime: true}
	code = Run(t.Context(), t.Context(), a, args)
	return code, out.String(), errs.String()
}

func TestFlagsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	flag := regexp.MustCompile(`(?m)^  (?:-(\w), |    )?--([a-z-]+)`)
	app := newCLI(t.Context(), testApp(t))
	_, global, _ := runApp(t, 0, "--help")
	for _, c := range leaves(app.Commands) {
		if c.Hidden {
			continue
		}
		command := fullName(app, c)
		_, own, _ := runApp(t, 0, append(strings.Fields(command), "--help")...)
		text := own + global
		got, want := map[string]string{}, map[string]string{}
		for _, m := range flag.FindAllStringSubmatch(text, -1) {
			got[m[2]] = m[1]
		}
		for name, where := range flagTable {
			if where == "all" || slices.Contains(strings.Split(where, ", "), command) {
				want[name] = shortFlags[name]
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s --help differs from the table (-table +help):\n%s", command, d)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	app := newCLI(t.Context(), testApp(t))
	commands := []string{"", "connector", "job"}
	for _, c := range leaves(app.Commands) {
		if !c.Hidden {
			commands = append(commands, fullName(app, c))
		}
	}
	for _, command := range commands {
		for _, width := range []int{0, 40, 200} {
			args, name := []string{"--help"}, "program"
			if command != "" {
				args, name = append(strings.Fields(command), "--help"), strings.ReplaceAll(command, " ", "_")
			}
			switch width {
			case 40:
				name += "_narrow"
			case 200:
				name += "_wide"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				code, out, errs := runApp(t, width, args...)
				if code != ExitOK || errs != "" {
					t.Errorf("exit %d, stderr %q", code, errs)
				}
				golden.Compare(t, filepath.Join("testdata", "help", strings.TrimSuffix(name, "_wide")+".txt"), out)
				limit := helpWidth
				if width == 40 {
					limit = width
				}
				for line := range strings.Lines(out) {
					// On an extremely narrow terminal, examples and names of flags are not broken.
					toCopy := strings.Contains(line, program.Name) || strings.HasPrefix(line, "  #") || strings.HasPrefix(line, "    --")
					if term.Columns(strings.TrimRight(line, "\n")) > limit && (limit == helpWidth || !toCopy) {
						t.Errorf("wider than %d: %q", limit, line)
					}
				}
			})
		}
	}
}

// TestPlaceholdersAreNames: the placeholder of a flag's value is a name, not a part of its sentence.
func TestPlaceholdersAreNames(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile("^`[A-Z]+(=[A-Z]+)?`: [^`]+$")
	app := newCLI(t.Context(), testApp(t))
	flags := map[string][]cli.Flag{"every command": app.Flags}
	for _, c := range leaves(app.Commands) {
		if !c.Hidden {
			flags[fullName(app, c)] = c.Flags
		}
	}
	for command, all := range flags {
		for _, f := range all {
			d, ok := f.(cli.DocGenerationFlag)
			if !ok {
				t.Fatalf("%s: --%s has no documentation", command, f.Names()[0])
			}
			if usage := d.GetUsage(); d.TakesValue() != named.MatchString(usage) || !d.TakesValue() && strings.Contains(usage, "`") {
				t.Errorf("%s: --%s: %q", command, f.Names()[0], usage)
			}
		}
	}
}

// TestHelpListsExitCodes: the help of sync, diff and poll lists each of their exit codes, except 141, which
// shells report for any program whose reader is gone.
func TestHelpListsExitCodes(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`(?m)^  (\d+)(?:, (\d+))? `)
	for command, lacks := range map[string][]int{"sync": {ExitPipe}, "diff": {ExitPipe, ExitUnfinished}, "poll": {ExitPipe, ExitDiffers}} {
		_, text, _ := runApp(t, 0, command, "--help")
		_, text, _ = strings.Cut(text, "Exit codes:\n")
		var got []int
		for _, m := range code.FindAllStringSubmatch(text, -1) {
			for _, word := range m[1:] {
				if n, err := strconv.Atoi(word); err == nil {
					got = append(got, n)
				}
			}
		}
		want := slices.DeleteFunc(slices.Clone(worstFirst[:]), func(n int) bool { return slices.Contains(lacks, n) })
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-code +help):\n%s", command, d)
		}
	}
}

// exampleFiles are the files that the examples of the help texts name.
func exampleFiles() map[string]string {
	config := "elasticsearch.host: embedded:%DATA%\nconnectors:\n" +
		"  - {name: docs, service_type: scripted, index_name: search-docs, configuration: {script: script.json}}\n"
	return map[string]string{
		"config.yml":      strings.ReplaceAll(config, "%DATA%", "./data"),
		"etc/mirror.yml":  strings.ReplaceAll(config, "%DATA%", "../data"),
		"script.json":     `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`,
		"etc/script.json": `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`,
		"dead.ndjson":     `{"schema":1,"connector":"docs","index":"search-docs","id":"2","kind":"create","document":{"id":"2"}}` + "\n",
		"values.json":     `{"directory": "."}`,
		"password.txt":    "secret\n",
	}
}

// TestExamplesRun runs every example of the help texts in a folder with the files that they name.
func TestExamplesRun(t *testing.T) {
	t.Parallel()
	ran := 0
	for _, command := range leaves(newCLI(t.Context(), testApp(t)).Commands) {
		for line := range strings.Lines(strings.ReplaceAll(command.UsageText, "\\\n", "")) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			ran++
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				dir, files := t.TempDir(), exampleFiles()
				if strings.Contains(line, " poll") || strings.Contains(line, "kibana") || strings.Contains(line, " job ") {
					files["config.yml"] += "  - {connector_id: kibana, service_type: scripted}\n"
					putConnector(t, filepath.Join(dir, "data"), "kibana", `{"service_type": "scripted", "status": "configured", "index_name": "search-kibana"}`)
				}
				if strings.Contains(line, "nightly") {
					if err := ask(filepath.Join(dir, "data"), http.MethodPut, "/"+protocol.JobsIndex+"/_doc/nightly", `{"connector": {"id": "kibana"}, "status": "pending"}`); err != nil {
						t.Fatal(err)
					}
				}
				for _, name := range slices.Sorted(maps.Keys(files)) {
					writeFile(t, filepath.Join(dir, name), files[name])
				}
				if strings.Contains(line, "--replay") || strings.Contains(line, "list documents") { // an existing index
					if out, err := programIn(t, dir, "sync").CombinedOutput(); err != nil {
						t.Fatalf("%v\n%s", err, out)
					}
				}
				if strings.Contains(line, "--plan") || strings.Contains(line, "--recheck") { // with a plan
					if out, err := programIn(t, dir, "diff", "--exit-zero", "--save", "docs.plan").CombinedOutput(); err != nil {
						t.Fatalf("%v\n%s", err, out)
					}
				}
				c := programIn(t, dir, shellWords(t, line)[1:]...)
				out, err := c.CombinedOutput()
				if code := c.ProcessState.ExitCode(); code != ExitOK && code != ExitDiffers {
					t.Errorf("exit %d (%v):\n%s", code, err, out)
				}
			})
		}
	}
	if ran < 20 {
		t.Errorf("only %d examples were found", ran)
	}
}

// shellWords splits a line as a shell does, including quotes.
func shellWords(t *testing.T, line string) (words []string) {
	t.Helper()
	quote, word, within := rune(0), "", false
	for _, r := range line {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, within = r, true
		case quote == 0 && r == ' ':
			if within {
				words = append(words, word)
			}
			word, within = "", false
		default:
			word, within = word+string(r), true
		}
	}
	if quote != 0 {
		t.Fatalf("a quote is not closed: %s", line)
	}
	if within {
		words = append(words, word)
	}
	return words
}

// putConnector writes the record of a connector into an embedded destination, as Kibana would.
func putConnector(t *testing.T, dir, id, record string) {
	t.Helper()
	if err := makeRecordIndices(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := ask(dir, http.MethodPut, "/"+protocol.ConnectorsIndex+"/_doc/"+id, record); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
