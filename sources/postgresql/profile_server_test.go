package postgresql

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestIDsOfProfiles reads ids that differ between profiles.
func TestIDsOfProfiles(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE zero (a int, b numeric(4,2), c text, d bytea, e boolean, f interval, g real, h int[], PRIMARY KEY (a, b, c, d, e, f, g, h));
		INSERT INTO zero VALUES (0, 0, '', '', false, '0', 0, '{}');
		CREATE TABLE t (a text, b text, PRIMARY KEY (b, a)); INSERT INTO t VALUES ('a_b', 'c'), ('b', 'c_a'), ('100%:', 'd');
		CREATE TABLE long (v text PRIMARY KEY); INSERT INTO long VALUES (repeat('x', 600));
		CREATE TABLE declared (a text, b text); INSERT INTO declared VALUES (NULL, 'x'), ('x', NULL), ('x', '');
		CREATE SCHEMA "We""ird"; CREATE TABLE "We""ird"."Ta b:le" (a int, "Z" int, PRIMARY KEY (a, "Z")); INSERT INTO "We""ird"."Ta b:le" VALUES (1, 2);
		CREATE TABLE inc (a int, b int, PRIMARY KEY (a) INCLUDE (b)); INSERT INTO inc VALUES (1, 2)`)
	weird := `"We""ird".Ta b:le`
	for profile, want := range map[string]map[string][]string{
		"seed87": {
			"public.zero": {"DB_public_zero_"}, "public.t": {"DB_public_t_c_a_b_", "DB_public_t_c_a_b_", "DB_public_t_d_100%:_"},
			"public.long":     {"DB_public_long_" + strings.Repeat("x", 600) + "_"},
			"public.declared": {"DB_public_declared_x_", "DB_public_declared_x_", "DB_public_declared_x_"},
			weird:             {`DB_We"ird_Ta b:le_1_2_`}, "public.inc": {"DB_public_inc_1_"},
		},
		"head": {
			"public.zero": {"DB_public_zero_0_0.00__b''_False_0:00:00_0.0_{}"}, "public.t": {"DB_public_t_c_a_b", "DB_public_t_c_a_b", "DB_public_t_d_100%:"},
			"public.long":     {"DB_public_long_" + strings.Repeat("x", 600)},
			"public.declared": {"DB_public_declared_x", "DB_public_declared_x", "DB_public_declared_x_"},
			weird:             {`DB_We"ird_Ta b:le_1_2`}, "public.inc": {"DB_public_inc_1"},
		},
		"native": {
			"public.zero": {`postgresql:DB:public:zero:0:0.00::\x:f:PT0S:0:{}`},
			"public.t":    {"postgresql:DB:public:t:c:a_b", "postgresql:DB:public:t:c_a:b", "postgresql:DB:public:t:d:100%25%3A"},
			"public.long": {""}, // the database has a new name in each run; see TestLongIDsAreReplaced
			"public.declared": {
				"postgresql:DB:public:declared:%00:x", "postgresql:DB:public:declared:x:", "postgresql:DB:public:declared:x:%00",
			},
			weird: {`postgresql:DB:We"ird:Ta b%3Ale:1:2`}, "public.inc": {"postgresql:DB:public:inc:1"},
		},
	} {
		env := source.Env{Profile: profile, IDColumns: map[string][]string{"declared": {"a", "b"}}}
		got := sqltest.ReadSource(t, &Type, db.values(map[string]any{"schema": "*"}), env)
		for scope, ids := range want {
			for i := range ids {
				ids[i] = strings.Replace(ids[i], "DB", db.name, 1)
			}
			read := slices.Sorted(slices.Values(got[scope].IDs))
			if ids[0] == "" && len(read) == 1 && strings.HasPrefix(read[0], "h:") {
				read[0] = read[0][len("h:")+64:]
			}
			if diff := cmp.Diff(ids, read); diff != "" || got[scope].Err != nil {
				t.Errorf("%s %s: %v %s", profile, scope, got[scope].Err, diff)
			}
		}
	}
}

// TestColumnNamesOfProfiles checks that native keeps names that the other profiles fold.
func TestColumnNamesOfProfiles(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE t ("Name" int PRIMARY KEY, name bigint, id int, _id int, "Table" int, _timestamp int, "a.b" int, a int, gone int, " " int);
		ALTER TABLE t DROP COLUMN gone; INSERT INTO t VALUES (1, 9007199254740993, 3, 4, 5, 6, 7, 8, 9)`)
	for profile, want := range map[string]string{
		"seed87": `{"public_t_name":1,"public_t_name_2":9007199254740993,"public_t_id":3,"public_t__id":4,"public_t_table":5,"public_t__timestamp":6,"public_t_a_b":7,"public_t_a":8,"public_t_ ":9}`,
		"native": `{"key":{"Name":1},"row":{"Name":1,"name":9007199254740993,"id":3,"_id":4,"Table":5,"_timestamp":6,"a_b":7,"a":8,"_col10":9}}`,
	} {
		log := &sqltest.Logbook{}
		env := log.Env()
		env.Profile = profile
		got := sqltest.ReadSource(t, &Type, db.values(nil), env)["public.t"]
		if diff := cmp.Diff([]string{want}, got.Docs); diff != "" || got.Err != nil {
			t.Errorf("%s: %v %s", profile, got.Err, diff)
		}
		for _, renamed := range []string{"column=name field=public_t_name_2", "column=a.b field=public_t_a_b"} {
			if warned := strings.Contains(log.String(), renamed); warned != (profile == "seed87") {
				t.Errorf("%s: logged %s", profile, log)
			}
		}
	}
}

// TestMoneyOfTheLocale checks that only compat keeps money in the form the database gives it.
func TestMoneyOfTheLocale(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("ALTER DATABASE " + db.name + " SET lc_monetary = 'POSIX'") // the other name of C, which every server has
	for encoding, want := range map[string]string{"": "C", "compat": "POSIX"} {
		d := openSource(t, db.values(nil), source.Env{Encoding: encoding})
		sqltest.Listed(t, d)
		var got string
		if err := d.control.QueryRow(t.Context(), "SHOW lc_monetary").Scan(&got); err != nil || got != want {
			t.Errorf("encoding %q: money as in %q, %v; want %s", encoding, got, err, want)
		}
	}
}
