package oracle

import (
	"database/sql/driver"
	"fmt"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestOneSnapshotForAllTables checks that no session sees rows written after the tables were listed.
func TestOneSnapshotForAllTables(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shared().Create(sqltest.IDs("probe", 1))
	d := openSource(t, db.values(nil), source.Env{})
	sqltest.List(t, d)
	if !d.seesOnlyTheBeginning(t, db) {
		t.Skip("the stand-in for Oracle has neither change numbers nor transactions that read as of their beginning")
	}
	db.exec(`DROP TABLE @."PROBE"`)
	sqltest.OneSnapshot(t, db.shared(), 3, "")
}

// seesOnlyTheBeginning reports whether the sessions of a run see no row committed since. Oracle is assumed to comply.
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
		query := fmt.Sprintf(`SELECT "ID" FROM %q."PROBE"`, db.owner)
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
	db.exec(`INSERT INTO @."PROBE" VALUES (99)`)
	after := count()
	db.exec(`DELETE FROM @."PROBE" WHERE "ID" = 99`)
	return before == after
}

// TestMoreReadersThanSessions checks that additional readers open their own sessions.
func TestMoreReadersThanSessions(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shared().Create(sqltest.Numbered(5)...)
	if n := sqltest.Nested(t, sqltest.List(t, openSource(t, db.values(nil), source.Env{}))); n != 10 {
		t.Errorf("%d rows came", n)
	}
}

func TestTablesThatChange(t *testing.T) {
	t.Parallel()
	each := func(t *testing.T, check func(t *testing.T, db *sqltest.DB)) {
		t.Helper()
		db := newDB(t)
		shared := db.shared()
		shared.Exec = func(statements ...string) {
			for _, s := range statements {
				db.needs(t, "support for creating or altering such a table", s)
			}
		}
		check(t, shared)
	}
	sqltest.TablesThatChange(t, each, map[string]sqltest.Change{
		"dropped":        {Do: []string{`DROP TABLE @."T"`}, Fails: "T: "},
		"column added":   {Do: []string{`ALTER TABLE @."T" ADD ("W" NUMBER(10))`}, Rows: 3, Doc: `{"t_id":1,"t_v":"x","t_w":null}`},
		"column dropped": {Do: []string{`ALTER TABLE @."T" DROP COLUMN "V"`}, Rows: 3, Doc: `{"t_id":1}`},
		"key dropped":    {Do: []string{`ALTER TABLE @."T" DROP CONSTRAINT "T_KEY"`}, Fails: "neither a primary key"},
	})
}

// TestIDsOnly checks that only the key columns are selected.
func TestIDsOnlyFromServer(t *testing.T) {
	t.Parallel()
	sqltest.IDsOnly(t, newDB(t).shared())
}
