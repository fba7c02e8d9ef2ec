package mssql

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/mssqltest"
)

func TestOnlyBaseTablesAreRead(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE a (id int PRIMARY KEY)", "CREATE VIEW v AS SELECT id FROM a", "CREATE SCHEMA other", "CREATE TABLE other.b (id int PRIMARY KEY)")
	if d := cmp.Diff([]string{"dbo.a"}, sqltest.Scopes(sqltest.ReadSource(t, &Type, db.values(nil), source.Env{}))); d != "" {
		t.Error(d)
	}
	for schema, want := range map[string][]string{"*": {"dbo.a", "other.b"}, "other": {"other.b"}, "other, dbo": {"dbo.a", "other.b"}, "OTHER": {"other.b"}} {
		got := sqltest.Scopes(sqltest.ReadSource(t, &Type, db.values(map[string]any{"schema": schema}), source.Env{}))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", schema, d)
		}
	}
}

// TestTemporalTables checks that the history of a table and hidden columns are not read. It needs a real server,
// because the database of mssqltest has no such tables.
func TestTemporalTables(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	if db.here != nil {
		t.Skipf("%s is not set", onServer)
	}
	db.exec(`CREATE TABLE t (id int PRIMARY KEY, v int, since datetime2 GENERATED ALWAYS AS ROW START HIDDEN NOT NULL, till datetime2 GENERATED ALWAYS AS ROW END HIDDEN NOT NULL,
		PERIOD FOR SYSTEM_TIME (since, till)) WITH (SYSTEM_VERSIONING = ON (HISTORY_TABLE = dbo.t_history))`,
		"INSERT INTO t (id, v) VALUES (1, 1)", "UPDATE t SET v = 2")
	got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})
	if d := cmp.Diff(map[string]sqltest.Result{"dbo.t": {IDs: []string{db.name + "_dbo_t_1"}, Docs: []string{`{"dbo_t_id":1,"dbo_t_v":2}`}}}, got); d != "" {
		t.Error(d)
	}
	db.exec("ALTER TABLE t SET (SYSTEM_VERSIONING = OFF)") // or the database could not be dropped
}

// TestServersBefore2016 has a server without either: the database of mssqltest responds that the columns do not
// exist.
func TestServersBefore2016(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{Old: true})
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v sql_variant)", "INSERT INTO t VALUES (1, 2)")
	got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["dbo.t"]
	if d := cmp.Diff([]string{`{"dbo_t_id":1,"dbo_t_v":"2"}`}, got.Docs); d != "" || got.Err != nil {
		t.Errorf("%v %s", got.Err, d)
	}
}

func TestTableList(t *testing.T) {
	t.Parallel()
	sqltest.TableList(t, newDB(t).shared(), nil, []sqltest.Listing{
		{Tables: "a, ,b,a", Want: []string{"dbo.a", "dbo.b"}},
		{Tables: "A", Want: []string{"dbo.a"}},
		{Tables: "dbo.a", Want: []string{"dbo.a"}},
		{Tables: "*,-log_*", Want: []string{"dbo.[od.d/x]", "dbo.a", "dbo.b"}},
		{Tables: "-a,-log_?", Want: []string{"dbo.[od.d/x]", "dbo.b"}},
		{Tables: "[od.d/x]", Want: []string{"dbo.[od.d/x]"}},
		{Tables: "od*", Want: []string{"dbo.[od.d/x]"}},
	}, sqltest.Missing{
		Tables: ",x*,elsewhere.a", Scopes: []string{"elsewhere.a", "x*"},
		Words: []string{"does not exist in schema", `remove "bb" in tables:`, "GRANT SELECT ON [dbo].[bb] TO [dbo]", `did you mean "b"?`},
	})
}

// TestSchemasThatDoNotExist checks that a missing schema fails alone, unless it is the only one.
func TestSchemasThatDoNotExist(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE a (id int PRIMARY KEY)")
	got := sqltest.ReadSource(t, &Type, db.values(map[string]any{"schema": "dbo, nosuch"}), source.Env{})
	if d := cmp.Diff([]string{"dbo.a", "nosuch.*"}, sqltest.Scopes(got)); d != "" {
		t.Fatal(d)
	}
	sqltest.Refuse(t, got["nosuch.*"].Err, source.ErrConfig, `schema "nosuch" does not exist in database`, "GRANT SELECT ON SCHEMA::[nosuch]")
	for _, err := range openSource(t, db.values(map[string]any{"schema": "nosuch"}), source.Env{}).Parts(t.Context()) {
		sqltest.Refuse(t, err, source.ErrConfig, `schema "nosuch" does not exist in database`)
	}
}

func TestAnEmptyTableHasNoDocuments(t *testing.T) {
	t.Parallel()
	sqltest.EmptyTable(t, newDB(t).shared())
}

func TestKeys(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE filtered (a int NOT NULL)", "CREATE UNIQUE INDEX f ON filtered (a) WHERE a > 5",
		"CREATE TABLE plain_index (a int NOT NULL)", "CREATE INDEX i ON plain_index (a)",
		"CREATE TABLE including (a int NOT NULL, b int NOT NULL)", "CREATE UNIQUE INDEX i ON including (a) INCLUDE (b)", "INSERT INTO including VALUES (4, 5)")
	shared := db.shared()
	sqltest.Keys(t, shared, shared.Scope, map[string][]string{"including": {shared.ID("including", "4")}}, "filtered", "plain_index")
}

// TestHiddenColumnsAreNotAKey has columns that * omits, such as the graph_id of a graph table, on which the server
// creates a unique index.
func TestHiddenColumnsAreNotAKey(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{})
	db.exec("CREATE TABLE person (graph_id_1 bigint HIDDEN NOT NULL UNIQUE, [$node_id_1] nvarchar(99) NOT NULL, name nvarchar(9) NOT NULL, PRIMARY KEY (name))",
		"CREATE TABLE likes (graph_id_2 bigint HIDDEN NOT NULL UNIQUE, [$edge_id_2] nvarchar(99) NOT NULL)",
		"INSERT INTO person (graph_id_1, [$node_id_1], name) VALUES (1, N'{}', N'x')", "INSERT INTO likes (graph_id_2, [$edge_id_2]) VALUES (1, N'{}')")
	got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})
	if r := got["dbo.person"]; r.Err != nil || !slices.Equal(r.Docs, []string{`{"dbo_person_$node_id_1":"{}","dbo_person_name":"x"}`}) {
		t.Errorf("got %+v", r)
	}
	sqltest.Refuse(t, got["dbo.likes"].Err, source.ErrConfig, "neither a primary key", `id_columns: {"dbo.likes": [COLUMN]}`)
	env := source.Env{IDColumns: map[string][]string{"likes": {"$edge_id_2"}}}
	if r := sqltest.ReadSource(t, &Type, db.values(nil), env)["dbo.likes"]; r.Err != nil || len(r.IDs) != 1 {
		t.Errorf("got %+v", r)
	}
}

// TestLedgerHistoryMustBeNamed covers the history of ledger tables, and dropped ledger tables.
func TestLedgerHistoryMustBeNamed(t *testing.T) {
	t.Parallel()
	for _, noLedger := range []bool{false, true} {
		db := newDBHere(t, mssqltest.Config{NoLedger: noLedger})
		db.exec("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE MSSQL_LedgerHistoryFor_1 (id int NOT NULL)", "CREATE TABLE MSSQL_DroppedLedgerTable_b_2 (id int PRIMARY KEY)", "INSERT INTO MSSQL_LedgerHistoryFor_1 VALUES (1)")
		if noLedger {
			if n := len(sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})); n != 3 {
				t.Errorf("without ledgers the names have no meaning: got %d tables", n)
			}
			continue
		}
		db.here.Mark("MSSQL_LedgerHistoryFor_1", "ledger history table")
		db.here.Mark("MSSQL_DroppedLedgerTable_b_2", "dropped ledger table")
		if d := cmp.Diff([]string{"dbo.a"}, sqltest.Scopes(sqltest.ReadSource(t, &Type, db.values(nil), source.Env{}))); d != "" {
			t.Error(d)
		}
		env := source.Env{IDColumns: map[string][]string{"MSSQL_LedgerHistoryFor_1": {"id"}}}
		if r := sqltest.ReadSource(t, &Type, db.values(map[string]any{"tables": "MSSQL_LedgerHistoryFor_1"}), env)["dbo.MSSQL_LedgerHistoryFor_1"]; r.Err != nil || len(r.IDs) != 1 {
			t.Errorf("named: %+v", r)
		}
	}
}

// TestMaskedColumnsAreNamedOnce checks the warning that masked columns are read with other values than they hold.
func TestMaskedColumnsAreNamedOnce(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{})
	db.exec("CREATE TABLE t (id int PRIMARY KEY, mail nvarchar(99) MASKED, phone nvarchar(9) MASKED)", "INSERT INTO t VALUES (1, N'x', N'y')")
	_, masked := db.user()
	for who, want := range map[string]int{"a user": 1, "the owner": 0} {
		log, values := &sqltest.Logbook{}, masked
		if want == 0 {
			values = db.values(nil)
		}
		part := sqltest.Listed(t, openSource(t, values, log.Env()))["dbo.t"]
		for range 2 {
			if r := sqltest.Read(t.Context(), part); r.Err != nil || len(r.IDs) != 1 {
				t.Errorf("%+v", r)
			}
		}
		if n := strings.Count(log.String(), "are masked for this user"); n != want || want > 0 && !strings.Contains(log.String(), `columns="mail, phone"`) {
			t.Errorf("%s: %d warnings, want %d: %s", who, n, want, log)
		}
	}
}

// TestTheHintOfARefusal checks that the hint grants the right that the server names, and that unreadable tables share
// one hint.
func TestTheHintOfARefusal(t *testing.T) {
	t.Parallel()
	v := newTestDatabase(t, settings{Login: form.Login{User: "u"}}, source.Env{}).Part(relationOf("dbo", "v"), nil)
	for message, want := range map[string]string{
		"The EXECUTE permission was denied on the object 'f]', database 'shop', schema 'tools'.":               "GRANT EXECUTE ON [tools].[f]]] TO [u]; or exclude it with",
		"The SELECT permission was denied on the column 'c' of the object 'v', database 'shop', schema 'dbo'.": "GRANT SELECT ON [dbo].[v] TO [u]; or exclude it with",
		"Die SELECT-Berechtigung wurde verweigert.":                                                            "GRANT SELECT ON [dbo].[v] TO [u]; or exclude it with",
	} {
		err := v.Failed("read", mssql.Error{Number: codeNoRight, Message: message})
		if hint := source.Hint(err); !strings.HasPrefix(hint, want) || strings.Count(hint, "GRANT") != 1 {
			t.Errorf("%s: got the hint %q, want %q", message, hint, want)
		}
	}
	db := newDB(t)
	db.exec("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)", "CREATE TABLE c (id int PRIMARY KEY)")
	user, values := db.reader()
	db.exec("GRANT INSERT ON dbo.a TO "+user, "GRANT INSERT ON dbo.b TO "+user, "GRANT SELECT ON dbo.c TO "+user)
	got := sqltest.ReadSource(t, &Type, values, source.Env{})
	want := "GRANT SELECT ON [dbo].[a] TO [" + user + "]; GRANT SELECT ON [dbo].[b] TO [" + user + `]; or exclude them with tables: ["*", "-dbo.a", "-dbo.b"]`
	for _, table := range []string{"a", "b"} {
		if hint := source.Hint(got["dbo."+table].Err); hint != want {
			t.Errorf("%s: got the hint %q, want %q", table, hint, want)
		}
	}
}

// TestIDs checks that paging follows the key order, and that ids of all profiles except native have the key columns
// by name.
func TestIDs(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (b varchar(9) COLLATE Latin1_General_BIN2, A varchar(9) COLLATE Latin1_General_BIN2, n int, PRIMARY KEY (b, A))",
		"INSERT INTO t VALUES ('a_b', 'c', 0), ('b', 'c_a', 0)",
		"CREATE SCHEMA [x.y]", "CREATE TABLE [x.y].[a]]b] ([select] int, [Mixed Case] int, [a]]b] int, PRIMARY KEY ([select], [a]]b]))", "INSERT INTO [x.y].[a]]b] VALUES (0, 2, 3)")
	const odd = "[x.y].[a]]b]"
	for _, tt := range []struct {
		profile string
		want    map[string]sqltest.Result
	}{
		{"", map[string]sqltest.Result{ // in this profile, ids of different rows may be the same; the engine names both
			"dbo.t": {IDs: []string{"DB_dbo_t_c_a_b", "DB_dbo_t_c_a_b"}, Docs: []string{`{"dbo_t_b":"a_b","dbo_t_a":"c","dbo_t_n":0}`, `{"dbo_t_b":"b","dbo_t_a":"c_a","dbo_t_n":0}`}},
			odd:     {IDs: []string{"DB_x.y_a]b_3_0"}, Docs: []string{`{"x.y_a]b_select":0,"x.y_a]b_mixed case":2,"x.y_a]b_a]b":3}`}},
		}},
		{"seed87", map[string]sqltest.Result{
			"dbo.t": {IDs: []string{"DB_dbo_t_c_a_b_", "DB_dbo_t_c_a_b_"}, Docs: []string{`{"dbo_t_b":"a_b","dbo_t_a":"c","dbo_t_n":0}`, `{"dbo_t_b":"b","dbo_t_a":"c_a","dbo_t_n":0}`}},
			odd:     {IDs: []string{"DB_x.y_a]b_3_"}, Docs: []string{`{"x.y_a]b_select":0,"x.y_a]b_mixed case":2,"x.y_a]b_a]b":3}`}},
		}},
		{"native", map[string]sqltest.Result{
			"dbo.t": {IDs: []string{"mssql:DB:dbo:t:a_b:c", "mssql:DB:dbo:t:b:c_a"}, Docs: []string{`{"key":{"b":"a_b","A":"c"},"row":{"b":"a_b","A":"c","n":0}}`, `{"key":{"b":"b","A":"c_a"},"row":{"b":"b","A":"c_a","n":0}}`}},
			odd:     {IDs: []string{"mssql:DB:x.y:a]b:0:3"}, Docs: []string{`{"key":{"select":0,"a]b":3},"row":{"select":0,"Mixed Case":2,"a]b":3}}`}},
		}},
	} {
		got := sqltest.ReadSource(t, &Type, db.values(map[string]any{"schema": "*"}), source.Env{Profile: tt.profile})
		for scope, want := range tt.want {
			for i := range want.IDs {
				want.IDs[i] = strings.ReplaceAll(want.IDs[i], "DB", db.name)
			}
			if d := cmp.Diff(want, got[scope]); d != "" {
				t.Errorf("%s %s: %s", tt.profile, scope, d)
			}
		}
	}
}

// TestColumnNames checks that a column may have the name of a field that every document has, and that two names may
// differ in characters that field names drop.
func TestColumnNames(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY, _id int, [Table] int, _timestamp int, [database] int, [a.b] int, a_b int, [žluť] int)", "INSERT INTO t VALUES (1, 2, 3, 4, 5, 6, 7, 8)",
		"CREATE TABLE [t_x] (y int PRIMARY KEY)", "INSERT INTO t_x VALUES (1)")
	log := &sqltest.Logbook{}
	got := sqltest.ReadSource(t, &Type, db.values(nil), log.Env())["dbo.t"]
	want := []string{`{"dbo_t_id":1,"dbo_t__id":2,"dbo_t_table":3,"dbo_t__timestamp":4,"dbo_t_database":5,"dbo_t_a.b":6,"dbo_t_a_b":7,"dbo_t_žluť":8}`}
	if d := cmp.Diff(want, got.Docs); d != "" || got.Err != nil || strings.Contains(log.String(), "level=WARN") {
		t.Errorf("%v %s logged %s", got.Err, d, log)
	}
	got = sqltest.ReadSource(t, &Type, db.values(nil), source.Env{Profile: "native"})["dbo.t"]
	want = []string{`{"key":{"id":1},"row":{"id":1,"_id":2,"Table":3,"_timestamp":4,"database":5,"a_b":6,"a_b_2":7,"žluť":8}}`}
	if d := cmp.Diff(want, got.Docs); d != "" || got.Err != nil {
		t.Errorf("%v %s", got.Err, d)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	user, values := db.reader()
	sqltest.Permissions(t, db.shared(), sqltest.Rights{
		Values: values,
		Open:   func(values map[string]any, env source.Env) source.Source { return openSource(t, values, env) },
		Grant: func(right, table string) {
			right, columns, _ := strings.Cut(right, " ")
			db.exec("GRANT " + right + " ON " + table + columns + " TO " + user)
		},
		Revoke: func(table string) { db.exec("DENY SELECT ON " + table + " TO " + user) },
		Hide:   func(table string) { db.exec("REVOKE SELECT ON " + table + " FROM " + user) },
		Hint:   func(table string) string { return "GRANT SELECT ON [dbo].[" + table + "] TO [" + user + "]" },
	})
}

// TestViewsMustBeNamedAndHaveAKey checks that a view is read only if it is named and has a key, and that a broken
// view is ignored unless it is named.
func TestViewsMustBeNamedAndHaveAKey(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE gone (id int PRIMARY KEY)", "CREATE VIEW broken AS SELECT id FROM gone", "DROP TABLE gone")
	sqltest.Views(t, db.shared(), "broken")
}
