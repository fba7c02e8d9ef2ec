package oracle

import (
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestCase59OneSnapshot: what is written after the tables were listed is not seen.
func TestCase59OneSnapshot(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	for i := range 3 {
		db.exec(fmt.Sprintf(`CREATE TABLE @."T%d" ("ID" NUMBER(10) PRIMARY KEY, "V" NUMBER(10))`, i), fmt.Sprintf(`INSERT INTO @."T%d" VALUES (1, 1)`, i), fmt.Sprintf(`INSERT INTO @."T%d" VALUES (2, 1)`, i))
	}
	log := &sqltest.Logbook{}
	d := openSource(t, db.values(nil), log.Env())
	parts := sqltest.Listed(t, d)
	if !d.seesOnlyTheBeginning(t, db) {
		t.Skip("the stand-in for Oracle has neither change numbers nor transactions that read as of their beginning")
	}
	for i := range 3 {
		db.exec(fmt.Sprintf(`INSERT INTO @."T%d" VALUES (3, 1)`, i), fmt.Sprintf(`UPDATE @."T%d" SET "V" = 2 WHERE "ID" = 1`, i), fmt.Sprintf(`DELETE FROM @."T%d" WHERE "ID" = 2`, i))
	}
	for scope, p := range parts {
		r := sqltest.Read(t.Context(), p)
		name := strings.ToLower(scope)
		want := []string{`{"` + name + `_id":1,"` + name + `_v":1}`, `{"` + name + `_id":2,"` + name + `_v":1}`}
		if diff := cmp.Diff(want, r.Docs); diff != "" || r.Err != nil {
			t.Errorf("%s: %v %s", scope, r.Err, diff)
		}
	}
	if strings.Contains(log.String(), "level=WARN") {
		t.Errorf("logged %s", log)
	}
}

// seesOnlyTheBeginning asks whether the sessions of a run see no row that was committed since. An Oracle is
// not asked.
func (d *database) seesOnlyTheBeginning(t *testing.T, db *testDB) bool {
	t.Helper()
	if !db.standIn {
		return true
	}
	s, ok := d.Snapshots.Take()
	if !ok {
		t.Fatal("the run has no session")
	}
	defer d.Snapshots.Put(s)
	count := func() (n int) {
		query := fmt.Sprintf(`SELECT "ID" FROM %q."T0"`, db.owner)
		r, err := s.Stream(t.Context(), query, nil)
		if err != nil {
			t.Fatal(err)
		}
		for r.Next(make([]driver.Value, 1)) == nil {
			n++
		}
		_ = r.Close()
		return n
	}
	before := count()
	db.exec(`INSERT INTO @."T0" VALUES (99, 1)`)
	after := count()
	db.exec(`DELETE FROM @."T0" WHERE "ID" = 99`)
	return before == after
}

// TestMoreReadersThanSessions: those beyond have one of their own.
func TestMoreReadersThanSessions(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	for i := range 5 {
		db.exec(fmt.Sprintf(`CREATE TABLE @."T%d" ("ID" NUMBER(10) PRIMARY KEY)`, i), fmt.Sprintf(`INSERT INTO @."T%d" VALUES (1)`, i), fmt.Sprintf(`INSERT INTO @."T%d" VALUES (2)`, i))
	}
	d := openSource(t, db.values(nil), source.Env{})
	if n := sqltest.Nested(t, slices.Collect(maps.Values(sqltest.Listed(t, d)))); n != 10 {
		t.Errorf("%d rows came", n)
	}
}

func TestCase58TablesThatChange(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change []string // after the tables were listed
		docs   int
		doc    string // of the first row
		fails  string
	}{
		"dropped":        {change: []string{`DROP TABLE @."T"`}, fails: "T: "},
		"column added":   {change: []string{`ALTER TABLE @."T" ADD ("W" NUMBER(10))`}, docs: 2, doc: `{"t_id":1,"t_v":"x","t_w":null}`},
		"column dropped": {change: []string{`ALTER TABLE @."T" DROP COLUMN "V"`}, docs: 2, doc: `{"t_id":1}`},
		"key dropped":    {change: []string{`ALTER TABLE @."T" DROP CONSTRAINT "T_KEY"`}, fails: "neither a primary key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			db.exec(`CREATE TABLE @."T" ("ID" NUMBER(10), "V" VARCHAR2(9), CONSTRAINT "T_KEY" PRIMARY KEY ("ID"))`, `INSERT INTO @."T" VALUES (1, 'x')`, `INSERT INTO @."T" VALUES (2, 'x')`,
				`CREATE TABLE @."O" ("ID" NUMBER(10) PRIMARY KEY)`, `INSERT INTO @."O" VALUES (1)`)
			parts := sqltest.Listed(t, openSource(t, db.values(nil), source.Env{}))
			for _, change := range tt.change {
				db.needs(t, "way to alter a table like this", change)
			}
			got := sqltest.Read(t.Context(), parts["T"])
			switch {
			case tt.fails != "":
				sqltest.Refuse(t, got.Err, nil, tt.fails)
			case got.Err != nil || len(got.Docs) != tt.docs || got.Docs[0] != tt.doc:
				t.Errorf("got %v, %v; want %d like %s", got.Docs, got.Err, tt.docs, tt.doc)
			}
			if r := sqltest.Read(t.Context(), parts["O"]); r.Err != nil || len(r.IDs) != 1 {
				t.Errorf("another table: %+v", r)
			}
		})
	}
}

// TestIDsOnly: only the columns of the key are asked for.
func TestIDsOnlyFromServer(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE @."T" ("V" VARCHAR2(9), "B" NUMBER(10), "A" NUMBER(10), PRIMARY KEY ("B", "A"))`, `INSERT INTO @."T" VALUES ('x', 1, 2)`)
	for _, profile := range []string{"head", "native"} {
		whole, ids := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{Profile: profile})["T"], sqltest.ReadSource(t, &Type, db.values(nil), source.Env{Profile: profile, IDsOnly: true})["T"]
		if d := cmp.Diff(whole.IDs, ids.IDs); d != "" || ids.Err != nil || len(ids.IDs) != 1 {
			t.Errorf("%s: %v %s", profile, ids.Err, d)
		}
		if strings.Contains(fmt.Sprint(ids.Docs), `"x"`) || !strings.Contains(fmt.Sprint(whole.Docs), `"x"`) {
			t.Errorf("%s: got %s", profile, ids.Docs)
		}
	}
}
