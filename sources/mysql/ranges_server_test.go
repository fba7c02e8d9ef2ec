package mysql

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// cutFinely makes the source cut tables of any size into n ranges.
func cutFinely(d *database, n int64) *database {
	d.cutting = cutting{bytes: 1, most: n}
	return d
}

func TestRanges(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		for i, tt := range []struct {
			columns, key, values string
			want                 []string
		}{
			{"k int", "k", "n - 100", []string{"k ..-25", "k -24..50", "k 51..125", "k 126.."}},
			{"k bigint unsigned, l int", "k, l", "18446744073709551615 - n * 10, n", []string{"k ..18446744073709549362", "k 18446744073709549363..18446744073709550110", "k 18446744073709550111..18446744073709550858", "k 18446744073709550859.."}},
			{"l int, k smallint", "l, k", "n DIV 200, n", []string{"l ..0", "l 1.."}},
			{"k varchar(9)", "k", "n", nil},
			{"k int, u int NOT NULL, UNIQUE (u)", "", "NULL, n", []string{"u ..75", "u 76..150", "u 151..225", "u 226.."}},
			{"k date", "k", "DATE_ADD('2024-01-01', INTERVAL n DAY)", nil},
		} {
			table := fmt.Sprintf("t%d", i)
			key := ""
			if tt.key != "" {
				key = ", PRIMARY KEY (" + tt.key + ")"
			}
			db.exec(fmt.Sprintf("CREATE TABLE %s (n int, %s%s)", table, tt.columns, key))
			db.fill(table, 300, tt.values)
			db.exec("ANALYZE TABLE " + table)
			values := db.values(map[string]any{"tables": table})
			parts := sqltest.List(t, cutFinely(openSource(t, values, source.Env{}), 4))
			var want []string
			for _, w := range tt.want {
				want = append(want, table+" "+w)
			}
			if want == nil {
				want = []string{table}
			}
			if d := cmp.Diff(want, sqltest.Names(parts)); d != "" {
				t.Errorf("%s: %s", tt.columns, d)
			}
			var got, all sqltest.Result
			for _, p := range parts {
				if p.Scope() != table {
					t.Errorf("the scope of %s is %s", p.Name(), p.Scope())
				}
				r := sqltest.Read(t.Context(), p)
				got.IDs, got.Docs = append(got.IDs, r.IDs...), append(got.Docs, r.Docs...)
				if r.Err != nil {
					t.Error(r.Err)
				}
			}
			all = sqltest.ReadSource(t, &Type, values, source.Env{})[table]
			slices.Sort(got.Docs)
			slices.Sort(all.Docs)
			if d := cmp.Diff(all.Docs, got.Docs); d != "" || len(got.IDs) != 300 {
				t.Errorf("%s: %d rows, %s", tt.columns, len(got.IDs), d)
			}
		}
	})
}

// analyzed creates a table t of n rows, whose number the server knows; see [testDB.fill].
func (db *testDB) analyzed(columns string, n int, values string) {
	db.t.Helper()
	db.exec("CREATE TABLE t (" + columns + ")")
	db.fill("t", n, values)
	db.exec("ANALYZE TABLE t")
}

// TestRangesResumeAfterTheLastRow checks that each range resumes within its own keys.
func TestRangesResumeAfterTheLastRow(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.analyzed("id int PRIMARY KEY, v varchar(200)", 1000, "repeat('x', 100)")
		d := cutFinely(openSource(t, db.values(map[string]any{"retry_count": 2}), source.Env{}), 3)
		wayOf(d).NoPauses()
		parts := sqltest.List(t, d)
		idleIn(d)
		cuts := wayOf(d).CutAfter(20_000)
		times := map[string]int{}
		for _, p := range parts {
			some, err := sqltest.ReadWith(t, p, nil)
			if err != nil {
				t.Error(err)
			}
			for id, n := range some {
				times[id] += n
			}
		}
		sqltest.Once(t, times, 1000)
		if cuts.Load() < 4 || len(parts) != 3 {
			t.Errorf("%d parts, %d cuts", len(parts), cuts.Load())
		}
	})
}

// TestTablesThatAreNotCut has tables of other storage engines, views, empty tables, and unreadable ones, which are
// reported once.
func TestTablesThatAreNotCut(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE m (id int PRIMARY KEY) ENGINE = MyISAM; INSERT INTO m VALUES (1), (9); CREATE TABLE nothing (id int PRIMARY KEY); CREATE TABLE keyless (id int); INSERT INTO keyless VALUES (1), (9);" +
			"CREATE VIEW v AS SELECT * FROM m; CREATE TABLE one (id int PRIMARY KEY); INSERT INTO one VALUES (5); ANALYZE TABLE m, nothing, keyless, one")
		d := cutFinely(openSource(t, db.values(map[string]any{"tables": "*,v"}), source.Env{IDColumns: map[string][]string{"v": {"id"}}}), 4)
		if diff := cmp.Diff([]string{"keyless", "m", "nothing", "one", "v"}, sqltest.Names(sqltest.List(t, d))); diff != "" {
			t.Error(diff)
		}
	})
}

// TestRangesOfATableThatChanges checks that the ranges fail, and report that nothing is lost.
func TestRangesOfATableThatChanges(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.analyzed("id int PRIMARY KEY", 100, "")
		parts := sqltest.List(t, cutFinely(openSource(t, db.values(nil), source.Env{}), 2))
		db.exec("TRUNCATE t; INSERT INTO t VALUES (1), (99)")
		for _, p := range parts {
			sqltest.Refuse(t, sqltest.Read(t.Context(), p).Err, source.ErrTemporary, p.Name(), "start reading: ", "nothing in the table is deleted")
		}
		if len(parts) != 2 || !strings.HasPrefix(parts[1].Name(), "t id ") {
			t.Errorf("got %v", sqltest.Names(parts))
		}
	})
}

// TestRangesHaveTheSnapshotsOfTheRun checks that there are as many snapshots as concurrent readers, although all
// ranges belong to one table.
func TestRangesHaveTheSnapshotsOfTheRun(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.analyzed("n int, id int PRIMARY KEY", 100, "n")
		log := &sqltest.Logbook{}
		parts := sqltest.List(t, cutFinely(openSource(t, db.values(nil), log.Env()), sqlread.MostSnapshots))
		if total := sqltest.Nested(t, parts); len(parts) != sqlread.MostSnapshots || total != 100 || strings.Contains(log.String(), "from a later snapshot") {
			t.Errorf("%d parts, %d rows, logged %s", len(parts), total, log)
		}
	})
}
