package commands

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
)

// completionConfig is a configuration whose names are meant to break a shell, and whose secrets cannot be fetched.
const completionConfig = `
elasticsearch:
  host: http://127.0.0.1:1
  api_key: ${NOT_SET}
  password_command: [touch, ran]
connectors:
  - {name: docs, service_type: dir}
  - {name: "$(touch executed)", service_type: dir}
  - {name: "two words", service_type: dir}
  - {name: "it's \"quoted\"", service_type: dir}
  - {name: "back` + "`touch executed`" + `tick;touch executed", service_type: dir}
  - {name: "a:b=c", service_type: dir}
  - {name: "line\nbreak", service_type: dir}
  - {name: "\u202eevil", service_type: dir}
  - {name: "-flag", service_type: dir}
  - {name: "${VARIABLE}", service_type: dir}
  - {connector_id: 9Kx3vI0B, service_type: postgresql}
`

// hostileNames are the names in it that can be completed; $ begins a variable, which completion does not look up.
var hostileNames = []string{"docs", "two words", `it's "quoted"`, "back`touch executed`tick;touch executed", "a:b=c", "9Kx3vI0B"}

// completed returns the words and the kind that are printed for a line.
func completed(t *testing.T, words ...string) (kind string, found []string) {
	t.Helper()
	code, out, errs := runApp(t, 0, append([]string{completeCommand}, words...)...)
	if code != ExitOK || errs != "" {
		t.Errorf("%q: exit %d, stderr %q", words, code, errs)
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for _, line := range lines[1:] {
		word, _, _ := strings.Cut(line, "\t")
		found = append(found, word)
	}
	return lines[0], found
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "c.yml")
	writeFile(t, file, completionConfig)
	for line, want := range map[string]string{
		".d":                          "words diff",
		"diff -c FILE .":              "words " + strings.Join(hostileNames, "|"),
		"diff --config-file=FILE .do": "words docs",
		"-c FILE connector show .9":   "words 9Kx3vI0B",
		"-c FILE sync docs .do":       "words docs",
		"-c FILE sync -- .do":         "words docs",
		"-c FILE sync -- .--al":       "words ",
		"-c FILE job list .do":        "words docs",
		"-c FILE job view .":          "words ",
		"-c FILE list jobs .do":       "words docs",
		"list .":                      "words sources|connectors|jobs|indices|documents",
		"sync .--al":                  "words --all|--all-documents|--allow-empty",
		"sync --type .":               "words full|incremental|deletion|access_control",
		"sync .--type=f":              "words --type=full",
		"sync -o .":                   "words text|json|ndjson|junit|markdown|html",
		"sync --max-deletes .":        "words ",
		"sync --dead-letter .":        "files ",
		"sync .--dead-letter=x":       "files ",
		".-c=x":                       "files ",
		"connector configure a --set-file .password=x": "files ",
		"connector create --service-type .postgres":    "words postgresql",
		"schema .my":             "words mysql",
		"connector .s":           "words show",
		"help connector .s":      "words show",
		"nothing .":              "words ",
		"sync -c /nonexistent .": "words ",
		"":                       "words ",
		"completion bash .":      "words ",
		"completion .":           "words bash|zsh|fish|powershell",
	} {
		kind, found := completed(t, strings.Fields(strings.ReplaceAll(line, "FILE", file))...)
		if got := kind + " " + strings.Join(found, "|"); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// TestCompletedValuesAreThoseAccepted gives each flag of each command a wrong value: what the error lists is what
// is completed.
func TestCompletedValuesAreThoseAccepted(t *testing.T) {
	t.Parallel()
	checked := 0
	app := newCLI(t.Context(), testApp(t))
	for _, c := range leaves(app.Commands) {
		if c.Hidden {
			continue
		}
		command := strings.Fields(fullName(app, c))
		for _, f := range slices.Concat(c.Flags, app.Flags) {
			flag := f.Names()[0]
			if !(&arranger{app: app}).takesValue(flag) || flag == "service-type" {
				continue
			}
			_, found := completed(t, append(slices.Clone(command), "--"+flag, ".")...)
			args := append(slices.Clone(command), "--"+flag, "zebra", "-c", filepath.Join(t.TempDir(), "none.yml"))
			if words := strings.Fields(c.ArgsUsage); len(words) > 0 && !strings.HasPrefix(words[0], "[") {
				args = append(args, "x")
			}
			_, _, errs := runApp(t, 0, args...)
			_, listed, _ := strings.Cut(errs, "is not one of ")
			listed, _, _ = strings.Cut(listed, "\n")
			if got := strings.Join(found, ", "); got != listed {
				t.Errorf("%s --%s completes %q, but accepts %q", command, flag, got, listed)
			}
			if listed != "" {
				checked++
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d flags with listed values were found", checked)
	}
}

// TestCompletionOnlyReadsTheFile: it runs no command of the file, and a broken file yields nothing.
func TestCompletionOnlyReadsTheFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"secrets": completionConfig, "broken": "connectors: [{name: docs", "empty": "", "scalar": "7", "list": "connectors: 5"} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "config.yml"), text)
		c := programIn(t, dir, completeCommand, "sync", ".do")
		out, err := c.CombinedOutput()
		want := "words\n"
		if name == "secrets" {
			want = "words\ndocs\tdir\n"
		}
		if err != nil || string(out) != want {
			t.Errorf("%s: %v, %q", name, err, out)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
			t.Errorf("%s: files %q, %v", name, left, err)
		}
	}
}

// completionFolder has a configuration with hostile names and the script of a shell.
func completionFolder(t *testing.T, shell string) (dir, script string) {
	t.Helper()
	if _, err := exec.LookPath(shell); err != nil {
		t.Skipf("%s is not installed", shell)
	}
	dir = t.TempDir()
	writeFile(t, filepath.Join(dir, "config.yml"), completionConfig)
	writeFile(t, filepath.Join(dir, "dead letters.ndjson"), "")
	script = filepath.Join(t.TempDir(), "script")
	_, text, _ := runApp(t, 0, "completion", shell)
	writeFile(t, script, text)
	return dir, script
}

// nothingRan checks that no name was run as a command.
func nothingRan(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"executed", "ran"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s exists (%v): a name was run as a command", name, err)
		}
	}
}

// TestBashCompletion completes lines in bash. A completed name is then passed to a command by bash itself, which
// must receive it unchanged.
func TestBashCompletion(t *testing.T) {
	t.Parallel()
	dir, script := completionFolder(t, "bash")
	harness := `
source ` + script + `
completed() {
    COMP_LINE=$1 COMP_POINT=${#1}
    local IFS=$' \t\n' line=$1
    read -r -a COMP_WORDS <<<"${line//[=:]/ & }"
    [[ $line == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _elastic_ingest ` + program.Name + `
    local reply
    for reply in "${COMPREPLY[@]}"; do
        eval "printf '%s|' $reply"
    done
    echo
}
while IFS= read -r line; do completed "$line"; done
`
	lines := map[string]string{
		"elastic-ingest dif":                        "diff|",
		"elastic-ingest sync ":                      strings.Join(hostileNames, "|") + "|",
		"elastic-ingest sync two":                   "two words|",
		"elastic-ingest sync --type=inc":            "incremental|",
		"elastic-ingest sync --type=":               "full|incremental|deletion|access_control|",
		"elastic-ingest sync --type inc":            "incremental|",
		"elastic-ingest sync a:":                    "b=c|",
		"elastic-ingest sync a:b=":                  "c|",
		"elastic-ingest sync -c=config.yml do":      "docs|",
		"elastic-ingest sync --dead-letter conf":    "config.yml|",
		"elastic-ingest sync --dead-letter=conf":    "config.yml|",
		"elastic-ingest nonsense ":                  "",
		"elastic-ingest sync --zebra":               "",
		"elastic-ingest connector configure --set-": "--set-file|",
	}
	var input []string
	for line := range lines {
		input = append(input, line)
	}
	c := programIn(t, dir)
	c.Args, c.Path = []string{"bash", "--norc", "-c", harness}, mustFind(t, "bash")
	c.Stdin = strings.NewReader(strings.Join(input, "\n") + "\n")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := map[string]string{}
	for i, line := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		if i < len(input) {
			got[input[i]] = line
		} else {
			t.Errorf("unexpected line %q", line)
		}
	}
	if d := cmp.Diff(lines, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	nothingRan(t, dir)
}

func mustFind(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFishCompletion completes lines in fish.
func TestFishCompletion(t *testing.T) {
	t.Parallel()
	dir, script := completionFolder(t, "fish")
	for line, want := range map[string]string{
		"elastic-ingest dif":                         "diff",
		"elastic-ingest sync ":                       strings.Join(hostileNames, "|"),
		"elastic-ingest sync tw":                     "two words",
		"elastic-ingest sync --type=inc":             "--type=incremental",
		"elastic-ingest sync --type inc":             "incremental",
		"elastic-ingest sync -c config.yml do":       "docs",
		"elastic-ingest sync --dead-letter conf":     "config.yml",
		"elastic-ingest sync --dead-letter=conf":     "--dead-letter=config.yml",
		"elastic-ingest nonsense ":                   "",
		"elastic-ingest sync --zebra":                "",
		"elastic-ingest connector configure --set-f": "--set-file",
	} {
		c := programIn(t, dir)
		c.Args, c.Path = []string{"fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, line}, mustFind(t, "fish")
		c.Env = append(c.Env, "HOME="+t.TempDir(), "LC_ALL=C.UTF-8")
		out, err := c.CombinedOutput()
		var got []string
		for l := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSuffix(l, "\n"), "\t")
			got = append(got, word)
		}
		wanted := strings.Split(want, "|")
		if want == "" {
			wanted = nil
		}
		slices.Sort(got)
		slices.Sort(wanted)
		if d := cmp.Diff(wanted, got); d != "" {
			t.Errorf("%s (%v; -want +got):\n%s", line, err, d)
		}
	}
	nothingRan(t, dir)
}
