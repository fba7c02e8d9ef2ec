package oracle

import (
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// kinds are the responses for a schema with one relation of each kind.
func kinds() []answer {
	c := catalogueOf()
	c[0].rows = append(c[0].rows, []driver.Value{"MV", nil, nil}, []driver.Value{"TEMP", nil, "is temporary"}, []driver.Value{"BIN$x", nil, nil})
	c[1].rows = [][]driver.Value{{"MV"}, {"OF_ANOTHER"}}
	c[2].rows = [][]driver.Value{{"V"}}
	return c
}

// TestKinds checks that all relations except tables must be named.
func TestKinds(t *testing.T) {
	t.Parallel()
	for list, want := range map[string][]string{
		"*": {"ORDERS"}, "mv, v": {"MV", "V"}, "*, v": {"ORDERS", "V"}, "[mo]*": {"ORDERS"},
	} {
		r := newRun(t, map[string]any{"tables": list}, source.Env{}, kinds()...)
		var got []string
		for _, p := range r.parts(t) {
			got = append(got, p.Scope())
			if n, known := p.Estimate(); known != (p.Name() == "ORDERS") || known && n != 7 {
				t.Errorf("%s: %d rows, %t", p.Name(), n, known)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", list, d)
		}
	}
}

// TestViewsNeedAKey checks that the configuration must name the key of a view, whose rows are then read in no order.
func TestViewsNeedAKey(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{"V": "a view has no key", "MV": "a materialized view has no key"} {
		r := newRun(t, map[string]any{"tables": name}, source.Env{}, kinds()...)
		got := r.read(t)
		if !errors.Is(got.Err, source.ErrConfig) || !strings.Contains(got.Err.Error(), kind) || !strings.Contains(source.Hint(got.Err), `or exclude it with tables: [`) || !strings.HasSuffix(source.Hint(got.Err), "\n"+`id_columns: {"`+name+`": [COLUMN]}`) {
			t.Errorf("%s: %v, %s", name, got.Err, source.Hint(got.Err))
		}
		if r.server.closed {
			t.Errorf("%s: the session was closed", name)
		}
		rows := rowsOf("1")
		rows.to = `FROM "SHOP"."` + name + `"`
		r = newRun(t, map[string]any{"tables": name}, source.Env{IDColumns: map[string][]string{strings.ToLower(name): {"id"}}}, append(kinds(), rows)...)
		if got = r.read(t); got.Err != nil || len(got.IDs) != 1 || got.IDs[0] != "XE_"+name+"_1_" {
			t.Errorf("%s: %v, %v", name, got.IDs, got.Err)
		}
		if last := r.server.asked[len(r.server.asked)-1]; last != `SELECT "ID" FROM "SHOP"."`+name+`" AS OF SCN 1000` {
			t.Errorf("%s: %s", name, last)
		}
	}
}

// TestConstraints checks that the key is the primary key, or else a unique constraint over columns that cannot be
// NULL.
func TestConstraints(t *testing.T) {
	t.Parallel()
	type constraint = []driver.Value // name, type, column, 'Y' if it identifies rows
	for name, tt := range map[string]struct {
		constraints [][]driver.Value
		want        string // in the order of the key; "" if there is no key
	}{
		"a composite key":                      {[][]driver.Value{constraint{"PK", "P", "B", "Y"}, constraint{"PK", "P", "A", "Y"}}, `"B", "A"`},
		"primary before unique":                {[][]driver.Value{constraint{"Z", "P", "B", "Y"}, constraint{"Z", "P", "A", "Y"}, constraint{"U", "U", "ID", "Y"}}, `"B", "A"`},
		"the shortest unique":                  {[][]driver.Value{constraint{"U1", "U", "A", "Y"}, constraint{"U1", "U", "B", "Y"}, constraint{"U2", "U", "ID", "Y"}}, `"ID"`},
		"a unique key that may be NULL":        {[][]driver.Value{constraint{"U", "U", "A", nil}}, ""},
		"a unique key that may be partly NULL": {[][]driver.Value{constraint{"U", "U", "A", "Y"}, constraint{"U", "U", "B", nil}}, ""},
		"none":                                 {nil, ""},
	} {
		c := catalogueOf([]driver.Value{"A", "VARCHAR2", nil, nil, nil, nil, "NO"}, []driver.Value{"B", "VARCHAR2", nil, nil, nil, nil, "NO"})
		c[4].rows = tt.constraints
		rows := rowsOf()
		rows.columns = make([]string, 3)
		r := newRun(t, nil, source.Env{}, append(c, rows)...)
		got := r.read(t)
		if (tt.want == "") != errors.Is(got.Err, source.ErrConfig) {
			t.Errorf("%s: %v", name, got.Err)
		}
		if last := r.server.asked[len(r.server.asked)-1]; tt.want != "" && !strings.HasSuffix(last, " ORDER BY "+tt.want) {
			t.Errorf("%s: %s", name, last)
		}
	}
}

// TestInvisibleColumnsOfTheKeyAreRead has invisible columns, which * omits, although they identify rows.
func TestInvisibleColumnsOfTheKeyAreRead(t *testing.T) {
	t.Parallel()
	hidden := func(name string) []driver.Value {
		return []driver.Value{name, "VARCHAR2", nil, nil, nil, nil, "YES"}
	}
	c := catalogueOf(hidden("SEEN"), hidden("UNSEEN"))
	c[4].rows = [][]driver.Value{{"PK", "P", "SEEN", "Y"}}
	rows := rowsOf()
	rows.columns = make([]string, 2)
	r := newRun(t, nil, source.Env{}, append(c, rows)...)
	if got := r.read(t); got.Err != nil {
		t.Error(got.Err)
	}
	if last, want := r.server.asked[len(r.server.asked)-1], `SELECT "ID", "SEEN" FROM "SHOP"."ORDERS" AS OF SCN 1000 ORDER BY "SEEN"`; last != want {
		t.Errorf("got %s, want %s", last, want)
	}
}

// TestCollations checks that reading does not resume after a key that sorts by the rules of a language.
func TestCollations(t *testing.T) {
	t.Parallel()
	for collation, sorted := range map[string]bool{"USING_NLS_COMP": true, "BINARY": true, "": true, "BINARY_CI": false, "FRENCH_M": false} {
		c := catalogueOf()
		c[3].rows[0] = []driver.Value{"ID", "VARCHAR2", nil, nil, nil, collation, "NO"}
		r := newRun(t, nil, source.Env{}, c...)
		tab, err := r.Describe(t.Context(), r.first, r.parts(t)[0])
		if err != nil || tab.Sorted != sorted {
			t.Errorf("%s: sorted is %t, %v", collation, tab.Sorted, err)
		}
	}
}

// TestUnreadableColumnsAreSkipped checks that a column that cannot be read is reported once, and the others are read.
func TestUnreadableColumnsAreSkipped(t *testing.T) {
	t.Parallel()
	c := catalogueOf([]driver.Value{"HOME", "ADDRESS", "SHOP", nil, nil, nil}, []driver.Value{"SPOT", "SDO_GEOMETRY", "MDSYS", nil, nil, nil}, []driver.Value{"V", "NEWTYPE", nil, nil, nil, nil, "NO"})
	c[5].rows = [][]driver.Value{{"0"}} // the server cannot write geometries
	rows := rowsOf("1")
	rows.columns, rows.rows[0] = make([]string, 2), []driver.Value{"1", "x"}
	r := newRun(t, nil, source.Env{}, append(c, rows)...)
	got := r.read(t)
	if d := cmp.Diff([]string{`{"orders_id":1,"orders_v":"x"}`}, got.Docs); d != "" || got.Err != nil {
		t.Errorf("%v %s", got.Err, d)
	}
	part := r.Part(r.relation("SHOP", "ORDERS", sqlread.KindTable), nil)
	if _, err := r.Describe(t.Context(), r.first, part); err != nil {
		t.Fatal(err)
	}
	log := r.log.String()
	for text, want := range map[string]int{"column=HOME": 1, "column=SPOT": 1, "column=V ": 1, "skipping a column": 2, "as text": 1} {
		if got := strings.Count(log, text); got != want {
			t.Errorf("%q is said %d times, not %d: %s", text, got, want, log)
		}
	}
}

// TestIDsOnly checks that no column is selected except the key.
func TestIDsOnly(t *testing.T) {
	t.Parallel()
	r := newRun(t, nil, source.Env{IDsOnly: true}, append(catalogueOf([]driver.Value{"NOTE", "CLOB", nil, nil, nil, nil, "NO"}), rowsOf("1"))...)
	if got := r.read(t); got.Err != nil || got.IDs[0] != "XE_ORDERS_1_" {
		t.Errorf("%v, %v", got.IDs, got.Err)
	}
	if last := r.server.asked[len(r.server.asked)-1]; last != `SELECT "ID" FROM "SHOP"."ORDERS" AS OF SCN 1000 ORDER BY "ID"` {
		t.Errorf("sent: %s", last)
	}
}

// TestEarlyBreak checks that leaving the loop early releases the session.
func TestEarlyBreak(t *testing.T) {
	t.Parallel()
	r := newRun(t, nil, source.Env{}, append(catalogueOf(), rowsOf("1", "2"))...)
	p := r.parts(t)[0]
	for range p.Documents(t.Context()) {
		break
	}
	if got := sqltest.Read(t.Context(), p); got.Err != nil || len(got.IDs) != 2 || r.server.closed {
		t.Errorf("%v, %v", got.IDs, got.Err)
	}
}
