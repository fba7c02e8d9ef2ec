package commands

import (
	"context"
	"encoding/pem"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// twoTables creates a database with two tables, and a schema without any, and returns its address with a login.
func twoTables(t *testing.T) *url.URL {
	t.Helper()
	admin := testenv.Required(t, "TEST_POSTGRES_ADMIN_DSN")
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	exec := func(dsn, sql string) {
		t.Helper()
		ctx := context.WithoutCancel(t.Context()) // also at the end of the test
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			t.Error(err)
		}
	}
	name := "init_" + strings.ToLower(strings.Trim(filepath.Base(filepath.Dir(t.TempDir())), "_"))
	exec(admin, "CREATE DATABASE "+name)
	t.Cleanup(func() { exec(admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	exec(u.String(), "CREATE SCHEMA empty; CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
	return u
}

// postgresQuestions are those of a database, up to SSL.
func postgresQuestions(u *url.URL, schema string) []question {
	password, _ := u.User.Password()
	return []question{
		{text: "[postgresql]:"},
		{text: "[search-postgresql]:"},
		{text: "Host:", answer: u.Hostname()},
		{text: "Port:", answer: u.Port()},
		{text: "Username:", answer: u.User.Username()},
		{text: "variable instead):", answer: password},
		{text: "Database:", answer: strings.Trim(u.Path, "/")},
		{text: "Schema:", answer: schema},
		{text: "verification [no]:"},
	}
}

// TestRealInitListsTheSource: a schema that does not exist, and one without tables, are failures like a server that
// does not answer.
func TestRealInitListsTheSource(t *testing.T) {
	t.Parallel()
	u := twoTables(t)
	p := initIn(t, t.TempDir(), 100, "--service-type", "postgresql")
	again := func(before, schema string) []question {
		return []question{
			{text: "q: quit [c]:"},
			{text: "Host ["},
			{text: "Port ["},
			{text: "Username ["},
			{text: "empty keeps it):"},
			{text: "Database ["},
			{text: "Schema [" + before + "]:", answer: schema},
			{text: "verification [no]:"},
		}
	}
	answerAll(t, p, postgresQuestions(u, "nope"))
	p.await(`schema "nope" does not exist`)
	answerAll(t, p, again("nope", "empty"))
	p.await("error: the source has no tables\n")
	p.await("hint: ")
	answerAll(t, p, again("empty", "public"))
	p.await("The source answers: 2 tables.\n")
	answerAll(t, p, []question{{text: "data]:"}})
	if code, all := p.end(); code != ExitOK {
		t.Errorf("exit %d:\n%s", code, all)
	}
}

// certificate is a certificate that nothing trusts, as PEM.
func certificate(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

// sslCA is the value of ssl_ca in a configuration file, as a run would see it.
func sslCA(t *testing.T, file string) any {
	t.Helper()
	c, err := config.Load(t.Context(), file, config.Env{Lookup: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	return c.Connectors[0].Configuration["ssl_ca"]
}

// withoutServer are the questions of a PostgreSQL where nothing listens, up to the certificate.
func withoutServer() []question {
	return []question{
		{text: "[postgresql]:"},
		{text: "[search-postgresql]:"},
		{text: "Host:", answer: "127.0.0.1"},
		{text: "Port:", answer: "1"},
		{text: "Username:", answer: "u"},
		{text: "variable instead):", answer: "secret"},
		{text: "Database:", answer: "d"},
		{text: "Schema:", answer: "public"},
		{text: "verification [no]:", answer: "yes"},
	}
}

const askedForPEM = "SSL certificate (path of the PEM file, or the certificate pasted)"

// TestInitTakesAPastedCertificate: all its lines are one answer, also those of a second block, and text between them is
// skipped.
func TestInitTakesAPastedCertificate(t *testing.T) {
	t.Parallel()
	dir, one := t.TempDir(), certificate(t)
	p := initIn(t, dir, 100, "--service-type", "postgresql")
	answerAll(t, p, withoutServer())
	answerAll(t, p, []question{
		{text: askedForPEM + ":", answer: one + "# of another authority\n" + one},
		{text: "q: quit [c]:", answer: "c"},
		{text: "Host [127.0.0.1]:"},
		{text: "Port [1]:"},
		{text: "Username [u]:"},
		{text: "empty keeps it):"},
		{text: "Database [d]:"},
		{text: "Schema [public]:"},
		{text: "verification [yes]:"},
		{text: "certificate pasted; empty keeps the pasted one):"},
		{text: "q: quit [c]:", answer: "k"},
		{text: "data]:"},
	})
	if code, all := p.end(); code != ExitOK {
		t.Fatalf("exit %d:\n%s", code, all)
	}
	if got, want := sslCA(t, filepath.Join(dir, "config.yml")), strings.TrimSpace(one+one); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestInitTakesTheFileOfACertificate: the configuration includes the file. A path that starts at the working directory
// is made absolute if the configuration is elsewhere, and one of no file is not accepted.
func TestInitTakesTheFileOfACertificate(t *testing.T) {
	t.Parallel()
	dir, one := t.TempDir(), certificate(t)
	writeFile(t, filepath.Join(dir, "conf", "my ca.pem"), one)
	writeFile(t, filepath.Join(dir, "here.pem"), one)
	for typed, want := range map[string]string{
		"my ca.pem": `ssl_ca: "${file:my ca.pem}"`,
		"here.pem":  "ssl_ca: ${file:" + filepath.Join(dir, "here.pem") + "}",
	} {
		file := filepath.Join(dir, "conf", typed+".yml")
		p := initIn(t, dir, 100, "--service-type", "postgresql", "-c", file)
		answerAll(t, p, withoutServer())
		answerAll(t, p, []question{
			{text: askedForPEM + ":", answer: "nowhere.pem"},
			{text: "is neither the path of a file nor PEM\n" + askedForPEM + ":", answer: typed},
			{text: "q: quit [c]:", answer: "k"},
			{text: "data]:"},
		})
		if code, all := p.end(); code != ExitOK {
			t.Fatalf("exit %d:\n%s", code, all)
		}
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "      "+want+"\n") {
			t.Errorf("%v, want %s:\n%s", err, want, text)
		}
		if got := sslCA(t, file); got != strings.TrimSpace(one) {
			t.Errorf("%q, want %q", got, one)
		}
	}
}

// TestRealInitWithACertificate connects with the authority of the server: from a file, and pasted.
func TestRealInitWithACertificate(t *testing.T) {
	t.Parallel()
	u, ca := twoTables(t), testenv.Required(t, "TEST_POSTGRES_CA")
	pasted, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{ca, string(pasted)} {
		dir := t.TempDir()
		p := initIn(t, dir, 100, "--service-type", "postgresql")
		questions := postgresQuestions(u, "public")
		questions[len(questions)-1].answer = "yes"
		answerAll(t, p, append(questions, question{askedForPEM + ":", answer}))
		p.await("The source answers: 2 tables.")
		answerAll(t, p, []question{{text: "data]:"}})
		if code, all := p.end(); code != ExitOK {
			t.Fatalf("exit %d:\n%s", code, all)
		}
		if out, err := programIn(t, dir, "diff").CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestInitAsksAgainOnlyForWhatIsWrong, and names neither a file that does not exist nor its keys.
func TestInitAsksAgainOnlyForWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := initIn(t, dir, 100, "--service-type", "dir")
	answerAll(t, p, []question{
		{text: "Name of the connector, for the command line [dir]:", answer: "-x"},
		{text: "The name begins with -; the command line would take it for a flag\nName of the connector, for the command line [dir]:", answer: "Newc Shop"},
		{text: "Index to mirror into [search-newc-shop]:", answer: "Newc-Shop"},
		{text: "The index name must be lower case\nIndex to mirror into [search-newc-shop]:"},
		{text: "path:", answer: "."},
		{text: "[files]:"},
		{text: "data]:", answer: "localhost"},
		{text: "The address must begin with http://, https:// or embedded:\nAddress [embedded:./data]:"},
	})
	code, all := p.end()
	if code != ExitOK || strings.Contains(all, "connectors[0]") || strings.Contains(all, "yml:") {
		t.Errorf("exit %d:\n%s", code, all)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "config.yml")); err != nil || !strings.Contains(string(text), `name: "Newc Shop"`) {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestInitSaysWhichVariablesAreMissing after everything else, so that no one leaves without having read it.
func TestInitSaysWhichVariablesAreMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := initIn(t, dir, 200, "--service-type", "mysql")
	answerAll(t, p, []question{
		{text: "[mysql]:"},
		{text: "[search-mysql]:"},
		{text: "Host:", answer: "localhost:25433"},
		{text: "Host must not have a port, which is asked next\nHost:", answer: "[::1]:3306"},
		{text: "Host must not have a port, which is asked next\nHost:", answer: "::1"},
		{text: "Port:", answer: "3306"},
		{text: "Username:", answer: "u"},
		{text: "instead):"},
		{text: "[MYSQL_PASSWORD]:", answer: "NEWC_PW"},
		{text: "Database:", answer: "d"},
		{text: "[no]:", answer: "no"},
		{text: "data]:"},
	})
	p.await("crontab -e")
	want := "\n\nelastic-ingest: warning: NEWC_PW is not set here: add it to " + filepath.Join(dir, ".env") + " (cron does not have your shell's variables)\n"
	code, all := p.end()
	if code != ExitOK || !strings.HasSuffix(all, want) {
		t.Errorf("exit %d, want %q at the end:\n%s", code, want, all)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "config.yml")); err != nil || !strings.Contains(string(text), "      ssl_enabled: false\n") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestInitTakesAnOptionByNumber, as it does a source type, and suggests no type for an answer without letters.
func TestInitTakesAnOptionByNumber(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := initIn(t, dir, 200)
	answerAll(t, p, []question{
		{text: "Number or name:", answer: "?"},
		{text: `"?" is not in the list` + "\nNumber or name:", answer: "dir"},
		{text: "[dir]:"},
		{text: "[search-dir]:"},
		{text: "path:", answer: "."},
		{text: "\n1 files: A document for each file\n2 documents: A document for each record of a JSON, NDJSON, CSV or TSV file\nFormat [files]:", answer: "3"},
		{text: "must be one of: files, documents\nFormat [files]:", answer: "2"},
	})
	answerAll(t, p, []question{{text: "(optional):"}})
	p.await("The source answers: 1 path.")
	answerAll(t, p, []question{{text: "data]:"}})
	if code, all := p.end(); code != ExitOK {
		t.Errorf("exit %d:\n%s", code, all)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "config.yml")); err != nil || !strings.Contains(string(text), "      format: documents\n") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestInitAsksForTheFileOfAnAuthority: Elasticsearch's is a path, and no line of a pasted certificate answers another
// question. A variable that another answer names never holds the new secret.
func TestInitAsksForTheFileOfAnAuthority(t *testing.T) {
	t.Parallel()
	dir, one := t.TempDir(), certificate(t)
	writeFile(t, filepath.Join(dir, "ca.pem"), one)
	p := initIn(t, dir, 200, "--service-type", "mysql")
	const file = "File of your own certificate authority (optional):"
	answerAll(t, p, []question{
		{text: "[mysql]:"},
		{text: "[search-mysql]:"},
		{text: "Host:", answer: "localhost"},
		{text: "Port:", answer: "3306"},
		{text: "Username:", answer: "u"},
		{text: "instead):"},
		{text: "[MYSQL_PASSWORD]:", answer: "ES_API_KEY"},
		{text: "Database:", answer: "d"},
		{text: "[no]:"},
		{text: "data]:", answer: "https://127.0.0.1:1"},
		{text: "for an API key):"},
		{text: "instead):", answer: "a key"},
		{text: file, answer: one},
		{text: "This is a certificate; save it, and give the path of its file\n" + file, answer: "ca.pem"},
		{text: "q: quit [c]:", answer: "k"},
	})
	if code, all := p.end(); code != ExitOK {
		t.Fatalf("exit %d:\n%s", code, all)
	}
	text, err := os.ReadFile(filepath.Join(dir, "config.yml"))
	if err != nil || !strings.Contains(string(text), "  api_key: ${ES_API_KEY_2}\n  ca_certs: ca.pem\n") || !strings.Contains(string(text), "password: ${ES_API_KEY}\n") {
		t.Errorf("%v\n%s", err, text)
	}
}
