package sqlread

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// list lists the parts by their names.
func (d *paper) list(t *testing.T) map[string]source.Part {
	t.Helper()
	parts := map[string]source.Part{}
	for p, err := range d.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		parts[p.Name()] = p
	}
	return parts
}

// readPart reads a part to its end, or until so many documents came; 0 is all of them.
func readPart(ctx context.Context, p source.Part, most int) (ids []string, err error) {
	for doc, err := range p.Documents(ctx) {
		if err != nil {
			return ids, err
		}
		if ids = append(ids, doc.ID); len(ids) == most {
			break
		}
	}
	return ids, nil
}

// ruleEnv asks for the results of queries about a table.
func ruleEnv(table string, queries ...string) source.Env {
	var rules []any
	for _, q := range queries {
		rules = append(rules, map[string]any{"tables": []any{table}, "query": q})
	}
	return source.Env{AdvancedRules: rules}
}

func TestTablesAreListedAndRead(t *testing.T) {
	t.Parallel()
	d := newPaper(t, source.Env{}, "*,-b,nosuch", map[string]int64{"a": 3, "b": 1, "c": 0})
	parts := d.list(t)
	if len(parts) != 3 || parts["b"] != nil {
		t.Errorf("got %v", parts)
	}
	for name, want := range map[string][]string{"a": {"a_1", "a_2", "a_3"}, "c": nil} {
		ids, err := readPart(t.Context(), parts[name], 0)
		if diff := cmp.Diff(want, ids); diff != "" || err != nil || !parts[name].Ended() {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	if _, err := readPart(t.Context(), parts["nosuch"], 0); !errors.Is(err, source.ErrConfig) {
		t.Errorf("a name that no table has: %v", err)
	}
	if n, known := parts["a"].(source.Estimator).Estimate(); n != 3 || !known {
		t.Errorf("got an estimate of %d", n)
	}
	if d.opened != 2 || len(d.begun) != 2 {
		t.Errorf("%d sessions for two tables", d.opened)
	}
	if err := errors.Join(d.Ping(t.Context()), d.Close()); err != nil {
		t.Error(err)
	}
}

// TestReadingResumesAfterTheLastRow: after each loss on another session, where the server can compare with the key.
func TestReadingResumesAfterTheLastRow(t *testing.T) {
	t.Parallel()
	d := newPaper(t, source.Env{}, "*", map[string]int64{"a": 5})
	parts := d.list(t)
	d.ends["a"] = []error{errLost, errBusy}
	ids, err := readPart(t.Context(), parts["a"], 0)
	if diff := cmp.Diff([]string{"a_1", "a_2", "a_3", "a_4", "a_5"}, ids); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	want := []string{
		`SELECT "id", "v" FROM "a" ORDER BY "id"`, `SELECT "id", "v" FROM "a" WHERE "id" > ? ORDER BY "id" -- 2`, `SELECT "id", "v" FROM "a" WHERE "id" > ? ORDER BY "id" -- 4`,
	}
	if diff := cmp.Diff(want, d.asked); diff != "" {
		t.Error(diff)
	}
	if s := d.begun[0]; !s.closed || !s.ended || d.opened != 2 {
		t.Errorf("of %d sessions the one that was lost: %+v", d.opened, s)
	}
}

func TestLossesThatEndATable(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		table string
		ends  []error
		ids   int
		kind  error
		says  string
	}{
		"what does not pass":      {"a", []error{errWrong}, 2, nil, "a: read rows: wrong"},
		"a right that was taken":  {"a", []error{errRefused}, 2, source.ErrAuth, "a: read rows: refused"},
		"no key that is compared": {"keyless", []error{errLost}, 2, source.ErrTemporary, "keyless: read rows: unexpected EOF"},
	} {
		d := newPaper(t, source.Env{IDColumns: map[string][]string{"keyless": {"v"}}}, "*", map[string]int64{tt.table: 9})
		parts := d.list(t)
		d.ends[tt.table] = tt.ends
		ids, err := readPart(t.Context(), parts[tt.table], 0)
		if len(ids) != tt.ids || err == nil || err.Error() != tt.says || tt.kind != nil && !errors.Is(err, tt.kind) || parts[tt.table].Ended() {
			t.Errorf("%s: %d rows, %v", name, len(ids), err)
		}
	}
}

// TestReadingOfAnAlteredTableDoesNotResume, because rows with different columns are no state of a table.
func TestReadingOfAnAlteredTableDoesNotResume(t *testing.T) {
	t.Parallel()
	d := newPaper(t, source.Env{}, "*", map[string]int64{"a": 9})
	part := d.list(t)["a"]
	d.ends["a"] = []error{errLost}
	n := 0
	var failed error
	for _, err := range part.Documents(t.Context()) {
		d.declared = "number"
		n++
		failed = err
	}
	if n != 3 || !errors.Is(failed, ErrTableChanged) || !errors.Is(failed, source.ErrTemporary) {
		t.Errorf("after %d rows: %v", n-1, failed)
	}
}

// TestSessionsThatWereLostWhileIdleArePassedOver until one answers; a new one that does not is the last.
func TestSessionsThatWereLostWhileIdleArePassedOver(t *testing.T) {
	t.Parallel()
	d := newPaper(t, source.Env{}, "*", map[string]int64{"a": 1, "b": 1})
	parts := d.list(t)
	for _, s := range d.begun {
		s.dead = true
	}
	if _, err := parts["a"].(source.Describer).Describe(t.Context()); err != nil {
		t.Error(err)
	}
	if ids, err := readPart(t.Context(), parts["a"], 0); len(ids) != 1 || err != nil || d.opened != 3 {
		t.Errorf("%v, %v with %d sessions", ids, err, d.opened)
	}
}

// TestBreakingOutOfALoopReleasesTheSession: another part reads on it.
func TestBreakingOutOfALoopReleasesTheSession(t *testing.T) {
	t.Parallel()
	d := newPaper(t, source.Env{}, "a", map[string]int64{"a": 9})
	part := d.list(t)["a"]
	for range 3 {
		if ids, err := readPart(t.Context(), part, 1); len(ids) != 1 || err != nil {
			t.Errorf("%v, %v", ids, err)
		}
	}
	if d.opened != 1 || part.Ended() {
		t.Errorf("%d sessions, ended %t", d.opened, part.Ended())
	}
}

func TestARunThatIsCancelledSaysSo(t *testing.T) {
	t.Parallel()
	d := newPaper(t, source.Env{}, "a", map[string]int64{"a": 9})
	part := d.list(t)["a"]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var failed error
	for _, err := range part.Documents(ctx) {
		cancel()
		failed = err
	}
	if !errors.Is(failed, context.Canceled) || part.Ended() {
		t.Errorf("got %v", failed)
	}
	if err := d.Ping(ctx); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "connect to paper: ") {
		t.Errorf("connecting: %v", err)
	}
}

func TestConnectingIsTriedAgainWhereItMayPass(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		dials []error
		says  string
	}{
		"busy":                   {[]error{errBusy, errBusy}, ""},
		"busy for too long":      {[]error{errBusy, errBusy, errBusy}, "connect to paper: busy"},
		"what is always refused": {[]error{errRefused}, "connect to paper: refused"},
	} {
		d := newPaper(t, source.Env{}, "a", nil)
		d.dials = tt.dials
		if err := d.Ping(t.Context()); fmt.Sprint(err) != tt.says && (err != nil || tt.says != "") || len(d.dials) != 0 {
			t.Errorf("%s: %v, %d left", name, err, len(d.dials))
		}
	}
}

// TestWithoutAConnectionLeftPartsWait: a part that the server has no connection for takes one of the others.
func TestWithoutAConnectionLeftPartsWait(t *testing.T) {
	t.Parallel()
	d := newPaper(t, source.Env{}, "*", map[string]int64{"a": 2, "b": 2})
	d.dials = []error{nil, errTooMany}
	parts := d.list(t)
	if len(d.begun) != 1 {
		t.Fatalf("%d sessions", len(d.begun))
	}
	for range parts["a"].Documents(t.Context()) {
		d.dials = []error{errTooMany}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := readPart(ctx, parts["b"], 0); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		break
	}
	if ids, err := readPart(t.Context(), parts["b"], 0); len(ids) != 2 || err != nil {
		t.Errorf("%v, %v", ids, err)
	}
}

func TestRulesAreCheckedBeforeTheyAreRead(t *testing.T) {
	t.Parallel()
	for query, tt := range map[string]struct {
		kind error
		says string
	}{
		"SELECT * FROM a":       {},
		"SELECT refused FROM a": {}, // it fails its part alone
		"SELECT busy FROM a":    {source.ErrTemporary, "a, advanced_rules[1]: check the query: busy"},
		"SELECT wrong FROM a":   {source.ErrConfig, "a, advanced_rules[1]: query: wrong"},
		"SELECT ours FROM a":    {source.ErrConfig, "a, advanced_rules[1]: query: wrong"},
	} {
		d := newPaper(t, ruleEnv("a", "SELECT 1 FROM a", query), "*", map[string]int64{"a": 1})
		err := d.Validate(t.Context())
		if (err == nil) != (tt.says == "") || err != nil && (!errors.Is(err, tt.kind) || err.Error() != tt.says) {
			t.Errorf("%s: %v", query, err)
		}
	}
	d := newPaper(t, ruleEnv("nosuch", "SELECT 1 FROM a"), "*", map[string]int64{"a": 1})
	if err := d.Validate(t.Context()); !errors.Is(err, source.ErrConfig) || err.Error() != "advanced_rules: there is no table nosuch on paper" {
		t.Errorf("got %v", err)
	}
	if err := newPaper(t, source.Env{}, "*", nil).Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestRowsOfAQueryWithoutAKeyAreLeftOut, and the part fails, since all of them would have one id.
func TestRowsOfAQueryWithoutAKeyAreLeftOut(t *testing.T) {
	t.Parallel()
	d := newPaper(t, ruleEnv("a", "SELECT * FROM a"), "*", nil)
	d.rows["a"] = []int64{1, 2}
	parts := d.list(t)
	ids, err := readPart(t.Context(), parts["a, advanced_rules[0]"], 0)
	if diff := cmp.Diff([]string{"a_1", "a_2"}, ids); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	d = newPaper(t, ruleEnv("keyless", "SELECT * FROM keyless"), "*", map[string]int64{"keyless": 1})
	if _, err := readPart(t.Context(), d.list(t)["keyless, advanced_rules[0]"], 0); !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), "keyless has no key") {
		t.Errorf("got %v", err)
	}
	r := &paperReader{Table: &paperTable{Key: []int{0, 1}}}
	if !r.Table.Keyless(make([]driver.Value, 2)) || r.Table.Keyless([]driver.Value{nil, 7}) {
		t.Error("a row is without a key where every value of it is NULL")
	}
}

// TestATableIsDescribedOnceForAllItsRanges, also one that cannot be read until its key is configured.
func TestATableIsDescribedOnceForAllItsRanges(t *testing.T) {
	t.Parallel()
	d := newPaper(t, source.Env{}, "*", map[string]int64{"a": 9, "keyless": 1})
	parts := d.list(t)
	table, _ := parts["a"].(*paperPart)
	shares := table.Cut([]Range{{Name: "id ..5", Condition: `"id" < 5`, First: true}, {Name: "id 5..", Condition: `"id" >= 5`}})
	first, err := shares[0].Describe(t.Context())
	if err != nil || len(first.Fields) != 3 || first.IDPrefix != "a_" || !first.NumericIDs {
		t.Errorf("%+v, %v", first, err)
	}
	d.declared = "altered"
	second, err := shares[1].Describe(t.Context())
	if diff := cmp.Diff(first, second); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if shares[0].Name() != "a id ..5" || shares[1].Scope() != "a" || !shares[0].First() || shares[1].First() || !table.First() || shares[1].Rel.Estimate != 4 {
		t.Errorf("got %s of %s, %d rows", shares[0].Name(), shares[1].Scope(), shares[1].Rel.Estimate)
	}
	if got, err := parts["keyless"].(source.Describer).Describe(t.Context()); err != nil || len(got.Fields) != 3 {
		t.Errorf("without a key: %+v, %v", got, err)
	}
}
