package commands_test

import (
	"math"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// walked is a database in which an operator's usual failures happen one after the other.
type walked struct {
	*bench
	exec   func(statements string)
	at     func(address string) // configures where the server listens
	server string               // its address
	faults faults
}

// faults are the statements that cause failures in a dialect, and the expected messages.
type faults struct {
	tables     string // a, b, c and hidden with thirty rows each, and a view v of the rows of hidden
	grow       string // the table big of 3 MB
	loseKey    string // of b
	giveKey    string
	revoke     string // privileges on b; "" if an owner cannot lose them
	grant      string
	saysGrant  string
	breakView  string
	repairView string
	saysView   string
}

// walkedTables is the table list of a walk. The patience for a lost server is short.
const walkedTables = `tables: ["*", v, "-hidden*"], retry_count: 1`

// walkedKeys names the key of the view.
const walkedKeys = "    id_columns: {v: [id]}"

// walk causes the failures. A run after each finds no other problem, so that none hides another.
func (w *walked) walk(t *testing.T) {
	const table, all = 30, 120
	w.at(w.server)
	w.exec(w.faults.tables)
	if res := w.must(0, "sync"); res.Created != all {
		t.Fatalf("first sync: %+v", res)
	}
	for _, tt := range []struct {
		name, fault, repair string
		says                []string
	}{
		{"a table without key", w.faults.loseKey, w.faults.giveKey, []string{"neither a primary key nor a unique index", "id_columns: {", "exclude it with"}},
		{"a revoked table", w.faults.revoke, w.faults.grant, []string{w.faults.saysGrant, "exclude it with"}},
		{"a broken view", w.faults.breakView, w.faults.repairView, []string{w.faults.saysView}},
	} {
		if tt.fault == "" {
			continue
		}
		w.exec(tt.fault)
		for _, command := range []string{"diff", "sync"} {
			o := w.run(command)
			for _, says := range append(tt.says, "nothing in ") {
				if o.code != 3 || !strings.Contains(o.stderr, says) {
					t.Errorf("%s: %s exits with %d, without %q in\n%s", tt.name, command, o.code, says, o.stderr)
				}
			}
		}
		if res := w.must(3, "sync"); res != (result{Exit: 3, Kept: all - table, Withheld: table}) {
			t.Errorf("%s: %+v", tt.name, res)
		}
		w.exec(tt.repair)
		if res := w.must(0, "sync"); res != (result{Kept: all}) {
			t.Errorf("%s, repaired: %+v", tt.name, res)
		}
	}
	w.loseConnection(t)
	w.dropTable(t, table)
}

// loseConnection cuts the connection in the middle of a table.
func (w *walked) loseConnection(t *testing.T) {
	w.exec(w.faults.grow)
	w.must(0, "sync")
	w.exec("DELETE FROM a WHERE id <= 5")
	w.exec("UPDATE big SET v = CONCAT('y', v)")
	w.at(newOutage(t, w.server, &outage{sent: math.MaxInt64, received: 1 << 20}))
	o := w.run("sync", "-o", "json")
	w.at(w.server)
	if o.code != 5 || !strings.Contains(o.stdout, `"deleted":0`) {
		t.Fatalf("a lost connection: exit code %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	if res := w.must(0, "sync"); res.Deleted != 5 {
		t.Fatalf("after a lost connection: %+v", res)
	}
}

// dropTable drops a table: its documents stay until a second run misses it too.
func (w *walked) dropTable(t *testing.T, rows int64) {
	w.exec("DROP TABLE c")
	o := w.run("sync", "-o", "json")
	if o.code != 4 || !strings.Contains(o.stdout, `"deleted":0`) || !strings.Contains(o.stderr, "vanished") {
		t.Errorf("a dropped table: exit code %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	if res := w.must(0, "sync"); res.Deleted != rows {
		t.Errorf("a table that is missing twice: %+v", res)
	}
}

func TestFailuresOfPostgreSQL(t *testing.T) {
	t.Parallel()
	b := newBench(t, elastictest.Server(t))
	w := walked{
		bench: b.bench,
		exec: func(statements string) {
			b.exec(statements)
			if strings.Contains(statements, "CREATE TABLE") {
				b.grantAll()
			}
		},
		server: b.address,
		at:     func(address string) { b.address = address; b.configureSource(walkedTables, walkedKeys) },
		faults: faults{
			tables: threeTables + `CREATE TABLE hidden AS SELECT * FROM a; CREATE FUNCTION whole() RETURNS boolean LANGUAGE sql AS 'SELECT true';
				CREATE VIEW v AS SELECT * FROM hidden WHERE whole()`,
			grow:    "CREATE TABLE big (id int PRIMARY KEY, v text); INSERT INTO big SELECT n, repeat('x', 2000) FROM generate_series(1, 1500) n",
			loseKey: "ALTER TABLE b DROP CONSTRAINT b_pkey", giveKey: "ALTER TABLE b ADD PRIMARY KEY (id)",
			revoke: "REVOKE SELECT ON b FROM " + b.database, grant: "GRANT SELECT ON b TO " + b.database, saysGrant: "GRANT SELECT ON",
			breakView:  "CREATE OR REPLACE FUNCTION whole() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'the view is broken'; END$$",
			repairView: "CREATE OR REPLACE FUNCTION whole() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
			saysView:   "the view is broken",
		},
	}
	w.walk(t)
}

func TestFailuresOfMySQL(t *testing.T) {
	t.Parallel()
	onMySQL(t, func(t *testing.T, dsn string) {
		b := newMySQLBench(t, dsn, elastictest.Server(t))
		w := walked{
			bench: b.bench, exec: b.exec, server: b.address,
			at: func(address string) { b.address = address; b.configure(walkedTables, walkedKeys) },
			faults: faults{
				tables: b.threeTables() + `CREATE TABLE hidden AS SELECT * FROM a; CREATE VIEW v AS SELECT * FROM hidden`,
				grow: `CREATE TABLE big (id int PRIMARY KEY AUTO_INCREMENT, v text);
					INSERT INTO big (v) SELECT repeat('x', 2000) FROM a, b, c LIMIT 1500`,
				loseKey: "ALTER TABLE b DROP PRIMARY KEY", giveKey: "ALTER TABLE b ADD PRIMARY KEY (id)",
				revoke: b.grantsOfTables("a", "c", "hidden", "v") + "; GRANT INSERT ON " + b.database + ".b TO " + b.database,
				grant:  b.grantsOfTables("*"), saysGrant: "GRANT SELECT ON `" + b.database + "`.`b` TO '" + b.database + "'@'%'",
				breakView: "RENAME TABLE hidden TO hidden_away", repairView: "RENAME TABLE hidden_away TO hidden",
				saysView: "references invalid table(s) or column(s)",
			},
		}
		w.walk(t)
	})
}

// TestFailuresOfSQLServer runs on the database of mssqltest unless TEST_MSSQL_DSN names a server.
func TestFailuresOfSQLServer(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newMSSQLBench(t, elasticsearch)
		w := walked{
			bench: b.bench, exec: b.exec, server: b.address,
			at: func(address string) { b.address = address; b.configure(walkedTables, walkedKeys) },
			faults: faults{
				tables:  b.tables(),
				grow:    "CREATE TABLE big (id int NOT NULL PRIMARY KEY, v varchar(max))\nGO\n" + insertRows("big", 1500, "REPLICATE('x', 2000)"),
				loseKey: "ALTER TABLE b DROP CONSTRAINT b_key", giveKey: "ALTER TABLE b ADD CONSTRAINT b_key PRIMARY KEY (id)",
				revoke: "DENY SELECT ON b TO " + b.database, grant: "REVOKE SELECT ON b FROM " + b.database,
				saysGrant: "GRANT SELECT ON [dbo].[b] TO [" + b.database + "]",
				breakView: "EXEC sp_rename 'hidden', 'hidden_away'", repairView: "EXEC sp_rename 'hidden_away', 'hidden'",
				saysView: "because of binding errors",
			},
		}
		w.walk(t)
	})
}
