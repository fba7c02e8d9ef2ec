package commands

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// initIn starts init on a terminal, in a folder of its own.
func initIn(t *testing.T, dir string, columns uint16, args ...string) *pty {
	t.Helper()
	c := programIn(t, dir, append([]string{"init"}, args...)...)
	c.Env = append(c.Env, "TERM=dumb")
	return onTerminal(t, columns, c)
}

// question is a question of init and its answer.
type question struct{ text, answer string }

func answerAll(t *testing.T, p *pty, questions []question) {
	t.Helper()
	for _, q := range questions {
		p.answer(q.text, q.answer)
	}
}

// dirQuestions are those of a folder; "" takes the suggested answer.
func dirQuestions() []question {
	return []question{
		{text: "Number or name:", answer: "dri"},
		{text: "did you mean dir?\nNumber or name:", answer: "dir"},
		{text: "for the command line [dir]:", answer: "my docs"},
		{text: "[search-my-docs]:", answer: ""},
		{text: "Directory path:", answer: "./no folder"},
		{text: "Format [files]:", answer: "nonsense"},
		{text: "must be one of: files, documents\nFormat [files]:", answer: ""},
		{text: "q: quit [c]:", answer: ""},
		{text: "Directory path [./no folder]:", answer: "./the $docs"},
		{text: "Format [files]:", answer: ""},
		{text: "Address [embedded:./data]:", answer: ""},
	}
}

// TestInitMirrorsAFolder answers all questions, some of them wrong at first, and runs the commands that init prints.
func TestInitMirrorsAFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "it's 100% mine")
	writeFile(t, filepath.Join(dir, "the $docs", "a.txt"), "text")
	p := initIn(t, dir, 100)
	answerAll(t, p, dirQuestions())
	code, all := p.end()
	if code != ExitOK {
		t.Fatalf("exit %d:\n%s", code, all)
	}
	for _, text := range []string{"Connecting to the source", "does not exist", "The source answers: 1 folder.", "readable only"} {
		if strings.Contains(all, text) == (text == "readable only") {
			t.Errorf("%q is shown, or is not:\n%s", text, all)
		}
	}
	config, err := os.ReadFile(filepath.Join(dir, "config.yml"))
	if err != nil || !strings.Contains(string(config), `directory: "./the $$docs"`) {
		t.Errorf("%v\n%s", err, config)
	}
	if _, err := os.Stat(filepath.Join(dir, ".env")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf(".env: %v", err)
	}
	line := regexp.MustCompile(`(?m)^  15 2 \* \* \*  (.*)$`).FindStringSubmatch(all)
	if line == nil {
		t.Fatalf("no crontab line:\n%s", all)
	}
	if out := cron(t, line[1]); out != "" {
		t.Errorf("the crontab line prints %q", out)
	}
	docs, err := held(filepath.Join(dir, "data"), "search-my-docs")
	if err != nil || len(docs) != 1 || !strings.Contains(docs[0], "a.txt") {
		t.Errorf("%v, %q", err, docs)
	}
}

// cron runs a command of a crontab as cron does: % is only a character after \, in another folder, almost without
// environment.
func cron(t *testing.T, command string) (out string) {
	t.Helper()
	if strings.Contains(strings.ReplaceAll(command, `\%`, ""), "%") {
		t.Errorf("cron would end the command at a %%: %s", command)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command = strings.ReplaceAll(command, `\%`, "%")
	if !strings.HasPrefix(command, self+" ") && !strings.Contains(command, "elastic-ingest sync") {
		t.Errorf("the program has no absolute path: %s", command)
	}
	// The test binary is this program only under its name.
	command = strings.Replace(command, self+" ", mustFind(t, "elastic-ingest")+" ", 1)
	c := exec.CommandContext(t.Context(), "/bin/sh", "-c", command)
	c.Dir, c.Env = "/", []string{"HOME=" + t.TempDir(), "PATH=/usr/bin:/bin", "ELASTIC_INGEST_STATE_DIR=" + t.TempDir(), "GOCOVERDIR=" + t.TempDir()} // the last for make cover
	combined, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", command, err, combined)
	}
	return string(combined)
}

// TestInitWritesNothingUntilTheEnd ends the dialog at each question, by the end of the input and by Ctrl-C.
func TestInitWritesNothingUntilTheEnd(t *testing.T) {
	t.Parallel()
	questions := []question{
		{text: "Number or name:", answer: "mysql"},
		{text: "[mysql]:", answer: "shop"},
		{text: "[search-shop]:"},
		{text: "Host:", answer: "127.0.0.1"},
		{text: "Port:", answer: "1"},
		{text: "Username:", answer: "u"},
		{text: "to name a variable instead):", answer: "secret"},
		{text: "Database:", answer: "d"},
		{text: "SSL [no]:"},
		{text: "q: quit [c]:", answer: "k"},
		{text: "Address [embedded:./data]:"},
	}
	for i := range questions {
		for key, want := range map[string]int{"\x04": ExitUsage, "\x03": ExitInterrupted} {
			t.Run(questions[i].text+map[string]string{"\x04": " Ctrl-D", "\x03": " Ctrl-C"}[key], func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				p := initIn(t, dir, 100)
				answerAll(t, p, questions[:i])
				p.await(questions[i].text)
				p.send(key)
				code, all := p.end()
				if code != want || strings.Contains(all, "secret") {
					t.Errorf("exit %d, want %d:\n%s", code, want, all)
				}
				if !p.echoes() {
					t.Error("the terminal was left without echo")
				}
				if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
					t.Errorf("%v, %v", left, err)
				}
			})
		}
	}
}

// TestInitOnANarrowTerminal: no line of a dialog is wider than 40 columns, except for paths.
func TestInitOnANarrowTerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := initIn(t, dir, 40, "-c", "c.yml", "--service-type", "mysql")
	answerAll(t, p, []question{
		{text: "[mysql]:"},
		{text: "[search-mysql]:"},
		{text: "Host:", answer: "127.0.0.1"},
		{text: "Port:", answer: "none"},
		{text: "must be an integer\nPort:", answer: "70000"},
		{text: "must be less than 65536\nPort:", answer: "1"},
		{text: "Username:", answer: "u"},
		{text: "instead):", answer: ""},
		{text: "[MYSQL_PASSWORD]:", answer: "not a name"},
		{text: "[MYSQL_PASSWORD]:", answer: ""},
		{text: "Database:", answer: "d"},
		{text: "[no]:", answer: ""},
		{text: "[embedded:./data]:", answer: "localhost"},
		{text: "[embedded:./data]:", answer: "embedded:./x"},
	})
	code, all := p.end()
	if code != ExitOK || !strings.Contains(strings.Join(strings.Fields(all), " "), "The source cannot be tried here: MYSQL_PASSWORD is not set.") {
		t.Errorf("exit %d:\n%s", code, all)
	}
	for line := range strings.Lines(all) {
		if term.Columns(strings.TrimRight(line, "\n")) > 40 && !strings.Contains(line, dir) && !strings.HasPrefix(line, "elastic-ingest: ") {
			t.Errorf("wider than 40: %q", line)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "c.yml"))
	if err != nil || !strings.Contains(string(text), "      password: ${MYSQL_PASSWORD}\n") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestInitKeepsAnExistingFile: a file is replaced only with --force, and nothing is asked before that is known.
func TestInitKeepsAnExistingFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "config.yml"), "mine")
	if code, all := initIn(t, dir, 100).end(); code != ExitUsage || !strings.Contains(all, "config.yml exists already") || strings.Contains(all, "[") {
		t.Errorf("exit %d:\n%s", code, all)
	}
	writeFile(t, filepath.Join(dir, "config.yml"), "a: ${GONE} # ${GONE} ${ELSEWHERE}")
	writeFile(t, filepath.Join(dir, ".env"), "GONE=x\nOTHERS=y\n")
	p := initIn(t, dir, 100, "--force", "--service-type", "dir")
	answerAll(t, p, []question{{text: "[dir]:"}, {text: "[search-dir]:"}, {text: "path:", answer: "."}, {text: "[files]:"}, {text: "data]:"}})
	if code, all := p.end(); code != ExitOK || !strings.Contains(all, ".env still sets GONE, which this configuration no longer uses.") {
		t.Errorf("exit %d:\n%s", code, all)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "config.yml")); err != nil || strings.Contains(string(text), "GONE") {
		t.Errorf("%v, %q", err, text)
	}
	if text, err := os.ReadFile(filepath.Join(dir, ".env")); err != nil || string(text) != "GONE=x\nOTHERS=y\n" {
		t.Errorf("%v, %q", err, text)
	}
}

// TestInitTriesAnAddressWithoutItsLogin: when the variable of the password is not set, the address is tried alone.
func TestInitTriesAnAddressWithoutItsLogin(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a login was sent")
		}
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":{"type":"security_exception","reason":"missing authentication credentials"},"status":401}`)
	}))
	defer server.Close()
	dir := t.TempDir()
	p := initIn(t, dir, 100, "--service-type", "dir")
	login := []question{{text: "for an API key)", answer: "elastic"}, {text: "variable instead):"}, {text: "[none]:", answer: "NIGHTLY_PASSWORD"}}
	answerAll(t, p, []question{{text: "[dir]:"}, {text: "[search-dir]:"}, {text: "path:", answer: "."}, {text: "[files]:"}})
	answerAll(t, p, append([]question{{text: "data]:", answer: "http://127.0.0.1:1"}}, login...))
	p.await("error:") // nothing listens there, whatever the password is
	answerAll(t, p, []question{{text: "q: quit [c]:"}, {text: "127.0.0.1:1]:", answer: server.URL}, {text: "[elastic]:"}, {text: "empty keeps it):"}})
	code, all := p.end()
	if code != ExitOK || !strings.Contains(all, "The destination answers. The login cannot be tried here: NIGHTLY_PASSWORD is not set.") {
		t.Errorf("exit %d:\n%s", code, all)
	}
}

// TestInitSaysWhereAPortBelongs: of a host whose port is not asked.
func TestInitSaysWhereAPortBelongs(t *testing.T) {
	t.Parallel()
	p := initIn(t, t.TempDir(), 100, "--service-type", "network_drive")
	answerAll(t, p, []question{
		{text: "[network_drive]:"},
		{text: "drive]:"},
		{text: "Username:", answer: "u"},
		{text: "variable instead):", answer: "secret"},
		{text: "IP:", answer: "nas.example:4450"},
		{text: "must not have a port; set server_port in the file\nSMB IP:", answer: "nas.example"},
	})
	p.await("SMB path:")
	p.send("\x03")
	if code, all := p.end(); code != ExitInterrupted {
		t.Errorf("exit %d:\n%s", code, all)
	}
}

// TestInitKeepsWrongAnswers: an answer about the source that is kept although it is wrong does not end the dialog.
func TestInitKeepsWrongAnswers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := initIn(t, dir, 100, "--service-type", "postgresql")
	answerAll(t, p, []question{
		{text: "[postgresql]:"},
		{text: "[search-postgresql]:"},
		{text: "Host:", answer: "127.0.0.1"},
		{text: "Port:", answer: "1"},
		{text: "Username:", answer: "u"},
		{text: "variable instead):", answer: "secret"},
		{text: "Database:", answer: "d"},
		{text: "Schema:", answer: "s"},
		{text: "verification [no]:", answer: "yes"},
		{text: "pasted):", answer: "${file:missing.pem}"},
	})
	p.await("error:")
	answerAll(t, p, []question{{text: "q: quit [c]:", answer: "k"}, {text: "data]:", answer: "http://127.0.0.1:1"}, {text: "for an API key):"}, {text: "variable instead):"}, {text: "[none]:"}})
	p.await("The destination cannot be tried while answers about the source are wrong.")
	code, all := p.end()
	if text, err := os.ReadFile(filepath.Join(dir, "config.yml")); code != ExitOK || err != nil || !strings.Contains(string(text), "ssl_ca: ${file:missing.pem}") {
		t.Errorf("exit %d, %v:\n%s\n%s", code, err, all, text)
	}
}

// TestRealInit configures a database with the wrong password first, and Elasticsearch with an address where none is.
func TestRealInit(t *testing.T) {
	t.Parallel()
	u, es := twoTables(t), elastictest.Server(t)
	password, _ := u.User.Password()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, ".env"), "SHOP_PASSWORD=of another file")
	index := "init-" + strings.ToLower(strings.ReplaceAll(filepath.Base(filepath.Dir(dir)), "_", "-"))
	p := initIn(t, dir, 100, "--service-type", "postgresql")
	again := []question{
		{text: "Host [" + u.Hostname() + "]:"},
		{text: "Port [" + u.Port() + "]:"},
		{text: "Username [" + u.User.Username() + "]:"},
		{text: "empty keeps it):", answer: "wrong-secret-2"},
		{text: "Database [" + strings.Trim(u.Path, "/") + "]:"},
		{text: "Schema [pg_catalog]:", answer: "public"},
		{text: "verification [no]:"},
	}
	answerAll(t, p, []question{
		{text: "[postgresql]:", answer: "shop"},
		{text: "[search-shop]:", answer: index},
		{text: "Host:", answer: u.Hostname()},
		{text: "Port:", answer: u.Port()},
		{text: "Username:", answer: u.User.Username()},
		{text: "variable instead):", answer: "wrong-secret"},
		{text: "Database:", answer: strings.Trim(u.Path, "/")},
		{text: "Schema:", answer: "pg_catalog"},
		{text: "verification [no]:"},
	})
	p.await("error:")
	answerAll(t, p, append([]question{{text: "q: quit [p]:", answer: "c"}}, again...))
	p.await("error:")
	answerAll(t, p, []question{{text: "p: correct Password; c: correct all answers, k: keep them, q: quit [p]:"}, {text: "empty keeps it):", answer: password}})
	p.await("The source answers: 2 tables.")
	answerAll(t, p, []question{{text: "data]:", answer: "http://127.0.0.1:1"}, {text: "for an API key):", answer: "elastic"}, {text: "instead):", answer: "es-secret"}})
	p.await("error:")
	answerAll(t, p, []question{{text: "q: quit [c]:"}, {text: "127.0.0.1:1]:", answer: es}, {text: "API key) [elastic]:", answer: "elastic"}, {text: "keeps it):"}})
	p.await("The destination answers.")
	code, all := p.end()
	if code != ExitOK || strings.Contains(all, "secret") || strings.Contains(all, password) {
		t.Fatalf("exit %d:\n%s", code, all)
	}
	text, err := os.ReadFile(filepath.Join(dir, "config.yml"))
	if err != nil || strings.Contains(string(text), password) || !strings.Contains(string(text), "${SHOP_PASSWORD_2}") {
		t.Errorf("%v\n%s", err, text)
	}
	env, err := os.ReadFile(filepath.Join(dir, ".env"))
	if err != nil || string(env) != "SHOP_PASSWORD=of another file\nSHOP_PASSWORD_2=\""+password+"\"\nES_PASSWORD=\"es-secret\"\n" {
		t.Errorf("%v\n%s", err, env)
	}
	if info, err := os.Stat(filepath.Join(dir, ".env")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if out, err := programIn(t, dir, "diff", "shop", "--exit-zero", "--limit", "1", "--part", "no_such_table_*").CombinedOutput(); !strings.Contains(string(out), "no_such_table") {
		t.Errorf("diff did not read the tables: %v\n%s", err, out)
	}
}
