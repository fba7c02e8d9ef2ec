package postgresql

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestOnlyBaseTablesAreRead(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE a (id int PRIMARY KEY); CREATE UNLOGGED TABLE b (id int PRIMARY KEY);
		CREATE VIEW v AS SELECT * FROM a; CREATE MATERIALIZED VIEW m AS SELECT * FROM a;
		CREATE TABLE extension_table (id int PRIMARY KEY);
		CREATE SCHEMA other; CREATE TABLE other.c (id int PRIMARY KEY)`)
	adminExec(t, db.name, `ALTER EXTENSION plpgsql ADD TABLE public.extension_table;
		CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE public.f (id int) SERVER s`)
	for schema, want := range map[string][]string{
		"public":            {"public.a", "public.b"},
		"public , other":    {"other.c", "public.a", "public.b"},
		"*":                 {"other.c", "public.a", "public.b"},
		`"other"`:           {"other.c"},
		"public,public":     {"public.a", "public.b"},
		"other,nosuch":      {"nosuch.*", "other.c"},
		"other, pg_catalog": nil, // named, a schema of the system is read
	} {
		got := sqltest.Scopes(sqltest.Listed(t, openSource(t, db.values(map[string]any{"schema": schema}), source.Env{})))
		if want == nil {
			if !slices.Contains(got, "pg_catalog.pg_class") {
				t.Errorf("schema %q: pg_class is missing: %v", schema, got)
			}
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("schema %q: %s", schema, diff)
		}
	}
	var parts []source.Part
	var last error
	for p, err := range openSource(t, db.values(map[string]any{"schema": "publik"}), source.Env{}).Parts(t.Context()) {
		parts, last = append(parts, p), err
	}
	sqltest.Refuse(t, last, source.ErrConfig, `"publik" does not exist`)
	if len(parts) != 1 {
		t.Errorf("got %d parts and errors, want the error alone", len(parts))
	}
}

func TestTableList(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY)")
	sqltest.TableList(t, db.shared(), map[string]any{"schema": "public,s"}, []sqltest.Listing{
		{Tables: "a, ,b,a", Want: []string{"public.a", "public.b", "s.a"}},
		{Tables: "public.a", Want: []string{"public.a"}},
		{Tables: "*,-log_*", Want: []string{`public."od.d/x"`, "public.a", "public.b", "s.a"}},
		{Tables: "-a,-log_?", Want: []string{`public."od.d/x"`, "public.b"}},
		{Tables: "log_[2-9],s.*", Want: []string{"public.log_2", "s.a"}},
		{Tables: `"od.d/x"`, Want: []string{`public."od.d/x"`}},
		{Tables: "od.d/x", Want: []string{`public."od.d/x"`}},
		{Tables: "od*", Want: []string{`public."od.d/x"`}},
	}, sqltest.Missing{Tables: ",x*", Scopes: []string{"x*"}, Words: []string{"does not exist", `remove "bb" in tables:`, `did you mean "b"?`}})
}

func TestAnEmptyTableHasNoDocuments(t *testing.T) {
	t.Parallel()
	sqltest.EmptyTable(t, newDB(t).shared())
}

func TestKeys(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE partial (a int NOT NULL); CREATE UNIQUE INDEX ON partial (a) WHERE a > 0;
		CREATE TABLE expr (a text NOT NULL); CREATE UNIQUE INDEX ON expr (lower(a));
		CREATE TABLE ident (a int NOT NULL, b int NOT NULL); CREATE UNIQUE INDEX ON ident (a); CREATE UNIQUE INDEX pick ON ident (b, a);
		ALTER TABLE ident REPLICA IDENTITY USING INDEX pick; CREATE TABLE none (); INSERT INTO ident VALUES (1, 2)`)
	shared := db.shared()
	sqltest.Keys(t, shared, shared.Scope, map[string][]string{"ident": {shared.ID("ident", "2", "1")}}, "partial", "expr", "none")
}

// TestIDsOnly checks that only the key columns are selected.
func TestIDsOnly(t *testing.T) {
	t.Parallel()
	sqltest.IDsOnly(t, newDB(t).shared())
}

func TestIDs(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE t (a text, b text, PRIMARY KEY (b, a)); INSERT INTO t VALUES ('a_b', 'c'), ('b', 'c_a');
		CREATE SCHEMA "We""ird"; CREATE TABLE "We""ird"."Ta b.le" (a int, "Z" int, "Mixed ""x""" text, PRIMARY KEY (a, "Z"));
		INSERT INTO "We""ird"."Ta b.le" VALUES (1, 2, 'x');
		CREATE TABLE inc (a int, b int, PRIMARY KEY (a) INCLUDE (b)); INSERT INTO inc VALUES (1, 2)`)
	got := sqltest.ReadSource(t, &Type, db.values(map[string]any{"schema": "*"}), source.Env{})
	for scope, want := range map[string]sqltest.Result{
		// Ids of different rows may be the same; the engine names both.
		"public.t":             {IDs: []string{"public_t_c_a_b", "public_t_c_a_b"}, Docs: []string{`{"public_t_a":"a_b","public_t_b":"c"}`, `{"public_t_a":"b","public_t_b":"c_a"}`}},
		`"We""ird"."Ta b.le"`:  {IDs: []string{`We"ird_Ta b.le_1_2`}, Docs: []string{`{"we\"ird_ta b.le_a":1,"we\"ird_ta b.le_z":2,"we\"ird_ta b.le_mixed \"x\"":"x"}`}},
		"public.inc" /* 43 */ : {IDs: []string{"public_inc_1"}, Docs: []string{`{"public_inc_a":1,"public_inc_b":2}`}},
	} {
		for i := range want.IDs {
			want.IDs[i] = db.name + "_" + want.IDs[i]
		}
		if diff := cmp.Diff(want.IDs, got[scope].IDs); diff != "" || got[scope].Err != nil {
			t.Errorf("%s: ids: %v %s", scope, got[scope].Err, diff)
		}
		if diff := cmp.Diff(want.Docs, got[scope].Docs); diff != "" {
			t.Errorf("%s: %s", scope, diff)
		}
	}
}

func TestColumnNames(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE t ("Name" int PRIMARY KEY, name int, name_2 int, id int, _id int, "Table" int, _timestamp int, "a.b" int);
		INSERT INTO t VALUES (1, 2, 3, 4, 5, 6, 7, 8)`)
	log := &sqltest.Logbook{}
	got := sqltest.ReadSource(t, &Type, db.values(nil), log.Env())["public.t"]
	want := []string{`{"public_t_name":1,"public_t_name_3":2,"public_t_name_2":3,"public_t_id":4,"public_t__id":5,"public_t_table":6,"public_t__timestamp":7,"public_t_a.b":8}`}
	if diff := cmp.Diff(want, got.Docs); diff != "" || got.Err != nil {
		t.Errorf("%v %s", got.Err, diff)
	}
	if n := strings.Count(log.String(), "public_t_name_3"); n != 1 {
		t.Errorf("the renamed field is logged %d times:\n%s", n, log)
	}
}

func TestPartitionsAndInheritance(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
		CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
		CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
		CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (10) TO (15);
		CREATE TABLE p2b PARTITION OF p2 FOR VALUES FROM (15) TO (20);
		INSERT INTO p SELECT g, 'x' FROM generate_series(0, 19) g;
		CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
		CREATE TABLE grandchild (PRIMARY KEY (id)) INHERITS (child);
		INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2); INSERT INTO grandchild VALUES (3)`)
	for _, tt := range []struct {
		tables string
		want   map[string]int
	}{
		{"*", map[string]int{"public.p": 20, "public.parent": 1, "public.child": 1, "public.grandchild": 1}},
		{"parent", map[string]int{"public.parent": 3}},
		{"parent,grandchild", map[string]int{"public.parent": 1, "public.grandchild": 1}},
	} {
		counts := map[string]int{}
		for scope, r := range sqltest.ReadSource(t, &Type, db.values(map[string]any{"tables": tt.tables}), source.Env{}) {
			counts[scope] = len(r.IDs)
			if r.Err != nil {
				t.Error(r.Err)
			}
			if scope == "public.p" && !strings.HasPrefix(r.IDs[0], db.name+"_public_p_") {
				t.Errorf("a partition's row has the id %q", r.IDs[0])
			}
		}
		if diff := cmp.Diff(tt.want, counts); diff != "" {
			t.Errorf("tables %s: %s", tt.tables, diff)
		}
	}
	got := sqltest.ReadSource(t, &Type, db.values(map[string]any{"tables": "p1"}), source.Env{})
	sqltest.Refuse(t, got["public.p1"].Err, source.ErrConfig, "is a partition")
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	role, values := db.reader()
	db.exec(`CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY); CREATE TABLE s.b (id int PRIMARY KEY); CREATE TABLE s.c (id int PRIMARY KEY);
		INSERT INTO s.a VALUES (1); INSERT INTO s.b VALUES (1); INSERT INTO s.c VALUES (1)`)
	values["schema"] = "s"

	log := &sqltest.Logbook{}
	got := sqltest.ReadSource(t, &Type, values, log.Env())
	if len(got) != 3 || !strings.Contains(log.String(), "GRANT USAGE ON SCHEMA") {
		t.Errorf("without USAGE: got %v, logged %s", sqltest.Scopes(got), log)
	}
	for _, r := range got {
		sqltest.Refuse(t, r.Err, source.ErrAuth, "the role has no USAGE on the schema")
	}
	// Named tables in a schema without USAGE are hidden; their names are not misspelled.
	values["tables"] = "a,b"
	if got := sqltest.ReadSource(t, &Type, values, source.Env{}); len(got) != 2 {
		t.Errorf("without USAGE, tables named: got %v", sqltest.Scopes(got))
	}
	values["tables"] = "*"

	db.exec("GRANT USAGE ON SCHEMA s TO " + role)
	for scope, r := range sqltest.ReadSource(t, &Type, values, source.Env{}) { // all have the same hint, so it is shown once
		sqltest.Refuse(t, r.Err, source.ErrAuth, scope, `GRANT SELECT ON "s"."a", "s"."b", "s"."c" TO "`+role+`"; or exclude them with tables: ["*", "-s.a", "-s.b", "-s.c"]`)
		if strings.Contains(source.Hint(r.Err), "USAGE") {
			t.Errorf("the hint grants an existing right: %s", source.Hint(r.Err))
		}
	}
	db.exec("GRANT SELECT ON s.a, s.c TO " + role)
	got = sqltest.ReadSource(t, &Type, values, source.Env{})
	sqltest.Refuse(t, got["s.b"].Err, source.ErrAuth, "may not read", `GRANT SELECT ON "s"."b" TO "`+role+`"; or exclude it with tables: ["*", "-s.b"]`)
	for _, scope := range []string{"s.a", "s.c"} {
		if r := got[scope]; r.Err != nil || len(r.IDs) != 1 {
			t.Errorf("%s: %+v", scope, r)
		}
	}
	// A right that existed when the tables were listed may be revoked when one is read.
	s := openSource(t, values, source.Env{})
	for p, err := range s.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if p.Scope() == "s.a" {
			db.exec("REVOKE SELECT ON s.a FROM " + role)
			sqltest.Refuse(t, sqltest.Read(t.Context(), p).Err, source.ErrAuth, "s.a", "GRANT SELECT ON")
		}
	}
}
