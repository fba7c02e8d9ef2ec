package sqltest

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// ValueCase is a value of a type.
type ValueCase struct {
	Name, Type, In string // In is SQL
	Key            bool   // the type can be that of a primary key
}

// Values reads one value of every case from a server, in both encodings, with its form in ids, and returns the
// results in the form of a golden file. change is set while documents are checked against their descriptions;
// inCompat reports whether a case covers the encoding compat.
func Values(t *testing.T, db *DB, cases []ValueCase, change func(env source.Env) map[string]any, inCompat func(*ValueCase) bool) string {
	t.Helper()
	for i, tt := range cases {
		db.Create(Pairs(fmt.Sprintf("t%d", i), tt.Type, []any{1, SQL(tt.In)}))
		if tt.Key {
			db.Create(Table{Name: fmt.Sprintf("k%d", i), Columns: []Column{{Name: "v", Type: tt.Type}}, Key: []string{"v"}, Rows: [][]any{{SQL(tt.In)}}})
		}
	}
	for _, env := range []source.Env{{}, {Encoding: "compat"}, {Profile: "native"}, {Profile: "seed87"}} {
		if n := CheckDescribed(t, db.Type, db.Open(change(env), env)); n < len(cases) {
			t.Errorf("%+v: only %d documents were described", env, n)
		}
	}
	exact, compat := ReadAll(t, db.Open(nil, source.Env{})), ReadAll(t, db.Open(nil, source.Env{Encoding: "compat"}))
	var b strings.Builder
	for i, tt := range cases {
		fmt.Fprintf(&b, "%s: %s %s\n", tt.Name, tt.Type, tt.In)
		table, key := fmt.Sprintf("t%d", i), fmt.Sprintf("k%d", i)
		scope, keyScope := db.Scope(table), db.Scope(key)
		for _, r := range []Result{exact[scope], compat[scope], exact[keyScope], compat[keyScope]} {
			if r.Err != nil {
				t.Errorf("%s: %v", tt.Name, r.Err)
			}
		}
		fmt.Fprintf(&b, "  exact  %s\n", onlyValue(t, db.Field(table, "v"), exact[scope]))
		if inCompat(&tt) {
			fmt.Fprintf(&b, "  compat %s\n", onlyValue(t, db.Field(table, "v"), compat[scope]))
		}
		if ids := exact[keyScope].IDs; tt.Key && len(ids) == 1 {
			fmt.Fprintf(&b, "  id     %q\n", strings.TrimPrefix(ids[0], db.ID(key, "")))
			if d := gocmp.Diff(ids, compat[keyScope].IDs); d != "" {
				t.Errorf("%s: the encodings differ in the id: %s", tt.Name, d)
			}
		}
	}
	return b.String()
}

// onlyValue is the value of a field, and the notes, of the only document.
func onlyValue(t *testing.T, field string, r Result) string {
	t.Helper()
	if len(r.Docs) != 1 {
		t.Errorf("got the documents %q", r.Docs)
		return ""
	}
	_, value, ok := strings.Cut(r.Docs[0], fmt.Sprintf("%q:", field))
	if !ok {
		t.Errorf("no value in %s", r.Docs[0])
	}
	return strings.TrimSuffix(value, "}")
}

// Golden compares a text with a file, or writes the file.
func Golden(t *testing.T, update bool, path, got string) {
	t.Helper()
	if update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // a golden file
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path) //nolint:gosec // a golden file
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (go test -update writes it): %s", path, d)
	}
}

// KindOfType is the kind of a column of a type.
type KindOfType struct {
	Type         string
	Kind, Compat source.FieldKind // Compat is the kind in the encoding compat; "" if it is the same
	Result       source.FieldKind // of a column of a query, unless Compat applies; "" if it is the same
}

// In is the kind in an encoding, of a column of a table or of a query.
func (k *KindOfType) In(compat, query bool) source.FieldKind {
	switch {
	case compat && k.Compat != "":
		return k.Compat
	case query:
		return cmp.Or(k.Result, k.Kind)
	}
	return k.Kind
}

// KindsAre checks, without a server, the kinds of types, and whether their values in ids are digits. of is what a source
// makes of a type.
func KindsAre(t *testing.T, kinds []KindOfType, of func(typ string, compat bool) (kind source.FieldKind, digits bool), digits func(k *KindOfType) bool) {
	t.Helper()
	for _, tt := range kinds {
		for _, compat := range []bool{false, true} {
			kind, got := of(tt.Type, compat)
			if want := tt.In(compat, false); cmp.Or(kind, source.Text) != want || got != digits(&tt) {
				t.Errorf("%s, compat %t: got %q, want %q; digits in ids: %t", tt.Type, compat, kind, want, got)
			}
		}
	}
}

// EveryTypeHasItsKind describes a table t with a column of every type, read as a table and as the result of a query.
// fixed are the fields of every document, all of them keywords; key is the kind of the key id, whose type is keyType.
func EveryTypeHasItsKind(t *testing.T, db *DB, kinds []KindOfType, fixed []string, keyType string, key source.FieldKind) {
	t.Helper()
	table := Table{Name: "t", Columns: []Column{{Name: "k", Type: keyType}}, Key: []string{"k"}}
	for i, tt := range kinds {
		table.Columns = append(table.Columns, Column{Name: fmt.Sprintf("c%d", i), Type: tt.Type})
	}
	db.Create(table)
	rules := RuleEnv(QueryOf("SELECT * FROM t", "t")).AdvancedRules
	for _, env := range []source.Env{{}, {Encoding: "compat"}, {AdvancedRules: rules}, {Encoding: "compat", AdvancedRules: rules}} {
		var want []source.DescribedField
		for _, name := range fixed {
			want = append(want, source.DescribedField{Name: name, Kind: source.Keyword})
		}
		want = append(want, source.DescribedField{Name: db.Field("t", "k"), Kind: key})
		for i, tt := range kinds {
			want = append(want, source.DescribedField{Name: db.Field("t", fmt.Sprintf("c%d", i)), Kind: tt.In(env.Encoding == "compat", env.AdvancedRules != nil)})
		}
		want = append(want, source.DescribedField{Name: "_conversion_notes", Kind: source.Keyword})
		got := DescribeAll(t, db.Open(nil, env))[db.Scope("t")]
		if d := gocmp.Diff(source.Description{Fields: want, IDPrefix: db.ID("t", ""), NumericIDs: true}, got); d != "" {
			t.Errorf("%+v:\n%s", env, d)
		}
	}
}

// Described describes a part in an environment, in the form of [DescribedAs].
type Described struct {
	Env  source.Env
	Want string
}

// DescribedAs checks the description of a scope: the prefix of its ids, whether the rest is numbers, and the fields
// with their kinds, except for the notes, which come last.
func DescribedAs(t *testing.T, db *DB, scope string, cases []Described) {
	t.Helper()
	for _, tt := range cases {
		d := DescribeAll(t, db.Open(nil, tt.Env))[scope]
		var fields []string
		for _, f := range d.Fields {
			fields = append(fields, f.Name+" "+string(f.Kind))
		}
		if i := len(fields) - 1; !slices.Contains(fields, "_conversion_notes keyword") || fields[i] != "_conversion_notes keyword" {
			t.Errorf("%+v: the notes do not come last", tt.Env)
		} else {
			fields = fields[:i]
		}
		got := fmt.Sprintf("%q %t: %s", d.IDPrefix, d.NumericIDs, strings.Join(fields, ", "))
		if diff := gocmp.Diff(tt.Want, got); diff != "" {
			t.Errorf("%+v:\n%s", tt.Env, diff)
		}
	}
}
