package oracle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestOnlyTablesAreRead(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE @."A" ("ID" NUMBER(10) PRIMARY KEY)`, `CREATE VIEW @."V" AS SELECT * FROM @."A"`)
	if d := cmp.Diff([]string{"A"}, sqltest.Scopes(sqltest.ReadSource(t, &Type, db.values(nil), source.Env{}))); d != "" {
		t.Error(d)
	}
}

// TestInternalTablesAreNotRead has temporary, overflow, materialized and dropped tables, which the catalog lists as
// well.
func TestInternalTablesAreNotRead(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.needs(t, "columns in ALL_TABLES with the purpose of a table", "SELECT temporary, nested, secondary, iot_type FROM all_tables WHERE 1 = 0")
	db.exec(
		`CREATE TABLE @."A" ("ID" NUMBER(10) PRIMARY KEY, "V" VARCHAR2(4000))`, `INSERT INTO @."A" VALUES (1, 'x')`,
		`CREATE GLOBAL TEMPORARY TABLE @."T" ("ID" NUMBER(10) PRIMARY KEY)`,
		`CREATE TABLE @."I" ("ID" NUMBER(10) PRIMARY KEY, "V" VARCHAR2(4000)) ORGANIZATION INDEX OVERFLOW`, `INSERT INTO @."I" VALUES (1, 'x')`,
		`CREATE MATERIALIZED VIEW @."M" AS SELECT * FROM @."A"`,
		`CREATE TABLE @."D" ("ID" NUMBER(10) PRIMARY KEY)`, `DROP TABLE @."D"`,
	)
	got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})
	if d := cmp.Diff([]string{"A", "I"}, sqltest.Scopes(got)); d != "" || got["A"].Err != nil || got["I"].Err != nil {
		t.Errorf("%v %s", got, d)
	}
}

func TestTableList(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	sqltest.TableList(t, db.shared(), nil, []sqltest.Listing{
		{Tables: "a, ,B,A", Want: []string{"A", "B"}},
		{Tables: db.owner + ".A", Want: []string{"A"}},
		{Tables: "*,-log_*", Want: []string{`"od.d/x"`, "A", "B"}},
		{Tables: "-A,-LOG_?", Want: []string{`"od.d/x"`, "B"}},
		{Tables: "LOG_[2-9]", Want: []string{"LOG_2"}},
		{Tables: `"od.d/x"`, Want: []string{`"od.d/x"`}},
	}, sqltest.Missing{Words: []string{`remove "BB" in tables:`, fmt.Sprintf(`GRANT SELECT ON %q."BB" TO %q`, db.owner, db.owner), `did you mean "B"?`}})
}

func TestAnEmptyTableHasNoDocuments(t *testing.T) {
	t.Parallel()
	sqltest.EmptyTable(t, newDB(t).shared())
}

func TestKeys(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	sqltest.Keys(t, db.shared(), func(table string) string { return db.owner + "." + strings.ToUpper(table) }, nil)
}

// TestUncheckedKeysAreNotUsed has constraints that the server does not enforce, and that therefore do not identify
// rows.
func TestUncheckedKeysAreNotUsed(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.needs(t, "constraints that can be turned off", `CREATE TABLE @."OFF" ("ID" NUMBER(10) PRIMARY KEY DISABLE)`)
	db.exec(`INSERT INTO @."OFF" VALUES (1)`, `INSERT INTO @."OFF" VALUES (1)`)
	sqltest.Refuse(t, sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["OFF"].Err, source.ErrConfig, "neither a primary key")
}

// TestIDs checks that ids have the columns in the order of the key in every profile, and names as in the catalog.
func TestIDs(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(
		`CREATE TABLE @."T" ("A" VARCHAR2(9), "B" VARCHAR2(9), PRIMARY KEY ("B", "A"))`, `INSERT INTO @."T" VALUES ('c', 'a_b')`, `INSERT INTO @."T" VALUES ('b_c', 'a')`,
		`CREATE TABLE @."ORDER" ("ID" NUMBER(10) PRIMARY KEY, "Mixed Case" VARCHAR2(9))`, `INSERT INTO @."ORDER" VALUES (0, 'x')`,
		`CREATE TABLE @."MixedCase" ("ID" NUMBER(10) PRIMARY KEY)`, `INSERT INTO @."MixedCase" VALUES (1)`,
		`CREATE TABLE @."CUSTOMERS" ("ID" NUMBER(10) PRIMARY KEY)`,
	)
	at := db.config.ServiceName
	got := sqltest.ReadSource(t, &Type, db.values(map[string]any{"tables": "t,ORDER,MixedCase,customers"}), source.Env{})
	if d := cmp.Diff([]string{"CUSTOMERS", "MixedCase", "ORDER", "T"}, sqltest.Scopes(got)); d != "" {
		t.Error(d)
	}
	for scope, want := range map[string]sqltest.Result{
		// In this profile, ids of different rows may be the same; the engine names both.
		"T": {IDs: []string{at + "_T_a_b_c_", at + "_T_a_b_c_"}, Docs: []string{`{"t_a":"b_c","t_b":"a"}`, `{"t_a":"c","t_b":"a_b"}`}},
		// A key of zero is omitted.
		"ORDER":     {IDs: []string{at + "_ORDER_"}, Docs: []string{`{"order_id":0,"order_mixed case":"x"}`}},
		"MixedCase": {IDs: []string{at + "_MixedCase_1_"}, Docs: []string{`{"mixedcase_id":1}`}},
	} {
		if d := cmp.Diff(want, got[scope]); d != "" {
			t.Errorf("%s: %s", scope, d)
		}
	}
	got = sqltest.ReadSource(t, &Type, db.values(map[string]any{"tables": "T,ORDER"}), source.Env{Profile: "native"})
	id := "oracle:" + at + ":" + db.owner + ":"
	for scope, want := range map[string]sqltest.Result{
		"T":     {IDs: []string{id + "T:a:b_c", id + "T:a_b:c"}, Docs: []string{`{"key":{"B":"a","A":"b_c"},"row":{"A":"b_c","B":"a"}}`, `{"key":{"B":"a_b","A":"c"},"row":{"A":"c","B":"a_b"}}`}},
		"ORDER": {IDs: []string{id + "ORDER:0"}, Docs: []string{`{"key":{"ID":0},"row":{"ID":0,"Mixed Case":"x"}}`}},
	} {
		if d := cmp.Diff(want, got[scope]); d != "" {
			t.Errorf("%s: %s", scope, d)
		}
	}
}

// TestColumnNames checks that a column may have the name of a field that every document has.
func TestColumnNames(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE @."T" ("id" NUMBER(10) PRIMARY KEY, "_id" NUMBER(10), "Table" NUMBER(10), "_timestamp" NUMBER(10), "Database" NUMBER(10), "a.b" NUMBER(10), "a_b" NUMBER(10), "žluť" NUMBER(10))`,
		`INSERT INTO @."T" VALUES (1, 2, 3, 4, 5, 6, 7, 8)`)
	for profile, want := range map[string]string{
		"head":   `{"t_id":1,"t__id":2,"t_table":3,"t__timestamp":4,"t_database":5,"t_a.b":6,"t_a_b":7,"t_žluť":8}`,
		"native": `{"key":{"id":1},"row":{"id":1,"_id":2,"Table":3,"_timestamp":4,"Database":5,"a_b":6,"a_b_2":7,"žluť":8}}`,
	} {
		got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{Profile: profile})["T"]
		if d := cmp.Diff([]string{want}, got.Docs); d != "" || got.Err != nil {
			t.Errorf("%s: %v %s", profile, got.Err, d)
		}
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	other := db.owner + "_R"
	db.user(other)
	db.exec(`CREATE TABLE @."A" ("ID" NUMBER(10) PRIMARY KEY)`, `INSERT INTO @."A" VALUES (1)`, `CREATE TABLE @."B" ("ID" NUMBER(10) PRIMARY KEY)`, `INSERT INTO @."B" VALUES (1)`)
	db.needs(t, "rights on tables", fmt.Sprintf(`GRANT SELECT ON @."A" TO %q`, other))
	values := db.values(map[string]any{"username": other, "tables": db.owner + ".A," + db.owner + ".B"})
	got := sqltest.ReadSource(t, &Type, values, source.Env{})
	if r := got[db.owner+".A"]; r.Err != nil || len(r.IDs) != 1 {
		t.Errorf("%+v", got)
	}
	grant := fmt.Sprintf(`GRANT SELECT ON %q."B" TO %q`, db.owner, other)
	sqltest.Refuse(t, got[db.owner+".B"].Err, source.ErrConfig, "or the user has no privilege on it", grant)
	db.exec(grant) // following the hint helps
	parts := sqltest.Listed(t, openSource(t, values, source.Env{}))
	db.exec(fmt.Sprintf(`REVOKE SELECT ON @."A" FROM %q`, other)) // a table that could be read when the tables were listed
	sqltest.Refuse(t, sqltest.Read(t.Context(), parts[db.owner+".A"]).Err, nil, "A: ")
	if r := sqltest.Read(t.Context(), parts[db.owner+".B"]); r.Err != nil || len(r.IDs) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestOtherSchemas checks that other schemas are read if they are named, and that patterns select only the user's own
// tables.
func TestOtherSchemas(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	other := db.owner + "_R"
	db.user(other)
	db.exec(`CREATE TABLE @."A" ("ID" NUMBER(10) PRIMARY KEY)`, `INSERT INTO @."A" VALUES (1)`)
	if !db.standIn { // where every user may read everything, and GRANT does not accept such names
		db.exec(fmt.Sprintf(`GRANT SELECT ON @."A" TO %q`, other))
	}
	values := db.values(map[string]any{"username": other, "tables": "*"})
	if got := sqltest.ReadSource(t, &Type, values, source.Env{}); len(got) != 0 {
		t.Errorf("unasked, it reads %q", sqltest.Scopes(got))
	}
	values["tables"] = strings.ToLower(db.owner) + ".a"
	got := sqltest.ReadSource(t, &Type, values, source.Env{})
	if r := got[db.owner+".A"]; len(got) != 1 || r.Err != nil || len(r.IDs) != 1 {
		t.Errorf("got %+v", got)
	}
}

// TestViewsMustBeNamedAndHaveAKey checks that a view is read only if it is named and has a key, and that a broken
// view is ignored unless it is named.
func TestViewsMustBeNamedAndHaveAKey(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	sqltest.Views(t, db.shared())
	db.needs(t, "views of missing tables", `CREATE FORCE VIEW @."BROKEN" AS SELECT * FROM @."GONE"`)
	all := sqltest.ReadSource(t, &Type, db.values(map[string]any{"tables": "*,BROKEN"}), source.Env{IDColumns: map[string][]string{"BROKEN": {"ID"}}})
	sqltest.Refuse(t, all["BROKEN"].Err, source.ErrConfig, "BROKEN", "repair the view", `"-BROKEN"`)
	if all["A"].Err != nil {
		t.Error(all["A"].Err)
	}
}
