package sqlread

import (
	"database/sql/driver"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// tableOf is a table with columns of the names, which the server can compare with unless they begin with a dot.
func tableOf(names ...string) *paperTable {
	t := &paperTable{}
	for _, name := range names {
		c := Column[driver.Value]{Name: name, Type: Type[driver.Value]{Declared: "int", Bind: "?"}}
		if strings.HasPrefix(name, ".") {
			c.Type.Bind = ""
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

// typedRows is a result whose driver names the types of its columns.
type typedRows struct{ paperRows }

func (r *typedRows) ColumnTypeDatabaseTypeName(i int) string { return []string{"INT", "TEXT"}[i] }

// TestColumnsOfStreamedRowsHaveTypes: [Rows] hide what the driver's own rows know, and a column without a type would be
// described as text.
func TestColumnsOfStreamedRowsHaveTypes(t *testing.T) {
	t.Parallel()
	declared := func(_ int, name string) Type[driver.Value] { return Type[driver.Value]{Declared: name} }
	for name, rows := range map[string]driver.Rows{"the driver's": &typedRows{}, "streamed": &Rows{Rows: &typedRows{}}} {
		var got []string
		for _, c := range ColumnsOf(rows, declared) {
			got = append(got, c.Name+" "+c.Type.Declared)
		}
		if d := cmp.Diff([]string{"id INT", "v TEXT"}, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestATypeHasTwoEncodings(t *testing.T) {
	t.Parallel()
	as := func(text string) Convert[driver.Value] {
		return func(driver.Value) (document.Value, string) { return document.String(text), "" }
	}
	typ := Type[driver.Value]{
		Value: as("exact"), Compat: as("compat"), From: "CAST(% AS text) || %", CompatFrom: "%", Kind: source.Keyword, CompatKind: source.Text,
		Argument: func(v driver.Value) driver.Value { return fmt.Sprint(v) },
	}
	for compat, want := range map[bool]string{false: "exact, CAST(x AS text) || x, keyword", true: "compat, x, text"} {
		got := typ.Encoded(compat)
		v, _ := got.Value(nil)
		if said := v.Text() + ", " + got.Selected("x") + ", " + string(got.Kind); said != want || got.Given(7) != "7" {
			t.Errorf("compat %t: got %s, given %v", compat, said, got.Given(7))
		}
	}
	plain := Type[driver.Value]{}
	if plain.Selected("x") != "x" || plain.Given(7) != 7 || plain.Encoded(true).Kind != "" {
		t.Error("a type that says nothing changes something")
	}
}

func TestASelectNamesItsColumnsAndOrdersByTheKey(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		key  []string
		want string
	}{
		"in the order of the key":          {[]string{"c", "a"}, `SELECT "a", ".b", "c" FROM t WHERE x AND y ORDER BY "c", "a"`},
		"a key that is not to be compared": {[]string{"a", ".b"}, `SELECT "a", ".b", "c" FROM t WHERE x AND y`},
		"letter case":                      {[]string{"A"}, `SELECT "a", ".b", "c" FROM t WHERE x AND y ORDER BY "a"`},
	} {
		tab := tableOf("a", ".b", "c")
		if err := tab.SetKey(tt.key); err != nil {
			t.Fatal(err)
		}
		if got := tab.Select(Double, "t", "x", "", "y"); got != tt.want {
			t.Errorf("%s: got %s", name, got)
		}
		if (tab.Start() == nil) != !strings.Contains(tt.want, "ORDER BY") {
			t.Errorf("%s: it has a position: %t", name, tab.Start() != nil)
		}
	}
	if err := tableOf("a").SetKey([]string{"b"}); err == nil {
		t.Error("a key of columns that are not there is taken")
	}
}

// TestReduced checks that only the columns of ids are read if ids are enough.
func TestReduced(t *testing.T) {
	t.Parallel()
	tab := tableOf("x", "b", "a")
	if err := tab.SetKey([]string{"b", "a"}); err != nil {
		t.Fatal(err)
	}
	tab.InID = []int{2, 1}
	small := Reduced(&Config{IDsOnly: true}, tab)
	if diff := cmp.Diff([]any{[]string{"b", "a"}, []int{0, 1}, []int{1, 0}, true}, []any{small.Names(), small.Key, small.InID, small.Sorted}); diff != "" {
		t.Error(diff)
	}
	if none := tableOf("x"); Reduced(&Config{}, tab) != tab || Reduced(&Config{IDsOnly: true}, none) != none || small.Like(tab) || !tab.Like(tab) {
		t.Error("a table is reduced that need not be")
	}
}

// TestPositionKeepsWhatTheDriverUsesAgain and counts losses since the last row.
func TestPositionKeepsWhatTheDriverUsesAgain(t *testing.T) {
	t.Parallel()
	at := &Position{Losses: 2}
	compare := func(i int, operator string) string { return fmt.Sprint(at.Key[i], operator) }
	if got := at.Condition(compare); got != "" || (*Position)(nil).Condition(compare) != "" {
		t.Errorf("before the first row: %s", got)
	}
	reused := []byte("a")
	at.Advance([]int{1, 0}, []driver.Value{int64(7), reused})
	reused[0] = 'b'
	at.Advance([]int{1, 0}, []driver.Value{int64(8), reused})
	reused[0] = 'c'
	if got := at.Condition(compare); got != "[98]>= AND ([98]> OR ([98]= AND 8>))" || at.Losses != 0 {
		t.Errorf("got %s after %d losses", got, at.Losses)
	}
}

func TestAnIDHasTheKeyAsItsProfileWritesIt(t *testing.T) {
	t.Parallel()
	tab := tableOf("a", "b", "c")
	tab.Key = []int{0, 1, 2}
	tab.Columns[1].Type.Key = func(dst []byte, v driver.Value) []byte { return fmt.Appendf(dst, "<%v>", v) }
	tab.Columns[1].Type.Plain = func(dst []byte, v driver.Value) []byte { return fmt.Appendf(dst, "[%v]", v) }
	tab.Columns[1].Type.Zero = func(v driver.Value) bool { return v == "none" }
	for p, want := range map[Profile][2]string{
		Head: {"p_1_<x:y>", "p_0_<none>"}, Seed87: {"p1_<x:y>_", "p"}, Native: {"p1:[x%3Ay]:%00", "p0:[none]:%00"},
	} {
		id := ID[driver.Value]{Profile: p, Prefix: "p", Values: paperValues}
		var got [2]string
		for i, row := range [][]driver.Value{{int64(1), "x:y", nil}, {int64(0), "none", nil}} {
			got[i] = string(id.Of(tab, row)) // which is good until the next
		}
		if got != want {
			t.Errorf("%v: got %q, want %q", p, got, want)
		}
	}
	tab.InID = []int{1, 0}
	id := ID[driver.Value]{Prefix: "p", Values: paperValues}
	if got := string(id.Of(tab, []driver.Value{int64(1), "x", nil})); got != "p_<x>_1" {
		t.Errorf("in the order of ids: got %s", got)
	}
}

func TestARowNotesWhatWasLostOfAValue(t *testing.T) {
	t.Parallel()
	tab := tableOf("a", "b")
	tab.Key = []int{0}
	tab.Columns[0].Type.Value = func(v driver.Value) (document.Value, string) { return document.String(fmt.Sprint(v)), "" }
	tab.Columns[1].Type.Value = func(driver.Value) (document.Value, string) { return document.Null(), "too large" }
	lost := ""
	r := &Row{
		Table: tab, ID: ID[driver.Value]{Prefix: "t", Values: paperValues}, Record: NewRecord(nil, tab.Names(), tab.Key, false),
		Lost: func(column, reason string) { lost = column + " is " + reason },
	}
	doc := r.Document([]driver.Value{int64(1), "x"})
	if got := sqltest.Body(&doc); got != `{"a":"1","b":null,"_conversion_notes":["b: too large"]}` || doc.ID != "t_1" || lost != "b is too large" {
		t.Errorf("got %s of %s, %s", got, doc.ID, lost)
	}
	doc = r.Document([]driver.Value{int64(2), nil})
	if got := sqltest.Body(&doc); got != `{"a":"2","b":null}` {
		t.Errorf("got %s", got)
	}
}

func TestDocumentsSayWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	one := Subject{Rel: Relation{Schema: "s", Name: "t"}}
	rule := &Selection{Rule: &Rule{}, Tables: []Relation{{Schema: "b", Name: "one"}, {Schema: "a", Name: "two"}, {Schema: "b", Name: "two"}}}
	several := Subject{Rel: rule.Combined(Double), Rule: rule}
	for name, tt := range map[string]struct {
		of      *Subject
		profile Profile
		fields  string
		prefix  string
		column  string
	}{
		"a table":            {&one, Head, `{"database":"d","schema":"s","table":"t"}`, "d_s_t", "s_t_col"},
		"a table, seed87":    {&one, Seed87, `{"Database":"d","schema":"s","Table":"t"}`, "d_s_t_", "s_t_col"},
		"a table, native":    {&one, Native, `{"database":"d","schema":"s","table":"t"}`, "x:d:s:t:", "Col"},
		"a rule":             {&several, Head, `{"database":"d","schema":["a","b"],"table":["one","two","two"]}`, "d_a_b_one_two_two", "a_b_one_two_two_col"},
		"a rule, the native": {&several, Native, `{"database":"d","schema":["a","b"],"table":["one","two","two"]}`, "x:d:a+b:one+two+two:", "Col"},
	} {
		from := tt.of.Origin("d")
		fields := document.Document{Fields: from.Fields(tt.profile)}
		names, _ := FieldNames(&from, tt.profile, tableOf("Col"))
		out, _ := document.AppendSource(nil, &document.Document{ID: "i", Fields: fields.Fields}, document.Trailer{})
		if got := string(out); !strings.Contains(got, strings.Trim(tt.fields, "{}")) || from.Prefix("x", tt.profile) != tt.prefix || names[0] != tt.column {
			t.Errorf("%s: got %s, %s, %s", name, got, from.Prefix("x", tt.profile), names)
		}
	}
	if several.Scope() != "a+b.one+two+two" {
		t.Errorf("got the scope %s", several.Scope())
	}
}

// TestTheScopeOfADocument checks that its fields determine it; in another database it is one that no part has.
func TestTheScopeOfADocument(t *testing.T) {
	t.Parallel()
	for want, fields := range map[string]map[string]any{
		"s.t":       {"database": "d", "schema": "s", "table": "t"},
		"s.u":       {"Database": "d", "schema": "s", "Table": "u"},
		"a+b.x+y":   {"database": "d", "schema": []any{"a", "b"}, "table": []any{"x", "y"}},
		"other.s.t": {"database": "other", "schema": "s", "table": "t"},
		"":          {"database": 7, "schema": "s", "table": "t"},
	} {
		if got, ok := Double.ScopeOfFields("d", fields); got != want || ok != (want != "") {
			t.Errorf("%v: got %q, %t", fields, got, ok)
		}
	}
}

func TestRulesFindTheirTables(t *testing.T) {
	t.Parallel()
	relations := []Relation{{Schema: "s", Name: "b"}, {Schema: "s", Name: "A", Match: [2]string{"s", "a"}}, {Schema: "o", Name: "twice"}, {Schema: "s", Name: "twice"}}
	for tables, want := range map[string]string{
		"b,a,s.b":        "A b, missing []",
		"a,nosuch,x.b":   "A, missing [nosuch x.b]",
		"o.twice,a":      "A twice, missing []",
		"s.twice, twice": "several schemas; write o.twice or s.twice",
	} {
		r := &Rule{Path: "advanced_rules[0]"}
		for name := range strings.SplitSeq(tables, ",") {
			e, err := Double.ParseEntry(strings.TrimSpace(name))
			if err != nil {
				t.Fatal(err)
			}
			r.Tables = append(r.Tables, e)
		}
		s, missing, err := r.SelectOne(Double, relations)
		got := ""
		if err != nil {
			got = "several schemas; " + source.Hint(err)
		} else {
			got = fmt.Sprintf("%s, missing %v", strings.Join(s.Names(), " "), missing)
		}
		if got != want {
			t.Errorf("%s: got %s", tables, got)
		}
	}
	if err := AbsentError([]string{"z", "a", "z"}, " here", "look there"); err.Error() != "advanced_rules: there is no table a, z here" || source.Hint(err) != "look there" {
		t.Errorf("got %v", err)
	}
}

// TestMissingSchemas fail alone while there are others.
func TestMissingSchemas(t *testing.T) {
	t.Parallel()
	say := func(name string) (string, error) { return "correct it", fmt.Errorf("no %s", name) }
	some, all := &Catalogue{}, &Catalogue{}
	some.MissingSchemas(Double, []string{"x.y"}, SchemaList{"a", "x.y"}, say)
	all.MissingSchemas(Double, []string{"a", "b"}, SchemaList{"a", "b"}, say)
	if len(some.Missing) != 1 || some.Missing[0].Scope() != `"x.y".*` || some.Err != nil || len(all.Missing) != 0 || all.Err == nil || all.Err.Error() != "no a" {
		t.Errorf("got %v, %v and %v, %v", some.Missing, some.Err, all.Missing, all.Err)
	}
}

func TestReadConfigRefuses(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]source.Env{
		"rules": {AdvancedRules: 7}, "a profile": {Profile: "tail"}, "an encoding": {Encoding: "x"},
	} {
		if _, err := Double.ReadConfig(env); err == nil {
			t.Errorf("%s: nothing is wrong", name)
		}
	}
	c, err := Double.ReadConfig(source.Env{Encoding: "compat", Profile: "native", IDsOnly: true, Log: slog.New(slog.DiscardHandler), IDColumns: map[string][]string{"s.t": {"a"}, "t": {"b"}}})
	if err != nil || !c.Compat || c.Profile != Native || !c.IDsOnly || c.Declared("s.t", "t")[0] != "a" || c.Declared("x") != nil {
		t.Errorf("got %+v, %v", c, err)
	}
}
