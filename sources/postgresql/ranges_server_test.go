package postgresql

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// smallRanges cuts tables that are small enough for a test.
var smallRanges = cutting{blocks: 400, most: 5}

// openCut opens the source with small ranges.
func openCut(t testing.TB, raw map[string]any, env source.Env) *database {
	t.Helper()
	d := openSource(t, raw, env)
	d.cutting = smallRanges
	wayOf(d).NoPauses()
	return d
}

// cutDB has a table of lossRows rows in about 3,000 blocks.
func cutDB(t testing.TB) *testDB {
	t.Helper()
	db := newDB(t)
	db.statements(fmt.Sprintf(`CREATE TABLE t (id int PRIMARY KEY, v text);
		INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, %d) g; UPDATE t SET v = v || 'y' WHERE id %% 7 = 0`, lossRows), "VACUUM ANALYZE t")
	return db
}

// statements runs each as a transaction of its own.
func (db *testDB) statements(sql ...string) {
	db.t.Helper()
	for _, s := range sql {
		db.exec(s)
	}
}

func TestRangesOfATable(t *testing.T) {
	t.Parallel()
	db := cutDB(t)
	parts := sqltest.List(t, openCut(t, db.values(nil), source.Env{}))
	if len(parts) != 5 {
		t.Fatalf("got the parts %q, want 5", sqltest.Names(parts))
	}
	times, sum := map[string]int{}, int64(0)
	for i, p := range parts {
		b := p.(*part).blocks
		if first, last := b.from == 0, b.end == 0; first != (i == 0) || last != (i == 4) || p.Scope() != "public.t" {
			t.Errorf("part %d is %s of %s", i, p.Name(), p.Scope())
		}
		n, known := p.(source.Estimator).Estimate()
		if sum += n; !known {
			t.Errorf("%s has no estimate", p.Name())
		}
		// Concurrent changes have no effect: updates put rows into blocks that have not been read yet.
		got, err := sqltest.ReadWith(t, p, map[int]func(){1: func() {
			db.statements(fmt.Sprintf("UPDATE t SET v = 'z' WHERE id %% 5 = %d", i), fmt.Sprintf("DELETE FROM t WHERE id %% 11 = %d", i),
				fmt.Sprintf("INSERT INTO t SELECT -g - %d * 1000, repeat('n', 900) FROM generate_series(1, 900) g", i), "VACUUM t")
		}})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) < lossRows/10 {
			t.Errorf("%s has %d rows", p.Name(), len(got))
		}
		for id, n := range got {
			times[id] += n
		}
	}
	sqltest.Once(t, times, lossRows)
	if sum < lossRows*9/10 || sum > lossRows {
		t.Errorf("the estimates add up to %d", sum)
	}
}

// TestRangesAreFound checks that a range is read without reading the blocks before it.
func TestRangesAreFound(t *testing.T) {
	t.Parallel()
	db := cutDB(t)
	db.exec("ALTER ROLE " + quote.Ident(db.config.User) + " IN DATABASE " + db.name + " SET enable_tidscan = off")
	p := sqltest.List(t, openCut(t, db.values(nil), source.Env{}))[1].(*part)
	conn, err := p.begin(t.Context(), p.snapshot)
	if err != nil {
		t.Fatal(err)
	}
	defer hangUp(t.Context(), conn)
	if err := p.lock(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	columns, err := p.describe(t.Context(), conn, oidOf(&p.Rel))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []*position{{}, {begun: true}} {
		query, _ := p.query(columns, at)
		var plan string
		if err := conn.QueryRow(t.Context(), "EXPLAIN "+query).Scan(&plan); err != nil || !strings.HasPrefix(plan, "Tid Range Scan on t") {
			t.Errorf("%v: %s\n%s", err, query, plan)
		}
	}
}

// TestARangeResumesAfterTheLastRow ends the connection that reads a range, so early that the rest of it does not fit
// into the buffers on the way.
func TestARangeResumesAfterTheLastRow(t *testing.T) {
	t.Parallel()
	db := cutDB(t)
	log := &sqltest.Logbook{}
	d := openCut(t, db.values(map[string]any{"retry_count": 3}), log.Env())
	d.cutting.most = 2 // the second range has no end
	lose := func() { db.end(terminate, busy) }
	times := map[string]int{}
	for _, p := range sqltest.List(t, d) {
		got, err := sqltest.ReadWith(t, p, map[int]func(){1: lose})
		if err != nil {
			t.Fatal(err)
		}
		for id, n := range got {
			times[id] += n
		}
	}
	sqltest.Once(t, times, lossRows)
	if n := strings.Count(log.String(), "resuming after the last row"); n != 2 {
		t.Errorf("resumed %d times, want 2:\n%s", n, log)
	}
}

// TestOldStatistics reads a table that has grown or shrunk since its blocks were counted.
func TestOldStatistics(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"grown":  fmt.Sprintf("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(%d, %d) g", lossRows+1, lossRows+3000),
		"shrunk": "DELETE FROM t WHERE id > 500",
	} {
		db := cutDB(t)
		db.exec(change)
		var want int
		if err := db.session().QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&want); err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		n := 0
		for _, p := range sqltest.List(t, openCut(t, db.values(nil), source.Env{})) {
			r := sqltest.Read(t.Context(), p)
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			n += len(r.IDs)
			for _, id := range r.IDs {
				ids[id] = true
			}
		}
		if n != want || len(ids) != want {
			t.Errorf("%s: got %d rows with %d ids, want %d", name, n, len(ids), want)
		}
	}
}

// TestRangesFailTogether checks that the table fails if one range cannot use the snapshot of the run.
func TestRangesFailTogether(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*testDB)
		says   string
	}{
		"rewritten":      {change: func(db *testDB) { db.exec("VACUUM FULL t") }, says: "rewritten since the run began"},
		"truncated":      {change: func(db *testDB) { db.exec("TRUNCATE t") }, says: "rewritten since the run began"},
		"replaced":       {change: func(db *testDB) { db.exec("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY)") }, says: "rewritten since the run began"},
		"column dropped": {change: func(db *testDB) { db.exec("ALTER TABLE t DROP COLUMN v") }, says: "column \"v\" does not exist"},
		"column renamed": {change: func(db *testDB) { db.exec("ALTER TABLE t RENAME COLUMN v TO w; ALTER TABLE t ADD COLUMN v text") }, says: "rewritten since the run began"},
		"snapshot lost":  {change: func(db *testDB) { db.end(terminate, waiting) }, says: "the snapshot cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := cutDB(t)
			db.exec("CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1)")
			parts := sqltest.List(t, openCut(t, db.values(nil), source.Env{}))
			if r := sqltest.Read(t.Context(), parts[1]); r.Err != nil || len(r.IDs) == 0 {
				t.Fatalf("before: %d rows, %v", len(r.IDs), r.Err)
			}
			tt.change(db)
			r := sqltest.Read(t.Context(), parts[2])
			sqltest.Refuse(t, r.Err, source.ErrTemporary, parts[2].Name()+": start reading", tt.says, "nothing in the table is deleted; run again")
			if len(r.IDs) > 0 {
				t.Errorf("%d rows came all the same", len(r.IDs))
			}
			if r := sqltest.Read(t.Context(), parts[0]); r.Err != nil || len(r.IDs) != 1 {
				t.Errorf("the other table: %d rows, %v", len(r.IDs), r.Err)
			}
		})
	}
}

// TestTablesThatAreNotCut has tables that are large and yet one part.
func TestTablesThatAreNotCut(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		set    string
		admin  string
		values map[string]any
		parts  int // 5 shows that the table is large enough to be cut
	}{
		"nothing":               {parts: 5},
		"without a key":         {set: "ALTER TABLE t DROP CONSTRAINT t_pkey", parts: 1},
		"with row security":     {set: "ALTER TABLE t ENABLE ROW LEVEL SECURITY", parts: 1},
		"with a child":          {set: "CREATE TABLE c () INHERITS (t)", values: map[string]any{"tables": "t"}, parts: 1},
		"with partitions":       {set: "ALTER TABLE t RENAME TO t1; CREATE TABLE t (LIKE t1) PARTITION BY RANGE (id); ALTER TABLE t ATTACH PARTITION t1 FOR VALUES FROM (0) TO (99999)", parts: 1},
		"not counted":           {set: "CREATE TABLE u AS TABLE t; ALTER TABLE u ADD PRIMARY KEY (id); DROP TABLE t; ALTER TABLE u RENAME TO t", admin: "UPDATE pg_class SET relpages = 0 WHERE relname = 't'", parts: 1},
		"no snapshot to share":  {admin: "REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM PUBLIC", parts: 1},
		"completely unreadable": {set: "REVOKE ALL ON t FROM CURRENT_USER", parts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := cutDB(t)
			if tt.set != "" {
				db.exec(tt.set)
			}
			if tt.admin != "" {
				adminExec(t, db.name, tt.admin)
			}
			if got := sqltest.List(t, openCut(t, db.values(tt.values), source.Env{})); len(got) != tt.parts {
				t.Errorf("got the parts %q, want %d", sqltest.Names(got), tt.parts)
			}
		})
	}
}

// TestSnapshotThatOnlyOneCanUse exports the snapshot, but other connections reach a different server, as with a proxy
// that distributes them.
func TestSnapshotThatOnlyOneCanUse(t *testing.T) {
	t.Parallel()
	db := cutDB(t)
	log := &sqltest.Logbook{}
	d := openCut(t, db.values(nil), log.Env())
	snapshot, err := d.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.catalogue(t.Context(), d.control)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{snapshot: 5, "00000FFF-00000001-1": 1} {
		parts, err := d.plan(t.Context(), c, name)
		if err != nil || len(parts) != want {
			t.Errorf("with the snapshot %s: %d parts, %v; want %d", name, len(parts), err, want)
		}
	}
	if n := strings.Count(log.String(), "cannot share a snapshot"); n != 1 {
		t.Errorf("warned %d times:\n%s", n, log)
	}
}

// TestRangesWarnOnce checks that a warning about a table is not repeated for each of its ranges.
func TestRangesWarnOnce(t *testing.T) {
	t.Parallel()
	db := cutDB(t)
	db.exec(`ALTER TABLE t ADD COLUMN "V" int`)
	log := &sqltest.Logbook{}
	for _, p := range sqltest.List(t, openCut(t, db.values(nil), log.Env())) {
		if r := sqltest.Read(t.Context(), p); r.Err != nil {
			t.Error(r.Err)
		}
	}
	if n := strings.Count(log.String(), "public_t_v_2"); n != 1 {
		t.Errorf("reported %d times:\n%s", n, log)
	}
}

func TestContractOfRanges(t *testing.T) {
	db := cutDB(t)
	db.statements("DELETE FROM t WHERE id > 3000", "VACUUM FULL ANALYZE t", "CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1), (2), (3)")
	typ := Type
	typ.Open = func(ctx context.Context, v field.Values, env source.Env) (source.Source, error) {
		s, err := Type.Open(ctx, v, env)
		if err == nil {
			s.(*database).cutting = cutting{blocks: 50, most: 8}
		}
		return s, err
	}
	broken := db.values(map[string]any{"password": "wrong"})
	cut := false
	sourcetest.Run(t, sourcetest.Config{
		Type: typ,
		Values: func(t *testing.T) map[string]any {
			t.Helper()
			s, err := typ.Open(t.Context(), sqltest.Parse(t, &Type, db.values(nil)), source.Env{Log: discard(), StallTimeout: sqltest.Patience})
			if err != nil {
				t.Fatal(err)
			}
			cut = len(sqltest.List(t, s)) > 5
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			return db.values(nil)
		},
		Env:    source.Env{StallTimeout: sqltest.Patience},
		Broken: map[string]sourcetest.Broken{"password": {Values: broken, Kind: source.ErrAuth}},
		FailingPart: func(t *testing.T) sourcetest.FailingPart {
			t.Helper()
			role, values := db.reader()
			db.exec("GRANT SELECT ON t TO " + role)
			return sourcetest.FailingPart{Values: values, Scope: "public.other", Kind: source.ErrAuth}
		},
		Loss:      sqltest.LossAfter(100_000, db.values),
		NoContent: "a row is all fields",
	})
	if !cut {
		t.Error("the table was not read in ranges")
	}
}
