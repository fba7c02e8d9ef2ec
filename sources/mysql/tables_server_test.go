package mysql

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestOnlyBaseTablesAreRead(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE p (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3; INSERT INTO p VALUES (1), (2), (3); CREATE VIEW v AS SELECT * FROM a")
		want := []string{"a", "p"}
		if db.mariaDB {
			db.exec("CREATE SEQUENCE s; CREATE TABLE versioned (id int PRIMARY KEY, v int) WITH SYSTEM VERSIONING; INSERT INTO versioned VALUES (1, 1); UPDATE versioned SET v = 2")
			want = append(want, "versioned")
		}
		got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})
		if d := cmp.Diff(want, sqltest.Scopes(got)); d != "" {
			t.Error(d)
		}
		if len(got["p"].IDs) != 3 {
			t.Errorf("got the rows %v of three partitions", got["p"].IDs)
		}
		if db.mariaDB && !slices.Equal(got["versioned"].Docs, []string{`{"id_":1,"v":2}`}) {
			t.Errorf("got %+v, want the current row, without its period", got["versioned"])
		}
	})
}

func TestTableList(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		sqltest.TableList(t, db.shared(), nil, []sqltest.Listing{
			{Tables: "a, ,b,a", Want: []string{"a", "b"}},
			{Tables: db.name + ".a", Want: []string{"a"}},
			{Tables: "*,-log_*", Want: []string{"`od.d/x`", "a", "b"}},
			{Tables: "-a,-log_?", Want: []string{"`od.d/x`", "b"}},
			{Tables: "log_[2-9]", Want: []string{"log_2"}},
			{Tables: "`od.d/x`", Want: []string{"`od.d/x`"}},
			{Tables: "od*", Want: []string{"`od.d/x`"}},
		}, sqltest.Missing{
			Tables: ",x*,elsewhere.a", Scopes: []string{"elsewhere.a", "x*"},
			Words: []string{"does not exist in database", `remove "bb" in tables:`, "GRANT SELECT ON `" + db.name + "`.`bb` TO 'ingest'@'%'", `did you mean "b"?`},
		})
	})
}

func TestAnEmptyTableHasNoDocuments(t *testing.T) {
	t.Parallel()
	eachServer(t, sqltest.EmptyTable)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		keyless := []string{"prefixed"}
		db.exec("CREATE TABLE prefixed (a varchar(100) NOT NULL, UNIQUE (a(5)))")
		if !db.mariaDB && db.number("SELECT VERSION() >= '8.0.13' COLLATE utf8mb4_bin") == 1 {
			db.exec("CREATE TABLE expr (a varchar(10) NOT NULL); CREATE UNIQUE INDEX i ON expr ((lower(a)))")
			keyless = append(keyless, "expr")
		}
		sqltest.Keys(t, db.shared(), func(table string) string { return db.name + "." + table }, nil, keyless...)
	})
}

// TestIDs checks that key columns are in the order of the server's catalog, which MySQL sorts by name; native uses
// the order of the key.
func TestIDs(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (b varchar(9), A varchar(9), PRIMARY KEY (b, A)); INSERT INTO t VALUES ('a_b', 'c'), ('b', 'c_a');" +
			"CREATE TABLE `we``ird ta.ble` (`select` int, `Mixed Case` int, `a``b` int, PRIMARY KEY (`select`, `a``b`)); INSERT INTO `we``ird ta.ble` VALUES (1, 2, 3)")
		ids := []string{"t_c_a_b", "t_c_a_b"}
		if db.mariaDB {
			ids = []string{"t_a_b_c", "t_b_c_a"}
		}
		for _, tt := range []struct {
			profile string
			want    map[string]sqltest.Result
		}{
			{"", map[string]sqltest.Result{ // in this profile, ids of different rows may be the same; the engine names both
				"t":                {IDs: ids, Docs: []string{`{"b":"a_b","A":"c"}`, `{"b":"b","A":"c_a"}`}},
				"`we``ird ta.ble`": {IDs: []string{pick(db.mariaDB, "we`ird ta.ble_1_3", "we`ird ta.ble_3_1")}, Docs: []string{"{\"select\":1,\"Mixed Case\":2,\"a`b\":3}"}},
			}},
			{"seed87", map[string]sqltest.Result{
				"t":                {IDs: []string{db.name + "_" + ids[0] + "_", db.name + "_" + ids[1] + "_"}, Docs: []string{`{"DB_t_b":"a_b","DB_t_A":"c"}`, `{"DB_t_b":"b","DB_t_A":"c_a"}`}},
				"`we``ird ta.ble`": {IDs: []string{db.name + "_" + pick(db.mariaDB, "we`ird ta.ble_1_3_", "we`ird ta.ble_3_1_")}, Docs: []string{"{\"DB_we`ird ta.ble_select\":1,\"DB_we`ird ta.ble_Mixed Case\":2,\"DB_we`ird ta.ble_a`b\":3}"}},
			}},
			{"native", map[string]sqltest.Result{
				"t":                {IDs: []string{"mysql:" + db.name + ":t:a_b:c", "mysql:" + db.name + ":t:b:c_a"}, Docs: []string{`{"key":{"b":"a_b","A":"c"},"row":{"b":"a_b","A":"c"}}`, `{"key":{"b":"b","A":"c_a"},"row":{"b":"b","A":"c_a"}}`}},
				"`we``ird ta.ble`": {IDs: []string{"mysql:" + db.name + ":we`ird ta.ble:1:3"}, Docs: []string{"{\"key\":{\"select\":1,\"a`b\":3},\"row\":{\"select\":1,\"Mixed Case\":2,\"a`b\":3}}"}},
			}},
		} {
			got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{Profile: tt.profile})
			for scope, want := range tt.want {
				for i := range want.Docs {
					want.Docs[i] = strings.ReplaceAll(want.Docs[i], "DB", db.name)
				}
				if d := cmp.Diff(want.IDs, got[scope].IDs); d != "" || got[scope].Err != nil {
					t.Errorf("%s %s: %v %s", tt.profile, scope, got[scope].Err, d)
				}
				if d := cmp.Diff(want.Docs, got[scope].Docs); d != "" {
					t.Errorf("%s %s: %s", tt.profile, scope, d)
				}
			}
		}
	})
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// TestColumnNames checks that a column may have the name of a field that every document has.
func TestColumnNames(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (id int PRIMARY KEY, _id int, `Table` int, Table_ int, _timestamp int, `Database` int, `a.b` int, `a_b` int, _conversion_notes date, `žluť` int);" +
			"SET sql_mode = ''; INSERT INTO t VALUES (1, 2, 3, 4, 5, 6, 7, 8, '0000-00-00', 9)")
		log := &sqltest.Logbook{}
		env := log.Env()
		got := sqltest.ReadSource(t, &Type, db.values(nil), env)["t"]
		want := []string{`{"id_":1,"_id_":2,"Table__":3,"Table_":4,"_timestamp_":5,"Database_":6,"a.b":7,"a_b":8,"_conversion_notes_":null,"žluť":9,"_conversion_notes":["_conversion_notes_: 0000-00-00 is no date"]}`}
		if d := cmp.Diff(want, got.Docs); d != "" || got.Err != nil {
			t.Errorf("%v %s", got.Err, d)
		}
		for _, renamed := range []string{"column=Table field=Table__", "column=Database field=Database_", "column=_conversion_notes field=_conversion_notes_"} {
			if strings.Count(log.String(), renamed) != 1 {
				t.Errorf("%s is not said once: %s", renamed, log)
			}
		}
		log = &sqltest.Logbook{}
		env = log.Env()
		env.Encoding = "compat"
		got = sqltest.ReadSource(t, &Type, db.values(nil), env)["t"]
		want = []string{`{"Table_":4,"Database_":6,"a.b":7,"a_b":8,"_conversion_notes_":"0000-00-00","žluť":9}`}
		if d := cmp.Diff(want, got.Docs); d != "" || got.Err != nil {
			t.Errorf("%v %s", got.Err, d)
		}
		if !strings.Contains(log.String(), "column=_id") {
			t.Errorf("the skipped column is not reported: %s", log)
		}
	})
}

// TestInvisibleKeyColumnsAreRead has invisible columns, which * omits, and which servers add to tables without a key.
func TestInvisibleKeyColumnsAreRead(t *testing.T) {
	t.Parallel()
	db := newDB(t, onMariaDB)
	db.exec(`CREATE TABLE added (my_row_id bigint unsigned NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY, v int, secret int INVISIBLE); INSERT INTO added (v) VALUES (7), (8);
		CREATE TABLE uniq (a int, h int NOT NULL DEFAULT 3 INVISIBLE UNIQUE); INSERT INTO uniq (a) VALUES (1);
		CREATE TABLE composite (h int NOT NULL DEFAULT 3 INVISIBLE, b int, a int, PRIMARY KEY (a, h)); INSERT INTO composite (b, a) VALUES (1, 2);
		CREATE TABLE versions (id int PRIMARY KEY, v int, s timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE, e timestamp(6) GENERATED ALWAYS AS ROW END INVISIBLE,
			PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING; INSERT INTO versions (id, v) VALUES (1, 1); UPDATE versions SET v = 2`)
	want := map[string]sqltest.Result{
		"added":     {IDs: []string{"added_1", "added_2"}, Docs: []string{`{"my_row_id":"1","v":7}`, `{"my_row_id":"2","v":8}`}},
		"uniq":      {IDs: []string{"uniq_3"}, Docs: []string{`{"a":1,"h":3}`}},
		"composite": {IDs: []string{"composite_3_2"}, Docs: []string{`{"h":3,"b":1,"a":2}`}},
		"versions":  {IDs: []string{"versions_1"}, Docs: []string{`{"id_":1,"v":2}`}},
	}
	if d := cmp.Diff(want, sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})); d != "" {
		t.Error(d)
	}
	// A user who may read only the visible columns gets an error that says so, and not that the table was altered.
	user, values := db.reader()
	db.exec("GRANT SELECT (v) ON " + db.name + ".added TO " + user)
	sqltest.Refuse(t, sqltest.ReadSource(t, &Type, values, source.Env{})["added"].Err, source.ErrAuth, "my_row_id", "GRANT SELECT ON `"+db.name+"`.`added`")
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE x (id int PRIMARY KEY)")
		user, values := db.reader()
		err := openSource(t, values, source.Env{}).Ping(t.Context())
		sqltest.Refuse(t, err, source.ErrAuth, "Access denied", "GRANT SELECT ON `"+db.name+"`.* TO '"+user+"'")
		sqltest.Permissions(t, db.shared(), sqltest.Rights{
			Values: values,
			Open:   func(values map[string]any, env source.Env) source.Source { return openSource(t, values, env) },
			Grant: func(right, table string) {
				db.exec(fmt.Sprintf("GRANT %s ON %s.%s TO %s", right, db.name, table, user))
			},
			Revoke: func(table string) { db.exec(fmt.Sprintf("REVOKE SELECT ON %s.%s FROM %s", db.name, table, user)) },
			Hide:   func(string) {}, // MySQL hides objects that the user has no privilege on
			Hint: func(table string) string {
				return "GRANT SELECT ON `" + db.name + "`.`" + table + "` TO '" + user + "'@'%'"
			},
		})
	})
}

// TestTheHintGrantsTheFunction reads a view that calls a function with the rights of the reader, who may not execute
// it. Following the hint helps.
func TestTheHintGrantsTheFunction(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		if db.number("SELECT @@log_bin AND NOT @@log_bin_trust_function_creators") == 1 {
			t.Skip("the server has binary logging, and does not let this user create functions")
		}
		db.exec("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); CREATE FUNCTION doubled (x int) RETURNS int DETERMINISTIC NO SQL RETURN 2 * x;" +
			"CREATE SQL SECURITY INVOKER VIEW v AS SELECT id, doubled(id) AS d FROM a")
		user, values := db.reader()
		db.exec("GRANT SELECT ON " + db.name + ".a TO " + user + "; GRANT SELECT ON " + db.name + ".v TO " + user)
		rule := source.Env{AdvancedRules: []any{map[string]any{"tables": []any{"a"}, "query": "SELECT id, " + db.name + ".doubled(id) AS d FROM a"}}}
		r := sqltest.ReadSource(t, &Type, values, rule)["a"]
		sqltest.Refuse(t, r.Err, source.ErrAuth, "GRANT EXECUTE ON FUNCTION `"+db.name+"`.`doubled` TO '"+user+"'@'%'; or remove advanced_rules[0]")
		statement, _, _ := strings.Cut(source.Hint(r.Err), ";")
		db.exec(statement)
		if r := sqltest.ReadSource(t, &Type, values, rule)["a"]; r.Err != nil || len(r.IDs) != 1 {
			t.Errorf("after %s: %+v", statement, r)
		}
	})
}

// TestViewsMustBeNamedAndHaveAKey checks that a view is read only if it is named and has a key, and that a broken
// view is ignored unless it is named.
func TestViewsMustBeNamedAndHaveAKey(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE gone (id int PRIMARY KEY); CREATE VIEW broken AS SELECT * FROM gone; CREATE DEFINER = 'nobody'@'%' VIEW orphan AS SELECT * FROM gone; DROP TABLE gone")
		sqltest.Views(t, db.shared(), "broken", "orphan")
	})
}
