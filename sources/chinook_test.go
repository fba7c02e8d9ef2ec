package sources_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/sijms/go-ora/v2/configurations"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/mssqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// chinook is the part of a script that makes the tables and fills them.
func chinook(t *testing.T, name string) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(testenv.Optional(t, "TEST_CHINOOK_DIR"), name))
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(script), "CREATE TABLE")
	return "CREATE TABLE" + tables
}

// TestChinookIsTheSameEverywhere reads the sample database from PostgreSQL, MySQL, MariaDB, Oracle and SQL Server,
// or, where TEST_MSSQL_DSN names none, the database of mssqltest: the rows of the documents are the same, byte for
// byte, but for the names of tables and columns, which the scripts write in different ways. They hold whole
// numbers, decimals, text and times. Oracle's script has numbers of any kind where the others have whole ones, so
// there a text may hold the digits.
func TestChinookIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	want := rowsOf(t, "postgresql", chinookOnPostgreSQL(t))
	if len(want) < 15_000 {
		t.Fatalf("%d rows", len(want))
	}
	t.Run("SQL Server", func(t *testing.T) {
		t.Parallel()
		if d := cmp.Diff(want, rowsOf(t, "mssql", chinookOnMSSQL(t))); d != "" {
			t.Error(d)
		}
	})
	t.Run("TEST_ORACLE_DSN", func(t *testing.T) {
		t.Parallel()
		if d := cmp.Diff(sameNumbers(want), sameNumbers(rowsOf(t, "oracle", chinookOnOracle(t, testenv.Required(t, "TEST_ORACLE_DSN"))))); d != "" {
			t.Error(d)
		}
	})
	for _, name := range []string{"TEST_MYSQL_DSN", "TEST_MARIADB_DSN"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(want, rowsOf(t, "mysql", chinookOnMySQL(t, testenv.Required(t, name)))); d != "" {
				t.Error(d)
			}
		})
	}
}

func chinookOnPostgreSQL(t *testing.T) map[string]any {
	t.Helper()
	script := chinook(t, "Chinook_PostgreSql.sql")
	config, err := pgx.ParseConfig(testenv.Required(t, "TEST_POSTGRES_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	name := "e_" + strings.ToLower(rand.Text()[:12])
	run := func(database, statements string) {
		c := config.Copy()
		c.Database = database
		conn, err := pgx.ConnectConfig(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if _, err := conn.PgConn().Exec(context.Background(), statements).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	run(config.Database, "CREATE DATABASE "+name)
	t.Cleanup(func() { run(config.Database, "DROP DATABASE "+name) })
	run(name, script)
	return map[string]any{
		"host": config.Host, "port": int(config.Port), "username": config.User, "password": config.Password, "database": name, "schema": "public",
	}
}

func chinookOnMySQL(t *testing.T, dsn string) map[string]any {
	t.Helper()
	script := chinook(t, "Chinook_MySql.sql")
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.MultiStatements = true
	name := "e_" + strings.ToLower(rand.Text()[:12])
	run := func(database, statements string) {
		c := config.Clone()
		c.DBName = database
		pool, err := sql.Open("mysql", c.FormatDSN())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = pool.Close() }()
		if _, err := pool.ExecContext(context.Background(), statements); err != nil {
			t.Fatal(err)
		}
	}
	run("", "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	t.Cleanup(func() { run("", "DROP DATABASE "+name) })
	// The scripts have the same texts, in which a backslash means nothing.
	run(name, "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'; "+script)
	address, err := url.Parse("tcp://" + config.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"host": address.Hostname(), "port": address.Port(), "user": config.User, "password": config.Passwd, "database": name,
	}
}

// chinookOnMSSQL fills a database of the server that TEST_MSSQL_DSN names, or else that of mssqltest.
func chinookOnMSSQL(t *testing.T) map[string]any {
	t.Helper()
	script := chinook(t, "Chinook_SqlServer.sql")
	dsn, name := os.Getenv("TEST_MSSQL_DSN"), "e_"+strings.ToLower(rand.Text()[:12])
	if dsn == "" {
		dsn = mssqltest.New(t, mssqltest.Config{Database: name, Encryption: tdstest.EncryptLogin}).DSN()
	}
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	run := func(database, batches string) {
		u := *address
		query := u.Query()
		query.Set("database", database)
		u.RawQuery = query.Encode()
		pool, err := sql.Open("sqlserver", u.String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = pool.Close() }()
		for batch := range strings.SplitSeq(batches, "\nGO\n") {
			if _, err := pool.ExecContext(context.Background(), batch); err != nil {
				t.Fatalf("%v in: %.200s", err, batch)
			}
		}
	}
	if os.Getenv("TEST_MSSQL_DSN") != "" {
		run("master", "CREATE DATABASE "+name+"\nGO\nALTER DATABASE "+name+" SET ALLOW_SNAPSHOT_ISOLATION ON")
		t.Cleanup(func() {
			run("master", "ALTER DATABASE "+name+" SET SINGLE_USER WITH ROLLBACK IMMEDIATE\nGO\nDROP DATABASE "+name)
		})
	}
	run(name, script)
	password, _ := address.User.Password()
	return map[string]any{
		"host": address.Hostname(), "port": address.Port(), "username": address.User.Username(), "password": password, "database": name, "schema": "dbo",
	}
}

// Oracle's script names nothing in quotes. The stand-in for Oracle finds a name in capitals only if it was created so.
var (
	oracleTable  = regexp.MustCompile(`(CREATE TABLE|INSERT INTO) (\w+)(?: *\([\w, ]+\) VALUES)?`)
	oracleColumn = regexp.MustCompile(`(?m)^ {4}(\w+) (NUMBER|VARCHAR2|DATE)`)
	oracleKey    = regexp.MustCompile(`CONSTRAINT \w+ PRIMARY KEY +\(([\w, ]+)\)`)
	oracleName   = regexp.MustCompile(`\w+`)
)

func capitals(name string) string { return `"` + strings.ToUpper(name) + `"` }

func chinookOnOracle(t *testing.T, dsn string) map[string]any {
	t.Helper()
	_, script, _ := strings.Cut(chinook(t, "Chinook_Oracle.sql"), "Create Tables") // after a GRANT CREATE TABLE
	config, err := configurations.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	name, password := "E_"+rand.Text()[:12], rand.Text()
	var fill func(insert string)
	if below := os.Getenv("TEST_ORACLE_POSTGRES_DSN"); below != "" { // see sources/oracle/server_test.go
		conn, err := pgx.Connect(ctx, below)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(ctx) })
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(1521); CREATE SCHEMA "`+name+`"`); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = conn.Exec(ctx, `DROP SCHEMA "`+name+`" CASCADE`) })
		fill = func(insert string) { // what stands in for Oracle takes a minute to translate them
			if _, err := conn.Exec(ctx, "SET search_path = oracle, pg_catalog; "+insert); err != nil {
				t.Fatalf("%v in: %.200s", err, insert)
			}
		}
	}
	pool, err := sql.Open("oracle", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	run := func(statement string) {
		if _, err := pool.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%v in: %.200s", err, statement)
		}
	}
	if fill == nil {
		fill = run
	}
	run(`CREATE USER "` + name + `" IDENTIFIED BY "` + password + `"`)
	t.Cleanup(func() { run(`DROP USER "` + name + `" CASCADE`) })
	run(`GRANT CREATE SESSION, UNLIMITED TABLESPACE TO "` + name + `"`)
	script = oracleKey.ReplaceAllStringFunc(script, func(key string) string {
		return "PRIMARY KEY (" + oracleName.ReplaceAllStringFunc(oracleKey.FindStringSubmatch(key)[1], capitals) + ")"
	})
	script = oracleColumn.ReplaceAllStringFunc(script, func(column string) string {
		parts := oracleColumn.FindStringSubmatch(column)
		return capitals(parts[1]) + " " + parts[2]
	})
	for statement := range strings.SplitSeq(script, ";\n") {
		statement = strings.TrimSpace(statement)
		at := oracleTable.FindStringSubmatchIndex(statement)
		if at == nil || strings.HasPrefix(statement, "ALTER") {
			continue // keys of other tables, and indexes
		}
		verb, table, rest := statement[at[2]:at[3]], statement[at[4]:at[5]], statement[at[1]:]
		if begin := verb + ` "` + name + `".` + capitals(table); verb == "INSERT INTO" {
			fill(begin + " VALUES" + rest)
		} else {
			run(begin + rest)
		}
	}
	return map[string]any{
		"host": config.Servers[0].Addr, "port": config.Servers[0].Port, "username": name, "password": password,
		"connection_source": "service_name", "service_name": config.ServiceName,
	}
}

var digits = regexp.MustCompile(`(?m)="?(-?[0-9]+(?:\.[0-9]*[1-9])?)(?:\.?0*)"?$`)

// sameNumbers has numbers without quotes and without zeros after the point.
func sameNumbers(rows map[string]string) map[string]string {
	same := map[string]string{}
	for key, row := range rows {
		same[digits.ReplaceAllString(key, "=$1")] = digits.ReplaceAllString(row, "=$1")
	}
	return same
}

// rowsOf reads all documents in the profile native, and returns their rows as JSON, by table and key. Of
// names the letters alone count, without their case.
func rowsOf(t *testing.T, serviceType string, raw map[string]any) map[string]string {
	t.Helper()
	typ, ok := sources.Builtin.Lookup(serviceType)
	if !ok {
		t.Fatalf("there is no %s", serviceType)
	}
	values, err := field.Parse(typ.Fields, raw)
	if err != nil {
		t.Fatal(err)
	}
	s, err := typ.Open(t.Context(), values, source.Env{Log: slog.New(slog.DiscardHandler), Profile: "native"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	rows := map[string]string{}
	for part, err := range s.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for doc, err := range part.Documents(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			table, _ := doc.Lookup("table")
			key, _ := doc.Lookup("key")
			row, _ := doc.Lookup("row")
			rows[bare(table.Text())+" "+bareNames(t, key)] = bareNames(t, row)
		}
	}
	return rows
}

func bare(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// bareNames is an object: bare names with their values as JSON.
func bareNames(t *testing.T, object document.Value) string {
	t.Helper()
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(object.AppendJSON(nil), &fields); err != nil || len(fields) == 0 {
		t.Fatalf("%d fields: %v", len(fields), err)
	}
	var lines []string
	for name, value := range fields {
		text := string(value)
		if strings.HasSuffix(text, ` "`) { // N'…' is of the type character to PostgreSQL, which has no blanks at its end
			text = strings.TrimRight(strings.TrimSuffix(text, `"`), " ") + `"`
		}
		lines = append(lines, bare(name)+"="+text)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
