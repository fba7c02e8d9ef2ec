package commands

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/engine/golden"
)

func testPage(t *testing.T) string {
	t.Helper()
	return manPage(newCLI(t.Context(), testApp(t)), "1.2.3", "2020-01-02")
}

func TestManPage(t *testing.T) {
	t.Parallel()
	golden.Compare(t, filepath.Join("testdata", "elastic-ingest.1"), testPage(t))
	code, out, errs := runApp(t, 0, "man")
	if code != ExitOK || errs != "" || !strings.HasPrefix(out, `.TH ELASTIC\-INGEST 1 `) {
		t.Errorf("exit %d, stderr %q, stdout %.80q", code, errs, out)
	}
}

// checkRoff lets the programs that format man pages check one.
func checkRoff(t *testing.T, page string) (shown string) {
	t.Helper()
	checkers := [][]string{{"mandoc", "-T", "lint", "-W", "warning"}, {"groff", "-man", "-ww", "-b", "-z", "-T", "utf8"}}
	checkers = slices.DeleteFunc(checkers, func(c []string) bool { _, err := exec.LookPath(c[0]); return err != nil })
	if len(checkers) == 0 {
		t.Skip("neither mandoc nor groff is installed")
	}
	for _, c := range checkers {
		cmd := exec.CommandContext(t.Context(), c[0], c[1:]...)
		cmd.Stdin = strings.NewReader(page)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", c[0], err, out)
		}
		arguments := []string{"-man", "-T", "utf8"}
		cmd = exec.CommandContext(t.Context(), c[0], arguments...)
		cmd.Stdin = strings.NewReader(page)
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v", c[0], err)
		}
		shown = plainTerminal(out.String())
	}
	return shown
}

// plainTerminal removes bold type, written by overstriking or by escape sequences.
func plainTerminal(s string) string {
	var b []rune
	escape := false
	for _, r := range s {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		case r == '\b' && len(b) > 0:
			b = b[:len(b)-1]
		default:
			b = append(b, r)
		}
	}
	return string(b)
}

// TestManPageIsValid formats the page, which must show every command, flag and exit code.
func TestManPageIsValid(t *testing.T) {
	t.Parallel()
	shown := checkRoff(t, testPage(t))
	app := newCLI(t.Context(), testApp(t))
	want := []string{"EXIT CODES", "ENVIRONMENT", "ELASTIC_INGEST_STATE_DIR", "./config.yml", "130, 143"}
	for _, c := range leaves(app.Commands) {
		if c.Hidden {
			continue
		}
		want = append(want, "elastic-ingest "+fullName(app, c))
		for _, f := range slices.Concat(c.Flags, app.Flags) {
			want = append(want, strings.TrimSpace(flagRow(f)[0]))
		}
	}
	for _, text := range want {
		if !strings.Contains(shown, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
}

// TestManPageEscapesRoff: text that has a meaning in roff is shown unchanged.
func TestManPageEscapesRoff(t *testing.T) {
	t.Parallel()
	hostile := []string{`.TH broken`, `'so /etc/passwd`, `\fBbold\fR`, `back\\slash \n \*[x]`, `--flag-name`, "`quoted` ~ ^ \"x\"", `…→ä`, `.\" a comment`}
	command := &cli.Command{Name: "x", Description: ".TH at the beginning", UsageText: strings.Join(hostile, "\n"), Flags: []cli.Flag{
		&cli.StringFlag{Name: "y", Usage: "`.SH`: .SH \\fBz"},
	}}
	app := &cli.App{Name: "elastic-ingest", Usage: "Does it.", Commands: []*cli.Command{command}}
	shown := checkRoff(t, manPage(app, `1"2\3`, "2020-01-02"))
	for _, text := range append(hostile, ".TH at the beginning", "-y .SH", `.SH \fBz`, `1"2\3`) {
		if !strings.Contains(shown, text) {
			t.Errorf("the page does not show %q:\n%s", text, shown)
		}
	}
}
