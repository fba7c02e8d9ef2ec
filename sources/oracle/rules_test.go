package oracle

import (
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// ruled is the environment with one rule about ORDERS.
func ruled(query string, idColumns ...any) source.Env {
	rule := map[string]any{"tables": []any{"orders"}, "query": query}
	if len(idColumns) > 0 {
		rule["id_columns"] = idColumns
	}
	return source.Env{AdvancedRules: []any{rule}}
}

// described has the server's description of the columns of a query, and then its rows.
func described(names, types []string, rows ...[]driver.Value) []answer {
	return []answer{
		{to: "WHERE 1 = 0", columns: names, types: types},
		{to: "SELECT", columns: names, types: types, rows: rows},
	}
}

func TestFirstWord(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"select 1": "SELECT", " ( (with x as": "WITH", "-- a\n/* b */ SELECT*": "SELECT", "DELETE FROM t": "DELETE", "/*+ hint */\tselect": "SELECT",
		"-- SELECT": "", "/* SELECT": "", "": "", "SELECTED": "SELECTED", "BEGIN NULL; END": "BEGIN", "1": "",
	} {
		if got := firstWord(query); got != want {
			t.Errorf("%q: got %q", query, got)
		}
	}
}

// TestOnlyQueriesAreSent checks that a statement that does not begin as a query is refused, and never sent.
func TestOnlyQueriesAreSent(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"DELETE FROM orders", "BEGIN x; END", "/* SELECT */ DROP TABLE t", "CALL p()"} {
		r := newRun(t, nil, ruled(query), catalogueOf()...)
		parts := r.parts(t)
		err := r.Check(t.Context(), r.first, parts[0])
		if !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), "does not begin with SELECT or WITH") || !strings.Contains(source.Hint(err), "that only reads") {
			t.Errorf("%s: got %v", query, err)
		}
		if got := sqltest.Read(t.Context(), parts[0]); !errors.Is(got.Err, source.ErrConfig) || len(got.IDs) != 0 {
			t.Errorf("%s: read with %v", query, got.Err)
		}
		for _, asked := range r.server.asked {
			if strings.Contains(asked, query) {
				t.Errorf("sent: %s", asked)
			}
		}
	}
}

// TestCheck checks a query without running it. Its errors are errors of the configuration, unless the query lacks a
// privilege or the server is not available.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answers []answer
		ids     []any
		kind    error
		says    string
	}{
		"right":                   {answers: described([]string{"ID"}, nil)},
		"key in small letters":    {answers: described([]string{"id"}, nil)},
		"two columns of one name": {answers: []answer{{to: "WHERE 1 = 0", err: oraError(918)}}},
		"an invalid WITH":         {answers: []answer{{to: "WHERE 1 = 0", err: oraError(32034)}}},
		"not visible":             {answers: []answer{{to: "WHERE 1 = 0", err: oraError(942)}}},
		"not readable":            {answers: []answer{{to: "WHERE 1 = 0", err: oraError(1031)}}},
		"wrong":                   {answers: []answer{{to: "WHERE 1 = 0", err: oraError(936)}}, kind: source.ErrConfig, says: "query: ORA-00936"},
		"two statements":          {answers: []answer{{to: "WHERE 1 = 0", err: oraError(911)}}, kind: source.ErrConfig, says: "query: ORA-00911"},
		"a parameter":             {answers: []answer{{to: "WHERE 1 = 0", err: oraError(1008)}}, kind: source.ErrConfig, says: "write the value into the query"},
		"not now":                 {answers: []answer{{to: "WHERE 1 = 0", err: oraError(1089)}}, kind: source.ErrTemporary, says: "check the query"},
		"without the key":         {answers: described([]string{"X"}, nil), kind: source.ErrConfig, says: `its result lacks column "ID" of the key of ORDERS`},
		"without a column":        {answers: described([]string{"X"}, nil), ids: []any{"Y"}, kind: source.ErrConfig, says: `id_columns: the result of the query has no column "Y"`},
	} {
		r := newRun(t, nil, ruled("SELECT 1 FROM orders", tt.ids...), append(catalogueOf(), tt.answers...)...)
		err := r.Check(t.Context(), r.first, r.parts(t)[0])
		if (tt.kind == nil) != (err == nil) || tt.kind != nil && (!errors.Is(err, tt.kind) || !strings.Contains(err.Error()+source.Hint(err), tt.says)) {
			t.Errorf("%s: got %v", name, err)
		}
		for _, asked := range r.server.asked {
			if strings.Contains(asked, "SELECT 1 FROM orders") && !strings.HasSuffix(asked, ") q WHERE 1 = 0") {
				t.Errorf("%s: sent: %s", name, asked)
			}
		}
	}
}

// TestQueryIsReadAsWritten unless some columns must be converted in the SELECT.
func TestQueryIsReadAsWritten(t *testing.T) {
	t.Parallel()
	const query = "SELECT * FROM orders ORDER BY 1"
	for name, tt := range map[string]struct {
		types []string
		want  string
		docs  []string
	}{
		"plain":    {[]string{"NUMBER", "NCHAR"}, query, []string{`{"orders_id":"1","orders_v":"x"}`}},
		"interval": {[]string{"NUMBER", "IntervalDS_DTY"}, "SELECT \"ID\", TO_CHAR(\"V\") FROM (\n" + query + "\n) q", []string{`{"orders_id":"1","orders_v":"x"}`}},
		"object":   {[]string{"NUMBER", "XMLType"}, "SELECT \"ID\" FROM (\n" + query + "\n) q", []string{`{"orders_id":"1"}`}},
	} {
		r := newRun(t, nil, ruled(query), append(catalogueOf(), described([]string{"ID", "V"}, tt.types, []driver.Value{"1", "x"})...)...)
		r.server.answers[len(r.server.answers)-1].columns = []string{"ID", "V"}[:2-strings.Count(name, "object")]
		got := r.read(t)
		if d := cmp.Diff(tt.docs, got.Docs); d != "" || got.Err != nil {
			t.Errorf("%s: %v %s", name, got.Err, d)
		}
		if last := r.server.asked[len(r.server.asked)-1]; last != tt.want {
			t.Errorf("%s: sent %s", name, last)
		}
		if log := r.log.String(); strings.Contains(log, "skipping a column") != (name == "object") {
			t.Errorf("%s: it says: %s", name, log)
		}
	}
}

// TestTwoColumnsOfOneName checks that such a query is read as written, except for types that must be converted in the
// SELECT.
func TestTwoColumnsOfOneName(t *testing.T) {
	t.Parallel()
	for typ, works := range map[string]bool{"NCHAR": true, "IntervalYM_DTY": false, "IBFloat": false, "XMLType": false} {
		answers := described([]string{"ID", "ID"}, []string{"NUMBER", typ}, []driver.Value{"1", "x"})
		answers[0].err = oraError(918)
		r := newRun(t, nil, ruled("SELECT a.id, b.id FROM orders a, orders b"), append(catalogueOf(), answers...)...)
		got := r.read(t)
		if works != (got.Err == nil) || works && got.Docs[0] != `{"orders_id":"1","orders_id_2":"x"}` || !works && !strings.Contains(source.Hint(got.Err), "different names") {
			t.Errorf("%s: %v, %v", typ, got.Docs, got.Err)
		}
		if r.server.closed {
			t.Errorf("%s: the session was closed", typ)
		}
	}
}

// TestKeylessRows checks that rows without a key are skipped, and reported at the end.
func TestKeylessRows(t *testing.T) {
	t.Parallel()
	r := newRun(t, nil, ruled("SELECT id FROM orders"), append(catalogueOf(), described([]string{"ID"}, nil, []driver.Value{"1"}, []driver.Value{nil}, []driver.Value{"2"})...)...)
	got := r.read(t)
	if len(got.IDs) != 2 || !errors.Is(got.Err, source.ErrConfig) || !strings.Contains(got.Err.Error(), "were skipped: 1") {
		t.Errorf("got %v, %v", got.IDs, got.Err)
	}
}

// TestUnknownTablesOfARuleAreAllNamed checks that one error names all missing tables.
func TestUnknownTablesOfARuleAreAllNamed(t *testing.T) {
	t.Parallel()
	env := source.Env{AdvancedRules: []any{
		map[string]any{"tables": []any{"orders", "nothing"}, "query": "SELECT 1 FROM DUAL"}, map[string]any{"tables": []any{"hr.jobs"}, "query": "SELECT 1 FROM DUAL"},
	}}
	r := newRun(t, nil, env, catalogueOf()...)
	c, err := r.Catalogue(t.Context(), r.first)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Plan(c); !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), "no table HR.JOBS, NOTHING in database") {
		t.Errorf("got %v", err)
	}
}
